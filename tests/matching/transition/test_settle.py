"""Whoever is matched is on nobody's list; and what each record does when a match ends is its own agency's to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from matching.availability_check import AvailabilityInvalid, confirm_availability
from matching.calendar_event import list_events
from matching.household import HouseholdIdentity, get_household, list_waiting_households
from matching.intake.household_record import recorded_households, take_households
from matching.intake.outcome import Outcome
from matching.link import (
    LinkOutcome,
    LinkState,
    NotYet,
    NotYourStep,
    StepName,
    days_of,
    find_decision,
    get_link,
    list_steps,
)
from matching.placement.placement import get_placement
from matching.register import count_listed_groups, count_listed_households
from matching.sibling_group import get_group, list_waiting_groups
from matching.transition import end_link, look_for_family
from tenants.audit import AuditEntry
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.placement.stage import TODAY, decide, make_matched, make_placed, step
from tests.matching.report_factory import Pairing, let_read, make_link, make_par


def statuses(database: Database, pairing: Pairing) -> tuple[str, str]:
    """Return how both records stand, each as the other side reads it."""
    with transaction(database, pairing.family) as session:
        group = get_group(session, pairing.group_id).status.value
    with transaction(database, pairing.children) as session:
        return group, get_household(session, pairing.household_id).status.value


class TestLookForNobody:
    def test_takes_both_off_the_lists_of_all_but_their_own(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)

        assert statuses(database, pairing) == ("matched", "matched")
        for tenant, ours in ((pairing.children, (1, 0)), (pairing.family, (0, 1))):
            with transaction(database, tenant) as session:
                assert (list_waiting_groups(session), list_waiting_households(session)) == ([], [])
                counted = count_listed_groups(session), count_listed_households(session)
                assert [(each.own, each.all) for each in counted] == [(own, 0) for own in ours]
                kind, record = ("sibling_group", pairing.group_id) if ours[0] else ("household", pairing.household_id)
                told = select(AuditEntry.reason).where(AuditEntry.record_id == record, AuditEntry.record_kind == kind)
                assert "matched" in session.scalars(told).all()

    def test_is_undone_by_no_sheet_and_no_word_of_one_side(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        with transaction(database, pairing.family) as session:
            reference = session.scalars(select(HouseholdIdentity.reference)).one()
            row = replace(recorded_households(session, [reference])[reference], number=1, status="waiting")
            said = replace(row, given=frozenset({"status", "pets"}), profile=None)
            (outcome,) = take_households(session, [said], now=utc_now(), dry_run=False)
            assert outcome.outcome is Outcome.UNCHANGED
            household = get_household(session, pairing.household_id)
            with pytest.raises(AvailabilityInvalid, match="is matched"):
                confirm_availability(session, household, available=True, considered_for=0, now=utc_now())
            # Whatever gets past the code: an undone import writes the row as it was.
            session.execute(text("UPDATE household SET status = 'on_hold'"))
            session.execute(text("UPDATE household SET status = 'waiting'"))
        assert statuses(database, pairing) == ("matched", "matched")
        stranger = factories.tenant(pairing.children.scope.consortium_id)  # type: ignore[arg-type]
        for tenant, begins in ((stranger, False), (pairing.family, True)):
            with transaction(database, tenant) as session, pytest.raises(ProgrammingError, match="no match"):
                session.execute(text("SELECT settle_match(:link, :b)"), {"link": pairing.link_id, "b": begins})


class TestLookAgain:
    def test_lets_children_wait_and_their_family_s_worker_decide(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_matched(factories, database)
        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            words = {"outcome": LinkOutcome.FAMILY_WITHDREW, "feedback": "Thank you.", "reason": "A bereavement."}
            end_link(session, link, **words, version=link.version, now=utc_now())  # type: ignore[arg-type]

        # Whether they are free again is not known, and so not yes.
        assert statuses(database, pairing) == ("waiting", "on_hold")
        with transaction(database, pairing.family) as session:
            household = get_household(session, pairing.household_id)
            confirm_availability(session, household, available=True, considered_for=0, now=utc_now())
        assert statuses(database, pairing) == ("waiting", "waiting")

    def test_waits_for_both_agencies_after_a_disruption(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)

        step(database, pairing.children, pairing, StepName.DISRUPT, day=TODAY, ended_by="together")

        assert statuses(database, pairing) == ("on_hold", "on_hold")
        with transaction(database, pairing.family) as session, pytest.raises(NotYourStep):
            look_for_family(session, get_group(session, pairing.group_id), now=utc_now())
        with transaction(database, pairing.children) as session:
            group = look_for_family(session, get_group(session, pairing.group_id), now=utc_now())
            with pytest.raises(NotYet, match="not on hold: waiting"):
                look_for_family(session, group, now=utc_now())
        assert statuses(database, pairing) == ("waiting", "on_hold")

    def test_leaves_what_an_agency_has_said_meanwhile(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        with transaction(database, pairing.family) as session:
            session.execute(text("UPDATE household SET status = 'withdrawn'"))

        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            words = {"outcome": LinkOutcome.FAMILY_WITHDREW, "feedback": "Thank you.", "reason": "They have left."}
            end_link(session, link, **words, version=link.version, now=utc_now())  # type: ignore[arg-type]

        assert statuses(database, pairing) == ("waiting", "withdrawn")


class TestStepBack:
    def test_takes_back_the_day_and_stands_in_the_history(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        for name in (StepName.SHORTLIST, StepName.VISIT):
            step(database, pairing.children, pairing, name, day=TODAY + timedelta(days=3))

        step(database, pairing.children, pairing, StepName.STEP_BACK)

        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            assert link.state is LinkState.SHORTLISTED
            assert days_of(session, [link])[link.id] == {}
            assert list_events(session) == []
            assert (list_steps(session, link)[0].step, link.version) == (StepName.STEP_BACK, 5)
        with pytest.raises(NotYet, match="One step is taken back"):
            step(database, pairing.children, pairing, StepName.STEP_BACK)
        step(database, pairing.children, pairing, StepName.VISIT, day=TODAY)
        with transaction(database, pairing.family) as session:
            assert list_events(session)[0].starts == TODAY

    def test_is_not_there_once_something_came_of_it(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        make_par(database, pairing.family, pairing.household_id)
        let_read(database, pairing)

        with pytest.raises(NotYet, match="asked for, or is open"):
            step(database, pairing.family, pairing, StepName.STEP_BACK)
        with pytest.raises(NotYourStep):
            step(database, pairing.children, pairing, StepName.STEP_BACK)
        matched = make_matched(factories, database, pairing)
        step(database, matched.children, matched, StepName.INTRODUCE, day=TODAY)
        step(database, matched.children, matched, StepName.STEP_BACK)
        with transaction(database, matched.children) as session:
            assert get_link(session, pairing.link_id).state is LinkState.MATCHED
            assert get_placement(session, pairing.link_id).introductions_on is None

    def test_waits_for_a_decision_that_was_made(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        for name in (StepName.SHORTLIST, StepName.VISIT, StepName.MEET, StepName.GO_TO_PANEL):
            step(database, pairing.children, pairing, name, day=TODAY)
        decide(database, pairing)

        with pytest.raises(NotYet, match="has decided"):
            step(database, pairing.children, pairing, StepName.STEP_BACK)
        with transaction(database, pairing.children) as session:
            decision = find_decision(session, get_link(session, pairing.link_id))
            assert decision is not None
            # In what capacity they decided, whatever else they are.
            assert "decision_maker" in (decision.person_roles or [])
