"""Lists a page at a time: whose records, which page, and the links between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput, GovTextInput
from sqlalchemy.orm import Session
from wtforms import StringField, SubmitField
from wtforms.validators import DataRequired, Length

from concord.web.form import one_line
from matching.register import Counts, Page
from matching.words import LONGEST, Sought, WordsInvalid, record_search, spell
from tenants.error import NotFound

_MOST_CODE = 60
_WHOSE = {"ours": True, "all": False}
_OF_A_SEARCH = frozenset({"q", "alike", "page"})


class FindForm(FlaskForm):  # type: ignore[misc]
    """A record's code, or the agency's own reference, or a part of either, typed to find it at once.

    It is sent as a form and not in the address, which browsers keep: a reference is the agency's own.
    """

    code = StringField(
        "Find by code or your own reference",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[
            DataRequired("Enter a code or your own reference"),
            Length(max=_MOST_CODE, message=f"A code or reference has at most {_MOST_CODE} characters"),
        ],
    )
    submit = SubmitField("Find", widget=GovSubmitInput())


class SearchForm(FindForm):
    """The same, or words of a profile; only words that some profile holds go on to the address of the list."""

    code = StringField(
        "Search by code, your own reference or words",
        widget=GovTextInput(),
        filters=[one_line],
        validators=[
            DataRequired("Enter a code, your own reference, or words of a profile"),
            Length(max=LONGEST, message=f"Search for at most {LONGEST} characters"),
        ],
    )
    submit = SubmitField("Search", widget=GovSubmitInput())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a list a person asked to see."""

    own: bool
    number: int
    sort: str

    @property
    def whose(self) -> str:
        """Return whose records are shown, as the address says it."""
        return "ours" if self.own else "all"


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is searched for; ``respelt``, where only words spelt alike are found."""

    sought: Sought | None = None
    respelt: bool = False


@dataclass(frozen=True, slots=True)
class Fits:
    """How much of a list of fits a person asked to see: its first ``top`` or, with none, all; with points or not."""

    top: int | None
    points: bool


def read_fits(top: int) -> Fits:
    """Return what of a list of fits the address asks for; its first ``top`` where it does not ask for all."""
    return Fits(top=None if "all" in request.args else top, points="points" in request.args)


def read_search(session: Session, form: SearchForm, *, groups: bool) -> Search:
    """Return what the address searches the list for, as the box shows it; where it cannot be, the box says why."""
    words = one_line(request.args.get("q"))
    if not words:
        return Search()
    form.code.process_data(words)
    asked = Sought(words, alike="alike" in request.args)
    try:
        found = spell(session, asked, groups=groups)
    except WordsInvalid as invalid:
        form.code.errors = [str(invalid)]
        return Search()
    return Search(found or asked, respelt=found is not None and found.alike and not asked.alike)


def search_for(session: Session, form: SearchForm, *, unknown: NotFound, groups: bool, now: datetime) -> str | None:
    """Return the address of the list that shows the words typed, or ``None``: the box then says what was not found.

    ``unknown`` is what was said of them as a code and as a reference.
    """
    words = form.code.data
    try:
        found = spell(session, Sought(words), groups=groups)
    except WordsInvalid:
        form.code.errors = [str(unknown)]
        return None
    if found is None:
        record_search(session, record_kind="sibling_group" if groups else "household", shown=(), now=now)
        form.code.errors = [
            f"{unknown} No profile that you may see holds these words: check how they are spelt, or try fewer."
        ]
        return None
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in _OF_A_SEARCH]
    return f"{request.path}?{urlencode([*kept, ('q', words)])}"


def read_wanted(counts: Counts, *, sorts: Iterable[str], keeps_own: bool = True) -> Wanted:
    """Return whose records, which page and which order the address asks for; one's own come first where there are any.

    A consortium office has no records of its own, so it is shown everyone's whatever the address asks for.
    """
    own = keeps_own and _WHOSE.get(request.args.get("whose", ""), counts.own > 0)
    sort = request.args.get("sort", "")
    known = tuple(sorts)
    return Wanted(own=own, number=request.args.get("page", 1, type=int), sort=sort if sort in known else known[0])


def without_blanks() -> str | None:
    """Return the address without the questions that a form sends unanswered; ``None`` where there is none of them."""
    sent = list(request.args.items(multi=True))
    given = [(name, value) for name, value in sent if value]
    return None if len(given) == len(sent) else f"{request.path}?{urlencode(given)}"


def pagination(page: Page[Any], link: Callable[[int], str]) -> dict[str, Any] | None:
    """Return the links between a list's pages for the GOV.UK component; nothing where there is one page."""
    if page.pages == 1:
        return None
    found: dict[str, Any] = {"items": list(_items(page, link)), "classes": "concord-pagination"}
    if page.number > 1:
        found["previous"] = {"href": link(page.number - 1)}
    if page.number < page.pages:
        found["next"] = {"href": link(page.number + 1)}
    return found


def _items(page: Page[Any], link: Callable[[int], str]) -> Iterator[dict[str, Any]]:
    shown = sorted({1, page.number - 1, page.number, page.number + 1, page.pages} & set(range(1, page.pages + 1)))
    before = 0
    for number in shown:
        if number > before + 1:
            yield {"ellipsis": True}
        yield {"number": number, "href": link(number), "current": number == page.number}
        before = number
