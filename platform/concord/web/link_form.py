"""The forms of a link’s steps, days and clocks."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextArea
from wtforms import HiddenField, RadioField, SelectChoice, SubmitField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from concord.web.form import DayField, lines
from matching.link import MOST_CHARACTERS, DayKind, LinkOutcome

_IMPOSSIBLE = "Enter a real date, for example 27 3 2027"
_MOST_DIGITS = 9
LENGTH = Length(max=MOST_CHARACTERS, message=f"Write at most {MOST_CHARACTERS:,} characters")


def words_field(label: str, missing: str, *, optional: bool = False) -> TextAreaField:
    """Return a box for a person’s own words, which may not be left empty unless it is optional."""
    wanted = Optional() if optional else DataRequired(missing)
    return TextAreaField(label, widget=GovTextArea(), filters=[lines], validators=[wanted, LENGTH])


def day_field(question: str) -> DayField:
    """Return the three boxes of a day that has to be said."""
    return DayField(question, missing="Enter the day, month and year", impossible=_IMPOSSIBLE)


class StepForm(FlaskForm):  # type: ignore[misc]
    """Why a step is taken; which step the page showed last."""

    version = HiddenField()
    reason = words_field("Why?", "Enter why")
    submit = SubmitField("Save", widget=GovSubmitInput())

    @property
    def version_seen(self) -> int:
        """Return the link’s version that the page showed; none, where what was sent is no number."""
        said = self.version.data or ""
        return int(said) if said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS else 0


def step_form(*, day: DayKind | None, capped: bool, **values: Any) -> StepForm:  # noqa: ANN401
    """Return the form of a step with what it asks for: its day, and why a cap that is reached may be passed."""

    class Asked(StepForm):
        pass

    if day is not None:
        Asked.day = day_field(f"On which day? {day.label}")
    if capped:
        question = "Why may it be done all the same?"
        Asked.override = words_field(question, "Enter why it may be done all the same")
    return Asked(**values)


class EndForm(StepForm):
    """What a link came to, why, and what the other agency can use."""

    outcome = RadioField(
        "What did it come to?",
        widget=GovRadioInput(),
        choices=[SelectChoice(outcome.value, outcome.label) for outcome in LinkOutcome],
        validators=[InputRequired("Select what it came to")],
    )
    feedback = words_field("What can the other agency use?", "Enter what the other agency can use")


class DayForm(FlaskForm):  # type: ignore[misc]
    """A day of a link: which, and when."""

    kind = RadioField("Which day?", widget=GovRadioInput(), validators=[InputRequired("Select which day")])
    day = day_field("When?")
    submit = SubmitField("Save the day", widget=GovSubmitInput())


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Why something was done or missed."""

    reason = words_field("Why was it missed?", "Enter why it was missed")
    submit = SubmitField("Save the reason", widget=GovSubmitInput())
