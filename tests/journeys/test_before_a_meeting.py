"""Before a meeting: the office leaves an action, its agency closes it and says who of its families is available."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from matching.meeting import arrange_meeting
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.browser import Visit
from tests.factories import ISSUER, Factories, Tenant, transaction
from tests.site import COOKIE, Place, site_and_provider


class TestBeforeAMeeting:
    def test_an_action_is_set_closed_and_a_family_confirmed(
        self, visit: Visit, place: Place, database: Database, factories: Factories
    ) -> None:
        tab, now = visit.tab, utc_now()
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        devon, dorset = factories.tenant(consortium_id), factories.tenant(consortium_id)
        factories.group(dorset)
        factories.household(devon)
        with transaction(database, office) as session:
            held_on = now.date() + timedelta(days=14)
            arrange_meeting(session, title="Spring meeting", held_on=held_on, place="Sample Hall", now=now)

        enter(visit, place, database, office)
        tab.goto(f"{place.url}/meetings")
        tab.get_by_role("link", name="Spring meeting").click()
        assert "No action has been set." in visit.look("meeting-empty", "Spring meeting").text
        tab.get_by_role("link", name="Set an action").click()
        visit.look("action-new", "Set an action")
        tab.get_by_role("button", name="Set the action").click()
        assert "Enter what is to be done" in visit.look("action-wrong", "Set an action").text
        tab.get_by_label("What is to be done?").fill("Ask the nursery how mornings go, and whether the cat may come")
        tab.get_by_label("Which agency is to do it?").select_option(label=devon.name)
        for box, number in (("Day", held_on.day), ("Month", held_on.month), ("Year", held_on.year)):
            tab.get_by_label(box, exact=True).fill(str(number))
        tab.get_by_role("button", name="Set the action").click()
        assert "Ask the nursery" in visit.look("meeting-action", "Spring meeting").text

        enter(visit, place, database, devon)
        tab.goto(f"{place.url}/meetings")
        tab.get_by_role("link", name="Spring meeting").click()
        tab.get_by_role("link", name="Close it").click()
        visit.look("action-close", "Close an action")
        tab.get_by_label("What came of it?").fill("They will write by Friday.")
        tab.get_by_role("button", name="Close the action").click()
        assert "They will write by Friday." in visit.look("meeting-closed", "Spring meeting").text

        tab.get_by_role("link", name="confirm which of your households are available").click()
        assert "To confirm" in visit.look("availability", "Availability").text
        tab.locator("main table a", has_text="Confirm").click()
        visit.look("availability-confirm", tab.locator("h1").inner_text())
        tab.get_by_label("Yes").check()
        tab.get_by_label("For how many groups are they being considered?").fill("1")
        tab.get_by_role("button", name="Confirm").click()
        assert "Being considered (one group)" in visit.look("availability-done", "Availability").text
        visit.check_quiet(place.url)


def enter(visit: Visit, place: Place, database: Database, tenant: Tenant) -> None:
    """Sign in as a person of a tenant, whoever was signed in before."""
    with database.transaction(NOBODY) as session:
        token = sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token
    visit.tab.context.clear_cookies()
    visit.tab.context.add_cookies([{"name": COOKIE, "value": token, "url": place.url}])


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    people = tmp_path / "people.json"
    people.write_text("[]")
    with site_and_provider(database, people) as served:
        yield served
