"""Change the keys that things are sealed under: an agency's data key, or the master key over all keys.

It signs in with the login that migrates and acts as a role that sees sealed columns and ids and nothing else; the
application can neither take a key away nor write a sealed value anew. Everything is done in short transactions, each
of which leaves all values openable: whatever ends the program, the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import sql

from matching.sealed_column import UNDER_AGENCY_KEYS, UNDER_MASTER_KEY, SealedColumn
from tenants.cipher import CannotOpen, Cipher, digest_key_of, key_of, seal_under, unseal_under
from tenants.error import Conflict

_PAGE = 200
Told = Callable[[str, int], None]
"""Is told, after each transaction, which column is being done and how many of its values are."""


class KeyStillUsed(Conflict):
    """A retired key cannot be deleted: something that is not its agency's own is sealed under it."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a change of an agency's key came to."""

    key_id: UUID
    resealed: int
    deleted: int
    begun: bool
    """False where an earlier program had begun it and this one went on."""


class KeyChanger:
    """One program that changes keys."""

    def __init__(self, migrate_url: str, cipher: Cipher, *, told: Told = lambda _column, _count: None) -> None:
        """``migrate_url`` is a libpq address, for the login that migrates."""
        self._url = migrate_url
        self._cipher = cipher
        self._told = told

    def rotate(self, agency_id: UUID, *, now: datetime) -> Rotation | None:
        """Give an agency a new key, seal all it has under that, and delete the old; ``None`` when it has no key yet.

        A change that was begun and not ended is ended, and no other begun.

        :raises CannotOpen: when a value does not open; what is sealed under its key stays, and so does the key.
        :raises KeyStillUsed: when another agency's row is sealed under the old key; it stays.
        """
        with self._connection() as connection:
            begun = self._begin(connection, agency_id, now=now)
            keys = self._keys(connection, agency_id)
            present = next((key_id for key_id, (_, retired) in keys.items() if not retired), None)
            if present is None:
                return None
            resealed, deleted = 0, 0
            for old in [key_id for key_id, (_, retired) in keys.items() if retired]:
                # A writer who was at work when the key was retired may have sealed one more value under it meanwhile.
                while not self._delete(connection, old):
                    count = self._reseal(connection, agency_id, keys, present)
                    if not count:
                        raise KeyStillUsed(
                            "A record of another agency is sealed under this agency’s former key, so that key is kept. "
                            "Nothing is lost; seal that record under its own agency’s key, then run this again."
                        )
                    resealed += count
                deleted += 1
        return Rotation(key_id=present, resealed=resealed, deleted=deleted, begun=begun)

    def rewrap(self) -> int:
        """Seal every key under the present master key that is still under the former, and return how many.

        :raises CannotOpen: when neither master key opens one.
        """
        with self._connection() as connection:
            return sum(self._rewrap(connection, each) for each in UNDER_MASTER_KEY)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=10) as connection:
            connection.execute("SET ROLE concord_keys")
            yield connection

    def _begin(self, connection: psycopg.Connection[Any], agency_id: UUID, *, now: datetime) -> bool:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"concord.keys {agency_id}",))
            keys = connection.execute(_DATA_KEYS + " ORDER BY created_at, id", (agency_id,)).fetchall()
            if not keys or any(retired_at for _, _, retired_at in keys):
                return False
            first_id, first, _ = keys[0]
            # Before the first key can go: what digests are reckoned from has to be the same for ever.
            kept = digest_key_of(self._cipher.unwrap(first, key_id=first_id))
            connection.execute("UPDATE agency_key SET retired_at = %s WHERE id = %s", (now, first_id))
            for purpose, key in (("digest", kept), ("seal", AESGCM.generate_key(256))):
                key_id = uuid4()
                made = (key_id, agency_id, self._cipher.wrap(key, key_id=key_id), now, purpose)
                connection.execute(_MAKE, made)
        return True

    def _keys(self, connection: psycopg.Connection[Any], agency_id: UUID) -> dict[UUID, tuple[AESGCM, bool]]:
        rows = connection.execute(_DATA_KEYS, (agency_id,)).fetchall()
        return {
            key_id: (AESGCM(self._cipher.unwrap(sealed_key, key_id=key_id)), retired_at is not None)
            for key_id, sealed_key, retired_at in rows
        }

    def _reseal(
        self,
        connection: psycopg.Connection[Any],
        agency_id: UUID,
        keys: dict[UUID, tuple[AESGCM, bool]],
        present: UUID,
    ) -> int:
        total = 0
        for column in UNDER_AGENCY_KEYS:
            done, count = 0, 1
            while count:
                with connection.transaction():
                    about = (agency_id, present.bytes, column.at_once)
                    rows = connection.execute(_filled(_OTHERS, column), about).fetchall()
                    for row_id, sealed in rows:
                        anew = _sealed_anew(sealed, keys, present, row_id=column.bound_to(row_id))
                        connection.execute(_filled(_WRITE, column), (anew, row_id))
                count = len(rows)
                done += count
                self._told(f"{column.table}.{column.column}", done)
            total += done
        return total

    def _delete(self, connection: psycopg.Connection[Any], key_id: UUID) -> bool:
        """Delete a retired key when nothing is sealed under it and nobody can be sealing under it; say whether."""
        with connection.transaction():
            # Every transaction that seals under the key holds this lock, shared, until it ends.
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(key_id),))
            for column in UNDER_AGENCY_KEYS:
                if connection.execute(_filled(_ANY, column), (key_id.bytes,)).fetchone():
                    return False
            connection.execute("DELETE FROM agency_key WHERE id = %s AND retired_at IS NOT NULL", (key_id,))
        return True

    def _rewrap(self, connection: psycopg.Connection[Any], column: SealedColumn) -> int:
        count, last = 0, UUID(int=0)
        while True:
            with connection.transaction():
                rows = connection.execute(_filled(_PAGE_OF, column), (last, _PAGE)).fetchall()
                for row_id, sealed_key in rows:
                    anew = self._cipher.rewrap(sealed_key, key_id=row_id)
                    if anew is not None:
                        connection.execute(_filled(_WRITE, column), (anew, row_id))
                        count += 1
            self._told(f"{column.table}.{column.column}", count)
            if not rows:
                return count
            last = rows[-1][0]


def _sealed_anew(sealed: bytes, keys: dict[UUID, tuple[AESGCM, bool]], present: UUID, *, row_id: UUID) -> bytes:
    old = keys.get(key_of(sealed))
    if old is None:
        raise CannotOpen("A sealed value names a key that its agency does not have.")
    return seal_under(keys[present][0], unseal_under(old[0], sealed, row_id=row_id), key_id=present, row_id=row_id)


def _filled(query: str, column: SealedColumn) -> sql.Composed:
    names = {"table": column.table, "column": column.column, "row": column.row}
    return sql.SQL(query).format(**{name: sql.Identifier(value) for name, value in names.items()})


_DATA_KEYS = "SELECT id, sealed_key, retired_at FROM agency_key WHERE agency_id = %s AND purpose = 'seal'"
_MAKE = """
    INSERT INTO agency_key (id, agency_id, sealed_key, created_at, purpose) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (agency_id, purpose) WHERE retired_at IS NULL DO NOTHING
"""
# A sealed value begins with a byte of version and the 16 of its key's id.
_OTHERS = """
    SELECT {row}, {column} FROM {table}
    WHERE agency_id = %s AND {column} IS NOT NULL AND substring({column} FROM 2 FOR 16) <> %s
    LIMIT %s FOR UPDATE
"""
# Whosever row it is in: a record may have moved to another agency.
_ANY = "SELECT 1 FROM {table} WHERE substring({column} FROM 2 FOR 16) = %s LIMIT 1"
_WRITE = "UPDATE {table} SET {column} = %s WHERE {row} = %s"
_PAGE_OF = """
    SELECT {row}, {column} FROM {table} WHERE {row} > %s AND {column} IS NOT NULL
    ORDER BY {row} LIMIT %s FOR UPDATE
"""
