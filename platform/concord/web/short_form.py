"""A page that is one short form: a title, what it means, its fields and a button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovCheckboxesInput, GovDateInput, GovRadioInput, GovTextArea
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length
from wtforms.widgets import HiddenInput

from concord.web.form import error_summary, lines
from matching.sealed_words import MOST_LETTERS

_GROUPED = (GovCheckboxesInput, GovDateInput, GovRadioInput)


def words_field(question: str, *, missing: str, optional: bool = False) -> TextAreaField:
    """Return a box for what somebody says in their own words."""
    length = Length(max=MOST_LETTERS, message=f"Write at most {MOST_LETTERS:,} characters")
    wanted = [] if optional else [DataRequired(missing)]
    return TextAreaField(question, widget=GovTextArea(), filters=[lines], validators=[*wanted, length])


def short_form(
    form: FlaskForm,
    *,
    title: str,
    back: tuple[str, str],
    lead: str = "",
    hints: Mapping[str, str] | None = None,
    warning: str = "",
    text: str = "",
) -> tuple[str, int]:
    """Return the page of a form, with status 422 when it holds errors.

    :param back: an address and its words.
    :param text: what the form is about, shown above it line by line.
    """
    page = render_template(
        "short-form.html",
        form=form,
        title=title,
        backTo=back[0],
        backText=back[1],
        lead=lead,
        warning=warning,
        text=text,
        fields=[(field, _params(field, (hints or {}).get(field.name))) for field in _shown(form)],
        errors=error_summary(form),
    )
    return page, 422 if form.errors else 200


def _shown(form: FlaskForm) -> list[Any]:
    # What is hidden stands in the form already.
    return [field for field in form if field.name != "submit" and not isinstance(field.widget, HiddenInput)]


def _params(field: Any, hint: str | None) -> dict[str, Any]:  # noqa: ANN401 - a field of a library without types
    label = {"text": field.label.text, "classes": "govuk-label--s"}
    params: dict[str, Any] = {"label": label}
    if isinstance(field.widget, _GROUPED):
        params = {"fieldset": {"legend": {**label, "classes": "govuk-fieldset__legend--s"}}}
    if hint:
        params["hint"] = {"text": hint}
    return params
