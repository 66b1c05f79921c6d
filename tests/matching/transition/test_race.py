"""Many at once, on a real PostgreSQL: one wins, the others see why, and nothing is half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from concord.servers.login import DatabaseUrls
from matching.household import get_household
from matching.legal_hold import HoldKind
from matching.link import LinkOutcome, LinkState, StepName, find_decision, get_link, list_steps
from matching.sibling_group import get_group
from matching.transition import StepFacts, change_plan, consider, end_link, set_legal_hold, start_link, take
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import DomainError
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories, transaction
from tests.matching.placement.stage import TODAY, WITHOUT_PAPERS, agree_plan, make_matched, step
from tests.matching.report_factory import make_link

CLIENTS = 64
TO_MEETING = (StepName.SHORTLIST, StepName.VISIT, StepName.MEET)


class TestPanel:
    def test_is_reached_by_one_family_of_many_that_are_sent_there_at_once(
        self, factories: Factories, crowd: Database
    ) -> None:
        consortium_id = factories.consortium(group_cap=CLIENTS)
        us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
        group_id, links = factories.group(us), []
        for _ in range(8):
            household_id = factories.household(them)
            with transaction(crowd, us) as session:
                pair: dict[str, Any] = {"group": get_group(session, group_id)}
                pair["household"] = get_household(session, household_id)
                links.append(start_link(session, **pair, reason="They like dogs.", now=utc_now()).id)
            with transaction(crowd, them) as session:
                consider(session, get_link(session, links[-1]), version=1, reason="We do.", now=utc_now())
            for name in TO_MEETING:
                with transaction(crowd, us) as session:
                    link = get_link(session, links[-1])
                    _take(session, link, name)

        def send(number: int) -> Callable[[], object]:
            def act() -> object:
                with transaction(crowd, us) as session:
                    return _take(
                        session, get_link(session, links[number % len(links)]), StepName.GO_TO_PANEL, version=5
                    )

            return act

        done = _at_once([send(number) for number in range(CLIENTS)])

        assert done.count(True) == 1
        assert {each for each in done if each is not True} <= {"NotYet", "LinkMoved"}
        with transaction(crowd, us) as session:
            states = [get_link(session, each).state for each in links]
            assert states.count(LinkState.PANEL) == 1
            assert states.count(LinkState.LINKING_MEETING) == len(links) - 1
            assert sorted(len(list_steps(session, get_link(session, each))) for each in links) == [5] * 7 + [6]


class TestSameClick:
    def test_counts_once_however_often_it_is_made(self, factories: Factories, crowd: Database) -> None:
        pairing = make_link(factories, crowd)

        def act() -> object:
            with transaction(crowd, pairing.children) as session:
                return _take(session, get_link(session, pairing.link_id), StepName.SHORTLIST, version=2)

        done = _at_once([act] * 16)

        assert sorted(map(str, done)) == ["LinkMoved"] * 15 + ["True"]


class TestCap:
    def test_lets_no_more_in_than_it_says(self, factories: Factories, crowd: Database) -> None:
        consortium_id = factories.consortium(group_cap=2)
        us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
        group_id, links = factories.group(us), []
        for _ in range(6):
            household_id = factories.household(them)
            with transaction(crowd, us) as session:
                group, household = get_group(session, group_id), get_household(session, household_id)
                links.append(start_link(session, group=group, household=household, reason="Yes.", now=utc_now()).id)

        def take_up(link_id: Any) -> Callable[[], object]:
            def act() -> object:
                with transaction(crowd, them) as session:
                    consider(session, get_link(session, link_id), version=1, reason="We do.", now=utc_now())
                return True

            return act

        done = _at_once([take_up(each) for each in links])

        assert sorted(map(str, done)) == ["CapReached"] * 4 + ["True"] * 2


class TestGuardThatFell:
    def test_stops_the_placing_or_comes_after_it(self, factories: Factories, crowd: Database) -> None:
        """A hold is set while the children are being placed: never are they placed after it was."""
        pairing = make_matched(factories, crowd)
        agree_plan(crowd, pairing)
        step(crowd, pairing.children, pairing, StepName.INTRODUCE, day=TODAY)

        def place() -> object:
            with transaction(crowd, pairing.children) as session:
                link = get_link(session, pairing.link_id)
                return _take(session, link, StepName.PLACE, version=link.version)

        def hold() -> object:
            with transaction(crowd, pairing.children) as session:
                group = get_group(session, pairing.group_id)
                set_legal_hold(session, group, kind=HoldKind.STAY, from_on=TODAY, reason="A stay.", now=utc_now())
            return "held"

        done = _at_once([place, hold, place, place])

        assert done[1] == "held"
        with transaction(crowd, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            steps = [each.step for each in list_steps(session, link)]
        placed = [each for each in (done[0], *done[2:]) if each is True]
        assert (link.state is LinkState.PLACED) is (len(placed) == 1)
        # Once the hold is told, no placing follows it.
        if StepName.HOLD in steps:
            assert StepName.PLACE not in steps


class TestEndOfAll:
    def test_leaves_no_link_open_and_every_one_with_what_it_came_to(
        self, factories: Factories, crowd: Database
    ) -> None:
        pairing = make_link(factories, crowd)

        def change() -> object:
            with transaction(crowd, pairing.children) as session:
                group = get_group(session, pairing.group_id)
                change_plan(session, group, reason="Home again.", feedback="Thank you.", now=utc_now())
            return True

        def end() -> object:
            with transaction(crowd, pairing.family) as session:
                facts: dict[str, Any] = {"outcome": LinkOutcome.FAMILY_WITHDREW, "feedback": "Sorry.", "reason": "No."}
                end_link(session, get_link(session, pairing.link_id), version=2, now=utc_now(), **facts)
            return True

        done = _at_once([change, end, change])

        assert done[0] is True or done[2] is True
        with transaction(crowd, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            assert link.outcome in {LinkOutcome.FAMILY_WITHDREW, LinkOutcome.PLAN_CHANGED}
            assert [each.to_state for each in list_steps(session, link)].count(LinkState.ENDED) == 1
            assert find_decision(session, link) is None


@pytest.fixture(scope="module")
def crowd(migrated: DatabaseUrls) -> Iterator[Database]:
    """The database, opened widely enough that nobody waits for a connection."""
    opened = Database(migrated.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY, pool_size=CLIENTS, max_overflow=4)
    yield opened
    opened.dispose()


def _take(session: Any, link: Any, name: StepName, *, version: int | None = None) -> bool:
    facts = StepFacts("It is time.", day=TODAY, override=WITHOUT_PAPERS if name is StepName.GO_TO_PANEL else None)
    take(session, link, name, version=version or link.version, facts=facts, now=utc_now())
    return True


def _at_once(acts: list[Callable[[], object]]) -> list[object]:
    """Let all begin at the same moment, and return what came of each: what it gave, or the name of its refusal."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        try:
            return act()
        except DomainError as refusal:
            return type(refusal).__name__

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
