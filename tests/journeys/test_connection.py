"""What becomes of a form when the connection goes: nothing typed is lost, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import Route

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.web import create_app
from matching.meeting import list_meetings
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.browser import Visit
from tests.factories import ISSUER, Factories, Tenant, transaction
from tests.site import COOKIE, make_settings, port_of, running

HELD_ON = utc_now().date() + timedelta(days=40)
PLACE = "The invented hall"


class TestForm:
    def test_keeps_what_was_typed_while_offline_and_is_sent_once(self, visit: Visit, office: Office) -> None:
        tab = fill_in(visit, office)
        sent = count_posts(visit)

        tab.context.set_offline(True)
        tab.get_by_role("button", name="Arrange the meeting").click()
        tab.get_by_role("heading", name="Not sent: you are not connected").wait_for()
        offline = visit.look("form-offline", "Arrange a matching meeting")
        tab.get_by_role("button", name="Try again").click()

        assert "Nothing was sent" in offline.text
        assert tab.title().startswith("Error: Arrange")
        assert tab.evaluate("document.activeElement.className") == "govuk-error-summary"
        assert tab.get_by_label("Where is it?").input_value() == PLACE
        assert (len(sent), office.meetings()) == (0, 0)

        tab.context.set_offline(False)
        tab.get_by_text("You are connected again.").wait_for()
        tab.get_by_role("button", name="Try again").click()
        tab.get_by_role("heading", level=1, name="Winter meeting").wait_for()

        assert (len(sent), office.meetings()) == (1, 1)
        assert tab.evaluate("localStorage.length + sessionStorage.length") == 0

    def test_stays_when_the_request_fails_and_promises_nothing(self, visit: Visit, office: Office) -> None:
        tab = fill_in(visit, office)
        broken = "**/meetings/new"
        tab.route(broken, break_posts)

        tab.get_by_role("button", name="Arrange the meeting").click()
        tab.get_by_role("heading", name="Concord did not answer").wait_for()

        page = visit.look("form-unanswered", "Arrange a matching meeting")
        assert "We cannot tell whether it arrived" in page.text
        assert tab.get_by_label("Where is it?").input_value() == PLACE
        tab.unroute(broken)
        tab.get_by_role("button", name="Try again").click()
        tab.get_by_role("heading", level=1, name="Winter meeting").wait_for()
        assert office.meetings() == 1

    def test_stays_when_the_service_is_away(self, visit: Visit, office: Office) -> None:
        tab = fill_in(visit, office)
        away = "<main><h1>Sorry, the service is not available</h1><p>Nothing you entered was saved.</p></main>"
        tab.route(
            "**/meetings/new",
            lambda route: (
                route.fulfill(status=503, content_type="text/html", body=away)
                if route.request.method == "POST"
                else route.continue_()
            ),
        )

        tab.get_by_role("button", name="Arrange the meeting").click()
        tab.get_by_role("heading", level=2, name="Sorry, the service is not available").wait_for()

        page = visit.look("form-away", "Arrange a matching meeting")
        assert "Nothing you entered was saved. What you entered is still on this page." in page.text
        assert tab.get_by_label("Where is it?").input_value() == PLACE
        tab.unroute("**/meetings/new")
        tab.get_by_role("button", name="Try again").click()
        tab.get_by_role("heading", level=1, name="Winter meeting").wait_for()
        assert office.meetings() == 1

    def test_is_sent_once_however_often_its_button_is_pressed(self, visit: Visit, office: Office) -> None:
        tab = fill_in(visit, office)
        sent = count_posts(visit)

        tab.evaluate("for (let i = 0; i < 3; i++) document.querySelector('main form').requestSubmit()")
        tab.get_by_role("heading", level=1, name="Winter meeting").wait_for()

        assert (len(sent), office.meetings()) == (1, 1)

    def test_shows_what_is_wrong_with_it_as_ever(self, visit: Visit, office: Office) -> None:
        tab = fill_in(visit, office)
        tab.get_by_label("Year", exact=True).fill("soon")
        tab.get_by_role("button", name="Arrange the meeting").click()
        tab.get_by_role("heading", name="There is a problem").wait_for()

        page = visit.look("form-refused", "Arrange a matching meeting")

        assert page.title.startswith("Error: ")
        assert tab.evaluate("document.activeElement.className") == "govuk-error-summary"
        assert tab.get_by_label("Where is it?").input_value() == PLACE
        tab.get_by_label("Year", exact=True).fill(str(HELD_ON.year))
        tab.get_by_role("button", name="Arrange the meeting").click()
        tab.get_by_role("heading", level=1, name="Winter meeting").wait_for()
        visit.check_quiet(office.url)


@dataclass(frozen=True, slots=True)
class Office:
    """A consortium's office, signed in at a site."""

    url: str
    token: str
    tenant: Tenant
    database: Database

    def meetings(self) -> int:
        """Return how many meetings have been arranged."""
        with transaction(self.database, self.tenant) as session:
            return len(list_meetings(session))


def fill_in(visit: Visit, office: Office) -> Tab:
    """Fill in the form of a meeting and return the tab."""
    tab = visit.tab
    tab.context.add_cookies([{"name": COOKIE, "value": office.token, "url": office.url}])
    tab.goto(f"{office.url}/meetings/new")
    tab.get_by_label("Title").fill("Winter meeting")
    for box, value in (("Day", HELD_ON.day), ("Month", HELD_ON.month), ("Year", HELD_ON.year)):
        tab.get_by_label(box, exact=True).fill(str(value))
    tab.get_by_label("Where is it?").fill(PLACE)
    return tab


def count_posts(visit: Visit) -> list[str]:
    """Return a list to which each form that leaves the browser is added."""
    sent: list[str] = []
    visit.tab.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    return sent


def break_posts(route: Route) -> None:
    """Let a form's request come to nothing."""
    if route.request.method == "POST":
        route.abort()
    else:
        route.continue_()


@pytest.fixture
def office(factories: Factories, database: Database, migrated: DatabaseUrls, valkey_url: str) -> Iterator[Office]:
    """A site, and the token of somebody of a consortium's office."""
    tenant = factories.tenant(
        factories.consortium(), kind=AgencyKind.CONSORTIUM_OFFICE, roles=frozenset({Role.COORDINATOR})
    )
    with database.transaction(NOBODY) as session:
        token = sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token
    url = f"http://127.0.0.1:{free_port()}"
    app = create_app(make_settings(site_url=url, database_url=migrated.app, valkey_url=valkey_url), database)
    with running(app, port=port_of(url)):
        yield Office(url, token, tenant, database)
