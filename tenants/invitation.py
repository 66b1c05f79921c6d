"""Invitations: an agency's administrator names an address and roles, and signing in with that address takes them up.

Nothing is sent: who invites tells the person. An invitation is good for a while, can be sent again or withdrawn, and
stays on record whatever comes of it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.agency import Agency, refuse_over
from tenants.base import Base, Id
from tenants.colleague import check_roles, require_keeper
from tenants.database import scope_of
from tenants.error import Conflict, NotFound
from tenants.person import Appointment, Person, held_on, tidy_email, tidy_name
from tenants.role import Role

GOOD_FOR = timedelta(days=14)


class InvitationState(StrEnum):
    """What has come of an invitation."""

    OPEN = "open"
    EXPIRED = "expired"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"


class Invitation(Base):
    """Somebody is asked to do some roles in an agency."""

    __tablename__ = "invitation"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    email: Mapped[str]
    """In small letters; whoever signs in with it takes the invitation up."""
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    invited_by: Mapped[UUID | None]
    """The administrator; ``None`` when it was a command on the host."""
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    person_id: Mapped[UUID | None]
    """Who took it up."""

    def state(self, *, now: datetime) -> InvitationState:
        """Return what has come of it."""
        if self.taken_at:
            return InvitationState.TAKEN
        if self.withdrawn_at:
            return InvitationState.WITHDRAWN
        return InvitationState.OPEN if self.expires_at > now else InvitationState.EXPIRED

    @property
    def role_set(self) -> frozenset[Role]:
        """Return the roles."""
        return frozenset(Role(role) for role in self.roles)


class InvitationUnknown(NotFound):
    """No such invitation is in this scope."""


class AlreadyInvited(Conflict):
    """The address has an invitation that nobody took up or withdrew."""


class AlreadyHere(Conflict):
    """The address is that of somebody who works in the agency."""


class InvitationClosed(Conflict):
    """The invitation was taken up or withdrawn."""


def invite(
    session: Session, *, agency: Agency, name: str, email: str, roles: Collection[Role], now: datetime
) -> Invitation:
    """Ask somebody to do ``roles`` in an agency.

    :raises NotAllowed: when the scope does not keep the agency's people.
    :raises PersonInvalid: when name, address or roles cannot be taken.
    :raises AlreadyHere: when the address is that of somebody who works there.
    :raises AlreadyInvited: when it has an open invitation.
    :raises AgencyOver: when the agency has merged into another.
    """
    refuse_over(agency)
    require_keeper(session, agency.id)
    check_roles(session, agency, roles)
    address = tidy_email(email)
    _check_new(session, agency, address, now=now)
    invitation = Invitation(
        agency_id=agency.id,
        email=address,
        name=tidy_name(name),
        roles=sorted(roles),
        invited_by=scope_of(session).person_id,
        invited_at=now,
        expires_at=now + GOOD_FOR,
    )
    session.add(invitation)
    session.flush()
    return invitation


def renew_invitation(session: Session, invitation: Invitation, *, now: datetime) -> None:
    """Make an invitation good for its whole time again, from now.

    :raises NotAllowed: when the scope does not keep the agency's people.
    :raises InvitationClosed: when it was taken up or withdrawn.
    """
    _require_open(session, invitation)
    invitation.invited_at, invitation.expires_at = now, now + GOOD_FOR
    session.flush()


def withdraw_invitation(session: Session, invitation: Invitation, *, now: datetime) -> None:
    """Take an invitation back before it is taken up.

    :raises NotAllowed: when the scope does not keep the agency's people.
    :raises InvitationClosed: when it was taken up or withdrawn.
    """
    _require_open(session, invitation)
    invitation.withdrawn_at = now
    session.flush()


def get_invitation(session: Session, invitation_id: UUID) -> Invitation:
    """Return an invitation of this scope.

    :raises InvitationUnknown: when there is none.
    """
    invitation = session.get(Invitation, invitation_id)
    if invitation is None:
        raise InvitationUnknown("There is no such invitation in this agency.")
    return invitation


def list_invitations(session: Session, *, agency_id: UUID) -> list[Invitation]:
    """Return an agency's invitations that nobody took up or withdrew, the newest first."""
    query = select(Invitation).where(
        Invitation.agency_id == agency_id, Invitation.taken_at.is_(None), Invitation.withdrawn_at.is_(None)
    )
    return list(session.scalars(query.order_by(Invitation.invited_at.desc(), Invitation.id)))


def _check_new(session: Session, agency: Agency, address: str, *, now: datetime) -> None:
    here = session.scalar(
        select(Person.name)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(func.lower(Person.email) == address, Appointment.agency_id == agency.id, *held_on(now.date()))
        .limit(1)
    )
    if here:
        raise AlreadyHere(f"{here} works for {agency.name} already under that address. Change their roles instead.")
    if any(each.email == address for each in list_invitations(session, agency_id=agency.id)):
        raise AlreadyInvited(f"{address} has an invitation already. Renew it, or withdraw it first.")


def _require_open(session: Session, invitation: Invitation) -> None:
    require_keeper(session, invitation.agency_id)
    # Somebody may be signing in with it at this moment: whoever comes second sees what the first has done.
    session.refresh(invitation, with_for_update=True)
    if invitation.taken_at or invitation.withdrawn_at:
        raise InvitationClosed("That invitation was taken up or withdrawn already. Look at the list of people again.")
