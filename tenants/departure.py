"""Leaving: an agency goes out of a consortium, or out of the service, on a day that two people have agreed to.

The day alone does it: memberships end on it, and the pool's policies follow memberships. Records stay where they are,
for the agency to take out; nothing is destroyed by leaving.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session

from tenants import audit
from tenants.agency import AgencyKind, get_agency
from tenants.approval import require_another, require_one_side
from tenants.base import Base, Id
from tenants.consortium import Consortium, NotAMember, list_consortia_of
from tenants.database import scope_of
from tenants.delegation import list_delegations
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require
from tenants.scope import Scope

_FOLLOW = text("SELECT follow_departure(:departure)")


class Departure(Base):
    """A plan to leave one consortium, or with none named the service as a whole."""

    __tablename__ = "departure"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    consortium_id: Mapped[UUID | None]
    leaves_on: Mapped[date]
    """The first day on which the agency is no longer there."""
    reason: Mapped[str]
    proposed_by: Mapped[UUID | None]
    """Nobody, where the service's operator proposed it."""
    proposed_at: Mapped[datetime]
    agreed_by: Mapped[UUID | None]
    agreed_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]

    def state(self, *, on: date) -> str:
        """Return where the plan stands on a day, in words."""
        if self.withdrawn_at is not None:
            return "Withdrawn"
        if self.agreed_at is None:
            return "Lapsed" if self.leaves_on <= on else "Proposed"
        return "Left" if self.leaves_on <= on else "Agreed"


class DepartureUnknown(NotFound):
    """There is no such plan to leave."""


class DepartureInvalid(Invalid):
    """A plan to leave lacks its reason, or a day that is still to come."""


class DepartureOver(Conflict):
    """The plan is agreed, withdrawn or past already, or another one stands."""


def propose_departure(
    session: Session, *, leaves_on: date, reason: str, consortium_id: UUID | None = None, now: datetime
) -> Departure:
    """Propose that the scope's own agency leaves a consortium, or with none named the service.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises DepartureInvalid: when the day is not still to come, no reason is given, or it is a consortium's office.
    :raises NotAMember: when the agency is not in that consortium.
    :raises DepartureOver: when a plan for the same stands already.
    """
    scope, own = _deciding(session)
    if leaves_on <= now.date():
        raise DepartureInvalid("Choose a day from tomorrow on: it is the first day without the agency.")
    if get_agency(session, own).kind is AgencyKind.CONSORTIUM_OFFICE:
        raise DepartureInvalid("A consortium’s office cannot leave: without it nobody arranges the meetings.")
    if not reason.strip():
        raise DepartureInvalid("Say why the agency leaves.")
    if consortium_id is not None and consortium_id not in {each.id for each in _memberships(session, on=now.date())}:
        raise NotAMember("Your agency is not in that consortium.")
    _refuse_a_second(session, consortium_id, on=now.date())
    departure = Departure(
        agency_id=own,
        consortium_id=consortium_id,
        leaves_on=leaves_on,
        reason=reason.strip(),
        proposed_by=scope.person_id,
        proposed_at=now,
    )
    session.add(departure)
    session.flush()
    _record(session, audit.Act.REQUEST, departure, now=now)
    return departure


def agree_to_departure(session: Session, departure: Departure, *, now: datetime) -> None:
    """Agree as a second person: the memberships concerned, and on leaving the service the agency, get the day.

    What the service's operator proposed needs one person of the agency; the operator is the other side.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises SamePerson: when it is the person who proposed it.
    :raises DepartureOver: when it is agreed, withdrawn or past.
    :raises DepartureInvalid: when the agency would still act for another by delegation, and is to leave the service.
    """
    _deciding(session)
    if not _locked(session, departure) or departure.state(on=now.date()) != "Proposed":
        raise DepartureOver("This plan is agreed, withdrawn or past already.")
    if departure.proposed_by is None:
        person = require_one_side(session, agencies={departure.agency_id}, on=now.date())
    else:
        person = require_another(session, first_person_id=departure.proposed_by, on=now.date())
    if departure.consortium_id is None:
        _refuse_who_acts(session, departure, on=now.date())
    departure.agreed_by, departure.agreed_at = person, now
    session.flush()
    session.execute(_FOLLOW, {"departure": departure.id})
    _record(session, audit.Act.APPROVE, departure, now=now)


def withdraw_departure(session: Session, departure: Departure, *, now: datetime) -> None:
    """Take a plan back before its day: what it had set to end goes on.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises DepartureOver: when it is withdrawn already, or its day has come.
    """
    scope, _ = _deciding(session)
    if not _locked(session, departure) or departure.state(on=now.date()) not in {"Proposed", "Agreed"}:
        raise DepartureOver("This plan is withdrawn already, or its day has come.")
    departure.withdrawn_by, departure.withdrawn_at = scope.person_id, now
    session.flush()
    if departure.agreed_at is not None:
        session.execute(_FOLLOW, {"departure": departure.id})
    _record(session, audit.Act.REVOKE, departure, now=now)


def get_departure(session: Session, departure_id: UUID) -> Departure:
    """Return a plan of the scope's own agency.

    :raises DepartureUnknown: when there is none.
    """
    found = session.get(Departure, departure_id)
    if found is None:
        raise DepartureUnknown("Your agency has no such plan to leave.")
    return found


def list_departures(session: Session) -> list[Departure]:
    """Return the plans of the scope's own agency, newest first."""
    return list(session.scalars(select(Departure).order_by(Departure.proposed_at.desc(), Departure.id)))


def _deciding(session: Session) -> tuple[Scope, UUID]:
    scope = scope_of(session)
    require(scope, Verb.DECIDE_LIFE)
    if scope.agency_id is None:
        raise DepartureInvalid("Choose the agency that is to leave.")
    return scope, scope.agency_id


def _locked(session: Session, departure: Departure) -> bool:
    """Keep others from deciding meanwhile; a plan that is withdrawn cannot be had any more."""
    query = select(Departure).where(Departure.id == departure.id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True)) is not None


def _memberships(session: Session, *, on: date) -> list[Consortium]:
    _, own = _deciding(session)
    return list_consortia_of(session, get_agency(session, own), on=on)


def _refuse_a_second(session: Session, consortium_id: UUID | None, *, on: date) -> None:
    for each in list_departures(session):
        if each.consortium_id == consortium_id and each.state(on=on) in {"Proposed", "Agreed"}:
            raise DepartureOver(f"There is a plan to leave on {each.leaves_on:%d/%m/%Y} already. Withdraw that first.")


def _refuse_who_acts(session: Session, departure: Departure, *, on: date) -> None:
    for each in list_delegations(session):
        lasts = each.state(on=on) != "Ended" and (each.ends_on is None or each.ends_on > departure.leaves_on)
        if lasts and each.agency_id == departure.agency_id:
            raise DepartureInvalid(
                "Your agency acts for another by delegation, and its people would go on doing so. "
                "End that delegation first, or have it end by that day."
            )


def _record(session: Session, act: audit.Act, departure: Departure, *, now: datetime) -> None:
    audit.record(session, act, record_kind="departure", record_id=departure.id, now=now)
