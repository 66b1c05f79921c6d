"""How a list is narrowed: by what is recorded, with what nobody has said kept apart and taken in only on asking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, Exists, and_, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from matching.pool import PoolEntry, Stage, shared_nationally
from tenants.agency import Agency
from tenants.scope import Scope

MONTHS = 12

Attribute = InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a filter asks of a row: where it holds, and where nobody has said. Elsewhere it does not hold."""

    holds: ColumnElement[bool]
    unsaid: ColumnElement[bool] | None = None

    def kept(self, *, with_unsaid: bool) -> ColumnElement[bool]:
        """Return what a row must be to stay in the list; unknown is never yes, so it is taken in only on asking."""
        return or_(self.holds, self.unsaid) if with_unsaid and self.unsaid is not None else self.holds


def every(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that all of these hold; it is unsaid where none fails and not all are said."""
    found = tuple(conditions)
    return Condition(
        holds=and_(*(each.holds for each in found)),
        unsaid=and_(*(each.kept(with_unsaid=True) for each in found)),
    )


def since(column: Attribute, *, months: int, as_of: date, before: bool) -> Condition:
    """Return that a day lies at least so many months back (``before``) or at most; unsaid where none is recorded."""
    day = as_of - relativedelta(months=months)
    return Condition(holds=column <= day if before else column >= day, unsaid=column.is_(None))


def of_agencies(
    agency_id: Attribute, *, slugs: Iterable[str], regions: Iterable[str]
) -> tuple[Condition | None, Condition | None]:
    """Return that a record is of one of these agencies, and that its agency is of one of these regions.

    An agency whose region is not recorded is of none of them.
    """
    named, placed = sorted(slugs), sorted(regions)
    return (
        Condition(_of_agency(agency_id, Agency.slug.in_(named))) if named else None,
        Condition(_of_agency(agency_id, Agency.region.in_(placed))) if placed else None,
    )


def new_to_pool(record_id: Attribute, entry: Attribute, *, scope: Scope, days: int, as_of: date) -> Condition:
    """Return that a record has been shared with the scope's consortium, or nationally, within so many days."""
    return Condition(
        record_id.in_(
            select(entry).where(
                entry.is_not(None),
                or_(PoolEntry.consortium_id == scope.consortium_id, shared_nationally()),
                PoolEntry.stage != Stage.IN_HOUSE,
                ~PoolEntry.held,
                PoolEntry.entered_on > as_of - timedelta(days=days),
            )
        )
    )


def where_exists(*conditions: ColumnElement[bool]) -> Exists:
    """Return that a row of another table is there."""
    return exists().where(*conditions)


def _of_agency(agency_id: Attribute, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return agency_id.in_(select(Agency.id).where(condition))
