"""Asking for a day's work: one agency's trouble keeps nobody else's from being asked for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.database import Database
from tenants.error import Conflict
from tenants.job import list_jobs, request_job
from tests.factories import NOW, Factories
from workers import asking
from workers.asking import ask_daily


class TestAskDaily:
    def test_asks_for_the_others_when_one_is_refused_and_once(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused, other = factories.two_tenants()

        def request(session: Session, **wanted: Any) -> UUID:
            if session.info["scope"].agency_id == refused.id:
                raise Conflict("Not this one.")
            return request_job(session, **wanted)

        monkeypatch.setattr(asking, "request_job", request)
        due = text(
            f"SELECT NULL::uuid, each::uuid FROM unnest(ARRAY['{refused.id}', '{other.id}']) each "
            "WHERE CAST(:on_day AS date) IS NOT NULL"
        )
        asked = [ask_daily(database, due, kind="of_a_test", now=NOW) for _ in range(2)]

        keys = []
        for tenant in (refused, other):
            with database.transaction(tenant.scope) as session:
                keys.append([job.key for job in list_jobs(session) if job.kind == "of_a_test"])
        assert (asked, keys) == ([1, 1], [[], [str(NOW.date())]])
