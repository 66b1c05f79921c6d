"""Open balances when an agency hands over: they go on in the successor's book, and what is past stays in the giver's.

In the transaction in which the records move. The other agency of each balance owes, or is owed by, the successor from
then on; where the successor is that other agency, nobody owes anybody any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.ledger import MIRRORED, Account, Entry, LedgerTransaction, Posting, TransactionKind, post
from matching.fee.ledger.account import PAYEES
from matching.fee.ledger.entry import both_books
from tenants.scope import Scope

OPEN = (
    Account.AGREED_INCOME,
    Account.AGREED_INCOME_CONTRA,
    Account.TO_INVOICE,
    Account.RECEIVABLE,
    Account.HELD_AHEAD,
)
"""The payee's accounts that go on; the rest tells what was, and stays."""
_DEFER = text("SET CONSTRAINTS ledger_transaction_balance, posting_balance DEFERRED")
_LOCK = text("SELECT pg_advisory_xact_lock(fee_book_lock(:agency))")


class Acting(Protocol):
    """What lets one transaction go on as another agency."""

    def __call__(self, session: Session, scope: Scope, /) -> AbstractContextManager[None]:
        """Go on as ``scope`` for a block."""


@dataclass(frozen=True, slots=True)
class HandingOver:
    """Who hands over what to whom: all, or what belongs to the records that have moved."""

    id: UUID
    giver_id: UUID
    receiver_id: UUID
    whole: bool


@dataclass(frozen=True, slots=True)
class _Open:
    """What is open between the giver and another about one part of one agreement, as the payee's book says it."""

    consortium_id: UUID
    other_id: UUID
    given_as_payee: bool
    invoice_id: UUID | None
    agreement_id: UUID | None
    due_key: str | None
    account: Account
    pence: int


def transfer_balances(session: Session, plan: HandingOver, *, acting: Acting, now: datetime) -> int:
    """Close what is open in the giver's book and open it in the receiver's; return how many balances there were.

    :param session: in the receiver's scope, in the transaction in which the records have moved.
    """
    # Moving records has left constraints that are checked at once; a transaction balances with its last posting.
    session.execute(_DEFER)
    with acting(session, Scope(agency_id=plan.giver_id)):
        # Whoever is posting into it is waited for, and whoever comes after waits.
        session.execute(_LOCK, {"agency": plan.giver_id})
        found = list(_open(session, plan))
    moved = _moved(session, plan, found, acting=acting)
    taken: dict[tuple[UUID, UUID, bool, UUID | None], list[_Open]] = {}
    staying = {each.invoice_id for each in found if each.agreement_id not in {None, *moved}}
    for each in found:
        if plan.whole or _goes(each, moved, staying):
            key = (each.consortium_id, each.other_id, each.given_as_payee, each.invoice_id)
            taken.setdefault(key, []).append(each)
    for balances in taken.values():
        with acting(session, Scope(agency_id=plan.giver_id)):
            _post(session, plan, balances, agency_id=plan.giver_id, sign=-1, now=now)
        if balances[0].other_id != plan.receiver_id:
            with acting(session, Scope(agency_id=plan.receiver_id)):
                _post(session, plan, balances, agency_id=plan.receiver_id, sign=1, now=now)
    return sum(len(balances) for balances in taken.values())


def _goes(each: _Open, moved: set[UUID], staying: set[UUID | None]) -> bool:
    """Say whether a balance goes with its agreement: an invoice with what was paid of it, if all of it does."""
    if each.account is Account.RECEIVABLE and each.invoice_id is not None:
        return each.invoice_id not in staying
    return each.agreement_id in moved


def _open(session: Session, plan: HandingOver) -> Iterator[_Open]:
    total = func.sum(Posting.pence)
    columns = (
        LedgerTransaction.consortium_id,
        Posting.other_agency_id,
        LedgerTransaction.invoice_id,
        Posting.agreement_id,
        Posting.due_key,
        Posting.account,
    )
    query = (
        select(*columns, total)
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .where(Posting.agency_id == plan.giver_id, Posting.account.in_((*OPEN, *(MIRRORED[each] for each in OPEN))))
        .group_by(*columns)
        .having(total != 0)
    )
    for consortium_id, other_id, invoice_id, agreement_id, due_key, account, pence in session.execute(query):
        payees = account in OPEN
        about = (invoice_id, agreement_id, due_key)
        said = (account, int(pence)) if payees else (PAYEES[account], -int(pence))
        yield _Open(consortium_id, other_id, payees, *about, *said)


def _moved(session: Session, plan: HandingOver, found: list[_Open], *, acting: Acting) -> set[UUID]:
    """Return which of the agreements have the receiver as a party by now."""
    moved: set[UUID] = set()
    for consortium_id in sorted({each.consortium_id for each in found}):
        with acting(session, Scope(agency_id=plan.receiver_id, consortium_id=consortium_id)):
            wanted = {each.agreement_id for each in found if each.agreement_id is not None}
            moved |= set(session.scalars(select(FeeAgreement.id).where(FeeAgreement.id.in_(wanted), _taken(plan))))
    return moved


def _taken(plan: HandingOver) -> ColumnElement[bool]:
    parties = (FeeAgreement.payer_agency_id, FeeAgreement.payee_agency_id)
    return or_(*(each == plan.receiver_id for each in parties)) & and_(*(each != plan.giver_id for each in parties))


def _post(
    session: Session, plan: HandingOver, balances: list[_Open], *, agency_id: UUID, sign: int, now: datetime
) -> None:
    first = balances[0]
    payer, payee = (first.other_id, agency_id) if first.given_as_payee else (agency_id, first.other_id)
    entries: list[Entry] = []
    for each in balances:
        lines = [(each.account, sign * each.pence), (Account.TRANSFERRED, -sign * each.pence)]
        entries += both_books(lines, payer, payee, agreement_id=each.agreement_id, due_key=each.due_key)
    post(
        session,
        consortium_id=first.consortium_id,
        payer_agency_id=payer,
        payee_agency_id=payee,
        kind=TransactionKind.TRANSFERRED,
        key=f"transferred/{plan.id}/{first.invoice_id or 'open'}",
        dated_on=now.date(),
        entries=entries,
        narrative="Handed over with the agency’s work",
        now=now,
        invoice_id=first.invoice_id,
    )
