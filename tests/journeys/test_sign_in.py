"""Coming in, choosing whose work to do, going out: with a real browser, a real provider, a real database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from tenants.agency import AgencyKind, Nation, add_agency
from tenants.consortium import create_consortium, join
from tenants.database import Database
from tenants.person import appoint, invite_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.browser import Visit
from tests.factories import LONG_AGO
from tests.site import Place, site_and_provider, write_people

PEOPLE = [
    ("ash", "Ash Sample", "Devon", [Role.FAMILY_FINDER]),
    ("bryn", "Bryn Sample", "Devon", [Role.ADOPTERS_WORKER]),
    ("cleo", "Cleo Sample", "Torbay", [Role.FINANCE_OFFICER, Role.MANAGER]),
    ("dara", "Dara Stranger", "Torbay", [Role.MANAGER]),
]


class TestFamilyFinder:
    def test_comes_in_and_goes_out(self, visit: Visit, town: Town) -> None:
        tab = visit.tab
        tab.goto(town.place.url)
        visit.look("start", "Find families for children, together")

        tab.get_by_role("button", name="Sign in").click()
        visit.look("choose-person", "Choose who to sign in as")
        tab.get_by_role("button", name="Sign in as Ash Sample").click()
        home = visit.look("home", "Your work")

        assert "Ash Sample" in home.text
        assert f"Acting for Devon {town.mark} as family finder" in home.text
        tab.get_by_role("button", name="Sign out").click()
        visit.look("signed-out", "You have signed out")
        tab.go_back()
        tab.get_by_role("heading", name="Find families for children, together").wait_for()
        assert "Ash Sample" not in tab.content()
        visit.check_quiet(town.place.url, town.place.issuer)

    def test_finds_the_way_by_keyboard_alone(self, visit: Visit, town: Town) -> None:
        tab = visit.tab
        tab.goto(town.place.url)

        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
        tab.keyboard.press("Enter")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")

        tab.wait_for_url(f"{town.place.issuer}/**")

    def test_is_told_when_an_address_leads_nowhere(self, visit: Visit, town: Town) -> None:
        sign_in(visit, town, "Ash Sample")

        visit.tab.goto(f"{town.place.url}/no/such/page")

        page = visit.look("not-found", "Page not found")
        assert "Ash Sample" in page.text


class TestPersonOfTwoAgencies:
    def test_chooses_whose_work_they_do(self, visit: Visit, town: Town) -> None:
        tab = visit.tab
        sign_in(visit, town, "Cleo Sample")
        visit.look("acting", "Whose work are you doing?")

        tab.get_by_role("button", name="Continue").click()
        refused = visit.look("acting-error", "Whose work are you doing?")
        assert refused.title.startswith("Error: ")
        tab.get_by_role("link", name="Select the agency whose work you are doing").click()
        tab.get_by_label(f"Torbay {town.mark}").check()
        tab.get_by_role("button", name="Continue").click()

        assert (
            f"Acting for Torbay {town.mark} as agency manager and finance officer"
            in visit.look("home-two", "Your work").text
        )
        tab.get_by_role("link", name="Change agency").click()
        tab.get_by_label(f"Devon {town.mark}").check()
        tab.get_by_role("button", name="Continue").click()
        assert f"Acting for Devon {town.mark} as agency manager" in visit.look("home-changed", "Your work").text


class TestStranger:
    def test_is_told_whom_to_ask(self, visit: Visit, town: Town) -> None:
        sign_in(visit, town, "Dara Stranger")

        page = visit.look("unknown-person", "Your account is not known to Concord")

        assert "administrator" in page.text


class TestWhoeverChangesTheirMind:
    def test_is_told_that_nothing_happened(self, visit: Visit, town: Town) -> None:
        visit.tab.goto(f"{town.place.url}/sign-in")
        visit.tab.get_by_role("button", name="Cancel").click()

        page = visit.look("cancelled", "You did not sign in")

        assert "Nothing has happened" in page.text


class TestWithoutJavaScript:
    def test_everything_works(self, browser: Browser, town: Town) -> None:
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()

        tab.goto(f"{town.place.url}/sign-in")
        tab.get_by_role("button", name="Sign in as Cleo Sample").click()
        tab.get_by_label(f"Torbay {town.mark}").check()
        tab.get_by_role("button", name="Continue").click()
        assert tab.get_by_role("heading", name="Your work").is_visible()
        tab.get_by_role("button", name="Sign out").click()

        assert tab.get_by_role("heading", name="You have signed out").is_visible()
        context.close()


@dataclass(frozen=True, slots=True)
class Town:
    """Two agencies, three people whom they invited, and the site that serves them."""

    place: Place
    mark: str


def sign_in(visit: Visit, town: Town, name: str) -> None:
    visit.tab.goto(f"{town.place.url}/sign-in")
    visit.tab.get_by_role("button", name=f"Sign in as {name}").click()
    visit.tab.wait_for_url(f"{town.place.url}/**")


@pytest.fixture(scope="module")
def town(database: Database, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    path = tmp_path_factory.mktemp("people") / "people.json"
    write_people(path, PEOPLE)
    with site_and_provider(database, path, valkey_url=valkey_url) as place:
        mark = uuid4().hex[:6]
        _invite(database, issuer=place.issuer, mark=mark)
        yield Town(place, mark)


def _invite(database: Database, *, issuer: str, mark: str) -> None:
    with database.transaction(OPERATOR) as session:
        consortium = create_consortium(session, slug=f"pool-{mark}", name="Sample Consortium")
        agencies = {
            name: add_agency(
                session,
                slug=f"{name.lower()}-{mark}",
                name=f"{name} {mark}",
                kind=AgencyKind.LOCAL_AUTHORITY,
                nation=Nation.ENGLAND,
                opened_on=LONG_AGO,
            )
            for name in ("Devon", "Torbay")
        }
        for agency in agencies.values():
            join(session, consortium, agency=agency, joined_on=LONG_AGO)
        for subject, name, agency_name, roles in PEOPLE[:3]:
            person = invite_person(session, name=name, email=f"{subject}@example.org", issuer=issuer, subject=subject)
            for role in roles:
                appoint(session, person, agency=agencies[agency_name], role=role, starts_on=LONG_AGO)
            if subject == "cleo":
                appoint(session, person, agency=agencies["Devon"], role=Role.MANAGER, starts_on=LONG_AGO)
