from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from matching.meeting import arrange_meeting, get_meeting
from matching.meeting_action import get_action, list_open_actions, set_action
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.platform.web.equal import page_of, same_but_for_the_reference, typed_in
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
GOOD = {"what": "Ask the school", "about": "", "person": "Robin Sample", "due_on": ["27", "3", "2031"]}


class TestNew:
    def test_the_office_sets_any_members(self, visit_as: Visit, meeting: Sample, database: Database) -> None:
        visitor = visit_as(meeting.office)
        visitor.get(f"{meeting.path}/actions/new")

        response = visitor.post(f"{meeting.path}/actions/new", {**GOOD, "agency": str(meeting.us.id)})

        assert (response.status_code, response.location) == (303, f"{meeting.path}#actions")
        with transaction(database, meeting.us) as session:
            (action,) = list_open_actions(session)
        assert (action.what, action.person, action.about) == ("Ask the school", "Robin Sample", None)
        visitor.get(meeting.path)
        assert "Ask the school" in page_of(visitor).text

    def test_an_agency_sets_its_own_without_choosing(
        self, visit_as: Visit, meeting: Sample, database: Database
    ) -> None:
        visitor = visit_as(meeting.us)
        visitor.get(f"{meeting.path}/actions/new")
        offered = typed_in(page_of(visitor), "agency")

        visitor.post(f"{meeting.path}/actions/new", {**GOOD, "agency": offered})

        assert offered == str(meeting.us.id)
        with transaction(database, meeting.us) as session:
            assert len(list_open_actions(session)) == 1

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"what": " "}, "Enter what is to be done"),
            ({"what": "x" * 1001}, "Write at most 1,000 characters"),
            ({"agency": ""}, "Choose the agency that is to do it"),
            ({"agency": "nobody"}, "Not a valid choice"),
            ({"due_on": ["", "", ""]}, "Enter the day, month and year when it is due"),
            ({"due_on": ["1", "1", "2020"]}, "01/01/2020 has passed"),
            ({"about": "G-000000"}, "There is no group or household “G-000000” in your view of the pool."),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, visit_as: Visit, meeting: Sample, wrong: dict[str, object], words: str
    ) -> None:
        visitor = visit_as(meeting.office)
        visitor.get(f"{meeting.path}/actions/new")

        response = visitor.post(f"{meeting.path}/actions/new", {**GOOD, "agency": str(meeting.us.id), **wrong})

        page = page_of(visitor)
        assert (response.status_code, page.title.startswith("Error: ")) == (422, True)
        assert words in page.text
        assert typed_in(page, "person") == "Robin Sample"

    def test_reaches_no_other_agency_and_no_other_consortium(
        self, visit_as: Visit, meeting: Sample, database: Database
    ) -> None:
        visitor = visit_as(meeting.us)
        visitor.get(f"{meeting.path}/actions/new")

        assert visitor.post(f"{meeting.path}/actions/new", {**GOOD, "agency": str(meeting.them.id)}).status_code == 422
        assert visit_as(meeting.stranger).get(f"{meeting.path}/actions/new").status_code == 404
        with transaction(database, meeting.office) as session:
            assert list_open_actions(session) == []


class TestClose:
    @pytest.mark.parametrize("who", ["us", "office"])
    def test_is_for_either_of_the_two(self, visit_as: Visit, meeting: Sample, database: Database, who: str) -> None:
        action_id = meeting.set(database)
        visitor = visit_as(getattr(meeting, who))
        visitor.get(f"/actions/{action_id}/close")

        response = visitor.post(f"/actions/{action_id}/close", {"outcome": "They will write."})

        assert response.status_code == 303
        with transaction(database, meeting.us) as session:
            assert get_action(session, action_id).outcome == "They will write."
        visitor.get(f"/actions/{action_id}/close")
        assert "They will write." in page_of(visitor).text
        assert visitor.post(f"/actions/{action_id}/close", {"outcome": "Again"}).status_code == 409

    def test_asks_what_came_of_it(self, visit_as: Visit, meeting: Sample, database: Database) -> None:
        action_id = meeting.set(database)
        visitor = visit_as(meeting.us)
        visitor.get(f"/actions/{action_id}/close")

        assert visitor.post(f"/actions/{action_id}/close", {"outcome": " "}).status_code == 422
        assert "Enter what came of it" in page_of(visitor).text

    def test_is_not_there_for_anyone_else(self, visit_as: Visit, meeting: Sample, database: Database) -> None:
        action_id = meeting.set(database)
        for tenant in (meeting.them, meeting.stranger):
            visitor = visit_as(tenant)

            found = visitor.get(f"/actions/{action_id}/close")
            unknown = visitor.get(f"/actions/{UUID(int=7)}/close")

            assert found.status_code == 404
            assert same_but_for_the_reference(found, unknown)

    def test_is_for_those_who_work_with_records(self, visit_as: Visit, factories: Factories) -> None:
        finance = factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER}))

        assert visit_as(finance).get(f"/actions/{UUID(int=7)}/close").status_code == 403


class TestMeetingPage:
    def test_carries_what_is_open_to_the_next_meeting(
        self, visit_as: Visit, meeting: Sample, database: Database
    ) -> None:
        meeting.set(database)
        now = utc_now()
        with transaction(database, meeting.office) as session:
            later = arrange_meeting(
                session, title="Later", held_on=now.date() + timedelta(days=99), place="Sample Hall", now=now
            ).id
        visitor, other = visit_as(meeting.us), visit_as(meeting.them)

        visitor.get(f"/meetings/{later}")
        other.get(f"/meetings/{later}")

        assert "From earlier meetings" in page_of(visitor).text
        assert "Ring the nursery" in page_of(visitor).text
        assert "Ring the nursery" not in page_of(other).html
        assert "No action concerns your agency." in page_of(other).text


class Sample:
    """An office with a meeting, two members, and a stranger."""

    def __init__(self, database: Database, factories: Factories) -> None:
        consortium_id, now = factories.consortium(), utc_now()
        self.office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        self.us, self.them = factories.tenant(consortium_id), factories.tenant(consortium_id)
        self.stranger = factories.tenant(factories.consortium())
        with transaction(database, self.office) as session:
            held_on = now.date() + timedelta(days=14)
            self.id = arrange_meeting(session, title="Spring", held_on=held_on, place="Sample Hall", now=now).id

    @property
    def path(self) -> str:
        """Return where the meeting's page is."""
        return f"/meetings/{self.id}"

    def set(self, database: Database) -> UUID:
        """Leave an action to the first member, as the office, and return its id."""
        now = utc_now()
        with transaction(database, self.office) as session:
            return set_action(
                session,
                get_meeting(session, self.id),
                what="Ring the nursery",
                agency_id=self.us.id,
                due_on=now.date() + timedelta(days=7),
                now=now,
            ).id


@pytest.fixture
def meeting(database: Database, factories: Factories) -> Sample:
    return Sample(database, factories)
