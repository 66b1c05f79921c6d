"""What kinds of transactions there are."""

from __future__ import annotations

from enum import StrEnum


class TransactionKind(StrEnum):
    """What came to pass between the payer and the payee."""

    label: str

    def __new__(cls, value: str, label: str) -> TransactionKind:
        """Keep the words for people beside the word that is stored."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.label = label
        return kind

    AGREED = "agreed", "Agreed"
    DUE = "due", "Due"
    INVOICED = "invoiced", "Invoiced"
    PAID = "paid", "Paid"
    OVERPAID = "overpaid", "Overpaid"
    ALLOCATED = "allocated", "Taken from what was paid ahead"
    PAID_BACK = "paid_back", "Paid back"
    CREDITED = "credited", "Credited"
    WAIVED = "waived", "Waived"
    REVIVED = "revived", "Charged after all"
    FALLEN_AWAY = "fallen_away", "Fallen away"
    REFUNDED = "refunded", "Refunded"
    NETTED = "netted", "Netted"
    WRITTEN_OFF = "written_off", "Written off"
    TRANSFERRED = "transferred", "Transferred"
    REVERSAL = "reversal", "Reversed"
