"""Matching meetings: arranged by the consortium's office, seen by its members."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import ProgrammingError

from matching.meeting import (
    DEFAULT_AGENDA,
    MeetingInvalid,
    MeetingUnknown,
    arrange_meeting,
    find_previous_meeting,
    get_meeting,
    list_meetings,
)
from tenants import audit
from tenants.agency import AgencyKind
from tenants.database import Database
from tenants.scope import OPERATOR, Scope
from tests.factories import NOW, TODAY, Factories, Tenant


class TestArrangeMeeting:
    def test_is_the_offices(self, database: Database, factories: Factories) -> None:
        office, devon = _office_and_council(factories)

        meeting_id = _arrange(database, office)

        with database.transaction(devon.scope) as session:
            meeting = get_meeting(session, meeting_id)
            assert (meeting.agency_id, meeting.consortium_id) == (office.id, devon.scope.consortium_id)
            assert meeting.agenda == list(DEFAULT_AGENDA)
        with database.transaction(office.scope) as session:
            assert [entry.act for entry in audit.list_entries_of(session, meeting_id)] == [audit.Act.ADD]

    def test_is_no_other_agencys(self, database: Database, factories: Factories) -> None:
        _, devon = _office_and_council(factories)

        with pytest.raises(ProgrammingError, match="row-level security"):
            _arrange(database, devon)

    @pytest.mark.parametrize(
        "wrong",
        [{"title": " "}, {"agenda": ()}, {"agenda": (" ", "")}, {"held_on": TODAY - timedelta(days=1)}],
    )
    def test_refuses_what_is_no_meeting(
        self, database: Database, factories: Factories, wrong: dict[str, object]
    ) -> None:
        office, _ = _office_and_council(factories)
        facts = {"title": "November", "held_on": TODAY, "place": "Sample Hall", "now": NOW, **wrong}

        with database.transaction(office.scope) as session, pytest.raises(MeetingInvalid):
            arrange_meeting(session, **facts)  # type: ignore[arg-type]

    @pytest.mark.parametrize("scope", [OPERATOR, Scope()])
    def test_wants_a_consortium(self, database: Database, scope: Scope) -> None:
        with database.transaction(scope) as session, pytest.raises(MeetingInvalid, match="consortium"):
            arrange_meeting(session, title="November", held_on=TODAY, place="Sample Hall", now=NOW)


class TestGetMeeting:
    def test_finds_none_of_another_consortium(self, database: Database, factories: Factories) -> None:
        office, _ = _office_and_council(factories)
        stranger, _ = factories.two_tenants()
        meeting_id = _arrange(database, office)

        with database.transaction(stranger.scope) as session, pytest.raises(MeetingUnknown):
            get_meeting(session, meeting_id)


class TestListMeetings:
    def test_lists_the_consortiums_latest_first(self, database: Database, factories: Factories) -> None:
        office, devon = _office_and_council(factories)
        stranger, _ = factories.two_tenants()
        first, second = (_arrange(database, office, days=days) for days in (1, 30))

        with database.transaction(devon.scope) as session:
            assert [meeting.id for meeting in list_meetings(session)] == [second, first]
        with database.transaction(stranger.scope) as session:
            assert list_meetings(session) == []


class TestFindPreviousMeeting:
    def test_finds_the_one_before(self, database: Database, factories: Factories) -> None:
        office, devon = _office_and_council(factories)
        first, second, third = (_arrange(database, office, days=days) for days in (1, 30, 60))

        with database.transaction(devon.scope) as session:
            previous = find_previous_meeting(session, get_meeting(session, third))
            assert previous is not None
            assert previous.id == second
            assert find_previous_meeting(session, get_meeting(session, first)) is None


def _office_and_council(factories: Factories) -> tuple[Tenant, Tenant]:
    consortium_id = factories.consortium()
    return factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE), factories.tenant(consortium_id)


def _arrange(database: Database, tenant: Tenant, *, days: int = 0) -> UUID:
    with database.transaction(tenant.scope) as session:
        held_on = TODAY + timedelta(days=days)
        return arrange_meeting(session, title="November", held_on=held_on, place="Sample Hall", now=NOW).id
