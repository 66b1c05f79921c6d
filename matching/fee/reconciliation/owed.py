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


def list_owed(session: Session, *, on: date, as_payee: bool = True) -> tuple[KnownInvoice, ...]:
    """Return the invoices that the scope's agency has issued, or was sent: all open ones and the settled of two years.

    For a payer the other side of each is its payee: ``payer_id`` says who the other is.
    """
    values = {"as_payee": as_payee, "agency_id": own_agency(session)}
    rows = list(session.execute(_INVOICES, values).mappings())
    left = outstanding(session, [row["id"] for row in rows])
    known = (_known(row, left.get(row["id"], 0), as_payee) for row in rows)
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
