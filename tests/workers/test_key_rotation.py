"""Keys are changed while everything goes on: nothing is lost, whatever is killed when, and the old ones go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.household import get_household, read_identity
from matching.sealed_column import UNDER_AGENCY_KEYS, UNDER_MASTER_KEY
from tenants.cipher import CannotOpen, Cipher, keyed_digest, seal, unseal
from tenants.database import Database
from tenants.identity_provider import add_provider
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import NOW, Factories, Tenant
from workers.key_rotation import KeyChanger, KeyStillUsed

NEW_MASTER = b"a-new-master-key-that-has-32-bts"
# Columns of bytes in which nothing is sealed under an agency's or the master key, each with its reason.
NOT_SEALED = {
    "agency_archive.state": "the hash of an archive",
    "api_answer.fingerprint": "the hash of a request",
    "audit_anchor.hash": "a hash of the audit",
    "audit_anchor.signature": "a signature",
    "audit_chain.hash": "a hash of the audit",
    "hand_over.lines": "ids and digests of the rows that moved",
    "document_version.sealed": "sealed under the key of its own that stands beside it",
    "identity_provider_secret.sealed": "as above",
    "placement_introduction.sealed": "as above",
    "adopters_copy.sealed": "as above",
    "panel_paper.sealed": "as above",
    "link_message.sealed": "as above",
    "link_file.sealed": "as above",
    "adoption_record.sealed": "as above",
    "payee_account_change.sealed": "as above",
    "invoice.sealed": "as above",
    "dispute_message.sealed": "as above",
    "fee_statement.sha256": "the hash of what a statement says",
    "import_run.decision": "a keyed digest",
    "import_shape.shape": "a keyed digest",
    "remittance.sha256": "the hash of a file",
    "remittance.signature": "the hash of headings",
    "remittance_mapping.signature": "as above",
    "remittance_line.fingerprint": "a keyed digest",
    "remittance_line.payer_mark": "a keyed digest",
    "scope_key.inner_pad": "the key that verifies scopes, in the database by its purpose",
    "scope_key.outer_pad": "as above",
    "zone.bands": "published places",
    "zone.fails": "as above",
    "zone.passes": "as above",
}


class TestColumns:
    def test_are_all_on_the_list_of_what_is_sealed(self, admin: psycopg.Connection[Any]) -> None:
        found = {
            f"{table}.{column}"
            for table, column in admin.execute(
                "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 "
                "AND NOT a.attisdropped AND a.atttypid = 'bytea'::regtype"
            )
        }

        digests = {each for each in found if each.endswith((".digest", "_digest", ".digest_after"))}
        sealed = {f"{each.table}.{each.column}" for each in (*UNDER_AGENCY_KEYS, *UNDER_MASTER_KEY)}
        assert found - digests - NOT_SEALED.keys() == sealed

    def test_are_open_to_the_role_that_changes_keys_and_nothing_else_is(self, admin: psycopg.Connection[Any]) -> None:
        listed = {(each.table, each.column) for each in (*UNDER_AGENCY_KEYS, *UNDER_MASTER_KEY)}
        writable = set(
            admin.execute(
                "SELECT table_name, column_name FROM information_schema.column_privileges "
                "WHERE grantee = 'concord_keys' AND privilege_type = 'UPDATE'"
            )
        )

        assert writable == listed | {("agency_key", "retired_at")}


class TestRotate:
    def test_seals_all_anew_and_deletes_the_old_key(
        self, database: Database, factories: Factories, changer: KeyChanger, admin: psycopg.Connection[Any]
    ) -> None:
        devon, dorset = factories.two_tenants()
        homes = {tenant.id: factories.household(tenant) for tenant in (devon, dorset)}
        factories.group(devon)
        before = {tenant.id: _keys(admin, tenant) for tenant in (devon, dorset)}

        rotation = changer.rotate(devon.id, now=NOW)

        assert rotation is not None
        assert (rotation.resealed, rotation.deleted, rotation.begun) == (2, 1, True)
        assert _keys(admin, devon) == {rotation.key_id}
        assert _keys(admin, dorset) == before[dorset.id]
        for tenant in (devon, dorset):
            assert _name(database, tenant, homes[tenant.id]) == "Alder Example"

    def test_leaves_digests_as_they_were_for_ever(
        self, database: Database, factories: Factories, changer: KeyChanger
    ) -> None:
        devon, _ = factories.two_tenants()
        digests = [_digest(database, devon)]

        for _ in range(3):
            changer.rotate(devon.id, now=NOW)
            digests.append(_digest(database, devon))

        assert len(set(digests)) == 1

    def test_does_nothing_for_an_agency_without_a_key(self, factories: Factories, changer: KeyChanger) -> None:
        devon, _ = factories.two_tenants()

        assert changer.rotate(devon.id, now=NOW) is None

    @pytest.mark.parametrize("after", [1, 2, 5, 12])
    def test_goes_on_where_it_was_killed(
        self,
        database: Database,
        factories: Factories,
        migrated: DatabaseUrls,
        admin: psycopg.Connection[Any],
        after: int,
    ) -> None:
        devon, _ = factories.two_tenants()
        homes = [factories.household(devon) for _ in range(3)]
        left = [after]

        def killed(_column: str, _count: int) -> None:
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            _changer(migrated, told=killed).rotate(devon.id, now=NOW)
        for home in homes:
            assert _name(database, devon, home) == "Alder Example"
        homes.append(factories.household(devon))
        rotation = _changer(migrated).rotate(devon.id, now=NOW)

        assert rotation is not None
        assert not rotation.begun
        assert _keys(admin, devon) == {rotation.key_id}
        assert [_name(database, devon, home) for home in homes] == 4 * ["Alder Example"]

    def test_waits_for_whoever_still_seals_under_the_old_key(
        self, database: Database, factories: Factories, changer: KeyChanger, admin: psycopg.Connection[Any]
    ) -> None:
        devon, _ = factories.two_tenants()
        home = factories.household(devon)
        rotated: list[object] = []
        with database.transaction(devon.scope) as slow:
            sealed = seal(slow, b"still at work", agency_id=devon.id, row_id=home, now=NOW)
            thread = threading.Thread(target=lambda: rotated.append(changer.rotate(devon.id, now=NOW)))
            thread.start()
            thread.join(0.5)
            assert thread.is_alive()
            _add_shape(slow, devon, sealed, home)
        thread.join(20)

        assert not thread.is_alive()
        assert rotated
        assert len(_keys(admin, devon)) == 1
        with database.transaction(devon.scope) as session:
            kept: Any = session.scalar(text("SELECT sealed FROM import_shape WHERE id = :id"), {"id": home})
            assert unseal(session, kept, row_id=home) == b"still at work"

    def test_keeps_a_key_that_another_agencys_row_is_sealed_under(
        self, database: Database, factories: Factories, changer: KeyChanger, admin: psycopg.Connection[Any]
    ) -> None:
        devon, dorset = factories.two_tenants()
        home = factories.household(devon)
        with database.transaction(devon.scope) as session:
            sealed = seal(session, b"moved", agency_id=devon.id, row_id=home, now=NOW)
        with database.transaction(dorset.scope) as session:
            _add_shape(session, dorset, sealed, home)

        with pytest.raises(KeyStillUsed, match="another agency"):
            changer.rotate(devon.id, now=NOW)

        assert len(_keys(admin, devon)) == 2
        assert _name(database, devon, home) == "Alder Example"

    def test_is_not_the_applications_to_do(self, migrated: DatabaseUrls) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            KeyChanger(libpq_url(migrated.app), Cipher(MASTER_KEY)).rewrap()


class TestRewrap:
    def test_seals_every_key_under_the_new_master_key(self, own: Own) -> None:
        home = own.factories.household(own.devon)
        with own.database.transaction(own.devon.scope) as session:
            add_provider(
                session,
                name="Staff accounts",
                issuer="https://sign-in.council.example",
                client_id="concord",
                secret="a-secret",
                now=NOW,
            )
        both = Database(own.urls.app, scope_key=SCOPE_KEY, master_key=NEW_MASTER, former_master_key=MASTER_KEY)
        new = Database(own.urls.app, scope_key=SCOPE_KEY, master_key=NEW_MASTER)
        with pytest.raises(CannotOpen):
            _name(new, own.devon, home)
        assert _name(both, own.devon, home) == "Alder Example"

        changer = KeyChanger(libpq_url(own.urls.migrate), Cipher(NEW_MASTER, MASTER_KEY))
        counts = [changer.rewrap() for _ in range(2)]

        assert counts[0] >= 1
        assert counts[1] == 0
        for database in (both, new):
            assert _name(database, own.devon, home) == "Alder Example"
            database.dispose()
        with pytest.raises(CannotOpen):
            _name(own.database, own.devon, home)

        # Back again, for the tests that come after.
        assert KeyChanger(libpq_url(own.urls.migrate), Cipher(MASTER_KEY, NEW_MASTER)).rewrap() == counts[0]

    def test_loses_nothing_when_it_is_killed_or_given_a_wrong_key(self, own: Own) -> None:
        home = own.factories.household(own.devon)

        def killed(_column: str, _count: int) -> None:
            raise KeyboardInterrupt

        wrong = KeyChanger(libpq_url(own.urls.migrate), Cipher(NEW_MASTER, b"w" * 32))
        with pytest.raises(CannotOpen):
            wrong.rewrap()
        halfway = KeyChanger(libpq_url(own.urls.migrate), Cipher(NEW_MASTER, MASTER_KEY), told=killed)
        with pytest.raises(KeyboardInterrupt):
            halfway.rewrap()
        both = Database(own.urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY, former_master_key=NEW_MASTER)
        assert _name(both, own.devon, home) == "Alder Example"
        both.dispose()
        KeyChanger(libpq_url(own.urls.migrate), Cipher(MASTER_KEY, NEW_MASTER)).rewrap()

        assert _name(own.database, own.devon, home) == "Alder Example"


@dataclass(frozen=True)
class Own:
    """The database, and an agency in it."""

    database: Database
    urls: DatabaseUrls
    factories: Factories
    devon: Tenant


def _changer(urls: DatabaseUrls, **told: Any) -> KeyChanger:
    return KeyChanger(libpq_url(urls.migrate), Cipher(MASTER_KEY), **told)


def _keys(admin: psycopg.Connection[Any], tenant: Tenant) -> set[UUID]:
    rows = admin.execute("SELECT id FROM agency_key WHERE agency_id = %s AND purpose = 'seal'", (tenant.id,))
    return {key_id for (key_id,) in rows}


def _name(database: Database, tenant: Tenant, household_id: UUID) -> str:
    with database.transaction(tenant.scope) as session:
        return read_identity(session, get_household(session, household_id), now=NOW)[1].adopters[0]


def _digest(database: Database, tenant: Tenant) -> bytes:
    with database.transaction(tenant.scope) as session:
        return keyed_digest(session, b"Alder", purpose="reference", agency_id=tenant.id, now=NOW)


def _add_shape(session: Any, tenant: Tenant, sealed: bytes, row_id: UUID) -> None:
    session.execute(
        text(
            "INSERT INTO import_shape (id, agency_id, kind, shape, sealed, remembered_at) "
            "VALUES (:id, :agency, 'children', sha256('shape'), :sealed, now())"
        ),
        {"id": row_id, "agency": tenant.id, "sealed": sealed},
    )


@pytest.fixture
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection."""
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture
def changer(migrated: DatabaseUrls) -> KeyChanger:
    """What changes keys of the session's database."""
    return _changer(migrated)


@pytest.fixture
def own(database: Database, migrated: DatabaseUrls, factories: Factories) -> Own:
    """The database with an agency of the test's own."""
    return Own(database, migrated, factories, factories.two_tenants()[0])
