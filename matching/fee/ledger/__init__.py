"""The ledger: who owes whom how much and why, in two books that always say the same.

A transaction is written into the payee's book and the payer's at once. The database refuses one that does not sum to
nothing in each, or by which one side would owe another amount than the other is owed; and any change to what was
posted. What was wrong is reversed.
"""

from matching.fee.ledger.account import MIRRORED, Account
from matching.fee.ledger.balance import (
    DueLine,
    balance,
    balances_of,
    list_to_invoice,
    moves_of,
    outstanding,
    owed_by_invoice,
    parts_to_invoice,
    parts_to_invoice_each,
)
from matching.fee.ledger.entry import Entry, mirrored
from matching.fee.ledger.kind import TransactionKind
from matching.fee.ledger.lock import BookBusy, lock_agreement, lock_book, share_books, wait_for_posters
from matching.fee.ledger.period import (
    FeePeriod,
    Total,
    ask_to_reopen,
    close_month,
    count_to_close,
    get_period,
    kept_totals,
    list_periods,
    open_months,
    reopen,
    require_reopening,
    totals_of,
    withdraw_reopening,
)
from matching.fee.ledger.transaction import (
    LedgerTransaction,
    Posting,
    TransactionReversed,
    TransactionUnknown,
    find_transaction,
    get_transaction,
    post,
    postings_of,
    reverse,
)

__all__ = [
    "MIRRORED",
    "Account",
    "BookBusy",
    "DueLine",
    "Entry",
    "FeePeriod",
    "LedgerTransaction",
    "Posting",
    "Total",
    "TransactionKind",
    "TransactionReversed",
    "TransactionUnknown",
    "ask_to_reopen",
    "balance",
    "balances_of",
    "close_month",
    "count_to_close",
    "find_transaction",
    "get_period",
    "get_transaction",
    "kept_totals",
    "list_periods",
    "list_to_invoice",
    "lock_agreement",
    "lock_book",
    "mirrored",
    "moves_of",
    "open_months",
    "outstanding",
    "owed_by_invoice",
    "parts_to_invoice",
    "parts_to_invoice_each",
    "post",
    "postings_of",
    "reopen",
    "require_reopening",
    "reverse",
    "share_books",
    "totals_of",
    "wait_for_posters",
    "withdraw_reopening",
]
