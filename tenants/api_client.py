"""Clients: an agency's own programs, which come with a secret in place of a person.

A secret is 256 bits from the system's own randomness, so the database keeps its SHA-256 and no slow digest: nobody can
try them out, and a slow one would only let strangers keep the site busy. It is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Text, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants import audit
from tenants.api_scope import ApiScope, read_scopes
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require

SECRET_PREFIX = "ccs_"  # noqa: S105 - by which a program that looks for leaked secrets knows one
LONGEST_NAME = 80
LONGEST_DAYS = 730
USUAL_DAYS = 365
OVERLAP_DAYS = 7
"""For how long the secret before goes on, so that a program can be given the new one without a gap."""


class ApiClient(Base):
    """One program: in which consortium it acts for its agency, what it may do, and until when."""

    __tablename__ = "api_client"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    consortium_id: Mapped[UUID]
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    last_used_at: Mapped[datetime | None]

    def live(self, now: datetime) -> bool:
        """Say whether it can still come in."""
        return self.ended_at is None and self.expires_at > now


class ApiClientSecret(Base):
    """One of a client's secrets; at most two go at once."""

    __tablename__ = "api_client_secret"

    id: Mapped[Id]
    client_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(deferred=True)
    """SHA-256; no login can read it back."""
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A client and its new secret, which nobody can be shown again."""

    client: ApiClient
    secret: str


class ClientUnknown(NotFound):
    """No such client is this agency's."""


class ClientInvalid(Invalid):
    """A client was described in a way that cannot be kept."""


class ClientOver(Conflict):
    """The client has been ended, or its time is over."""


def add_client(
    session: Session, *, name: str, scopes: Iterable[str], days: int = USUAL_DAYS, now: datetime
) -> NewSecret:
    """Let a program in, for so many days, in the scope's agency and consortium.

    :raises NotAllowed: when the scope may not manage clients.
    :raises ClientInvalid: when the name or the days cannot be kept, or the scope names no consortium.
    :raises ScopeUnknown: when there is none of a scope's name.
    """
    scope = scope_of(session)
    require(scope, Verb.MANAGE_CLIENTS)
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ClientInvalid(f"Give the program a name of at most {LONGEST_NAME} characters, such as “Case system”.")
    if not 1 <= days <= LONGEST_DAYS:
        raise ClientInvalid(f"A client lasts from 1 to {LONGEST_DAYS} days.")
    if scope.agency_id is None or scope.consortium_id is None:
        raise ClientInvalid("Choose the agency and the consortium for which the program is to act.")
    client = ApiClient(
        agency_id=scope.agency_id,
        consortium_id=scope.consortium_id,
        name=name,
        scopes=[each.value for each in read_scopes(scopes)],
        created_at=now,
        created_by=scope.person_id,
        expires_at=now + timedelta(days=days),
    )
    session.add(client)
    session.flush()
    _record(session, audit.Act.ADD, client, now=now)
    return NewSecret(client, _add_secret(session, client, now=now))


def get_client(session: Session, client_id: UUID) -> ApiClient:
    """Return a client of the scope's agency.

    :raises ClientUnknown: when there is none.
    """
    client = session.get(ApiClient, client_id)
    if client is None:
        raise ClientUnknown("There is no such API client in your agency.")
    return client


def list_clients(session: Session) -> list[ApiClient]:
    """Return the agency's clients by name; those that were ended stay, for the audit names them."""
    return list(session.scalars(select(ApiClient).order_by(ApiClient.name, ApiClient.created_at, ApiClient.id)))


def list_secrets(session: Session, client: ApiClient, *, now: datetime) -> list[ApiClientSecret]:
    """Return the secrets with which a client can come in now, newest first."""
    table = ApiClientSecret
    query = select(table).where(table.client_id == client.id, or_(table.ends_at.is_(None), table.ends_at > now))
    return list(session.scalars(query.order_by(table.created_at.desc(), table.id)))


def rotate_secret(session: Session, client: ApiClient, *, overlap_days: int = OVERLAP_DAYS, now: datetime) -> NewSecret:
    """Give a client a new secret; the one before goes on for so many days, and any older one ends at once.

    :raises NotAllowed: when the scope may not manage clients.
    :raises ClientOver: when the client can no longer come in.
    :raises ClientInvalid: when the days are none that an overlap may have.
    """
    require(scope_of(session), Verb.MANAGE_CLIENTS)
    if not client.live(now):
        raise ClientOver(f"“{client.name}” has ended. Add a new client instead.")
    if not 0 <= overlap_days <= LONGEST_DAYS:
        raise ClientInvalid(f"The secret before can go on for 0 to {LONGEST_DAYS} days.")
    for place, before in enumerate(list_secrets(session, client, now=now)):
        until = now if place else now + timedelta(days=overlap_days)
        before.ends_at = until if before.ends_at is None else min(until, before.ends_at)
    session.flush()
    _record(session, audit.Act.ROTATE, client, now=now)
    return NewSecret(client, _add_secret(session, client, now=now))


def end_client(session: Session, client: ApiClient, *, now: datetime) -> None:
    """Shut a client out at once, with every token that it holds.

    :raises NotAllowed: when the scope may not manage clients.
    :raises ClientOver: when it was ended before.
    """
    scope = scope_of(session)
    require(scope, Verb.MANAGE_CLIENTS)
    session.refresh(client, with_for_update=True)
    if client.ended_at is not None:
        raise ClientOver(f"“{client.name}” was ended before.")
    client.ended_at, client.ended_by = now, scope.person_id
    session.flush()
    _record(session, audit.Act.REVOKE, client, now=now)


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret or a token."""
    return hashlib.sha256(secret.encode()).digest()


def scope_words(client: ApiClient) -> list[str]:
    """Return what a client may do, in words."""
    return [ApiScope(scope).words for scope in client.scopes]


def _add_secret(session: Session, client: ApiClient, *, now: datetime) -> str:
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiClientSecret(client_id=client.id, agency_id=client.agency_id, digest=digest_of(secret), created_at=now)
    )
    session.flush()
    return secret


def _record(session: Session, act: audit.Act, client: ApiClient, *, now: datetime) -> None:
    audit.record(session, act, record_kind="api_client", record_id=client.id, now=now)
