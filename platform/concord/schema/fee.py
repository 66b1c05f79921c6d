"""The shapes of fees: agreements, postings, invoices, statements, months and bank files; amounts are whole pence."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from concord.schema.page import PageQuery
from matching.fee.agreement import AgreementState
from matching.fee.instalment import Due
from matching.fee.invoice.invoice import InvoiceKind, InvoiceState
from matching.fee.invoice.vat import VatCategory
from matching.fee.ledger import Account, TransactionKind
from matching.fee.remittance.bank_file import FileFormat
from matching.fee.remittance.remittance import Purpose, RemittanceState

_MONTH = r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])\Z"
_NUMBER = r"^[A-Za-z0-9][A-Za-z0-9 /._-]{0,29}\Z"
_NAME = r"^[^\x00-\x1f\x7f]{1,200}\Z"


def _pence(*, none: bool = False) -> fields.Integer:
    return fields.Integer(required=True, allow_none=none)


def _month(**more: object) -> fields.String:
    said = {"metadata": {"description": "A month, as 2026-10.", "example": "2026-10"}, **more}
    return fields.String(validate=validate.Regexp(_MONTH), **said)  # type: ignore[arg-type]


class FeeAgencySchema(Schema):
    """An agency that fees are between."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class AgreementQuery(PageQuery):
    """Which agreements."""

    state = fields.Enum(AgreementState, by_value=True)
    reference = fields.String(validate=validate.Regexp(r"^[A-Z0-9-]{1,20}\Z"), metadata={"example": "FA-7Q3K2M"})


class AgreementCardSchema(Schema):
    """A fee agreement in a list. It names neither child nor family: its reference is random."""

    id = fields.UUID(required=True)
    reference = fields.String(required=True)
    version = fields.Integer(required=True)
    state = fields.Enum(AgreementState, by_value=True, required=True)
    payer = fields.Nested(FeeAgencySchema, required=True)
    payee = fields.Nested(FeeAgencySchema, required=True)
    authority = fields.Nested(FeeAgencySchema, required=True, metadata={"description": "Whose children they are."})
    amount_pence = _pence(none=True)
    waived = fields.Boolean(required=True)
    drafted_at = fields.DateTime(format="iso", required=True)


class InstalmentSchema(Schema):
    """A part of a fee, and what makes it due."""

    position = fields.Integer(required=True)
    pence = _pence()
    due = fields.Enum(Due, by_value=True, required=True)
    months = fields.Integer(required=True, allow_none=True)


class AgreementSchema(AgreementCardSchema):
    """A fee agreement: which rule chose its rate, its parts, its days, and who has signed it when."""

    children = fields.Integer(required=True)
    rate_words = fields.String(required=True)
    refusal = fields.String(required=True, allow_none=True)
    waiver_words = fields.String(required=True, allow_none=True)
    instalments = fields.List(fields.Nested(InstalmentSchema), required=True)
    continuing_pence = _pence(none=True)
    continuing_after_months = fields.Integer(required=True, allow_none=True)
    matched_on = fields.Date(required=True, allow_none=True)
    placed_on = fields.Date(required=True, allow_none=True)
    ordered_on = fields.Date(required=True, allow_none=True)
    disrupted_on = fields.Date(required=True, allow_none=True)
    payer_signed_at = fields.DateTime(format="iso", required=True, allow_none=True)
    payee_signed_at = fields.DateTime(format="iso", required=True, allow_none=True)


class PostingsQuery(PageQuery):
    """Which postings."""

    month = _month()
    account = fields.Enum(Account, by_value=True)
    other_agency = fields.UUID(metadata={"description": "With which agency."})
    posted_since = fields.AwareDateTime(
        format="iso", metadata={"description": "Posted at this moment or after, as 2026-11-23T09:00:00Z."}
    )


