"""Tokens: what a client holds for some minutes after it has shown its secret.

As with people's sessions there is no scope before somebody is known, so these verbs go through the few functions of the
database that may look without one. The program holds a random token; the database holds its SHA-256 only.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.orm import Session

from tenants.api_client import digest_of
from tenants.api_scope import verbs_of
from tenants.error import Forbidden
from tenants.scope import Scope

TOKEN_PREFIX = "cct_"  # noqa: S105 - by which a program that looks for leaked secrets knows one
TOKEN_MINUTES = 15

_START = text("SELECT start_api_token(:client, :digest, :scopes, :now, :until)").bindparams(
    bindparam("scopes", type_=ARRAY(Text))
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is known of a client before it has shown its secret."""

    client_id: UUID
    scopes: tuple[str, ...]
    digests: tuple[bytes, ...]

    def matches(self, secret: str) -> bool:
        """Say whether this is one of the client's secrets, in a time that does not tell how nearly."""
        given = digest_of(secret)
        return any(hmac.compare_digest(given, digest) for digest in self.digests)


@dataclass(frozen=True, slots=True)
class Caller:
    """The client that holds a token, for whom it acts, and what this token lets it do."""

    client_id: UUID
    agency_id: UUID
    consortium_id: UUID
    scopes: tuple[str, ...]

    @property
    def scope(self) -> Scope:
        """Return the scope that the client acts in; no person is in it, and no role."""
        return Scope(
            agency_id=self.agency_id,
            consortium_id=self.consortium_id,
            client_id=self.client_id,
            opens=frozenset(verb.value for verb in verbs_of(self.scopes)),
        )


class ClientGone(Forbidden):
    """The client was ended between showing its secret and getting its token."""


def find_credentials(session: Session, client_id: UUID, *, now: datetime) -> Credentials | None:
    """Return how a client can show who it is; ``None`` where there is none that may come in."""
    row = session.execute(
        text("SELECT * FROM find_api_client(:client, :now)"), {"client": client_id, "now": now}
    ).one_or_none()
    if row is None:
        return None
    return Credentials(row.client_id, tuple(row.scopes), tuple(map(bytes, row.digests)))


def start_token(session: Session, client_id: UUID, *, scopes: Iterable[str], now: datetime) -> str:
    """Return a token for a client that has shown its secret; its start is put on record.

    :raises ClientGone: when the client may not come in, or not with these scopes.
    """
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    facts = {"client": client_id, "digest": digest_of(token), "scopes": list(scopes)}
    until = now + timedelta(minutes=TOKEN_MINUTES)
    if not session.execute(_START, {**facts, "now": now, "until": until}).scalar_one():
        raise ClientGone("This client may no longer come in.")
    return token


def find_caller(session: Session, *, token: str, now: datetime) -> Caller | None:
    """Return who holds a token and note that they were seen; ``None`` when it has ended, or its client has."""
    row = session.execute(
        text("SELECT * FROM find_api_token(:digest, :now)"), {"digest": digest_of(token), "now": now}
    ).one_or_none()
    if row is None:
        return None
    return Caller(row.client_id, row.agency_id, row.consortium_id, tuple(row.scopes))


def end_token(session: Session, client_id: UUID, *, token: str, now: datetime) -> None:
    """End a token of this client, if it is one."""
    session.execute(
        text("SELECT end_api_token(:digest, :client, :now)"),
        {"digest": digest_of(token), "client": client_id, "now": now},
    )
