"""What was held ahead for a payer and was paid back by bank: posted in both books, each debit line once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, aliased

from matching.fee.ledger import LedgerTransaction, TransactionKind, mirrored, post
from matching.fee.money import pounds
from matching.fee.reconciliation.held_ahead import NothingHeld, list_held
from matching.fee.remittance.line import RemittanceLine
from matching.sealed_words import own_agency
from tenants.database import scope_of
from tenants.permission import Verb, require

_PREFIX = "paid-back/"


@dataclass(frozen=True, slots=True)
class PaidBack:
    """What a debit line paid back, as it stands in the ledger."""

    transaction: LedgerTransaction
    line_id: UUID


def pay_back(session: Session, line: RemittanceLine, payer_id: UUID, *, now: datetime) -> LedgerTransaction:
    """Post that a debit line paid back what is held for a payer; whoever asks holds the lock on settling.

    :raises NothingHeld: when less than that is held for them in the scope's consortium.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    held, pence, consortium_id = list_held(session).get(payer_id, 0), -line.pence, scope_of(session).consortium_id
    if consortium_id is None or not 0 < pence <= held:
        raise NothingHeld(f"{pounds(pence)} is more than the {pounds(max(0, held))} held for them. Look at it again.")
    earlier = list(session.scalars(_posted(session).where(_of(line))))
    return post(
        session,
        consortium_id=consortium_id,
        payer_agency_id=payer_id,
        payee_agency_id=line.agency_id,
        kind=TransactionKind.PAID_BACK,
        key=f"{_PREFIX}{line.id}/{consortium_id}/{len(earlier) + 1}",
        dated_on=line.dated_on,
        entries=mirrored(TransactionKind.PAID_BACK, pence, payer_id, line.agency_id),
        narrative="Paid back of what was held ahead",
        now=now,
    )


def find_paid_back(session: Session, line: RemittanceLine) -> LedgerTransaction | None:
    """Return what a line paid back in the scope's consortium, if that stands."""
    return session.scalar(_standing(session).where(_of(line)))


def list_paid_back(session: Session) -> list[PaidBack]:
    """Return what was paid back in the scope's consortium, and stands, the latest first."""
    query = _standing(session).order_by(LedgerTransaction.posted_at.desc(), LedgerTransaction.id)
    return [PaidBack(each, UUID(each.key.split("/")[1])) for each in session.scalars(query)]


def _of(line: RemittanceLine) -> ColumnElement[bool]:
    return LedgerTransaction.key.startswith(f"{_PREFIX}{line.id}/", autoescape=True)


def _posted(session: Session) -> Select[LedgerTransaction]:
    require(scope_of(session), Verb.READ_FEES)
    return select(LedgerTransaction).where(
        LedgerTransaction.payee_agency_id == own_agency(session),
        LedgerTransaction.consortium_id == scope_of(session).consortium_id,
        LedgerTransaction.kind == TransactionKind.PAID_BACK,
    )


def _standing(session: Session) -> Select[LedgerTransaction]:
    reversal = aliased(LedgerTransaction)
    query = _posted(session).outerjoin(reversal, reversal.reverses_id == LedgerTransaction.id)
    return query.where(reversal.id.is_(None))
