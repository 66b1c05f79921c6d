"""Who is asking: the scope that every session carries and that the database itself verifies.

The scope travels to PostgreSQL as a transaction-local setting signed with HMAC-SHA256. The database holds the key
where no login role can read it, so a forged setting shows no rows; and the signature covers the backend's process
id and the time of signing, so a copied one is worth nothing in another session or later.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from uuid import UUID

from tenants.role import Role

SCOPE_KEY_BYTES = 32
_HMAC_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Scope:
    """An agency's view of the register: for whom, by whom, in which consortium, in which roles.

    Without an agency a scope sees no records at all; ``operator`` only opens the directory of consortia, agencies
    and people. ``NOBODY`` sees nothing; it is the scope in which signing in begins.
    """

    agency_id: UUID | None = None
    person_id: UUID | None = None
    consortium_id: UUID | None = None
    roles: frozenset[Role] = frozenset()
    operator: bool = False
    client_id: UUID | None = None
    """The agency's own program that asks, where no person does."""
    opens: frozenset[str] = frozenset()
    """What that program may do, as verbs by name; a person's come of their roles."""


NOBODY = Scope()
OPERATOR = Scope(operator=True, roles=frozenset({Role.OPERATOR}))


def sign_scope(scope: Scope, *, key: bytes, backend_pid: int, now: float | None = None) -> str:
    """Return the setting that stands for ``scope`` in one backend, signed with ``key``.

    :param now: seconds since the epoch; the present when not given.
    """
    body = "|".join(
        (
            "v2" if scope.client_id else "v1",
            str(scope.agency_id or ""),
            str(scope.person_id or ""),
            str(scope.consortium_id or ""),
            "1" if scope.operator else "0",
            str(backend_pid),
            str(int(time.time() if now is None else now)),
            *((str(scope.client_id),) if scope.client_id else ()),
        )
    )
    return f"{body}|{hmac.new(key, body.encode(), hashlib.sha256).hexdigest()}"


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and outer pad of ``key`` (RFC 2104), from which the database computes the same HMAC.

    :raises ValueError: when the key is not 32 bytes.
    """
    if len(key) != SCOPE_KEY_BYTES:
        raise ValueError(f"the scope key must be {SCOPE_KEY_BYTES} bytes, not {len(key)}")
    block = key.ljust(_HMAC_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
