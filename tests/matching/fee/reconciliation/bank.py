"""A payee with invoices and bank lines, as tests of settling need them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
from sqlalchemy.orm import Session

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.ledger import Account, TransactionKind, balance, mirrored, outstanding, post
from matching.fee.remittance.line import RemittanceLine, list_lines
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.remittance.samples import csv_of
from tests.matching.fee.remittance.taking import take
from tests.matching.fee.sample_invoice import write_invoice


@dataclass
class Bank:
    """A payee, its payers, and what is between them."""

    database: Database
    urls: DatabaseUrls
    payee: Tenant
    payer: Tenant
    other: Tenant
    _numbers: list[str] = field(default_factory=list)

    def invoice(self, pence: int, *, payer: Tenant | None = None, issued_on: date | None = None) -> UUID:
        """Issue an invoice and return its id."""
        whose = payer or self.payer
        issued = issued_on or TODAY - timedelta(days=40)
        self._numbers.append(f"INV-{(len(self._numbers) + 1) * 111_111:07d}")
        invoice_id = self._write(whose, pence, issued)
        with self.database.transaction(self.payee.scope) as session:
            post(
                session,
                consortium_id=self.consortium_id,
                payer_agency_id=whose.id,
                payee_agency_id=self.payee.id,
                kind=TransactionKind.INVOICED,
                key=f"invoice/{invoice_id}",
                dated_on=issued,
                entries=mirrored(TransactionKind.INVOICED, pence, whose.id, self.payee.id),
                narrative="Invoiced",
                now=NOW,
                invoice_id=invoice_id,
            )
        return invoice_id

    def _write(self, whose: Tenant, pence: int, issued: date) -> UUID:
        """Write an invoice with what it is about, past the wall: how one comes about is not tried here."""
        agreement_id = uuid4()
        parties = (self.consortium_id, whose.id, self.payee.id)
        with psycopg.connect(libpq_url(self.urls.admin)) as admin:
            admin.execute(
                "INSERT INTO fee_agreement (id, reference, children, rate_words, amount_pence, waived, plan, "
                "counts_from, disruption, state, version, drafted_at, consortium_id, payer_agency_id, "
                "payee_agency_id, authority_agency_id) VALUES (%s, %s, 1, 'As agreed.', %s, false, "
                '\'[{"position": 1, "pence": 1, "due": "order", "months": null}]\', '
                "'adoptive_start', 'fall_away', 'drafted', 1, %s, %s, %s, %s, %s)",
                (agreement_id, f"FA-{agreement_id.hex[:6].upper()}", pence, NOW, *parties, whose.id),
            )
            invoice_id = write_invoice(admin, whose, self.payee, pence, issued, number=self.number)
            admin.execute(
                "INSERT INTO invoice_line (id, invoice_id, payer_agency_id, payee_agency_id, position, agreement_id, "
                "due_key, words, pence) VALUES (%s, %s, %s, %s, 1, %s, 'due/1', 'First instalment', %s)",
                (uuid4(), invoice_id, *parties[1:], agreement_id, pence),
            )
        return invoice_id

    def lines(self, *rows: tuple[int, str, str], on: date = TODAY) -> list[UUID]:
        """Take in a file with lines of these amounts, names and references, of one day, and return their ids."""
        written = [(f"{on:%d/%m/%Y}", payer, reference, f"{pence / 100:.2f}") for pence, payer, reference in rows]
        with self.database.transaction(self.payee.scope) as session:
            taken = take(session, csv_of(written))
            return [line.id for line in list_lines(session, remittance_id=taken.id)]

    def line(self, session: Session, line_id: UUID) -> RemittanceLine:
        """Return a line in a session."""
        return session.get_one(RemittanceLine, line_id)

    def left(self, *invoice_ids: UUID) -> list[list[int]]:
        """Return what is outstanding of invoices, by each side's own book."""
        found = []
        for tenant in (self.payee, self.payer):
            with self.database.transaction(tenant.scope) as session:
                owed = outstanding(session, list(invoice_ids))
                found.append([owed[each] for each in invoice_ids if each in owed])
        return found

    def held(self) -> tuple[int, int]:
        """Return what is held ahead between payee and payer, by each side's own book."""
        with self.database.transaction(self.payee.scope) as session:
            ours = balance(session, Account.HELD_AHEAD, other_agency_id=self.payer.id)
        with self.database.transaction(self.payer.scope) as session:
            return ours, balance(session, Account.PAID_AHEAD, other_agency_id=self.payee.id)

    @property
    def number(self) -> str:
        """Return the number of the latest invoice."""
        return self._numbers[-1]

    @property
    def consortium_id(self) -> UUID:
        """Return the consortium that all are in."""
        assert self.payee.scope.consortium_id is not None
        return self.payee.scope.consortium_id


def make_bank(database: Database, urls: DatabaseUrls, factories: Factories) -> Bank:
    """Make a payee and two payers of one consortium."""
    payee, payer = factories.two_tenants()
    assert payee.scope.consortium_id is not None
    found = [payee, payer, factories.tenant(payee.scope.consortium_id)]
    # The names that tests are given differ in figures alone, by which no payer is known.
    with psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin:
        for place, name in enumerate(("Alderbury Families", "Brackenford Council", "Cobblestone Council")):
            admin.execute("UPDATE agency SET name = %s WHERE id = %s", (name, found[place].id))
            found[place] = replace(found[place], name=name)
    return Bank(database, urls, found[0], found[1], found[2])
