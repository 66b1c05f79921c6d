"""Delegation: an agency acts for another, in some roles and between two dates, as a regional agency does for councils.

Whoever holds one of those roles in the acting agency may choose to do the other's work. They hold an appointment
there that names the delegation: so their roles, sessions and what they are on record for are those of any appointment,
and all of it ends with the delegation, or with their own role.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants import audit
from tenants.agency import Agency
from tenants.approval import require_another, require_one_side
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.permission import Verb, require
from tenants.person import Appointment, Person, held_on
from tenants.role import Role

DELEGABLE = (
    Role.FAMILY_FINDER,
    Role.ADOPTERS_WORKER,
    Role.CHILDS_SOCIAL_WORKER,
    Role.FINANCE_OFFICER,
    Role.PANEL_ADVISER,
    Role.MEDICAL_ADVISER,
    Role.LEGAL_ADVISER,
)
"""Who decides for an agency, keeps its people or answers for its information is its own."""

_SIGN = text("SELECT sign_delegation(:delegation)")
_END = text("SELECT end_delegation(:delegation)")


class AgencyDelegation(Base):
    """One agency acts for another."""

    __tablename__ = "agency_delegation"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    """Who acts."""
    acts_for_id: Mapped[UUID]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    by_own_service: Mapped[bool]
    """Whether the acting agency's own sign-in service vouches for its people in this work."""
    given_by: Mapped[UUID | None]
    """Who signed for the agency whose work it is."""
    given_at: Mapped[datetime | None]
    taken_by: Mapped[UUID | None]
    """Who signed for the agency that acts."""
    taken_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]

    def state(self, *, on: date) -> str:
        """Return where the delegation stands on a day, in words."""
        if self.ended_at is not None or (self.ends_on is not None and self.ends_on <= on):
            return "Ended"
        if self.given_at is None or self.taken_at is None:
            return "To be signed"
        return "To begin" if self.starts_on > on else "In force"

    def signed_by(self, agency_id: UUID) -> datetime | None:
        """Return when the side of ``agency_id`` signed."""
        return self.given_at if agency_id == self.acts_for_id else self.taken_at


class DelegationUnknown(NotFound):
    """There is no such delegation."""


class DelegationInvalid(Invalid):
    """A delegation lacks a role, names one that cannot be delegated, or its dates are the wrong way round."""


class NotYoursToGive(Forbidden):
    """Only the agency whose work it is, or the operator, may have another act for it."""


class DelegationSigned(Conflict):
    """One's own side has signed, or the delegation is over."""


def delegate(
    session: Session,
    agency: Agency,
    *,
    acts_for: Agency,
    roles: Sequence[Role],
    starts_on: date,
    ends_on: date | None = None,
    by_own_service: bool = False,
    now: datetime,
) -> AgencyDelegation:
    """Propose that people of ``agency`` act for another in some roles; it stands once both sides have signed.

    :param by_own_service: let them come in by their own agency's sign-in service, whose word then counts there too.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises NotYoursToGive: when the work is neither the scope's own agency's, nor the scope the operator's.
    :raises DelegationInvalid: when an agency would act for itself or after it has closed, a role cannot be delegated
        or a day is past.
    """
    scope = scope_of(session)
    if not scope.operator:
        require(scope, Verb.DECIDE_LIFE)
        if scope.agency_id != acts_for.id:
            raise NotYoursToGive("Only the agency whose work it is may have another act for it.")
    _check(agency, acts_for, roles, starts_on, ends_on, now)
    values = {
        "id": uuid4(),
        "agency_id": agency.id,
        "acts_for_id": acts_for.id,
        "roles": sorted({role.value for role in roles}),
        "starts_on": starts_on,
        "ends_on": ends_on,
        "by_own_service": by_own_service,
    }
    session.execute(insert(AgencyDelegation).values(values))
    return get_delegation(session, values["id"])  # type: ignore[arg-type]


