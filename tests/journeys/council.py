"""A council whose people hand in files at a real browser, while its jobs are done as a worker would do them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page as Tab

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.web import create_app
from matching.household import count_households
from matching.sibling_group import count_groups
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import JobState, list_jobs
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.browser import Visit
from tests.factories import ISSUER, Factories, Tenant, transaction
from tests.site import COOKIE, make_settings, port_of, running
from workers.handler import HANDLERS
from workers.runner import JobRunner


@dataclass(frozen=True, slots=True)
class Council:
    """A site, and somebody of a council who is signed in at it."""

    url: str
    token: str
    tenant: Tenant
    database: Database

    def groups(self) -> int:
        """Return how many sibling groups the council has."""
        with transaction(self.database, self.tenant) as session:
            return count_groups(session)

    def households(self) -> int:
        """Return how many households the council has."""
        with transaction(self.database, self.tenant) as session:
            return count_households(session, own_agency=self.tenant.id)

    def work_off(self) -> None:
        """Do what waits, as a worker would."""
        with transaction(self.database, self.tenant) as session:
            waiting = [job.id for job in list_jobs(session, state=JobState.WAITING)]
        for job_id in waiting:
            assert JobRunner(self.database, HANDLERS).run(job_id)


def open_imports(visit: Visit, council: Council) -> Tab:
    """Open the page on which sheets and returns are handed in."""
    visit.tab.context.add_cookies([{"name": COOKIE, "value": council.token, "url": council.url}])
    visit.tab.goto(f"{council.url}/imports")
    return visit.tab


@contextmanager
def running_council(
    factories: Factories, database: Database, migrated: DatabaseUrls, valkey_url: str
) -> Iterator[Council]:
    """Serve a site for a council with another beside it in its consortium."""
    tenant, _ = factories.two_tenants()
    with database.transaction(NOBODY) as session:
        token = sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token
    url = f"http://127.0.0.1:{free_port()}"
    app = create_app(make_settings(site_url=url, database_url=migrated.app, valkey_url=valkey_url), database)
    with running(app, port=port_of(url)):
        yield Council(url, token, tenant, database)
