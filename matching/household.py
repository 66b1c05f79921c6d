"""Adopter households: one or two adopters whom an agency has approved.

A household is kept in tables of rising need-to-know: the summary, which the pool sees once it is shared; the profile,
read on need; and the identity and place, which never leave the household's own agency.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.code import comparable, read_code
from matching.need import Answer, Tolerance, YesNo
from matching.pool import PoolEntry
from matching.ranking.facts import ContactKind, HouseholdFacts, LegalPosition, SexApproved
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.cipher import seal, unseal
from tenants.database import scope_of
from tenants.error import NotFound


class HouseholdStatus(StrEnum):
    """Whether a household is looking for a match now."""

    WAITING = "waiting"
    ON_HOLD = "on_hold"
    MATCHED = "matched"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"waiting": "Waiting", "on_hold": "On hold", "matched": "Matched", "withdrawn": "Withdrawn"}[self]


class Household(Base):
    """The summary: anonymous, and all that a ranking reads."""

    __tablename__ = "household"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    code: Mapped[str]
    status: Mapped[HouseholdStatus] = mapped_column(Word(HouseholdStatus))
    approved_on: Mapped[date | None]
    age_from_months: Mapped[int | None]
    age_to_months: Mapped[int | None]
    """The last month included: approved for 0 to 4 years is 0 to 59 months."""
    fewest_children: Mapped[int | None]
    most_children: Mapped[int | None]
    sex_approved: Mapped[SexApproved] = mapped_column(Word(SexApproved))
    early_permanence_approved: Mapped[YesNo] = mapped_column(Word(YesNo))
    order_not_granted: Mapped[Answer] = mapped_column(Word(Answer))
    order_contested: Mapped[Answer] = mapped_column(Word(Answer))
    appeal: Mapped[Answer] = mapped_column(Word(Answer))
    letterbox_contact: Mapped[Answer] = mapped_column(Word(Answer))
    direct_contact: Mapped[Answer] = mapped_column(Word(Answer))
    sibling_contact: Mapped[Answer] = mapped_column(Word(Answer))
    children_at_home: Mapped[int | None]
    youngest_at_home: Mapped[date | None]
    """The month of birth of the youngest child at home, as its first day."""
    pets: Mapped[YesNo] = mapped_column(Word(YesNo))
    smokers: Mapped[YesNo] = mapped_column(Word(YesNo))
    heritage: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    religions: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    languages: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    cultures: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    adopters: Mapped[int | None]
    """One or two."""
    experience: Mapped[YesNo] = mapped_column(Word(YesNo))
    """Whether they have brought up or looked after children."""
    training: Mapped[YesNo] = mapped_column(Word(YesNo))
    """Whether they have done training in therapeutic parenting."""
    parent_at_home: Mapped[YesNo] = mapped_column(Word(YesNo))
    """Whether a parent will be at home, on adoption leave or otherwise, through the first year."""
    support_nearby: Mapped[YesNo] = mapped_column(Word(YesNo))
    """Whether family or friends who will help live nearby."""
    available_from: Mapped[date | None]
    """The day from which a child could move in; a day that is past says that one could now."""
    considered_for: Mapped[int | None]
    """How many sibling groups the household is being considered for, as its agency says; never which."""
    availability_confirmed_on: Mapped[date | None]
    """When the household's worker last said so."""
    added_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class HouseholdTolerance(Base):
    """A household's answers to one need of the catalogue."""

    __tablename__ = "household_tolerance"

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    need: Mapped[str] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    low: Mapped[Answer] = mapped_column(Word(Answer))
    medium: Mapped[Answer] = mapped_column(Word(Answer))
    high: Mapped[Answer] = mapped_column(Word(Answer))


class HouseholdProfile(Base):
    """The anonymous profile, read on need."""

    __tablename__ = "household_profile"

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    text: Mapped[str]


class HouseholdIdentity(Base):
    """Who the household is: its own agency's alone. Names, address and telephone are sealed."""

    __tablename__ = "household_identity"

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    reference: Mapped[str]
    """The agency's own reference, by which its sheets name the household."""
    sealed: Mapped[bytes]


class HouseholdPlace(Base):
    """The outward code of the home: read by the database's own comparison, never by another agency."""

    __tablename__ = "household_place"

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    outward_code: Mapped[str]


@dataclass(frozen=True, slots=True)
class Identity:
    """What is sealed of a household."""

    adopters: tuple[str, ...]
    address: str | None = None
    postcode: str | None = None
    telephone: str | None = None
    email: str | None = None


class HouseholdUnknown(NotFound):
    """No such household is in this scope's view of the pool."""


def seal_identity(session: Session, identity: Identity, *, household_id: UUID, agency_id: UUID, now: datetime) -> bytes:
    """Return an identity sealed for its row."""
    plain = json.dumps(asdict(identity), ensure_ascii=False, sort_keys=True).encode()
    return seal(session, plain, agency_id=agency_id, row_id=household_id, now=now)


def open_identity(session: Session, row: HouseholdIdentity) -> Identity:
    """Return what a sealed identity holds."""
    fields = json.loads(unseal(session, row.sealed, row_id=row.household_id))
    return Identity(**{**fields, "adopters": tuple(fields["adopters"])})


def get_household(session: Session, household_id: UUID) -> Household:
    """Return the summary of a household that this scope may see.

    :raises HouseholdUnknown: when there is none.
    """
    household = session.get(Household, household_id)
    if household is None:
        raise HouseholdUnknown("There is no such household in your view of the pool.")
    return household


