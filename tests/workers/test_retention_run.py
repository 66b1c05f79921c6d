"""What two people agreed on is destroyed record by record, whoever is killed when."""

from __future__ import annotations

from typing import Any

import pytest

import workers.retention_run
from matching.household import Household
from matching.retention.destruction import destroy_item
from matching.retention.run import Outcome, get_run, list_items
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import JobState, get_job
from tests.factories import Factories, transaction
from tests.matching.retention.people import agreed, old_household
from workers.handler import HANDLERS
from workers.runner import JobRunner


class TestDestroyRun:
    def test_destroys_what_was_agreed_on_and_says_how_many(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        mine = [old_household(factories, ours) for _ in range(3)]
        others = old_household(factories, theirs)
        run = agreed(database, ours, *mine[:2])
        assert run.job_id

        assert JobRunner(database, HANDLERS).run(run.job_id) is True

        with transaction(database, ours) as session:
            assert get_job(session, run.job_id).result == {"destroyed": 2, "kept": 0}
            assert get_run(session, run.id).finished_at
            assert [session.get(Household, each) is None for each in mine] == [True, True, False]
        with transaction(database, theirs) as session:
            assert session.get(Household, others)

    def test_goes_on_where_it_was_killed(
        self, factories: Factories, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, _ = factories.two_tenants()
        run = agreed(database, ours, *(old_household(factories, ours) for _ in range(3)))
        assert run.job_id
        calls = 0

        def falter(*args: Any, **kwargs: Any) -> Outcome:
            nonlocal calls
            calls += 1
            outcome = destroy_item(*args, **kwargs)
            if calls == 2:
                raise RuntimeError("killed in the middle of the second")
            return outcome

        monkeypatch.setattr(workers.retention_run, "destroy_item", falter)
        JobRunner(database, HANDLERS).run(run.job_id)

        with transaction(database, ours) as session:
            halfway = [item.outcome for item in list_items(session, get_run(session, run.id))]
            job = get_job(session, run.job_id)
            assert (sorted(each is None for each in halfway), job.state) == ([False, True, True], JobState.WAITING)
            job.due_at = utc_now()
        JobRunner(database, HANDLERS).run(run.job_id)
        with transaction(database, ours) as session:
            assert {item.outcome for item in list_items(session, get_run(session, run.id))} == {Outcome.DESTROYED}
            assert get_run(session, run.id).finished_at
