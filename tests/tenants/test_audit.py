"""The audit: added to in one's own name, read by both agencies, changed by nobody."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tenants import audit
from tenants.audit import Act, Level
from tenants.database import Database
from tenants.scope import NOBODY, OPERATOR
from tests.factories import NOW, Factories

COLUMNS = ("id", "at", "actor_agency_id", "actor_person_id", "consortium_id", "owner_agency_id", "act", "record_kind")


class TestRecord:
    def test_names_who_did_it_and_whose_it_was(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        record_id = uuid4()

        with database.transaction(devon.scope) as session:
            session.info["request_id"] = "request-1"
            audit.record(
                session,
                Act.READ,
                record_kind="household",
                record_id=record_id,
                owner_agency_id=dorset.id,
                level=Level.PROFILE,
                reason="Sample reason",
                now=NOW,
            )
            entry = audit.list_entries_of(session, record_id)[0]

        assert (entry.actor_agency_id, entry.actor_person_id) == (devon.id, devon.scope.person_id)
        assert (entry.owner_agency_id, entry.consortium_id) == (dorset.id, devon.scope.consortium_id)
        assert (entry.act, entry.level, entry.reason) == (Act.READ, Level.PROFILE, "Sample reason")
        assert (entry.at, entry.request_id) == (NOW, "request-1")

    def test_is_undone_with_what_it_records(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        record_id = uuid4()

        with database.transaction(devon.scope) as session:
            undone = session.begin_nested()
            audit.record(session, Act.CHANGE, record_kind="household", record_id=record_id, now=NOW)
            undone.rollback()

        with database.transaction(devon.scope) as session:
            assert audit.list_entries_of(session, record_id) == []

    @pytest.mark.parametrize("column", ["actor_agency_id", "actor_person_id", "consortium_id"])
    def test_is_made_in_no_other_name(self, database: Database, factories: Factories, column: str) -> None:
        devon, dorset = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        theirs = {
            "actor_agency_id": dorset.id,
            "actor_person_id": dorset.scope.person_id,
            "consortium_id": stranger.scope.consortium_id,
        }
        own = {
            "actor_agency_id": devon.id,
            "actor_person_id": devon.scope.person_id,
            "consortium_id": devon.scope.consortium_id,
        }
        for forged in (theirs[column], None):
            row = {**own, "id": uuid4(), "at": NOW, "owner_agency_id": devon.id, "act": "read", "record_kind": "x"}
            with (
                pytest.raises(ProgrammingError, match="row-level security"),
                database.transaction(devon.scope) as asked,
            ):
                asked.execute(_insert(), {**row, column: forged})

    def test_is_not_made_by_nobody(self, database: Database) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(NOBODY) as session:
            audit.record(session, Act.READ, record_kind="household", now=NOW)

    def test_is_made_by_the_operator_for_the_agency_concerned(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        record_id = uuid4()

        with database.transaction(OPERATOR) as session:
            audit.record(
                session, Act.ADD, record_kind="appointment", record_id=record_id, owner_agency_id=devon.id, now=NOW
            )

        with database.transaction(devon.scope) as session:
            assert audit.list_entries_of(session, record_id)[0].actor_agency_id is None


class TestRecordEach:
    def test_adds_an_entry_for_each(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        ids = [uuid4() for _ in range(3)]

        with database.transaction(devon.scope) as session:
            audit.record_each(
                session, Act.READ, record_kind="household", records=[(each, dorset.id) for each in ids], now=NOW
            )
            assert [len(audit.list_entries_of(session, each)) for each in ids] == [1, 1, 1]

    def test_adds_nothing_for_none(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            audit.record_each(session, Act.READ, record_kind="household", records=[], now=NOW)


class TestListEntriesOf:
    def test_shows_both_agencies_and_no_third(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        assert devon.scope.consortium_id is not None
        neighbour, (stranger, _) = factories.tenant(devon.scope.consortium_id), factories.two_tenants()
        record_id = uuid4()
        with database.transaction(devon.scope) as session:
            audit.record(
                session, Act.READ, record_kind="household", record_id=record_id, owner_agency_id=dorset.id, now=NOW
            )

        for scope, entries in (
            (devon.scope, 1),
            (dorset.scope, 1),
            (neighbour.scope, 0),
            (stranger.scope, 0),
            (OPERATOR, 0),
            (NOBODY, 0),
        ):
            with database.transaction(scope) as session:
                assert len(audit.list_entries_of(session, record_id)) == entries


class TestAuditEntry:
    @pytest.mark.parametrize("statement", ["UPDATE audit_entry SET act = 'add'", "DELETE FROM audit_entry"])
    def test_is_not_the_applications_to_change(self, database: Database, factories: Factories, statement: str) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(devon.scope) as session:
            session.execute(text(statement))

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE audit_entry SET act = 'add'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
    )
    def test_is_not_its_owners_to_change(self, migrated: DatabaseUrls, statement: str) -> None:
        with psycopg.connect(libpq_url(migrated.migrate)) as connection:
            connection.execute("SET ROLE concord_owner")

            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                connection.execute(statement)

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE audit_entry SET act = 'add'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
    )
    def test_is_not_even_a_superusers_to_change(self, migrated: DatabaseUrls, statement: str) -> None:
        with (
            psycopg.connect(libpq_url(migrated.admin)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
        ):
            connection.execute(statement)

    def test_notes_the_transaction_that_wrote_it(
        self, database: Database, migrated: DatabaseUrls, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        record_id = uuid4()
        with database.transaction(devon.scope) as session:
            audit.record(session, Act.READ, record_kind="household", record_id=record_id, now=NOW)
            written_in: Any = session.scalar(text("SELECT pg_current_xact_id()::text"))

        with psycopg.connect(libpq_url(migrated.admin)) as connection:
            noted = connection.execute(
                "SELECT written_in::text FROM audit_entry WHERE record_id = %s", (record_id,)
            ).fetchone()

        assert noted == (written_in,)


def _insert() -> Any:
    return text(f"INSERT INTO audit_entry ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)})")
