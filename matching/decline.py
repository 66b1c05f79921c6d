"""Quiet declines: a worker says once why a family is not right for a group, and like suggestions are explained.

The reason is the worker's own agency's. What the other agency can use is said apart, kindly, and only where the worker
wants it said. A decline moves no points: the same ranking stands, with the pair set apart and explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.household import Household
from matching.link import written
from matching.sibling_group import SiblingGroup
from tenants import audit
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, NotFound
from tenants.permission import Verb, require


class Decline(Base):
    """Why a worker of one side thinks that a pair is not right: read by that side alone."""

    __tablename__ = "decline"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    sibling_group_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    reason: Mapped[str]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    at: Mapped[datetime]
    taken_back_at: Mapped[datetime | None]
    taken_back_by: Mapped[UUID | None]


class DeclineFeedback(Base):
    """What the other agency can use of a decline: read by both."""

    __tablename__ = "decline_feedback"

    decline_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    sibling_group_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    feedback: Mapped[str]
    at: Mapped[datetime]


class DeclineUnknown(NotFound):
    """No such decline is the scope's agency's."""


class DeclinedAlready(Conflict):
    """The agency has declined the pair already."""


class NotOurs(Forbidden):
    """Neither of the two is the scope's agency's."""


def decline(
    session: Session,
    *,
    group: SiblingGroup,
    household: Household,
    reason: str,
    now: datetime,
    feedback: str | None = None,
) -> Decline:
    """Say why a family is not right for a group, one of the two being the scope's own agency's.

    :param feedback: what the other agency is told, if anything.
    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises NotOurs: when neither is its own agency's.
    :raises DeclinedAlready: when its agency said so before.
    :raises LinkInvalid: when no reason is given.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_LINKS)
    words = written(reason, "why the family is not right for these children")
    if scope.agency_id not in (group.agency_id, household.agency_id):
        raise NotOurs("Decline for your own agency’s children or families.")
    actor = acting_person(session)
    pair = {
        "agency_id": scope.agency_id,
        "sibling_group_id": group.id,
        "group_agency_id": group.agency_id,
        "household_id": household.id,
        "household_agency_id": household.agency_id,
        "at": now,
    }
    row = Decline(**pair, reason=words, person_id=actor.person_id, person_name=actor.name)
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        raise DeclinedAlready(
            f"Your agency has declined {group.code} and {household.code} already. Take that back to say it anew."
        ) from None
    if feedback and feedback.strip() and group.agency_id != household.agency_id:
        session.add(DeclineFeedback(**pair, decline_id=row.id, feedback=written(feedback, "what they can use")))
        session.flush()
    _record(session, row, audit.Act.DECLINE, now=now)
    return row


def take_back(session: Session, found: Decline, *, now: datetime) -> Decline:
    """Let the pair be suggested again like any other.

    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises DeclineUnknown: when it was taken back already.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    query = select(Decline).where(Decline.id == found.id, Decline.taken_back_at.is_(None)).with_for_update()
    if session.scalar(query.execution_options(populate_existing=True)) is None:
        raise DeclineUnknown("It has been taken back already.")
    found.taken_back_at, found.taken_back_by = now, acting_person(session).person_id
    session.flush()
    _record(session, found, audit.Act.REVOKE, now=now)
    return found


def get_decline(session: Session, decline_id: UUID) -> Decline:
    """Return a decline of the scope's agency.

    :raises DeclineUnknown: when there is none.
    """
    found = session.get(Decline, decline_id)
    if found is None:
        raise DeclineUnknown("There is no such decline of your agency.")
    return found


def declines_of_group(session: Session, group_id: UUID) -> dict[UUID, Decline]:
    """Return what the scope's agency declined for a group and has not taken back, by household."""
    query = select(Decline).where(Decline.sibling_group_id == group_id, Decline.taken_back_at.is_(None))
    return {row.household_id: row for row in session.scalars(query.order_by(Decline.at, Decline.id))}


def declines_of_household(session: Session, household_id: UUID) -> dict[UUID, Decline]:
    """Return what the scope's agency declined for a household and has not taken back, by group."""
    query = select(Decline).where(Decline.household_id == household_id, Decline.taken_back_at.is_(None))
    return {row.sibling_group_id: row for row in session.scalars(query.order_by(Decline.at, Decline.id))}


@dataclass(frozen=True, slots=True)
class DeclinedPair:
    """A declined pair as a page shows it; a code is missing where its record is no longer shared."""

    decline: Decline
    group: str | None
    household: str | None


def list_declined(
    session: Session, *, group_id: UUID | None = None, household_id: UUID | None = None
) -> tuple[DeclinedPair, ...]:
    """Return what the scope's agency declined for a group, or for a household, and has not taken back."""
    found = declines_of_group(session, group_id) if group_id else {}
    if household_id:
        found = declines_of_household(session, household_id)
    groups = select(SiblingGroup.id, SiblingGroup.code).where(
        SiblingGroup.id.in_([each.sibling_group_id for each in found.values()])
    )
    households = select(Household.id, Household.code).where(
        Household.id.in_([each.household_id for each in found.values()])
    )
    group_codes, household_codes = dict(session.execute(groups).all()), dict(session.execute(households).all())
    return tuple(
        DeclinedPair(each, group_codes.get(each.sibling_group_id), household_codes.get(each.household_id))
        for each in found.values()
    )


def list_feedback_for(session: Session, record_ids: Sequence[UUID]) -> list[DeclineFeedback]:
    """Return what other agencies let the scope's know of declining its groups or households, the newest first."""
    query = select(DeclineFeedback).where(
        DeclineFeedback.agency_id != scope_of(session).agency_id,
        DeclineFeedback.sibling_group_id.in_(record_ids) | DeclineFeedback.household_id.in_(record_ids),
    )
    return list(session.scalars(query.order_by(DeclineFeedback.at.desc(), DeclineFeedback.decline_id)))


def _record(session: Session, row: Decline, act: audit.Act, *, now: datetime) -> None:
    # On the own side's record only: what the other may know of it is the feedback.
    own_group = row.agency_id == row.group_agency_id
    audit.record(
        session,
        act,
        record_kind="sibling_group" if own_group else "household",
        record_id=row.sibling_group_id if own_group else row.household_id,
        owner_agency_id=row.agency_id,
        reason=f"decline {row.id}",
        now=now,
    )
