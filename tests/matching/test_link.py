from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from matching.actor import NotSomebody
from matching.household import HouseholdStatus, get_household
from matching.link import (
    FINAL,
    MOST_CHARACTERS,
    LinkAlreadyOpen,
    LinkInvalid,
    LinkMoved,
    LinkOutcome,
    LinkState,
    LinkUnknown,
    NoSuchStep,
    NotYourStep,
    find_open_link,
    get_link,
    list_steps,
)
from matching.link_course import read_course
from matching.link_list import list_links, list_links_of, read_link
from matching.sibling_group import get_group
from matching.transition import TRANSITIONS, consider, end_link, start_link
from tenants import audit
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import DomainError
from tenants.permission import NotAllowed
from tenants.role import Role
from tenants.scope import Scope
from tests.factories import Factories, Tenant, transaction
from tests.matching.report_factory import Pairing, make_link

ENDING: dict[str, Any] = {"outcome": LinkOutcome.NOT_RIGHT, "feedback": "They were kind.", "reason": "It is too far."}


class TestStartLink:
    @pytest.mark.parametrize("side", [0, 1])
    def test_may_be_done_by_either_side(self, factories: Factories, database: Database, side: int) -> None:
        both = factories.two_tenants()
        group_id, household_id = factories.group(both[0]), factories.household(both[1])

        link_id = _start(database, both[side].scope, group_id, household_id)

        for tenant in both:
            with transaction(database, tenant) as session:
                link = get_link(session, link_id)
                assert (link.state, link.started_by_id, link.version) == (LinkState.INTEREST, both[side].id, 1)
                (step,) = list_steps(session, link)
                assert (step.person_name, step.reason) == (f"Sam Sample {both[side].slug}", "They like dogs.")
                (entry,) = audit.list_entries_of(session, link_id)
                assert (entry.act, entry.owner_agency_id) == (audit.Act.ADD, both[1 - side].id)

    def test_joins_records_of_one_agency_too(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()

        assert _start(database, us.scope, factories.group(us), factories.household(us))

    def test_wants_one_of_the_two_to_be_ones_own(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(them), factories.household(them)

        with pytest.raises(NotYourStep):
            _start(database, us.scope, group_id, household_id)

    def test_lets_one_link_of_a_pair_be_open(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        with pytest.raises(LinkAlreadyOpen):
            _start(database, pairing.family.scope, pairing.group_id, pairing.household_id)
        _end(database, pairing.family, pairing.link_id, version=2)

        assert _start(database, pairing.family.scope, pairing.group_id, pairing.household_id) != pairing.link_id

    def test_is_done_once_when_two_do_it_at_once(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)

        with ThreadPoolExecutor(4) as pool:
            scopes = [us.scope, them.scope, us.scope, them.scope]
            done = list(pool.map(lambda scope: _try(lambda: _start(database, scope, group_id, household_id)), scopes))

        assert sorted(type(each).__name__ for each in done) == ["LinkAlreadyOpen"] * 3 + ["UUID"]

    @pytest.mark.parametrize("reason", ["", "  \n ", "x" * (MOST_CHARACTERS + 1)])
    def test_asks_for_a_reason(self, factories: Factories, database: Database, reason: str) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)

        with pytest.raises(LinkInvalid):
            _start(database, us.scope, group_id, household_id, reason=reason)

    def test_refuses_what_is_withdrawn(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them, status=HouseholdStatus.WITHDRAWN)

        with pytest.raises(LinkInvalid, match="withdrawn"):
            _start(database, us.scope, group_id, household_id)

    def test_is_the_work_of_people_with_the_role(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us), factories.household(them)

        for scope, refusal in (
            (us.acting_as(Role.CHILDS_SOCIAL_WORKER), NotAllowed),
            (replace(us.scope, person_id=None), NotSomebody),
        ):
            with pytest.raises(refusal):
                _start(database, scope, group_id, household_id)


class TestConsider:
    def test_is_the_step_of_the_side_that_did_not_start(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database, considered=False)

        with transaction(database, pairing.children) as session, pytest.raises(NotYourStep):
            consider(session, get_link(session, pairing.link_id), version=1, reason="We do.", now=utc_now())
        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            consider(session, link, version=1, reason="We do.", now=utc_now())
            assert (link.state, link.version) == (LinkState.CONSIDERING, 2)

    def test_tells_who_was_first(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database, considered=False)
        _end(database, pairing.children, pairing.link_id, version=1)

        with transaction(database, pairing.family) as session, pytest.raises(LinkMoved) as refused:
            consider(session, get_link(session, pairing.link_id), version=1, reason="We do.", now=utc_now())

        assert f"Sam Sample {pairing.children.slug} of {pairing.children.name} was first" in str(refused.value)
        assert "“Ended”" in str(refused.value)

    def test_is_not_taken_twice_nor_back(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        with transaction(database, pairing.family) as session, pytest.raises(NoSuchStep):
            consider(session, get_link(session, pairing.link_id), version=2, reason="Again.", now=utc_now())

    def test_waits_while_one_is_withdrawn(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database, considered=False)
        with transaction(database, pairing.family) as session:
            get_household(session, pairing.household_id).status = HouseholdStatus.WITHDRAWN

        with transaction(database, pairing.family) as session, pytest.raises(NoSuchStep, match="withdrawn"):
            consider(session, get_link(session, pairing.link_id), version=1, reason="We do.", now=utc_now())

    def test_lets_one_of_two_win_and_tells_the_other(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database, considered=False)

        def taken_up() -> object:
            with transaction(database, pairing.family) as session:
                link = get_link(session, pairing.link_id)
                return consider(session, link, version=1, reason="We do.", now=utc_now()).version

        def ended() -> object:
            _end(database, pairing.children, pairing.link_id, version=1)
            return 2

        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(_try, [taken_up, ended, taken_up, ended]))

        assert sorted(type(each).__name__ for each in done) == ["LinkMoved"] * 3 + ["int"]
        with transaction(database, pairing.family) as session:
            assert [step.version for step in list_steps(session, get_link(session, pairing.link_id))] == [2, 1]


class TestEndLink:
    @pytest.mark.parametrize("considered", [False, True])
    def test_keeps_outcome_reason_and_feedback(
        self, factories: Factories, database: Database, considered: bool
    ) -> None:
        pairing = make_link(factories, database, considered=considered)

        _end(database, pairing.children, pairing.link_id, version=1 + considered)

        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            assert (link.outcome, link.feedback, link.open) == (LinkOutcome.NOT_RIGHT, "They were kind.", False)
            assert list_steps(session, link)[0].reason == "It is too far."

    @pytest.mark.parametrize("empty", ["reason", "feedback"])
    def test_asks_for_words(self, factories: Factories, database: Database, empty: str) -> None:
        pairing = make_link(factories, database)

        with pytest.raises(LinkInvalid):
            _end(database, pairing.children, pairing.link_id, version=2, **{empty: " "})

    def test_is_for_good(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        _end(database, pairing.children, pairing.link_id, version=2)

        with pytest.raises(LinkMoved):
            _end(database, pairing.children, pairing.link_id, version=3)


class TestGetLink:
    def test_is_not_found_by_anyone_but_the_two(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        for outsider in _outsiders(factories, pairing):
            for link_id in (pairing.link_id, uuid4()):
                with transaction(database, outsider) as session, pytest.raises(LinkUnknown) as refused:
                    get_link(session, link_id)
                assert str(refused.value) == "There is no such link of your agency."


class TestListLinks:
    def test_lists_one_side_or_both_open_or_ended(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)

        assert _listed(database, pairing.children) == [pairing.link_id]
        assert _listed(database, pairing.children, side="children") == [pairing.link_id]
        assert _listed(database, pairing.children, side="families") == []
        assert _listed(database, pairing.children, ended=True) == []
        _end(database, pairing.children, pairing.link_id, version=2)
        assert _listed(database, pairing.family, ended=True) == [pairing.link_id]
        for outsider in _outsiders(factories, pairing):
            assert _listed(database, outsider) == _listed(database, outsider, ended=True) == []

    def test_tells_what_is_to_be_done(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database, considered=False)

        for tenant, to_do in ((pairing.children, None), (pairing.family, "Say whether you consider it")):
            with transaction(database, tenant) as session:
                (card,) = list_links_of(session, pairing.group_id, on=utc_now().date())
                assert (card.to_do, card.group, card.other) == (
                    to_do,
                    get_group(session, pairing.group_id).code,
                    (pairing.family if tenant is pairing.children else pairing.children).name,
                )
                assert find_open_link(session, group_id=pairing.group_id, household_id=pairing.household_id)
                link = read_link(session, pairing.link_id).link
                forward = read_course(session, link, steps=[], now=utc_now()).forward
                assert forward is not None
                assert forward.mine is (to_do is not None)


class TestTransitions:
    def test_name_each_way_once(self) -> None:
        ways = [(source, each.step) for each in TRANSITIONS for source in each.sources]

        assert len(ways) == len(set(ways))
        assert not {source for source, _ in ways} & FINAL


def _start(
    database: Database, scope: Scope, group_id: UUID, household_id: UUID, *, reason: str = "They like dogs."
) -> UUID:
    with database.transaction(scope) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        return start_link(session, group=group, household=household, reason=reason, now=utc_now()).id


def _end(database: Database, tenant: Tenant, link_id: UUID, *, version: int, **words: str) -> None:
    with transaction(database, tenant) as session:
        end_link(session, get_link(session, link_id), version=version, now=utc_now(), **(ENDING | words))


def _try(work: Any) -> object:
    try:
        return work()
    except DomainError as refusal:
        return refusal


def _outsiders(factories: Factories, pairing: Pairing) -> tuple[Tenant, Tenant]:
    """Return a third agency of the same consortium, and one of another."""
    assert pairing.children.scope.consortium_id
    return factories.tenant(pairing.children.scope.consortium_id), factories.tenant(factories.consortium())


def _listed(database: Database, tenant: Tenant, *, ended: bool = False, side: str = "all") -> list[UUID]:
    with transaction(database, tenant) as session:
        page = list_links(session, ended=ended, side=side, number=1, on=utc_now().date())
        return [card.id for card in page.cards]
