"""A council's SSDA903 return: its files chosen at once, checked, imported, and every child of it told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab

from concord.demo.consortium import AGENCIES
from concord.demo.ssda903 import write_return
from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.web import create_app
from matching.intake.import_run import list_imports
from matching.sibling_group import count_groups
from tenants.base import utc_now
from tenants.database import Database
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

    def work_off(self) -> None:
        """Do what waits, as a worker would."""
        with transaction(self.database, self.tenant) as session:
            waiting = [run.job_id for run in list_imports(session) if run.finished_at is None]
        for job_id in waiting:
            assert JobRunner(self.database, HANDLERS).run(job_id)


class TestReturn:
    def test_is_checked_imported_and_told_child_by_child(self, visit: Visit, council: Council, tmp_path: Path) -> None:
        folder = tmp_path / "return"
        written = write_return(folder, agency=AGENCIES[1], seed=3, as_of=utc_now().date(), children=60)
        tab = open_imports(visit, council)

        tab.get_by_role("radio", name="SSDA903 return").check()
        tab.locator("input[type=file]").set_input_files(sorted(folder.iterdir()))
        tab.get_by_role("button", name="Continue").click()
        tab.get_by_role("heading", level=1, name="Check of return.zip").wait_for()
        council.work_off()
        tab.reload()
        checked = visit.look("return-checked", "Check of return.zip")

        assert council.groups() == 0
        assert f"{written.refused} refused" in checked.text
        assert f"{written.not_for_adoption} not for adoption" in checked.text

        tab.get_by_role("link", name=f"{written.not_for_adoption} not for adoption").click()
        tab.get_by_text("A return holds every child looked after.").wait_for()
        visit.look("return-not-for-adoption", "Check of return.zip")

        tab.get_by_role("button", name="Import for real").click()
        tab.get_by_role("heading", level=1, name="Import of return.zip").wait_for()
        council.work_off()
        tab.reload()
        imported = visit.look("return-imported", "Import of return.zip")

        assert "The file has been imported, but not its refused rows." in imported.text
        assert council.groups() == written.taken
        tab.get_by_role("link", name=f"{written.taken} added").click()
        tab.get_by_role("table", name="Rows that are added").wait_for()
        visit.look("return-added", "Import of return.zip")
        tab.get_by_role("table", name="Rows that are added").get_by_role("link").first.click()
        tab.get_by_role("heading", level=1).wait_for()
        visit.check_quiet(council.url)

    def test_says_what_a_return_lacks(self, visit: Visit, council: Council, tmp_path: Path) -> None:
        write_return(tmp_path, agency=AGENCIES[1], seed=3, as_of=utc_now().date(), children=3)
        tab = open_imports(visit, council)

        tab.get_by_role("radio", name="SSDA903 return").check()
        tab.locator("input[type=file]").set_input_files(tmp_path / "header.csv")
        tab.get_by_role("button", name="Continue").click()
        tab.get_by_role("heading", level=1, name="Check of header.csv").wait_for()
        council.work_off()
        tab.reload()

        refused = visit.look("return-refused", "Check of header.csv")
        assert "The return lacks the table Episodes" in refused.text
        assert council.groups() == 0


def open_imports(visit: Visit, council: Council) -> Tab:
    """Open the page on which sheets and returns are handed in."""
    visit.tab.context.add_cookies([{"name": COOKIE, "value": council.token, "url": council.url}])
    visit.tab.goto(f"{council.url}/imports")
    return visit.tab


@pytest.fixture
def council(factories: Factories, database: Database, migrated: DatabaseUrls, valkey_url: str) -> Iterator[Council]:
    """A council with another beside it in its consortium."""
    tenant, _ = factories.two_tenants()
    with database.transaction(NOBODY) as session:
        token = sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token
    url = f"http://127.0.0.1:{free_port()}"
    app = create_app(make_settings(site_url=url, database_url=migrated.app, valkey_url=valkey_url), database)
    with running(app, port=port_of(url)):
        yield Council(url, token, tenant, database)
