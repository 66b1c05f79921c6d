"""The forms of a placement: its plan, meetings of the introductions, reviews, order, disruption, notes."""

from __future__ import annotations

from datetime import time
from typing import Any

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovRadioInput, GovSubmitInput, GovTextInput
from wtforms import HiddenField, RadioField, SelectChoice, StringField, SubmitField, ValidationError
from wtforms.validators import DataRequired, InputRequired

from concord.web.form import DayField, one_line
from concord.web.short_form import words_field
from matching.placement.placement import Court, EndedBy

_IMPOSSIBLE = "Enter a real date, for example 27 3 2026"


class AnyDayField(DayField):
    """A day that may be left empty."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the three boxes, or none."""
        if any(text.strip() for text in valuelist):
            super().process_formdata(valuelist)
            return
        self.raw_data, self.data = ["", "", ""], None


class TimeBox(StringField):  # type: ignore[misc]
    """A time of day as people type it: 9:30, 09.30 or 14."""

    widget = GovTextInput()

    def __init__(self, label: str, *, optional: bool = False, **kwargs: Any) -> None:  # noqa: ANN401
        wanted = [] if optional else [DataRequired("Enter a time, for example 9:30")]
        super().__init__(label, filters=[one_line], validators=[*wanted, _is_time], **kwargs)

    @property
    def time(self) -> time | None:
        """Return the time that was typed."""
        return _time_of(self.data or "")


def _time_of(typed: str) -> time | None:
    hour, _, minute = typed.strip().replace(".", ":").partition(":")
    try:
        return time(int(hour), int(minute or 0)) if hour.isascii() and minute.isascii() else None
    except ValueError:
        return None


def _is_time(form: FlaskForm, field: TimeBox) -> None:  # noqa: ARG001 - as the library asks
    if field.data and field.time is None:
        raise ValidationError("Enter a time, for example 9:30")


def _day(question: str) -> DayField:
    return DayField(question, missing="Enter the day, month and year", impossible=_IMPOSSIBLE)


def _any_day(question: str) -> AnyDayField:
    return AnyDayField(
        question, missing="Enter the day, month and year, or leave all three empty", impossible=_IMPOSSIBLE
    )


class VersionedForm(FlaskForm):  # type: ignore[misc]
    """A form that says which version of the thing its page showed."""

    version = HiddenField()

    @property
    def version_seen(self) -> int:
        """Return the version, or 0, which none has."""
        said = self.version.data or ""
        return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0


class PlanForm(VersionedForm):
    """The days of a placement plan."""

    plan_meeting_on = _any_day("Placement planning meeting")
    plan_sent_on = _any_day("Placement plan sent to the adopters")
    plan_agreed_on = _any_day("Placement plan agreed")
    introductions_on = _any_day("Introductions begin")
    midpoint_review_on = _any_day("Midpoint review planned")
    midpoint_held_on = _any_day("Midpoint review held")
    moving_in_on = _any_day("Moving in planned")
    submit = SubmitField("Save the plan", widget=GovSubmitInput())


class IntroductionForm(FlaskForm):  # type: ignore[misc]
    """One meeting of the introductions."""

    day = _day("Day")
    starts_at = TimeBox("From")
    ends_at = TimeBox("Until (optional)", optional=True)
    words = words_field("Who meets whom, and where?", missing="Enter who meets whom, and where")
    submit = SubmitField("Add the meeting", widget=GovSubmitInput())


class ReviewForm(FlaskForm):  # type: ignore[misc]
    """What came of a review."""

    held = RadioField(
        "Was the review held?",
        widget=GovRadioInput(),
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No, it was missed")],
        validators=[InputRequired("Select whether it was held")],
    )
    held_on = _any_day("Held on")
    why = words_field("Why was it late, or not held?", missing="", optional=True)
    submit = SubmitField("Save", widget=GovSubmitInput())

    def validate_held_on(self, field: AnyDayField) -> None:
        """Ask for the day of a review that was held."""
        if self.held.data == "yes" and field.data is None and not field.errors:
            raise ValidationError("Enter the day on which it was held")


class OrderForm(VersionedForm):
    """The adoption order."""

    day = _day("On which day was the order made?")
    court = RadioField(
        "Which court made it?",
        widget=GovRadioInput(),
        choices=[SelectChoice(court.value, court.label) for court in Court],
        validators=[InputRequired("Select the court")],
    )
    reason = words_field("What should be on record with it?", missing="Enter a reason, for example who told you")
    submit = SubmitField("Record the order", widget=GovSubmitInput())


class DisruptionForm(VersionedForm):
    """A disruption."""

    day = _day("On which day did the placement end?")
    ended_by = RadioField(
        "Who ended it?",
        widget=GovRadioInput(),
        choices=[SelectChoice(each.value, each.label) for each in EndedBy],
        validators=[InputRequired("Select who ended it")],
    )
    reason = words_field("Why did it end?", missing="Enter why it ended")
    submit = SubmitField("Record the disruption", widget=GovSubmitInput())


class DisruptionReviewForm(VersionedForm):
    """The review of a disruption."""

    what = RadioField(
        "What do you record?",
        widget=GovRadioInput(),
        choices=[SelectChoice("planned", "The day for which it is planned"), SelectChoice("held", "That it was held")],
        validators=[InputRequired("Select what you record")],
    )
    day = _day("Day")
    why = words_field("If it was held outside its days: why?", missing="", optional=True)
    submit = SubmitField("Save", widget=GovSubmitInput())


class NoteForm(FlaskForm):  # type: ignore[misc]
    """A note of the children's agency's own."""

    words = words_field("Add a note", missing="Enter the note")
    submit = SubmitField("Add the note", widget=GovSubmitInput())
