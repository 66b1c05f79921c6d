"""The audit is chained whole, once, in order and off the way of whoever writes it."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tenants import audit
from tenants.audit import Act
from tenants.audit_chain import (
    FORMS,
    PRESENT_FORM,
    ChainForbidden,
    canonical,
    chain_end,
    chain_entries,
    first_hash,
    next_hash,
)
from tenants.database import Database
from tenants.scope import NOBODY, OPERATOR
from tests.factories import NOW, Factories, Tenant
from tests.tenants.chain import chain, check, look, of

ONE = "295e4760f208891b968e1f0d920eb611eba6868d614cf6e868363548f4c4ec3d"
"""What the columns of the first form come to, which hashes hold to for ever."""


class TestChainEntries:
    def test_chains_every_entry_once_in_the_chains_of_both_agencies(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        chain(database, of(devon)), chain(database, of(dorset))
        look(database, devon, 3)
        look(database, devon, 2, owner=dorset)

        assert chain(database, of(devon)) == 5
        assert chain(database, of(dorset)) == 2
        assert chain(database, of(devon)) == 0
        for tenant in (devon, dorset):
            found = check(database, of(tenant))
            assert (found.sound, found.pending) == (True, 0)

    def test_chains_what_concerns_no_agency_by_itself(self, database: Database, factories: Factories) -> None:
        chain(database, OPERATOR)
        factories.consortium()

        assert chain(database, OPERATOR) > 0
        assert check(database, OPERATOR).sound

    def test_goes_on_where_it_was_cut_short(self, database: Database, devon: Tenant) -> None:
        look(database, devon, 7)

        with suppress(KeyboardInterrupt), database.transaction(of(devon)) as session:
            assert chain_entries(session, limit=4) == 4
            raise KeyboardInterrupt
        with database.transaction(of(devon)) as session:
            assert chain_entries(session, limit=4) == 4
        rest = chain(database, of(devon))

        found = check(database, of(devon))
        assert found.sound
        assert found.checked == 4 + rest

    def test_waits_for_the_oldest_transaction_that_may_still_write(self, database: Database, devon: Tenant) -> None:
        chain(database, of(devon))
        with database.transaction(devon.scope) as slow:
            audit.record(slow, Act.READ, record_kind="household", record_id=uuid4(), now=NOW)
            look(database, devon, 2)
            assert chain(database, of(devon)) == 0
            assert check(database, of(devon)).pending == 2

        assert chain(database, of(devon)) == 3
        assert check(database, of(devon)).sound

    def test_loses_and_doubles_nothing_while_many_write_and_many_chain(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        stop = threading.Event()

        def keep_chaining() -> None:
            while not stop.is_set():
                for tenant in (devon, dorset):
                    with database.transaction(of(tenant)) as session:
                        chain_entries(session, limit=3)

        with ThreadPoolExecutor(6) as pool:
            chainers = [pool.submit(keep_chaining) for _ in range(2)]
            writers = [
                pool.submit(look, database, one, 15, owner=other)
                for one, other in 2 * [(devon, dorset), (dorset, devon)]
            ]
            try:
                for writer in writers:
                    writer.result()
            finally:
                stop.set()
            for chainer in chainers:
                chainer.result()
        for tenant in (devon, dorset):
            chain(database, of(tenant))

        for tenant in (devon, dorset):
            found = check(database, of(tenant))
            assert (found.faults, found.pending) == ([], 0)
            assert found.checked >= 60

    def test_is_never_in_the_way_of_whoever_writes(self, database: Database, devon: Tenant) -> None:
        look(database, devon, 2)
        with database.transaction(of(devon)) as chaining:
            assert chain_entries(chaining) >= 2
            with database.transaction(devon.scope) as session:
                session.execute(text("SET LOCAL lock_timeout = '1ms'"))
                audit.record(session, Act.READ, record_kind="household", record_id=uuid4(), now=NOW)
            with database.transaction(of(devon)) as another:
                began = time.monotonic()
                assert chain_entries(another) == 0
                assert time.monotonic() - began < 5

    def test_goes_on_after_a_restore_that_counts_transactions_anew(
        self, database: Database, devon: Tenant, migrated: DatabaseUrls
    ) -> None:
        look(database, devon, 2)
        chain(database, of(devon))
        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            admin.execute("SET session_replication_role = 'replica'")
            far = "written_in::text::bigint + 1000000000000"
            for table in ("audit_entry", "audit_chain"):
                whose = "coalesce(owner_agency_id, actor_agency_id)" if table == "audit_entry" else "agency_id"
                admin.execute(f"UPDATE {table} SET written_in = ({far})::text::xid8 WHERE {whose} = %s", (devon.id,))
        look(database, devon, 2)

        assert chain(database, of(devon)) == 2
        assert chain(database, of(devon)) == 0
        look(database, devon)
        assert chain(database, of(devon)) == 1
        assert check(database, of(devon)).pending == 0

    def test_chains_first_what_was_not_chained_before_such_a_restore(
        self, database: Database, factories: Factories, migrated: DatabaseUrls
    ) -> None:
        devon, _ = factories.two_tenants()
        chain(database, of(devon))
        look(database, devon, 2)
        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            admin.execute("SET session_replication_role = 'replica'")
            far = "written_in::text::bigint + 1000000000000"
            admin.execute(f"UPDATE audit_chain SET written_in = ({far})::text::xid8 WHERE agency_id = %s", (devon.id,))
            admin.execute(
                f"UPDATE audit_entry SET written_in = ({far})::text::xid8 WHERE owner_agency_id = %s", (devon.id,)
            )
        look(database, devon, 3)

        assert check(database, of(devon)).pending == 5
        assert chain(database, of(devon)) == 5
        with database.transaction(of(devon)) as session:
            written = list(
                session.scalars(
                    text(
                        "SELECT cast(cast(written_in AS text) AS bigint) > 1000000000000 FROM audit_chain "
                        "WHERE agency_id = :id ORDER BY position DESC LIMIT 5"
                    ),
                    {"id": devon.id},
                )
            )
        assert written == [False, False, False, True, True]
        assert check(database, of(devon)).pending == 0

    def test_is_for_no_person(self, database: Database, devon: Tenant) -> None:
        for scope in (devon.scope, NOBODY):
            with database.transaction(scope) as session, pytest.raises(ChainForbidden):
                chain_entries(session)

    @pytest.mark.parametrize("forged", ["own", "theirs", "nobodys"])
    def test_is_not_open_to_sql_that_was_slipped_into_a_session(
        self, database: Database, factories: Factories, forged: str
    ) -> None:
        devon, dorset = factories.two_tenants()
        agency_id = {"own": devon.id, "theirs": dorset.id, "nobodys": None}[forged]

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            session.execute(
                text("INSERT INTO audit_chain VALUES (:agency, 1000000, :id, '1', sha256('x'), 1)"),
                {"agency": agency_id, "id": uuid4()},
            )


class TestChainEnd:
    def test_begins_with_a_hash_of_the_agencys_own(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        ends = []
        for tenant in (devon, dorset):
            with database.transaction(of(tenant)) as session:
                ends.append(chain_end(session))

        assert [end.position for end in ends] == [0, 0]
        assert [end.hash for end in ends] == [first_hash(devon.id), first_hash(dorset.id)]
        assert len({first_hash(None), *(end.hash for end in ends)}) == 3


class TestNextHash:
    @given(
        said=st.dictionaries(st.text(max_size=4), st.one_of(st.none(), st.text(max_size=6)), max_size=4),
        name=st.text(max_size=4),
        value=st.text(max_size=6),
    )
    def test_is_another_when_anything_said_is(self, said: dict[str, Any], name: str, value: str) -> None:
        before = next_hash(b"0" * 32, said)

        changed = {**said, name: value}
        assert (next_hash(b"0" * 32, changed) == before) == (said.get(name) == value)
        assert next_hash(b"1" * 32, said) != before

    def test_is_the_same_without_what_is_not_said(self) -> None:
        assert next_hash(b"", {"id": "1", "level": None}) == next_hash(b"", {"id": "1"})


class TestCanonical:
    def test_is_one_way_of_writing(self) -> None:
        assert canonical({"b": "“é”\n", "a": "1"}) == '{"a":"1","b":"“é”\\n"}'.encode()
        assert json.loads(canonical({"b": 2, "a": None})) == {"b": 2}


class TestForms:
    def test_the_present_one_says_all_that_there_is(self, migrated: DatabaseUrls) -> None:
        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            columns = admin.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'audit_entry'::regclass AND attnum > 0 "
                "AND NOT attisdropped"
            ).fetchall()

        assert sorted(FORMS[PRESENT_FORM]) == sorted(column for (column,) in columns)

    def test_the_first_is_what_it_always_was(self) -> None:
        assert hashlib.sha256(" ".join(FORMS[1]).encode()).hexdigest() == ONE


class TestTables:
    @pytest.mark.parametrize("table", ["audit_entry", "audit_chain", "audit_anchor", "audit_check"])
    @pytest.mark.parametrize("verb", ["UPDATE {} SET agency_id = NULL", "DELETE FROM {}", "TRUNCATE {}"])
    @pytest.mark.parametrize("login", ["concord_app", "concord_relay", "concord_owner", None])
    def test_take_no_change_from_anyone(self, migrated: DatabaseUrls, table: str, verb: str, login: str | None) -> None:
        statement = verb.format(table).replace(
            "agency_id", "owner_agency_id" if table == "audit_entry" else "agency_id"
        )
        with psycopg.connect(libpq_url(migrated.admin)) as connection:
            if login:
                connection.execute(f"SET ROLE {login}")

            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.fixture(scope="module")
def devon(factories: Factories) -> Tenant:
    """One agency for tests that need no second."""
    return factories.two_tenants()[0]
