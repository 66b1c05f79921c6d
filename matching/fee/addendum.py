"""Addenda: what both sides signed changes by a paper of its own, with the terms before and after it, and why.

The rate of the day of moving in counts by what was signed; where it is another than expected, an addendum says so, and
both sign that they have seen it. An amendment counts once both have signed it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from matching.fee.agreement import (
    OVER,
    RECORD_KIND,
    AddendumKind,
    AgreementInvalid,
    AgreementState,
    FeeAddendum,
    FeeAgreement,
    list_addenda,
    lock_agreement_row,
    side_of,
)
from matching.fee.instalment import Instalment, read_plan, split
from matching.fee.signer import find_signer
from matching.fee.tariff import MOST_CHILDREN, MOST_PENCE
from matching.fee.terms import kept_terms, shares_of
from tenants import audit
from tenants.database import scope_of
from tenants.error import Conflict, NotFound
from tenants.permission import Verb, require

BY_CONCORD = "Concord"
"""Who drafted it, where a step of the link did."""


class AddendumUnknown(NotFound):
    """The agreement has no such addendum."""


class AddendumOpen(Conflict):
    """Another addendum is still to be signed."""


def draft_addendum(
    session: Session,
    agreement: FeeAgreement,
    *,
    pence: int,
    children: int,
    reason: str,
    version: int,
    now: datetime,
) -> FeeAddendum:
    """Draft another fee, or another number of children, of an agreement that both have signed.

    Its parts keep their shares and days; what rounding leaves is on the last.

    :raises NotYourSide: when the scope's agency is neither side.
    :raises AgreementMoved: when somebody was first; AddendumOpen when another waits to be signed.
    :raises AgreementInvalid: when it is not signed yet, is over, or the terms cannot be.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    side_of(session, agreement)
    lock_agreement_row(session, agreement, version=version)
    words = reason.strip()
    if not agreement.is_signed or agreement.state in OVER:
        raise AgreementInvalid("Only what both have signed, and what goes on, is changed by an addendum.")
    if agreement.waived:
        raise AgreementInvalid("Nothing is paid for this placement, so there is nothing to change.")
    if not 1 <= pence <= MOST_PENCE or not 1 <= children <= MOST_CHILDREN or not words or len(words) > 500:
        raise AgreementInvalid("Give an amount up to £1,000,000, the children, and in at most 500 letters why.")
    before = kept_terms(agreement)
    parts = split(pence, shares_of(session, agreement))
    after = {**before, "children": children, "amount_pence": pence, "plan": [each.as_data() for each in parts]}
    if after == before:
        raise AgreementInvalid("That is what was agreed. Change the amount or the number of children.")
    earlier = list_addenda(session, [agreement.id])[agreement.id]
    if any(each.withdrawn_at is None and not each.is_signed for each in earlier):
        raise AddendumOpen("Another addendum is still to be signed. Sign or withdraw that one first.")
    agreement.version += 1
    return _add(session, agreement, AddendumKind.AMENDMENT, before=before, after=after, reason=words, now=now)


def draft_rate_addendum(
    session: Session,
    agreement: FeeAgreement,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    now: datetime,
) -> FeeAddendum:
    """Draft what the rate of the day of moving in changed, for both to sign that they have seen it."""
    # The agreement itself is written after it: the database looks for the addendum then.
    with session.no_autoflush:
        return _add(session, agreement, AddendumKind.RATE, before=before, after=after, reason=reason, now=now)


def withdraw_addendum(
    session: Session, agreement: FeeAgreement, position: int, *, version: int, now: datetime
) -> FeeAddendum:
    """Withdraw an amendment that not both have signed.

    :raises AddendumUnknown: when there is none; AgreementInvalid when it holds already, or holds by what was signed.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    side_of(session, agreement)
    lock_agreement_row(session, agreement, version=version)
    addendum = get_addendum(session, agreement, position)
    lock_addendum(session, addendum)
    if addendum.is_signed or addendum.withdrawn_at is not None or addendum.kind is AddendumKind.RATE:
        raise AgreementInvalid("This addendum holds already, or was withdrawn.")
    addendum.withdrawn_at = now
    count_change(agreement)
    session.flush()
    _note(session, agreement, audit.Act.REVOKE, f"addendum {position} withdrawn", now=now)
    return addendum


def is_to_sign(agreement: FeeAgreement, addendum: FeeAddendum) -> bool:
    """Say whether an addendum may be signed: once nothing more falls due, only that the rate of the day was seen."""
    seen = agreement.state is AgreementState.ENDED and addendum.kind is AddendumKind.RATE
    return addendum.withdrawn_at is None and (seen or agreement.state not in OVER)


def count_change(agreement: FeeAgreement) -> None:
    """Let whoever read an agreement before know that an addendum changed; one that is over stays as it is."""
    if agreement.state not in OVER:
        agreement.version += 1


def get_addendum(session: Session, agreement: FeeAgreement, position: int) -> FeeAddendum:
    """Return one addendum of an agreement.

    :raises AddendumUnknown: when there is none.
    """
    query = select(FeeAddendum).where(FeeAddendum.agreement_id == agreement.id, FeeAddendum.position == position)
    addendum = session.scalar(query)
    if addendum is None:
        raise AddendumUnknown("The agreement has no such addendum.")
    return addendum


def lock_addendum(session: Session, addendum: FeeAddendum) -> None:
    """Keep others from changing an addendum until the transaction ends."""
    query = select(FeeAddendum).where(FeeAddendum.id == addendum.id).with_for_update()
    session.scalars(query.execution_options(populate_existing=True)).one()


def apply_addendum(agreement: FeeAgreement, addendum: FeeAddendum) -> None:
    """Write the terms of an amendment that both have signed into its agreement."""
    after = addendum.changes["after"]
    agreement.children, agreement.amount_pence, agreement.plan = after["children"], after["amount_pence"], after["plan"]
    agreement.rate_words = f"{agreement.rate_words} Amended by addendum {addendum.position}: {addendum.reason}"
    agreement.addenda = addendum.position


def parts_after(addendum: FeeAddendum) -> tuple[Instalment, ...]:
    """Return the parts of the fee from an addendum on."""
    return read_plan(addendum.changes["after"]["plan"])


def _add(
    session: Session,
    agreement: FeeAgreement,
    kind: AddendumKind,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    now: datetime,
) -> FeeAddendum:
    signer = find_signer(session)
    last = select(func.coalesce(func.max(FeeAddendum.position), 0)).where(FeeAddendum.agreement_id == agreement.id)
    position = (session.scalar(last) or 0) + 1
    session.execute(
        insert(FeeAddendum).values(
            id=uuid4(),
            consortium_id=agreement.consortium_id,
            agreement_id=agreement.id,
            authority_agency_id=agreement.authority_agency_id,
            payer_agency_id=agreement.payer_agency_id,
            payee_agency_id=agreement.payee_agency_id,
            position=position,
            kind=kind,
            changes={"before": before, "after": after},
            reason=reason,
            drafted_by=scope_of(session).person_id,
            drafted_name=signer.name if signer and kind is AddendumKind.AMENDMENT else BY_CONCORD,
            drafted_at=now,
        )
    )
    _note(session, agreement, audit.Act.ADD, f"addendum {position} drafted", now=now)
    return get_addendum(session, agreement, position)


def _note(session: Session, agreement: FeeAgreement, act: audit.Act, what: str, *, now: datetime) -> None:
    own = scope_of(session).agency_id
    records = [(agreement.id, each) for each in sorted(agreement.agencies - {own})]
    audit.record_each(session, act, record_kind=RECORD_KIND, records=records, reason=what, now=now)
