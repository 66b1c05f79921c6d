"""When records move from one stage of sharing to the next by themselves: a consortium's days, and an agency's own.

An agency may share earlier than its consortium does, never later: to keep one record longer, a person holds it back
and says why.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.pool import NoPool, PoolEntry, Stage
from tenants import audit
from tenants.agency import AgencyKind, get_agency
from tenants.base import Base
from tenants.consortium import get_consortium
from tenants.database import scope_of
from tenants.error import Invalid
from tenants.permission import Verb, require

MOST_DAYS = 3650


class AgencyTiming(Base):
    """An agency's own days in one consortium; none where it goes by the consortium's."""

    __tablename__ = "agency_timing"

    consortium_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_in_house_days: Mapped[int | None]
    group_in_house_days: Mapped[int | None]
    household_national_days: Mapped[int | None]
    group_national_days: Mapped[int | None]
    set_at: Mapped[datetime]


class TimingInvalid(Invalid):
    """An agency's days are none that it may choose."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Days at each stage before the next; ``None``: not by itself."""

    household_in_house_days: int | None = None
    group_in_house_days: int | None = None
    household_national_days: int | None = None
    group_national_days: int | None = None


@dataclass(frozen=True, slots=True)
class NextMove:
    """The stage that a record moves to by itself, and on which day it is due; that day may lie behind."""

    stage: Stage
    on: date


def consortium_timing(session: Session) -> Timing:
    """Return the days of the scope's consortium for an agency of the scope's kind.

    :raises NoPool: when the scope names no agency or no consortium.
    """
    scope = scope_of(session)
    if scope.agency_id is None or scope.consortium_id is None:
        raise NoPool("Choose the agency and the consortium whose timing you mean.")
    consortium = get_consortium(session, scope.consortium_id)
    voluntary = get_agency(session, scope.agency_id).kind is AgencyKind.VOLUNTARY_AGENCY
    return Timing(
        household_in_house_days=consortium.voluntary_in_house_days if voluntary else consortium.council_in_house_days,
        group_in_house_days=consortium.group_in_house_days,
        household_national_days=consortium.household_national_days,
        group_national_days=consortium.group_national_days,
    )


def agency_timing(session: Session) -> Timing:
    """Return what the scope's agency has set for itself in the scope's consortium."""
    scope = scope_of(session)
    row = session.get(AgencyTiming, (scope.consortium_id, scope.agency_id))
    return Timing() if row is None else Timing(**{each.name: getattr(row, each.name) for each in fields(Timing)})


def timing_of(session: Session) -> Timing:
    """Return the days that the scope's agency's records go by in its consortium: the shorter of the two."""
    theirs, ours = consortium_timing(session), agency_timing(session)
    return Timing(
        **{each.name: _shorter(getattr(theirs, each.name), getattr(ours, each.name)) for each in fields(Timing)}
    )


def set_agency_timing(session: Session, timing: Timing, *, now: datetime) -> None:
    """Set the scope's agency's own days in its consortium; ``None`` goes by the consortium's.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises TimingInvalid: when a time is negative, or longer than the consortium's.
    """
    require(scope_of(session), Verb.SET_TIMING)
    theirs = consortium_timing(session)
    for each in fields(Timing):
        days, most = getattr(timing, each.name), getattr(theirs, each.name)
        if days is not None and not 0 <= days <= (MOST_DAYS if most is None else most):
            raise TimingInvalid(
                f"Choose 0 to {MOST_DAYS if most is None else most} days: an agency may share earlier than its "
                "consortium, not later. To keep one record back for longer, hold it back and say why."
            )
    scope = scope_of(session)
    values = {each.name: getattr(timing, each.name) for each in fields(Timing)}
    session.merge(AgencyTiming(consortium_id=scope.consortium_id, agency_id=scope.agency_id, set_at=now, **values))
    session.flush()
    audit.record(session, audit.Act.CHANGE, record_kind="agency_timing", record_id=scope.agency_id, now=now)


def starting_stage(timing: Timing, *, approved_on: date | None, today: date) -> Stage:
    """Return where a new household stands whose sheet does not say.

    The days in-house count from the approval; when it is not known, from today.
    """
    days = timing.household_in_house_days
    return Stage.IN_HOUSE if days is None or (approved_on or today) + timedelta(days=days) > today else Stage.CONSORTIUM


def next_move(entry: PoolEntry, timing: Timing, *, approved_on: date | None) -> NextMove | None:
    """Return where a record moves by itself next, and when; ``None`` where a person must move it.

    A household's days in-house count from its approval, like ``starting_stage``. One that was put in-house when they
    were over already is there by somebody's word, and stays.
    """
    if entry.held or entry.kept or entry.stage is Stage.NATIONAL:
        return None
    household = entry.household_id is not None
    if entry.stage is Stage.CONSORTIUM:
        days = timing.household_national_days if household else timing.group_national_days
        return None if days is None else NextMove(Stage.NATIONAL, entry.entered_on + timedelta(days=days))
    days = timing.household_in_house_days if household else timing.group_in_house_days
    if days is None:
        return None
    due = ((approved_on if household else None) or entry.entered_on) + timedelta(days=days)
    return None if household and due <= entry.entered_on else NextMove(Stage.CONSORTIUM, due)


def _shorter(theirs: int | None, ours: int | None) -> int | None:
    days = [each for each in (theirs, ours) if each is not None]
    return min(days) if days else None
