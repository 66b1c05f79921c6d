"""The pages of matching: bank lines that wait, what each most likely pays, and what a person makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput
from wtforms import SubmitField

from concord.web.access import may
from concord.web.fee_file import hand_out, in_pounds
from concord.web.fee_held_tables import held_table, paid_back_table, used_table
from concord.web.fee_table import show_page
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.fee.money import pounds
from matching.fee.reconciliation.fact import Confidence, KnownInvoice, Share
from matching.fee.reconciliation.held_ahead import NothingHeld, allocate_held, list_held, list_used, put_back
from matching.fee.reconciliation.owed import list_open, list_others
from matching.fee.reconciliation.paid_back import list_paid_back
from matching.fee.reconciliation.queue import MatchingQueue, QueuedLine, read_line, read_queue
from matching.fee.reconciliation.settling import (
    LineSettled,
    NotOwedAnyMore,
    SharesWrong,
    SureResult,
    confirm_match,
    confirm_paid_back,
    confirm_sure,
    confirm_undone,
    set_aside,
    take_back,
)
from matching.fee.remittance.line import get_line
from matching.fee.remittance.written_amount import typed_pence
from matching.register import Page
from matching.sealed_words import WordsMissing
from tenants.base import utc_now
from tenants.error import Conflict
from tenants.permission import Verb
from workers.document.sheet import Value

blueprint = Blueprint("fee_matching", __name__)

LINES_A_PAGE = 50
MOST_AT_ONCE = 200
SECONDS = 15
"""How many sure lines are confirmed by one press, and for how long at most: somebody waits for it."""
IN_ONE_GO = 25
"""How many are posted together: whoever else posts in the consortium waits for them."""
HEADINGS = (
    *("Date", "Days waiting", "Amount", "Who paid", "Reference"),
    *("How certain", "Points", "Proposal", "Invoices", "For it", "Against it"),
)
TAGS = {
    Confidence.SURE: "govuk-tag--green",
    Confidence.LIKELY: "govuk-tag--blue",
    Confidence.POSSIBLE: "govuk-tag--yellow",
    Confidence.NONE: "govuk-tag--grey",
}


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Why a line is set aside, or what was made of it taken back."""

    reason = words_field("Why?", missing="Say why")
    submit = SubmitField("Continue", widget=GovSubmitInput())


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What one press confirmed, what has changed since it was seen, and what stopped it, if anything did."""

    count: int = 0
    pence: int = 0
    changed: int = 0
    problem: str = ""

    def after(self, result: SureResult) -> Confirmed:
        """Return this and what was confirmed next."""
        return Confirmed(self.count + result.confirmed, self.pence + result.pence, self.changed + result.changed)


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one certainty: how many, how much, and whether they are the ones shown."""

    confidence: Confidence | None
    words: str
    count: int
    pence: int
    shown: bool


@blueprint.get("/fees/matching")
@may(Verb.KEEP_FEES)
def index() -> ResponseReturnValue:
    """Show what waits, the oldest first, each with its proposal."""
    return _show_queue()


@blueprint.get("/fees/matching.<any(xlsx, csv):file_format>")
@may(Verb.KEEP_FEES)
def export(file_format: str) -> ResponseReturnValue:
    """Hand out what waits as it is shown."""
    with transaction() as session:
        queue = read_queue(session, now=utc_now())
    return hand_out("matching", HEADINGS, _rows(queue, _shown(queue)), file_format)


@blueprint.post("/fees/matching/sure")
@may(Verb.KEEP_FEES)
def confirm_all() -> ResponseReturnValue:
    """Confirm every sure proposal that the page showed."""
    marks = {}
    for said in request.form.getlist("sure"):
        line_id, _, mark = said.partition(":")
        try:
            marks[UUID(line_id)] = mark
        except ValueError:
            continue
    return _show_queue(_confirm(marks))


@blueprint.get("/fees/matching/<uuid:remittance_line_id>")
@may(Verb.KEEP_FEES)
def show(remittance_line_id: UUID) -> ResponseReturnValue:
    """Show one line: what it most likely is and why, what else it may pay, or what was made of it."""
    return _show_line(remittance_line_id)


