from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from secrets import token_urlsafe

import icalendar
import psycopg

from concord.limits import Limits
from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from concord.web import create_app
from matching.bar import bar_oneself
from matching.household import get_household
from matching.link import DayKind, get_link, say_day
from matching.placement.introduction import plan_meeting
from matching.placement.placement import get_placement
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, make_placed
from tests.matching.report_factory import Pairing, make_link
from tests.platform.web.equal import page_of
from tests.site import Visitor, make_settings

Visit = Callable[[Tenant], Visitor]
SUMMER = date(TODAY.year + 1, 7, 1)


def address_of(visitor: Visitor) -> str:
    """Make a calendar's address, and return its path."""
    visitor.get("/notices/calendar")
    visitor.post("/notices/calendar", {})
    value = next(box.get("value") for box in page_of(visitor).all("input") if box.get("id") == "address")
    return "/calendar/" + str(value).rpartition("/")[2]


def say(database: Database, pairing: Pairing, day: date, kind: DayKind = DayKind.VISIT) -> None:
    with transaction(database, pairing.children) as session:
        say_day(session, get_link(session, pairing.link_id), kind=kind, day=day, now=utc_now())


def read(visitor: Visitor, path: str) -> dict[str, icalendar.Component]:
    """Return a calendar's entries by their UIDs, as a program reads them."""
    answer = visitor.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n"))
    calendar = icalendar.Calendar.from_ical(answer.data)
    assert (calendar["VERSION"], calendar.errors) == ("2.0", [])
    events = {str(each["UID"]): each for each in calendar.walk("VEVENT")}
    assert all({"DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "SUMMARY", "URL"} <= each.keys() for each in events.values())
    return events


class TestFeed:
    def test_says_which_kind_of_day_it_is_and_nothing_of_whose(
        self, visit_as: Visit, visitor: Visitor, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        say(database, pairing, TODAY)
        path = address_of(visit_as(pairing.children))

        (before,) = read(visitor, path).values()
        say(database, pairing, SUMMER)
        ((uid, after),) = read(visitor, path).items()

        assert (before["UID"], before.decoded("DTSTART"), before["SEQUENCE"]) == (uid, TODAY, 0)
        assert (after.decoded("DTSTART"), after.decoded("DTEND")) == (SUMMER, SUMMER + timedelta(days=1))
        assert (after["SEQUENCE"], str(after["SUMMARY"])) == (1, "Visit – open in Concord")
        assert str(after["URL"]).endswith(f"/links/{pairing.link_id}")
        text = visitor.get(path).text
        assert not re.search(r"Agency|Sample|[GH]-[0-9A-Z]{6}\b", text)
        # Nobody of the other side has asked for theirs, and a colleague works on nothing.
        colleague = factories.colleague(pairing.children, roles=pairing.children.scope.roles)
        assert read(visitor, address_of(visit_as(colleague))) == {}

    def test_has_meetings_in_utc_and_the_next_review(
        self, visit_as: Visit, visitor: Visitor, factories: Factories, database: Database
    ) -> None:
        pairing = make_placed(factories, database)
        with transaction(database, pairing.children) as session:
            placement, at = get_placement(session, pairing.link_id), time(9, 30)
            plan_meeting(session, placement, day=SUMMER, starts_at=at, ends_at=None, words="At home", now=utc_now())

        events = read(visitor, address_of(visit_as(pairing.family)))

        assert events.keys() >= {f"{pairing.link_id}-review-1@{uid_host(events)}"}
        (meeting,) = (each for each in events.values() if str(each["SUMMARY"]).startswith("Introductions meeting"))
        assert meeting.decoded("DTSTART") == datetime.combine(SUMMER, time(8, 30), UTC)
        assert "At home" not in visitor.get(address_of(visit_as(pairing.family))).text

    def test_is_not_there_for_who_has_no_such_address_or_may_not_any_more(
        self,
        visit_as: Visit,
        visitor: Visitor,
        factories: Factories,
        database: Database,
        migrated: DatabaseUrls,
    ) -> None:
        pairing = make_link(factories, database)
        say(database, pairing, TODAY)
        person = visit_as(pairing.children)
        first = address_of(person)
        unknown = visitor.get(f"/calendar/{token_urlsafe(32)}.ics")

        second = address_of(person)
        gone = visitor.get(first)
        assert (unknown.status_code, gone.status_code) == (404, 404)
        assert unnumbered(unknown.text) == unnumbered(gone.text)
        assert len(read(visitor, second)) == 1
        assert person.post("/notices/calendar/withdraw", {}).status_code == 303
        assert visitor.get(second).status_code == 404
        person.get("/notices/calendar")
        assert "It has no address now." in page_of(person).text

        theirs = address_of(visit_as(pairing.family))
        with transaction(database, pairing.family) as session:
            bar_oneself(session, get_household(session, pairing.household_id), reason="A friend", now=utc_now())
        assert read(visitor, theirs) == {}
        with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as admin:
            admin.execute("UPDATE appointment SET ends_on = current_date WHERE agency_id = %s", (pairing.family.id,))
        assert visitor.get(theirs).status_code == 404

    def test_is_limited_by_address(self, migrated: DatabaseUrls, database: Database, valkey_url: str) -> None:
        limits = Limits(calendars="2 per minute")
        settings = make_settings(database_url=migrated.app, valkey_url=valkey_url, limits=limits)
        visitor = Visitor(create_app(settings, database))

        answers = [visitor.get("/calendar/x.ics").status_code for _ in range(3)]

        assert answers == [404, 404, 429]


class TestDay:
    def test_is_handed_out_to_take_along(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        say(database, pairing, TODAY)
        visitor = visit_as(pairing.family)
        visitor.get(f"/links/{pairing.link_id}")

        (only,) = read(visitor, page_of(visitor).links()["Visit, for your calendar"]).values()

        assert only.decoded("DTSTART") == TODAY
        assert visitor.get(f"/links/{pairing.link_id}/panel.ics").status_code == 404
        stranger = visit_as(factories.two_tenants()[0])
        assert stranger.get(f"/links/{pairing.link_id}/visit.ics").status_code == 404


def uid_host(events: dict[str, icalendar.Component]) -> str:
    """Return the host that the UIDs name."""
    return next(iter(events)).partition("@")[2]


def unnumbered(page: str) -> str:
    """Return a page without what each request has of its own."""
    return re.sub(r"[0-9a-f]{16}|nonce=\"[^\"]+\"", "", page)
