"""Finding whom to look at: the lists, their filters, what to look things up in, and who looked."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.web import create_app
from matching.need import Answer, NeedLevel, Tolerance
from matching.ranking.facts import Sex
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.browser import Visit
from tests.factories import ISSUER, Factories
from tests.site import COOKIE, make_settings, port_of, running

ABLE = Tolerance(*[Answer.CAN_MEET] * 3)


class TestFamilyFinder:
    def test_narrows_a_list_takes_a_filter_off_and_keeps_the_address(self, visit: Visit, pool: Pool) -> None:
        tab = visit.tab
        enter(tab, pool)
        tab.goto(f"{pool.url}/households?whose=all")
        tab.get_by_text("Filter the list").click()
        visit.look("filters-open", "Adopter households")

        tab.get_by_label("Neglect").check()
        tab.get_by_label("At each level").select_option("up to medium")
        tab.get_by_role("group", name="Number of children").get_by_label("Approved for").select_option("two children")
        tab.get_by_role("button", name="Apply filters").click()
        tab.get_by_text("Showing 1 to 1 of 1").wait_for()
        narrowed = visit.look("filters-in-use", "Adopter households")
        tab.get_by_role("link", name="Take off Needs: Neglect (can meet, up to medium)").click()
        tab.get_by_text("Showing 1 to 2 of 2").wait_for()

        assert "Number of children: approved for two children" in narrowed.text
        assert "age_from" not in tab.url
        assert "children=2" in tab.url
        tab.goto(f"{pool.url}/households?whose=all&children=6&need=neglect")
        empty = visit.look("filters-empty", "Adopter households")
        assert "No household matches." in empty.text
        visit.check_quiet(pool.url)

    def test_takes_their_own_records_out(self, visit: Visit, pool: Pool, tmp_path: Path) -> None:
        tab = visit.tab
        enter(tab, pool)
        tab.goto(f"{pool.url}/groups?whose=ours")
        tab.get_by_text("Export your agency’s children").click()
        visit.look("export-open", "Sibling groups")

        with tab.expect_download() as download:
            tab.get_by_role("link", name="Text file (.csv)").click()

        download.value.save_as(tmp_path / "own.csv")
        rows = list(csv.DictReader(io.StringIO((tmp_path / "own.csv").read_text("utf-8-sig"))))
        assert [row["Surname"] for row in rows] == ["Sample", "Sample"]
        tab.goto(f"{pool.url}/groups?whose=ours")
        tab.locator("main table a").first.click()
        tab.get_by_role("link", name="Who looked at this record").click()
        audit = visit.look("audit", tab.locator("h1").inner_text())
        assert "Exported it, with who it is about" in audit.text

    def test_looks_up_the_needs_the_policy_and_the_statement(self, visit: Visit, pool: Pool) -> None:
        tab = visit.tab
        enter(tab, pool)
        tab.goto(f"{pool.url}/home")
        for name, heading in (
            ("Needs", "Needs"),
            ("How families are ranked", "How families are ranked"),
            ("Accessibility statement", "Accessibility statement"),
        ):
            tab.get_by_role("contentinfo").get_by_role("link", name=name).click()
            visit.look(name.lower().replace(" ", "-"), heading)
        tab.get_by_role("link", name="Audit", exact=True).click()
        visit.look("audit-find", "Who looked at what")
        tab.get_by_label("Find by code or your own reference").fill("H-000000")
        tab.get_by_role("button", name="Find").click()
        tab.get_by_role("heading", name="There is a problem").wait_for()
        visit.look("audit-unknown", "Who looked at what")
        tab.goto(f"{pool.url}/groups")
        tab.get_by_label("Search by code, your own reference or words").fill("G-")
        tab.get_by_role("button", name="Search").click()
        visit.look("groups-found", "Sibling groups found")
        visit.check_quiet(pool.url)


class TestWithoutJavaScript:
    def test_narrows_a_list(self, browser: Browser, pool: Pool) -> None:
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        enter(tab, pool)
        tab.goto(f"{pool.url}/groups?whose=all")
        tab.get_by_text("Filter the list").click()
        tab.get_by_label("Youngest is at least").select_option("5")
        tab.get_by_role("button", name="Apply filters").click()

        assert tab.get_by_text("Showing 1 to 1 of 1").is_visible()
        assert tab.url.endswith("/groups?whose=all&sort=waiting&age_from=5&much=low-or-more")
        context.close()


@dataclass(frozen=True, slots=True)
class Pool:
    """A site with a pool of two agencies, and the token of somebody of one of them."""

    url: str
    token: str


def enter(tab: Tab, pool: Pool) -> None:
    """Have the browser signed in."""
    tab.context.add_cookies([{"name": COOKIE, "value": pool.token, "url": pool.url}])


@pytest.fixture(scope="module")
def pool(factories: Factories, database: Database, migrated: DatabaseUrls, valkey_url: str) -> Iterator[Pool]:
    us, them = factories.two_tenants()
    factories.group(us, children=((date(utc_now().year - 3, 1, 1), Sex.FEMALE),) * 2, needs={"neglect": NeedLevel.LOW})
    factories.group(them, children=((date(utc_now().year - 7, 1, 1), Sex.MALE),))
    factories.household(them, tolerances={"neglect": ABLE})
    factories.household(them, most_children=1, tolerances={"neglect": ABLE})
    factories.household(us)
    with database.transaction(NOBODY) as session:
        token = sign_in(session, issuer=ISSUER, subject=us.subject, now=utc_now()).token
    url = f"http://127.0.0.1:{free_port()}"
    app = create_app(make_settings(site_url=url, database_url=migrated.app, valkey_url=valkey_url), database)
    with running(app, port=port_of(url)):
        yield Pool(url, token)
