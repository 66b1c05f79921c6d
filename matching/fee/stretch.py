"""What of fees programs read, a stretch at a time: agreements, postings, invoices, statements and bank files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from matching.fee.agreement import AgreementState, FeeAgreement
from matching.fee.invoice.invoice import Invoice, InvoiceRow, rows_of, side_of
from matching.fee.ledger import Account, LedgerTransaction, Posting, wait_for_posters
from matching.fee.ledger.listing import Line
from matching.fee.remittance.remittance import Remittance
from matching.fee.statement.statement import FeeStatement
from matching.sealed_words import own_agency
from matching.stretch import LONGEST, PlaceInvalid, Stretch, read_stretch
from tenants.database import scope_of
from tenants.permission import Verb, require

Place = Sequence[object] | None


@dataclass(frozen=True, slots=True)
class WantedPostings:
    """Which postings of one's own book; all of them where nothing is said."""

    month: date | None = None
    account: Account | None = None
    other_agency_id: UUID | None = None
    since: datetime | None = None
    """Posted at this moment or after."""


@dataclass(frozen=True, slots=True)
class WantedInvoices:
    """Which invoices: those issued, those received or both, of one number or all, issued since a day."""

    side: str = "all"
    number: str | None = None
    since: date | None = None


def list_agreements_after(
    session: Session, state: AgreementState | None, reference: str | None, *, after: Place, limit: int
) -> Stretch[FeeAgreement]:
    """Return the agreements of the scope's agency from a place on, the latest drafted first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(FeeAgreement).where(FeeAgreement.consortium_id == scope_of(session).consortium_id)
    if state is not None:
        query = query.where(FeeAgreement.state == state)
    if reference is not None:
        query = query.where(FeeAgreement.reference == reference)
    order = (FeeAgreement.drafted_at.desc(), FeeAgreement.id.asc())
    return read_stretch(session, query, order, after=after, limit=limit)


def list_postings_after(session: Session, wanted: WantedPostings, *, after: Place, limit: int) -> Stretch[Line]:
    """Return postings of the scope's own book from a place on, the first posted first: what is new comes at the end.

    A place is a posting's id. Whoever goes on from the last one shown is shown each posting once, however late those
    who posted meanwhile were done.

    :raises BookBusy: when somebody goes on posting into the book.
    :raises PlaceInvalid: when it is no posting of the book.
    """
    require(scope_of(session), Verb.READ_FEES)
    wait_for_posters(session)
    query = select(Posting).where(Posting.agency_id == own_agency(session))
    if after is not None:
        query = query.where(Posting.turn > _turn_of(session, after))
    if wanted.month is not None:
        query = query.where(Posting.period_on == wanted.month)
    if wanted.account is not None:
        query = query.where(Posting.account == wanted.account)
    if wanted.other_agency_id is not None:
        query = query.where(Posting.other_agency_id == wanted.other_agency_id)
    if wanted.since is not None:
        of_it = exists().where(LedgerTransaction.id == Posting.transaction_id)
        query = query.where(of_it.where(LedgerTransaction.posted_at >= wanted.since))
    most = min(limit, LONGEST)
    found = session.scalars(query.order_by(Posting.turn).limit(most + 1)).all()
    return Stretch(tuple(_lines(session, found[:most])), (found[most - 1].id,) if len(found) > most else None)


def list_invoices_after(
    session: Session, wanted: WantedInvoices, *, after: Place, limit: int, on: date
) -> Stretch[InvoiceRow]:
    """Return the scope's agency's invoices and credit notes from a place on, the latest first, as of a day."""
    require(scope_of(session), Verb.READ_FEES)
    sides = {"issued": side_of(session, received=False), "received": side_of(session, received=True)}
    query = select(Invoice).where(sides.get(wanted.side, or_(*sides.values())))
    if wanted.number is not None:
        query = query.where(Invoice.number == wanted.number)
    if wanted.since is not None:
        query = query.where(Invoice.issued_on >= wanted.since)
    order = (Invoice.issued_at.desc(), Invoice.id.asc())
    found = read_stretch(session, query, order, after=after, limit=limit)
    return Stretch(tuple(rows_of(session, found.shown, on=on)), found.end)


def list_statements_after(session: Session, *, after: Place, limit: int) -> Stretch[FeeStatement]:
    """Return the statements that the scope's agency is on from a place on, the latest first."""
    require(scope_of(session), Verb.READ_FEES)
    order = (FeeStatement.made_at.desc(), FeeStatement.id.asc())
    return read_stretch(session, select(FeeStatement), order, after=after, limit=limit)


def list_remittances_after(session: Session, *, after: Place, limit: int) -> Stretch[Remittance]:
    """Return the bank files of the scope's agency from a place on, the latest first."""
    require(scope_of(session), Verb.KEEP_FEES)
    order = (Remittance.imported_at.desc(), Remittance.id.asc())
    return read_stretch(session, select(Remittance), order, after=after, limit=limit)


def _turn_of(session: Session, place: Sequence[object]) -> int:
    try:
        (posting_id,) = place
        query = select(Posting.turn).where(Posting.id == UUID(str(posting_id)))
        return session.scalars(query.where(Posting.agency_id == own_agency(session))).one()
    except (ValueError, NoResultFound):
        raise PlaceInvalid("This is no place in the list. Begin again from its start.") from None


def lines_of(session: Session, transaction: LedgerTransaction) -> list[Line]:
    """Return the postings of a transaction in the scope's own book."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Posting).where(Posting.transaction_id == transaction.id, Posting.agency_id == own_agency(session))
    return _lines(session, session.scalars(query.order_by(Posting.account, Posting.id)).all())


def _lines(session: Session, postings: Sequence[Posting]) -> list[Line]:
    heads = select(LedgerTransaction).where(LedgerTransaction.id.in_([each.transaction_id for each in postings]))
    transactions = {each.id: each for each in session.scalars(heads)}
    about = select(FeeAgreement.id, FeeAgreement.reference).where(
        FeeAgreement.id.in_({each.agreement_id for each in postings if each.agreement_id})
    )
    references = dict(session.execute(about).all())
    return [
        Line(each, transactions[each.transaction_id], references.get(each.agreement_id) if each.agreement_id else None)
        for each in postings
    ]
