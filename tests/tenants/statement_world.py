"""A statement of two agencies with a line, a netting of them, and what the finance system of one calls each account."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert

from matching.fee.journal.mapping import JournalMapping
from matching.fee.ledger import TransactionKind, mirrored, post
from matching.fee.netting import Netting
from matching.fee.report.budget import Way, keep_budget
from matching.fee.statement.statement import make_statement
from tenants.database import Database
from tests.factories import NOW, TODAY, Tenant


def make_statements(database: Database, *, agency: Tenant, neighbour: Tenant) -> None:
    """Post one transaction between two agencies; let one draw up a statement, propose a netting, name accounts."""
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
        proposed = {
            "id": uuid4(),
            "consortium_id": consortium_id,
            "agency_id": agency.id,
            "other_agency_id": neighbour.id,
        }
        made = {"made_at": NOW, "made_by": agency.scope.person_id, "made_name": "Sample"}
        session.execute(insert(Netting).values(**proposed, **made, until_on=TODAY, pence=1, legs=[]))
        keep_budget(session, Way.PAY, 2026, [100] * 12, now=NOW)
        named = {"agency_id": agency.id, "name": "Sample", "mapping": {}, "made_by": agency.scope.person_id}
        session.execute(insert(JournalMapping).values(**named, made_at=NOW))