def get_household_by_reference(session: Session, reference: str) -> Household:
    """Return a household by its pool code, or by the scope's own agency's reference.

    :raises HouseholdUnknown: when neither names one that this scope may see.
    """
    wanted = comparable(reference)
    own = select(HouseholdIdentity.household_id).where(
        HouseholdIdentity.agency_id == scope_of(session).agency_id, HouseholdIdentity.reference == wanted
    )
    found = session.scalar(
        select(Household)
        .where(or_(Household.code == read_code(wanted), Household.id.in_(own)))
        # A code and another household's own reference may read the same: the reference is the agency's own word.
        .order_by(Household.id.in_(own).desc(), Household.id)
        .limit(1)
    )
    if found is None:
        raise HouseholdUnknown(
            f"There is no household “{reference}” in your view of the pool. Give its code, as in H-7K2M4P, "
            "or your own agency’s reference."
        )
    return found


def households(*, own_agency: UUID | None = None, status: HouseholdStatus | None = None) -> Select[Household]:
    """Return the query of the households in a scope's view, longest approved first."""
    query = select(Household).order_by(Household.approved_on.asc().nulls_last(), Household.code)
    if own_agency is not None:
        query = query.where(Household.agency_id == own_agency)
    if status is not None:
        query = query.where(Household.status == status)
    return query


def list_waiting_households(session: Session) -> list[Household]:
    """Return every household that waits in this scope's view, longest approved first."""
    return list(session.scalars(households(status=HouseholdStatus.WAITING)))


def count_households(session: Session, *, own_agency: UUID | None = None) -> int:
    """Return how many households this scope sees."""
    return session.scalar(select(func.count()).select_from(households(own_agency=own_agency).subquery())) or 0


def list_tolerances(session: Session, household_ids: Iterable[UUID]) -> dict[UUID, dict[str, Tolerance]]:
    """Return the stated tolerances of each household, by household and need."""
    # Columns, not entities: a pool has hundreds of thousands of these, and nobody changes one by itself.
    table = HouseholdTolerance
    query = select(table.household_id, table.need, table.low, table.medium, table.high)
    stated: dict[UUID, dict[str, Tolerance]] = defaultdict(dict)
    for household_id, need, low, medium, high in session.execute(
        query.where(table.household_id.in_(list(household_ids)))
    ):
        stated[household_id][need] = Tolerance(low=low, medium=medium, high=high)
    return stated


def read_profile(session: Session, household: Household, *, now: datetime) -> str | None:
    """Return the anonymous profile and put the look on record."""
    profile = session.scalar(select(HouseholdProfile.text).where(HouseholdProfile.household_id == household.id))
    audit.record(
        session,
        audit.Act.READ,
        record_kind="household",
        record_id=household.id,
        owner_agency_id=household.agency_id,
        level=audit.Level.PROFILE,
        now=now,
    )
    return profile


def read_identity(session: Session, household: Household, *, now: datetime) -> tuple[str, Identity]:
    """Return the agency's own reference and the identity, and put the look on record.

    :raises HouseholdUnknown: when the household is another agency's.
    """
    row = session.get(HouseholdIdentity, household.id)
    if row is None:
        raise HouseholdUnknown("There is no such household in your agency.")
    audit.record(
        session,
        audit.Act.READ,
        record_kind="household",
        record_id=household.id,
        owner_agency_id=household.agency_id,
        level=audit.Level.IDENTITY,
        now=now,
    )
    return row.reference, open_identity(session, row)


def entered_pool_on(session: Session, household_ids: Sequence[UUID]) -> dict[UUID, date]:
    """Return the day on which each household reached its present stage in this consortium."""
    query = select(PoolEntry.household_id, PoolEntry.entered_on).where(
        PoolEntry.household_id.in_(household_ids), PoolEntry.consortium_id == scope_of(session).consortium_id
    )
    return {household_id: entered_on for household_id, entered_on in session.execute(query) if household_id}


def facts_of(session: Session, found: Sequence[Household]) -> list[HouseholdFacts]:
    """Return what a ranking reads of each household, in the order given."""
    tolerances = list_tolerances(session, [household.id for household in found])
    return [_facts(household, tolerances.get(household.id, {})) for household in found]


def _facts(household: Household, tolerances: dict[str, Tolerance]) -> HouseholdFacts:
    return HouseholdFacts(
        id=household.id,
        code=household.code,
        agency_id=household.agency_id,
        age_from_months=household.age_from_months,
        age_to_months=household.age_to_months,
        fewest_children=household.fewest_children,
        most_children=household.most_children,
        sex_approved=household.sex_approved,
        tolerances=tolerances,
        legal={
            LegalPosition.ORDER_APPLIED: household.order_not_granted,
            LegalPosition.CONTESTED: household.order_contested,
            LegalPosition.APPEAL: household.appeal,
        },
        early_permanence_approved=household.early_permanence_approved,
        contact={
            ContactKind.LETTERBOX: household.letterbox_contact,
            ContactKind.DIRECT: household.direct_contact,
            ContactKind.SIBLINGS: household.sibling_contact,
        },
        children_at_home=household.children_at_home,
        youngest_at_home=household.youngest_at_home,
        pets=household.pets,
        smokers=household.smokers,
        heritage=frozenset(household.heritage),
        religions=frozenset(household.religions),
        languages=frozenset(household.languages),
        cultures=frozenset(household.cultures),
        adopters=household.adopters,
        experience=household.experience,
        training=household.training,
        parent_at_home=household.parent_at_home,
        support_nearby=household.support_nearby,
        available_from=household.available_from,
        approved_on=household.approved_on,
    )
