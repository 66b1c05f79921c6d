"""Seal one thing with a key of its own, so that others than its agency may be let open it, and it may be lost for good.

The data key is sealed under the master key and kept beside the value: whoever the database shows the row can open it,
and once the sealed key is removed nobody can. AES-256-GCM (NIST SP 800-38D); both are bound to the row's id.
"""

from __future__ import annotations

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from tenants.cipher import CannotOpen, Cipher

_NONCE_BYTES = 12
_PURPOSE = b"content"


def seal_apart(session: Session, plain: bytes, *, row_id: UUID) -> tuple[bytes, bytes]:
    """Return a new data key, sealed under the master key, and ``plain`` sealed with it; both hold for ``row_id``."""
    cipher: Cipher = session.info["cipher"]
    key, nonce = AESGCM.generate_key(256), os.urandom(_NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, plain, _PURPOSE + row_id.bytes)
    return cipher.wrap(key, key_id=row_id), sealed


def unseal_apart(session: Session, sealed_key: bytes, sealed: bytes, *, row_id: UUID) -> bytes:
    """Return what ``seal_apart`` was given.

    :raises CannotOpen: when the key, the value, its row or the master key is not what it was.
    """
    cipher: Cipher = session.info["cipher"]
    try:
        key = AESGCM(cipher.unwrap(sealed_key, key_id=row_id))
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE + row_id.bytes)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("A sealed value does not open: it was changed, or it belongs to another row.") from error
