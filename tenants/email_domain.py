"""E-mail domains: each belongs to one agency, once the consortium’s office or the operator has confirmed it."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session

from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound

_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")

_NO_DOMAIN = "There is no such e-mail domain."


class EmailDomain(Base):
    """What stands behind the @ of an agency’s addresses."""

    __tablename__ = "email_domain"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    domain: Mapped[str]
    added_at: Mapped[datetime]
    added_by: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]


class DomainUnknown(NotFound):
    """No such e-mail domain is in this scope."""


class DomainInvalid(Invalid):
    """That is no e-mail domain."""


class DomainTaken(Conflict):
    """The domain is listed, or another agency’s."""


class NotYoursToConfirm(Forbidden):
    """An agency’s domain is confirmed by somebody else than whoever named it."""


def add_domain(session: Session, domain: str, *, now: datetime) -> EmailDomain:
    """Name an e-mail domain as the scope’s agency’s, to be confirmed.

    :raises DomainInvalid: when it is none.
    :raises DomainTaken: when the agency has named it before.
    """
    domain = domain.strip().lower().removeprefix("@")
    if not _DOMAIN.fullmatch(domain):
        raise DomainInvalid("Enter what stands behind the @ of your agency’s addresses, for example council.example.")
    scope = scope_of(session)
    if session.scalar(
        select(EmailDomain.id).where(EmailDomain.agency_id == scope.agency_id, EmailDomain.domain == domain)
    ):
        raise DomainTaken(f"{domain} is on your agency’s list already.")
    if scope.agency_id is None:
        raise DomainInvalid("An e-mail domain belongs to an agency. Act for one first.")
    found = EmailDomain(agency_id=scope.agency_id, domain=domain, added_at=now, added_by=scope.person_id)
    session.add(found)
    session.flush()
    return found


def get_domain(session: Session, domain_id: UUID) -> EmailDomain:
    """Return an e-mail domain that this scope may know of.

    :raises DomainUnknown: when there is none.
    """
    found = session.get(EmailDomain, domain_id)
    if found is None:
        raise DomainUnknown(_NO_DOMAIN)
    return found


def get_domain_by_name(session: Session, domain: str, *, agency_id: UUID) -> EmailDomain:
    """Return an agency's e-mail domain by its name.

    :raises DomainUnknown: when the agency has not named it.
    """
    found = session.scalar(
        select(EmailDomain).where(EmailDomain.agency_id == agency_id, EmailDomain.domain == domain.strip().lower())
    )
    if found is None:
        raise DomainUnknown(f"That agency has not named {domain}.")
    return found


def list_domains(session: Session, *, agency_id: UUID) -> list[EmailDomain]:
    """Return an agency’s e-mail domains, by name."""
    return list(
        session.scalars(select(EmailDomain).where(EmailDomain.agency_id == agency_id).order_by(EmailDomain.domain))
    )


def list_unconfirmed(session: Session) -> list[EmailDomain]:
    """Return the domains of others that this scope may confirm, in the order in which they were named."""
    return list(
        session.scalars(
            select(EmailDomain)
            .where(
                EmailDomain.confirmed_at.is_(None), EmailDomain.agency_id.is_distinct_from(scope_of(session).agency_id)
            )
            .order_by(EmailDomain.added_at, EmailDomain.id)
        )
    )


def confirm_domain(session: Session, domain: EmailDomain, *, now: datetime) -> None:
    """Say, as the office or the operator, that a domain was checked and is that agency’s.

    :raises NotYoursToConfirm: when it is one’s own agency’s, or one named it oneself.
    :raises DomainTaken: when it was confirmed as another agency’s.
    """
    scope = scope_of(session)
    own = scope.agency_id is not None and domain.agency_id == scope.agency_id
    if own or (scope.person_id is not None and domain.added_by == scope.person_id):
        raise NotYoursToConfirm("Somebody else confirms a domain: the consortium’s office, or the operator.")
    try:
        with session.begin_nested():
            domain.confirmed_at, domain.confirmed_by = now, scope.person_id
            session.flush()
    except IntegrityError as error:
        raise DomainTaken(f"{domain.domain} was confirmed as another agency’s. Ask both which is right.") from error


def remove_domain(session: Session, domain: EmailDomain) -> None:
    """Take a domain off the agency’s list; nobody is invited by it any more, and who is known stays known.

    :raises DomainUnknown: when it is another agency's, which the office may confirm and no more.
    """
    if domain.agency_id != scope_of(session).agency_id:
        raise DomainUnknown(_NO_DOMAIN)
    session.delete(domain)
    session.flush()
