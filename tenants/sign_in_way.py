"""The ways in: sign-in services as they are looked up, their secrets opened, before anyone is known.

All of it is for nobody’s scope: a person’s session, and SQL that was slipped into one, gets nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.error import Conflict
from tenants.identity_provider import ProviderState
from tenants.own_key import unseal_apart


@dataclass(frozen=True, slots=True)
class Way:
    """A sign-in service that people may come in by."""

    id: UUID
    agency_id: UUID
    agency_name: str
    name: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a sign-in needs to know of a provider, its secret opened."""

    id: UUID
    agency_id: UUID
    agency_name: str
    name: str
    issuer: str
    mark: str
    client_id: str
    scopes: tuple[str, ...]
    roles_claim: str | None
    second_step: bool
    acr_values: tuple[str, ...]
    max_age_minutes: int | None
    state: ProviderState
    domains: tuple[str, ...]
    secret: str = field(repr=False)


class TrialFailed(Conflict):
    """The account that was tried cannot be taken as this person’s."""


def list_ways(session: Session) -> list[Way]:
    """Return every sign-in service that is on, by agency; for nobody’s scope, before anyone is known."""
    rows = session.execute(text("SELECT * FROM sign_in_ways()"))
    return [Way(row.id, row.agency_id, row.agency_name, row.name, tuple(row.domains)) for row in rows]


def find_connections(session: Session, *, provider_id: UUID | None = None, mark: str | None = None) -> list[Connection]:
    """Return a provider by its id, or those tried under a mark, what is on first; for nobody’s scope alone.

    :raises CannotOpen: when the master key is not the one that the secret was sealed under.
    """
    rows = session.execute(text("SELECT * FROM sign_in_provider(:id, :mark)"), {"id": provider_id, "mark": mark})
    return [
        Connection(
            id=row.id,
            agency_id=row.agency_id,
            agency_name=row.agency_name,
            name=row.name,
            issuer=row.issuer,
            mark=row.mark,
            client_id=row.client_id,
            scopes=tuple(row.scopes),
            roles_claim=row.roles_claim,
            second_step=row.second_step,
            acr_values=tuple(row.acr_values),
            max_age_minutes=row.max_age_minutes,
            state=ProviderState(row.state),
            domains=tuple(row.domains),
            secret=unseal_apart(session, row.sealed_key, row.sealed, row_id=row.id).decode(),
        )
        for row in rows
    ]


def take_trial(session: Session, *, provider_id: UUID, person_id: UUID, subject: str, now: datetime) -> None:
    """Note, in nobody’s scope, that a person came in by a service, and that this account is theirs as well.

    :raises TrialFailed: when the account is somebody else’s, or the service was switched off meanwhile.
    """
    taken = session.execute(
        text("SELECT take_trial(:provider, :person, :subject, :now)"),
        {"provider": provider_id, "person": person_id, "subject": subject, "now": now},
    ).scalar_one()
    if not taken:
        raise TrialFailed(
            "That account already belongs to somebody else in Concord, or the service was switched off in the "
            "meantime. Try again with your own account."
        )
