"""What the papers are filled from: the configuration as it stands, and what people have answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.papers.answer import own_answers, shared_answers
from matching.retention.record_class import RecordClass
from matching.retention.rule import Rule, schedule_of
from matching.sealed_words import own_agency
from matching.timing import Timing, timing_of
from tenants.agency import Agency, AgencyKind, get_agency
from tenants.consortium import Consortium, ConsortiumMember, get_consortium, list_members
from tenants.database import scope_of
from tenants.delegation import list_delegations
from tenants.identity_provider import IdentityProvider, ProviderState


@dataclass(frozen=True, slots=True)
class Party:
    """An agency in the papers: who it is, since when it is a member, and what it says of itself."""

    agency: Agency
    joined_on: date | None
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the papers of one agency in one consortium are filled from.

    ``consortium`` is ``None`` for an agency that acts in none; ``office`` where the consortium has none. ``members``
    are the present ones, by name, the office not among them.
    """

    own: Party
    consortium: Consortium | None
    office: Agency | None
    members: tuple[Party, ...]
    settled: Mapping[str, str]
    """What the office has answered for the consortium."""
    timing: Timing
    schedule: Mapping[RecordClass, Rule]
    delegations: tuple[tuple[str, str], ...]
    """The other agency of each delegation in force or to come, and what it lets whom do."""
    providers: tuple[IdentityProvider, ...]

    @property
    def is_office(self) -> bool:
        """Say whether the papers are the office’s own."""
        return self.own.agency.kind is AgencyKind.CONSORTIUM_OFFICE


def facts_of(session: Session, *, on: date) -> Facts:
    """Return what the scope’s own agency’s papers are filled from on a day."""
    own = get_agency(session, own_agency(session))
    here = scope_of(session).consortium_id
    answers = shared_answers(session)
    parties = _parties(session, here, answers, on=on) if here else ()
    office = next((party.agency for party in parties if party.agency.kind is AgencyKind.CONSORTIUM_OFFICE), None)
    joined = {party.agency.id: party.joined_on for party in parties}
    return Facts(
        own=Party(own, joined.get(own.id), own_answers(session)),
        consortium=get_consortium(session, here) if here else None,
        office=office,
        members=tuple(party for party in parties if party.agency.kind is not AgencyKind.CONSORTIUM_OFFICE),
        settled=answers.get((office.id, True), {}) if office else {},
        timing=timing_of(session) if here else Timing(),
        schedule=schedule_of(session),
        delegations=_delegations(session, own, on=on),
        providers=_providers(session),
    )


def _parties(
    session: Session, here: UUID, answers: Mapping[tuple[UUID, bool], dict[str, str]], *, on: date
) -> tuple[Party, ...]:
    query = select(ConsortiumMember.agency_id, ConsortiumMember.joined_on).where(ConsortiumMember.consortium_id == here)
    joined: dict[UUID, date] = dict(session.execute(query).all())
    members = list_members(session, here, on=on)
    return tuple(Party(agency, joined[agency.id], answers.get((agency.id, False), {})) for agency in members)


def _delegations(session: Session, own: Agency, *, on: date) -> tuple[tuple[str, str], ...]:
    found = []
    for each in list_delegations(session):
        if each.state(on=on) not in {"In force", "To begin"}:
            continue
        other = get_agency(session, each.acts_for_id if each.agency_id == own.id else each.agency_id)
        how = "This agency acts for it" if each.agency_id == own.id else "It acts for this agency"
        until = f" until {said(each.ends_on)}" if each.ends_on else ""
        roles = ", ".join(role.replace("_", " ") for role in each.roles)
        found.append((other.name, f"{how} from {said(each.starts_on)}{until}, as {roles}."))
    return tuple(found)


def _providers(session: Session) -> tuple[IdentityProvider, ...]:
    query = select(IdentityProvider).where(IdentityProvider.state == ProviderState.ON)
    return tuple(session.scalars(query.order_by(IdentityProvider.name, IdentityProvider.id)))


def said(on: date) -> str:
    """Return a day in words."""
    return f"{on.day} {on:%B} {on.year}"
