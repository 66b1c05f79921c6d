"""The forms of what happens to a whole group."""

from __future__ import annotations

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import RadioField, SelectChoice, SelectMultipleField, StringField, SubmitField
from wtforms.validators import DataRequired, InputRequired, Length

from concord.web.form import one_line
from concord.web.link_form import day_field, words_field
from matching.legal_hold import HoldKind
from matching.ranking.facts import Sex

_FEEDBACK = "What can the other agencies of open links use?"
_SEXES = {Sex.FEMALE: "Female", Sex.MALE: "Male", Sex.UNKNOWN: "Not recorded"}


class HoldForm(FlaskForm):  # type: ignore[misc]
    """What stops the placing, since when and why."""

    kind = RadioField(
        "What stops the placing?",
        widget=GovRadioInput(),
        choices=[SelectChoice(kind.value, kind.label) for kind in HoldKind],
        validators=[InputRequired("Select what stops the placing")],
    )
    day = day_field("Since when?")
    reason = words_field("What is it about?", "Enter what it is about")
    submit = SubmitField("Set the hold", widget=GovSubmitInput())


class LiftForm(FlaskForm):  # type: ignore[misc]
    """Why a hold no longer stands."""

    reason = words_field("Why does it no longer stand?", "Enter why it no longer stands")
    submit = SubmitField("Lift the hold", widget=GovSubmitInput())


class PlanForm(FlaskForm):  # type: ignore[misc]
    """Why adoption is no longer the plan."""

    reason = words_field("Why has the plan changed?", "Enter why the plan has changed")
    feedback = words_field(_FEEDBACK, "Enter what the other agencies can use")
    submit = SubmitField("End all open links", widget=GovSubmitInput())


class WaitForm(FlaskForm):  # type: ignore[misc]
    """That a family is looked for again."""

    submit = SubmitField("Look for a family again", widget=GovSubmitInput())


class SiblingForm(FlaskForm):  # type: ignore[misc]
    """Who decided together or apart, when and why."""

    decided_by = StringField(
        "Who decided?",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter who decided"), Length(max=200)],
    )
    day = day_field("On which day was it decided?")
    reason = words_field("Why?", "Enter why")
    feedback = words_field(_FEEDBACK, "Enter what the other agencies can use")


class SplitForm(SiblingForm):
    """Which children get a group of their own."""

    children = SelectMultipleField(
        "Which children get a group of their own?",
        widget=GovCheckboxesInput(),
        validators=[InputRequired("Select at least one child")],
    )
    reference = StringField(
        "Your own reference for the new group",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter a reference for the new group"), Length(max=60)],
    )
    submit = SubmitField("Place them apart", widget=GovSubmitInput())


class JoinForm(SiblingForm):
    """Which group comes in."""

    other = StringField(
        "Which group’s children come into this one?",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[DataRequired("Enter the other group’s code"), Length(max=60)],
    )
    submit = SubmitField("Place them together", widget=GovSubmitInput())


class BirthForm(FlaskForm):  # type: ignore[misc]
    """When a child was born."""

    day = day_field("When was the child born?")
    sex = RadioField(
        "The child’s sex",
        widget=GovRadioInput(),
        choices=[SelectChoice(sex.value, words) for sex, words in _SEXES.items()],
        validators=[InputRequired("Select the child’s sex, or that it is not recorded")],
    )
    submit = SubmitField("Record the birth", widget=GovSubmitInput())


class MarkForm(FlaskForm):  # type: ignore[misc]
    """What a clock needs to know, and since when."""

    kind = RadioField("What is to be said?", widget=GovRadioInput(), validators=[InputRequired("Select what")])
    day = day_field("On which day?")
    submit = SubmitField("Save", widget=GovSubmitInput())
