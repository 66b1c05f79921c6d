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
class RowOutcome:
    """One row's fate: the record it is about, the headings that changed it, or the problems that refused it.

    The record of a child's row is its sibling group, the unit that pages show. ``sheet`` and ``row`` name the row.
    """

    row: int
    outcome: Outcome
    record_id: UUID | None = None
    changed: tuple[str, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    sheet: str = ""
