from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.clock.mark import MarkKind, mark
from matching.clock.reading import ClockState, clocks_of_groups, clocks_of_household, clocks_of_links, read_clocks
from matching.clock.reason import explain_miss, reasons_of
from matching.clock.rule import CLOCKS, ClockName, Event, Subject, clocks_for
from matching.household import get_household
from matching.link import DayKind, LinkInvalid, NotYet, NotYourStep, get_link, say_day
from matching.sibling_group import get_group
from tenants.agency import Nation, get_agency
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, make_matched
from tests.matching.report_factory import make_link

ONE = uuid4()
DAY = timedelta(days=1)


class TestReadClocks:
    @pytest.mark.parametrize(
        ("stopped", "on", "state"),
        [
            (None, date(2026, 7, 4), ClockState.RUNNING),
            (None, date(2026, 7, 5), ClockState.SOON),
            (None, date(2026, 7, 12), ClockState.SOON),
            (None, date(2026, 7, 13), ClockState.MISSED),
            (date(2026, 7, 12), date(2027, 1, 1), ClockState.KEPT),
            (date(2026, 7, 13), date(2027, 1, 1), ClockState.MISSED),
        ],
    )
    def test_tells_kept_from_missed(self, stopped: date | None, on: date, state: ClockState) -> None:
        clocks = [clock for clock in CLOCKS if clock.name is ClockName.MATCH]
        days: dict[Event | DayKind, date] = {Event.SHOBPA: date(2026, 1, 12)}
        if stopped:
            days[Event.MATCH_APPROVED] = stopped

        [reading] = read_clocks(clocks, days, subject_id=ONE, agency_id=ONE, nation=Nation.ENGLAND, on=on)

        assert (reading.due_on, reading.state) == (date(2026, 7, 12), state)

    @settings(deadline=None)  # the first asks a library for a year’s holidays
    @given(
        st.dictionaries(st.sampled_from([*Event, *DayKind]), st.dates(date(2025, 1, 1), date(2028, 12, 31))),
        st.sampled_from(Nation),
        st.sampled_from(Subject),
        st.dates(date(2025, 1, 1), date(2029, 12, 31)),
    )
    def test_runs_once_it_has_started_and_only_then(
        self, days: dict[Event | DayKind, date], nation: Nation, about: Subject, on: date
    ) -> None:
        clocks = clocks_for(nation, about)

        readings = read_clocks(clocks, days, subject_id=ONE, agency_id=ONE, nation=nation, on=on)

        assert {each.clock.name for each in readings} == {each.name for each in clocks if each.runs_from in days}
        assert [each.due_on for each in readings] == sorted(each.due_on for each in readings)
        for each in readings:
            assert each.missed is ((each.stopped_on or on) > each.due_on)


