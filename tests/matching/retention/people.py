"""A second person of an agency, without whom nothing is destroyed, and records whose time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from matching.household import HouseholdStatus
from matching.retention.run import RetentionRun, ask_for_destruction, decide, get_run
from tenants.agency import get_agency
from tenants.database import Database
from tenants.person import appoint, invite_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import ISSUER, LONG_AGO, NOW, Factories, Tenant, transaction

OLD = datetime(2001, 5, 1, 9, tzinfo=UTC)


def colleague(database: Database, tenant: Tenant, *roles: Role) -> Tenant:
    """Give an agency a second person."""
    subject = f"colleague-{uuid4().hex[:8]}"
    with database.transaction(OPERATOR) as session:
        agency = get_agency(session, tenant.id)
        person = invite_person(
            session, name=f"Kit Sample {subject}", email=f"{subject}@example.org", issuer=ISSUER, subject=subject
        )
        for role in roles or (Role.MANAGER,):
            appoint(session, person, agency=agency, role=role, starts_on=LONG_AGO)
    scope = replace(tenant.scope, person_id=person.id, roles=frozenset(roles or (Role.MANAGER,)))
    return replace(tenant, scope=scope, subject=subject)


def old_household(factories: Factories, tenant: Tenant) -> UUID:
    """Make a household that was withdrawn longer ago than any agency keeps one."""
    return factories.household(tenant, status=HouseholdStatus.WITHDRAWN, changed_at=OLD)


def agreed(database: Database, tenant: Tenant, *record_ids: UUID) -> RetentionRun:
    """Have one person ask and another agree that records be destroyed."""
    second = colleague(database, tenant)
    with transaction(database, tenant) as session:
        run = ask_for_destruction(session, record_ids, reason="Their time is over", now=NOW)
    with transaction(database, second) as session:
        run = get_run(session, run.id)
        decide(session, run, approve=True, reason="I looked at each", now=NOW)
    return run
