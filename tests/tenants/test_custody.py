"""Custody: every table has its line in the register, and what an agency takes out is all of its own and no more."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from matching.sealed_column import UNDER_AGENCY_KEYS
from tenants.custody import REGISTER, count_rows, fingerprint, going_out, moving, open_rows, row_key
from tenants.database import Database
from tenants.holding import Course, Form, Holding, Sealed
from tests.factories import Factories
from tests.tenants import catalogue
from tests.tenants.world import World

BY_TABLE = {holding.table: holding for holding in REGISTER}
MOVING = {holding.table for holding in moving()}
# What moves with everything and never with a record, each with its reason.
MOVES_WITH_ALL = {
    "identity_provider": "it is the agency’s people’s",
    **dict.fromkeys(
        ("adoption_record", "sealing_certificate", "sealed_placement"), "it is severed from every record, as it must be"
    ),
    "meeting_action": "it names a record by its code at most, and is the agency’s to do",
}
# Unique keys that an agency alone keeps apart, and what ``settle_hand_over`` does with rows that collide.
COLLISIONS = {
    "household_identity_reference_key": "the moved reference gets the agency’s short name before it",
    "sibling_group_identity_reference_key": "as above",
    "child_identity_reference_key": "as above",
    "retention_hold_standing_idx": "both stand: the moved one is marked, and counts for no uniqueness",
    "identity_provider_on_idx": "the receiver’s goes on, the other is off",
}


class TestRegister:
    def test_has_one_line_for_each_walled_table(self, admin: psycopg.Connection[Any]) -> None:
        assert sorted(holding.table for holding in REGISTER) == catalogue.walled_tables(admin)

    def test_names_each_column_that_names_an_agency(self, admin: psycopg.Connection[Any]) -> None:
        missing = {
            f"{table}.{column}"
            for table in catalogue.walled_tables(admin)
            for column in columns_of_agencies(admin, table)
            if column not in BY_TABLE[table].agencies
        }

        assert missing == set()

    def test_names_each_column_that_is_sealed(self, admin: psycopg.Connection[Any]) -> None:
        found = {
            (table, column)
            for table in catalogue.walled_tables(admin)
            for column in catalogue.columns(admin, table)
            if column.startswith("sealed")
        }

        sealed = [(holding.table, each) for holding in REGISTER for each in holding.sealed]
        named = {(table, name) for table, each in sealed for name in (each.column, each.own_key) if name}

        assert found - named == {("agency_key", "sealed_key")}  # under the service's master key, not the agency's
        assert named <= found

    def test_says_of_what_is_sealed_the_same_as_the_list_by_which_keys_are_changed(self) -> None:
        here = {
            (holding.table, each.column, each.bound_to, each.apart or None)
            for holding in REGISTER
            for each in holding.sealed
            if each.own_key is None
        }

        assert here == {(each.table, each.column, each.row, each.apart) for each in UNDER_AGENCY_KEYS}

    def test_moves_whatever_a_record_is_made_of(self, admin: psycopg.Connection[Any]) -> None:
        """A row that hangs on a record of the agency's own cannot stay behind: the foreign key would point nowhere."""
        records = {"household", "sibling_group", "child"}

        left = {
            key.table
            for key in catalogue.foreign_keys(admin)
            if key.target in records
            and "agency_id" in key.columns
            and BY_TABLE[key.table].course is not Course.MOVES
            # The words by which records are found follow by their key.
            and not key.table.endswith("_words")
        }

        assert left == set()

    def test_gives_a_reason_for_whatever_does_not_go_out(self) -> None:
        kept = [holding for holding in REGISTER if holding not in going_out()]

        assert all(holding.kept_in for holding in kept)
        # What moves and does not go out is how people sign in, which the other agency goes on with.
        assert {holding.table for holding in kept if holding.course is Course.MOVES} == {
            "identity_provider",
            "identity_provider_role",
            "identity_provider_secret",
        }


