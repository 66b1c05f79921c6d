"""Seal what must not lie readable in the database: identities, files, packs.

AES-256-GCM (NIST SP 800-38D) with a data key per agency, itself sealed under a master key from the environment or a
file. A sealed value names the key that sealed it; the row that holds it is bound in as associated data, so that a
value moved to another row does not open.
"""

from __future__ import annotations

import hmac
import os
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Text, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.base import Base, Id, Word
from tenants.error import DomainError

MASTER_KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12


class CannotOpen(DomainError):
    """A sealed value does not open: wrong master key, wrong row, or the value was changed."""


class KeyPurpose(StrEnum):
    """What a key of an agency is for: one key, one use."""

    SEAL = "seal"
    DIGEST = "digest"


class AgencyKey(Base):
    """An agency's data key, sealed under the master key."""

    __tablename__ = "agency_key"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    sealed_key: Mapped[bytes]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    purpose: Mapped[KeyPurpose] = mapped_column(Word(KeyPurpose))


class Cipher:
    """The master key, under which each agency's data keys are sealed; while it is being changed, the former too."""

    def __init__(self, master_key: bytes, former_master_key: bytes | None = None) -> None:
        for key in (master_key, former_master_key):
            if key is not None and len(key) != MASTER_KEY_BYTES:
                raise ValueError(f"the master key must be {MASTER_KEY_BYTES} bytes, not {len(key)}")
        self._master = AESGCM(master_key)
        self._former = AESGCM(former_master_key) if former_master_key else None

    def wrap(self, data_key: bytes, *, key_id: UUID) -> bytes:
        """Seal a data key."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, data_key, key_id.bytes)

    def unwrap(self, sealed_key: bytes, *, key_id: UUID) -> bytes:
        """Open a data key.

        :raises CannotOpen: when the master key is not the one that sealed it.
        """
        found = self._opened(self._master, sealed_key, key_id) or self._opened(self._former, sealed_key, key_id)
        if found is None:
            raise CannotOpen("The agency's key does not open: CONCORD_MASTER_KEY is not the one it was made with.")
        return found

    def rewrap(self, sealed_key: bytes, *, key_id: UUID) -> bytes | None:
        """Seal a data key under the present master key; ``None`` where it is already.

        :raises CannotOpen: when neither the present nor the former master key opens it.
        """
        if self._opened(self._master, sealed_key, key_id) is not None:
            return None
        return self.wrap(self.unwrap(sealed_key, key_id=key_id), key_id=key_id)

    def _opened(self, master: AESGCM | None, sealed_key: bytes, key_id: UUID) -> bytes | None:
        if master is None:
            return None
        try:
            return master.decrypt(sealed_key[:_NONCE_BYTES], sealed_key[_NONCE_BYTES:], key_id.bytes)
        except InvalidTag:
            return None


def seal(session: Session, plain: bytes, *, agency_id: UUID, row_id: UUID, now: datetime) -> bytes:
    """Return ``plain`` sealed with the agency's present key and bound to ``row_id``."""
    key_id, key = _present_key(session, agency_id=agency_id, now=now)
    return seal_under(key, plain, key_id=key_id, row_id=row_id)


def unseal(session: Session, sealed: bytes, *, row_id: UUID) -> bytes:
    """Return what ``seal`` was given.

    :raises CannotOpen: when the value, its row or its key is not what it was.
    """
    return unseal_under(_key(session, key_of(sealed)), sealed, row_id=row_id)


def key_of(sealed: bytes) -> UUID:
    """Return the id of the key that a value is sealed under.

    :raises CannotOpen: when it is no sealed value.
    """
    if sealed[:1] != _VERSION or len(sealed) < 1 + 16 + _NONCE_BYTES:
        raise CannotOpen("A sealed value is in no format that this version knows.")
    return UUID(bytes=sealed[1:17])


def seal_under(key: AESGCM, plain: bytes, *, key_id: UUID, row_id: UUID) -> bytes:
    """Return ``plain`` sealed with a key, whose id stands with it, and bound to ``row_id``."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + key_id.bytes + nonce + key.encrypt(nonce, plain, row_id.bytes)


def unseal_under(key: AESGCM, sealed: bytes, *, row_id: UUID) -> bytes:
    """Return what ``seal_under`` was given.

    :raises CannotOpen: when the value, its row or its key is not what it was.
    """
    nonce, body = sealed[17 : 17 + _NONCE_BYTES], sealed[17 + _NONCE_BYTES :]
    try:
        return key.decrypt(nonce, body, row_id.bytes)
    except InvalidTag as error:
        raise CannotOpen("A sealed value does not open: it was changed, or it belongs to another row.") from error


def keyed_digest(session: Session, plain: bytes, *, purpose: str, agency_id: UUID, now: datetime) -> bytes:
    """Return 32 bytes that stand for ``plain`` and say nothing of it to whoever has not the agency's key.

    The same text has the same digest for ever, so it is reckoned from the agency's first key; when keys are changed,
    what it is reckoned from is kept as a key of its own (``digest_key_of``). Another purpose or another agency has
    another digest (HMAC-SHA-256, FIPS 198-1).
    """
    key = _first_key(session, agency_id=agency_id, now=now)
    return hmac.digest(hmac.digest(key, purpose.encode(), "sha256"), plain, "sha256")


def digest_key_of(first_key: bytes) -> bytes:
    """Return what an agency's digests are reckoned from: never the key that seals, for one key has one use."""
    return hmac.digest(first_key, b"digest", "sha256")