class TestClocksOfLinks:
    def test_run_from_what_both_sides_say_and_are_the_childrens_agencys(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_matched(factories, database)
        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            say_day(session, link, kind=DayKind.TOLD_ORALLY, day=TODAY - timedelta(days=120), now=utc_now())

        for tenant in (pairing.children, pairing.family):
            with transaction(database, tenant) as session:
                link = get_link(session, pairing.link_id)
                found = {each.clock.name: each for each in clocks_of_links(session, [link], on=TODAY)[link.id]}

            assert {name: each.state for name, each in found.items()} == {
                ClockName.REPORT_BEFORE_PANEL: ClockState.MISSED,
                ClockName.TOLD_ORALLY: ClockState.KEPT,
                ClockName.TOLD_IN_WRITING: ClockState.MISSED,
            }
            assert {each.agency_id for each in found.values()} == {pairing.children.id}


class TestClocksOfGroups:
    def test_stop_at_the_match(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        assert _of_group(database, pairing.children, pairing.group_id)[ClockName.MATCH] is ClockState.MISSED

        late, soon = TODAY - timedelta(days=250), TODAY - timedelta(days=200)
        for shobpa, state in ((late, ClockState.KEPT), (soon, ClockState.KEPT)):
            matched = make_link(factories, database)
            with transaction(database, matched.children) as session:
                get_group(session, matched.group_id).shobpa_on = shobpa
            make_matched(factories, database, matched)
            assert _of_group(database, matched.children, matched.group_id) == {ClockName.MATCH: state}

    def test_give_a_relinquished_baby_less_time(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us, shobpa_on=TODAY - timedelta(days=120))
        before = _of_group(database, us, group_id)

        with transaction(database, us) as session:
            mark(session, get_group(session, group_id), kind=MarkKind.RELINQUISHED, day=TODAY, now=utc_now())

        assert before == {ClockName.MATCH: ClockState.RUNNING}
        assert _of_group(database, us, group_id) == {ClockName.MATCH_RELINQUISHED: ClockState.MISSED}
        # What the children's agency says of its clocks is its own.
        assert _of_group(database, them, group_id) == {ClockName.MATCH: ClockState.RUNNING}

    def test_are_those_of_the_agencys_nation(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        with database.transaction(OPERATOR) as session:
            get_agency(session, us.id).nation = Nation.NORTHERN_IRELAND
        group_id = factories.group(us, shobpa_on=TODAY - timedelta(days=40))
        household_id = factories.household(us, approved_on=TODAY - timedelta(days=10))

        with transaction(database, us) as session:
            mark(session, get_group(session, group_id), kind=MarkKind.REFERRED, day=TODAY, now=utc_now())
            [reading] = clocks_of_household(session, get_household(session, household_id), on=TODAY)

        assert _of_group(database, us, group_id) == {ClockName.REFER_CHILD: ClockState.MISSED}
        assert (reading.clock.name, reading.state) == (ClockName.REFER_ADOPTERS, ClockState.SOON)


class TestMark:
    def test_is_the_agencys_own_word_of_a_day_that_has_come(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(us)

        with transaction(database, them) as session, pytest.raises(NotYourStep):
            mark(session, get_group(session, group_id), kind=MarkKind.REFERRED, day=TODAY, now=utc_now())
        with transaction(database, us) as session:
            group, home, tomorrow = get_group(session, group_id), get_household(session, household_id), TODAY + DAY
            with pytest.raises(LinkInvalid, match="today"):
                mark(session, group, kind=MarkKind.REFERRED, day=tomorrow, now=utc_now())
            with pytest.raises(LinkInvalid, match="child"):
                mark(session, home, kind=MarkKind.RELINQUISHED, day=TODAY, now=utc_now())


class TestExplainMiss:
    def test_keeps_the_reason_for_the_agency_whose_clock_it_is(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        with transaction(database, pairing.children) as session:
            missed = clocks_of_links(session, [get_link(session, pairing.link_id)], on=TODAY)[pairing.link_id][0]
            explain_miss(session, missed, reason="The panel was moved.", now=utc_now())
            explain_miss(session, missed, reason="The panel was moved twice.", now=utc_now())

        key = (pairing.link_id, missed.clock.name, missed.due_on)
        with transaction(database, pairing.children) as session:
            assert reasons_of(session, [pairing.link_id])[key].reason == "The panel was moved twice."
        with transaction(database, pairing.family) as session:
            assert reasons_of(session, [pairing.link_id]) == {}
            with pytest.raises(NotYourStep):
                explain_miss(session, missed, reason="They were late.", now=utc_now())

    def test_asks_only_of_what_was_missed(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, shobpa_on=TODAY)
        with transaction(database, us) as session:
            [reading] = clocks_of_groups(session, [get_group(session, group_id)], on=TODAY)[group_id]
            with pytest.raises(NotYet):
                explain_miss(session, reading, reason="It was not.", now=utc_now())
            [late] = clocks_of_groups(session, [get_group(session, group_id)], on=TODAY.replace(year=2028))[group_id]
            with pytest.raises(LinkInvalid):
                explain_miss(session, late, reason=" ", now=utc_now())


def _of_group(database: Database, tenant: Tenant, group_id: object) -> dict[ClockName, ClockState]:
    with transaction(database, tenant) as session:
        group = get_group(session, group_id)  # type: ignore[arg-type]
        return {each.clock.name: each.state for each in clocks_of_groups(session, [group], on=TODAY)[group.id]}
