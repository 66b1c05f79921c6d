"""What forms share beyond their library: tidied text, a date in three boxes, where an error's link leads."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from govuk_frontend_wtf.main import wtforms_errors
from govuk_frontend_wtf.wtforms_widgets import GovDateInput
from wtforms import DateField

from tenants.error import DomainError

_BOXES = 3


def one_line(text: str | None) -> str | None:
    """Return what was typed without odd characters, which no database keeps, and without blank ends."""
    return None if text is None else "".join(each for each in text if each.isprintable()).strip()


def lines(text: str | None) -> str | None:
    """Return what was typed in a large box, each line tidied."""
    return None if text is None else "\n".join(one_line(line) or "" for line in text.splitlines()).strip()


class DayField(DateField):  # type: ignore[misc]
    """A date typed as day, month and year; whatever was sent, three boxes are shown again."""

    widget = GovDateInput()

    def __init__(self, label: str, *, missing: str, impossible: str, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(label, format="%d %m %Y", **kwargs)
        self._missing = missing
        self._impossible = impossible

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the three boxes."""
        self.raw_data = boxes = [text.strip() for text in [*valuelist, "", "", ""][:_BOXES]]
        if not all(boxes):
            raise ValueError(self._missing)
        try:
            super().process_formdata(boxes)
        except ValueError:
            raise ValueError(self._impossible) from None


def error_summary(form: FlaskForm) -> dict[str, Any]:
    """Return a form's errors for the GOV.UK component, each with a link to the box to be mended."""
    found: dict[str, Any] = wtforms_errors(form, {})
    first_box = {f"#{field.id}": f"#{_first_box(field)}" for field in form}
    for error in found["errorList"]:
        error["href"] = first_box.get(error["href"], error["href"])
    return found


def place_refusal(form: FlaskForm, refusal: DomainError, *, otherwise: str) -> None:
    """Put what the domain refused beside the field that it is about, or beside another where it is about none."""
    field = form[refusal.about if refusal.about in form else otherwise]
    field.errors = [*field.errors, str(refusal)]


def _first_box(field: Any) -> str:  # noqa: ANN401 - a field of a library without types
    return f"{field.name}-day" if isinstance(field, DayField) else str(field.id)
