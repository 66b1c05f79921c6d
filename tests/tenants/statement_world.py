"""A statement of two agencies with a line, and what the finance system of one calls each account."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from matching.fee.journal.mapping import JournalMapping
from matching.fee.ledger import TransactionKind, mirrored, post
from matching.fee.statement.statement import make_statement
from tenants.database import Database
from tests.factories import NOW, TODAY, Tenant


def make_statements(database: Database, *, agency: Tenant, neighbour: Tenant) -> None:
    """Post one transaction between two agencies, and let the first draw up a statement and name its accounts."""
    consortium_id = agency.scope.consortium_id
    assert isinstance(consortium_id, UUID)
    with database.transaction(agency.scope) as session:
        post(
            session,
            consortium_id=consortium_id,
            payer_agency_id=neighbour.id,
            payee_agency_id=agency.id,
            kind=TransactionKind.PAID,
            key="sample/statement",
            dated_on=TODAY,
            entries=mirrored(TransactionKind.PAID, 100, neighbour.id, agency.id),
            narrative="A sample",
            now=NOW,
        )
        make_statement(session, neighbour.id, until_on=TODAY, now=NOW)
        named = {"agency_id": agency.id, "name": "Sample", "mapping": {}, "made_by": agency.scope.person_id}
        session.execute(insert(JournalMapping).values(**named, made_at=NOW))
