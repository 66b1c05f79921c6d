"""A line for each member, for the consortium's office: how many of what it shares wait, and how long.

The office sees each shared record by itself; a table that is taken away is held to more. A count under five is not
told, any other is told to the nearest five, so that neither a total nor last month's table tells a single record. Links
are not in it: what is between two agencies is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from matching.household import Household
from matching.monitoring.consortium import NEAREST
from matching.monitoring.figure import FEW, Cell, Figure
from matching.monitoring.spread import spread_of
from matching.sibling_group import SiblingGroup
from matching.small_number import is_small
from matching.summary import days_waiting

_OUTSIDE = "Another agency"


def member_lines(
    groups: Iterable[SiblingGroup], households: Iterable[Household], names: Mapping[UUID, str], *, on: date
) -> Figure:
    """Return how many groups and households of each agency wait on a day, and the median of their days."""
    waiting: dict[str, tuple[list[int | None], list[int | None]]] = {}
    for group in groups:
        days = days_waiting(group.waiting_since, on)
        waiting.setdefault(names.get(group.agency_id, _OUTSIDE), ([], []))[0].append(days)
    for household in households:
        days = days_waiting(household.approved_on, on)
        waiting.setdefault(names.get(household.agency_id, _OUTSIDE), ([], []))[1].append(days)
    return Figure(
        name="members",
        title="What waits at each agency",
        note=f"Of what members share, today. Counts are to the nearest {NEAREST}; what comes from fewer than five is "
        "not told, and nothing is of links, which are their two agencies’ own.",
        headings=("Agency", "Groups", "Median days of groups", "Households", "Median days of households"),
        rows=tuple((name, *_told(found[0]), *_told(found[1])) for name, found in sorted(waiting.items())),
        drawn=(1, 3),
        unit="records",
    )


def _told(days: list[int | None]) -> tuple[Cell, Cell]:
    """Return how many there are, and the median of the days that are known; of few neither."""
    if is_small(len(days)):
        return FEW, FEW
    known = spread_of(each for each in days if each is not None)
    median = FEW if known.median is None or is_small(known.count) else known.median
    return NEAREST * round(len(days) / NEAREST), median if days else "none"
