"""The audit answers what is asked of it, and of one's own agency's entries only."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from tenants import audit
from tenants.audit import Act, Level
from tenants.audit_search import Asked, count_entries, each_batch, list_entries
from tenants.database import Database
from tests.factories import NOW, Factories


class TestListEntries:
    def test_keeps_to_what_is_asked(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        record_id, other = uuid4(), uuid4()
        for tenant, subject, level, day in (
            (devon, record_id, Level.PROFILE, 0),
            (dorset, record_id, Level.PROFILE, 1),
            (devon, record_id, Level.IDENTITY, 2),
            (devon, other, Level.PROFILE, 3),
        ):
            with database.transaction(tenant.scope) as session:
                audit.record(
                    session,
                    Act.READ,
                    record_kind="household",
                    record_id=subject,
                    owner_agency_id=devon.id,
                    level=level,
                    now=NOW + timedelta(days=day),
                )

        with database.transaction(devon.scope) as session:
            days = {
                name: [(entry.at - NOW).days for entry in list_entries(session, asked, limit=10)]
                for name, asked in {
                    "record": Asked(record_id=record_id),
                    "level": Asked(record_id=record_id, level=Level.PROFILE),
                    "agency": Asked(record_id=record_id, agency_id=dorset.id),
                    "person": Asked(record_id=record_id, person_id=devon.scope.person_id),
                    "since": Asked(record_id=record_id, since=NOW + timedelta(days=1)),
                    "until": Asked(record_id=record_id, until=NOW + timedelta(days=1)),
                }.items()
            }
            assert count_entries(session, Asked(record_id=record_id)) == 3

        assert days == {
            "record": [2, 1, 0],
            "level": [1, 0],
            "agency": [1],
            "person": [2, 0],
            "since": [2, 1],
            "until": [0],
        }
        with database.transaction(dorset.scope) as session:
            assert count_entries(session, Asked(record_id=record_id)) == 1


class TestEachBatch:
    @pytest.mark.parametrize("count", [0, 1, 2001])
    def test_yields_every_entry_once_oldest_first(self, database: Database, factories: Factories, count: int) -> None:
        devon, _ = factories.two_tenants()
        record_id = uuid4()
        with database.transaction(devon.scope) as session:
            records = [(record_id, None)] * count
            audit.record_each(session, Act.READ, record_kind="household", records=records, now=NOW)

        with database.transaction(devon.scope) as session:
            found = [entry.id for batch in each_batch(session, Asked(record_id=record_id)) for entry in batch]

        assert len(found) == len(set(found)) == count
