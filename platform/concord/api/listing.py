"""A stretch of a list as an answer: its items and the cursor of what comes after."""

from __future__ import annotations

from typing import Any

from concord.api.cursor import read_cursor, write_cursor
from concord.api.operation import Call
from matching.stretch import Stretch
from matching.words import Sought, check_words, record_search


def place_of(call: Call) -> tuple[list[Any] | None, int]:
    """Return from which place on, and how many, a program asks for.

    :raises CursorInvalid: when its cursor was not given out for this list.
    """
    return read_cursor(call.query.get("cursor")), call.query["limit"]


def sought_by(call: Call) -> Sought | None:
    """Return what a program searches a list for.

    :raises WordsInvalid: when there is nothing in it to look for.
    """
    words = call.query.get("q")
    if words is None:
        return None
    check_words(call.session, words)
    return Sought(words, alike=call.query["alike"])


def record_searched(call: Call, found: Stretch[Any], *, record_kind: str) -> None:
    """Put on record that a list was searched for words, where it was."""
    if call.query.get("q") is not None:
        record_search(call.session, record_kind=record_kind, shown=found.shown, now=call.now)


def as_page(stretch: Stretch[Any]) -> dict[str, Any]:
    """Return what the shape of a page dumps."""
    return {"items": stretch.shown, "next": write_cursor(stretch.end)}
