"""The ledger: who owes whom how much and why, in two books that always say the same.

A transaction is written into the payee's book and the payer's at once. The database refuses one that does not sum to
nothing in each, or by which one side would owe another amount than the other is owed; and any change to what was
posted. What was wrong is reversed.
"""

from matching.fee.ledger.account import MIRRORED, Account
from matching.fee.ledger.balance import DueLine, balance, balances_of, list_to_invoice, outstanding, parts_to_invoice
from matching.fee.ledger.entry import Entry, mirrored
from matching.fee.ledger.kind import TransactionKind
from matching.fee.ledger.transaction import (
    LedgerTransaction,
    Posting,
    TransactionReversed,
    TransactionUnknown,
    find_transaction,
    get_transaction,
    lock_agreement,
    post,
    postings_of,
    reverse,
)

__all__ = [
    "MIRRORED",
    "Account",
    "DueLine",
    "Entry",
    "LedgerTransaction",
    "Posting",
    "TransactionKind",
    "TransactionReversed",
    "TransactionUnknown",
    "balance",
    "balances_of",
    "find_transaction",
    "get_transaction",
    "list_to_invoice",
    "lock_agreement",
    "mirrored",
    "outstanding",
    "parts_to_invoice",
    "post",
    "postings_of",
    "reverse",
]
