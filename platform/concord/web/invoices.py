"""The pages of invoices: what was issued and received, what is due to be invoiced, and each one with its thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import SelectChoice

from concord.web.access import may
from concord.web.fee_table import show_page, whole_asked
from concord.web.invoice_form import DisputeForm, NoteForm
from concord.web.invoice_tables import STATES, due_table, invoice_table, move_table, posting_table
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form
from matching.fee.agreement_page import names_of
from matching.fee.debt_holder import sides_of
from matching.fee.invoice.account import find_account
from matching.fee.invoice.bank import list_since, list_told
from matching.fee.invoice.dispute import (
    DisputeOutcome,
    DisputeStatus,
    answer_dispute,
    find_dispute,
    open_dispute,
    read_messages,
)
from matching.fee.invoice.invoice import (
    RECORD_KIND,
    InvoiceState,
    Wanted,
    credits_of,
    find_issue,
    get_invoice,
    lines_of,
    list_invoices,
    read_content,
    read_invoice_page,
    record_look,
    rows_of,
)
from matching.fee.invoice.issuing import credit_invoice, issue_invoice, list_due, open_lines
from matching.fee.invoice.reminder import approve_payment, find_approval, reminders_of, require_approving
from matching.fee.ledger import moves_of, postings_of
from matching.fee.money import plain_pounds
from matching.fee.remittance.written_amount import typed_pence
from tenants import audit
from tenants.agency import list_agencies
from tenants.approval import require_one_side
from tenants.base import utc_now
from tenants.error import Conflict, Invalid, refusal_of
from tenants.permission import Verb
from tenants.permission import may as scope_may
from workers.document.invoice import render_invoice
from workers.document.ubl import write_ubl

blueprint = Blueprint("invoices", __name__)


@blueprint.get("/fees/invoices")
@may(Verb.READ_FEES)
def index() -> ResponseReturnValue:
    """List the invoices that the agency issued, or received, as asked for, a page at a time, with totals of all."""
    wanted, asked, now = _wanted(), _asked(), utc_now()
    with transaction() as session:
        number = request.args.get("page", 1, type=int)
        found = read_invoice_page(session, wanted, on=now.date(), number=number)
        names = names_of(list_agencies(session))
        invoices = list_invoices(session, wanted, on=now.date()) if whole_asked() else found.page.cards
        told = list_told(session, now=now) if wanted.received else []
        audit.record(session, audit.Act.READ, record_kind=RECORD_KIND, reason=f"{len(invoices)} invoices", now=now)
    listed = invoice_table(found, invoices, names, received=wanted.received)
    return show_page(
        "invoices.html",
        listed,
        listed=listed,
        page=found.page,
        pagination=pagination(found.page, lambda other: url_for("invoices.index", **asked, page=other)),
        names=names,
        wanted=wanted,
        states=list(InvoiceState),
        told=told,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
    )


@blueprint.route("/fees/invoices/new", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def new() -> ResponseReturnValue:
    """Show what is due and not invoiced, and issue an invoice of what is chosen."""
    refusal = ""
    if request.method == "POST":
        try:
            with transaction() as session:
                made = issue_invoice(
                    session, _payer(), request.form.getlist("due"), number=request.form.get("number", ""), now=utc_now()
                )
                return redirect(url_for("invoices.show", invoice_id=made.id), 303)
        except (Conflict, Invalid) as error:
            refusal = str(error)
    with transaction() as session:
        due, account, names = list_due(session), find_account(session), names_of(list_agencies(session))
    payers = sorted({each.agreement.payer_agency_id for each in due}, key=lambda each: names.get(each, ""))
    listed = due_table(due, names)
    page = show_page(
        "invoice-new.html", listed, listed=listed, due=due, payers=payers, account=account, names=names, refusal=refusal
    )
    return page, 422 if refusal else 200


@blueprint.get("/fees/invoices/<uuid:invoice_id>")
@may(Verb.READ_FEES)
def show(invoice_id: UUID) -> ResponseReturnValue:
    """Show an invoice, how it stands, its postings, reminders, credit notes and dispute."""
    now = utc_now()
    with transaction() as session:
        invoice = get_invoice(session, invoice_id)
        record_look(session, invoice, audit.Act.READ, "invoice", now=now)
        (row,) = rows_of(session, [invoice], on=now.date())
        dispute = find_dispute(session, invoice)
        facts = {
            "content": read_content(session, invoice),
            "lines": lines_of(session, invoice),
            "credits": credits_of(session, invoice),
            "reminders": reminders_of(session, invoice),
            "approval": find_approval(session, invoice),
            "dispute": dispute,
            "said": read_messages(session, dispute) if dispute else [],
            "moved_to": list_since(session, invoice.payee_agency_id, at=invoice.issued_at),
            "names": names_of(list_agencies(session)),
        }
        sides, posted = sides_of(session, invoice), find_issue(session, invoice)
        unapproved = refusal_of(partial(require_approving, session, invoice, on=now.date()))
        postings = postings_of(session, posted) if posted else []
        moves = move_table(moves_of(session, invoice.id))
    return show_page(
        "invoice.html",
        moves,
        posting_table(postings),
        invoice=invoice,
        row=row,
        tags=STATES,
        ours=sides.payee_agency_id == g.scope.agency_id,
        sides=sides,
        answers=g.scope.agency_id in sides.both,
        unapproved=unapproved,
        posted=posted is not None,
        keeps=scope_may(g.scope, Verb.KEEP_FEES),
        disputed=dispute is not None and dispute.status is not DisputeStatus.RESOLVED,
        **facts,
    )


@blueprint.get("/fees/invoices/<uuid:invoice_id>/invoice.<any(pdf, xml):file_format>")
@may(Verb.READ_FEES)
def paper(invoice_id: UUID, file_format: str) -> ResponseReturnValue:
    """Hand out an invoice as a PDF, or as UBL."""
    with transaction() as session:
        invoice = get_invoice(session, invoice_id)
        content = read_content(session, invoice)
        record_look(session, invoice, audit.Act.DOWNLOAD, file_format, now=utc_now())
    made = render_invoice(content) if file_format == "pdf" else write_ubl(content)
    name = "".join(each if each.isalnum() else "-" for each in f"{invoice.kind.value}-{invoice.number}")
    response = send_file(
        BytesIO(made), f"application/{file_format}", as_attachment=True, download_name=f"{name}.{file_format}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/fees/invoices/<uuid:invoice_id>/credit", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def credit(invoice_id: UUID) -> ResponseReturnValue:
    """Credit an invoice, line by line."""
    refusal = ""
    if request.method == "POST":
        try:
            with transaction() as session:
                invoice = get_invoice(session, invoice_id)
                made = credit_invoice(
                    session,
                    invoice,
                    _amounts(),
                    reason=request.form.get("reason", ""),
                    number=request.form.get("number", ""),
                    now=utc_now(),
                )
                return redirect(url_for("invoices.show", invoice_id=made.id), 303)
        except (Conflict, Invalid) as error:
            refusal = str(error)
    with transaction() as session:
        invoice = get_invoice(session, invoice_id)
        left, account = open_lines(session, invoice), find_account(session)
    page = render_template(
        "invoice-credit.html", invoice=invoice, left=left, account=account, refusal=refusal, amount=plain_pounds
    )
    return page, 422 if refusal else 200


@blueprint.route("/fees/invoices/<uuid:invoice_id>/approve", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def approve(invoice_id: UUID) -> ResponseReturnValue:
    """Note that an invoice is approved to be paid."""
    form = NoteForm()
    with transaction() as session:
        invoice = get_invoice(session, invoice_id)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                approve_payment(session, get_invoice(session, invoice_id), note=form.note.data or "", now=utc_now())
            return redirect(url_for("invoices.show", invoice_id=invoice_id), 303)
        except Conflict as refusal:
            form.note.errors = [str(refusal)]
    return short_form(
        form,
        title=f"Approve {invoice.number} to be paid",
        back=(url_for("invoices.show", invoice_id=invoice_id), f"Invoice {invoice.number}"),
        lead="It moves no money: your finance system pays. The payee sees that it is approved.",
        hints={"note": "The payee reads it too. Name no child"},
    )


@blueprint.route("/fees/invoices/<uuid:invoice_id>/dispute", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def dispute(invoice_id: UUID) -> ResponseReturnValue:
    """Open a dispute of an invoice, or say something in it."""
    with transaction() as session:
        invoice = get_invoice(session, invoice_id)
        found = find_dispute(session, invoice)
        sides = sides_of(session, invoice)
        ended_by_none = refusal_of(partial(require_one_side, session, agencies=sides.both, on=utc_now().date()))
        ours = sides.payee_agency_id == g.scope.agency_id
    waits = found is not None and found.status is not DisputeStatus.RESOLVED
    form = DisputeForm(version=found.version if found else None)
    form.outcome.choices = _outcomes(ours)
    if not waits or ended_by_none:
        del form.outcome
    if form.validate_on_submit():
        try:
            with transaction() as session:
                _say(session, form, invoice_id, waits=waits)
            return redirect(url_for("invoices.show", invoice_id=invoice_id, _anchor="dispute"), 303)
        except (Conflict, Invalid) as refusal:
            form.words.errors = [str(refusal)]
    return short_form(
        form,
        title=f"{'Answer' if waits else 'Dispute'} invoice {invoice.number}",
        back=(url_for("invoices.show", invoice_id=invoice_id), f"Invoice {invoice.number}"),
        lead="The other agency reads what you write. While it is in dispute nobody is reminded of it.",
        text=f"To end the dispute: {ended_by_none}" if waits and ended_by_none else "",
        hints={"words": "Name no child"},
    )


def _say(session: Session, form: DisputeForm, invoice_id: UUID, *, waits: bool) -> None:
    invoice, now = get_invoice(session, invoice_id), utc_now()
    if not waits:
        open_dispute(session, invoice, words=form.words.data, now=now)
        return
    outcome = DisputeOutcome(form.outcome.data) if form.outcome.data else None
    answer_dispute(session, invoice, words=form.words.data, version=form.version.data or 0, now=now, outcome=outcome)


def _outcomes(ours: bool) -> Sequence[SelectChoice]:
    ends = (DisputeOutcome.CREDITED, DisputeOutcome.UPHELD) if ours else (DisputeOutcome.WITHDRAWN,)
    return [SelectChoice("", "It goes on"), *(SelectChoice(each.value, each.label) for each in ends)]


def _wanted() -> Wanted:
    state, other = request.args.get("state", ""), request.args.get("agency", "")
    return Wanted(
        received=request.args.get("side") == "received",
        state=InvoiceState(state) if state in list(InvoiceState) else None,
        other_agency_id=_read_id(other),
        number=request.args.get("number", "").strip()[:30],
    )


def _asked() -> dict[str, Any]:
    """Return what of the address says which invoices are listed."""
    wanted = _wanted()
    side = "received" if wanted.received else "issued"
    return {"side": side, "state": wanted.state, "number": wanted.number or None, "agency": wanted.other_agency_id}


def _payer() -> UUID:
    return _read_id(request.form.get("payer", "")) or UUID(int=0)


def _read_id(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None


def _amounts() -> dict[UUID, int]:
    """Return how much of each line the form credits, in pence.

    :raises Invalid: when something is no amount.
    """
    found = {}
    for name, typed in request.form.items():
        line_id = _read_id(name.removeprefix("line-"))
        if name.startswith("line-") and line_id and typed.strip():
            pence = typed_pence(typed.strip()) if len(typed) <= 20 else None
            if pence is None:
                raise Invalid("Enter amounts in pounds, for example 27,000 or 31,620.50.")
            found[line_id] = pence
    return found