def keys_of(session: Session, *, agency_id: UUID) -> dict[UUID, AESGCM]:
    """Return an agency's data keys by their ids, for what is sealed anew under another's; its own scope has them."""
    query = select(AgencyKey.id).where(AgencyKey.agency_id == agency_id, AgencyKey.purpose == KeyPurpose.SEAL)
    return {key_id: _key(session, key_id) for key_id in session.scalars(query)}


def forget_keys(session: Session) -> None:
    """Look the keys up again before the next use, because a part of the transaction was rolled back."""
    session.info.pop("present_keys", None)
    session.info.pop("opened_keys", None)
    session.info.pop("first_keys", None)


def _present_key(session: Session, *, agency_id: UUID, now: datetime) -> tuple[UUID, AESGCM]:
    present: dict[UUID, tuple[UUID, AESGCM]] = session.info.setdefault("present_keys", {})
    if agency_id not in present:
        key_id = _find_present(session, agency_id) or _make_key(session, agency_id=agency_id, now=now)
        present[agency_id] = (key_id, _key(session, key_id))
    return present[agency_id]


def _find_present(session: Session, agency_id: UUID) -> UUID | None:
    present = (
        AgencyKey.agency_id == agency_id,
        AgencyKey.retired_at.is_(None),
        AgencyKey.purpose == KeyPurpose.SEAL,
    )
    # Held until the transaction ends: a key is deleted only when nobody can be sealing under it. Whoever was about to
    # take the lock of a key that is retired meanwhile looks again.
    lock = func.pg_advisory_xact_lock_shared(func.hashtextextended(cast(AgencyKey.id, Text), 0))
    while row := session.execute(select(AgencyKey.id, lock).where(*present)).one_or_none():
        if session.scalar(select(AgencyKey.id).where(*present)) == row[0]:
            return UUID(str(row[0]))
    return None


def _make_key(session: Session, *, agency_id: UUID, now: datetime) -> UUID:
    cipher: Cipher = session.info["cipher"]
    key_id = uuid4()
    sealed_key = cipher.wrap(AESGCM.generate_key(256), key_id=key_id)
    # Two first writers of one agency may meet here: the partial unique index lets one key be the present one.
    session.execute(
        insert(AgencyKey)
        .values(id=key_id, agency_id=agency_id, sealed_key=sealed_key, created_at=now, purpose=KeyPurpose.SEAL)
        .on_conflict_do_nothing()
    )
    present = _find_present(session, agency_id)
    if present is None:
        raise CannotOpen("This scope cannot hold a key for that agency.")
    return present


def _first_key(session: Session, *, agency_id: UUID, now: datetime) -> bytes:
    first: dict[UUID, bytes] = session.info.setdefault("first_keys", {})
    if agency_id not in first:
        _present_key(session, agency_id=agency_id, now=now)
        query = select(AgencyKey.id, AgencyKey.sealed_key, AgencyKey.purpose).where(AgencyKey.agency_id == agency_id)
        own_first = query.order_by(AgencyKey.purpose != KeyPurpose.DIGEST, AgencyKey.created_at, AgencyKey.id).limit(1)
        key_id, sealed_key, purpose = session.execute(own_first).one()
        cipher: Cipher = session.info["cipher"]
        key = cipher.unwrap(sealed_key, key_id=key_id)
        first[agency_id] = key if purpose is KeyPurpose.DIGEST else digest_key_of(key)
    return first[agency_id]


def _key(session: Session, key_id: UUID) -> AESGCM:
    opened: dict[UUID, AESGCM] = session.info.setdefault("opened_keys", {})
    if key_id not in opened:
        sealed_key = session.scalar(select(AgencyKey.sealed_key).where(AgencyKey.id == key_id))
        if sealed_key is None:
            raise CannotOpen("The key of a sealed value is not this agency's to use.")
        cipher: Cipher = session.info["cipher"]
        opened[key_id] = AESGCM(cipher.unwrap(sealed_key, key_id=key_id))
    return opened[key_id]
