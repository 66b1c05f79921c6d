"""Handing over: who may agree to it, who signs for it, and what the database takes from nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.retention.hold import place_hold
from matching.retention.record_class import RecordClass
from tenants.agency import AgencyKind, get_agency
from tenants.approval import BothSides
from tenants.base import utc_now
from tenants.consortium import get_consortium, join
from tenants.database import Database, scope_of
from tenants.hand_over import (
    HandOver,
    HandOverInvalid,
    HandOverKind,
    HandOverOver,
    HandOverUnknown,
    NameWrong,
    NotYoursToHandOver,
    NotYoursToSign,
    agree_to_hand_over,
    get_hand_over,
    list_hand_overs,
    list_waiting,
    preview_hand_over,
    propose_hand_over,
    side_of,
    sign_hand_over,
    withdraw_hand_over,
)
from tenants.permission import NotAllowed
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR, Scope
from tests.factories import LONG_AGO, Factories, Tenant
from tests.hand_over import agreed, do, proposed

NOW = utc_now()
TODAY = NOW.date()
MANAGERS = frozenset({Role.MANAGER})


class TestProposeHandOver:
    def test_says_ones_own_sides_word_and_waits_for_the_other(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        stranger, _ = factories.two_tenants()

        plan_id = proposed(database, giver, receiver)

        for each, waits in ((giver, 0), (receiver, 1)):
            with database.transaction(each.scope) as session:
                (plan,) = list_hand_overs(session)
                assert (plan.id, plan.state(on=TODAY), plan.whole) == (plan_id, "Proposed", True)
                assert (plan.given_by, plan.taken_by) == (giver.scope.person_id, None)
                assert plan.state(on=TODAY + timedelta(days=1)) == "Lapsed"
                assert len(list_waiting(session, on=TODAY)) == waits
        with database.transaction(stranger.scope) as session:
            assert list_hand_overs(session) == []
            with pytest.raises(HandOverUnknown):
                get_hand_over(session, plan_id)

    def test_is_for_either_side_and_the_operator(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        assert giver.scope.consortium_id
        third = factories.tenant(giver.scope.consortium_id)

        with database.transaction(receiver.scope) as session:
            asked = propose(session, giver, receiver)
            assert (asked.given_by, asked.taken_by) == (None, receiver.scope.person_id)
            with pytest.raises(NotYoursToHandOver):
                preview_hand_over(session, asked)
        with database.transaction(OPERATOR) as session:
            made = propose(session, receiver, giver)
            assert (made.given_by, made.taken_by) == (None, None)
        with database.transaction(third.scope) as session, pytest.raises(NotYoursToHandOver):
            propose(session, giver, receiver)
        with database.transaction(giver.acting_as(Role.FAMILY_FINDER)) as session, pytest.raises(NotAllowed):
            propose(session, giver, receiver)

    def test_leaves_the_choice_of_records_to_whose_they_are(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()

        with database.transaction(receiver.scope) as session, pytest.raises(NotYoursToHandOver, match="chooses"):
            propose(session, giver, receiver, kinds=[HandOverKind.GROUP], record_ids=[])

    def test_refuses_what_cannot_be(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        assert giver.scope.consortium_id
        office = factories.tenant(giver.scope.consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        stranger, _ = factories.two_tenants()

        with database.transaction(OPERATOR) as session:
            cases: list[tuple[Tenant, dict[str, Any], str]] = [
                (giver, {}, "to itself"),
                (office, {}, "office"),
                (stranger, {}, "in no consortium with"),
                (receiver, {"takes_effect_on": TODAY - timedelta(days=1)}, "a day to come"),
                (receiver, {"reason": " "}, "Say why"),
            ]
            for other, facts, words in cases:
                with pytest.raises(HandOverInvalid, match=words):
                    propose(session, giver, other, **facts)
            propose(session, giver, receiver)
            with pytest.raises(HandOverOver, match="Withdraw that first"):
                propose(session, giver, receiver)


class TestAgreeToHandOver:
    def test_is_for_the_other_side_alone(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        plan_id = proposed(database, giver, receiver)

        colleague = factories.colleague(giver, roles=MANAGERS)
        with database.transaction(colleague.scope) as session, pytest.raises(HandOverOver):
            agree_to_hand_over(session, get_hand_over(session, plan_id), now=NOW)
        with database.transaction(receiver.scope) as session:
            plan = get_hand_over(session, plan_id)
            agree_to_hand_over(session, plan, now=NOW)
            assert (plan.taken_by, plan.state(on=TODAY)) == (receiver.scope.person_id, "To be done")

    def test_refuses_who_is_of_both(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        both = also_of(database, factories, giver, receiver)
        plan_id = proposed(database, giver, receiver)

        scope = replace(both, agency_id=receiver.id)
        with database.transaction(scope) as session, pytest.raises(BothSides):
            agree_to_hand_over(session, get_hand_over(session, plan_id), now=NOW)
        with database.transaction(both) as session, pytest.raises(BothSides):
            propose(session, receiver, giver)


class TestWithdrawHandOver:
    def test_is_for_either_side_before_it_is_done(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        plan_id = agreed(database, giver, receiver)

        with database.transaction(receiver.scope) as session:
            plan = get_hand_over(session, plan_id)
            withdraw_hand_over(session, plan, now=NOW)
            assert plan.state(on=TODAY) == "Withdrawn"
            with pytest.raises(HandOverOver):
                withdraw_hand_over(session, plan, now=NOW)
        with database.transaction(Scope(agency_id=receiver.id)) as session, pytest.raises(ProgrammingError):
            session.execute(text("SELECT begin_hand_over(:id)"), {"id": plan_id})


class TestPreviewHandOver:
    def test_counts_what_would_move_and_moves_nothing(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        factories.household(giver)
        group_id = factories.group(giver)
        plan_id = proposed(database, giver, receiver, kinds=[HandOverKind.GROUP], record_ids=[group_id])

        with database.transaction(receiver.scope) as session:
            found = preview_hand_over(session, get_hand_over(session, plan_id))

        moved = {table: number for table, number in found.counts.items() if number}
        assert (found.hindrances, found.settled) == ((), {})
        assert moved == {
            **dict.fromkeys(("child", "child_identity", "pool_entry", "sibling_group"), 1),
            **dict.fromkeys(("sibling_group_identity", "sibling_group_place", "sibling_group_profile"), 1),
        }
        with database.transaction(giver.scope) as session:
            assert session.execute(text("SELECT agency_id FROM sibling_group")).scalar_one() == giver.id

    def test_says_what_stands_against_it(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        assert giver.scope.consortium_id
        voluntary = factories.tenant(giver.scope.consortium_id, kind=AgencyKind.VOLUNTARY_AGENCY)
        factories.group(giver)
        elsewhere = factories.consortium()
        with database.transaction(OPERATOR) as session:
            consortium = get_consortium(session, elsewhere)
            join(session, consortium, agency=get_agency(session, giver.id), joined_on=LONG_AGO)
        with database.transaction(giver.scope) as session:
            place_hold(session, record_class=RecordClass.GROUP_NOT_PLACED, reason="An inquiry", now=NOW)

        cases: list[tuple[Tenant, dict[str, Any], list[str]]] = [
            (receiver, {}, ["is not in Test consortium"]),
            (voluntary, {"kinds": [HandOverKind.GROUP]}, ["children are a council’s", "A hold stands", "is not in"]),
            (voluntary, {"kinds": [HandOverKind.HOUSEHOLD]}, ["There is no such record", "A hold stands", "is not in"]),
        ]
        for other, facts, words in cases:
            plan_id = proposed(database, giver, other, **facts)
            with database.transaction(giver.scope) as session:
                plan = get_hand_over(session, plan_id)
                found = preview_hand_over(session, plan)
                assert found.counts == {}
                assert len(found.hindrances) == len(words)
                assert all(any(word in each for each in found.hindrances) for word in words)
                withdraw_hand_over(session, plan, now=NOW)

    def test_lets_nobody_look_for_references_of_an_agency_that_has_not_agreed(
        self, database: Database, factories: Factories
    ) -> None:
        giver, receiver = factories.two_tenants()
        for each in (giver, receiver):
            factories.household(each)
            with database.transaction(each.scope) as session:
                session.execute(text("UPDATE household_identity SET reference = 'A-1'"))
        plan_id = proposed(database, giver, receiver)

        before = settled_in_preview(database, giver.scope, plan_id)
        with database.transaction(receiver.scope) as session:
            agree_to_hand_over(session, get_hand_over(session, plan_id), now=NOW)
        after = [settled_in_preview(database, each.scope, plan_id) for each in (giver, receiver)]

        assert (before, after) == ({}, [{"reference": 1}] * 2)

    def test_says_that_the_other_is_merged_elsewhere_once_it_has_agreed(
        self, database: Database, factories: Factories
    ) -> None:
        giver, receiver = factories.two_tenants()
        assert giver.scope.consortium_id
        agreed(database, receiver, factories.tenant(giver.scope.consortium_id))
        plan_id = proposed(database, giver, receiver)

        for hindrances in (0, 1):
            with database.transaction(giver.scope) as session:
                found = preview_hand_over(session, get_hand_over(session, plan_id))
                assert len(found.hindrances) == hindrances
            if not hindrances:
                with database.transaction(receiver.scope) as session:
                    agree_to_hand_over(session, get_hand_over(session, plan_id), now=NOW)

    def test_is_over_once_the_plan_is_withdrawn(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        plan_id = agreed(database, giver, receiver)
        with database.transaction(giver.scope) as session:
            withdraw_hand_over(session, get_hand_over(session, plan_id), now=NOW)

        with database.transaction(receiver.scope) as session, pytest.raises(HandOverOver):
            preview_hand_over(session, get_hand_over(session, plan_id))
        with database.transaction(receiver.scope) as session, pytest.raises(ProgrammingError, match="nothing to try"):
            session.execute(text("SELECT preview_hand_over(:id)"), {"id": plan_id})

    def test_is_over_with_the_day_that_one_side_agreed_to(
        self, database: Database, factories: Factories, migrated: DatabaseUrls
    ) -> None:
        giver, receiver = factories.two_tenants()
        factories.household(giver)
        plan_id = proposed(database, giver, receiver)
        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            yesterday = TODAY - timedelta(days=1)
            admin.execute("UPDATE hand_over SET takes_effect_on = %s WHERE id = %s", (yesterday, plan_id))

        with database.transaction(receiver.scope) as session, pytest.raises(HandOverOver):
            preview_hand_over(session, get_hand_over(session, plan_id))

    def test_waits_for_nobody_who_is_saving_a_record(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        factories.household(giver)
        plan_id = proposed(database, giver, receiver)

        with database.transaction(giver.scope) as busy, database.transaction(giver.scope) as session:
            busy.execute(text("UPDATE household SET changed_at = now()"))
            found = preview_hand_over(session, get_hand_over(session, plan_id))

        assert found.hindrances == ("Somebody is saving one of these records just now. Try it again in a moment.",)


class TestSignHandOver:
    def test_takes_a_person_of_each_side(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        factories.group(giver)
        both = also_of(database, factories, giver, receiver)
        plan_id = agreed(database, giver, receiver, kinds=[HandOverKind.GROUP])
        with database.transaction(giver.scope) as session, pytest.raises(NotYoursToSign):
            sign_hand_over(session, get_hand_over(session, plan_id), name="Sam", now=NOW)
        do(database, receiver)

        for scope, side in ((giver.scope, "giver"), (receiver.scope, "receiver"), (both, None)):
            with database.transaction(scope) as session:
                plan = get_hand_over(session, plan_id)
                assert side_of(session, plan) == side
                own = get_person(session, scope_of(session).person_id or UUID(int=0)).name
                if side is None:
                    with pytest.raises(NotYoursToSign):
                        sign_hand_over(session, plan, name=own, now=NOW)
                    continue
                with pytest.raises(NameWrong):
                    sign_hand_over(session, plan, name="Sam", now=NOW)
                sign_hand_over(session, plan, name=own.upper(), now=NOW)
                with pytest.raises(NotYoursToSign):
                    sign_hand_over(session, plan, name=own, now=NOW)
        assert plan.state(on=TODAY) == "Done"
        assert plan.giver_signed_by != plan.receiver_signed_by

    def test_takes_nobody_twice_who_has_changed_sides_since(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        factories.group(giver)
        scope = factories.colleague(factories.tenant(factories.consortium()), roles=MANAGERS).scope
        plan_id = agreed(database, giver, receiver, kinds=[HandOverKind.GROUP])
        do(database, receiver)
        assert scope.person_id
        with database.transaction(OPERATOR) as session:
            person = get_person(session, scope.person_id)
            for each in (giver, receiver):
                appoint(session, person, agency=get_agency(session, each.id), role=Role.MANAGER, starts_on=TODAY)

        with database.transaction(replace(giver.scope, person_id=scope.person_id)) as session:
            sign_hand_over(session, get_hand_over(session, plan_id), name=person.name, now=NOW)

        with database.transaction(replace(receiver.scope, person_id=scope.person_id)) as session:
            plan = get_hand_over(session, plan_id)
            assert side_of(session, plan) is None
            with pytest.raises(NotYoursToSign):
                sign_hand_over(session, plan, name=person.name, now=NOW)


class TestFunctions:
    @pytest.mark.parametrize(
        "call",
        [
            "begin_hand_over(:id)",
            "move_hand_over(:id)",
            "reseal_hand_over(:id, 'household_identity.sealed', '{}', '{}')",
            "reconcile_hand_over(:id, '{}', 'lines')",
            "sign_hand_over(:id, 'Sam')",
        ],
    )
    def test_take_nothing_out_of_its_turn(self, call: str, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        plan_id = agreed(database, giver, receiver, takes_effect_on=TODAY + timedelta(days=1))

        for scope in (Scope(agency_id=receiver.id), receiver.scope, giver.scope):
            with database.transaction(scope) as session, pytest.raises(ProgrammingError, match="nothing"):
                session.execute(text(f"SELECT {call}"), {"id": plan_id})

    @pytest.mark.parametrize(
        "call",
        [
            "move_custody(true, :id, :id, '{}')",
            "reseal_custody('household_identity.sealed', :id, '{}', '{}')",
            "lock_custody()",
        ],
    )
    def test_that_move_are_for_nobody(self, call: str, database: Database, factories: Factories) -> None:
        us, _ = factories.two_tenants()

        with database.transaction(us.scope) as session, pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text(f"SELECT {call}"), {"id": us.id})


def settled_in_preview(database: Database, scope: Scope, plan_id: UUID) -> dict[str, int]:
    """Return how often what would have to give way, as one side is told."""
    with database.transaction(scope) as session:
        return preview_hand_over(session, get_hand_over(session, plan_id)).settled


def propose(session: Session, giver: Tenant, receiver: Tenant, **facts: Any) -> HandOver:
    """Propose for today, in whichever scope the session is of."""
    agencies = [get_agency(session, each.id) for each in (giver, receiver)]
    said: dict[str, Any] = {"takes_effect_on": TODAY, "reason": "A merger", "now": NOW, **facts}
    return propose_hand_over(session, agencies[0], receiver=agencies[1], **said)


def also_of(database: Database, factories: Factories, one: Tenant, other: Tenant) -> Scope:
    """Return the scope of somebody who manages two agencies, acting for the first."""
    scope = factories.colleague(one, roles=MANAGERS).scope
    assert scope.person_id
    with database.transaction(OPERATOR) as session:
        person, agency = get_person(session, scope.person_id), get_agency(session, other.id)
        appoint(session, person, agency=agency, role=Role.MANAGER, starts_on=LONG_AGO)
    return scope
