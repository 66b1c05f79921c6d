from __future__ import annotations

from datetime import date, timedelta

import pytest

from matching.calendar_event import list_events
from matching.link import DayKind, LinkInvalid, get_link, say_day
from matching.my_links import list_work
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.placement.stage import TODAY
from tests.matching.report_factory import make_link


class TestSayDay:
    @pytest.mark.parametrize("day", [date.min, date.max, TODAY + timedelta(days=1_099), TODAY - timedelta(days=6_589)])
    def test_refuses_what_no_calendar_reckons_with(self, factories: Factories, database: Database, day: date) -> None:
        pairing = make_link(factories, database)

        with transaction(database, pairing.family) as session, pytest.raises(LinkInvalid, match="eighteen years"):
            say_day(session, get_link(session, pairing.link_id), kind=DayKind.PANEL, day=day, now=utc_now())

    @pytest.mark.parametrize("days", [1_098, -6_588])
    def test_takes_the_farthest_there_are(self, factories: Factories, database: Database, days: int) -> None:
        pairing, day = make_link(factories, database), TODAY + timedelta(days=days)

        with transaction(database, pairing.family) as session:
            say_day(session, get_link(session, pairing.link_id), kind=DayKind.PANEL, day=day, now=utc_now())

        for tenant in (pairing.children, pairing.family):
            with transaction(database, tenant) as session:
                assert list_work(session, mine=False, side="all", on=TODAY).cards
                assert all(event.starts == day for event in list_events(session))
