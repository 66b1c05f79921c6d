"""Who pays for an agency's children: itself, or the regional agency that acts for it, where both have said so."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session

from matching.fee.signer import require_signer
from tenants import audit
from tenants.agency import AgencyKind, get_agency
from tenants.approval import require_another
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require

RECORD_KIND = "fee_payer"


class FeePayer(Base):
    """That a regional agency pays what placing another agency's children costs, from a day to another."""

    __tablename__ = "fee_payer"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]
    asked_by: Mapped[UUID]
    asked_name: Mapped[str]
    asked_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None]
    confirmed_name: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]


class PayerUnknown(NotFound):
    """Nothing of the kind is asked of, or by, the scope's agency."""


class PayerInvalid(Invalid):
    """Who pays was described in a way that cannot be."""


class PayerSettled(Conflict):
    """Somebody pays for the agency already, or has been asked to."""


def ask_payer(session: Session, *, payer_agency_id: UUID, begins_on: date, now: datetime) -> FeePayer:
    """Ask a regional agency to pay for the scope's agency's children; it counts once that agency confirms it.

    :raises PayerInvalid: when the other is no regional agency, or the day has passed.
    :raises PayerSettled: when somebody pays already, or has been asked.
    """
    scope = scope_of(session)
    require(scope, Verb.APPROVE_FEES)
    signer = require_signer(session)
    if scope.agency_id is None or scope.consortium_id is None or payer_agency_id == scope.agency_id:
        raise PayerInvalid("Choose the regional agency that acts for yours.")
    if get_agency(session, payer_agency_id).kind is not AgencyKind.REGIONAL_AGENCY:
        raise PayerInvalid("Only a regional agency that acts for a council pays for it.")
    if begins_on < now.date():
        raise PayerInvalid("It cannot begin before today: agreements name who paid then.", about="begins_on")
    paid = [each for each in list_payers(session) if each.agency_id == scope.agency_id and each.confirmed_at]
    if any(each.ends_on is not None and each.ends_on >= begins_on for each in paid):
        raise PayerInvalid("Somebody else pays until then. Choose a later day.", about="begins_on")
    payer = FeePayer(
        id=uuid4(),
        consortium_id=scope.consortium_id,
        agency_id=scope.agency_id,
        payer_agency_id=payer_agency_id,
        begins_on=begins_on,
        asked_by=signer.person_id,
        asked_name=signer.name,
        asked_at=now,
    )
    try:
        with session.begin_nested():
            session.add(payer)
            session.flush()
    except IntegrityError:
        raise PayerSettled("A regional agency pays for yours already, or has been asked to. End that first.") from None
    _note(session, payer, audit.Act.REQUEST, now=now)
    return payer


def confirm_payer(session: Session, payer: FeePayer, *, now: datetime) -> FeePayer:
    """Confirm, for the regional agency, that it pays.

    :raises PayerUnknown: when it is not the scope's to confirm.
    :raises SamePerson, BothSides: as :func:`require_confirming`.
    """
    scope = scope_of(session)
    require(scope, Verb.APPROVE_FEES)
    if payer.payer_agency_id != scope.agency_id or payer.confirmed_by is not None or payer.ends_on is not None:
        raise PayerUnknown("There is nothing of the kind for your agency to confirm. Look at the page again.")
    require_confirming(session, payer, on=now.date())
    signer = require_signer(session)
    payer.confirmed_by, payer.confirmed_name, payer.confirmed_at = signer.person_id, signer.name, now
    session.flush()
    _note(session, payer, audit.Act.CONFIRM, now=now)
    return payer


def require_confirming(session: Session, payer: FeePayer, *, on: date) -> None:
    """Let whoever may confirm for the regional agency what was asked of it pass.

    :raises SamePerson, BothSides: when the scope's person asked for it, or works for both.
    """
    require(scope_of(session), Verb.APPROVE_FEES)
    agencies = (payer.agency_id, payer.payer_agency_id)
    require_another(session, first_person_id=payer.asked_by, on=on, agencies=agencies)


def end_payer(session: Session, payer: FeePayer, *, ends_on: date, now: datetime) -> FeePayer:
    """Say, for either of the two, until when a regional agency pays; agreements made by then stay as they are.

    :raises PayerInvalid: when it has ended, or would before today.
    """
    require(scope_of(session), Verb.APPROVE_FEES)
    if payer.ends_on is not None or ends_on < max(now.date(), payer.begins_on):
        raise PayerInvalid("It ends once, and not before today nor before it begins.")
    payer.ends_on = ends_on
    session.flush()
    _note(session, payer, audit.Act.REVOKE, now=now)
    return payer


def get_payer(session: Session, payer_id: UUID) -> FeePayer:
    """Return one, of the scope's agency's or asked of it.

    :raises PayerUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    payer = session.get(FeePayer, payer_id)
    if payer is None:
        raise PayerUnknown("Nothing of the kind is asked of, or by, your agency.")
    return payer


def list_payers(session: Session) -> list[FeePayer]:
    """Return who pays for the scope's agency and for whom it pays, the latest first."""
    scope = scope_of(session)
    require(scope, Verb.READ_FEES)
    concerns = or_(FeePayer.agency_id == scope.agency_id, FeePayer.payer_agency_id == scope.agency_id)
    query = select(FeePayer).where(concerns, FeePayer.consortium_id == scope.consortium_id)
    return list(session.scalars(query.order_by(FeePayer.begins_on.desc(), FeePayer.id)))


def payer_of(session: Session, agency_id: UUID, *, on: date) -> UUID:
    """Return who pays for an agency's children that are placed on a day; asked in that agency's own scope."""
    query = select(FeePayer.payer_agency_id).where(
        FeePayer.agency_id == agency_id,
        FeePayer.consortium_id == scope_of(session).consortium_id,
        FeePayer.confirmed_by.is_not(None),
        FeePayer.begins_on <= on,
        or_(FeePayer.ends_on.is_(None), FeePayer.ends_on >= on),
    )
    return session.scalar(query.order_by(FeePayer.begins_on.desc()).limit(1)) or agency_id


def _note(session: Session, payer: FeePayer, act: audit.Act, *, now: datetime) -> None:
    own = scope_of(session).agency_id
    other = payer.payer_agency_id if own == payer.agency_id else payer.agency_id
    audit.record(session, act, record_kind=RECORD_KIND, record_id=payer.id, owner_agency_id=other, now=now)
