from __future__ import annotations

from datetime import date

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.retention.record_class import Clock, Ends, RecordClass, class_defaults, fixed_classes
from matching.retention.rule import RuleInvalid, months_after, schedule_of, set_rule
from matching.sealed_words import WordsMissing
from tenants.agency import Nation
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, transaction


class TestClassDefaults:
    @pytest.mark.parametrize("nation", Nation)
    def test_keep_adoption_records_a_hundred_years_in_every_nation(self, nation: Nation) -> None:
        assert class_defaults(nation)[RecordClass.ADOPTION_RECORD].months >= 1200

    def test_differ_between_nations(self) -> None:
        months = {
            nation: class_defaults(nation)[RecordClass.HOUSEHOLD_NOT_PLACED].months
            for nation in (Nation.ENGLAND, Nation.NORTHERN_IRELAND)
        }

        assert months == {Nation.ENGLAND: 84, Nation.NORTHERN_IRELAND: 900}

    @pytest.mark.parametrize("nation", Nation)
    def test_name_their_ground(self, nation: Nation) -> None:
        assert all(default.basis and default.what for default in class_defaults(nation).values())
        assert all(fixed.basis and fixed.period for fixed in fixed_classes())


class TestScheduleOf:
    def test_is_where_concord_starts_from_until_the_agency_sets_its_own(
        self, factories: Factories, database: Database
    ) -> None:
        ours, theirs = factories.two_tenants()
        with transaction(database, theirs) as session:
            set_rule(
                session,
                RecordClass.IMPORT_FILE,
                clock=Clock.FINISHED,
                months=3,
                ends=Ends.REVIEW,
                basis="Our records manual, page 4",
                now=NOW,
            )

        with transaction(database, ours) as session:
            mine = schedule_of(session)
        with transaction(database, theirs) as session:
            other = schedule_of(session)

        assert (mine[RecordClass.IMPORT_FILE].months, mine[RecordClass.IMPORT_FILE].set_at) == (12, None)
        assert (other[RecordClass.IMPORT_FILE].months, other[RecordClass.IMPORT_FILE].set_at) == (3, NOW)
        assert list(mine) == list(RecordClass)

    def test_says_the_period_in_words(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with transaction(database, ours) as session:
            schedule = schedule_of(session)

        assert schedule[RecordClass.ADOPTION_RECORD].period == "100 years from the adoption order"
        assert schedule[RecordClass.IMPORT_FILE].period == "1 year from the end of the import"


class TestSetRule:
    def set_adoption(self, database: Database, factories: Factories, months: int) -> None:
        ours, _ = factories.two_tenants()
        with transaction(database, ours) as session:
            set_rule(
                session,
                RecordClass.ADOPTION_RECORD,
                clock=Clock.ORDER,
                months=months,
                ends=Ends.DESTROY,
                basis="Ours",
                now=NOW,
            )

    def test_lengthens_the_floor_and_never_shortens_it(self, factories: Factories, database: Database) -> None:
        self.set_adoption(database, factories, 1200)
        with pytest.raises(RuleInvalid, match="100 years"):
            self.set_adoption(database, factories, 1199)

    @pytest.mark.parametrize(("months", "clock"), [(1199, "order"), (1200, "withdrawn")])
    def test_cannot_get_past_the_database_either(
        self, months: int, clock: str, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        statement = text(
            "INSERT INTO retention_rule "
            "VALUES (:agency, 'adoption_record', :clock, :months, 'destroy', 'x', :me, now())"
        )
        facts = {"agency": ours.id, "months": months, "clock": clock, "me": ours.scope.person_id}

        with pytest.raises(IntegrityError, match="retention_rule_floor_check"), transaction(database, ours) as session:
            session.execute(statement, facts)

    @pytest.mark.parametrize("months", [0, -1, 2401])
    def test_refuses_absurd_periods(self, months: int, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with pytest.raises(RuleInvalid), transaction(database, ours) as session:
            set_rule(
                session,
                RecordClass.IMPORT_FILE,
                clock=Clock.FINISHED,
                months=months,
                ends=Ends.DESTROY,
                basis="Ours",
                now=NOW,
            )

    def test_refuses_a_clock_that_the_class_has_not(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        with pytest.raises(RuleInvalid, match="start"), transaction(database, ours) as session:
            set_rule(
                session,
                RecordClass.HOUSEHOLD_NOT_PLACED,
                clock=Clock.YOUNGEST_BIRTH,
                months=12,
                ends=Ends.DESTROY,
                basis="Ours",
                now=NOW,
            )

    def test_wants_a_ground_and_the_right_role(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        said = {"clock": Clock.FINISHED, "months": 12, "ends": Ends.DESTROY, "now": NOW}
        with pytest.raises(WordsMissing), transaction(database, ours) as session:
            set_rule(session, RecordClass.IMPORT_FILE, basis=" \0 ", **said)  # type: ignore[arg-type]
        with pytest.raises(NotAllowed), database.transaction(ours.acting_as(Role.MANAGER)) as session:
            set_rule(session, RecordClass.IMPORT_FILE, basis="Ours", **said)  # type: ignore[arg-type]


class TestMonthsAfter:
    def test_ends_where_a_month_is_shorter(self) -> None:
        assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
        assert months_after(date(2026, 1, 31), 1) == date(2026, 2, 28)
        assert months_after(date(1926, 11, 23), 1200) == date(2026, 11, 23)

    @given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(1, 2400))
    def test_is_that_many_months_later(self, start: date, months: int) -> None:
        end = months_after(start, months)

        assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
        assert end.day <= start.day


class TestAdoptionOrderInTheDatabase:
    def test_stays_a_hundred_years_by_the_databases_own_day(
        self, factories: Factories, migrated: DatabaseUrls, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        ids = [factories.household(ours) for _ in range(2)]
        with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as admin:
            for household_id, age in zip(ids, ("100 years", "99 years 11 months"), strict=True):
                admin.execute(
                    "INSERT INTO adoption_order VALUES (gen_random_uuid(), %s, %s, NULL, "
                    "(now() AT TIME ZONE 'UTC')::date - %s::interval, %s, now())",
                    (ours.id, household_id, age, ours.scope.person_id),
                )

        with transaction(database, ours) as session:
            gone = session.execute(text("DELETE FROM adoption_order RETURNING household_id")).scalars().all()

        assert gone == [ids[0]]
        with pytest.raises(IntegrityError), transaction(database, ours) as session:
            session.execute(text("DELETE FROM household WHERE id = :id"), {"id": ids[1]})
