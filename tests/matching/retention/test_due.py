from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from matching.household import HouseholdUnknown, get_household
from matching.ranking.facts import Sex
from matching.retention.adoption_order import OrderInvalid, OrderRecorded, record_order
from matching.retention.due import Preview, RecordKind, preview
from matching.retention.hold import place_hold
from matching.retention.record_class import RecordClass
from matching.sibling_group import GroupStatus
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant, transaction
from tests.matching.retention.people import OLD, old_household


def look(database: Database, tenant: Tenant, on: date = TODAY) -> Preview:
    with transaction(database, tenant) as session:
        return preview(session, on=on)


def ids(kept: object) -> set[UUID]:
    return {each.record_id for each in kept}  # type: ignore[attr-defined]


class TestPreview:
    def test_is_of_ones_own_agency_and_counts_by_class(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        mine = old_household(factories, ours)
        old_household(factories, theirs)
        factories.household(ours)  # waits, and so is under no rule

        found = look(database, ours)

        assert ids(found.due) == {mine}
        assert found.counts() == {"Households withdrawn, with no adoption order": 1}
        assert found.due[0].record_kind is RecordKind.HOUSEHOLD

    def test_is_due_from_the_day_itself(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        old_household(factories, ours)

        assert not look(database, ours, date(2008, 4, 30)).due
        assert look(database, ours, date(2008, 5, 1)).due

    def test_never_counts_from_an_unknown_birth(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        born = ((date(1940, 1, 1), Sex.FEMALE),)
        known = factories.group(ours, status=GroupStatus.WITHDRAWN, changed_at=OLD, children=born)
        half = factories.group(ours, status=GroupStatus.WITHDRAWN, changed_at=OLD, children=(*born, (None, Sex.MALE)))

        found = look(database, ours)

        assert (ids(found.due), ids(found.undated)) == ({known}, {half})

    def test_counts_by_the_youngest(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        born = ((date(1940, 1, 1), Sex.FEMALE), (date(1952, 1, 1), Sex.MALE))
        factories.group(ours, status=GroupStatus.WITHDRAWN, changed_at=OLD, children=born)

        assert not look(database, ours).due
        assert look(database, ours, date(2027, 1, 1)).due

    def test_keeps_what_has_an_order_for_a_hundred_years_of_the_last(
        self, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        with transaction(database, ours) as session:
            for day in (date(1927, 1, 1), date(2002, 6, 30)):
                record_order(session, get_household(session, household_id), ordered_on=day, now=NOW)

        assert not look(database, ours, date(2102, 6, 29)).due
        (kept,) = look(database, ours, date(2102, 6, 30)).due
        assert kept.rule.record_class is RecordClass.ADOPTION_RECORD

    @pytest.mark.parametrize("by_class", [True, False])
    def test_shows_what_is_held_apart(self, by_class: bool, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        held = old_household(factories, ours)
        with transaction(database, ours) as session:
            if by_class:
                place_hold(session, record_class=RecordClass.HOUSEHOLD_NOT_PLACED, reason="An inquiry", now=NOW)
            else:
                code = get_household(session, held).code
                place_hold(session, reference=code, reason="An inquiry", now=NOW)

        found = look(database, ours)

        assert (ids(found.due), ids(found.held)) == (set(), {held})


class TestRecordOrder:
    def test_refuses_days_that_cannot_be_and_the_same_twice(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        for day in (date(1926, 12, 31), date(2026, 11, 24)):
            with pytest.raises(OrderInvalid), transaction(database, ours) as session:
                record_order(session, get_household(session, household_id), ordered_on=day, now=NOW)
        with transaction(database, ours) as session:
            record_order(session, get_household(session, household_id), ordered_on=TODAY, now=NOW)
        with pytest.raises(OrderRecorded), transaction(database, ours) as session:
            record_order(session, get_household(session, household_id), ordered_on=TODAY, now=NOW)

    def test_refuses_anothers_record(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        shared = factories.household(theirs)

        with pytest.raises(HouseholdUnknown), transaction(database, ours) as session:
            record_order(session, get_household(session, shared), ordered_on=TODAY, now=NOW)