class TestMoving:
    """What has to hold of each table whose rows move, so that they can; ``tenants/custody.py`` says it in words."""

    def test_is_checked_at_the_end_wherever_two_such_tables_meet(self, admin: psycopg.Connection[Any]) -> None:
        found = admin.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text, condeferrable AND confupdtype = 'a', "
            "ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey)) "
            "FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        ).fetchall()

        ties = [
            (table, target, fit)
            for table, target, fit, columns in found
            if {table, target} <= MOVING and set(columns) & set(BY_TABLE[table].agencies)
        ]
        assert len(ties) > 30
        assert [tie for tie in ties if not tie[2]] == []

    def test_is_pointed_at_by_nothing_that_would_stay_behind(self, admin: psycopg.Connection[Any]) -> None:
        """What is not of the register's making has to follow by itself: words for searching, for instance."""
        left = admin.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint c "
            "WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND confupdtype <> 'c' "
            "AND confrelid::regclass::text = ANY (%s) AND conrelid::regclass::text <> ALL (%s) "
            "AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = confrelid AND a.attnum = ANY (confkey) "
            "AND a.attname LIKE '%%agency_id')",
            (sorted(MOVING), sorted(MOVING)),
        ).fetchall()

        assert left == []

    @pytest.mark.parametrize("table", sorted(holding.table for holding in moving()))
    def test_is_written_out_in_the_function_that_moves(self, table: str, admin: psycopg.Connection[Any]) -> None:
        bodies = "".join(body for (body,) in admin.execute("SELECT prosrc FROM pg_proc WHERE proname = 'move_custody'"))
        rights = admin.execute("SELECT has_table_privilege('concord_custody', %s, 'MAINTAIN')", (table,)).fetchone()

        sets = re.findall(rf"UPDATE {table} (?:t )?SET ", bodies)
        assert len(sets) == (1 if table in MOVES_WITH_ALL else 2)
        assert rights == (True,)

    def test_has_a_key_in_which_an_id_stands(self, wall: Database, world: World) -> None:
        with wall.transaction(world.agency.scope) as session:
            keys = {holding.table: row_key(session, holding) for holding in moving()}

        assert [table for table, key in keys.items() if not key or not key[0].endswith("id")] == []

    def test_is_kept_apart_by_more_than_its_agency(self, admin: psycopg.Connection[Any]) -> None:
        found = admin.execute(
            "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, "
            "array_agg(a.attname::text), bool_or(a.atttypid = 'uuid'::regtype AND a.attname <> ALL (%s)) "
            "FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[]) "
            "WHERE i.indisunique AND i.indrelid::regclass::text = ANY (%s) GROUP BY 1, 2",
            (sorted({column for holding in moving() for column in holding.agencies}), sorted(MOVING)),
        ).fetchall()

        alone = {
            name for table, name, columns, by_id in found if set(columns) & set(BY_TABLE[table].agencies) and not by_id
        }
        assert alone == set(COLLISIONS)

    def test_lets_two_sides_be_one_agency(self, admin: psycopg.Connection[Any]) -> None:
        checks = admin.execute(
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'c' AND conrelid::regclass::text = ANY (%s)",
            (sorted(MOVING),),
        ).fetchall()

        differ = {
            table
            for table, said in checks
            if re.search(r"agency_id <> \w*agency_id|agency_id <> \w+_id\b", said) and " OR " not in said
        }
        assert differ == set()


class TestOpenRows:
    def test_yields_ones_own_rows_alone_and_opens_what_is_sealed(
        self, database: Database, factories: Factories
    ) -> None:
        us, them = factories.two_tenants()
        ours = factories.household(us)
        factories.household(them)

        with database.transaction(us.scope) as session:
            summaries = list(open_rows(session, BY_TABLE["household"]))
            (identity,) = open_rows(session, BY_TABLE["household_identity"])

        assert [row.values["id"] for row in summaries] == [str(ours)]
        assert identity.values["sealed"]["adopters"] == ["Alder Example"]
        assert identity.files == {}

    @pytest.mark.parametrize("holding", going_out(), ids=lambda holding: holding.table)
    def test_can_read_every_table_that_goes_out(
        self, holding: Holding, database: Database, factories: Factories
    ) -> None:
        us, _ = factories.two_tenants()
        factories.household(us)
        factories.group(us)

        with database.transaction(us.scope) as session:
            rows = list(open_rows(session, holding))

            assert len(rows) == count_rows(session, holding)
            assert {str(us.id)} >= {row.values[holding.agencies[0]] for row in rows}


class TestFingerprint:
    def test_changes_with_any_record_and_with_nothing_else(self, database: Database, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.group(us)

        with database.transaction(us.scope) as session:
            before = fingerprint(session)
        factories.household(them)
        with database.transaction(us.scope) as session:
            meanwhile = fingerprint(session)
        factories.household(us)
        with database.transaction(us.scope) as session:
            after = fingerprint(session)

        assert before == meanwhile != after
        assert len(before) == 32


class TestSealed:
    @pytest.mark.parametrize(
        ("written", "ending"),
        [
            ("sheet.CSV", "csv"),
            ("sheet", "sheet"),
            ("a.tar.gz", "gz"),
            ("../../x.so/", "bin"),
            ("", "bin"),
            ("é.é", "bin"),
        ],
    )
    def test_names_a_file_by_its_row_and_never_by_what_a_person_wrote(self, written: str, ending: str) -> None:
        sealed = Sealed("sealed", "id", Form.FILE, named_by="filename")
        row = {"id": "00000000-0000-0000-0000-000000000001", "filename": written}

        name = sealed.file_name("import_run", row)

        assert name == f"files/import_run/00000000-0000-0000-0000-000000000001.{ending}"


def columns_of_agencies(admin: psycopg.Connection[Any], table: str) -> set[str]:
    """Return a table's columns that name an agency, as far as foreign keys and names tell."""
    pointed = admin.execute(
        "SELECT a.attname FROM pg_constraint c "
        "CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k (own, other) "
        "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own "
        "JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.other "
        "WHERE c.contype = 'f' AND c.conrelid = %s::regclass "
        "AND (c.confrelid = 'agency'::regclass OR b.attname = 'agency_id')",
        (table,),
    ).fetchall()
    named = {column for column in catalogue.columns(admin, table) if column.endswith("agency_id")}
    return named | {column for (column,) in pointed}
