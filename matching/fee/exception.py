"""What departs from an agreement: a waiver, another fee, a refund. Each with a reason and the word of two people.

Income is its own agency's to give up: two of its people waive or refund. Another price takes somebody of each agency.
Both names stand in the ledger beside the reason. Whoever decides keeps to their limit for all that it is about; so does
who asks for another fee, for that is their agency's word.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.agreement import FeeAgreement, Side, get_agreement, side_of
from matching.fee.at_stake import changed_by, kept_by_waiver, waived_by
from matching.fee.event import FeeEventKind, record_event
from matching.fee.ledger import lock_agreement
from matching.fee.money import say_pounds
from matching.fee.paid import paid_of
from matching.fee.settlement import invoiced_of
from matching.fee.signer import require_signer
from matching.fee.signing_limit import require_within
from tenants import audit
from tenants.approval import require_another, require_one_side, require_two
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.permission import Verb, require

RECORD_KIND = "fee_exception"
MOST_PENCE = 1_000_000_00
_NO_FEE = "The agreement has no fee yet. State one, and let both agencies sign it."


class ExceptionKind(StrEnum):
    """In what way it departs."""

    WAIVER = "waiver"
    OVERRIDE = "override"
    REFUND = "refund"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"waiver": "Waive what is not invoiced", "override": "Agree another fee", "refund": "Pay back"}[self]


class FeeException(Base):
    """One departure, as it was asked for and decided."""

    __tablename__ = "fee_exception"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    agreement_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    kind: Mapped[ExceptionKind] = mapped_column(Word(ExceptionKind))
    pence: Mapped[int | None] = mapped_column(BigInteger)
    """The new fee, or what is paid back, without VAT; a waiver has none."""
    reason: Mapped[str]
    agency_id: Mapped[UUID]
    """Whose person asked."""
    deciding_agency_id: Mapped[UUID]
    """Whose person decides."""
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID]
    asked_name: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_name: Mapped[str | None]
    approved: Mapped[bool | None]


class ExceptionUnknown(NotFound):
    """No such departure is in this scope."""


class ExceptionInvalid(Invalid):
    """What was asked for cannot be."""


class ExceptionDecided(Conflict):
    """It was decided already."""


class NotYoursToGive(Forbidden):
    """Another agency asks or decides that."""


_EVENTS = {
    ExceptionKind.WAIVER: FeeEventKind.WAIVER,
    ExceptionKind.OVERRIDE: FeeEventKind.OVERRIDE,
    ExceptionKind.REFUND: FeeEventKind.REFUND,
}


def ask_exception(
    session: Session, agreement: FeeAgreement, kind: ExceptionKind, *, pence: int | None, reason: str, now: datetime
) -> FeeException:
    """Ask for a waiver, another fee or a refund; nothing changes before another person approves it.

    :raises NotYoursToGive: when the payer asks to give up the payee's income.
    :raises ExceptionInvalid: when there is nothing to waive, change or pay back, or not so much; without a reason;
        while the same waits to be decided.
    :raises BeyondLimit: when another fee is beyond what the person signs.
    """
    lock_agreement(session, agreement.id)
    require_askable(session, agreement, kind, on=now.date())
    side, own, signer = side_of(session, agreement), scope_of(session).agency_id, require_signer(session)
    reason, pence = reason.strip(), _amount(kind, pence)
    if not reason:
        raise ExceptionInvalid("Say why: the reason stands in both agencies’ ledgers.", about="reason")
    _refuse_amount(session, agreement, kind, pence)
    if kind is ExceptionKind.OVERRIDE:
        _require_within(session, agreement, kind, pence, on=now.date())
    waiting = select(FeeException.id).where(
        FeeException.agreement_id == agreement.id,
        FeeException.kind == kind,
        FeeException.pence.is_not_distinct_from(pence),
        FeeException.agency_id == own,
        FeeException.decided_at.is_(None),
    )
    if session.scalar(waiting.limit(1)) is not None:
        raise ExceptionInvalid("This was asked for already, and waits to be decided.")
    others = {Side.PAYER: agreement.payee_agency_id, Side.PAYEE: agreement.payer_agency_id}
    found = FeeException(
        consortium_id=agreement.consortium_id,
        agreement_id=agreement.id,
        payer_agency_id=agreement.payer_agency_id,
        payee_agency_id=agreement.payee_agency_id,
        kind=kind,
        pence=pence,
        reason=reason,
        agency_id=own or agreement.payee_agency_id,
        deciding_agency_id=others[side] if kind is ExceptionKind.OVERRIDE else agreement.payee_agency_id,
        asked_at=now,
        asked_by=signer.person_id,
        asked_name=signer.name,
    )
    session.add(found)
    session.flush()
    audit.record(session, audit.Act.ADD, record_kind=RECORD_KIND, record_id=found.id, reason=kind.value, now=now)
    return found


def require_askable(session: Session, agreement: FeeAgreement, kind: ExceptionKind, *, on: date) -> None:
    """Let what somebody of the scope's agency may ask for pass, whatever the amount.

    :raises NotYourSide, BothSides: when the agency, or the person, may ask for none.
    :raises NotYoursToGive: when the payer asks to give up the payee's income.
    :raises ExceptionInvalid: when there is nothing to waive, change or pay back.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    side = side_of(session, agreement)
    require_one_side(session, agencies=(agreement.payer_agency_id, agreement.payee_agency_id), on=on)
    if kind is not ExceptionKind.OVERRIDE and side is Side.PAYER:
        raise NotYoursToGive("The agency that is paid waives and pays back. Ask its finance officer.", about="kind")
    if agreement.amount_pence is None:
        raise ExceptionInvalid(_NO_FEE, about="kind")
    _refuse_kind(session, agreement, kind, on=on)


