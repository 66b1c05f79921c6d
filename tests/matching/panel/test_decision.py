from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from matching.bar import bar_person
from matching.link import LinkMoved, MatchDecision, NotYourStep, decisions_of, get_link
from matching.panel.decision import NotTheDecider, decide
from matching.panel.paper import (
    Finding,
    NothingToPut,
    PaperInvalid,
    list_papers,
    put_reports,
    write_advice,
    write_minutes,
)
from matching.panel.reader import (
    ReaderInvalid,
    ReaderNamed,
    ReaderUnknown,
    end_reader,
    list_readers,
)
from matching.panel.reading import get_reading, list_readings, read_papers
from matching.sibling_group import get_group
from tenants.agency import get_agency
from tenants.approval import BothSides
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import DomainError
from tenants.permission import NotAllowed
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, Factories, Tenant, transaction
from tests.matching.panel.stage import Panel, make_panel, name, put
from tests.matching.placement.stage import TODAY, make_matched
from tests.matching.report_factory import make_link


class TestDecide:
    def test_is_recorded_as_the_decision_makers_own_and_a_second_goes_beside(
        self, factories: Factories, database: Database
    ) -> None:
        panel = make_panel(factories, database)
        decider = panel.people[Role.DECISION_MAKER]

        _decide(database, decider, approved=False, earlier=0)
        with pytest.raises(LinkMoved):
            _decide(database, decider, earlier=0)
        _decide(database, decider, earlier=1)

        with transaction(database, panel.pairing.family) as session:
            made = decisions_of(session, [get_link(session, panel.pairing.link_id)])[panel.pairing.link_id]
            assert [(each.approved, each.number) for each in made] == [(False, 1), (True, 2)]
            assert {each.person_id for each in made} == {decider.scope.person_id}

    def test_is_won_by_one_of_two_at_once(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database)
        second = factories.colleague(panel.pairing.children, roles=frozenset({Role.DECISION_MAKER}))
        name(database, panel.pairing, second, Role.DECISION_MAKER)
        gate = Barrier(4)

        def act(who: Tenant) -> str:
            gate.wait()
            try:
                _decide(database, who, earlier=0)
            except DomainError as refusal:
                return type(refusal).__name__
            return "decided"

        first = panel.people[Role.DECISION_MAKER]
        with ThreadPoolExecutor(4) as pool:
            done = sorted(pool.map(act, [first, second, first, second]))

        assert done == ["LinkMoved"] * 3 + ["decided"]

    def test_is_not_for_an_adviser_nor_for_who_is_not_named(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database)
        both = factories.colleague(panel.pairing.children, roles=frozenset({Role.DECISION_MAKER, Role.LEGAL_ADVISER}))
        advice = name(database, panel.pairing, both, Role.LEGAL_ADVISER)

        with pytest.raises(ReaderUnknown):
            _decide(database, both, reader_id=panel.readers[Role.DECISION_MAKER])
        with pytest.raises(NotTheDecider):
            _decide(database, both, reader_id=advice)
        with transaction(database, both) as session:
            write_advice(session, get_reading(session, advice, now=utc_now()).reader, words="It is.", now=utc_now())
        own = name(database, panel.pairing, both, Role.DECISION_MAKER)
        with pytest.raises(NotTheDecider, match="advised"):
            _decide(database, both, reader_id=own)

    def test_is_not_for_somebody_of_both_sides(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database)
        for role in (Role.DECISION_MAKER, Role.MEDICAL_ADVISER):
            person_id = panel.people[role].scope.person_id
            assert person_id is not None
            with database.transaction(OPERATOR) as session:
                there, person = get_agency(session, panel.pairing.family.id), get_person(session, person_id)
                appoint(session, person, agency=there, role=Role.FINANCE_OFFICER, starts_on=LONG_AGO)

        with pytest.raises(BothSides):
            _decide(database, panel.people[Role.DECISION_MAKER])
        with pytest.raises(BothSides):
            _advise(database, panel, Role.MEDICAL_ADVISER)

    def test_waits_for_the_panel(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database, at_panel=False)

        with pytest.raises(NotTheDecider):
            _decide(database, panel.people[Role.DECISION_MAKER])


