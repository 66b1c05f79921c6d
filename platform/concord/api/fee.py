"""Fees as a finance system reads them: agreements, the own book, statements, months, and a month's journal."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from concord.api.cursor import write_cursor
from concord.api.listing import place_of
from concord.api.operation import Call, File, Shape, operation
from concord.api.parts import ROOT
from concord.schema.fee import (
    AgreementCardSchema,
    AgreementQuery,
    AgreementSchema,
    JournalQuery,
    PeriodsSchema,
    PostingPageSchema,
    PostingSchema,
    PostingsQuery,
    StatementCardSchema,
    StatementSchema,
    TransactionSchema,
)
from concord.schema.page import PageQuery, page_of
from matching.fee.agreement import RECORD_KIND, FeeAgreement
from matching.fee.agreement_page import names_of, read_agreement
from matching.fee.journal.journal import write_journal
from matching.fee.journal.mapping import get_mapping
from matching.fee.ledger import FeePeriod, get_transaction, kept_totals, list_periods, open_months
from matching.fee.ledger.listing import Line
from matching.fee.statement import statement as statements
from matching.fee.stretch import (
    WantedPostings,
    lines_of,
    list_agreements_after,
    list_postings_after,
    list_statements_after,
)
from tenants import audit
from tenants.agency import list_agencies
from tenants.permission import Verb

blueprint = Blueprint("api_fees", __name__, url_prefix=ROOT, description="Fees: agreements, the book and its months")

READ = (Verb.READ_FEES,)
CSV = "text/csv; charset=utf-8"


class Names:
    """Agencies as answers name them."""

    def __init__(self, session: Session) -> None:
        self._names = names_of(list_agencies(session))

    def __call__(self, agency_id: UUID) -> dict[str, Any]:
        """Return an agency by its id and name."""
        return {"id": agency_id, "name": self._names[agency_id]}


def columns_of(record: object, schema: type) -> dict[str, Any]:
    """Return what a record has under the names of a shape's fields; what it has not is added by whoever asks."""
    return {name: getattr(record, name) for name in schema._declared_fields if hasattr(record, name)}  # type: ignore[attr-defined]


def month_of(said: str | None) -> date | None:
    """Return the first day of a month as it is asked for, 2026-10."""
    return date.fromisoformat(f"{said}-01") if said else None


@operation(blueprint, "/fees/agreements", Shape("GET", READ, page_of(AgreementCardSchema), query=AgreementQuery))
def list_fee_agreements(call: Call) -> dict[str, Any]:
    """List the agency's fee agreements, the latest drafted first."""
    after, limit = place_of(call)
    state, reference = call.query.get("state"), call.query.get("reference")
    found = list_agreements_after(call.session, state, reference, after=after, limit=limit)
    names = Names(call.session)
    record_list(call, RECORD_KIND, len(found.shown))
    return {"items": [_agreement(each, names) for each in found.shown], "next": write_cursor(found.end)}


@operation(blueprint, "/fees/agreements/<uuid:agreement_id>", Shape("GET", READ, AgreementSchema, errors=(404,)))
def read_fee_agreement(call: Call, agreement_id: UUID) -> dict[str, Any]:
    """Open a fee agreement: its rate, its parts and its days; the look is on record."""
    view = read_agreement(call.session, agreement_id, now=call.now)
    return _agreement(view.agreement, Names(call.session)) | columns_of(view.agreement, AgreementSchema)


@operation(blueprint, "/fees/postings", Shape("GET", READ, PostingPageSchema, query=PostingsQuery, errors=(409,)))
def list_fee_postings(call: Call) -> dict[str, Any]:
    """List the postings of the agency's own book, the first posted first: what is new comes after ``follow``."""
    after, limit = place_of(call)
    wanted = WantedPostings(
        month_of(call.query.get("month")),
        call.query.get("account"),
        call.query.get("other_agency"),
        call.query.get("posted_since"),
    )
    found = list_postings_after(call.session, wanted, after=after, limit=limit)
    names = Names(call.session)
    record_list(call, "ledger", len(found.shown))
    last = (found.shown[-1].posting.id,) if found.shown else after
    items = [_posting(each, names) for each in found.shown]
    return {"items": items, "next": write_cursor(found.end), "follow": write_cursor(last)}


