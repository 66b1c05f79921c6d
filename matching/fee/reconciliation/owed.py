"""The invoices between the scope's agency and others, as proposals need them: what names each, and what is left.

Who owes one is whoever's book says so: the successor of whom it was issued to, where that one has handed over.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from matching.fee.debt_holder import Sides, heirs_of, list_last
from matching.fee.ledger import Account
from matching.fee.netting_leg import NettingLeg
from matching.fee.reconciliation.fact import KnownInvoice, Payer
from matching.sealed_words import own_agency
from tenants.agency import list_agencies

REMEMBERED: Final = timedelta(days=730)
"""For how long a settled invoice is still looked for in references: longer ago, nobody pays it twice."""

_BOOK: Final = text("""
    SELECT coalesce(t.invoice_id, t.leg_id) AS id, t.leg_id IS NOT NULL AS of_netting, p.other_agency_id,
        sum(CASE WHEN :as_payee THEN p.pence ELSE -p.pence END)::bigint AS pence, min(t.dated_on) AS since
    FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
    WHERE p.agency_id = :own AND p.account = :account AND t.consortium_id = (SELECT scope_consortium())
        AND (t.invoice_id IS NOT NULL OR t.leg_id IS NOT NULL)
    GROUP BY 1, 2, 3
""")
_INVOICES: Final = text("""
    SELECT i.id, i.payer_agency_id, i.payee_agency_id, i.number, i.issued_on, i.due_on, i.gross_pence,
        i.purchase_order,
        (SELECT array_agg(DISTINCT a.reference ORDER BY a.reference) FROM invoice_line l
            JOIN fee_agreement a ON a.id = l.agreement_id WHERE l.invoice_id = i.id) AS agreements
    FROM invoice i
    WHERE i.kind = 'invoice' AND i.consortium_id = (SELECT scope_consortium())
        AND (i.id = ANY (:wanted) OR i.issued_on >= :remembered
            AND (CASE WHEN :as_payee THEN i.payee_agency_id ELSE i.payer_agency_id END) = :own)
    ORDER BY i.due_on, i.number, i.id
""")


@dataclass(slots=True)
class _Left:
    """What the book says of one invoice or leg: how much is left, between whom, and since when."""

    of_netting: bool
    since: date
    other_id: UUID | None = None
    pence: int = 0


def list_owed(session: Session, *, on: date, as_payee: bool = True) -> tuple[KnownInvoice, ...]:
    """Return the invoices that the scope's agency is owed, or owes: all open ones and the settled of two years.

    After them what is left to be paid of nettings.
    For a payer the other side of each is its payee: ``payer_id`` says who the other is.
    """
    return _list(session, as_payee=as_payee, remembered=on - REMEMBERED)


def list_open(session: Session) -> tuple[KnownInvoice, ...]:
    """Return the open ones alone that the scope's agency is owed."""
    return _list(session, as_payee=True, remembered=None)


def list_others(session: Session) -> tuple[Payer, ...]:
    """Return the agencies of the consortium beside the scope's own, by the names under which they may pay.

    Whoever has become part of another pays as that one, under either name.
    """
    own, heirs = own_agency(session), heirs_of(session)
    agencies = sorted(list_agencies(session), key=lambda each: each.id in heirs)
    names: dict[UUID, tuple[str, ...]] = defaultdict(tuple)
    for each in agencies:
        names[heirs.get(each.id, each.id)] += (each.name, each.slug.replace("-", " "))
    return tuple(Payer(each.id, names[each.id]) for each in agencies if each.id != own and each.id not in heirs)


def _list(session: Session, *, as_payee: bool, remembered: date | None) -> tuple[KnownInvoice, ...]:
    own, book = own_agency(session), _read_book(session, as_payee=as_payee)
    holders = list_last(session)
    wanted = [debt_id for debt_id, left in book.items() if left.pence > 0]
    if remembered:
        wanted += [debt_id for debt_id, last in holders.items() if own in last.both]
    asked = {"wanted": wanted, "remembered": remembered or date.max, "as_payee": as_payee, "own": own}
    known = []
    for row in session.execute(_INVOICES, asked).mappings():
        sides = holders.get(row["id"]) or Sides(row["payer_agency_id"], row["payee_agency_id"])
        left = book.get(row["id"]) or _Left(of_netting=False, since=row["issued_on"])
        known.append(_known(row, left.pence, left.other_id or sides.both[0 if as_payee else 1]))
    legs = [debt_id for debt_id, left in book.items() if left.of_netting and (left.pence > 0 or remembered)]
    found = session.scalars(select(NettingLeg).where(NettingLeg.id.in_(legs)))
    known += sorted(
        (_leg(each, book[each.id], as_payee) for each in found), key=lambda each: (each.due_on, each.number)
    )
    return tuple(each for each in known if each.outstanding > 0 or (remembered and each.issued_on >= remembered))


def _read_book(session: Session, *, as_payee: bool) -> dict[UUID, _Left]:
    """Return what is left of each invoice and leg by the scope's own book."""
    account = Account.RECEIVABLE if as_payee else Account.PAYABLE
    values = {"own": own_agency(session), "account": account.value, "as_payee": as_payee}
    found: dict[UUID, _Left] = {}
    for row in session.execute(_BOOK, values).mappings():
        each = found.setdefault(row["id"], _Left(row["of_netting"], row["since"]))
        each.since = min(each.since, row["since"])
        if row["pence"] > each.pence:
            each.other_id, each.pence = row["other_agency_id"], row["pence"]
    return found


def _known(row: RowMapping, outstanding: int, other_id: UUID) -> KnownInvoice:
    return KnownInvoice(
        id=row["id"],
        payer_id=other_id,
        number=row["number"],
        issued_on=row["issued_on"],
        due_on=row["due_on"],
        gross=row["gross_pence"],
        outstanding=outstanding,
        agreements=tuple(row["agreements"] or ()),
        purchase_orders=tuple(each for each in (row["purchase_order"],) if each),
    )


def _leg(leg: NettingLeg, left: _Left, as_payee: bool) -> KnownInvoice:
    return KnownInvoice(
        id=leg.id,
        payer_id=left.other_id or (leg.payer_agency_id if as_payee else leg.payee_agency_id),
        number=leg.reference,
        issued_on=left.since,
        due_on=leg.due_on or left.since,
        gross=leg.pence,
        outstanding=left.pence,
        of_netting=True,
    )
