"""Lists a page at a time: whose records, which page, and the links between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput, GovTextInput
from wtforms import StringField, SubmitField
from wtforms.validators import DataRequired, Length

from concord.web.form import one_line
from matching.register import Counts, Page

_WHOSE = {"ours": True, "all": False}
_MOST_CODE = 60


class FindForm(FlaskForm):  # type: ignore[misc]
    """A record's code, or the agency's own reference, typed to open it at once."""

    code = StringField(
        "Open by code or your own reference",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[
            DataRequired("Enter a code or your own reference"),
            Length(max=_MOST_CODE, message=f"A code or reference has at most {_MOST_CODE} characters"),
        ],
    )
    submit = SubmitField("Open", widget=GovSubmitInput())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a list a person asked to see."""

    own: bool
    number: int


@dataclass(frozen=True, slots=True)
class Fits:
    """How much of a list of fits a person asked to see: its first ``top`` or, with none, all; with points or not."""

    top: int | None
    points: bool


def read_fits(top: int) -> Fits:
    """Return what of a list of fits the address asks for; its first ``top`` where it does not ask for all."""
    return Fits(top=None if "all" in request.args else top, points="points" in request.args)


def read_wanted(counts: Counts, *, keeps_own: bool = True) -> Wanted:
    """Return whose records and which page the address asks for; one's own come first where there are any.

    A consortium office has no records of its own, so it is shown everyone's whatever the address asks for.
    """
    own = keeps_own and _WHOSE.get(request.args.get("whose", ""), counts.own > 0)
    return Wanted(own=own, number=request.args.get("page", 1, type=int))


def pagination(page: Page[Any], endpoint: str, *, own: bool) -> dict[str, Any] | None:
    """Return the links between a list's pages for the GOV.UK component; nothing where there is one page."""
    if page.pages == 1:
        return None
    whose = "ours" if own else "all"

    def link(number: int) -> str:
        return url_for(endpoint, whose=whose, page=number)

    found: dict[str, Any] = {"items": list(_items(page, link)), "classes": "concord-pagination"}
    if page.number > 1:
        found["previous"] = {"href": link(page.number - 1)}
    if page.number < page.pages:
        found["next"] = {"href": link(page.number + 1)}
    return found


def _items(page: Page[Any], link: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a function of a page's number
    shown = sorted({1, page.number - 1, page.number, page.number + 1, page.pages} & set(range(1, page.pages + 1)))
    before = 0
    for number in shown:
        if number > before + 1:
            yield {"ellipsis": True}
        yield {"number": number, "href": link(number), "current": number == page.number}
        before = number
