"""Seal what must not lie readable in the database: identities, files, packs.

AES-256-GCM (NIST SP 800-38D) with a data key per agency, itself sealed under a master key from the environment or a
file. A sealed value names the key that sealed it; the row that holds it is bound in as associated data, so that a
value moved to another row does not open.
"""

from __future__ import annotations

import hmac
import os
from datetime import datetime
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session

from tenants.base import Base, Id
from tenants.error import DomainError

MASTER_KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12


class CannotOpen(DomainError):
    """A sealed value does not open: wrong master key, wrong row, or the value was changed."""


class AgencyKey(Base):
    """An agency's data key, sealed under the master key."""

    __tablename__ = "agency_key"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    sealed_key: Mapped[bytes]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Cipher:
    """The master key, under which each agency's data keys are sealed."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key must be {MASTER_KEY_BYTES} bytes, not {len(master_key)}")
        self._master = AESGCM(master_key)

    def wrap(self, data_key: bytes, *, key_id: UUID) -> bytes:
        """Seal a data key."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, data_key, key_id.bytes)

    def unwrap(self, sealed_key: bytes, *, key_id: UUID) -> bytes:
        """Open a data key.

        :raises CannotOpen: when the master key is not the one that sealed it.
        """
        try:
            return self._master.decrypt(sealed_key[:_NONCE_BYTES], sealed_key[_NONCE_BYTES:], key_id.bytes)
        except InvalidTag as error:
            raise CannotOpen(
                "The agency's key does not open: CONCORD_MASTER_KEY is not the one it was made with."
            ) from error


def seal(session: Session, plain: bytes, *, agency_id: UUID, row_id: UUID, now: datetime) -> bytes:
    """Return ``plain`` sealed with the agency's present key and bound to ``row_id``."""
    key_id, key = _present_key(session, agency_id=agency_id, now=now)
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + key_id.bytes + nonce + key.encrypt(nonce, plain, row_id.bytes)


def unseal(session: Session, sealed: bytes, *, row_id: UUID) -> bytes:
    """Return what ``seal`` was given.

    :raises CannotOpen: when the value, its row or its key is not what it was.
    """
    if sealed[:1] != _VERSION or len(sealed) < 1 + 16 + _NONCE_BYTES:
        raise CannotOpen("A sealed value is in no format that this version knows.")
    key = _key(session, UUID(bytes=sealed[1:17]))
    nonce, body = sealed[17 : 17 + _NONCE_BYTES], sealed[17 + _NONCE_BYTES :]
    try:
        return key.decrypt(nonce, body, row_id.bytes)
    except InvalidTag as error:
        raise CannotOpen("A sealed value does not open: it was changed, or it belongs to another row.") from error


def keyed_digest(session: Session, plain: bytes, *, purpose: str, agency_id: UUID, now: datetime) -> bytes:
    """Return 32 bytes that stand for ``plain`` and say nothing of it to whoever has not the agency's key.

    The same text has the same digest for ever, so it is reckoned under the agency's first key, also once that is
    retired; another purpose or another agency has another digest (HMAC-SHA-256, FIPS 198-1).
    """
    key = _first_key(session, agency_id=agency_id, now=now)
    return hmac.digest(hmac.digest(key, purpose.encode(), "sha256"), plain, "sha256")


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
    return session.scalar(select(AgencyKey.id).where(AgencyKey.agency_id == agency_id, AgencyKey.retired_at.is_(None)))


def _make_key(session: Session, *, agency_id: UUID, now: datetime) -> UUID:
    cipher: Cipher = session.info["cipher"]
    key_id = uuid4()
    sealed_key = cipher.wrap(AESGCM.generate_key(256), key_id=key_id)
    # Two first writers of one agency may meet here: the partial unique index lets one key be the present one.
    session.execute(
        insert(AgencyKey)
        .values(id=key_id, agency_id=agency_id, sealed_key=sealed_key, created_at=now)
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
        query = select(AgencyKey.id, AgencyKey.sealed_key).where(AgencyKey.agency_id == agency_id)
        key_id, sealed_key = session.execute(query.order_by(AgencyKey.created_at, AgencyKey.id).limit(1)).one()
        cipher: Cipher = session.info["cipher"]
        # Never the key that seals: one key, one use.
        first[agency_id] = hmac.digest(cipher.unwrap(sealed_key, key_id=key_id), b"digest", "sha256")
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
