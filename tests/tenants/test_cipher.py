"""Sealed values open for their own agency, in their own row, unchanged, and not otherwise."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.exc import ProgrammingError

from concord.servers.login import DatabaseUrls
from tenants.cipher import AgencyKey, CannotOpen, Cipher, keyed_digest, seal, unseal
from tenants.database import Database
from tests.conftest import SCOPE_KEY
from tests.factories import NOW, Factories, Tenant

property_test = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestKeyedDigest:
    def test_is_an_agencys_own_and_the_same_for_ever(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        def digest(tenant: Tenant, *, purpose: str = "reference") -> bytes:
            with database.transaction(tenant.scope) as session:
                return keyed_digest(session, b"Alder", purpose=purpose, agency_id=tenant.id, now=NOW)

        first = digest(devon)
        assert len(first) == 32
        assert digest(devon) == first
        assert len({first, digest(dorset), digest(devon, purpose="another")}) == 3


class TestSeal:
    @property_test
    @given(plain=st.binary(max_size=2000))
    def test_gives_what_unseal_opens(self, database: Database, devon: Tenant, plain: bytes) -> None:
        row_id = uuid4()

        with database.transaction(devon.scope) as session:
            sealed = seal(session, plain, agency_id=devon.id, row_id=row_id, now=NOW)
            assert unseal(session, sealed, row_id=row_id) == plain

    def test_gives_other_bytes_each_time(self, database: Database, devon: Tenant) -> None:
        row_id = uuid4()

        with database.transaction(devon.scope) as session:
            sealed = {seal(session, b"Alder", agency_id=devon.id, row_id=row_id, now=NOW) for _ in range(50)}

        assert len(sealed) == 50
        assert not any(b"Alder" in each for each in sealed)

    def test_makes_one_key_an_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        for tenant in (devon, dorset, devon):
            with database.transaction(tenant.scope) as session:
                seal(session, b"", agency_id=tenant.id, row_id=uuid4(), now=NOW)

        for tenant in (devon, dorset):
            with database.transaction(tenant.scope) as session:
                assert session.scalars(select(AgencyKey.agency_id)).all() == [tenant.id]

    def test_makes_one_key_also_when_two_begin_at_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        rows = [uuid4() for _ in range(4)]
        ready = threading.Barrier(len(rows))

        def write(position: int) -> bytes:
            with database.transaction(devon.scope) as session:
                session.scalar(select(1))
                ready.wait(10)
                return seal(session, b"first", agency_id=devon.id, row_id=rows[position], now=NOW)

        with ThreadPoolExecutor(len(rows)) as threads:
            sealed = list(threads.map(write, range(len(rows))))

        with database.transaction(devon.scope) as session:
            assert session.scalar(select(func.count()).select_from(AgencyKey)) == 1
            for row_id, value in zip(rows, sealed, strict=True):
                assert unseal(session, value, row_id=row_id) == b"first"

    def test_seals_under_no_key_that_a_savepoint_took_along(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        row_id = uuid4()

        with database.transaction(devon.scope) as session:
            undone = session.begin_nested()
            seal(session, b"refused", agency_id=devon.id, row_id=uuid4(), now=NOW)
            undone.rollback()
            sealed = seal(session, b"taken", agency_id=devon.id, row_id=row_id, now=NOW)

        with database.transaction(devon.scope) as session:
            assert unseal(session, sealed, row_id=row_id) == b"taken"

    def test_makes_no_key_for_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            seal(session, b"", agency_id=dorset.id, row_id=uuid4(), now=NOW)


class TestUnseal:
    def test_opens_nothing_in_another_row(self, database: Database, devon: Tenant) -> None:
        with database.transaction(devon.scope) as session:
            sealed = seal(session, b"plain", agency_id=devon.id, row_id=uuid4(), now=NOW)

            with pytest.raises(CannotOpen, match="another row"):
                unseal(session, sealed, row_id=uuid4())

    def test_opens_nothing_of_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        row_id = uuid4()
        with database.transaction(devon.scope) as session:
            sealed = seal(session, b"plain", agency_id=devon.id, row_id=row_id, now=NOW)

        with database.transaction(dorset.scope) as session, pytest.raises(CannotOpen, match="not this agency"):
            unseal(session, sealed, row_id=row_id)

    @property_test
    @given(data=st.data())
    def test_opens_nothing_that_was_changed(self, database: Database, devon: Tenant, data: st.DataObject) -> None:
        row_id = uuid4()
        with database.transaction(devon.scope) as session:
            sealed = bytearray(seal(session, b"plain words", agency_id=devon.id, row_id=row_id, now=NOW))
            bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
            sealed[bit // 8] ^= 1 << bit % 8

            with pytest.raises(CannotOpen):
                unseal(session, bytes(sealed), row_id=row_id)

    @property_test
    @given(sealed=st.binary(max_size=100))
    def test_opens_nothing_that_was_never_sealed(self, database: Database, devon: Tenant, sealed: bytes) -> None:
        with database.transaction(devon.scope) as session, pytest.raises(CannotOpen):
            unseal(session, sealed, row_id=uuid4())

    @pytest.mark.parametrize("kept", [0, 1, 17, 28, 29, 44])
    def test_opens_nothing_that_was_cut_short(self, database: Database, devon: Tenant, kept: int) -> None:
        row_id = uuid4()
        with database.transaction(devon.scope) as session:
            sealed = seal(session, b"", agency_id=devon.id, row_id=row_id, now=NOW)

            with pytest.raises(CannotOpen):
                unseal(session, sealed[:kept], row_id=row_id)

    def test_opens_nothing_under_another_master_key(
        self, database: Database, other_master: Database, devon: Tenant
    ) -> None:
        row_id = uuid4()
        with database.transaction(devon.scope) as session:
            sealed = seal(session, b"plain", agency_id=devon.id, row_id=row_id, now=NOW)

        with other_master.transaction(devon.scope) as session, pytest.raises(CannotOpen, match="CONCORD_MASTER_KEY"):
            unseal(session, sealed, row_id=row_id)

    def test_opens_nothing_under_a_key_that_was_moved(self) -> None:
        cipher = Cipher(b"m" * 32)
        own, other = uuid4(), uuid4()

        wrapped = cipher.wrap(AESGCM.generate_key(256), key_id=own)

        with pytest.raises(CannotOpen):
            cipher.unwrap(wrapped, key_id=other)


class TestCipher:
    @pytest.mark.parametrize("length", [0, 16, 31, 33])
    def test_wants_a_whole_key(self, length: int) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            Cipher(b"k" * length)


class TestAgencyKey:
    def test_is_never_overwritten(self, database: Database, devon: Tenant) -> None:
        with database.transaction(devon.scope) as session:
            seal(session, b"", agency_id=devon.id, row_id=uuid4(), now=NOW)

        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(devon.scope) as session:
            session.execute(update(AgencyKey).values(sealed_key=b"lost"))


@pytest.fixture(scope="module")
def devon(factories: Factories) -> Tenant:
    """One agency for tests that need no second."""
    return factories.two_tenants()[0]


@pytest.fixture
def other_master(migrated: DatabaseUrls) -> Iterator[Database]:
    """The same database, opened with another master key."""
    database = Database(migrated.app, scope_key=SCOPE_KEY, master_key=b"another-master-key-of-32-bytes!!")
    yield database
    database.dispose()