class TestName:
    def test_takes_who_holds_the_role_once_and_takes_it_back(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database, at_panel=False)
        who = panel.people[Role.LEGAL_ADVISER]
        with pytest.raises(ReaderInvalid):
            name(database, panel.pairing, who, Role.MEDICAL_ADVISER)
        with pytest.raises(ReaderNamed):
            name(database, panel.pairing, who, Role.LEGAL_ADVISER)
        with pytest.raises(NotYourStep):
            name(database, replace(panel.pairing, children=panel.pairing.family), who, Role.LEGAL_ADVISER)

        with transaction(database, panel.pairing.children) as session:
            link = get_link(session, panel.pairing.link_id)
            (reader,) = (each for each in list_readers(session, link) if each.id == panel.readers[Role.LEGAL_ADVISER])
            end_reader(session, reader, now=utc_now())
            with pytest.raises(ReaderNamed):
                end_reader(session, reader, now=utc_now())

        with transaction(database, who) as session:
            assert list_readings(session, now=utc_now()) == []
        name(database, panel.pairing, who, Role.LEGAL_ADVISER)

    def test_opens_nothing_to_who_is_shut_out(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database)
        who = panel.people[Role.PANEL_ADVISER]
        assert who.scope.person_id is not None
        with transaction(database, panel.pairing.children) as session:
            group = get_group(session, panel.pairing.group_id)
            bar_person(session, group, person_id=who.scope.person_id, reason="Their cousin", now=utc_now())

        with transaction(database, who) as session:
            assert list_readings(session, now=utc_now()) == []
            with pytest.raises(ReaderUnknown):
                get_reading(session, panel.readers[Role.PANEL_ADVISER], now=utc_now())


class TestAdvise:
    def test_is_read_by_the_others_in_the_advisers_words(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database)
        _advise(database, panel, Role.MEDICAL_ADVISER)
        _advise(database, panel, Role.PANEL_ADVISER, finding=Finding.READY)
        with transaction(database, panel.pairing.children) as session:
            link = get_link(session, panel.pairing.link_id)
            write_minutes(session, link, finding=Finding.RECOMMENDED, words="All agree.", now=utc_now())

        with transaction(database, panel.people[Role.DECISION_MAKER]) as session:
            link = get_link(session, panel.pairing.link_id)
            said = {
                line.paper.kind: (line.words, line.paper.finding) for line in read_papers(session, link, now=utc_now())
            }
        assert said["medical"] == ("She thrives.", None)  # type: ignore[index]
        assert said["check"] == ("She thrives.", Finding.READY)  # type: ignore[index]
        assert said["minutes"] == ("All agree.", Finding.RECOMMENDED)  # type: ignore[index]

    def test_is_the_named_advisers_alone(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database)

        with pytest.raises(NotAllowed):
            _advise(database, panel, Role.DECISION_MAKER)
        with pytest.raises(PaperInvalid):
            _advise(database, panel, Role.PANEL_ADVISER)
        with transaction(database, panel.people[Role.MEDICAL_ADVISER]) as session:
            theirs = get_reading(session, panel.readers[Role.MEDICAL_ADVISER], now=utc_now()).reader
            theirs_id = theirs.id
        with transaction(database, panel.people[Role.LEGAL_ADVISER]) as session, pytest.raises(ReaderUnknown):
            get_reading(session, theirs_id, now=utc_now())


class TestPut:
    def test_puts_each_agencys_own_once(self, factories: Factories, database: Database) -> None:
        panel = make_panel(factories, database, papers=False)
        put(database, panel.pairing.family, panel.pairing)

        with transaction(database, panel.pairing.family) as session:
            link = get_link(session, panel.pairing.link_id)
            assert [paper.kind for paper in list_papers(session, link)] == ["par"]
            with pytest.raises(NothingToPut):
                put_reports(session, link, now=utc_now())

    def test_waits_for_the_shortlist_and_ends_with_the_match(self, factories: Factories, database: Database) -> None:
        for pairing in (make_link(factories, database), make_matched(factories, database)):
            with transaction(database, pairing.children) as session:
                link = get_link(session, pairing.link_id)
                with pytest.raises(DomainError, match="from the shortlist to the panel"):
                    put_reports(session, link, now=utc_now())


def _advise(database: Database, panel: Panel, role: Role, *, finding: Finding | None = None) -> None:
    with transaction(database, panel.people[role]) as session:
        reading = get_reading(session, panel.readers[role], now=utc_now())
        write_advice(session, reading.reader, words="She thrives.", finding=finding, now=utc_now())


def _decide(
    database: Database,
    who: Tenant,
    *,
    approved: bool = True,
    earlier: int = 0,
    reader_id: Any = None,
) -> MatchDecision:
    with transaction(database, who) as session:
        now = utc_now()
        own = [each.reader.id for each in list_readings(session, now=now)]
        reading = get_reading(session, reader_id or own[0], now=now)
        facts: dict[str, Any] = {"approved": approved, "decided_on": TODAY, "reason": "Their needs are met."}
        return decide(session, reading, **facts, earlier=earlier, now=now)
