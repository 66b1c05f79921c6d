"""Claims: one worker holds a job, as long as its lease, and only its claim can end it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tenants.base import utc_now
from tenants.database import Database
from tenants.job import JobState, cancel_job, get_job, retry_job
from tests.factories import Factories
from tests.workers.ledger import LEASE, ask, held, look, lose, make_due, take
from workers.claim import (
    MOST_ATTEMPTS,
    Claim,
    ClaimLost,
    delay_after,
    give_up,
    hand_back,
    renew,
    scope_of_job,
    settle,
    try_later,
)

NO_PROGRESS = (0, None, None)


class TestScopeOfJob:
    def test_is_the_askers_without_roles(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        job_id, theirs = ask(database, devon), ask(database, dorset)

        scope, other = scope_of_job(database, job_id), scope_of_job(database, theirs)

        assert scope is not None
        assert other is not None
        assert (scope.agency_id, scope.consortium_id, scope.roles) == (devon.id, devon.scope.consortium_id, frozenset())
        assert other.agency_id == dorset.id

    def test_is_none_for_no_job(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        assert scope_of_job(database, devon.id) is None


class TestClaim:
    def test_holds_a_job_for_its_lease(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon, sample="1")

        claimed = held(database, devon, job_id)

        job = look(database, devon, job_id)
        assert (claimed.payload, claimed.attempt) == ({"sample": "1"}, 1)
        assert (job.state, job.attempt, job.worker) == (JobState.RUNNING, 1, claimed.token)
        assert job.lease_until is not None
        assert utc_now() < job.lease_until <= utc_now() + LEASE

    def test_finds_none_of_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        job_id = ask(database, devon)

        assert take(database, dorset, job_id) is None
        assert look(database, devon, job_id).state is JobState.WAITING

    def test_gives_a_job_to_one_of_many(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        start, won = threading.Barrier(8), []

        def try_it() -> None:
            start.wait()
            if take(database, devon, job_id):
                won.append(1)

        threads = [threading.Thread(target=try_it) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(won) == 1
        assert look(database, devon, job_id).attempt == 1

    def test_waits_for_a_row_that_is_being_marked(self, database: Database, factories: Factories) -> None:
        """The relay marks the row as sent when a worker may have the id in its hands: it must not go away for that."""
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed: list[bool] = []

        with database.transaction(devon.scope) as marking:
            get_job(marking, job_id).sent_at = utc_now()
            marking.flush()
            thread = threading.Thread(target=lambda: claimed.append(take(database, devon, job_id) is not None))
            thread.start()
            thread.join(0.2)
            assert claimed == []
        thread.join()

        assert claimed == [True]

    def test_leaves_what_is_not_due(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        with database.transaction(devon.scope) as session:
            get_job(session, job_id).due_at = utc_now() + timedelta(minutes=1)

        assert take(database, devon, job_id) is None

    def test_takes_what_a_lost_worker_held(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        first = held(database, devon, job_id)

        assert take(database, devon, job_id) is None
        lose(database, devon, job_id)
        second = held(database, devon, job_id)

        assert (first.attempt, second.attempt) == (1, 2)

    def test_ends_a_job_whose_workers_are_lost_every_time(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        for _ in range(MOST_ATTEMPTS):
            held(database, devon, job_id)
            lose(database, devon, job_id)

        assert take(database, devon, job_id) is None

        job = look(database, devon, job_id)
        assert (job.state, job.attempt) == (JobState.FAILED, MOST_ATTEMPTS)
        assert job.reason == "Its worker was lost 8 times."
        assert job.finished_at is not None

    @pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
    def test_leaves_what_has_ended(self, database: Database, factories: Factories, state: JobState) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        first = held(database, devon, job_id)
        with database.transaction(devon.scope) as session:
            give_up(session, first, state=state, reason="Over")

        assert take(database, devon, job_id) is None


class TestRenew:
    def test_keeps_the_lease_and_shows_progress(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed = held(database, devon, job_id)

        with database.transaction(devon.scope) as session:
            told_to_stop = renew(session, claimed, lease=LEASE * 2, progress=(3, 7, "Reading rows"))

        job = look(database, devon, job_id)
        assert told_to_stop is False
        assert (job.progress_done, job.progress_total, job.progress_note) == (3, 7, "Reading rows")
        assert job.lease_until is not None
        assert job.lease_until > utc_now() + LEASE

    def test_says_that_the_asker_wants_it_stopped(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed = held(database, devon, job_id)
        with database.transaction(devon.scope) as session:
            cancel_job(session, get_job(session, job_id), now=utc_now())

        with database.transaction(devon.scope) as session:
            assert renew(session, claimed, lease=LEASE, progress=NO_PROGRESS) is True

    def test_is_refused_when_another_holds_the_job(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed = held(database, devon, job_id)
        lose(database, devon, job_id)
        held(database, devon, job_id)

        with database.transaction(devon.scope) as session, pytest.raises(ClaimLost):
            renew(session, claimed, lease=LEASE, progress=NO_PROGRESS)

    def test_is_refused_in_another_agencys_scope(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        claimed = held(database, devon, ask(database, devon))

        with database.transaction(dorset.scope) as session, pytest.raises(ClaimLost):
            renew(session, claimed, lease=LEASE, progress=NO_PROGRESS)


class TestSettle:
    def test_ends_the_job(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed = held(database, devon, job_id)

        with database.transaction(devon.scope) as session:
            settle(session, claimed, result={"made": 1})

        job = look(database, devon, job_id)
        assert (job.state, job.result, job.worker, job.lease_until) == (JobState.DONE, {"made": 1}, None, None)
        assert job.finished_at is not None

    def test_takes_the_effects_back_when_another_holds_the_job(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        first = held(database, devon, job_id)
        lose(database, devon, job_id)
        second = held(database, devon, job_id)

        with pytest.raises(ClaimLost), database.transaction(devon.scope) as session:
            _write_and_settle(session, first)
        assert look(database, devon, job_id).progress_note is None
        with database.transaction(devon.scope) as session:
            settle(session, second, result=None)

        assert look(database, devon, job_id).state is JobState.DONE

    def test_settles_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        claimed = held(database, devon, ask(database, devon))
        with database.transaction(devon.scope) as session:
            settle(session, claimed, result=None)

        with database.transaction(devon.scope) as session, pytest.raises(ClaimLost):
            settle(session, claimed, result=None)


class TestGiveUp:
    def test_ends_the_job_with_its_reason(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed = held(database, devon, job_id)

        with database.transaction(devon.scope) as session:
            give_up(session, claimed, state=JobState.FAILED, reason="There is no such meeting.")

        job = look(database, devon, job_id)
        assert (job.state, job.reason) == (JobState.FAILED, "There is no such meeting.")
        with database.transaction(devon.scope) as session:
            retry_job(session, get_job(session, job_id), now=utc_now() - timedelta(seconds=1))
        assert held(database, devon, job_id).attempt == 1

    def test_leaves_what_another_holds(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        first = held(database, devon, job_id)
        lose(database, devon, job_id)
        held(database, devon, job_id)

        with database.transaction(devon.scope) as session:
            give_up(session, first, state=JobState.CANCELLED, reason="It was stopped.")

        assert look(database, devon, job_id).state is JobState.RUNNING


class TestTryLater:
    def test_waits_longer_each_time_and_then_fails(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)

        for attempt in range(1, MOST_ATTEMPTS + 1):
            claimed = held(database, devon, job_id)
            with database.transaction(devon.scope) as session:
                try_later(session, claimed, reason="An unforeseen fault")
            job = look(database, devon, job_id)
            if attempt < MOST_ATTEMPTS:
                wait = (job.due_at - utc_now()).total_seconds()
                expected = delay_after(attempt).total_seconds()
                assert job.state is JobState.WAITING
                assert expected - 2 < wait <= expected
                assert take(database, devon, job_id) is None
                make_due(database, devon, job_id)

        assert (job.state, job.attempt, job.reason) == (JobState.FAILED, MOST_ATTEMPTS, "An unforeseen fault")


class TestDelayAfter:
    def test_doubles_from_five_seconds(self) -> None:
        assert [delay_after(attempt).total_seconds() for attempt in range(1, 8)] == [5, 10, 20, 40, 80, 160, 320]


class TestHandBack:
    def test_leaves_the_job_as_it_was(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed = held(database, devon, job_id)

        with database.transaction(devon.scope) as session:
            hand_back(session, claimed)

        job = look(database, devon, job_id)
        assert (job.state, job.attempt, job.sent_at, job.worker) == (JobState.WAITING, 0, None, None)
        assert job.due_at <= utc_now() + timedelta(seconds=2)
        make_due(database, devon, job_id)
        assert held(database, devon, job_id).attempt == 1

    def test_leaves_what_another_holds(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        first = held(database, devon, job_id)
        lose(database, devon, job_id)
        held(database, devon, job_id)

        with database.transaction(devon.scope) as session:
            hand_back(session, first)

        assert look(database, devon, job_id).state is JobState.RUNNING

    def test_leaves_what_is_done(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        job_id = ask(database, devon)
        claimed = held(database, devon, job_id)
        with database.transaction(devon.scope) as session:
            settle(session, claimed, result=None)
            hand_back(session, claimed)

        assert look(database, devon, job_id).state is JobState.DONE


def _write_and_settle(session: Session, claimed: Claim) -> None:
    get_job(session, claimed.job_id).progress_note = "an effect"
    session.flush()
    settle(session, claimed, result=None)
