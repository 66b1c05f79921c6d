"""Custody: every table has its line in the register, and what an agency takes out is all of its own and no more."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from matching.sealed_column import UNDER_AGENCY_KEYS
from tenants.custody import REGISTER, Course, Form, Holding, Sealed, count_rows, fingerprint, going_out, open_rows
from tenants.database import Database
from tests.factories import Factories
from tests.tenants import catalogue

BY_TABLE = {holding.table: holding for holding in REGISTER}


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
            if key.target in records and "agency_id" in key.columns and BY_TABLE[key.table].course is not Course.MOVES
        }

        assert left == set()

    def test_gives_a_reason_for_whatever_does_not_go_out(self) -> None:
        kept = [holding for holding in REGISTER if holding not in going_out()]

        assert all(holding.kept_in for holding in kept)
        assert not [holding for holding in kept if holding.course is Course.MOVES]


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