@blueprint.post("/fees/matching/<uuid:remittance_line_id>")
@may(Verb.KEEP_FEES)
def confirm(remittance_line_id: UUID) -> ResponseReturnValue:
    """Let a line pay what was proposed or chosen, undo an earlier credit, or pay back what is held."""
    now = utc_now()
    try:
        with transaction() as session:
            line = get_line(session, remittance_line_id)
            credit_id = _one_id("credit")
            back_id = _one_id("back")
            if credit_id is not None:
                confirm_undone(session, line, get_line(session, credit_id), now=now)
            elif back_id is not None:
                confirm_paid_back(session, line, back_id, now=now)
            else:
                chosen, said = _one_id("payer"), request.form.get("reason", "")
                confirm_match(session, line, _shares(), now=now, over_payer_id=chosen, reason=said)
    except (SharesWrong, NotOwedAnyMore, LineSettled, NothingHeld, WordsMissing) as wrong:
        return _show_line(remittance_line_id, problem=str(wrong)), 409 if isinstance(wrong, Conflict) else 422
    return redirect(url_for("fee_matching.index"), 303)


@blueprint.route("/fees/matching/<uuid:remittance_line_id>/aside", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def aside(remittance_line_id: UUID) -> ResponseReturnValue:
    """Set a line aside with a reason."""
    form = ReasonForm()
    with transaction() as session:
        line = get_line(session, remittance_line_id)
        if form.validate_on_submit():
            set_aside(session, line, reason=form.reason.data, now=utc_now())
            return redirect(url_for("fee_matching.index"), 303)
    return short_form(
        form,
        title="Set this line aside",
        back=(url_for("fee_matching.show", remittance_line_id=remittance_line_id), "The line"),
        lead=f"{pounds(line.pence)} of {line.dated_on:%d/%m/%Y} pays no fee. It waits no more; you can bring it back.",
        hints={"reason": "For example, a donation, or a refund of a course"},
    )


@blueprint.route("/fees/matching/<uuid:remittance_line_id>/back", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def back(remittance_line_id: UUID) -> ResponseReturnValue:
    """Take back what was made of a line."""
    form = ReasonForm()
    with transaction() as session:
        line = get_line(session, remittance_line_id)
        if form.validate_on_submit():
            take_back(session, line, reason=form.reason.data, now=utc_now())
            return redirect(url_for("fee_matching.show", remittance_line_id=remittance_line_id), 303)
    return short_form(
        form,
        title="Take this back",
        back=(url_for("fee_matching.show", remittance_line_id=remittance_line_id), "The line"),
        lead=f"What was made of {pounds(line.pence)} of {line.dated_on:%d/%m/%Y} is reversed in both books. Nothing is "
        "erased: the reversal names you and your reason.",
    )


@blueprint.get("/fees/held")
@may(Verb.KEEP_FEES)
def held() -> ResponseReturnValue:
    """Show what payers have paid too much or ahead, what it can pay, and what it paid."""
    with transaction() as session:
        amounts, names = list_held(session), {each.id: each.names[0] for each in list_others(session)}
        owed = list_open(session)
        used, returned = list_used(session), list_paid_back(session)
    return show_page(
        "fee-held.html",
        held_table(amounts, names),
        used_table(used, names),
        paid_back_table(returned, names),
        held=amounts,
        names=names,
        owed=owed,
        pounds=pounds,
    )


@blueprint.post("/fees/held/<uuid:invoice_id>")
@may(Verb.KEEP_FEES)
def use_held(invoice_id: UUID) -> ResponseReturnValue:
    """Let what is held for a payer pay one of their invoices."""
    with transaction() as session:
        allocate_held(session, invoice_id, now=utc_now())
    return redirect(url_for("fee_matching.held"), 303)


@blueprint.route("/fees/held/<uuid:ledger_transaction_id>/back", methods=["GET", "POST"])
@may(Verb.KEEP_FEES)
def put_held_back(ledger_transaction_id: UUID) -> ResponseReturnValue:
    """Hold again what had paid an invoice."""
    form = ReasonForm()
    if form.validate_on_submit():
        with transaction() as session:
            put_back(session, ledger_transaction_id, reason=form.reason.data, now=utc_now())
        return redirect(url_for("fee_matching.held"), 303)
    with transaction() as session:
        used = next((each for each in list_used(session) if each.id == ledger_transaction_id), None)
    lead = f"{used.narrative}, {pounds(used.pence)}." if used else "This is not, or no more, taken from what is held."
    return short_form(form, title="Put this back", back=(url_for("fee_matching.held"), "What is held ahead"), lead=lead)


# ── within ──


def _confirm(marks: Mapping[UUID, str]) -> Confirmed:
    """Confirm what was seen, a few at a time: what is confirmed stays so, whatever becomes of the rest."""
    done, until = Confirmed(), monotonic() + SECONDS
    seen = list(marks.items())
    for start in range(0, len(seen), IN_ONE_GO):
        if monotonic() > until:
            break
        try:
            with transaction() as session:
                done = done.after(confirm_sure(session, dict(seen[start : start + IN_ONE_GO]), now=utc_now()))
        except Conflict as conflict:
            return replace(done, problem=str(conflict))
    return done


def _show_queue(result: Confirmed | None = None) -> str:
    with transaction() as session:
        queue = read_queue(session, now=utc_now())
    lines = _shown(queue)
    last = max(1, -(-len(lines) // LINES_A_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int)), last)
    cards = lines[(number - 1) * LINES_A_PAGE : number * LINES_A_PAGE]
    page = Page(cards=tuple(cards), total=len(lines), number=number, size=LINES_A_PAGE)
    certain = request.args.get("certain")
    return render_template(
        "fee-matching.html",
        queue=queue,
        page=page,
        shown=lines,
        parts=_parts(queue),
        certain=certain if certain in set(Confidence) else None,
        result=result,
        sure=queue.sure[:MOST_AT_ONCE],
        tags=TAGS,
        pounds=pounds,
        pagination=pagination(page, lambda other: url_for("fee_matching.index", certain=certain, page=other)),
    )


def _show_line(line_id: UUID, *, problem: str | None = None) -> str:
    with transaction() as session:
        found = read_line(session, line_id, now=utc_now())
    chosen = request.args.get("payer", "")
    payer_id = next((each for each in found.queue.payers if str(each) == chosen), None)
    proposal = found.queued.proposal if found.queued else None
    wanted = payer_id or (proposal.payer_id if proposal else None)
    return render_template(
        "fee-line.html",
        found=found,
        proposal=proposal,
        owed=found.queue.open_of(wanted),
        payer_id=wanted,
        shares={share.invoice_id: share.pence for share in proposal.shares} if proposal else {},
        problem=problem,
        typed=request.form,
        tags=TAGS,
        pounds=pounds,
    )


def _parts(queue: MatchingQueue) -> list[Part]:
    certain = request.args.get("certain")
    found = [Part(None, "all", len(queue.lines), sum(each.line.pence for each in queue.lines), certain is None)]
    for each in Confidence:
        lines = [line for line in queue.lines if line.proposal.confidence is each]
        pence = sum(line.line.pence for line in lines)
        found.append(Part(each, each.label.lower(), len(lines), pence, certain == each.value))
    return found


def _shown(queue: MatchingQueue) -> list[QueuedLine]:
    certain = request.args.get("certain")
    return [each for each in queue.lines if certain not in set(Confidence) or each.proposal.confidence == certain]


def _shares() -> list[Share]:
    """Return the shares that a form gives, each an amount beside an invoice.

    :raises SharesWrong: when an amount is none.
    """
    found = []
    for name, text in request.form.items():
        if not name.startswith("share-") or not text.strip():
            continue
        pence = typed_pence(text)
        try:
            invoice_id = UUID(name.removeprefix("share-"))
        except ValueError:
            continue
        if pence is None or pence < 0:
            raise SharesWrong("Enter each amount in pounds and pence, as 1,234.50.")
        if pence:
            found.append(Share(invoice_id, pence))
    return found


def _one_id(name: str) -> UUID | None:
    try:
        return UUID(request.form.get(name, ""))
    except ValueError:
        return None


def _rows(queue: MatchingQueue, lines: Sequence[QueuedLine]) -> Iterator[tuple[Value, ...]]:
    for each in lines:
        proposal = each.proposal
        yield (
            each.line.dated_on,
            each.age,
            in_pounds(each.line.pence),
            each.words.payer,
            each.words.reference,
            proposal.confidence.label,
            proposal.points,
            proposal.kind.label,
            " ".join(_number(queue.invoices, share) for share in proposal.shares),
            " ".join(proposal.reasons),
            " ".join(proposal.doubts),
        )


def _number(invoices: dict[UUID, KnownInvoice], share: Share) -> str:
    return f"{invoices[share.invoice_id].number} ({share.pence / 100:.2f})"
