"""The forms of swap groups: their terms, their last day, and an agency's word on one leg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import (
    GovCheckboxesInput,
    GovRadioInput,
    GovSelect,
    GovSubmitInput,
    GovTextInput,
)
from wtforms import (
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from concord.web.form import DayField, one_line
from concord.web.short_form import words_field
from matching.swap.group import SwapGroup, Terms
from matching.swap.rule import Basis, Disruption, Follow, SwapRule
from tenants.agency import Agency

_DAY = {"missing": "Enter the day, month and year", "impossible": "Enter a real date, for example 1 4 2027"}


def _choices(words: Sequence[Basis | Disruption | Follow]) -> list[SelectChoice]:
    return [SelectChoice(word.value, word.label) for word in words]


class NumberField(IntegerField):  # type: ignore[misc]
    """A whole number in a range, with one message for whatever else is typed; without a default it may be left out."""

    def __init__(self, label: str, *, least: int, most: int, **kwargs: Any) -> None:  # noqa: ANN401 - a field's own
        self._message = f"Enter a whole number from {least} to {most}"
        needed = InputRequired(self._message) if "default" in kwargs else Optional()
        checks = [needed, NumberRange(least, most, self._message)]
        super().__init__(label, widget=GovTextInput(), validators=checks, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(self._message) from None


class SwapGroupForm(FlaskForm):  # type: ignore[misc]
    """The terms of a swap group, and who is asked in."""

    HINTS = {  # noqa: RUF012 - not a field of the form
        "begins_on": "For example, 1 4 2027. You set its last day later, on its own page",
        "agencies": "Two or more",
        "under_years": "In whole years; three in most swap groups",
        "follow_months": "Only where the standard fee follows",
        "within_points": "Plans name only families this close to the best on the group’s own list, in points",
        "bound": "How many placements a plan may take an agency from even",
        "carries_id": "Its balances go on in this one",
    }

    name = StringField(
        "Name",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[InputRequired("Enter a name"), Length(max=100, message="Write at most 100 letters")],
    )
    agencies = SelectMultipleField(
        "Which agencies are asked?",
        widget=GovCheckboxesInput(),
        validators=[InputRequired("Select two agencies or more")],
    )
    begins_on = DayField("First day", **_DAY)
    basis = RadioField(
        "Whose age counts, and when?",
        widget=GovRadioInput(),
        choices=_choices(list(Basis)),
        default=Basis.MOVING_IN.value,
    )
    under_years = NumberField("Under which age?", least=1, most=18, default=3)
    disruption = RadioField(
        "When a placement disrupts before the order",
        widget=GovRadioInput(),
        choices=_choices(list(Disruption)),
        default=Disruption.FALLS_AWAY.value,
    )
    follow = RadioField(
        "What follows where nothing balances a placement?",
        widget=GovRadioInput(),
        choices=_choices(list(Follow)),
        default=Follow.CARRY_FORWARD.value,
    )
    follow_months = NumberField("After how many months?", least=1, most=60)
    within_points = NumberField("How close to the best?", least=0, most=100, default=10)
    bound = NumberField("How far from even?", least=0, most=100, default=1)
    carries_id = SelectField("Does it carry an earlier one on?", widget=GovSelect(), default="")
    submit = SubmitField("Make the swap group", widget=GovSubmitInput())

    def offer(self, agencies: Sequence[Agency], earlier: Sequence[SwapGroup]) -> None:
        """Set whom and what can be chosen."""
        self.agencies.choices = [SelectChoice(str(each.id), each.name) for each in agencies]
        self.carries_id.choices = [SelectChoice("", "No"), *(SelectChoice(str(each.id), each.name) for each in earlier)]

    def terms(self) -> Terms:
        """Return what was settled."""
        rule = SwapRule(
            begins_on=self.begins_on.data,
            ends_on=None,
            basis=Basis(self.basis.data),
            under_years=self.under_years.data,
            disruption=Disruption(self.disruption.data),
            follow=Follow(self.follow.data),
            follow_months=self.follow_months.data,
        )
        return Terms(
            name=self.name.data,
            rule=rule,
            within_points=self.within_points.data,
            bound=self.bound.data,
            carries_id=UUID(self.carries_id.data) if self.carries_id.data else None,
        )


class EndForm(FlaskForm):  # type: ignore[misc]
    """The last day of a period."""

    ends_on = DayField("Last day", **_DAY)
    submit = SubmitField("Set the last day", widget=GovSubmitInput())


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """An agency's word on one leg."""

    answer = RadioField(
        "What does your agency say?",
        widget=GovRadioInput(),
        choices=[
            SelectChoice("confirm", "Confirm: start a link of the two"),
            SelectChoice("decline", "Decline: suggest the two no more"),
        ],
        validators=[InputRequired("Select whether your agency confirms or declines")],
    )
    reason = words_field("Why?", missing="Enter the reason")
    submit = SubmitField("Save", widget=GovSubmitInput())
