"""What is to be posted, before it is: entries of both books, each kind of transaction's told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from matching.fee.ledger.account import MEMORANDUM, MIRRORED, Account
from matching.fee.ledger.kind import TransactionKind


@dataclass(frozen=True, slots=True)
class Entry:
    """One line in one book: a debit is more than nothing, a credit less."""

    agency_id: UUID
    """Whose book it is in."""
    other_agency_id: UUID
    """With whom it is about."""
    account: Account
    pence: int
    agreement_id: UUID | None = None
    due_key: str | None = None
    """Which instalment of the agreement it is about, such as ``due/1``."""


Lines = list[tuple[Account, int]]


def _agreed(pence: int, _vat: int) -> Lines:
    return [(Account.AGREED_INCOME_CONTRA, pence), (Account.AGREED_INCOME, -pence)]


def _released(pence: int, _vat: int) -> Lines:
    return [(Account.AGREED_INCOME, pence), (Account.AGREED_INCOME_CONTRA, -pence)]


def _due(pence: int, _vat: int) -> Lines:
    return [(Account.TO_INVOICE, pence), (Account.FEE_INCOME, -pence)]


def _invoiced(pence: int, vat: int) -> Lines:
    return [(Account.RECEIVABLE, pence + vat), (Account.TO_INVOICE, -pence), (Account.VAT_OUT, -vat)]


def _credited(pence: int, vat: int) -> Lines:
    return [(Account.FEE_INCOME, pence), (Account.VAT_OUT, vat), (Account.RECEIVABLE, -pence - vat)]


def _refunded(pence: int, vat: int) -> Lines:
    return [(Account.FEE_INCOME, pence), (Account.VAT_OUT, vat), (Account.CASH, -pence - vat)]


def _moved(debit: Account, credit: Account) -> Callable[[int, int], Lines]:
    def lines(pence: int, _vat: int) -> Lines:
        return [(debit, pence), (credit, -pence)]

    return lines


_LINES: dict[TransactionKind, Callable[[int, int], Lines]] = {
    TransactionKind.AGREED: _agreed,
    TransactionKind.REVIVED: _agreed,
    TransactionKind.WAIVED: _released,
    TransactionKind.FALLEN_AWAY: _released,
    TransactionKind.DUE: lambda pence, vat: _released(pence, vat) + _due(pence, vat),
    TransactionKind.INVOICED: _invoiced,
    TransactionKind.CREDITED: _credited,
    TransactionKind.PAID: _moved(Account.CASH, Account.RECEIVABLE),
    TransactionKind.OVERPAID: _moved(Account.CASH, Account.HELD_AHEAD),
    TransactionKind.ALLOCATED: _moved(Account.HELD_AHEAD, Account.RECEIVABLE),
    TransactionKind.PAID_BACK: _moved(Account.HELD_AHEAD, Account.CASH),
    TransactionKind.REFUNDED: _refunded,
    TransactionKind.NETTED: _moved(Account.NETTING, Account.RECEIVABLE),
    TransactionKind.WRITTEN_OFF: _moved(Account.WRITTEN_OFF, Account.RECEIVABLE),
}
"""The payee's side of each kind; the payer's is its mirror."""


def mirrored(
    kind: TransactionKind,
    pence: int,
    payer_agency_id: UUID,
    payee_agency_id: UUID,
    *,
    vat_pence: int = 0,
    agreement_id: UUID | None = None,
    due_key: str | None = None,
    foreseen: bool = True,
) -> list[Entry]:
    """Return the entries of both books for what a kind of transaction moves.

    :param pence: without VAT, which ``vat_pence`` adds to an invoice, a credit note and a refund.
    :param foreseen: ``False`` for what falls due without having been agreed as an amount, as a continuing charge is.
    """
    lines = _due(pence, 0) if kind is TransactionKind.DUE and not foreseen else _LINES[kind](pence, vat_pence)
    return both_books(lines, payer_agency_id, payee_agency_id, agreement_id=agreement_id, due_key=due_key)


def both_books(
    lines: Sequence[tuple[Account, int]],
    payer_agency_id: UUID,
    payee_agency_id: UUID,
    *,
    agreement_id: UUID | None = None,
    due_key: str | None = None,
) -> list[Entry]:
    """Return lines of the payee's book, and what they are in the payer's; nothing for what is nothing."""
    about = (agreement_id, due_key)
    entries = []
    for account, pence in lines:
        if pence:
            entries.append(Entry(payee_agency_id, payer_agency_id, account, pence, *about))
            entries.append(Entry(payer_agency_id, payee_agency_id, MIRRORED[account], -pence, *about))
    return entries


def amount_of(entries: Sequence[Entry], *, payee_agency_id: UUID) -> int:
    """Return what a transaction is over: what it moves in the payee's book, or holds in memory where that is all."""
    payees = [each for each in entries if each.agency_id == payee_agency_id and each.pence > 0]
    moved = sum(each.pence for each in payees if each.account not in MEMORANDUM)
    return moved or sum(each.pence for each in payees)
