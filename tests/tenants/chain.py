"""Chains for tests: entries made and chained, and a superuser who may change anything, triggers or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tenants import audit
from tenants.audit import Act, Level
from tenants.audit_anchor import AuditKey, anchor_chain
from tenants.audit_chain import chain_entries
from tenants.audit_check import ChainCheck, check_chain, keep_check
from tenants.database import Database
from tenants.scope import Scope
from tests.factories import NOW, Tenant

KEY = AuditKey(b"audit-key-for-tests-of-32-bytes!")


def of(tenant: Tenant) -> Scope:
    """Return the scope in which a tenant's audit is chained: the agency's own, and nobody's."""
    return Scope(agency_id=tenant.id)


def look(database: Database, tenant: Tenant, count: int = 1, *, owner: Tenant | None = None) -> list[UUID]:
    """Write entries of looks at records, in a transaction each, and return the records' ids."""
    records = [uuid4() for _ in range(count)]
    for record_id in records:
        with database.transaction(tenant.scope) as session:
            audit.record(
                session,
                Act.READ,
                record_kind="household",
                record_id=record_id,
                owner_agency_id=owner.id if owner else None,
                level=Level.PROFILE,
                reason="A reason “in words”",
                now=NOW,
            )
    return records


def chain(database: Database, scope: Scope) -> int:
    """Chain all that can be and return how much it was."""
    total = 0
    while True:
        with database.transaction(scope) as session:
            count = chain_entries(session)
        if not count:
            return total
        total += count


def anchor(database: Database, scope: Scope) -> None:
    """Sign the chain's end."""
    with database.transaction(scope) as session:
        assert anchor_chain(session, key=KEY, now=NOW) is not None


def check(database: Database, scope: Scope) -> ChainCheck:
    """Check a chain, as the application's login does."""
    with database.transaction(scope) as session:
        return check_chain(session, public_keys=[KEY.public])


def make_chain(database: Database, tenant: Tenant) -> None:
    """Chain, sign and check a tenant's audit."""
    chain(database, of(tenant))
    anchor(database, of(tenant))
    with database.transaction(of(tenant)) as session:
        keep_check(session, check_chain(session, public_keys=[KEY.public]), now=NOW)


@contextmanager
def superuser(engine: Engine, scope: Scope) -> Iterator[Session]:
    """Open a session that may do anything, no trigger stops, and nothing of which stays."""
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("SET LOCAL session_replication_role = 'replica'"))
        with Session(connection, info={"scope": replace(scope)}) as session:
            yield session
        transaction.rollback()