def require_decidable(session: Session, asked: FeeException, *, on: date) -> None:
    """Let whoever may decide what another person asked for pass, be it to approve or to refuse it.

    :raises NotYoursToGive: when another agency decides.
    :raises SamePerson, BothSides, NobodyOfItsOwn: when the second person may not be that.
    """
    require(scope_of(session), Verb.APPROVE_FEES)
    if asked.deciding_agency_id != scope_of(session).agency_id:
        raise NotYoursToGive("The other agency decides this.")
    agencies = (asked.payer_agency_id, asked.payee_agency_id)
    require_one_side(session, agencies=agencies, on=on)
    if asked.kind is ExceptionKind.OVERRIDE:
        require_another(session, first_person_id=asked.asked_by, on=on, agencies=agencies)
    else:
        require_two(session, first_person_id=asked.asked_by, on=on)


def require_approvable(session: Session, asked: FeeException, agreement: FeeAgreement, *, on: date) -> None:
    """Let what may be approved pass: it can be still, and is within the person's limit.

    :raises ExceptionInvalid: when it can be no more.
    :raises BeyondLimit: when it is more than the person's limit.
    """
    _refuse_kind(session, agreement, asked.kind, on=on)
    _refuse_amount(session, agreement, asked.kind, asked.pence)
    _require_within(session, agreement, asked.kind, asked.pence, on=on)


def decide_exception(session: Session, asked: FeeException, *, approve: bool, now: datetime) -> None:
    """Approve or refuse what another person asked for; what is approved is told as an event of the agreement.

    :raises ExceptionDecided: when it was decided already.
    :raises DomainError: as :func:`require_decidable`, and :func:`require_approvable` when it is approved.
    """
    require_decidable(session, asked, on=now.date())
    still = select(FeeException.id).where(FeeException.id == asked.id, FeeException.decided_at.is_(None))
    if session.scalar(still.with_for_update()) is None:
        raise ExceptionDecided("This was decided already.")
    signer = require_signer(session)
    if approve:
        # Nobody invoices meanwhile: what it is about, and what was invoiced by now, stands.
        lock_agreement(session, asked.agreement_id)
        agreement = get_agreement(session, asked.agreement_id)
        require_approvable(session, asked, agreement, on=now.date())
    asked.decided_at, asked.decided_by, asked.decided_name = now, signer.person_id, signer.name
    asked.approved = approve
    session.flush()
    audit.record(
        session,
        audit.Act.APPROVE if approve else audit.Act.REFUSE,
        record_kind=RECORD_KIND,
        record_id=asked.id,
        reason=asked.reason,
        now=now,
    )
    if approve:
        _tell(session, asked, agreement, on=now.date(), now=now)


def get_exception(session: Session, exception_id: UUID) -> FeeException:
    """Return a departure that this scope may read.

    :raises ExceptionUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    found = session.get(FeeException, exception_id)
    if found is None:
        raise ExceptionUnknown("There is no such waiver, other fee or refund.")
    return found


def list_exceptions(session: Session, agreement_id: UUID) -> list[FeeException]:
    """Return what was asked for about an agreement, the last first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(FeeException).where(FeeException.agreement_id == agreement_id)
    return list(session.scalars(query.order_by(FeeException.asked_at.desc(), FeeException.id)))


def list_undecided(session: Session) -> list[FeeException]:
    """Return what waits for the scope's agency to decide, the oldest first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(FeeException).where(
        FeeException.deciding_agency_id == scope_of(session).agency_id, FeeException.decided_at.is_(None)
    )
    return list(session.scalars(query.order_by(FeeException.asked_at, FeeException.id)))


def count_undecided(session: Session) -> int:
    """Count what waits for the scope's agency, and for another person than the scope's, to decide."""
    person_id = scope_of(session).person_id
    return sum(each.asked_by != person_id for each in list_undecided(session))


def select_to_decide(session: Session) -> Select[FeeAgreement]:
    """Return the query of agreements about which something waits for the scope's agency to decide."""
    asked = [each.agreement_id for each in list_undecided(session)]
    query = select(FeeAgreement).where(FeeAgreement.id.in_(asked))
    return query.order_by(FeeAgreement.drafted_at, FeeAgreement.id)


