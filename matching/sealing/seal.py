"""Seal an adoption: one person of the children's agency asks, both agencies' records are gathered, a second confirms.

Confirming is one transaction: the link and all that hangs on it is gone, and what is left is the adoption records, a
count under another id, and certificates. Workers of each agency then give its own record new identifiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from matching.actor import acting_person
from matching.link import DayKind, Link, LinkState, NotYourStep, days_of
from matching.retention.hold import lock_destruction
from matching.sealing.gathering import gather
from matching.sealing.record import AdoptionRecord, NotToBeSealed, PartKind, Sealing, SealingUnknown
from matching.sibling_group import SiblingGroup
from tenants import audit
from tenants.approval import require_another
from tenants.database import scope_of
from tenants.permission import Verb, require

RECORD_KIND = "sealing"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sealing is: who asked and when, and whether each side's record has been gathered."""

    sealing: Sealing
    gathered: bool
    """The scope's own agency's; the other's is not its to see, and confirming waits for it."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """An order of the scope's own agency's children that is not sealed yet: whose, since when, and who asked for it."""

    link_id: UUID
    code: str
    ordered_on: date | None
    asked_by: UUID | None
    asked_name: str | None


def list_unsealed(session: Session) -> list[Unsealed]:
    """Return the orders of the scope's own agency's children that are not sealed yet, the earliest first."""
    query = (
        select(Link, SiblingGroup.code, Sealing)
        .join(SiblingGroup, SiblingGroup.id == Link.sibling_group_id)
        .outerjoin(Sealing, Sealing.link_id == Link.id)
        .where(Link.state == LinkState.ORDERED, Link.group_agency_id == scope_of(session).agency_id)
    )
    rows = session.execute(query).all()
    days = days_of(session, [link for link, _, _ in rows])
    found = [
        Unsealed(
            link_id=link.id,
            code=code,
            ordered_on=days[link.id].get(DayKind.ORDERED),
            asked_by=asked.asked_by if asked else None,
            asked_name=asked.asked_name if asked else None,
        )
        for link, code, asked in rows
    ]
    return sorted(found, key=lambda each: (each.ordered_on or date.max, each.code))


def ask_to_seal(session: Session, link: Link, *, now: datetime) -> Sealing:
    """Ask that the adoption of a link be sealed.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises NotYourStep: when the children are another agency's.
    :raises NotToBeSealed: when no order is recorded, or it was asked for already.
    """
    require(scope_of(session), Verb.SEAL_ADOPTIONS)
    _require_ordered(session, link)
    if find_sealing(session, link) is not None:
        raise NotToBeSealed("It was asked for already. A second person confirms it.")
    actor = acting_person(session)
    sealing = Sealing(
        link_id=link.id,
        group_agency_id=link.group_agency_id,
        household_agency_id=link.household_agency_id,
        asked_by=actor.person_id,
        asked_name=actor.name,
        asked_at=now,
    )
    session.add(sealing)
    session.flush()
    _note(session, audit.Act.REQUEST, link, now=now)
    return sealing


def withdraw_sealing(session: Session, link: Link, *, now: datetime) -> None:
    """Take back that an adoption be sealed.

    :raises SealingUnknown: when nobody asked for it.
    """
    require(scope_of(session), Verb.SEAL_ADOPTIONS)
    _require_ordered(session, link)
    gone = delete(Sealing).where(Sealing.link_id == link.id).returning(Sealing.link_id)
    if session.scalar(gone) is None:
        raise SealingUnknown("Nobody has asked that this be sealed.")
    # What both agencies gathered goes with it, by the database.
    _note(session, audit.Act.REVOKE, link, now=now)


def find_sealing(session: Session, link: Link) -> Progress | None:
    """Return how far the sealing of a link is, where it was asked for."""
    sealing = session.get(Sealing, link.id)
    if sealing is None:
        return None
    own = select(AdoptionRecord.id).where(AdoptionRecord.link_id == link.id, AdoptionRecord.kind == PartKind.RECORD)
    return Progress(sealing, session.scalar(own.limit(1)) is not None)


def seal_adoption(session: Session, link: Link, *, now: datetime) -> str:
    """Seal an adoption that another person asked to seal, and return the number of the agency's adoption record.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises SealingUnknown: when nobody asked for it.
    :raises SamePerson: when the scope's person asked.
    :raises NotToBeSealed: when somebody's request about a record is open, a hold stands, or the other agency's
        record has not been gathered yet.
    """
    require(scope_of(session), Verb.SEAL_ADOPTIONS)
    _require_ordered(session, link)
    lock_destruction(session)
    sealing = session.get(Sealing, link.id, populate_existing=True)
    if sealing is None:
        raise SealingUnknown("Nobody has asked that this be sealed.")
    require_another(session, first_person_id=sealing.asked_by, on=now.date())
    hindrances = list(session.scalars(_HINDRANCES, {"link": link.id}))
    if hindrances:
        raise NotToBeSealed(f"{hindrances[0]} Do that first, then seal.")
    tally = uuid4()
    number = gather(session, link, tally=tally, now=now)
    session.execute(_SEVER, {"link": link.id, "tally": tally})
    session.expire_all()
    # The id of what is gone says nothing any more; the certificates say the rest.
    audit.record(session, audit.Act.SEAL, record_kind=RECORD_KIND, record_id=None, now=now)
    return number


def _require_ordered(session: Session, link: Link) -> None:
    if scope_of(session).agency_id != link.group_agency_id:
        raise NotYourStep("The children’s agency seals the adoption.")
    if link.state is not LinkState.ORDERED:
        raise NotToBeSealed("No adoption order is recorded, so there is nothing to seal.")


def _note(session: Session, act: audit.Act, link: Link, *, now: datetime) -> None:
    audit.record(
        session,
        act,
        record_kind="link",
        record_id=link.id,
        owner_agency_id=link.household_agency_id,
        reason="sealing",
        now=now,
    )


_SEVER = text("SELECT sever_link(:link, :tally)")
_HINDRANCES = text("SELECT unnest(sealing_hindrances(:link))")
