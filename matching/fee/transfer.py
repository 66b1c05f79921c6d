"""Open balances when an agency hands over: they go on in the successor's book, and what is past stays in the giver's.

In the transaction in which the records move. The other agency of each balance owes, or is owed by, the successor from
then on; where the successor is that other agency, nobody owes anybody any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.debt_holder import Sides, find_last, hand_on, heirs_of
from matching.fee.ledger import (
    MIRRORED,
    Account,
    Entry,
    LedgerTransaction,
    Posting,
    TransactionKind,
    lock_book,
    post,
    reverse,
)
from matching.fee.ledger.account import PAYEES
from matching.fee.ledger.entry import both_books
from matching.sealed_words import own_agency
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
    leg_id: UUID | None
    agreement_id: UUID | None
    due_key: str | None
    account: Account
    pence: int
    since: date

    @property
    def debt_id(self) -> UUID | None:
        """Return the invoice, or the leg of a netting, that is owed."""
        return self.invoice_id or self.leg_id

    def sides(self, agency_id: UUID) -> Sides:
        """Return who owes whom where an agency has the giver's place."""
        return Sides(self.other_id, agency_id) if self.given_as_payee else Sides(agency_id, self.other_id)


def transfer_balances(session: Session, plan: HandingOver, *, acting: Acting, now: datetime) -> int:
    """Close what is open in the giver's book and open it in the receiver's; return how many balances there were.

    :param session: in the receiver's scope, in the transaction in which the records have moved.
    """
    # Moving records has left constraints that are checked at once; a transaction balances with its last posting.
    session.execute(_DEFER)
    with acting(session, Scope(agency_id=plan.giver_id)):
        # Whoever is posting into it is waited for, and whoever comes after waits.
        lock_book(session, plan.giver_id)
        found = list(_open(session, plan))
    moved = _moved(session, plan, found, acting=acting)
    taken: dict[tuple[UUID, UUID, bool, UUID | None, UUID | None], list[_Open]] = {}
    staying = {each.invoice_id for each in found if each.agreement_id not in {None, *moved}}
    for each in found:
        if plan.whole or _goes(each, moved, staying):
            about = (each.consortium_id, each.other_id, each.given_as_payee, each.invoice_id, each.leg_id)
            taken.setdefault(about, []).append(each)
    for balances in taken.values():
        first, on = balances[0], now.date()
        # Two agencies may have something open in each of two consortia.
        name = f"transferred/{plan.id}/{first.debt_id or first.consortium_id}"
        given, taken_up = (first.sides(each) for each in (plan.giver_id, plan.receiver_id))
        with acting(session, Scope(agency_id=plan.giver_id)):
            _post(session, balances, given, key=name, sign=-1, on=on, now=now)
            _hand_on(session, plan, balances, now=now)
        if first.other_id != plan.receiver_id:
            with acting(session, Scope(agency_id=plan.receiver_id)):
                _post(session, balances, taken_up, key=name, sign=1, on=on, now=now)
    return sum(len(balances) for balances in taken.values())


def undo(session: Session, transaction: LedgerTransaction, *, reason: str, now: datetime) -> LedgerTransaction:
    """Reverse a transaction of a payer with the scope's agency; what is open again by it is the payer's successor's.

    Where the scope's agency has handed the debt over itself, and is there still, it stays with the two.
    """
    own, payer_id = own_agency(session), transaction.payer_agency_id
    reversal = reverse(session, transaction, reason=reason, now=now)
    debt_id = transaction.invoice_id or transaction.leg_id
    last = find_last(session, debt_id) if debt_id else None
    if transaction.payee_agency_id != own or (last is not None and last.payee_agency_id != own):
        return reversal
    heir_id = last.payer_agency_id if last else payer_id
    after = heirs_of(session)
    while heir_id in after:
        giver_id, heir_id = heir_id, after[heir_id]
        if debt_id and heir_id != own:
            hand_on(
                session,
                debt_id,
                consortium_id=transaction.consortium_id,
                giver_id=giver_id,
                sides=Sides(heir_id, own),
                owed_since=transaction.dated_on,
                now=now,
            )
    if heir_id != payer_id:
        _follow(session, reversal, heir_id, now=now)
    return reversal


