"""Many rows in one statement."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from matching.household import Household, HouseholdIdentity, HouseholdProfile, HouseholdTolerance
from matching.need import Answer
from tenants.base import Base
from tenants.bulk import Values, add_rows, change_rows, table_of
from tenants.database import Database
from tests.factories import Factories


class TestAddRows:
    def test_writes_what_the_orm_reads_back(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)
        rows: list[Values] = [
            {
                "household_id": household_id,
                "agency_id": devon.id,
                "need": need,
                "low": low,
                "medium": "cannot",
                "high": low,
            }
            for need, low in (("neglect", Answer.CAN_MEET), ("education", Answer.UNKNOWN))
        ]
        with database.transaction(devon.scope) as session:
            add_rows(session, HouseholdTolerance, rows)
            found = session.scalars(select(HouseholdTolerance).order_by(HouseholdTolerance.need)).all()
        assert [(row.need, row.low, row.medium) for row in found] == [
            ("education", Answer.UNKNOWN, Answer.CANNOT),
            ("neglect", Answer.CAN_MEET, Answer.CANNOT),
        ]
        with database.transaction(dorset.scope) as session, pytest.raises(Exception, match="row-level security"):
            add_rows(session, HouseholdTolerance, [{**rows[0], "need": "attachment"}])

    def test_does_nothing_for_no_rows(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            add_rows(session, HouseholdTolerance, [])
            change_rows(session, HouseholdTolerance, [])


class TestChangeRows:
    def test_changes_each_row_by_its_key_and_no_other(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        first, second, other = factories.household(devon), factories.household(devon), factories.household(dorset)
        changed_at = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
        rows: list[Values] = [
            {
                "id": each,
                "approved_on": approved_on,
                "languages": ["Welsh", 'O\'Neill \\ "x" é\n'],
                "changed_at": changed_at,
            }
            for each, approved_on in ((first, date(2024, 2, 29)), (other, None), (uuid4(), None))
        ]
        with database.transaction(devon.scope) as session:
            change_rows(session, Household, rows)
        with database.transaction(devon.scope) as session:
            found = {row.id: row for row in session.scalars(select(Household))}
        assert (found[first].approved_on, found[first].changed_at) == (date(2024, 2, 29), changed_at)
        assert found[first].languages == ["Welsh", 'O\'Neill \\ "x" é\n']
        assert found[second].languages == found[other].languages == ["English"]

    def test_keeps_bytes(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon)
        with database.transaction(devon.scope) as session:
            change_rows(session, HouseholdIdentity, [{"household_id": household_id, "sealed": bytes(range(256))}])
            assert session.get_one(HouseholdIdentity, household_id).sealed == bytes(range(256))


class TestTableOf:
    def test_refuses_what_maps_no_table(self) -> None:
        assert table_of(HouseholdProfile).name == "household_profile"
        with pytest.raises((TypeError, AttributeError)):
            table_of(Base)
