from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from matching.document import ReportKind
from matching.grant import (
    DocumentGrant,
    GrantDecided,
    GrantInvalid,
    GrantState,
    GrantUnknown,
    NotTheirs,
    ask,
    decline,
    default_end,
    find_undertaking,
    get_grant,
    grant,
    list_grants,
    list_takers,
    offer,
    revoke,
    undertake,
)
from matching.link import LinkInvalid, get_link
from matching.report_stage import NotConsidered
from matching.transition import consider
from matching.undertaking import report_rules
from tenants import audit
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
from tests.matching.report_factory import Pairing, let_read, make_link

TODAY = utc_now().date()
LAST = TODAY + timedelta(days=7)


class TestAsk:
    def test_keeps_who_asks_and_why(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        grant_id = _ask(database, pairing)

        with transaction(database, pairing.family) as session:
            found = get_grant(session, grant_id)
            assert (found.person_name, found.reason) == (f"Sam Sample {pairing.children.slug}", "To prepare.")
            assert (found.reader_agency_id, found.owner_id) == (pairing.children.id, pairing.family.id)
            assert found.state(TODAY) is GrantState.ASKED
            entry = audit.list_entries_of(session, pairing.household_id)[0]
        assert (entry.act, entry.actor_agency_id) == (audit.Act.REQUEST, pairing.children.id)

    def test_is_done_once(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        _ask(database, pairing)

        with pytest.raises(GrantDecided):
            _ask(database, pairing)

    def test_is_done_once_when_twice_at_once(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda _: _try(lambda: _ask(database, pairing)), range(4)))

        assert sorted(type(each).__name__ for each in done) == ["GrantDecided"] * 3 + ["UUID"]

    def test_waits_until_the_link_is_considered(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database, considered=False)

        with pytest.raises(NotConsidered):
            _ask(database, pairing)

    def test_is_not_for_ones_own_reports(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        with transaction(database, pairing.family) as session, pytest.raises(NotTheirs):
            ask(session, get_link(session, pairing.link_id), kind=ReportKind.PAR, reason="x", now=utc_now())

    def test_asks_for_a_reason_and_a_role(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        with pytest.raises(LinkInvalid):
            _ask(database, pairing, reason=" ")
        with database.transaction(pairing.children.acting_as(Role.COORDINATOR)) as session:
            link = get_link(session, pairing.link_id)
            with pytest.raises(NotAllowed):
                ask(session, link, kind=ReportKind.PAR, reason="x", now=utc_now())


class TestGrant:
    def test_lets_who_asked_read_until_a_day(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = _ask(database, pairing)

        _decide(database, pairing, grant_id, "grant", ends_on=LAST)

        with transaction(database, pairing.children) as session:
            found = get_grant(session, grant_id)
            assert (found.ends_on, found.decided_name) == (LAST, f"Sam Sample {pairing.family.slug}")
            assert found.state(LAST) is GrantState.GRANTED
            assert found.state(LAST + timedelta(days=1)) is GrantState.OVER

    @pytest.mark.parametrize("days", [-1, report_rules().longest_grant_days + 1])
    def test_takes_no_day_past_or_far_ahead(self, factories: Factories, database: Database, days: int) -> None:
        pairing = make_link(factories, database)
        grant_id = _ask(database, pairing)

        with pytest.raises(GrantInvalid):
            _decide(database, pairing, grant_id, "grant", ends_on=TODAY + timedelta(days=days))

    def test_is_the_owners_alone(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = _ask(database, pairing)

        with transaction(database, pairing.children) as session, pytest.raises(NotTheirs):
            grant(session, get_grant(session, grant_id), ends_on=LAST, now=utc_now())
        with database.transaction(pairing.family.acting_as(Role.CHILDS_SOCIAL_WORKER)) as session:
            found = get_grant(session, grant_id)
            with pytest.raises(NotAllowed):
                grant(session, found, ends_on=LAST, now=utc_now())

    def test_does_not_bring_back_what_was_taken_back(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = let_read(database, pairing)
        _decide(database, pairing, grant_id, "revoke")

        for verb, facts in (("grant", {"ends_on": LAST}), ("decline", {}), ("revoke", {})):
            with pytest.raises(GrantDecided):
                _decide(database, pairing, grant_id, verb, **facts)

    def test_and_declining_at_once_leave_one_decision(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = _ask(database, pairing)

        works: list[Any] = [
            lambda: _decide(database, pairing, grant_id, "grant", ends_on=LAST),
            lambda: _decide(database, pairing, grant_id, "decline"),
        ]
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(_try, works))

        assert sorted(type(each).__name__ for each in done) == ["GrantDecided", "NoneType"]


class TestBothSides:
    """Somebody with roles in both agencies cannot open a report to themselves, nor speak for both sides."""

    def test_are_not_granted_by_who_asked(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = _ask(database, pairing)
        _appoint(database, pairing.children, agency_id=pairing.family.id)
        both = replace(pairing.children.scope, agency_id=pairing.family.id)

        with database.transaction(both) as session, pytest.raises(BothSides):
            grant(session, get_grant(session, grant_id), ends_on=LAST, now=utc_now())

    def test_are_not_granted_to_who_works_for_the_owner_too(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = _ask(database, pairing)
        _appoint(database, pairing.children, agency_id=pairing.family.id)

        with pytest.raises(BothSides):
            _decide(database, pairing, grant_id, "grant", ends_on=LAST)
        _decide(database, pairing, grant_id, "decline")
        person_id = pairing.children.scope.person_id
        assert person_id
        with transaction(database, pairing.family) as session, pytest.raises(BothSides):
            _offer(session, get_link(session, pairing.link_id), person_id)

    def test_do_not_consider_what_they_started(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database, considered=False)
        _appoint(database, pairing.children, agency_id=pairing.family.id)
        both = replace(pairing.children.scope, agency_id=pairing.family.id)

        with database.transaction(both) as session, pytest.raises(BothSides):
            consider(session, get_link(session, pairing.link_id), version=1, reason="x", now=utc_now())


class TestDecline:
    def test_keeps_why_and_lets_them_ask_again(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = _ask(database, pairing)

        _decide(database, pairing, grant_id, "decline")

        with transaction(database, pairing.children) as session:
            found = get_grant(session, grant_id)
            assert (found.declined, found.state(TODAY)) == ("Not yet.", GrantState.DECLINED)
        assert _ask(database, pairing) != grant_id


class TestOffer:
    def test_is_made_to_who_took_part(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            (taker,) = list_takers(session, link)
            assert taker.person_id is not None
            found = _offer(session, link, taker.person_id)
            assert (found.person_id, found.asked_at) == (pairing.children.scope.person_id, None)
            with pytest.raises(GrantDecided):
                _offer(session, link, taker.person_id)

    def test_is_made_to_nobody_else(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        own = pairing.family.scope.person_id
        assert own

        with transaction(database, pairing.family) as session:
            for person_id in (uuid4(), own):
                with pytest.raises(GrantInvalid):
                    _offer(session, get_link(session, pairing.link_id), person_id)


class TestUndertake:
    def test_keeps_who_when_and_which_wording_once(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = let_read(database, pairing)

        with transaction(database, pairing.children) as session:
            found = get_grant(session, grant_id)
            kept = find_undertaking(session, found)
            assert kept is not None
            assert (kept.person_id, kept.wording) == (pairing.children.scope.person_id, 1)
            assert undertake(session, found, wording=1, now=utc_now()) is kept

    def test_wants_the_wording_in_force(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = let_read(database, pairing, undertaken=False)

        with transaction(database, pairing.children) as session, pytest.raises(GrantInvalid):
            undertake(session, get_grant(session, grant_id), wording=0, now=utc_now())

    def test_is_for_who_may_read_alone(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        asked = _ask(database, pairing)

        for tenant in (pairing.children, pairing.family):
            with transaction(database, tenant) as session, pytest.raises(GrantUnknown):
                undertake(session, get_grant(session, asked), wording=1, now=utc_now())


class TestListGrants:
    def test_shows_the_two_sides_and_nobody_else(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        grant_id = _ask(database, pairing)
        assert pairing.children.scope.consortium_id
        third = factories.tenant(pairing.children.scope.consortium_id)

        for tenant, seen in ((pairing.children, [grant_id]), (pairing.family, [grant_id])):
            with transaction(database, tenant) as session:
                assert [each.id for each in list_grants(session, get_link(session, pairing.link_id))] == seen
        with transaction(database, third) as session, pytest.raises(GrantUnknown):
            get_grant(session, grant_id)


class TestReportRules:
    def test_say_how_long_and_what_is_promised(self) -> None:
        rules = report_rules()

        assert 0 < rules.grant_days <= rules.longest_grant_days
        assert default_end(utc_now()) == utc_now().date() + timedelta(days=rules.grant_days)
        assert sorted({wording.version for wording in rules.wordings}) == list(range(1, len(rules.wordings) + 1))
        assert all(wording.promises for wording in rules.wordings)


def _appoint(database: Database, tenant: Tenant, *, agency_id: UUID) -> None:
    assert tenant.scope.person_id
    with database.transaction(OPERATOR) as session:
        agency, person = get_agency(session, agency_id), get_person(session, tenant.scope.person_id)
        appoint(session, person, agency=agency, role=Role.MANAGER, starts_on=LONG_AGO)


def _ask(database: Database, pairing: Pairing, *, reason: str = "To prepare.") -> UUID:
    with transaction(database, pairing.children) as session:
        link = get_link(session, pairing.link_id)
        return ask(session, link, kind=ReportKind.PAR, reason=reason, now=utc_now()).id


def _decide(database: Database, pairing: Pairing, grant_id: UUID, verb: str, **facts: Any) -> None:
    given = {} if verb == "grant" else {"reason": "Not yet."}
    with transaction(database, pairing.family) as session:
        work = {"grant": grant, "decline": decline, "revoke": revoke}[verb]
        work(session, get_grant(session, grant_id), now=utc_now(), **given, **facts)  # type: ignore[operator]


def _offer(session: Any, link: Any, person_id: UUID) -> DocumentGrant:
    return offer(
        session, link, kind=ReportKind.PAR, person_id=person_id, reason="You will visit.", ends_on=LAST, now=utc_now()
    )


def _try(work: Any) -> object:
    try:
        return work()
    except DomainError as refusal:
        return refusal
