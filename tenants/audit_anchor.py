"""Signed anchors of the audit's chains: on this day, at this position, the chain had this hash.

A chain alone shows a change by somebody who leaves its later hashes alone; whoever may rewrite them all is shown by an
anchor, which only the key outside the database can make (Ed25519, RFC 8032), and by a copy of the anchors kept
elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session

from tenants.audit_chain import canonical, chain_end
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Invalid

LONGEST = timedelta(days=1)
"""After so long an anchor is made in any case: that a chain has not grown is worth a signature too."""
GROWN = timedelta(hours=1)
"""After so long one is made when the chain has grown."""
_FORM = "concord audit anchor 1"


class AnchorUnreadable(Invalid):
    """A copy of anchors, or a public key, is not what Concord wrote."""


class Anchor(Base):
    """The hash of one chain at one position, signed."""

    __tablename__ = "audit_anchor"

    id: Mapped[Id]
    agency_id: Mapped[UUID | None]
    position: Mapped[int]
    hash: Mapped[bytes]
    at: Mapped[datetime]
    key_id: Mapped[str]
    signature: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The part of the audit's key that anyone may have: 32 bytes that check a signature and cannot make one."""

    raw: bytes

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a public key as ``concord audit public-key`` writes it.

        :raises AnchorUnreadable: when it is none.
        """
        try:
            raw = base64.b64decode(text.strip(), validate=True)
            Ed25519PublicKey.from_public_bytes(raw)
        except (ValueError, binascii.Error):
            raise AnchorUnreadable(
                "That is no public key of an audit: it is one line, as `concord audit public-key` writes it."
            ) from None
        return cls(raw)

    @property
    def key_id(self) -> str:
        """Return by what name anchors call the key: 16 hexadecimal digits of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def __str__(self) -> str:
        return base64.b64encode(self.raw).decode()

    def has_signed(self, said: dict[str, Any], signature: bytes) -> bool:
        """Say whether the key’s other part signed exactly this."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, canonical(said))
        except InvalidSignature:
            return False
        return True


class AuditKey:
    """The key outside the database that signs anchors, made from 32 random bytes."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(self._private.public_key().public_bytes_raw())

    def sign(self, said: dict[str, Any]) -> bytes:
        """Return the 64 bytes of a signature."""
        return self._private.sign(canonical(said))


def anchor_chain(session: Session, *, key: AuditKey, now: datetime) -> Anchor | None:
    """Sign the end of the scope's chain where that is due; ``None`` where it is not, or nothing is chained yet."""
    end, last = chain_end(session), find_last_anchor(session, now=now)
    if end.position == 0 or (last is not None and now - last.at < _wait(last, end.position)):
        return None
    anchor = Anchor(
        id=uuid4(),
        agency_id=scope_of(session).agency_id,
        position=end.position,
        hash=end.hash,
        at=now,
        key_id=key.public.key_id,
    )
    anchor.signature = key.sign(statement(anchor))
    session.add(anchor)
    session.flush()
    return anchor


def find_last_anchor(session: Session, *, now: datetime) -> Anchor | None:
    """Return the newest anchor of the scope's chain; one that a wrong clock dated later than now puts nothing off."""
    until_now = _own(session).where(Anchor.at <= now)
    return session.scalars(until_now.order_by(Anchor.at.desc(), Anchor.id).limit(1)).one_or_none()


def list_anchors(session: Session) -> list[Anchor]:
    """Return the anchors of the scope's chain, oldest first."""
    return list(session.scalars(_own(session).order_by(Anchor.at, Anchor.position, Anchor.id)))


def statement(anchor: Anchor) -> dict[str, Any]:
    """Return what an anchor says, which is what is signed."""
    return {
        "form": _FORM,
        "id": str(anchor.id),
        "agency": str(anchor.agency_id) if anchor.agency_id else None,
        "position": anchor.position,
        "hash": anchor.hash.hex(),
        "at": anchor.at.astimezone(UTC).isoformat(),
        "key": anchor.key_id,
    }


def write_anchor(anchor: Anchor) -> dict[str, Any]:
    """Return an anchor for a copy that is kept elsewhere: what it says, and its signature in base64."""
    return {**statement(anchor), "signature": base64.b64encode(anchor.signature).decode()}


def read_anchors(copies: object) -> list[Anchor]:
    """Return the anchors of a copy.

    :raises AnchorUnreadable: when it is no list of anchors.
    """
    if not isinstance(copies, Iterable):
        raise AnchorUnreadable("The copy holds no list of anchors, as `concord audit anchors --json` writes it.")
    return [_read(each) for each in copies]


def _read(said: object) -> Anchor:
    try:
        if not isinstance(said, Mapping) or said["form"] != _FORM:
            raise ValueError("not an anchor")
        return Anchor(
            id=UUID(said["id"]),
            agency_id=UUID(said["agency"]) if said.get("agency") else None,
            position=int(said["position"]),
            hash=bytes.fromhex(said["hash"]),
            at=datetime.fromisoformat(said["at"]),
            key_id=str(said["key"]),
            signature=base64.b64decode(said["signature"], validate=True),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AnchorUnreadable(
            "The copy of the anchors cannot be read: give it as `concord audit anchors --json` wrote it."
        ) from None


def _own(session: Session) -> Any:  # noqa: ANN401 - a select, whose type SQLAlchemy keeps to itself
    agency_id = scope_of(session).agency_id
    return select(Anchor).where(Anchor.agency_id.is_(None) if agency_id is None else Anchor.agency_id == agency_id)


def _wait(last: Anchor, position: int) -> timedelta:
    return GROWN if position > last.position else LONGEST
