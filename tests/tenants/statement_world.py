"""A statement of two agencies with a line, a netting of them, and what the finance system of one calls each account."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy.dialects.postgresql import insert

from matching.fee.journal.mapping import JournalMapping
from matching.fee.ledger import TransactionKind, mirrored, post
from matching.fee.report.budget import Way, keep_budget
from matching.fee.statement.statement import make_statement
from tenants.database import Database
from tests.factories import NOW, TODAY, Tenant


def make_statements(database: Database, *, agency: Tenant, neighbour: Tenant) -> None:
    """Post one transaction between two agencies; let one draw up a statement, and name accounts."""
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
        keep_budget(session, Way.PAY, 2026, [100] * 12, now=NOW)
        named = {"agency_id": agency.id, "name": "Sample", "mapping": {}, "made_by": agency.scope.person_id}
        session.execute(insert(JournalMapping).values(**named, made_at=NOW))


def make_netting(admin: psycopg.Connection[Any], *, office: Tenant, agency: Tenant, neighbour: Tenant) -> None:
    """Write a netting of the two, by which the neighbour pays a leg, which the office has handed over to it.

    How that comes about is not tried here.
    """
    netting_id, consortium_id = uuid4(), agency.scope.consortium_id
    ids = {"id": netting_id, "leg": uuid4(), "consortium": consortium_id, "us": agency.id, "them": neighbour.id}
    facts = {**ids, "office": office.id, "person": agency.scope.person_id, "now": NOW, "today": TODAY}
    made = "until_on, lapses_on, made_at, made_by, made_name"
    for statement in (
        f"INSERT INTO netting (id, consortium_id, agency_id, agency_ids, {made}) VALUES (%(id)s, %(consortium)s, "
        "%(us)s, ARRAY[%(us)s, %(them)s], %(today)s, %(today)s, %(now)s, %(person)s, 'A')",
        "INSERT INTO netting_member VALUES (%(id)s, %(consortium)s, %(us)s, %(now)s, %(person)s, 'A')",
        "INSERT INTO netting_claim SELECT %(id)s, %(consortium)s, i.id, payer_agency_id, payee_agency_id, number, 1 "
        "FROM invoice i WHERE i.payer_agency_id = %(them)s AND i.payee_agency_id = %(us)s LIMIT 1",
        "INSERT INTO netting_leg VALUES (%(leg)s, %(id)s, %(consortium)s, %(them)s, %(us)s, 'NT-1', 1)",
        "INSERT INTO debt_holder VALUES (gen_random_uuid(), %(consortium)s, %(leg)s, %(office)s, %(them)s, %(us)s, 1, "
        "%(today)s, %(now)s)",
    ):
        admin.execute(statement, facts)
