"""Two agencies that pay each other, and transactions of every kind between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

import psycopg

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.ledger import LedgerTransaction, TransactionKind, mirrored, post
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.sample_invoice import write_invoice


@dataclass(frozen=True, slots=True)
class Posted:
    """One transaction to be made."""

    kind: TransactionKind
    pence: int
    dated_on: date = TODAY
    turned: bool = False
    """The second of the two pays."""


@dataclass(frozen=True, slots=True)
class Books:
    """A payer, a payee and somebody who has nothing to do with them."""

    database: Database
    payer: Tenant
    payee: Tenant
    stranger: Tenant

    def invoice(self, urls: DatabaseUrls, posted: Posted) -> UUID:
        """Post an invoice, and return its id."""
        payer, payee = (self.payee, self.payer) if posted.turned else (self.payer, self.payee)
        with psycopg.connect(libpq_url(urls.admin)) as admin:
            invoice_id = write_invoice(admin, payer, payee, posted.pence, posted.dated_on)
        self.post([posted], invoice_id=invoice_id)
        return invoice_id

    def post(self, posted: Iterable[Posted], *, invoice_id: UUID | None = None) -> list[LedgerTransaction]:
        """Post transactions into both books, as whoever is paid."""
        made = []
        for each in posted:
            payer, payee = (self.payee, self.payer) if each.turned else (self.payer, self.payee)
            consortium_id = payee.scope.consortium_id
            assert consortium_id is not None
            with self.database.transaction(payee.scope) as session:
                made.append(
                    post(
                        session,
                        consortium_id=consortium_id,
                        payer_agency_id=payer.id,
                        payee_agency_id=payee.id,
                        kind=each.kind,
                        key=uuid4().hex,
                        dated_on=each.dated_on,
                        entries=mirrored(each.kind, each.pence, payer.id, payee.id),
                        narrative=f"{each.kind.label} as a sample",
                        now=NOW,
                        invoice_id=invoice_id,
                    )
                )
        return made


def make_books(factories: Factories, database: Database) -> Books:
    """Make three councils of one consortium."""
    consortium_id = factories.consortium()
    return Books(database, *(factories.tenant(consortium_id) for _ in range(3)))
