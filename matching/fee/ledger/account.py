"""The accounts of a book, and which account of the payer's shows what one of the payee's does."""

from __future__ import annotations

from enum import StrEnum


class Account(StrEnum):
    """What a posting counts to. A debit is more than nothing, a credit less."""

    label: str

    def __new__(cls, value: str, label: str) -> Account:
        """Keep the words for people beside the word that is stored."""
        account = str.__new__(cls, value)
        account._value_ = value
        account.label = label
        return account

    AGREED_INCOME = "agreed_income", "Agreed, not yet due to us"
    """For memory only: what is agreed and has not fallen due, against the account below."""
    AGREED_INCOME_CONTRA = "agreed_income_contra", "Against what is agreed to us"
    TO_INVOICE = "to_invoice", "Due to us, to be invoiced"
    RECEIVABLE = "receivable", "Invoiced, owed to us"
    FEE_INCOME = "fee_income", "Fees earned"
    HELD_AHEAD = "held_ahead", "Paid to us too much, or ahead"
    VAT_OUT = "vat_out", "VAT that we charged"
    WRITTEN_OFF = "written_off", "Written off"

    AGREED_COST = "agreed_cost", "Agreed, not yet due from us"
    AGREED_COST_CONTRA = "agreed_cost_contra", "Against what is agreed from us"
    TO_BE_INVOICED = "to_be_invoiced", "Due from us, not yet invoiced"
    PAYABLE = "payable", "Invoiced, owed by us"
    FEE_COST = "fee_cost", "Fees that we bear"
    PAID_AHEAD = "paid_ahead", "Paid by us too much, or ahead"
    VAT_IN = "vat_in", "VAT that we were charged"
    WRITTEN_BACK = "written_back", "Written back"

    CASH = "cash", "Money received and paid"
    NETTING = "netting", "Settled by netting"
    TRANSFERRED = "transferred", "Handed over to another agency"


MIRRORED = {
    Account.AGREED_INCOME: Account.AGREED_COST,
    Account.AGREED_INCOME_CONTRA: Account.AGREED_COST_CONTRA,
    Account.TO_INVOICE: Account.TO_BE_INVOICED,
    Account.RECEIVABLE: Account.PAYABLE,
    Account.FEE_INCOME: Account.FEE_COST,
    Account.CASH: Account.CASH,
    Account.HELD_AHEAD: Account.PAID_AHEAD,
    Account.VAT_OUT: Account.VAT_IN,
    Account.NETTING: Account.NETTING,
    Account.WRITTEN_OFF: Account.WRITTEN_BACK,
    Account.TRANSFERRED: Account.TRANSFERRED,
}
"""Each account of the payee's book, and the one of the payer's that holds the same with the sign turned."""

PAYEES = {payers: payees for payees, payers in MIRRORED.items()}
"""The same from the payer's side."""

MEMORANDUM = frozenset(
    {Account.AGREED_INCOME, Account.AGREED_INCOME_CONTRA, Account.AGREED_COST, Account.AGREED_COST_CONTRA}
)
"""What is kept for memory: nobody owes it yet."""
