"""What was paid comes back with the VAT that was paid with it, by two people, and to the penny in the end."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from concord.settings import libpq_url
from matching.fee.agreement import get_agreement
from matching.fee.event import FeeEventKind, record_event
from matching.fee.exception import ExceptionInvalid, ExceptionKind, ask_exception, decide_exception, get_exception
from matching.fee.invoice.invoice import get_invoice
from matching.fee.invoice.vat import VatCategory
from matching.fee.ledger import Account, TransactionKind, balances_of, mirrored, post
from matching.fee.ledger.listing import Wanted, list_lines, list_shared_invoices, sum_accounts
from matching.fee.paid import paid_of
from matching.fee.settlement import settle
from matching.fee.signing_limit import BeyondLimit, set_limit
from tenants.role import Role
from tests.factories import NOW
from tests.matching.fee.invoice.invoice_ground import InvoiceGround

_SIGN = """
    UPDATE fee_agreement SET payer_signed_name = 'Sam', payer_signed_at = %s, payer_signed_by = %s,
        payee_signed_name = 'Sam', payee_signed_at = %s, payee_signed_by = %s
    WHERE id = ANY (%s)
"""


def pay(ground: InvoiceGround, invoice_id: UUID, pence: int) -> None:
    """Post that so much of an invoice was paid."""
    with ground.database.transaction(ground.payee.scope) as session:
        invoice = get_invoice(session, invoice_id)
        post(
            session,
            consortium_id=invoice.consortium_id,
            payer_agency_id=ground.payer.id,
            payee_agency_id=ground.payee.id,
            kind=TransactionKind.PAID,
            key=f"paid/{invoice_id}/{pence}",
            dated_on=NOW.date(),
            entries=mirrored(TransactionKind.PAID, pence, ground.payer.id, ground.payee.id),
            narrative="Received",
            now=NOW,
            invoice_id=invoice_id,
        )


def ask(ground: InvoiceGround, agreement_id: UUID, pence: int) -> UUID:
    """Ask that so much is paid back."""
    with ground.database.transaction(ground.payee.scope) as session:
        agreement = get_agreement(session, agreement_id)
        return ask_exception(
            session, agreement, ExceptionKind.REFUND, pence=pence, reason="Settled between the two.", now=NOW
        ).id


def decide(ground: InvoiceGround, asked_id: UUID) -> None:
    """Approve what was asked for, as the second person."""
    with ground.database.transaction(ground.colleague.scope) as session:
        decide_exception(session, get_exception(session, asked_id), approve=True, now=NOW)


def refund(ground: InvoiceGround, agreement_id: UUID, pence: int) -> None:
    """Pay back by the word of two, and settle."""
    decide(ground, ask(ground, agreement_id, pence))
    with ground.database.transaction(ground.payee.scope) as session:
        settle(session, agreement_id, on=NOW.date(), now=NOW)


class TestLedgerOfOneAgreement:
    def test_has_what_was_paid_of_its_own_invoices_and_names_the_others(self, ground: InvoiceGround) -> None:
        ground.keep(vat_category=VatCategory.STANDARD, vat_number="GB980780684")
        alone = ground.due(1_000)
        own = ground.issue()
        both = [ground.due(2_000, position=2, agreement_id=alone), ground.due(500)]
        shared = ground.issue()
        pay(ground, own, 1_200)
        pay(ground, shared, 3_000)
        references = []
        for agreement_id in (alone, both[1]):
            with ground.database.transaction(ground.payee.scope) as session:
                references.append(get_agreement(session, agreement_id).reference)

        for tenant, owed in ((ground.payee, Account.RECEIVABLE), (ground.payer, Account.PAYABLE)):
            sign = 1 if tenant is ground.payee else -1
            with ground.database.transaction(tenant.scope) as session:
                wanted = Wanted(reference=references[0])
                sums = {each.account: each.pence * sign for each in sum_accounts(session, wanted)}
                lines = list_lines(session, wanted)
                assert len(list_lines(session, wanted, limit=2)) == 2
                assert sums[owed] == 2_000
                assert sums[Account.CASH] == 1_200
                assert sum(sums.values()) == 0
                assert sum(line.posting.pence for line in lines) == 0
                assert {line.transaction.invoice_id for line in lines} == {None, own, shared}
                number = get_invoice(session, shared).number
                assert list_shared_invoices(session, references[0]) == [(shared, number)]
                assert list_shared_invoices(session, references[1]) == [(shared, number)]
                others = {
                    each.account: each.pence * sign for each in sum_accounts(session, Wanted(reference=references[1]))
                }
                assert (others[owed], Account.CASH in others) == (500, False)
        with ground.database.transaction(ground.stranger.scope) as session:
            assert list_lines(session, Wanted(reference=references[0])) == []
            assert list_shared_invoices(session, references[0]) == []


class TestRefund:
    def test_brings_the_vat_back_with_the_fee(self, ground: InvoiceGround) -> None:
        ground.keep(vat_category=VatCategory.STANDARD, vat_number="GB980780684")
        agreements = [ground.due(pence) for pence in (1_003, 2_004)]
        invoice_id = ground.issue()
        with psycopg.connect(libpq_url(ground.urls.admin)) as admin:
            signed = [NOW, ground.payer.scope.person_id, NOW, ground.payee.scope.person_id, agreements]
            admin.execute(_SIGN, signed)
        with ground.database.transaction(ground.payee.scope) as session:
            invoice = get_invoice(session, invoice_id)
            gross, tax = invoice.gross_pence, invoice.vat_pence
            for each in agreements:
                agreement = get_agreement(session, each)
                record_event(
                    session,
                    agreement,
                    FeeEventKind.AGREEMENT_SIGNED,
                    key="agreement_signed",
                    happened_on=NOW.date(),
                    now=NOW,
                )
                assert paid_of(session, agreement).net == 0
        with pytest.raises(ExceptionInvalid, match="There is nothing to pay back"):
            ask(ground, agreements[0], 1)
        pay(ground, invoice_id, gross - 600)
        with ground.database.transaction(ground.payee.scope) as session:
            # 600 with VAT are owed still, which may be of either: 501 of each count as unpaid.
            assert paid_of(session, get_agreement(session, agreements[0])).net == 502
        pay(ground, invoice_id, 600)

        late = ask(ground, agreements[0], 1_003)
        for agreement_id, pence in ((agreements[0], 500), (agreements[0], 503)):
            refund(ground, agreement_id, pence)
        # Refused when it is asked for, and when it was too much by the time it is decided.
        with pytest.raises(ExceptionInvalid, match=r"No more is paid back than was paid: £20\.04 without VAT"):
            ask(ground, agreements[1], 2_005)
        with pytest.raises(ExceptionInvalid, match="There is nothing to pay back"):
            decide(ground, late)
        with ground.database.transaction(ground.payee.scope) as session:
            set_limit(session, Role.FINANCE_OFFICER, pence=2_003, now=NOW)
        with pytest.raises(BeyondLimit, match=r"This is £20\.04, and you decide on up to £20\.03"):
            refund(ground, agreements[1], 2_004)
        refund(ground, agreements[1], 2_003)
        refund(ground, agreements[1], 1)

        with ground.database.transaction(ground.payer.scope) as session:
            cost = balances_of(session)
        with ground.database.transaction(ground.payee.scope) as session:
            left = balances_of(session)
            assert [paid_of(session, get_agreement(session, each)).vat for each in agreements] == [0, 0]
        assert (gross, tax) == (3_608, 601)
        for account in (Account.FEE_INCOME, Account.VAT_OUT, Account.CASH, Account.RECEIVABLE):
            assert account not in left
        for account in (Account.FEE_COST, Account.VAT_IN, Account.CASH, Account.PAYABLE):
            assert account not in cost
