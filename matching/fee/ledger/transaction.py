"""A transaction and its postings: made together, once under each business key, and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Identity, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.ledger.account import PAYEES, Account
from matching.fee.ledger.entry import Entry, amount_of, both_books
from matching.fee.ledger.kind import TransactionKind
from matching.fee.signer import Signer, find_signer
from tenants.base import Base, Id, Word
from tenants.bulk import add_rows
from tenants.database import scope_of
from tenants.error import Conflict, NotFound
from tenants.permission import Verb, require


class LedgerTransaction(Base):
    """What came to pass between a payer and a payee, as both may read it."""

    __tablename__ = "ledger_transaction"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    agreement_id: Mapped[UUID | None]
    invoice_id: Mapped[UUID | None]
    leg_id: Mapped[UUID | None]
    """What is left to pay after a netting, where it is about that."""
    event_id: Mapped[UUID | None]
    kind: Mapped[TransactionKind] = mapped_column(Word(TransactionKind))
    key: Mapped[str]
    """What makes it one: the same key again is the same transaction."""
    pence: Mapped[int] = mapped_column(BigInteger)
    """What it is over; a reversal over what the reversed one was."""
    dated_on: Mapped[date]
    """The day it came to pass; the month that a posting counts in is its book's first open one from then on."""
    narrative: Mapped[str]
    reverses_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    made_by: Mapped[UUID | None]
    made_name: Mapped[str | None]
    approved_by: Mapped[UUID | None]
    approved_name: Mapped[str | None]
    posted_at: Mapped[datetime]


class Posting(Base):
    """One line in one agency's book; that agency alone reads it."""

    __tablename__ = "posting"

    id: Mapped[Id]
    transaction_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    other_agency_id: Mapped[UUID]
    account: Mapped[Account] = mapped_column(Word(Account))
    pence: Mapped[int] = mapped_column(BigInteger)
    """A debit is more than nothing, a credit less."""
    period_on: Mapped[date]
    """The first day of the month it counts in."""
    agreement_id: Mapped[UUID | None]
    due_key: Mapped[str | None]
    turn: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """When it came among all postings: into a book that nobody posts into, whatever comes later has a later one."""


class TransactionUnknown(NotFound):
    """No such transaction is in this scope."""


class TransactionReversed(Conflict):
    """The transaction was reversed already, or is itself a reversal."""


def post(
    session: Session,
    *,
    consortium_id: UUID,
    payer_agency_id: UUID,
    payee_agency_id: UUID,
    kind: TransactionKind,
    key: str,
    dated_on: date,
    entries: Sequence[Entry],
    narrative: str,
    now: datetime,
    agreement_id: UUID | None = None,
    invoice_id: UUID | None = None,
    leg_id: UUID | None = None,
    event_id: UUID | None = None,
    reverses_id: UUID | None = None,
    reason: str | None = None,
    made_by: Signer | None = None,
    approved_by: Signer | None = None,
    pence: int | None = None,
) -> LedgerTransaction:
    """Post a transaction into both books; under a key that was posted, return the first and post nothing.

    Entries that name no agreement are about the transaction's. Who made it is the scope's person where nobody is named.
    That it balances, and that its months are open, is the database's to see to, at the latest on commit.
    """
    maker = made_by or find_signer(session)
    transaction_id = uuid4()
    values = {
        "id": transaction_id,
        "consortium_id": consortium_id,
        "payer_agency_id": payer_agency_id,
        "payee_agency_id": payee_agency_id,
        "agreement_id": agreement_id,
        "invoice_id": invoice_id,
        "leg_id": leg_id,
        "event_id": event_id,
        "kind": kind,
        "key": key,
        "pence": pence or amount_of(entries, payee_agency_id=payee_agency_id),
        "dated_on": dated_on,
        "narrative": narrative,
        "reverses_id": reverses_id,
        "reason": reason,
        "made_by": maker.person_id if maker else None,
        "made_name": maker.name if maker else None,
        "approved_by": approved_by.person_id if approved_by else None,
        "approved_name": approved_by.name if approved_by else None,
        "posted_at": now,
    }
    session.execute(insert(LedgerTransaction).values(values).on_conflict_do_nothing())
    found = _under_key(session, payer_agency_id, payee_agency_id, agreement_id=agreement_id, key=key)
    if found.id == transaction_id:
        add_rows(session, Posting, [_row(found, entry) for entry in entries])
    return found


