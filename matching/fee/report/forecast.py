"""What falls due in the next twelve months on agreements under way, if nothing but time comes to pass.

It rests on what both signed and on the days that are known. A part that waits for an order, or for a placement to
begin, has no day yet and stands apart; months without an order are counted as if none were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matching.fee.agreement import AgreementState, FeeAgreement
from matching.fee.ledger import TransactionKind
from matching.fee.obligation import Expected
from matching.fee.settlement import foresee_each
from matching.fee.statement.aged_debt import Direction
from matching.sealed_words import own_agency
from matching.working_day import add_months
from tenants.database import scope_of
from tenants.permission import Verb, require

MONTHS = 12
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One amount that will fall due between the agency and another."""

    agreement_id: UUID
    reference: str
    other_agency_id: UUID
    direction: Direction
    due_on: date | None
    """``None`` where nothing known gives it a day."""
    pence: int
    words: str
    """What it rests on."""


@dataclass(frozen=True, slots=True)
class MonthAhead:
    """What falls due in one month, in pence; ``begins`` is ``None`` for what has no day yet."""

    begins: date | None
    to_us: int
    by_us: int


def forecast(session: Session, *, on: date) -> list[Foreseen]:
    """Return what falls due after a day and within twelve months, the soonest first, then what has no day yet."""
    scope = scope_of(session)
    require(scope, Verb.READ_FEES)
    own = own_agency(session)
    query = select(FeeAgreement).where(
        FeeAgreement.consortium_id == scope.consortium_id,
        or_(FeeAgreement.payer_agency_id == own, FeeAgreement.payee_agency_id == own),
        FeeAgreement.payer_agency_id != FeeAgreement.payee_agency_id,
        FeeAgreement.state.in_((AgreementState.SIGNED, AgreementState.IN_FORCE)),
    )
    agreements, found = session.scalars(query.order_by(FeeAgreement.reference)).all(), list[Foreseen]()
    for start in range(0, len(agreements), _AT_ONCE):
        some = agreements[start : start + _AT_ONCE]
        standing = foresee_each(session, some, until_on=add_months(on, MONTHS))
        for agreement in some:
            found += _of(agreement, standing[agreement.id], own=own, on=on)
    return sorted(found, key=lambda each: (each.due_on or date.max, each.reference, each.words))


def by_month(found: Sequence[Foreseen], *, on: date) -> list[MonthAhead]:
    """Return what falls due in each month from that of a day on, and last what has no day yet."""
    first = on.replace(day=1)
    months = [add_months(first, count) for count in range(MONTHS + 1)]
    return [_month(found, begins) for begins in (*months, None)]


def _of(agreement: FeeAgreement, standing: Sequence[Expected], *, own: UUID, on: date) -> list[Foreseen]:
    to_us = agreement.payee_agency_id == own
    other = agreement.payer_agency_id if to_us else agreement.payee_agency_id
    direction = Direction.TO_US if to_us else Direction.BY_US
    due = [each for each in standing if each.kind is TransactionKind.DUE]
    made = [
        Foreseen(agreement.id, agreement.reference, other, direction, each.dated_on, each.pence, each.words)
        for each in due
        if each.dated_on > on
    ]
    ended = sum(each.pence for each in standing if each.kind in _ENDS) - sum(
        each.pence for each in standing if each.kind is TransactionKind.REVIVED
    )
    whole = sum(each.pence for each in standing if each.kind is TransactionKind.AGREED)
    left = whole - ended - sum(each.pence for each in due if each.foreseen)
    if left > 0:
        words = "Due when the order is made" if agreement.placed_on else "Due once the placement begins"
        made.append(Foreseen(agreement.id, agreement.reference, other, direction, None, left, words))
    return made


_ENDS = frozenset({TransactionKind.WAIVED, TransactionKind.FALLEN_AWAY})


def _month(found: Sequence[Foreseen], begins: date | None) -> MonthAhead:
    ends = add_months(begins, 1) - timedelta(days=1) if begins else None
    wanted = [
        each
        for each in found
        if (begins and ends and each.due_on and begins <= each.due_on <= ends) or begins is each.due_on is None
    ]
    to_us = sum(each.pence for each in wanted if each.direction is Direction.TO_US)
    return MonthAhead(begins, to_us, sum(each.pence for each in wanted) - to_us)
