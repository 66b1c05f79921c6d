from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from matching.bar import bar_person, list_bars
from matching.document import Document, add_cpr
from matching.document_check import CheckedPdf
from matching.household import get_household
from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.group_record import take_groups
from matching.intake.outcome import Outcome
from matching.legal_hold import HoldKind, list_legal_holds
from matching.link import LinkInvalid, LinkOutcome, LinkState, NotYet, NotYourStep, get_link
from matching.ranking.facts import Sex
from matching.retention.hold import hold_on, place_hold
from matching.sibling_decision import Decided, SiblingCourse, join_groups, list_decisions_of, split_group
from matching.sibling_group import (
    Child,
    ExclusionArea,
    GroupStatus,
    SiblingGroup,
    get_group,
    list_children,
    read_identity,
)
from matching.transition import set_legal_hold, start_link
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, make_placed

THREE: Any = tuple((date(2020 + year, 5, 1), Sex.FEMALE) for year in range(3))
DECIDED = Decided("A panel of three", TODAY, "Their needs differ.", "You were kind.")


class TestSplitGroup:
    def test_keeps_the_children_as_they_were_in_a_group_of_their_own(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us, children=THREE, exclusion_areas={"PL4": 10}, sibling_household="H-S1B11N")
        before = _children(database, us, group_id)

        added_id = _split(database, us, group_id, before[1:])

        assert _children(database, us, group_id) == before[:1]
        assert _children(database, us, added_id) == before[1:]
        with transaction(database, us) as session:
            group, added = get_group(session, group_id), get_group(session, added_id)
            assert read_identity(session, added, now=utc_now())[0] == "NEW-1"
            assert added.code != group.code
            assert (added.shobpa_on, added.legal_position) == (group.shobpa_on, group.legal_position)
            assert _areas(session, added_id) == _areas(session, group_id) == {"PL4": 10}
            for each in (group, added):
                [(decision, moves)] = list_decisions_of(session, each)
                assert (decision.kind, decision.decided_by) == (SiblingCourse.APART, "A panel of three")
                assert {(move.from_group_id, move.sibling_group_id) for move in moves} == {(group_id, added_id)}
        with transaction(database, them) as session:
            # In-house until its family-finder shares it.
            assert session.get(type(group), added_id) is None
            assert list_decisions_of(session, get_group(session, group_id)) == []

    def test_ends_the_open_links_with_feedback(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, household_id = factories.group(us, children=THREE), factories.household(them)
        with transaction(database, them) as session:
            group, household = get_group(session, group_id), get_household(session, household_id)
            link_id = start_link(session, group=group, household=household, reason="Yes.", now=utc_now()).id

        _split(database, us, group_id, _children(database, us, group_id)[:1])

        with transaction(database, them) as session:
            link = get_link(session, link_id)
            assert (link.state, link.outcome, link.feedback) == (
                LinkState.ENDED,
                LinkOutcome.GROUP_CHANGED,
                "You were kind.",
            )

    def test_takes_a_childs_own_report_along(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, children=THREE)
        child_id = _children(database, us, group_id)[2]
        with transaction(database, us) as session:
            group, file = get_group(session, group_id), CheckedPdf(b"%PDF-made-up", 1)
            add_cpr(session, group, file=file, child=session.get_one(Child, child_id), now=utc_now())
            add_cpr(session, group, file=file, now=utc_now())

        added_id = _split(database, us, group_id, [child_id])

        with transaction(database, us) as session:
            found = {each.child_id: each.sibling_group_id for each in session.scalars(select(Document))}
            assert found == {child_id: added_id, None: group_id}

    def test_keeps_who_is_shut_out_and_what_holds_stand(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        aunt = factories.colleague(us, roles=us.scope.roles)
        group_id = factories.group(us, children=THREE)
        _safeguard(database, us, group_id, aunt)

        added_id = _split(database, us, group_id, _children(database, us, group_id)[1:])

        _assert_safe(database, us, added_id, aunt)
        _assert_safe(database, us, group_id, aunt)

    @pytest.mark.parametrize("chosen", [[], [0, 1, 2]])
    def test_leaves_somebody_on_both_sides(self, factories: Factories, database: Database, chosen: list[int]) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, children=THREE)
        children = _children(database, us, group_id)

        with pytest.raises(LinkInvalid, match="at least one stays"):
            _split(database, us, group_id, [children[number] for number in chosen])

    def test_is_decided_by_the_childrens_own_agency(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us, children=THREE)
        children = _children(database, us, group_id)

        with pytest.raises(NotYourStep):
            _split(database, them, group_id, children[:1])
        with pytest.raises(NotAllowed):
            _split(database, replace(us, scope=us.acting_as(Role.ADOPTERS_WORKER)), group_id, children[:1])
        with pytest.raises(LinkInvalid, match="day it is made"):
            _split(database, us, group_id, children[:1], on=TODAY + timedelta(days=1))

    def test_waits_while_they_are_placed(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)
        other_id = factories.group(pairing.children)

        with pytest.raises(NotYet, match="placed"):
            _join(database, pairing.children, pairing.group_id, other_id)


class TestJoinGroups:
    def test_brings_the_children_together_and_withdraws_the_other_group(
        self, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, children=THREE[:2], exclusion_areas={"PL4": 5, "EX1": 5})
        other_id = factories.group(us, children=THREE[2:], exclusion_areas={"PL4": 10, "TQ1": 5})
        ids = [*_children(database, us, group_id), *_children(database, us, other_id)]

        _join(database, us, group_id, other_id)

        assert _children(database, us, group_id) == ids
        with transaction(database, us) as session:
            assert get_group(session, other_id).status is GroupStatus.WITHDRAWN
            # Where any of them must not live none of them does.
            assert _areas(session, group_id) == {"PL4": 10, "EX1": 5, "TQ1": 5}
            [(decision, _)] = list_decisions_of(session, get_group(session, group_id))
            assert decision.kind is SiblingCourse.TOGETHER
        with pytest.raises(LinkInvalid, match="withdrawn"):
            _join(database, us, group_id, other_id)

    def test_keeps_who_is_shut_out_of_either_and_what_holds_stand(
        self, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        aunt = factories.colleague(us, roles=us.scope.roles)
        group_id, other_id = factories.group(us), factories.group(us)
        _safeguard(database, us, other_id, aunt)

        _join(database, us, group_id, other_id)

        _assert_safe(database, us, group_id, aunt)

    def test_undoes_a_split_only_by_another_decision(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, children=THREE)
        before = _children(database, us, group_id)
        added_id = _split(database, us, group_id, before[1:])

        _join(database, us, group_id, added_id)

        assert _children(database, us, group_id) == before
        with transaction(database, us) as session:
            kinds = [decision.kind for decision, _ in list_decisions_of(session, get_group(session, group_id))]
        assert sorted(kinds) == [SiblingCourse.APART, SiblingCourse.TOGETHER]

    def test_refuses_itself_and_anothers(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id, theirs = factories.group(us), factories.group(them)

        with pytest.raises(LinkInvalid, match="another group"):
            _join(database, us, group_id, group_id)
        with pytest.raises(NotYourStep):
            _join(database, us, group_id, theirs)


class TestImports:
    def test_cannot_put_back_together_what_was_decided_apart(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, children=THREE)
        children = _children(database, us, group_id)
        added_id = _split(database, us, group_id, children[2:])

        with transaction(database, us) as session:
            reference, named = read_identity(session, get_group(session, group_id), now=utc_now())
            _, moved = read_identity(session, get_group(session, added_id), now=utc_now())
            rows = [ChildRow(number, each) for number, (each, _) in enumerate([*named, *moved], start=2)]
            outcomes = take_groups(session, [GroupRow(reference, tuple(rows))], now=utc_now(), dry_run=False)

        assert {each.outcome for each in outcomes} == {Outcome.REFUSED}
        assert "this child is recorded in group NEW-1" in str([each.problems for each in outcomes])
        assert _children(database, us, added_id) == children[2:]


def _split(database: Database, tenant: Tenant, group_id: UUID, child_ids: list[UUID], *, on: date = TODAY) -> UUID:
    decided = Decided(DECIDED.by, on, DECIDED.reason, DECIDED.feedback)
    with transaction(database, tenant) as session:
        group = get_group(session, group_id)
        return split_group(session, group, child_ids=child_ids, reference="NEW-1", decided=decided, now=utc_now()).id


def _join(database: Database, tenant: Tenant, group_id: UUID, other_id: UUID) -> None:
    with transaction(database, tenant) as session:
        group, other = get_group(session, group_id), get_group(session, other_id)
        join_groups(session, group, other, decided=DECIDED, now=utc_now())


def _safeguard(database: Database, tenant: Tenant, group_id: UUID, aunt: Tenant) -> None:
    """Shut somebody out of a group, and let a legal hold and a hold on destruction stand for it."""
    now = utc_now()
    assert aunt.scope.person_id is not None
    with transaction(database, tenant) as session:
        group = get_group(session, group_id)
        bar_person(session, group, person_id=aunt.scope.person_id, reason="Their aunt", now=now)
        set_legal_hold(session, group, kind=HoldKind.STAY, from_on=TODAY, reason="An appeal", now=now)
        place_hold(session, reference=group.code, reason="An inquiry", now=now)


def _assert_safe(database: Database, tenant: Tenant, group_id: UUID, aunt: Tenant) -> None:
    with transaction(database, tenant) as session:
        [hold] = list_legal_holds(session, group_id, standing=True)
        assert (hold.kind, hold.from_on, hold.reason) == (HoldKind.STAY, TODAY, "An appeal")
        assert hold_on(session, group_id, None)
        [bar] = list_bars(session, get_group(session, group_id))
        assert (bar.reason, bar.lifted_at) == ("Their aunt", None)
    with transaction(database, aunt) as session:
        assert session.get(SiblingGroup, group_id) is None


def _children(database: Database, tenant: Tenant, group_id: UUID) -> list[UUID]:
    with transaction(database, tenant) as session:
        return [child.id for child in list_children(session, [group_id])[group_id]]


def _areas(session: Any, group_id: UUID) -> dict[str, int]:
    found = session.scalars(select(ExclusionArea).where(ExclusionArea.sibling_group_id == group_id))
    return {area.outward_code: area.miles for area in found}
