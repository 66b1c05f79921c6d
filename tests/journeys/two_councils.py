"""Two councils that swap: their people, each with a role of their own, two groups of children and three families."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from playwright.sync_api import Page as Tab
from sqlalchemy import select

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.web import create_app
from matching.household import get_household
from matching.ranking.facts import Sex
from matching.sealing.record import GATHER_JOB, ROTATE_JOB
from matching.sibling_group import Child, ChildIdentity, get_group, open_child, seal_child
from matching.swap.group import SwapGroup, Terms, agree, make_swap_group
from matching.swap.rule import SwapRule
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import JobState, list_jobs
from tenants.role import Role
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.factories import ISSUER, Factories, Tenant, transaction
from tests.site import COOKIE, make_settings, port_of, running
from workers.handler import HANDLERS
from workers.runner import JobRunner

TODAY = utc_now().date()
SWAPS = "Swaps of children under three"
_ROLES = {
    "finder": Role.FAMILY_FINDER,
    "worker": Role.ADOPTERS_WORKER,
    "manager": Role.MANAGER,
    "adviser": Role.PANEL_ADVISER,
    "decider": Role.DECISION_MAKER,
    "lead": Role.INFORMATION_GOVERNANCE,
}


@dataclass(frozen=True, slots=True)
class Side:
    """A council: somebody who may do everything, its people, its children and a family or two, with their codes."""

    tenant: Tenant
    people: dict[str, Tenant]
    group_id: UUID
    group: str
    household_ids: tuple[UUID, ...]
    households: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TwoCouncils:
    """The site, the councils, their consortium's office and the swap group."""

    url: str
    database: Database
    devon: Side
    dorset: Side
    office: Tenant
    swap_group_id: UUID
    tokens: dict[str, str]

    def enter(self, tab: Tab, tenant: Tenant) -> None:
        """Have a person at the browser, whoever was there before."""
        if tenant.subject not in self.tokens:
            with self.database.transaction(NOBODY) as session:
                self.tokens[tenant.subject] = sign_in(
                    session, issuer=ISSUER, subject=tenant.subject, now=utc_now()
                ).token
        tab.context.clear_cookies()
        tab.context.add_cookies([{"name": COOKIE, "value": self.tokens[tenant.subject], "url": self.url}])

    def work_off(self) -> None:
        """Do what sealing asked for in both councils, as workers would."""
        for side in (self.devon, self.dorset):
            with transaction(self.database, side.tenant) as session:
                jobs = list_jobs(session, state=JobState.WAITING)
                waiting = [job.id for job in jobs if job.kind in {GATHER_JOB, ROTATE_JOB}]
            for job_id in waiting:
                assert JobRunner(self.database, HANDLERS).run(job_id)


@contextmanager
def two_councils(
    factories: Factories, database: Database, urls: DatabaseUrls, valkey_url: str
) -> Iterator[TwoCouncils]:
    """Serve a site for two councils that agreed to swap: Devon’s child is a toddler, Dorset’s is of school age."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE, roles=frozenset({Role.COORDINATOR}))
    devon = _side(factories, database, consortium_id, born_on=TODAY - timedelta(days=900), families=2)
    dorset = _side(factories, database, consortium_id, born_on=TODAY - timedelta(days=2_000), families=1)
    swap_group_id = _agree(database, office, (devon.tenant, dorset.tenant))
    url = f"http://127.0.0.1:{free_port()}"
    app = create_app(make_settings(site_url=url, database_url=urls.app, valkey_url=valkey_url), database)
    with running(app, port=port_of(url)):
        yield TwoCouncils(url, database, devon, dorset, office, swap_group_id, {})


def _side(factories: Factories, database: Database, consortium_id: UUID, *, born_on: date, families: int) -> Side:
    tenant = factories.tenant(consortium_id)
    people = {name: factories.colleague(tenant, roles=frozenset({role})) for name, role in _ROLES.items()}
    group_id = factories.group(tenant, children=((born_on.replace(day=1), Sex.FEMALE),))
    household_ids = tuple(factories.household(tenant) for _ in range(families))
    with transaction(database, tenant) as session:
        child = session.scalars(select(Child).where(Child.sibling_group_id == group_id)).one()
        identity = session.get_one(ChildIdentity, child.id)
        name = replace(open_child(session, identity), born_on=born_on.isoformat())
        identity.sealed = seal_child(session, name, child_id=child.id, agency_id=tenant.id, now=utc_now())
        codes = tuple(get_household(session, each).code for each in household_ids)
        return Side(tenant, people, group_id, get_group(session, group_id).code, household_ids, codes)


def _agree(database: Database, office: Tenant, members: tuple[Tenant, ...]) -> UUID:
    """Make the swap group and have its members agree, before either child moved in."""
    began = utc_now() - timedelta(days=300)
    terms = Terms(SWAPS, SwapRule(begins_on=began.date(), ends_on=None), within_points=100)
    with transaction(database, office) as session:
        made_id = make_swap_group(session, terms, agency_ids=[each.id for each in members], now=began).id
    for member in members:
        with transaction(database, member) as session:
            agree(session, session.get_one(SwapGroup, made_id), now=began)
    return made_id
