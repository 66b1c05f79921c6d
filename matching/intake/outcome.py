"""What became of one row of a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from matching.intake.row import RowProblem


class Outcome(StrEnum):
    """What can become of a row; nothing else can.

    ``NOT_FOR_ADOPTION`` is a return's alone: it holds every child looked after.
    """

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    NOT_FOR_ADOPTION = "not_for_adoption"


@dataclass(frozen=True, slots=True)
class Change:
    """What one column changes, before and after as a sheet would say them; a blank is the empty text."""

    heading: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """One row's fate: the record it is about, what it changes, or the problems that refused it.

    The record of a child's row is its sibling group, the unit that pages show. ``sheet`` and ``row`` name the row.
    """

    row: int
    outcome: Outcome
    record_id: UUID | None = None
    changed: tuple[Change, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    sheet: str = ""
    reference: str | None = None
    """The agency's own reference of the household or child; ``None`` where the row could not be read so far."""
    remarks: tuple[RowProblem, ...] = ()
    """What is to be told of a row though it was taken: a cell left unknown, a doubt somebody should look at."""