class PostingSchema(Schema):
    """One line of one's own book: a debit is more than nothing, a credit less."""

    id = fields.UUID(required=True)
    transaction_id = fields.UUID(required=True)
    account = fields.Enum(Account, by_value=True, required=True)
    pence = _pence()
    month = fields.String(required=True, metadata={"description": "In which it counts."})
    other_agency = fields.Nested(FeeAgencySchema, required=True)
    kind = fields.Enum(TransactionKind, by_value=True, required=True)
    dated_on = fields.Date(required=True)
    posted_at = fields.DateTime(format="iso", required=True)
    narrative = fields.String(required=True)
    agreement = fields.String(required=True, allow_none=True, metadata={"description": "Its reference."})
    invoice_id = fields.UUID(required=True, allow_none=True)
    reverses_id = fields.UUID(required=True, allow_none=True)


class PostingPageSchema(Schema):
    """A page of postings; ``next`` is null where there are no more now, ``follow`` where there never was one."""

    items = fields.List(fields.Nested(PostingSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    follow = fields.String(
        required=True, allow_none=True, metadata={"description": "The cursor of what is posted after all this."}
    )


class TransactionSchema(Schema):
    """A transaction as both agencies know it, with its postings in one's own book."""

    id = fields.UUID(required=True)
    kind = fields.Enum(TransactionKind, by_value=True, required=True)
    payer = fields.Nested(FeeAgencySchema, required=True)
    payee = fields.Nested(FeeAgencySchema, required=True)
    pence = _pence()
    dated_on = fields.Date(required=True)
    posted_at = fields.DateTime(format="iso", required=True)
    narrative = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    invoice_id = fields.UUID(required=True, allow_none=True)
    reverses_id = fields.UUID(required=True, allow_none=True)
    postings = fields.List(fields.Nested(PostingSchema), required=True)


class InvoicesQuery(PageQuery):
    """Which invoices."""

    side = fields.String(load_default="all", validate=validate.OneOf(["all", "issued", "received"]))
    number = fields.String(validate=validate.Regexp(_NUMBER))
    issued_since = fields.Date()


class InvoiceCardSchema(Schema):
    """An invoice or credit note in a list: what is owed of it still, and how it stands."""

    id = fields.UUID(required=True)
    kind = fields.Enum(InvoiceKind, by_value=True, required=True)
    number = fields.String(required=True)
    payer = fields.Nested(FeeAgencySchema, required=True)
    payee = fields.Nested(FeeAgencySchema, required=True)
    issued_on = fields.Date(required=True)
    due_on = fields.Date(required=True)
    purchase_order = fields.String(required=True, allow_none=True)
    vat_category = fields.Enum(VatCategory, by_value=True, required=True)
    vat_rate = fields.Integer(required=True, metadata={"description": "In hundredths of a per cent."})
    net_pence = _pence()
    vat_pence = _pence()
    gross_pence = _pence()
    outstanding_pence = _pence()
    state = fields.Enum(InvoiceState, by_value=True, required=True)
    credits_id = fields.UUID(required=True, allow_none=True, metadata={"description": "The invoice that it credits."})


class InvoiceLineSchema(Schema):
    """One sum of one agreement."""

    position = fields.Integer(required=True)
    agreement = fields.String(required=True)
    words = fields.String(required=True)
    pence = _pence()


class FeeInvoiceSchema(InvoiceCardSchema):
    """An invoice or credit note with its lines."""

    reason = fields.String(required=True, allow_none=True)
    lines = fields.List(fields.Nested(InvoiceLineSchema), required=True)


class DueSumSchema(Schema):
    """A sum that is due to one's own agency and not invoiced; ``sum`` names it when it is invoiced."""

    sum = fields.String(required=True)
    agreement = fields.String(required=True)
    payer = fields.Nested(FeeAgencySchema, required=True)
    words = fields.String(required=True)
    pence = fields.Integer(required=True, metadata={"description": "Below nothing, what was invoiced too much."})
    purchase_order = fields.String(required=True, allow_none=True)


class DueSumsSchema(Schema):
    """What is due and not invoiced."""

    items = fields.List(fields.Nested(DueSumSchema), required=True)


class IssueInvoiceSchema(Schema):
    """What is to be invoiced to whom, and the number that the finance system gave it, where it gives them."""

    payer_id = fields.UUID(required=True)
    sums = fields.List(
        fields.String(validate=validate.Regexp(r"^[0-9a-f-]{36}:[!-~]{1,100}\Z")),
        required=True,
        validate=validate.Length(1, 200),
    )
    number = fields.String(load_default="", validate=validate.Regexp(rf"{_NUMBER}|^\Z"))


class AmountsSchema(Schema):
    """What is between a payer and a payee, in pence, each more than nothing where it is to the payee's good."""

    agreed = _pence()
    to_invoice = _pence()
    owed = _pence()
    ahead = _pence()


class MovementSchema(Schema):
    """All transactions of one kind."""

    kind = fields.Enum(TransactionKind, by_value=True, required=True)
    count = fields.Integer(required=True)
    pence = _pence()
    amounts = fields.Nested(AmountsSchema, required=True)


class StatementSideSchema(Schema):
    """What is between one payer and one payee until the day."""

    payer = fields.Nested(FeeAgencySchema, required=True)
    payee = fields.Nested(FeeAgencySchema, required=True)
    opening = fields.Nested(AmountsSchema, required=True)
    movements = fields.List(fields.Nested(MovementSchema), required=True)
    closing = fields.Nested(AmountsSchema, required=True)


class StatementCardSchema(Schema):
    """A statement of two agencies until a day."""

    id = fields.UUID(required=True)
    drawn_up_by = fields.Nested(FeeAgencySchema, required=True)
    other = fields.Nested(FeeAgencySchema, required=True)
    until_on = fields.Date(required=True)
    sha256 = fields.String(required=True)
    made_at = fields.DateTime(format="iso", required=True)
    agreed_at = fields.DateTime(format="iso", required=True, allow_none=True)
    withdrawn_at = fields.DateTime(format="iso", required=True, allow_none=True)


class StatementSchema(StatementCardSchema):
    """A statement with what it says, by payer."""

    sides = fields.List(fields.Nested(StatementSideSchema), required=True)


class AccountTotalSchema(Schema):
    """What one account brought into a month, took in it and carried out of it."""

    account = fields.Enum(Account, by_value=True, required=True)
    brought = _pence()
    debits = _pence()
    credits = _pence()
    carried = _pence()


class ClosingSchema(Schema):
    """One closing of one month of one's own book, with the totals that were kept."""

    id = fields.UUID(required=True)
    month = fields.String(required=True)
    closed_at = fields.DateTime(format="iso", required=True)
    reopened_at = fields.DateTime(format="iso", required=True, allow_none=True)
    totals = fields.List(fields.Nested(AccountTotalSchema), required=True)


class PeriodsSchema(Schema):
    """The closings of one's own book, the last month first, and the open months that have postings."""

    items = fields.List(fields.Nested(ClosingSchema), required=True)
    open = fields.List(fields.String(), required=True)


class JournalQuery(Schema):
    """Which month, in which of the agency's layouts."""

    month = _month(required=True)
    layout = fields.String(required=True, validate=[validate.Regexp(_NAME), validate.Length(1, 60)])
    provisional = fields.Boolean(
        load_default=False, metadata={"description": "Also while the month is open; each row says so."}
    )


class HandInRemittanceQuery(Schema):
    """What a bank's file is called, and whose lines it has."""

    filename = fields.String(required=True, validate=validate.Regexp(_NAME), metadata={"example": "november.csv"})
    purpose = fields.Enum(
        Purpose,
        by_value=True,
        load_default=Purpose.RECEIPTS,
        metadata={"description": "What the agency was paid, or what it says that it has paid."},
    )


class RemittanceSchema(Schema):
    """A bank's file in sum; ``refusal`` says why it was refused whole, and then nothing of it was taken.

    One that was taken back has no lines that wait; handed in again, it is another.
    """

    id = fields.UUID(required=True)
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    format = fields.Enum(FileFormat, by_value=True, required=True, allow_none=True)
    filename = fields.String(required=True)
    state = fields.Enum(RemittanceState, by_value=True, required=True)
    refusal = fields.String(required=True, allow_none=True)
    notes = fields.List(fields.String(), required=True)
    line_count = fields.Integer(required=True)
    known_count = fields.Integer(required=True)
    credit_count = fields.Integer(required=True)
    credit_pence = _pence()
    debit_count = fields.Integer(required=True)
    debit_pence = _pence()
    imported_at = fields.DateTime(format="iso", required=True)
    finished_at = fields.DateTime(format="iso", required=True, allow_none=True)