def _follow(session: Session, reversal: LedgerTransaction, heir_id: UUID, *, now: datetime) -> None:
    """Close what is open again between a payer and the scope's agency, and open it with the payer's heir."""
    own, payer_id = own_agency(session), reversal.payer_agency_id
    columns, total = (Posting.account, Posting.agreement_id, Posting.due_key), func.sum(Posting.pence)
    query = (
        select(*columns, total)
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .where(
            LedgerTransaction.consortium_id == reversal.consortium_id,
            LedgerTransaction.invoice_id.is_not_distinct_from(reversal.invoice_id),
            LedgerTransaction.leg_id.is_not_distinct_from(reversal.leg_id),
            Posting.agency_id == own,
            Posting.other_agency_id == payer_id,
            Posting.account.in_(OPEN),
        )
        .group_by(*columns)
        .having(total != 0)
    )
    opened = [
        _Open(
            *(reversal.consortium_id, payer_id, True, reversal.invoice_id, reversal.leg_id, agreement_id, due_key),
            *(account, int(pence), reversal.dated_on),
        )
        for account, agreement_id, due_key, pence in session.execute(query)
    ]
    for side_id, sign in ((payer_id, -1), (heir_id, 1)):
        if opened and side_id != own:
            key = f"{reversal.key}/transferred"
            _post(session, opened, Sides(side_id, own), key=key, sign=sign, on=reversal.dated_on, now=now)


def _hand_on(session: Session, plan: HandingOver, balances: list[_Open], *, now: datetime) -> None:
    """Let what is owed of an invoice, or a leg, be between the successor and the other of the two.

    Not what the giver has let go on before: what came back to it since is in its book alone.
    """
    first = balances[0]
    owed = sum(each.pence for each in balances if each.account is Account.RECEIVABLE)
    last = find_last(session, first.debt_id) if first.debt_id else None
    gone = last is not None and plan.giver_id not in (last.payer_agency_id, last.payee_agency_id)
    if first.debt_id is not None and owed and first.other_id != plan.receiver_id and not gone:
        hand_on(
            session,
            first.debt_id,
            consortium_id=first.consortium_id,
            giver_id=plan.giver_id,
            sides=first.sides(plan.receiver_id),
            owed_since=min(each.since for each in balances),
            now=now,
        )


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
        LedgerTransaction.leg_id,
        Posting.agreement_id,
        Posting.due_key,
        Posting.account,
    )
    query = (
        select(*columns, total, func.min(LedgerTransaction.dated_on))
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .where(Posting.agency_id == plan.giver_id, Posting.account.in_((*OPEN, *(MIRRORED[each] for each in OPEN))))
        .group_by(*columns)
        .having(total != 0)
    )
    for consortium_id, other_id, invoice_id, leg_id, agreement_id, due_key, account, pence, since in session.execute(
        query
    ):
        payees = account in OPEN
        said = (account, int(pence)) if payees else (PAYEES[account], -int(pence))
        about = (invoice_id, leg_id, agreement_id, due_key)
        yield _Open(consortium_id, other_id, payees, *about, *said, since)


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
    session: Session, balances: list[_Open], sides: Sides, *, key: str, sign: int, on: date, now: datetime
) -> None:
    first = balances[0]
    entries: list[Entry] = []
    for each in balances:
        lines = [(each.account, sign * each.pence), (Account.TRANSFERRED, -sign * each.pence)]
        entries += both_books(lines, *sides.both, agreement_id=each.agreement_id, due_key=each.due_key)
    post(
        session,
        consortium_id=first.consortium_id,
        payer_agency_id=sides.payer_agency_id,
        payee_agency_id=sides.payee_agency_id,
        kind=TransactionKind.TRANSFERRED,
        key=key,
        dated_on=on,
        entries=entries,
        narrative="Handed over with the agency’s work",
        now=now,
        invoice_id=first.invoice_id,
        leg_id=first.leg_id,
    )
