"""A payee with what is due to it from a payer, somebody who has nothing to do with them, and colleagues."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.invoice.account import AccountTerms, keep_account
from matching.fee.invoice.bank import approve_change, ask_change, get_change, read_details
from matching.fee.invoice.invoice import Invoice, get_invoice
from matching.fee.invoice.issuing import issue_invoice, list_due
from matching.fee.invoice.vat import VatCategory
from matching.fee.ledger import TransactionKind, mirrored, post
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant

TERMS = AccountTerms("Sample Council", address="1 Sample Street", town="Sampleton", vat_category=VatCategory.EXEMPT)


@dataclass(frozen=True, slots=True)
class InvoiceGround:
    """Two agencies between which money is due."""

    database: Database
    urls: DatabaseUrls
    payer: Tenant
    payee: Tenant
    stranger: Tenant
    colleague: Tenant
    """A second finance officer of the payee's."""

    def due(self, pence: int, *, position: int = 1, agreement_id: UUID | None = None) -> UUID:
        """Make an agreement, or take one, and let a sum of it fall due; return the agreement's id."""
        wanted, key = agreement_id or self._agree(pence), f"due/{position}"
        payer, payee, consortium_id = self.payer.id, self.payee.id, self.payee.scope.consortium_id
        assert consortium_id is not None
        with self.database.transaction(self.payee.scope) as session:
            post(
                session,
                consortium_id=consortium_id,
                payer_agency_id=payer,
                payee_agency_id=payee,
                kind=TransactionKind.DUE,
                key=uuid4().hex,
                dated_on=NOW.date() - timedelta(days=90),
                entries=mirrored(
                    TransactionKind.DUE, pence, payer, payee, agreement_id=wanted, due_key=key, foreseen=False
                ),
                narrative="Due",
                agreement_id=wanted,
                now=NOW,
            )
        return wanted

    def _agree(self, pence: int) -> UUID:
        """Write an agreement, past the wall: how one comes about is not tried here."""
        agreement_id = uuid4()
        parties = (self.payer.scope.consortium_id, self.payer.id, self.payee.id, self.payer.id)
        with psycopg.connect(libpq_url(self.urls.admin)) as admin:
            admin.execute(
                "INSERT INTO fee_agreement (id, reference, children, rate_words, amount_pence, waived, plan, "
                "counts_from, disruption, state, version, drafted_at, consortium_id, payer_agency_id, "
                "payee_agency_id, authority_agency_id) VALUES (%s, %s, 1, 'As agreed.', %s, false, "
                '\'[{"position": 1, "pence": 1, "due": "order", "months": null}]\', '
                "'adoptive_start', 'fall_away', 'drafted', 1, %s, %s, %s, %s, %s)",
                (agreement_id, f"FA-{agreement_id.hex[:6].upper()}", pence, NOW, *parties),
            )
        return agreement_id

    def keep(self, **terms: object) -> None:
        """Set up the payee's account, with other terms where they are given."""
        with self.database.transaction(self.payee.scope) as session:
            keep_account(session, replace(TERMS, **terms), now=NOW)  # type: ignore[arg-type]

    def issue(self, *sums: int, days_ago: int = 0) -> UUID:
        """Let sums fall due, each of an agreement of its own, invoice all that is due and return the invoice's id."""
        for pence in sums:
            self.due(pence)
        with self.database.transaction(self.payee.scope) as session:
            marks = [each.mark for each in list_due(session, self.payer.id)]
            return issue_invoice(session, self.payer.id, marks, now=NOW - timedelta(days=days_ago)).id

    def read(self, tenant: Tenant, invoice_id: UUID) -> Invoice:
        """Return an invoice as one side reads it."""
        with self.database.transaction(tenant.scope) as session:
            return get_invoice(session, invoice_id)

    def set_bank(self, account_number: str) -> UUID:
        """Have the payee's two officers agree on bank details; return the change's id."""
        with self.database.transaction(self.payee.scope) as session:
            change_id = ask_change(session, read_details("Sample", "12-34-56", account_number), now=NOW).id
        with self.database.transaction(self.colleague.scope) as session:
            approve_change(session, get_change(session, change_id), now=NOW)
        return change_id


def make_invoice_ground(database: Database, urls: DatabaseUrls, factories: Factories) -> InvoiceGround:
    """Make three councils of one consortium, the payee with its account."""
    consortium_id = factories.consortium()
    payer, payee, stranger = (factories.tenant(consortium_id) for _ in range(3))
    colleague = factories.colleague(payee, roles=frozenset({Role.FINANCE_OFFICER}))
    ground = InvoiceGround(database, urls, payer, payee, stranger, colleague)
    ground.keep()
    return ground
