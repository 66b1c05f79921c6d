"""Signatures: a person signs one version of a paper by name, for their agency, and what they signed is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.papers.facts import Facts, facts_of
from matching.papers.paper import Paper, PaperKind, list_versions
from matching.papers.turn import take_turn
from matching.sealed_words import own_agency, own_person
from tenants import audit
from tenants.approval import require_one_side
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden
from tenants.permission import Verb, require
from tenants.person import get_person
from tenants.role import Role


class Capacity(StrEnum):
    """As what a person signs."""

    INFORMATION_GOVERNANCE = Role.INFORMATION_GOVERNANCE.value
    MANAGER = Role.MANAGER.value

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return Role(self.value).label


class PaperSignature(Base):
    """One person’s signature under one version."""

    __tablename__ = "paper_signature"

    id: Mapped[Id]
    paper_id: Mapped[UUID]
    kind: Mapped[PaperKind] = mapped_column(Word(PaperKind))
    digest: Mapped[bytes]
    """Of what was signed."""
    agency_id: Mapped[UUID]
    capacity: Mapped[Capacity] = mapped_column(Word(Capacity))
    signed_by: Mapped[UUID]
    name: Mapped[str]
    signed_at: Mapped[datetime]


class PaperIncomplete(Conflict):
    """Something of the paper is still to be completed."""


class PaperReplaced(Conflict):
    """A newer version has been drawn up."""


class AlreadySigned(Conflict):
    """The person, or their agency, has signed this version."""


class NotYoursToSign(Forbidden):
    """Nobody signs that paper, or the agency is no party to it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a signature: of which agency, in which capacity, and what stands there."""

    agency: str
    capacity: str
    signature: PaperSignature | None


def list_signatures(session: Session, paper: Paper) -> list[PaperSignature]:
    """Return who signed a version, in their order."""
    query = select(PaperSignature).where(PaperSignature.paper_id == paper.id)
    return list(session.scalars(query.order_by(PaperSignature.signed_at, PaperSignature.id)))


def places_of(facts: Facts, paper: Paper, signatures: Sequence[PaperSignature]) -> list[Place]:
    """Return the places for signatures under a version: each member’s, or the two of an assessment.

    Of a member that has left since it signed, the signature stays.
    """
    if paper.kind is PaperKind.ASSESSMENT:
        held: Mapping[Capacity, PaperSignature] = {each.capacity: each for each in signatures}
        return [Place(facts.own.agency.name, role.label, held.get(role)) for role in Capacity]
    if paper.kind is not PaperKind.AGREEMENT:
        return []
    by_agency = {each.agency_id: each for each in signatures}
    either = " or ".join(role.label.lower() for role in Capacity).capitalize()
    present = {party.agency.id for party in facts.members}
    places = [
        Place(party.agency.name, mine.capacity.label if mine else either, mine)
        for party in facts.members
        for mine in [by_agency.get(party.agency.id)]
    ]
    left = [each for each in signatures if each.agency_id not in present]
    return [*places, *(Place("A former member", each.capacity.label, each) for each in left)]


def sign(session: Session, paper: Paper, *, now: datetime) -> PaperSignature:
    """Sign a version in one’s own name for one’s own agency.

    An assessment wants two people, an information-governance lead and a manager; an agreement one of each member.

    :raises NotAllowed: when the scope’s roles do not let it.
    :raises NotYoursToSign: when nobody signs such a paper, or the agency is no party.
    :raises PaperIncomplete: when something is to be completed.
    :raises PaperReplaced: when there is a newer version.
    :raises AlreadySigned: when the person, or all that the agency has to, have signed.
    :raises BothSides: when the person holds roles in another member of the agreement.
    """
    scope = scope_of(session)
    require(scope, Verb.SIGN_PAPERS)
    take_turn(session)
    facts = facts_of(session, on=now.date())
    _check(session, paper, facts)
    if paper.kind is PaperKind.AGREEMENT:
        require_one_side(session, agencies=[party.agency.id for party in facts.members], on=now.date())
    signature = PaperSignature(
        id=uuid4(),
        paper_id=paper.id,
        kind=paper.kind,
        digest=paper.digest,
        agency_id=own_agency(session),
        capacity=_capacity(session, paper),
        signed_by=own_person(session),
        name=get_person(session, own_person(session)).name,
        signed_at=now,
    )
    session.add(signature)
    session.flush()
    audit.record(session, audit.Act.SIGN, record_kind="paper", record_id=paper.id, reason=paper.kind.value, now=now)
    return signature


def _check(session: Session, paper: Paper, facts: Facts) -> None:
    party = own_agency(session) in {party.agency.id for party in facts.members}
    if not paper.kind.signed or (paper.kind is PaperKind.AGREEMENT and not party):
        raise NotYoursToSign("Your agency does not sign this paper.")
    if paper.content["missing"]:
        raise PaperIncomplete("Something is to be completed. Say what is missing, draw it up again, then sign.")
    if list_versions(session, paper.kind)[0].id != paper.id:
        raise PaperReplaced("A newer version has been drawn up. Sign that one.")


def _capacity(session: Session, paper: Paper) -> Capacity:
    """Return as what the person signs: what they hold and nobody has signed as."""
    ours = [each for each in list_signatures(session, paper) if each.agency_id == own_agency(session)]
    if any(each.signed_by == own_person(session) for each in ours):
        raise AlreadySigned("You have signed this version. A second person signs the other place.")
    taken = {each.capacity for each in ours}
    free = [each for each in Capacity if Role(each.value) in scope_of(session).roles and each not in taken]
    if not free or (ours and paper.kind is PaperKind.AGREEMENT):
        raise AlreadySigned("Your agency’s place under this version is signed already.")
    return free[0]
