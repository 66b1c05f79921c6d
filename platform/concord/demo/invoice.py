"""The demonstration's invoices: one credited, for it named no order, and one after it that is overdue and disputed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from concord.demo.cast import Cast, acting
from matching.fee.agreement import FeeAgreement
from matching.fee.invoice.account import AccountTerms, find_account, keep_account
from matching.fee.invoice.dispute import open_dispute
from matching.fee.invoice.invoice import get_invoice
from matching.fee.invoice.issuing import credit_invoice, issue_invoice, list_due, open_lines
from matching.fee.invoice.reminder import raise_reminders
from matching.fee.invoice.supplier import approve_supplier, set_purchase_order
from matching.fee.invoice.vat import VatCategory
from matching.fee.settlement import list_to_settle, settle
from matching.sealed_words import own_agency
from tenants.agency import get_agency
from tenants.database import Database
from tenants.role import Role
from tenants.scope import Scope

_ORDER = "PO 4500123"
_PAYMENT_DAYS = 14


def make_invoices(database: Database, cast: Cast, *, agencies: Iterable[str], now: datetime) -> int:
    """Have each agency that has something due and no account yet invoice it, and return how many did."""
    scopes = {slug: cast(slug, Role.FINANCE_OFFICER) for slug in agencies}
    by_agency = {scope.agency_id: scope for scope in scopes.values()}
    made = 0
    for scope in scopes.values():
        with acting(database, scope) as session:
            payers = _set_up(session, now=now)
        for payer_id, agreement_ids in payers.items():
            if payer_id in by_agency:
                _tell(database, scope, by_agency[payer_id], agreement_ids, now=now)
                made += 1
    return made


def _set_up(session: Session, *, now: datetime) -> dict[UUID, list[UUID]]:
    """Set the account up where there is none; return the agreements of which something is due, by payer."""
    if not open_account(session, now=now):
        return {}
    payers: dict[UUID, list[UUID]] = {}
    for each in list_due(session):
        if each.pence > 0:
            payers.setdefault(each.agreement.payer_agency_id, []).append(each.agreement.id)
    return payers


def open_account(session: Session, *, now: datetime) -> bool:
    """Post what is due to the agency by now, and set its account up; say whether it had none."""
    for agreement_id in list_to_settle(session, now=now):
        settle(session, agreement_id, on=now.date(), now=now)
    if find_account(session) is not None:
        return False
    name = get_agency(session, own_agency(session)).name
    terms = AccountTerms(name, vat_category=VatCategory.OUTSIDE_SCOPE, payment_days=_PAYMENT_DAYS, number_prefix="FEE-")
    keep_account(session, terms, now=now)
    return True


def _tell(database: Database, payee: Scope, payer: Scope, agreement_ids: list[UUID], *, now: datetime) -> None:
    wrong_id = _issue(database, payee, payer, now=now - timedelta(days=38))
    with acting(database, payee) as session:
        wrong = get_invoice(session, wrong_id)
        left = {line.id: pence for line, pence in open_lines(session, wrong)}
        credit_invoice(session, wrong, left, reason="It named no purchase order.", now=now - timedelta(days=36))
    with acting(database, payer) as session:
        for agreement in session.scalars(select(FeeAgreement).where(FeeAgreement.id.in_(agreement_ids))):
            set_purchase_order(session, agreement, number=_ORDER, now=now - timedelta(days=37))
        approved_on = now.date() - timedelta(days=37)
        approve_supplier(session, wrong.payee_agency_id, approved_on=approved_on, now=now - timedelta(days=37))
    right_id = _issue(database, payee, payer, now=now - timedelta(days=35))
    with acting(database, payee) as session:
        raise_reminders(session, now=now - timedelta(days=10))
    with acting(database, payer) as session:
        words = "Our order is for the first part alone. Please say which part this is."
        open_dispute(session, get_invoice(session, right_id), words=words, now=now - timedelta(days=3))


def _issue(database: Database, payee: Scope, payer: Scope, *, now: datetime) -> UUID:
    with acting(database, payer) as session:
        payer_id = own_agency(session)
    with acting(database, payee) as session:
        marks = [each.mark for each in list_due(session, payer_id) if each.pence > 0]
        return issue_invoice(session, payer_id, marks, now=now).id
