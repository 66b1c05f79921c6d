"""``concord meeting``: the office arranges, members see, others know nothing."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from matching.meeting import get_meeting
from matching.meeting_action import set_action
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.platform.cli.run import answer, refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")
SOON = (utc_now() + timedelta(days=20)).date().isoformat()


class TestArrange:
    def test_is_seen_by_the_members_and_nobody_else(self, factories: Factories) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        devon = factories.tenant(consortium_id)
        stranger, _ = factories.two_tenants()

        made = answer("meeting", "arrange", "--agency", office.slug, "--held-on", SOON, "--place", "Sample Hall")

        assert {**made, "id": ""} == {
            "id": "",
            "title": "Matching meeting",
            "held_on": SOON,
            "place": "Sample Hall",
        }
        assert answer("meeting", "list", "--agency", devon.slug) == [made]
        assert answer("meeting", "list", "--agency", stranger.slug) == []
        assert run("meeting", "list", "--agency", stranger.slug).stdout == "There are no meetings.\n"
        assert made["id"] in run("meeting", "list", "--agency", devon.slug).stdout

    def test_is_the_offices_to_do(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        said = refusal("meeting", "arrange", "--agency", devon.slug, "--held-on", SOON, "--place", "Sample Hall")

        assert said == "concord: The consortium office arranges this. Ask it for what you need."
        assert answer("meeting", "list", "--agency", devon.slug) == []

    def test_takes_no_day_that_has_passed(self, factories: Factories) -> None:
        office = factories.tenant(factories.consortium(), kind=AgencyKind.CONSORTIUM_OFFICE)

        said = refusal("meeting", "arrange", "--agency", office.slug, "--held-on", "2020-01-01", "--place", "Here")

        assert said == "concord: 01/01/2020 has passed. Choose today or a later day."


class TestActions:
    def test_lists_what_is_open_to_whom_it_concerns(self, factories: Factories, database: Database) -> None:
        consortium_id = factories.consortium()
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        devon, dorset = factories.tenant(consortium_id), factories.tenant(consortium_id)
        made = answer("meeting", "arrange", "--agency", office.slug, "--held-on", SOON, "--place", "Sample Hall")
        now = utc_now()
        with transaction(database, office) as session:
            meeting = get_meeting(session, UUID(made["id"]))
            due = now.date() + timedelta(days=3)
            set_action(session, meeting, what="Ask the school", agency_id=devon.id, due_on=due, now=now)

        (seen,) = answer("meeting", "actions", "--agency", devon.slug)

        assert (seen["what"], seen["agency"], seen["meeting"]) == ("Ask the school", devon.name, made["id"])
        assert answer("meeting", "actions", "--agency", office.slug) == [seen]
        assert answer("meeting", "actions", "--agency", dorset.slug) == []
        assert "Ask the school" in run("meeting", "actions", "--agency", devon.slug).stdout
        assert run("meeting", "actions", "--agency", dorset.slug).stdout == "No action is open.\n"
