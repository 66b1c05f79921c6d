"""What became of one row of a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from matching.intake.row import RowProblem


class Outcome(StrEnum):
    """The four things that can become of a row; there is no fifth."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """One row's fate: the record it is about, the headings that changed it, or the problems that refused it.

    The record of a child's row is its sibling group, the unit that pages show.
    """

    row: int
    outcome: Outcome
    record_id: UUID | None = None
    changed: tuple[str, ...] = ()
    problems: tuple[RowProblem, ...] = ()
