"""Settling by workers: asked for in the event's transaction and once a day, and completed whatever is killed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.event import EVENT_JOB, FeeEventKind
from matching.fee.ledger import Account
from matching.fee.settlement import RUN_JOB, settle
from matching.fee.waiting import select_unsettled
from tenants.database import Database
from tenants.job import Job, JobState, get_job, request_job
from tests.factories import Factories
from tests.matching.fee.ledger.agreed import agree, noon
from tests.workers.fee_month import make_month
from workers import fee_run
from workers.fee_run import ask_for_fee_runs, run_fees
from workers.handler import HANDLERS
from workers.runner import JobRunner

PLACED = date(2024, 2, 29)


@pytest.fixture(scope="module")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection


class TestSettleEvent:
    def test_posts_as_the_payee_whoever_told_it(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories
    ) -> None:
        made = agree(admin, database, factories.two_tenants())
        made.tell(FeeEventKind.AGREEMENT_SIGNED, date(2024, 1, 1))
        made.tell(FeeEventKind.PLACED, PLACED)
        with database.transaction(made.payer.scope) as session:
            jobs = list(session.scalars(select(Job.id).where(Job.kind == EVENT_JOB)))
        runner = JobRunner(database, HANDLERS, clock=lambda: noon(PLACED))

        done = [runner.run(job_id) for job_id in jobs]
        with database.transaction(made.payer.scope) as session:
            ended = session.execute(select(Job.state, Job.result).where(Job.id.in_(jobs)).order_by(Job.key)).all()

        assert done == [True, True]
        assert {state for state, _ in ended} == {JobState.DONE}
        assert sum(result["posted"] for _, result in ended) == 2
        assert made.balances()[Account.TO_INVOICE] == 1_800_000


class TestAskForFeeRuns:
    def test_asks_once_a_day_for_each_that_is_paid(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories
    ) -> None:
        made = agree(admin, database, factories.two_tenants())
        ask_for_fee_runs(database, now=noon(PLACED))
        again = ask_for_fee_runs(database, now=noon(PLACED))
        counts = []
        for tenant in (made.payee, made.payer):
            with database.transaction(replace(tenant.scope, person_id=None)) as session:
                counts.append(len(list(session.scalars(select(Job.id).where(Job.kind == RUN_JOB)))))

        assert (again, counts) == (0, [1, 0])


class TestSettleAll:
    def test_comes_to_the_same_however_often_its_worker_is_killed(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories, migrated: DatabaseUrls
    ) -> None:
        undisturbed, killed = (
            make_month(admin, database, factories, app_url=migrated.app, agreements=3) for _ in range(2)
        )
        undisturbed.run()

        killed.run_killed(3, seed=7, within=0.25)
        killed.run()
        again = run_fees(database, killed.payee.scope, now=noon(date(2025, 4, 30)))

        assert killed.posted(admin) == undisturbed.posted(admin)
        assert all(undisturbed.posted(admin))
        assert again == 0

    def test_settles_the_others_when_one_cannot_be_and_says_which(
        self, admin: psycopg.Connection[Any], database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pair = factories.two_tenants()
        made = [agree(admin, database, pair) for _ in range(3)]
        for each in made:
            each.tell(FeeEventKind.AGREEMENT_SIGNED, date(2024, 1, 1))
            each.tell(FeeEventKind.PLACED, PLACED)
        stuck, *others = sorted(made, key=lambda each: each.reference)
        fault: list[Exception] = [ValueError("John Sample of 1 Sample Street")]

        def settle_but_one(session: Session, agreement_id: UUID, **when: Any) -> int:
            if agreement_id == stuck.id and fault:
                raise fault[0]
            return settle(session, agreement_id, **when)

        monkeypatch.setattr(fee_run, "settle", settle_but_one)
        runner = JobRunner(database, HANDLERS, clock=lambda: noon(PLACED))
        jobs, unsettled = [], []
        for number in range(3):
            with database.transaction(stuck.payee.scope) as session:
                jobs.append(request_job(session, kind=RUN_JOB, payload={}, now=noon(PLACED) + timedelta(days=number)))
            if number == 1:
                fault[:] = [OperationalError("", {}, Exception("deadlock"))]
            elif number == 2:
                fault.clear()
            runner.run(jobs[-1])
            with database.transaction(stuck.payee.scope) as session:
                unsettled.append([each.id for each in session.scalars(select_unsettled(session))])
        with database.transaction(stuck.payee.scope) as session:
            states = [(job.state, job.reason or "") for job in (get_job(session, each) for each in jobs)]

        assert [state for state, _ in states] == [JobState.FAILED, JobState.WAITING, JobState.DONE]
        assert states[0][1].startswith("1 of 3 could not be settled")
        assert stuck.reference in states[0][1]
        assert "Sample" not in states[0][1] + states[1][1]
        assert unsettled == [[stuck.id], [stuck.id], []]
        assert all(each.balances()[Account.TO_INVOICE] == 1_800_000 for each in others)
        with database.transaction(stuck.payer.scope) as session:
            assert session.scalars(select_unsettled(session)).all() == []
