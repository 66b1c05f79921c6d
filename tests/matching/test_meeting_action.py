"""Actions of meetings: seen by who is to act and by the office, carried until they are closed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from matching.household import get_household
from matching.meeting import arrange_meeting, get_meeting
from matching.meeting_action import (
    MOST_CHARACTERS,
    ActionAboutUnknown,
    ActionClosed,
    ActionInvalid,
    ActionOfAnother,
    ActionUnknown,
    close_action,
    get_action,
    list_actions,
    list_carried_actions,
    list_open_actions,
    set_action,
    who_may_act,
)
from matching.pool import Stage
from matching.sibling_group import get_group
from tenants.agency import AgencyKind
from tenants.audit import Act, list_entries_of
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant, transaction

AGO = NOW - timedelta(days=30)


class TestSetAction:
    def test_is_seen_by_who_is_to_act_and_by_the_office_alone(self, database: Database, consortium: Consortium) -> None:
        action_id = consortium.set(consortium.office, agency_id=consortium.us.id, person=" Robin Sample ")

        for tenant in (consortium.us, consortium.office):
            with transaction(database, tenant) as session:
                action = get_action(session, action_id)
                assert (action.what, action.person, action.about) == ("Ask the school", "Robin Sample", None)
        for tenant in (consortium.them, consortium.stranger):
            with transaction(database, tenant) as session:
                assert list_open_actions(session) == []
                with pytest.raises(ActionUnknown):
                    get_action(session, action_id)

    def test_is_put_on_record_for_who_is_to_act(self, database: Database, consortium: Consortium) -> None:
        action_id = consortium.set(consortium.office, agency_id=consortium.us.id)

        with transaction(database, consortium.us) as session:
            (entry,) = list_entries_of(session, action_id)
        assert (entry.act, entry.actor_agency_id) == (Act.ADD, consortium.office.id)
        assert entry.owner_agency_id == consortium.us.id

    def test_an_agency_sets_its_own_and_no_others(self, consortium: Consortium) -> None:
        consortium.set(consortium.us, agency_id=consortium.us.id)

        with pytest.raises(ActionOfAnother):
            consortium.set(consortium.us, agency_id=consortium.them.id)

    def test_the_office_reaches_no_agency_beyond_the_consortium(self, consortium: Consortium) -> None:
        for agency_id in (consortium.stranger.id, uuid4()):
            with pytest.raises(ActionInvalid, match="belongs to the consortium"):
                consortium.set(consortium.office, agency_id=agency_id)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"what": "  "}, "Say what is to be done"),
            ({"what": "x" * (MOST_CHARACTERS + 1)}, "Say what is to be done"),
            ({"due_on": TODAY - timedelta(days=1)}, "22/11/2026 has passed"),
            ({"about": "G-000000"}, "no group or household “G-000000”"),
        ],
    )
    def test_refuses_what_cannot_be_kept(self, consortium: Consortium, wrong: dict[str, Any], words: str) -> None:
        with pytest.raises(ActionInvalid, match=words):
            consortium.set(consortium.us, **{"agency_id": consortium.us.id, **wrong})

    def test_keeps_the_pool_code_whatever_was_typed(
        self, database: Database, factories: Factories, consortium: Consortium
    ) -> None:
        group_id, household_id = factories.group(consortium.us), factories.household(consortium.them)
        with transaction(database, consortium.us) as session:
            codes = [get_group(session, group_id).code, get_household(session, household_id).code]

        kept = [consortium.set(consortium.us, agency_id=consortium.us.id, about=code.lower()) for code in codes]

        with transaction(database, consortium.us) as session:
            assert [get_action(session, each).about for each in kept] == codes

    def test_names_no_record_that_the_consortium_cannot_see(
        self, database: Database, factories: Factories, consortium: Consortium
    ) -> None:
        for shared in ({"stage": Stage.IN_HOUSE}, {"held": True}):
            own = factories.group(consortium.us, **shared)
            with transaction(database, consortium.us) as session:
                code = get_group(session, own).code

            with pytest.raises(ActionAboutUnknown, match="is not shared with the consortium"):
                consortium.set(consortium.us, agency_id=consortium.us.id, about=code)
            with pytest.raises(ActionAboutUnknown, match="There is no group or household"):
                consortium.set(consortium.office, agency_id=consortium.us.id, about=code)


class TestCloseAction:
    @pytest.mark.parametrize("who", ["us", "office"])
    def test_is_for_either_of_the_two(self, database: Database, consortium: Consortium, who: str) -> None:
        action_id = consortium.set(consortium.office, agency_id=consortium.us.id)

        with transaction(database, getattr(consortium, who)) as session:
            close_action(session, get_action(session, action_id), outcome=" They will write. ", now=NOW)

        with transaction(database, consortium.us) as session:
            action = get_action(session, action_id)
            assert (action.done_on, action.outcome) == (TODAY, "They will write.")
            assert [each.act for each in list_entries_of(session, action_id)].count(Act.CHANGE) == 1
            assert list_open_actions(session) == []

    def test_is_done_once(self, database: Database, consortium: Consortium) -> None:
        action_id = consortium.set(consortium.us, agency_id=consortium.us.id)

        with transaction(database, consortium.us) as session:
            close_action(session, get_action(session, action_id), outcome="Done", now=NOW)
            with pytest.raises(ActionClosed, match="closed on 23/11/2026: Done"):
                close_action(session, get_action(session, action_id), outcome="Again", now=NOW)

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({"outcome": " "}, "Say what came of it"),
            ({"done_on": TODAY + timedelta(days=1)}, "Choose a day from"),
            ({"done_on": AGO.date() - timedelta(days=1)}, "Choose a day from"),
        ],
    )
    def test_refuses_what_cannot_be(
        self, database: Database, consortium: Consortium, facts: dict[str, Any], words: str
    ) -> None:
        action_id = consortium.set(consortium.us, agency_id=consortium.us.id, now=AGO)

        with transaction(database, consortium.us) as session, pytest.raises(ActionInvalid, match=words):
            close_action(session, get_action(session, action_id), **{"outcome": "Done", "now": NOW, **facts})


class TestListActions:
    def test_lists_a_meetings_own_by_the_day_they_are_due(self, database: Database, consortium: Consortium) -> None:
        late, soon = (
            consortium.set(consortium.us, agency_id=consortium.us.id, due_on=TODAY + timedelta(days=days))
            for days in (9, 2)
        )

        with transaction(database, consortium.us) as session:
            found = list_actions(session, get_meeting(session, consortium.meetings[0]))
            others = list_actions(session, get_meeting(session, consortium.meetings[1]))

        assert [each.id for each in found] == [soon, late]
        assert others == []


class TestListCarriedActions:
    def test_carries_what_is_open_and_what_was_closed_since_the_meeting_before(
        self, database: Database, consortium: Consortium
    ) -> None:
        stays, closed_late, closed_early = (
            consortium.set(consortium.us, agency_id=consortium.us.id, now=AGO, what=what) for what in "abc"
        )
        _, second, third = consortium.meetings
        with transaction(database, consortium.us) as session:
            for action_id, ago in ((closed_late, 3), (closed_early, 20)):
                day = TODAY - timedelta(days=ago)
                close_action(session, get_action(session, action_id), outcome="Done", done_on=day, now=NOW)

        with transaction(database, consortium.us) as session:
            carried = {
                meeting: {each.id for each in list_carried_actions(session, get_meeting(session, meeting))}
                for meeting in (second, third)
            }

        assert carried[second] == {stays, closed_late, closed_early}
        assert carried[third] == {stays, closed_late}

    def test_carries_nothing_to_the_meeting_itself_or_to_another_agency(
        self, database: Database, consortium: Consortium
    ) -> None:
        consortium.set(consortium.office, agency_id=consortium.us.id)
        first, second, _ = consortium.meetings

        with transaction(database, consortium.us) as session:
            assert list_carried_actions(session, get_meeting(session, first)) == []
            assert len(list_carried_actions(session, get_meeting(session, second))) == 1
        with transaction(database, consortium.them) as session:
            assert list_carried_actions(session, get_meeting(session, second)) == []


class TestWhoMayAct:
    def test_is_oneself_and_for_the_office_every_member(self, database: Database, consortium: Consortium) -> None:
        members = {consortium.us.id, consortium.them.id, consortium.office.id}
        for tenant, expected in ((consortium.us, {consortium.us.id}), (consortium.office, members)):
            with transaction(database, tenant) as session:
                meeting = get_meeting(session, consortium.meetings[0])
                assert {agency.id for agency in who_may_act(session, meeting, on=TODAY)} == expected


class Consortium:
    """An office, two members, a stranger, and meetings 25 days ago, 10 days ago and in a fortnight."""

    def __init__(self, database: Database, factories: Factories) -> None:
        self.database = database
        consortium_id = factories.consortium()
        self.office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        self.us, self.them = factories.tenant(consortium_id), factories.tenant(consortium_id)
        self.stranger = factories.tenant(factories.consortium())
        with transaction(database, self.office) as session:
            self.meetings = [
                arrange_meeting(
                    session, title="Meeting", held_on=TODAY + timedelta(days=days), place="Sample Hall", now=AGO
                ).id
                for days in (-25, -10, 14)
            ]

    def set(
        self,
        by: Tenant,
        *,
        agency_id: UUID,
        what: str = "Ask the school",
        due_on: date = TODAY,
        now: datetime = NOW,
        about: str | None = None,
        person: str | None = None,
    ) -> UUID:
        """Set an action of the first meeting and return its id."""
        with transaction(self.database, by) as session:
            meeting = get_meeting(session, self.meetings[0])
            facts = {"what": what, "agency_id": agency_id, "due_on": due_on, "about": about, "person": person}
            return set_action(session, meeting, now=now, **facts).id  # type: ignore[arg-type]


@pytest.fixture
def consortium(database: Database, factories: Factories) -> Consortium:
    return Consortium(database, factories)
