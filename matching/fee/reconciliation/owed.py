"""The invoices between the scope's agency and others, as proposals need them: what names each, and what is left."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.orm import Session

from matching.fee.ledger import outstanding
from matching.fee.reconciliation.fact import KnownInvoice, Payer
from matching.sealed_words import own_agency
from tenants.agency import list_agencies

REMEMBERED: Final = timedelta(days=730)
"""For how long a settled invoice is still looked for in references: longer ago, nobody pays it twice."""

_INVOICES: Final = text("""
    SELECT i.id, i.payer_agency_id, i.payee_agency_id, i.number, i.issued_on, i.due_on, i.gross_pence,
        i.purchase_order,
        (SELECT array_agg(DISTINCT a.reference ORDER BY a.reference) FROM invoice_line l
            JOIN fee_agreement a ON a.id = l.agreement_id WHERE l.invoice_id = i.id) AS agreements
    FROM invoice i
    WHERE i.kind = 'invoice' AND i.consortium_id = (SELECT scope_consortium())
        AND (CASE WHEN :as_payee THEN i.payee_agency_id ELSE i.payer_agency_id END) = :agency_id
    ORDER BY i.due_on, i.number, i.id
""").bindparams(bindparam("as_payee"), bindparam("agency_id"))
_LEGS: Final = text("""
    SELECT l.id, l.payer_agency_id, l.payee_agency_id, l.reference, l.pence,
        (n.posted_at AT TIME ZONE 'UTC')::date AS posted_on,
        l.pence - coalesce((SELECT sum(a.pence) FROM payment_allocation a JOIN payment p ON p.id = a.payment_id
            WHERE a.leg_id = l.id AND p.taken_back_at IS NULL), 0)::bigint AS left_pence
    FROM netting_leg l JOIN netting n ON n.id = l.netting_id
    WHERE n.posted_at IS NOT NULL AND l.consortium_id = (SELECT scope_consortium())
        AND (CASE WHEN :as_payee THEN l.payee_agency_id ELSE l.payer_agency_id END) = :agency_id
    ORDER BY n.posted_at, l.reference
""").bindparams(bindparam("as_payee"), bindparam("agency_id"))


def list_owed(session: Session, *, on: date, as_payee: bool = True) -> tuple[KnownInvoice, ...]:
    """Return the invoices that the scope's agency has issued, or was sent: all open ones and the settled of two years.

    After them what is left to be paid of nettings.
    For a payer the other side of each is its payee: ``payer_id`` says who the other is.
    """
    values = {"as_payee": as_payee, "agency_id": own_agency(session)}
    rows = list(session.execute(_INVOICES, values).mappings())
    left = outstanding(session, [row["id"] for row in rows])
    known = [_known(row, left.get(row["id"], 0), as_payee) for row in rows]
    known += [_leg(row, as_payee) for row in session.execute(_LEGS, values).mappings()]
    return tuple(each for each in known if each.outstanding > 0 or each.issued_on >= on - REMEMBERED)


def list_others(session: Session) -> tuple[Payer, ...]:
    """Return the agencies of the consortium beside the scope's own, by the names under which they may pay."""
    own = own_agency(session)
    return tuple(
        Payer(each.id, (each.name, each.slug.replace("-", " "))) for each in list_agencies(session) if each.id != own
    )


def _known(row: RowMapping, left: int, as_payee: bool) -> KnownInvoice:
    other: UUID = row["payer_agency_id"] if as_payee else row["payee_agency_id"]
    return KnownInvoice(
        id=row["id"],
        payer_id=other,
        number=row["number"],
        issued_on=row["issued_on"],
        due_on=row["due_on"],
        gross=row["gross_pence"],
        outstanding=max(0, left),
        agreements=tuple(row["agreements"] or ()),
        purchase_orders=tuple(each for each in (row["purchase_order"],) if each),
    )


def _leg(row: RowMapping, as_payee: bool) -> KnownInvoice:
    return KnownInvoice(
        id=row["id"],
        payer_id=row["payer_agency_id"] if as_payee else row["payee_agency_id"],
        number=row["reference"],
        issued_on=row["posted_on"],
        due_on=row["posted_on"],
        gross=row["pence"],
        outstanding=row["left_pence"],
        of_netting=True,
    )