@operation(
    blueprint,
    "/fees/transactions/<uuid:ledger_transaction_id>",
    Shape("GET", READ, TransactionSchema, errors=(404,)),
)
def read_fee_transaction(call: Call, ledger_transaction_id: UUID) -> dict[str, Any]:
    """Open a transaction with its postings in the agency's own book."""
    found, names = get_transaction(call.session, ledger_transaction_id), Names(call.session)
    audit.record(call.session, audit.Act.READ, record_kind="ledger", record_id=found.id, now=call.now)
    return {
        **columns_of(found, TransactionSchema),
        "payer": names(found.payer_agency_id),
        "payee": names(found.payee_agency_id),
        "postings": [_posting(each, names) for each in lines_of(call.session, found)],
    }


@operation(blueprint, "/fees/statements", Shape("GET", READ, page_of(StatementCardSchema), query=PageQuery))
def list_fee_statements(call: Call) -> dict[str, Any]:
    """List the statements that the agency is on, the latest first."""
    after, limit = place_of(call)
    found = list_statements_after(call.session, after=after, limit=limit)
    names = Names(call.session)
    record_list(call, statements.RECORD_KIND, len(found.shown))
    return {"items": [_statement(each, names) for each in found.shown], "next": write_cursor(found.end)}


@operation(blueprint, "/fees/statements/<uuid:fee_statement_id>", Shape("GET", READ, StatementSchema, errors=(404,)))
def read_fee_statement(call: Call, fee_statement_id: UUID) -> dict[str, Any]:
    """Open a statement: what it opens with, what moved by kind, and what it closes with, by payer."""
    found, names = statements.get_statement(call.session, fee_statement_id), Names(call.session)
    audit.record(call.session, audit.Act.READ, record_kind=statements.RECORD_KIND, record_id=found.id, now=call.now)
    sides = [
        {
            "payer": names(side.payer_agency_id),
            "payee": names(side.payee_agency_id),
            "opening": side.opening,
            "movements": side.movements,
            "closing": side.closing,
        }
        for side in found.sides
    ]
    return {**_statement(found, names), "sides": sides}


@operation(blueprint, "/fees/periods", Shape("GET", READ, PeriodsSchema))
def list_fee_periods(call: Call) -> dict[str, Any]:
    """List the closings of the agency's months with the totals that were kept, and the months that are open."""
    found = list_periods(call.session)
    record_list(call, "fee_period", len(found))
    return {
        "items": [_closing(each) for each in found],
        "open": [f"{each:%Y-%m}" for each in open_months(call.session)],
    }


@operation(
    blueprint,
    "/fees/journal",
    Shape("GET", (Verb.KEEP_FEES,), None, query=JournalQuery, media=(CSV,), errors=(404, 409)),
)
def take_fee_journal(call: Call) -> File:
    """Take a month's journal as CSV in one of the agency's layouts; of a closed month the same file each time."""
    month, out = month_of(call.query["month"]), BytesIO()
    assert month is not None  # noqa: S101 - it is asked for
    mapping = get_mapping(call.session, call.query["layout"])
    provisional = call.query["provisional"]
    totals = write_journal(call.session, out, mapping, month=month, provisional=provisional, now=call.now)
    word = "provisional-journal" if totals.provisional else "journal"
    return File(out.getvalue(), CSV, f"{word}-{month:%Y-%m}.csv")


def record_list(call: Call, record_kind: str, shown: int) -> None:
    """Put on record that a program read so many of a list."""
    audit.record(call.session, audit.Act.READ, record_kind=record_kind, reason=f"{shown} listed", now=call.now)


def _agreement(agreement: FeeAgreement, names: Names) -> dict[str, Any]:
    return {
        **columns_of(agreement, AgreementCardSchema),
        "payer": names(agreement.payer_agency_id),
        "payee": names(agreement.payee_agency_id),
        "authority": names(agreement.authority_agency_id),
    }


def _posting(line: Line, names: Names) -> dict[str, Any]:
    posting, transaction = line.posting, line.transaction
    return {
        **columns_of(transaction, PostingSchema),
        **columns_of(posting, PostingSchema),
        "month": f"{posting.period_on:%Y-%m}",
        "other_agency": names(posting.other_agency_id),
        "agreement": line.reference,
    }


def _statement(found: statements.FeeStatement, names: Names) -> dict[str, Any]:
    return {
        **columns_of(found, StatementCardSchema),
        "drawn_up_by": names(found.agency_id),
        "other": names(found.other_agency_id),
        "sha256": found.sha256.hex(),
        "agreed_at": found.other_agreed_at,
    }


def _closing(period: FeePeriod) -> dict[str, Any]:
    return {
        "id": period.id,
        "month": f"{period.month:%Y-%m}",
        "closed_at": period.closed_at,
        "reopened_at": period.reopened_at,
        "totals": kept_totals(period),
    }
