"""What two agencies owe one another: an event, a transaction in both books, a month that is closed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from matching.fee.agreement import FeeAgreement
from matching.fee.event import FeeEventKind, record_event
from matching.fee.exception import ExceptionKind, ask_exception
from matching.fee.ledger import TransactionKind, close_month, mirrored, post
from tenants.database import Database
from tests.factories import NOW, Tenant

OCTOBER = date(2026, 10, 1)


def make_ledger(database: Database, *, agency: Tenant, neighbour: Tenant) -> None:
    """Have the neighbour owe the agency a fee, which the agency asks to waive; both have closed October."""
    with database.transaction(agency.scope) as session:
        agreement = session.scalars(
            select(FeeAgreement).where(
                FeeAgreement.payer_agency_id == neighbour.id, FeeAgreement.payee_agency_id == agency.id
            )
        ).first()
        assert agreement is not None
        event = record_event(session, agreement, FeeEventKind.MONTHS, key="months/12", happened_on=OCTOBER, now=NOW)
        parties = (neighbour.id, agency.id)
        post(
            session,
            consortium_id=agreement.consortium_id,
            payer_agency_id=neighbour.id,
            payee_agency_id=agency.id,
            kind=TransactionKind.DUE,
            key=f"{agreement.reference}/due/1",
            dated_on=OCTOBER,
            entries=mirrored(TransactionKind.DUE, 2_700_000, *parties, agreement_id=agreement.id, due_key="due/1"),
            narrative="Part 1",
            now=NOW,
            agreement_id=agreement.id,
            event_id=event.id,
        )
        ask_exception(session, agreement, ExceptionKind.WAIVER, pence=None, reason="A sample", now=NOW)
    for tenant in (agency, neighbour):
        with database.transaction(tenant.scope) as session:
            close_month(session, OCTOBER, now=NOW)
