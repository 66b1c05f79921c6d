"""What swaps spared and families earned over a consortium's agencies, as its office may see it: nothing of a few.

The agreements behind it are each agency's own. A sum of fewer than five, or one that follows from others beside it, is
not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.report.saving import Kind
from matching.meeting import require_office
from matching.small_number import hidden_of, told
from tenants.database import scope_of
from tenants.permission import Verb, require

_FOUND = text("SELECT year, agency_id, kind, agreements, pence FROM office_savings()")


@dataclass(frozen=True, slots=True)
class Cell:
    """What one agency's agreements of a year come to, and how many there are; never told as it is."""

    year: int
    agency_id: UUID
    kind: Kind
    agreements: int
    pence: int


@dataclass(frozen=True, slots=True)
class AgencySavings:
    """What a year spared an agency, and what its families earned, in pence; ``None`` for what is not told."""

    agency_id: UUID
    spared: int | None
    earned: int | None


@dataclass(frozen=True, slots=True)
class YearOverAgencies:
    """A year from April on: each agency, in the order of their ids, and all together."""

    year: int
    agencies: tuple[AgencySavings, ...]
    spared: int | None
    earned: int | None


def list_office_savings(session: Session) -> list[YearOverAgencies]:
    """Return the evidence over the scope's consortium, the latest year first; agreements without a figure left out.

    :raises OfficeOnly: when the scope's agency is no consortium's office.
    """
    require(scope_of(session), Verb.READ_SAVINGS)
    require_office(session)
    return by_year([Cell(each.year, each.agency_id, Kind(each.kind), each.agreements, each.pence)
                    for each in session.execute(_FOUND)])  # fmt: skip


def by_year(cells: Sequence[Cell]) -> list[YearOverAgencies]:
    """Return what may be told of the cells, year by year."""
    return [_year([each for each in cells if each.year == year]) for year in sorted({c.year for c in cells})[::-1]]


def _year(cells: Sequence[Cell]) -> YearOverAgencies:
    spared, earned = (_told([each for each in cells if each.kind is kind]) for kind in (Kind.SPARED, Kind.EARNED))
    agencies = sorted({each.agency_id for each in cells})
    rows = tuple(AgencySavings(each, spared.get(str(each), 0), earned.get(str(each), 0)) for each in agencies)
    return YearOverAgencies(cells[0].year, rows, spared["all"], earned["all"])


def _told(cells: Sequence[Cell]) -> dict[str, int | None]:
    """Return what one kind comes to, by agency and for all of them."""
    counts = Counter({str(each.agency_id): each.agreements for each in cells})
    hidden = hidden_of(counts)
    sums = {str(each.agency_id): None if str(each.agency_id) in hidden else each.pence for each in cells}
    every = sum(each.pence for each in cells)
    return {**sums, "all": every if told(counts.total()) is not None else None}
