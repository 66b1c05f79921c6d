"""A stretch of a list as an answer: its items and the cursor of what comes after."""

from __future__ import annotations

from typing import Any

from concord.api.cursor import read_cursor, write_cursor
from concord.api.operation import Call
from matching.stretch import Stretch


def place_of(call: Call) -> tuple[list[Any] | None, int]:
    """Return from which place on, and how many, a program asks for.

    :raises CursorInvalid: when its cursor was not given out for this list.
    """
    return read_cursor(call.query.get("cursor")), call.query["limit"]


def as_page(stretch: Stretch[Any]) -> dict[str, Any]:
    """Return what the shape of a page dumps."""
    return {"items": stretch.shown, "next": write_cursor(stretch.end)}
