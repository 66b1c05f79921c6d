"""Signing agreements and their addenda: somebody of each side, within their limit, and nobody for both."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from matching.fee.addendum import apply_addendum, count_change, get_addendum, is_to_sign, lock_addendum
from matching.fee.agreement import (
    OVER,
    AddendumKind,
    AgreementInvalid,
    AgreementState,
    FeeAddendum,
    FeeAgreement,
    Side,
    lock_agreement_row,
    side_of,
)
from matching.fee.drafting import end_if_over, note
from matching.fee.event import FeeEventKind, record_event
from matching.fee.exception import spread
from matching.fee.ledger import lock_agreement
from matching.fee.settlement import invoiced_of
from matching.fee.signer import require_signer
from matching.fee.signing_limit import require_within
from tenants import audit
from tenants.approval import require_another, require_one_side
from tenants.database import scope_of
from tenants.permission import Verb, require


def sign_agreement(session: Session, agreement: FeeAgreement, *, version: int, now: datetime) -> FeeAgreement:
    """Sign an agreement for the scope's side of it; with the second signature it holds.

    :raises AgreementMoved: when it is not as the person read it.
    :raises NotYourSide: when the scope's agency is neither side.
    :raises AgreementInvalid: when it has no amount, is over, or the side has signed.
    :raises BeyondLimit: when the amount is beyond the person's limit.
    :raises SamePerson, BothSides: when the person signed for the other side, or works for both.
    """
    require(scope_of(session), Verb.SIGN_FEES)
    side = side_of(session, agreement)
    lock_agreement_row(session, agreement, version=version)
    if agreement.state in OVER:
        raise AgreementInvalid("The agreement is over, so it isn’t signed any more.")
    if agreement.amount_pence is None and not agreement.waived:
        raise AgreementInvalid(f"There is no amount to sign. {agreement.refusal or ''}".strip())
    _sign(session, agreement, agreement, side, now=now)
    if agreement.is_signed:
        agreement.state = AgreementState.SIGNED if agreement.placed_on is None else AgreementState.IN_FORCE
        if agreement.placed_on is not None and agreement.stated:
            agreement.frozen_at = agreement.frozen_at or now
        end_if_over(agreement, on=now.date())
    agreement.version += 1
    session.flush()
    note(session, agreement, audit.Act.SIGN, f"signed as {side.value}", now=now)
    if agreement.is_signed:
        record_event(
            session,
            agreement,
            FeeEventKind.AGREEMENT_SIGNED,
            key="agreement_signed",
            happened_on=now.date(),
            now=now,
        )
    return agreement


def sign_addendum(
    session: Session, agreement: FeeAgreement, position: int, *, version: int, now: datetime
) -> FeeAddendum:
    """Sign an addendum for the scope's side of the agreement; an amendment holds with the second signature.

    :raises AddendumUnknown: when there is none to sign.
    :raises DomainError: as :func:`sign_agreement`.
    """
    require(scope_of(session), Verb.SIGN_FEES)
    side = side_of(session, agreement)
    # Nobody invoices meanwhile; before the row, as whoever settles it does.
    lock_agreement(session, agreement.id)
    lock_agreement_row(session, agreement, version=version)
    addendum = get_addendum(session, agreement, position)
    lock_addendum(session, addendum)
    if not is_to_sign(agreement, addendum):
        raise AgreementInvalid("This addendum isn’t to be signed any more.")
    _sign(session, addendum, agreement, side, now=now)
    if addendum.is_signed and addendum.kind is AddendumKind.AMENDMENT:
        session.flush()
        apply_addendum(agreement, addendum)
    count_change(agreement)
    session.flush()
    note(session, agreement, audit.Act.SIGN, f"addendum {position} signed as {side.value}", now=now)
    if addendum.is_signed and addendum.kind is AddendumKind.AMENDMENT:
        key, kind = addendum.event_key, FeeEventKind.ADDENDUM
        facts = {"amounts": spread(agreement.amount_pence or 0, agreement, invoiced_of(session, agreement))}
        record_event(session, agreement, kind, key=key, happened_on=now.date(), facts=facts, now=now)
    return addendum


def require_own_signature(
    session: Session, paper: FeeAgreement | FeeAddendum, agreement: FeeAgreement, side: Side, *, on: date
) -> None:
    """Let a person pass who may sign an agreement, or an addendum of it, for a side.

    :raises BeyondLimit: when the amount is beyond the person's limit.
    :raises SamePerson, BothSides: when the person signed for the other side, or works for both.
    """
    require(scope_of(session), Verb.SIGN_FEES)
    other = getattr(paper, f"{Side.PAYEE if side is Side.PAYER else Side.PAYER}_signed_by")
    agencies = (agreement.payer_agency_id, agreement.payee_agency_id)
    if other is None:
        require_one_side(session, agencies=agencies, on=on)
    else:
        require_another(session, first_person_id=other, on=on, agencies=agencies)
    require_within(session, _about(paper))


def _about(paper: FeeAgreement | FeeAddendum) -> int:
    if isinstance(paper, FeeAgreement):
        return 0 if paper.waived else paper.amount_pence or 0
    after = paper.changes["after"]
    return 0 if after.get("waived") else int(after["amount_pence"] or 0)


def _sign(
    session: Session, paper: FeeAgreement | FeeAddendum, agreement: FeeAgreement, side: Side, *, now: datetime
) -> None:
    signer = require_signer(session)
    if getattr(paper, f"{side}_signed_by") is not None:
        raise AgreementInvalid("Your agency has signed this already.")
    require_own_signature(session, paper, agreement, side, on=now.date())
    setattr(paper, f"{side}_signed_by", signer.person_id)
    setattr(paper, f"{side}_signed_name", signer.name)
    setattr(paper, f"{side}_signed_at", now)
