"""Each guard by itself: what it refuses, in which words, and that it lets the step pass once it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.household import HouseholdStatus, get_household
from matching.legal_hold import HoldKind, list_legal_holds
from matching.link import LinkOutcome, LinkPath, LinkState, NotYet, StepName, decide_match, find_open_link, get_link
from matching.need import YesNo
from matching.ranking.facts import LegalPosition
from matching.sibling_group import Child, GroupStatus, get_group
from matching.transition import (
    consider,
    end_link,
    find_transition,
    lift_legal_hold,
    missing,
    set_legal_hold,
    start_link,
)
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.placement.stage import TODAY, agree_plan, make_matched, make_placed, step
from tests.matching.report_factory import Pairing, make_link

Change = Callable[[Session, Pairing], Any]
TO_MEETING = (StepName.SHORTLIST, StepName.VISIT, StepName.MEET)


def _group(**values: Any) -> Change:
    def change(session: Session, pairing: Pairing) -> None:
        for name, value in values.items():
            setattr(get_group(session, pairing.group_id), name, value)

    return change


def _child(*, unborn: bool) -> Change:
    def change(session: Session, pairing: Pairing) -> None:
        session.scalars(select(Child).where(Child.sibling_group_id == pairing.group_id)).one().unborn = unborn

    return change


def _hold(session: Session, pairing: Pairing) -> None:
    group = get_group(session, pairing.group_id)
    set_legal_hold(session, group, kind=HoldKind.REVOCATION, from_on=TODAY, reason="Their mother asks.", now=utc_now())


def _lift(session: Session, pairing: Pairing) -> None:
    for hold in list_legal_holds(session, pairing.group_id, standing=True):
        lift_legal_hold(session, hold, reason="The court refused.", now=utc_now())


def _decide(*, approved: bool, earlier: int) -> Change:
    def change(session: Session, pairing: Pairing) -> None:
        link, facts = get_link(session, pairing.link_id), {"decided_on": TODAY, "reason": "Their needs."}
        decide_match(session, link, approved=approved, earlier=earlier, now=utc_now(), **facts)  # type: ignore[arg-type]

    return change


class TestGoOn:
    def test_waits_while_either_is_matched_with_others_and_goes_on_once_that_ends(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        second = _second_family(factories, database, pairing)
        other = _second_group(factories, database, pairing)
        with transaction(database, pairing.children) as session:
            children, family = get_group(session, pairing.group_id), factories.household(pairing.family)
            household = get_household(session, family)
            third = start_link(session, group=children, household=household, reason="They may.", now=utc_now()).id
        make_matched(factories, database, pairing)

        with pytest.raises(NotYet, match="placed, with another family"):
            step(database, second.children, second, StepName.SHORTLIST)
        with transaction(database, pairing.family) as session:
            with pytest.raises(NotYet, match="placed, with another family"):
                consider(session, get_link(session, third), version=1, reason="We do.", now=utc_now())
            shortlist = find_transition(LinkState.CONSIDERING, StepName.SHORTLIST)
            assert shortlist is not None
            refusals = missing(session, get_link(session, other.link_id), shortlist, now=utc_now())
            assert ["matched with other children" in str(each) for each in refusals] == [True]

            link, words = get_link(session, pairing.link_id), {"feedback": "Thank you.", "reason": "They left."}
            end_link(session, link, outcome=LinkOutcome.OTHER, version=link.version, now=utc_now(), **words)
        step(database, second.children, second, StepName.SHORTLIST)

    def test_is_told_early_of_a_match_with_a_third_agency_and_not_with_whom(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        other = _second_group(factories, database, pairing)
        make_matched(factories, database, pairing)

        with pytest.raises(NotYet, match="matched with other children") as refusal:
            step(database, other.children, other, StepName.SHORTLIST)

        with transaction(database, pairing.children) as session:
            code = get_group(session, pairing.group_id).code
        assert not any(each in str(refusal.value) for each in (code, pairing.children.name))
        with transaction(database, other.children) as session:
            asked = text("SELECT count(*) FROM matched_elsewhere(:link)")
            assert session.scalar(asked, {"link": other.link_id}) == 1
            assert session.scalar(asked, {"link": pairing.link_id}) == 0

    def test_takes_children_whom_a_sheet_calls_matched_for_nobodys(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        matched, waiting = _group(status=GroupStatus.MATCHED), _group(status=GroupStatus.WAITING)

        _refused_until(database, pairing, StepName.SHORTLIST, matched, waiting, "no link says with whom")


class TestGoToPanel:
    @pytest.mark.parametrize(
        ("broken", "mended", "words"),
        [
            (_group(shobpa_on=None), _group(shobpa_on=TODAY), "SHOBPA"),
            (_group(shobpa_on=TODAY + timedelta(days=1)), _group(shobpa_on=TODAY), "SHOBPA"),
            (_group(status=GroupStatus.WITHDRAWN), _group(status=GroupStatus.ON_HOLD), "withdrawn"),
        ],
    )
    def test_waits_for_what_it_needs(
        self, factories: Factories, database: Database, broken: Change, mended: Change, words: str
    ) -> None:
        pairing = make_link(factories, database)
        _steps(database, pairing, TO_MEETING)

        _refused_until(database, pairing, StepName.GO_TO_PANEL, broken, mended, words)

    def test_takes_one_family_of_a_group(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        second = _second_family(factories, database, pairing)
        for each in (pairing, second):
            _steps(database, each, TO_MEETING)
        step(database, pairing.children, pairing, StepName.GO_TO_PANEL, day=TODAY)

        with pytest.raises(NotYet, match="Only one goes to panel"):
            step(database, second.children, second, StepName.GO_TO_PANEL, day=TODAY)

    def test_takes_a_family_to_one_group(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        other = _second_group(factories, database, pairing)
        for each in (pairing, other):
            _steps(database, each, TO_MEETING)
        step(database, pairing.children, pairing, StepName.GO_TO_PANEL, day=TODAY)

        with pytest.raises(NotYet, match="with somebody else"):
            step(database, other.children, other, StepName.GO_TO_PANEL, day=TODAY)
        with transaction(database, other.children) as session:
            assert get_link(session, other.link_id).state is LinkState.LINKING_MEETING


class TestMatch:
    @pytest.mark.parametrize(
        ("broken", "words"),
        [(lambda _session, _pairing: None, "not decided"), (_decide(approved=False, earlier=0), "did not approve")],
    )
    def test_waits_for_the_decision_maker(
        self, factories: Factories, database: Database, broken: Change, words: str
    ) -> None:
        pairing = make_link(factories, database)
        _steps(database, pairing, (*TO_MEETING, StepName.GO_TO_PANEL))
        approve = _decide(approved=True, earlier=1 if "approve" in words else 0)

        _refused_until(database, pairing, StepName.MATCH, broken, approve, words)


class TestPlace:
    @pytest.mark.parametrize(
        ("broken", "mended", "words"),
        [
            (
                _group(legal_position=LegalPosition.ORDER_APPLIED),
                _group(legal_position=LegalPosition.ORDER_GRANTED),
                "no placement order",
            ),
            (
                _group(legal_position=LegalPosition.UNKNOWN, placement_order_on=None),
                _group(placement_order_on=TODAY),
                "no placement order",
            ),
            (
                _group(legal_position=LegalPosition.CONTESTED, placement_order_on=TODAY + timedelta(days=1)),
                _group(legal_position=LegalPosition.CONSENT),
                "no placement order",
            ),
            (_hold, _lift, "legal hold stands"),
            (_child(unborn=True), _child(unborn=False), "not born"),
            (_group(status=GroupStatus.WITHDRAWN), _group(status=GroupStatus.WAITING), "withdrawn"),
        ],
    )
    def test_waits_for_order_or_consent_no_hold_and_birth(
        self, factories: Factories, database: Database, broken: Change, mended: Change, words: str
    ) -> None:
        pairing = make_matched(factories, database)
        agree_plan(database, pairing)
        step(database, pairing.children, pairing, StepName.INTRODUCE, day=TODAY)

        _refused_until(database, pairing, StepName.PLACE, broken, mended, words)


class TestEarlyPermanence:
    def test_moves_children_in_before_panel_where_plan_and_approval_say_so(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        with transaction(database, pairing.children) as session:
            undecided = _group(shobpa_on=None, placement_order_on=None, legal_position=LegalPosition.UNKNOWN)
            undecided(session, pairing)

        with pytest.raises(NotYet, match="not the plan"):
            step(database, pairing.children, pairing, StepName.FOSTER, day=TODAY)
        with transaction(database, pairing.children) as session:
            get_group(session, pairing.group_id).early_permanence = YesNo.YES
        with pytest.raises(NotYet, match="not on record as approved"):
            step(database, pairing.children, pairing, StepName.FOSTER, day=TODAY)
        with transaction(database, pairing.family) as session:
            get_household(session, pairing.household_id).early_permanence_approved = YesNo.YES
        step(database, pairing.children, pairing, StepName.FOSTER, day=TODAY)

        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            assert (link.path, link.fostered_on, link.state) == (
                LinkPath.EARLY_PERMANENCE,
                TODAY,
                LinkState.CONSIDERING,
            )

    def test_skips_the_visit_and_introductions_and_waits_for_the_order_all_the_same(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = _with_carers(factories, database)

        with pytest.raises(NotYet, match="live with the family already"):
            step(database, pairing.children, pairing, StepName.VISIT, day=TODAY)
        for name in (StepName.MEET, StepName.GO_TO_PANEL):
            step(database, pairing.children, pairing, name, day=TODAY)
        with transaction(database, pairing.children) as session:
            _decide(approved=True, earlier=0)(session, pairing)
        step(database, pairing.children, pairing, StepName.MATCH)
        agree_plan(database, pairing)
        with pytest.raises(NotYet, match="nobody to introduce"):
            step(database, pairing.children, pairing, StepName.INTRODUCE, day=TODAY)
        with transaction(database, pairing.children) as session:
            _hold(session, pairing)
        with pytest.raises(NotYet, match="legal hold"):
            step(database, pairing.children, pairing, StepName.PLACE, day=TODAY)
        with transaction(database, pairing.children) as session:
            _lift(session, pairing)
        step(database, pairing.children, pairing, StepName.PLACE, day=TODAY)

        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            assert (link.state, link.path) == (LinkState.PLACED, LinkPath.FOSTER_CARER)

    def test_is_said_once_and_only_by_the_childrens_agency(self, factories: Factories, database: Database) -> None:
        pairing = _with_carers(factories, database)

        with pytest.raises(NotYet):
            step(database, pairing.children, pairing, StepName.NAME_CARER, day=TODAY)

    def test_asks_whoever_has_no_child_at_home_for_visits(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        step(database, pairing.children, pairing, StepName.SHORTLIST)
        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            # The table has the way past the visit, for foster carers; its guard says what it is for.
            found = find_transition(link.state, StepName.MEET)
            assert found is not None
            assert [str(each) for each in missing(session, link, found, now=utc_now())] == [
                "The children do not live with the family, so visits and introductions come first."
            ]


class TestOrder:
    def test_is_not_for_children_who_are_not_placed(self, factories: Factories, database: Database) -> None:
        placed = make_placed(factories, database)

        with transaction(database, placed.children) as session:
            assert find_transition(get_link(session, placed.link_id).state, StepName.ORDER)
            assert find_transition(LinkState.INTRODUCTIONS, StepName.ORDER) is None


class TestConsider:
    @pytest.mark.parametrize("mine", [True, False])
    def test_waits_while_one_is_withdrawn(self, factories: Factories, database: Database, mine: bool) -> None:
        pairing = make_link(factories, database, considered=False)
        if mine:
            with transaction(database, pairing.family) as session:
                get_household(session, pairing.household_id).status = HouseholdStatus.WITHDRAWN
        else:
            with transaction(database, pairing.children) as session:
                get_group(session, pairing.group_id).status = GroupStatus.WITHDRAWN

        with transaction(database, pairing.family) as session, pytest.raises(NotYet, match="withdrawn"):
            consider(session, get_link(session, pairing.link_id), version=1, reason="We do.", now=utc_now())


def _refused_until(
    database: Database, pairing: Pairing, name: StepName, broken: Change, mended: Change, words: str
) -> None:
    """Break what a step needs, see it refused on the page and when taken, mend it, and see it taken."""
    with transaction(database, pairing.children) as session:
        broken(session, pairing)
    with transaction(database, pairing.children) as session:
        link = get_link(session, pairing.link_id)
        transition = find_transition(link.state, name)
        assert transition is not None
        assert any(words in str(each) for each in missing(session, link, transition, now=utc_now()))
        before = (link.state, link.version)
    with pytest.raises(NotYet, match=words):
        step(database, pairing.children, pairing, name, day=TODAY)
    with transaction(database, pairing.children) as session:
        link = get_link(session, pairing.link_id)
        assert (link.state, link.version) == before
        mended(session, pairing)
    step(database, pairing.children, pairing, name, day=TODAY)
    with transaction(database, pairing.family) as session:
        assert get_link(session, pairing.link_id).state is transition.target


def _steps(database: Database, pairing: Pairing, names: tuple[StepName, ...]) -> None:
    for name in names:
        step(database, pairing.children, pairing, name, day=TODAY)


def _with_carers(factories: Factories, database: Database) -> Pairing:
    pairing = make_link(factories, database)
    step(database, pairing.children, pairing, StepName.NAME_CARER, day=TODAY - timedelta(days=30))
    step(database, pairing.children, pairing, StepName.SHORTLIST)
    return pairing


def _second_family(factories: Factories, database: Database, pairing: Pairing) -> Pairing:
    return _linked(database, pairing, pairing.group_id, factories.household(pairing.family))


def _second_group(factories: Factories, database: Database, pairing: Pairing) -> Pairing:
    assert pairing.children.scope.consortium_id
    third = factories.tenant(pairing.children.scope.consortium_id)
    other = Pairing(third, pairing.family, factories.group(third), pairing.household_id, pairing.link_id)
    return _linked(database, other, other.group_id, other.household_id)


def _linked(database: Database, pairing: Pairing, group_id: UUID, household_id: UUID) -> Pairing:
    children, family = pairing.children, pairing.family
    with transaction(database, children) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        link_id = start_link(session, group=group, household=household, reason="They like dogs.", now=utc_now()).id
    with transaction(database, family) as session:
        consider(session, get_link(session, link_id), version=1, reason="We do.", now=utc_now())
        assert find_open_link(session, group_id=group_id, household_id=household_id)
    return Pairing(children, family, group_id, household_id, link_id)
