from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from matching.birth import record_birth
from matching.household import get_household
from matching.legal_hold import HoldKind, get_legal_hold, list_legal_holds
from matching.link import (
    CapReached,
    DayKind,
    LinkInvalid,
    LinkOutcome,
    LinkState,
    NotYet,
    NotYourStep,
    StepName,
    days_of,
    get_link,
    list_steps,
)
from matching.link_course import read_course
from matching.ranking.facts import Sex
from matching.sibling_group import Child, GroupStatus, get_group, read_identity
from matching.transition import change_plan, lift_legal_hold, note_day, set_legal_hold, start_link
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, make_placed, step
from tests.matching.report_factory import let_read, make_link

WORDS = {"reason": "They go home.", "feedback": "Thank you for your time."}


class TestChangePlan:
    def test_ends_every_open_link_in_one_act_and_what_they_opened(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        let_read(database, pairing)
        assert pairing.children.scope.consortium_id
        third = factories.tenant(pairing.children.scope.consortium_id)
        other_id = _start(database, third, pairing.group_id, factories.household(third))

        with transaction(database, pairing.children) as session:
            ended = change_plan(session, get_group(session, pairing.group_id), **WORDS, now=utc_now())

        assert {link.id for link in ended} == {pairing.link_id, other_id}
        for tenant, link_id in ((pairing.family, pairing.link_id), (third, other_id)):
            with transaction(database, tenant) as session:
                link = get_link(session, link_id)
                assert (link.state, link.outcome) == (LinkState.ENDED, LinkOutcome.PLAN_CHANGED)
                assert link.feedback == "Thank you for your time."
        with transaction(database, pairing.children) as session:
            group = get_group(session, pairing.group_id)
            assert group.status is GroupStatus.WITHDRAWN
            with pytest.raises(NotYet, match="already"):
                change_plan(session, group, **WORDS, now=utc_now())

    def test_is_not_for_children_who_are_placed_nor_for_anothers(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_placed(factories, database)

        with transaction(database, pairing.children) as session, pytest.raises(NotYet, match="placed"):
            change_plan(session, get_group(session, pairing.group_id), **WORDS, now=utc_now())
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        with transaction(database, them) as session, pytest.raises(NotYourStep):
            change_plan(session, get_group(session, group_id), **WORDS, now=utc_now())
        with database.transaction(us.acting_as(Role.ADOPTERS_WORKER)) as session, pytest.raises(NotAllowed):
            change_plan(session, get_group(session, group_id), **WORDS, now=utc_now())


class TestLegalHold:
    def test_is_told_to_the_other_side_without_what_it_is_about(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        hold_id = _hold(database, pairing.children, pairing.group_id)

        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            told = list_steps(session, link)[0]
            assert (told.step, told.to_state) == (StepName.HOLD, LinkState.CONSIDERING)
            assert "mother" not in told.reason
            assert read_course(session, link, steps=list_steps(session, link), now=utc_now()).held
            assert list_legal_holds(session, pairing.group_id) == []
        with transaction(database, pairing.children) as session:
            lift_legal_hold(session, get_legal_hold(session, hold_id), reason="The court refused.", now=utc_now())
            assert list_legal_holds(session, pairing.group_id, standing=True) == []
            link = get_link(session, pairing.link_id)
            assert not read_course(session, link, steps=list_steps(session, link), now=utc_now()).held
            [hold] = list_legal_holds(session, pairing.group_id)
            assert (hold.lifted_name, hold.lifted_reason) == (
                f"Sam Sample {pairing.children.slug}",
                "The court refused.",
            )
            with pytest.raises(NotYet, match="already"):
                lift_legal_hold(session, hold, reason="Again.", now=utc_now())

    def test_is_set_and_lifted_by_who_may_with_a_reason(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)

        with pytest.raises(NotYourStep):
            _hold(database, them, group_id)
        with database.transaction(us.acting_as(Role.ADOPTERS_WORKER)) as session, pytest.raises(NotAllowed):
            _set(session, group_id)
        with database.transaction(us.acting_as(Role.LEGAL_ADVISER)) as session:
            hold = _set(session, group_id)
            with pytest.raises(LinkInvalid):
                lift_legal_hold(session, hold, reason=" ", now=utc_now())
            with pytest.raises(LinkInvalid, match="lies ahead"):
                _set(session, group_id, from_on=TODAY + timedelta(days=1))


class TestCaps:
    def test_of_a_family_ask_whoever_starts_one_more_why(self, factories: Factories, database: Database) -> None:
        consortium_id = factories.consortium(household_cap=1)
        us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
        household_id = factories.household(them)
        _start(database, us, factories.group(us), household_id)
        group_id = factories.group(them)

        with pytest.raises(CapReached):
            _start(database, them, group_id, household_id)
        link_id = _start(database, them, group_id, household_id, override="They are her brother.")

        with transaction(database, them) as session:
            assert list_steps(session, get_link(session, link_id))[-1].override == "They are her brother."


class TestNoteDay:
    def test_keeps_the_last_word_and_refuses_what_has_not_come(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        for name in (StepName.SHORTLIST, StepName.VISIT):
            step(database, pairing.children, pairing, name, day=TODAY)
        moved = TODAY + timedelta(days=9)

        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            note_day(session, link, kind=DayKind.VISIT, day=moved, now=utc_now())
            with pytest.raises(NotYet):
                note_day(session, link, kind=DayKind.PANEL, day=moved, now=utc_now())

        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            assert days_of(session, [link])[link.id] == {DayKind.VISIT: moved}
        for name in (StepName.MEET, StepName.GO_TO_PANEL):
            step(database, pairing.children, pairing, name, day=TODAY)
        with transaction(database, pairing.children) as session, pytest.raises(LinkInvalid, match="has come"):
            note_day(session, get_link(session, pairing.link_id), kind=DayKind.MINUTES_FINAL, day=moved, now=utc_now())


class TestRecordBirth:
    def test_says_when_the_child_came_and_is_said_once(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        group_id = factories.group(us)
        with transaction(database, us) as session:
            child = session.scalars(select(Child).where(Child.sibling_group_id == group_id)).one()
            child.unborn, child.sex = True, Sex.UNKNOWN
            child_id = child.id

        born: dict[str, Any] = {"born_on": TODAY, "sex": Sex.MALE, "now": utc_now()}
        with transaction(database, them) as session, pytest.raises(NotYourStep):
            record_birth(session, get_group(session, group_id), child_id, **born)
        with transaction(database, us) as session:
            group = get_group(session, group_id)
            with pytest.raises(LinkInvalid):
                record_birth(session, group, child_id, **{**born, "born_on": TODAY + timedelta(days=1)})
            record_birth(session, group, child_id, **born)
            [(_, name)] = read_identity(session, group, now=utc_now())[1]
            assert (name.born_on, name.due_on) == (TODAY.isoformat(), None)
            with pytest.raises(NotYet):
                record_birth(session, group, child_id, **born)
            kept = session.get_one(Child, child_id)
            assert (kept.unborn, kept.birth_month, kept.sex) == (False, date(TODAY.year, TODAY.month, 1), Sex.MALE)


def _start(
    database: Database, tenant: Tenant, group_id: UUID, household_id: UUID, *, override: str | None = None
) -> UUID:
    with transaction(database, tenant) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        facts: dict[str, Any] = {"reason": "They may fit.", "override": override}
        return start_link(session, group=group, household=household, **facts, now=utc_now()).id


def _hold(database: Database, tenant: Tenant, group_id: UUID) -> UUID:
    with transaction(database, tenant) as session:
        hold_id: UUID = _set(session, group_id).id
        return hold_id


def _set(session: Any, group_id: UUID, *, from_on: date = TODAY) -> Any:
    group = get_group(session, group_id)
    facts: dict[str, Any] = {"kind": HoldKind.REVOCATION, "from_on": from_on, "reason": "Their mother asks."}
    return set_legal_hold(session, group, **facts, now=utc_now())
