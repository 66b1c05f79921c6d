"""Sessions of people who signed in: kept in the database, so that signing out ends them everywhere.

Before anyone is known there is no scope, so these verbs go through the few functions of the database that may look
without one. The browser holds a random token; the database holds its SHA-256 only.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.error import Forbidden
from tenants.role import Role
from tenants.scope import Scope

IDLE_MINUTES = 30
LONGEST_HOURS = 12


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session just begun; the token is shown once, to the browser."""

    token: str
    person_id: UUID


@dataclass(frozen=True, slots=True)
class SignInSession:
    """Who is signed in, and whose work they are doing if they have said."""

    id: UUID
    person_id: UUID
    person_name: str
    agency_id: UUID | None
    agency_name: str | None
    consortium_id: UUID | None
    consortium_name: str | None
    roles: frozenset[Role]
    has_choice: bool = False
    """Whether they may do the work of another agency, or in another consortium, as well."""

    @property
    def scope(self) -> Scope:
        """Return the scope that the person acts in; a platform operator acts for no agency, and sees no records."""
        if self.roles == {Role.OPERATOR}:
            return Scope(person_id=self.person_id, roles=self.roles, operator=True)
        return Scope(
            agency_id=self.agency_id, person_id=self.person_id, consortium_id=self.consortium_id, roles=self.roles
        )


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider says of somebody beside who they are; the deployment’s own has no id."""

    provider_id: UUID | None = None
    email: str | None = None
    """Their address, where the provider has verified it."""
    claims: tuple[str, ...] | None = None
    """The values that roles follow from; ``None`` leaves roles as they are."""
    sid: str | None = None
    acr: str | None = None
    auth_time: datetime | None = None
    second_step: bool = False


class UnknownPerson(Forbidden):
    """The provider vouches for someone whom no agency has invited."""


class NotAppointed(Forbidden):
    """The person holds no role in that agency."""


def sign_in(session: Session, *, issuer: str, subject: str, now: datetime, vouched: Vouched | None = None) -> SignedIn:
    """Begin a session for the person whom ``issuer`` calls ``subject``.

    Open invitations to the address that the provider vouches for are taken up, and roles follow the provider’s claim.
    Where they work for one agency of one consortium only, they act for it at once.

    :raises UnknownPerson: when no agency has invited them, or the provider was switched off.
    """
    token = secrets.token_urlsafe(32)
    facts = vouched or Vouched()
    person_id = session.execute(
        text(
            "SELECT start_sign_in(:issuer, :subject, :digest, :now, :provider, :email, :claims, :sid, :acr, "
            ":auth_time, :second_step)"
        ),
        {
            "issuer": issuer,
            "subject": subject,
            "digest": _digest(token),
            "now": now,
            "provider": facts.provider_id,
            "email": facts.email,
            "claims": None if facts.claims is None else list(facts.claims),
            "sid": facts.sid,
            "acr": facts.acr,
            "auth_time": facts.auth_time,
            "second_step": facts.second_step,
        },
    ).scalar_one()
    if person_id is None:
        raise UnknownPerson(
            "Your account is not known to Concord. Ask your agency’s administrator to invite you, then sign in again."
        )
    return SignedIn(token=token, person_id=person_id)


def end_sessions_there(
    session: Session, *, mark: str | None, issuer: str, subject: str | None, sid: str | None, token: str, now: datetime
) -> int | None:
    """End the sessions that a provider says are over, and return how many; ``None`` when that word was heard before.

    :param mark: the provider’s, or ``None`` for the deployment’s own.
    :param token: what makes the provider’s word one of its kind (the logout token’s ``jti``).
    """
    ended: int | None = session.execute(
        text("SELECT end_sessions_there(:mark, :issuer, :subject, :sid, :token, :now)"),
        {
            "mark": mark,
            "issuer": issuer,
            "subject": subject,
            "sid": sid,
            "token": _digest(f"{issuer} {token}"),
            "now": now,
        },
    ).scalar_one()
    return ended


def find_session(
    session: Session, *, token: str, now: datetime, address: str | None = None, browser: str | None = None
) -> SignInSession | None:
    """Return who holds ``token`` and note when and from where they were seen; ``None`` when the session has ended."""
    row = session.execute(
        text("SELECT * FROM find_sign_in(:digest, :now, :idle, :longest, :address, :browser)"),
        {
            "digest": _digest(token),
            "now": now,
            "idle": IDLE_MINUTES,
            "longest": LONGEST_HOURS,
            "address": address,
            "browser": browser,
        },
    ).one_or_none()
    if row is None:
        return None
    return SignInSession(
        id=row.session_id,
        person_id=row.person_id,
        person_name=row.person_name,
        agency_id=row.agency_id,
        agency_name=row.agency_name,
        consortium_id=row.consortium_id,
        consortium_name=row.consortium_name,
        roles=frozenset(Role(role) for role in row.roles),
        has_choice=row.choices > 1,
    )


def act_for(session: Session, *, token: str, agency_id: UUID, consortium_id: UUID | None, now: datetime) -> str:
    """Choose whose work the person does from now on, and return the token that takes the place of ``token``.

    :raises NotAppointed: when they hold no role there, or the agency is no member of that consortium.
    """
    fresh = secrets.token_urlsafe(32)
    chosen = session.execute(
        text("SELECT choose_acting(:digest, :fresh, :agency, :consortium, :now)"),
        {
            "digest": _digest(token),
            "fresh": _digest(fresh),
            "agency": agency_id,
            "consortium": consortium_id,
            "now": now,
        },
    ).scalar_one()
    if not chosen:
        raise NotAppointed(
            "You hold no role in that agency today, or it wants you to come in by its own sign-in service. Choose "
            "another agency, or sign out and sign in by that service."
        )
    return fresh


def sign_out(session: Session, *, token: str, now: datetime) -> None:
    """End the session that holds ``token``, if there is one."""
    session.execute(text("SELECT end_sign_in(:digest, :now)"), {"digest": _digest(token), "now": now})


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