def reverse(
    session: Session,
    transaction: LedgerTransaction,
    *,
    reason: str,
    now: datetime,
    dated_on: date | None = None,
    event_id: UUID | None = None,
    made_by: Signer | None = None,
    approved_by: Signer | None = None,
) -> LedgerTransaction:
    """Take a transaction back by one that is its opposite; the same again returns the first reversal.

    :param dated_on: the day of ``now`` when not given, which is never before the transaction's own.
    :raises TransactionReversed: when it is itself a reversal.
    """
    if transaction.reverses_id is not None:
        raise TransactionReversed("A reversal is not reversed. Post what should stand instead.")
    day = max(dated_on or now.date(), transaction.dated_on)
    return post(
        session,
        consortium_id=transaction.consortium_id,
        payer_agency_id=transaction.payer_agency_id,
        payee_agency_id=transaction.payee_agency_id,
        kind=TransactionKind.REVERSAL,
        key=f"{transaction.key}/reversed",
        dated_on=day,
        entries=_opposite(session, transaction),
        narrative=f"Reversal: {transaction.narrative}",
        now=now,
        agreement_id=transaction.agreement_id,
        invoice_id=transaction.invoice_id,
        leg_id=transaction.leg_id,
        event_id=event_id or transaction.event_id,
        reverses_id=transaction.id,
        reason=reason,
        made_by=made_by,
        approved_by=approved_by,
        pence=transaction.pence,
    )


def get_transaction(session: Session, transaction_id: UUID) -> LedgerTransaction:
    """Return a transaction that this scope may read.

    :raises TransactionUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    found = session.get(LedgerTransaction, transaction_id)
    if found is None:
        raise TransactionUnknown("There is no such transaction.")
    return found


def find_transaction(
    session: Session, *, payer_agency_id: UUID, payee_agency_id: UUID, key: str
) -> LedgerTransaction | None:
    """Return what was posted under a business key between two agencies, if anything was."""
    return session.scalar(
        select(LedgerTransaction).where(
            LedgerTransaction.payer_agency_id == payer_agency_id,
            LedgerTransaction.payee_agency_id == payee_agency_id,
            LedgerTransaction.key == key,
        )
    )


def postings_of(session: Session, transaction: LedgerTransaction) -> list[Posting]:
    """Return a transaction's postings in the scope's own book, debits first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Posting).where(Posting.transaction_id == transaction.id)
    return list(session.scalars(query.order_by(func.sign(Posting.pence).desc(), Posting.account, Posting.id)))


def _under_key(
    session: Session, payer_agency_id: UUID, payee_agency_id: UUID, *, agreement_id: UUID | None, key: str
) -> LedgerTransaction:
    """Return what stands under a key: of the pair, or of the agreement whoever its parties were."""
    found = find_transaction(session, payer_agency_id=payer_agency_id, payee_agency_id=payee_agency_id, key=key)
    if found is None:
        query = select(LedgerTransaction).where(
            LedgerTransaction.agreement_id == agreement_id, LedgerTransaction.key == key
        )
        found = session.scalars(query).one()
    return found


def _row(transaction: LedgerTransaction, entry: Entry) -> dict[str, object]:
    return {
        "id": uuid4(),
        "transaction_id": transaction.id,
        "agency_id": entry.agency_id,
        "other_agency_id": entry.other_agency_id,
        "account": entry.account,
        "pence": entry.pence,
        "agreement_id": entry.agreement_id or transaction.agreement_id,
        "due_key": entry.due_key,
    }


def _opposite(session: Session, transaction: LedgerTransaction) -> list[Entry]:
    """Return the opposite of a transaction in both books, from the one that the scope reads."""
    payees = transaction.payee_agency_id == scope_of(session).agency_id
    entries: list[Entry] = []
    for posting in postings_of(session, transaction):
        line = (posting.account, -posting.pence) if payees else (PAYEES[posting.account], posting.pence)
        entries += both_books(
            [line],
            transaction.payer_agency_id,
            transaction.payee_agency_id,
            agreement_id=posting.agreement_id,
            due_key=posting.due_key,
        )
    return entries
