"""Make tenants and records for tests: each test makes its own consortium, so no test meets another's rows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from matching import household as households
from matching import sibling_group as groups
from matching.code import new_code
from matching.need import Answer, NeedLevel, Tolerance, YesNo
from matching.pool import Stage, share
from matching.ranking.facts import LegalPosition, Sex, SexApproved
from matching.sibling_placement import SiblingPlacement
from tenants.agency import Agency, AgencyKind, Nation
from tenants.consortium import ConsortiumMember, create_consortium
from tenants.database import Database, scope_of
from tenants.person import Person, PersonIdentity, appoint
from tenants.role import Role
from tenants.scope import OPERATOR, Scope

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
LONG_AGO = date(2010, 1, 1)
ISSUER = "http://127.0.0.1/test-provider"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An agency made for a test, with the scope of a person of it who may do everything."""

    slug: str
    name: str
    scope: Scope
    subject: str

    @property
    def id(self) -> UUID:
        """Return the agency's id."""
        assert self.scope.agency_id is not None
        return self.scope.agency_id

    def acting_as(self, *roles: Role) -> Scope:
        """Return the same person with other roles."""
        return replace(self.scope, roles=frozenset(roles))


class Factories:
    """Everything a test needs, committed in transactions of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def consortium(self, **settings: int) -> UUID:
        """Make a consortium and return its id."""
        with self.database.transaction(OPERATOR) as session:
            return create_consortium(session, slug=_slug("pool"), name="Test consortium", **settings).id

    def tenant(
        self,
        consortium_id: UUID,
        *,
        kind: AgencyKind = AgencyKind.LOCAL_AUTHORITY,
        roles: frozenset[Role] = frozenset(Role) - {Role.OPERATOR},
        called: str = "Agency",
    ) -> Tenant:
        """Make a member agency with one person."""
        slug, agency_id = _slug(kind.value.replace("_", "-")), uuid4()
        name = f"{called} {slug}"
        with self.database.transaction(OPERATOR) as session:
            agency = {"slug": slug, "name": name, "kind": kind, "nation": Nation.ENGLAND, "colour": "#1d70b8"}
            session.execute(insert(Agency).values(id=agency_id, **agency, opened_on=LONG_AGO))
            membership = {"consortium_id": consortium_id, "agency_id": agency_id, "joined_on": LONG_AGO}
            session.execute(insert(ConsortiumMember).values(**membership))
            person_id = _appoint(session, agency_id, f"Sam Sample {slug}", subject=slug, roles=roles)
        scope = Scope(agency_id=agency_id, person_id=person_id, consortium_id=consortium_id, roles=roles)
        return Tenant(slug=slug, name=name, scope=scope, subject=slug)

    def colleague(self, tenant: Tenant, *, roles: frozenset[Role]) -> Tenant:
        """Appoint another person in an agency, and return it in their scope."""
        subject = _slug("colleague")
        with self.database.transaction(OPERATOR) as session:
            person_id = _appoint(session, tenant.id, f"Kit Sample {subject}", subject=subject, roles=roles)
        return replace(tenant, scope=replace(tenant.scope, person_id=person_id, roles=roles), subject=subject)

    def of_both(self, one: Tenant, other: Tenant, *, roles: frozenset[Role]) -> Tenant:
        """Appoint another person in two agencies, and return the first in their scope."""
        found = self.colleague(one, roles=roles)
        with self.database.transaction(OPERATOR) as session:
            person = session.get_one(Person, found.scope.person_id)
            for role in roles:
                appoint(session, person, agency=session.get_one(Agency, other.id), role=role, starts_on=LONG_AGO)
        return found

    def two_tenants(self) -> tuple[Tenant, Tenant]:
        """Make two councils of one consortium."""
        consortium_id = self.consortium()
        return self.tenant(consortium_id), self.tenant(consortium_id)

    def household(
        self,
        tenant: Tenant,
        *,
        stage: Stage = Stage.CONSORTIUM,
        held: bool = False,
        outward_code: str | None = "EX4",
        tolerances: dict[str, Tolerance] | None = None,
        profile: str = "A calm home with a garden.",
        adopter: str = "Alder Example",
        **summary: Any,
    ) -> UUID:
        """Make a household of ``tenant`` with every level of its record, shared as said, and return its id."""
        with self.database.transaction(tenant.scope) as session:
            row = households.Household(**{**_SUMMARY, **summary}, agency_id=tenant.id, code=new_code("H"))
            session.add(row)
            session.flush()
            owner = {"household_id": row.id, "agency_id": tenant.id}
            identity = households.Identity((adopter,), address="1 Sample Street", postcode="EX4 4QJ")
            sealed = households.seal_identity(session, identity, household_id=row.id, agency_id=tenant.id, now=NOW)
            session.add(households.HouseholdIdentity(**owner, reference=f"H{uuid4().hex[:8]}", sealed=sealed))
            session.add(households.HouseholdProfile(**owner, text=profile))
            if outward_code:
                session.add(households.HouseholdPlace(**owner, outward_code=outward_code))
            for need, tolerance in (tolerances or {}).items():
                answers = {"low": tolerance.low, "medium": tolerance.medium, "high": tolerance.high}
                session.add(households.HouseholdTolerance(**owner, need=need, **answers))
            session.flush()
            share(session, stage=stage, on=TODAY, household_id=row.id, held=held, reason="test" if held else None)
            return row.id

    def group(
        self,
        tenant: Tenant,
        *,
        stage: Stage = Stage.CONSORTIUM,
        held: bool = False,
        outward_code: str | None = "EX1",
        exclusion_areas: dict[str, int] | None = None,
        children: tuple[tuple[date | None, Sex], ...] = ((date(2023, 5, 1), Sex.FEMALE),),
        needs: dict[str, NeedLevel] | None = None,
        sibling_household: str | None = None,
        profile: str = "A lively child who likes puddles.",
        forename: str = "Rowan",
        **summary: Any,
    ) -> UUID:
        """Make a sibling group of ``tenant`` with every level of its record, shared as said, and return its id."""
        with self.database.transaction(tenant.scope) as session:
            row = groups.SiblingGroup(**{**_GROUP, **summary}, agency_id=tenant.id, code=new_code("G"))
            session.add(row)
            session.flush()
            owner = {"sibling_group_id": row.id, "agency_id": tenant.id}
            session.add(groups.GroupIdentity(**owner, reference=f"G{uuid4().hex[:8]}"))
            session.add(groups.GroupProfile(**owner, text=profile))
            if outward_code:
                session.add(groups.GroupPlace(**owner, outward_code=outward_code))
            for code, miles in (exclusion_areas or {}).items():
                session.add(groups.ExclusionArea(**owner, outward_code=code, miles=miles))
            if sibling_household:
                session.add(SiblingPlacement(**owner, household_code=sibling_household))
            for position, (birth_month, sex) in enumerate(children):
                facts: dict[str, Any] = {"birth_month": birth_month, "sex": sex, "needs": needs or {}}
                self._child(session, row.id, position=position, forename=forename, **facts)
            session.flush()
            share(session, stage=stage, on=TODAY, sibling_group_id=row.id, held=held, reason="test" if held else None)
            return row.id

    def _child(
        self,
        session: Session,
        group_id: UUID,
        *,
        position: int,
        forename: str,
        birth_month: date | None,
        sex: Sex,
        needs: dict[str, NeedLevel],
    ) -> None:
        agency_id = scope_of(session).agency_id
        assert agency_id is not None
        child = groups.Child(
            agency_id=agency_id,
            sibling_group_id=group_id,
            position=position,
            birth_month=birth_month,
            unborn=False,
            sex=sex,
        )
        session.add(child)
        session.flush()
        name = groups.ChildName(forename=forename, surname="Sample", born_on="2023-05-17")
        sealed = groups.seal_child(session, name, child_id=child.id, agency_id=agency_id, now=NOW)
        session.add(
            groups.ChildIdentity(child_id=child.id, agency_id=agency_id, reference=f"C{uuid4().hex[:8]}", sealed=sealed)
        )
        for need, level in needs.items():
            session.add(groups.ChildNeed(child_id=child.id, agency_id=agency_id, need=need, level=level))


def transaction(database: Database, tenant: Tenant) -> AbstractContextManager[Session]:
    """Open a transaction as ``tenant``."""
    return database.transaction(tenant.scope)


_HOLD = text(
    "INSERT INTO appointment (id, person_id, agency_id, role, starts_on) "
    "SELECT gen_random_uuid(), :person, :agency, role, :since FROM unnest(CAST(:roles AS text[])) role"
)


def _appoint(session: Session, agency_id: UUID, name: str, *, subject: str, roles: frozenset[Role]) -> UUID:
    # Nearly every test begins with people of all roles: rows, for the verbs look each up first and write it by itself.
    person_id = uuid4()
    session.execute(insert(Person).values(id=person_id, name=name, email=f"{subject}@example.org"))
    session.execute(insert(PersonIdentity).values(issuer=ISSUER, subject=subject, person_id=person_id))
    session.execute(_HOLD, {"person": person_id, "agency": agency_id, "roles": sorted(roles), "since": LONG_AGO})
    return person_id


def _slug(word: str) -> str:
    return f"{word}-{uuid4().hex[:10]}"


_ANSWERS = (
    *("order_not_granted", "order_contested", "appeal"),
    *("letterbox_contact", "direct_contact", "sibling_contact"),
)
_SUMMARY: dict[str, Any] = {
    **dict.fromkeys(_ANSWERS, Answer.UNKNOWN),
    "status": households.HouseholdStatus.WAITING,
    "approved_on": date(2025, 1, 6),
    "age_from_months": 0,
    "age_to_months": 83,
    "fewest_children": 1,
    "most_children": 2,
    "sex_approved": SexApproved.ANY,
    "early_permanence_approved": YesNo.UNKNOWN,
    "children_at_home": 0,
    "pets": YesNo.NO,
    "smokers": YesNo.NO,
    "heritage": ["WBRI"],
    "religions": [],
    "languages": ["English"],
    "cultures": [],
    "experience": YesNo.UNKNOWN,
    "training": YesNo.UNKNOWN,
    "parent_at_home": YesNo.UNKNOWN,
    "support_nearby": YesNo.UNKNOWN,
    "available_from": date(2025, 1, 6),
    "added_at": NOW,
    "changed_at": NOW,
}
_GROUP: dict[str, Any] = {
    "status": groups.GroupStatus.WAITING,
    "legal_position": LegalPosition.ORDER_GRANTED,
    "shobpa_on": date(2026, 1, 12),
    "placement_order_on": date(2026, 3, 2),
    "waiting_since": date(2026, 3, 2),
    "early_permanence": YesNo.NO,
    "letterbox_contact": YesNo.NO,
    "direct_contact": YesNo.NO,
    "sibling_contact": YesNo.NO,
    "must_be_youngest": YesNo.NO,
    "must_be_only": YesNo.NO,
    "no_pets": YesNo.NO,
    "smoke_free": YesNo.NO,
    "heritage": ["WBRI"],
    "religions": [],
    "languages": ["English"],
    "cultures": [],
    "experience_needed": YesNo.NO,
    "training_needed": YesNo.NO,
    "parent_at_home_needed": YesNo.NO,
    "support_needed": YesNo.NO,
    "added_at": NOW,
    "changed_at": NOW,
}