def spread(pence: int, agreement: FeeAgreement, invoiced: dict[str, int]) -> dict[str, int]:
    """Return a new fee's parts by position: what was invoiced as it was, the rest as the plan shares it.

    Where all was invoiced, the last part grows, and what it grows by is due.

    :raises ExceptionInvalid: when more was invoiced than the new fee, or it has no parts.
    """
    parts = agreement.instalments
    kept = {part.position: invoiced[f"due/{part.position}"] for part in parts if f"due/{part.position}" in invoiced}
    left = pence - sum(kept.values())
    open_parts = [part for part in parts if part.position not in kept]
    if left < 0:
        raise ExceptionInvalid("More than that was invoiced. Credit an invoice first.", about="amount")
    if not parts:
        raise ExceptionInvalid(_NO_FEE)
    amounts = {str(position): amount for position, amount in kept.items()}
    weight = sum(part.pence for part in open_parts)
    rest = left
    for part in open_parts[:-1]:
        amounts[str(part.position)] = left * part.pence // weight
        rest -= amounts[str(part.position)]
    if open_parts:
        amounts[str(open_parts[-1].position)] = rest
    else:
        amounts[str(parts[-1].position)] += rest
    return amounts


def _amount(kind: ExceptionKind, pence: int | None) -> int | None:
    if kind is ExceptionKind.WAIVER:
        return None
    if pence is None or not (0 if kind is ExceptionKind.OVERRIDE else 1) <= pence <= MOST_PENCE:
        raise ExceptionInvalid(f"Enter an amount up to {say_pounds(MOST_PENCE)}.", about="amount")
    return pence


def _refuse_kind(session: Session, agreement: FeeAgreement, kind: ExceptionKind, *, on: date) -> None:
    words = ""
    if kind is ExceptionKind.OVERRIDE and agreement.fell_away and not agreement.waived:
        words = "The placement disrupted and what was not invoiced fell away, so another fee would charge nothing."
    elif kind is ExceptionKind.OVERRIDE and not agreement.instalments:
        words = _NO_FEE
    elif kind is ExceptionKind.WAIVER and not _may_fall_due(agreement) and waived_by(session, agreement, on=on) <= 0:
        words = "Nothing is left to waive. What was invoiced is credited, or paid back."
    elif kind is ExceptionKind.REFUND and paid_of(session, agreement).net <= 0:
        words = "There is nothing to pay back: nothing was paid that isn’t paid back. What is not paid is credited."
    if words:
        raise ExceptionInvalid(words, about="kind")


def _may_fall_due(agreement: FeeAgreement) -> bool:
    """Say whether a swap may be charged after all, or months without an order may cost more."""
    return agreement.waived or (
        agreement.continuing_pence is not None and agreement.ordered_on is None and agreement.disrupted_on is None
    )


def _refuse_amount(session: Session, agreement: FeeAgreement, kind: ExceptionKind, pence: int | None) -> None:
    if kind is ExceptionKind.OVERRIDE:
        spread(pence or 0, agreement, invoiced_of(session, agreement))
    elif kind is ExceptionKind.REFUND:
        _back(session, agreement, pence or 0)


def _require_within(
    session: Session, agreement: FeeAgreement, kind: ExceptionKind, pence: int | None, *, on: date
) -> None:
    about = pence or 0
    if kind is ExceptionKind.WAIVER:
        about = waived_by(session, agreement, on=on)
    elif kind is ExceptionKind.OVERRIDE:
        about = changed_by(session, agreement, about, on=on)
    require_within(session, about, does="decide on")


def _tell(session: Session, asked: FeeException, agreement: FeeAgreement, *, on: date, now: datetime) -> None:
    facts: dict[str, Any] = {
        "exception_id": str(asked.id),
        "reason": asked.reason,
        "asked_by": str(asked.asked_by),
        "asked_name": asked.asked_name,
        "decided_by": str(asked.decided_by),
        "decided_name": asked.decided_name,
    }
    if asked.kind is ExceptionKind.WAIVER:
        facts |= kept_by_waiver(session, agreement, on=on)
    elif asked.kind is ExceptionKind.OVERRIDE:
        facts["amounts"] = spread(asked.pence or 0, agreement, invoiced_of(session, agreement))
    else:
        facts |= _back(session, agreement, asked.pence or 0)
    kind = _EVENTS[asked.kind]
    record_event(session, agreement, kind, key=f"{kind.value}/{asked.id}", happened_on=on, facts=facts, now=now)


def _back(session: Session, agreement: FeeAgreement, pence: int) -> dict[str, int]:
    paid = paid_of(session, agreement)
    if pence > paid.net:
        paid_words = f"No more is paid back than was paid: {say_pounds(max(0, paid.net))} without VAT."
        raise ExceptionInvalid(paid_words, about="amount")
    return {"pence": pence, "vat_pence": paid.vat_with(pence)}
