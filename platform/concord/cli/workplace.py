"""What a command works with: servers that are up, a database of the right shape, and an agency's scope."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

from environs import Env
from sqlalchemy.orm import Session

from concord.limits import read_probing_limits
from concord.mail import mailer_of
from concord.servers.deployment import running_elsewhere, running_servers
from concord.servers.program import start_jobs
from concord.servers.supervisor import Supervisor
from concord.settings import Deployment, Settings
from tenants.agency import get_agency_by_slug
from tenants.audit import Origin
from tenants.audit_anchor import AuditKey, PublicKey
from tenants.base import utc_now
from tenants.consortium import consortium_of
from tenants.database import Database
from tenants.role import Role
from tenants.scope import OPERATOR, Scope
from workers.audit_keeping import AuditKeys

HOST_ROLES = frozenset(Role) - {Role.OPERATOR}
"""Whoever may run commands on the host may do what any role of the agency they name may; the audit says so."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Servers and database of one command."""

    settings: Settings
    deployment: Deployment
    database: Database
    alone: bool
    """No other program runs on these servers, so nobody else would do a job that is asked for."""
    check: Callable[[], None] | None = None
    """Raises when the workers that this command has started don't come up; ``None`` where it has started none."""


@contextmanager
def workplace(settings: Settings) -> Iterator[Workplace]:
    """Start or join the servers, bring the database to this release's shape, and close it all at the end."""
    # What migrates is for commands alone: workers and the schedule begin without it.
    from concord.migrations import current_head, database_revision, upgrade

    with running_servers(settings) as deployment:
        ours = not settings.has_database and running_elsewhere(settings) in (None, os.getpid())
        if ours and database_revision(deployment.migrate_url) != current_head():
            upgrade(deployment.migrate_url, scope_key=deployment.scope_key)
        database = open_database(deployment)
        try:
            yield Workplace(settings, deployment, database, alone=ours)
        finally:
            database.dispose()


def open_database(deployment: Deployment, *, origin: Origin = Origin.CLI, pool_size: int = 5) -> Database:
    """Open a deployment's database as the application does; ``origin`` is what its audit says of whence an act came."""
    env = Env()
    return Database(
        deployment.database_url,
        scope_key=deployment.scope_key,
        master_key=deployment.master_key,
        former_master_key=deployment.former_master_key,
        pool_size=pool_size,
        facts={"probing_limits": read_probing_limits(env), "origin": origin, "mailer": mailer_of(deployment, env)},
    )


def audit_keys(deployment: Deployment) -> AuditKeys:
    """Return the keys of a deployment that sign the audit's anchors, or signed them before.

    :raises AnchorUnreadable: when a public key of the environment is none.
    """
    return AuditKeys(
        present=AuditKey(deployment.audit_key) if deployment.audit_key else None,
        former=tuple(PublicKey.read(text) for text in deployment.audit_public_keys),
    )


def agency_scope(database: Database, slug: str, *, consortium: str | None = None) -> Scope:
    """Return the scope of an agency for a command given on the host.

    :raises AgencyUnknown: when there is no such agency.
    :raises NotAMember: when it is no member of the consortium named, or none is named and it has not exactly one.
    """
    with database.transaction(OPERATOR) as session:
        agency = get_agency_by_slug(session, slug)
        pool = consortium_of(session, agency, on=today(), slug=consortium)
        return Scope(agency_id=agency.id, consortium_id=pool.id, roles=HOST_ROLES)


@contextmanager
def agency_session(
    settings: Settings, agency: str, consortium: str | None = None, *, command: str
) -> Iterator[Session]:
    """Open one transaction in an agency's scope, by its short name, for the block of a command given on the host.

    :param command: by which name the audit says that it came.
    :raises DomainError: as ``agency_scope`` does.
    """
    with workplace(settings) as place:
        scope = agency_scope(place.database, agency, consortium=consortium)
        with place.database.transaction(scope) as session:
            session.info["request_id"] = f"cli:{command}"
            yield session


@contextmanager
def jobs_running(place: Workplace, *, workers: int = 2) -> Iterator[Workplace]:
    """Have a relay and workers for the block: started here where no other program runs them."""
    if not place.alone:
        yield place
        return
    with Supervisor() as supervisor:
        check = start_jobs(supervisor, place.deployment, workers=workers)
        yield replace(place, check=check)


def today() -> date:
    """Return the day by the clock of universal time, as everything recorded is."""
    return utc_now().date()