def sign_delegation(session: Session, delegation: AgencyDelegation, *, now: datetime) -> None:
    """Sign for the scope's own agency's side, in one's own name; once both have, people may choose to act.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises BothSides: when the person, or who signed for the other side, holds roles in both agencies.
    :raises SamePerson: when the same person signed for the other side.
    :raises DelegationSigned: when this side has signed, or the delegation is over.
    """
    scope = scope_of(session)
    require(scope, Verb.DECIDE_LIFE)
    if scope.agency_id is None or delegation.state(on=now.date()) == "Ended" or delegation.signed_by(scope.agency_id):
        raise DelegationSigned("Your side has signed this already, or it is over.")
    agencies, on = {delegation.agency_id, delegation.acts_for_id}, now.date()
    other = delegation.taken_by if scope.agency_id == delegation.acts_for_id else delegation.given_by
    if other is None:
        require_one_side(session, agencies=agencies, on=on)
    else:
        require_another(session, first_person_id=other, agencies=agencies, on=on)
    session.execute(_SIGN, {"delegation": delegation.id})
    session.refresh(delegation)
    audit.record(session, audit.Act.SIGN, record_kind="agency_delegation", record_id=delegation.id, now=now)


def end_delegation(session: Session, delegation: AgencyDelegation, *, now: datetime) -> None:
    """End a delegation at once, whichever side one is on, and with it all that people held by it.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises DelegationSigned: when it is over.
    """
    scope = scope_of(session)
    if not scope.operator:
        require(scope, Verb.DECIDE_LIFE)
    if delegation.state(on=now.date()) == "Ended":
        raise DelegationSigned("This delegation is over already.")
    session.execute(_END, {"delegation": delegation.id})
    session.refresh(delegation)
    audit.record(session, audit.Act.REVOKE, record_kind="agency_delegation", record_id=delegation.id, now=now)


def get_delegation(session: Session, delegation_id: UUID) -> AgencyDelegation:
    """Return a delegation that concerns the scope's own agency.

    :raises DelegationUnknown: when there is none.
    """
    found = session.get(AgencyDelegation, delegation_id)
    if found is None:
        raise DelegationUnknown("There is no such delegation of or to your agency.")
    return found


def list_delegations(session: Session) -> list[AgencyDelegation]:
    """Return the delegations that concern the scope's own agency, the latest to begin first."""
    query = select(AgencyDelegation).order_by(AgencyDelegation.starts_on.desc(), AgencyDelegation.id)
    return list(session.scalars(query))


def people_acting_by(session: Session, delegation: AgencyDelegation, *, on: date) -> list[str]:
    """Return the names of those who may act by a delegation on a day, as far as this scope may know of them."""
    query = (
        select(Person.name)
        .join(Appointment, Appointment.person_id == Person.id)
        .where(Appointment.delegation_id == delegation.id, *held_on(on))
    )
    return sorted(set(session.scalars(query)))


def agencies_by_delegation(session: Session, person_id: UUID, *, on: date) -> set[UUID]:
    """Return the agencies whose work a person may do on a day by delegation alone."""
    query = select(Appointment.agency_id, Appointment.delegation_id).where(
        Appointment.person_id == person_id, *held_on(on)
    )
    held = session.execute(query).all()
    return {agency_id for agency_id, _ in held} - {agency_id for agency_id, by in held if by is None}


def _check(
    agency: Agency, acts_for: Agency, roles: Sequence[Role], starts_on: date, ends_on: date | None, now: datetime
) -> None:
    if agency.id == acts_for.id:
        raise DelegationInvalid("An agency cannot act for itself.")
    if not roles or not set(roles) <= set(DELEGABLE):
        names = ", ".join(role.label.lower() for role in DELEGABLE)
        raise DelegationInvalid(f"Choose one role or more of these: {names}.")
    if agency.closed_on is not None and (ends_on is None or ends_on > agency.closed_on):
        raise DelegationInvalid(f"{agency.name} closes on {agency.closed_on:%d/%m/%Y}: end the delegation by that day.")
    if starts_on < now.date():
        raise DelegationInvalid("A delegation begins today or later.")
    if ends_on is not None and ends_on <= starts_on:
        raise DelegationInvalid("A delegation ends after the day on which it begins.")
