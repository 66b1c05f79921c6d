"""What an agreement’s paper says (the content of Form IA): plain text for a PDF, and nothing of a child or a family."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from matching.fee.addendum import parts_after
from matching.fee.agreement import RECORD_KIND, AddendumKind, AgreementState
from matching.fee.agreement_page import AddendumView, AgreementView, Signature
from matching.fee.instalment import Instalment
from matching.fee.money import say_pounds
from matching.fee.rule import OnDisruption
from tenants import audit
from tenants.database import scope_of

Section = dict[str, Any]


def write_agreement_paper(view: AgreementView, *, consortium: str) -> dict[str, Any]:
    """Return an agreement as ``{"title", "of", "missing", "sections"}``, each section with words, points and pairs."""
    agreement = view.agreement
    missing = [agreement.refusal] if agreement.refusal and not agreement.waived else []
    missing += [f"Signature for {each.agency}" for each in view.signatures if each.name is None]
    return {
        "title": f"Inter-agency fee agreement {agreement.reference}",
        "of": consortium,
        "missing": missing if agreement.state is not AgreementState.WITHDRAWN else [],
        "sections": [
            _parties(view),
            _fee(view),
            *(_addendum(each) for each in view.addenda if each.addendum.withdrawn_at is None),
        ],
    }


def signed_places(view: AgreementView) -> list[tuple[str, str]]:
    """Return who has signed the agreement and its addenda, for whom, in words."""
    places = [(f"{each.agency}, which {_does(each)}", _signed(each)) for each in view.signatures]
    for addendum in view.addenda:
        if addendum.addendum.withdrawn_at is None:
            said = f"addendum {addendum.addendum.position}"
            places += [(f"{each.agency}, {said}", _signed(each)) for each in addendum.signatures]
    return places


def record_download(session: Session, view: AgreementView, *, now: datetime) -> None:
    """Put on record that the paper was taken out."""
    others = sorted(view.agreement.agencies - {scope_of(session).agency_id})
    records = [(view.agreement.id, each) for each in others]
    audit.record_each(session, audit.Act.DOWNLOAD, record_kind=RECORD_KIND, records=records, now=now)


def _parties(view: AgreementView) -> Section:
    agreement = view.agreement
    pairs = [["Reference", agreement.reference], ["Pays", view.payer], ["Is paid", view.payee]]
    if agreement.authority_agency_id != agreement.payer_agency_id:
        pairs.append(["Acts for", view.authority])
    pairs.append(["Children placed together", str(agreement.children)])
    for words, day in (
        ("Matched on", agreement.matched_on),
        ("Begins on", agreement.placed_on),
        ("Adoption order on", agreement.ordered_on),
        ("Disrupted on", agreement.disrupted_on),
    ):
        if day is not None:
            pairs.append([words, _day(day)])
    pairs.append(["State", agreement.state.label])
    return _section("Agencies and days", pairs=pairs)


def _fee(view: AgreementView) -> Section:
    agreement = view.agreement
    amount = agreement.amount_pence
    pairs = [["Whole fee", "Not priced" if amount is None else say_pounds(amount)]]
    if agreement.waived:
        pairs.append(["To be paid", "Nothing: see below"])
    if agreement.continuing_pence is not None and agreement.continuing_after_months is not None:
        charge = f"{say_pounds(agreement.continuing_pence)} a month after {agreement.continuing_after_months} months"
        pairs.append(["Without an adoption order", charge])
    disruption = agreement.disruption.label
    kept = "What was paid stays paid." if agreement.disruption is OnDisruption.FALL_AWAY else ""
    pairs.append(["If the placement disrupts before the order", f"{disruption}. {kept}".strip()])
    words = [agreement.rate_words, *([agreement.waiver_words] if agreement.waiver_words else [])]
    if view.tariff is not None:
        words.append(f"Source of the tariff: {view.tariff.terms.source}")
    if agreement.frozen_at is None and not agreement.stated:
        words.append("The rate of the day itself counts, and is kept for good on that day.")
    points = [] if agreement.waived else [_part(each) for each in agreement.instalments]
    return _section("Fee", paragraphs=words, pairs=pairs, points=points)


def _addendum(view: AddendumView) -> Section:
    addendum = view.addendum
    title = f"Addendum {addendum.position}: {addendum.kind.label[:1].lower()}{addendum.kind.label[1:]}"
    before, after = addendum.changes["before"], addendum.changes["after"]
    pairs = [
        ["Whole fee before", _amount(before)],
        ["Whole fee after", _amount(after)],
        ["Children placed together", str(after["children"])],
        ["Drafted by", f"{addendum.drafted_name}, {_day(addendum.drafted_at.date())}"],
    ]
    words = [addendum.reason]
    if addendum.kind is AddendumKind.RATE:
        words.append("It holds by the agreement as it was signed. Each side signs that it has seen it.")
    points = [] if after.get("waived") else [_part(each) for each in parts_after(addendum)]
    return _section(title, paragraphs=words, pairs=pairs, points=points)


def _amount(terms: dict[str, Any]) -> str:
    if terms["amount_pence"] is None:
        return "Not priced"
    return f"{say_pounds(terms['amount_pence'])}{', and nothing to be paid' if terms.get('waived') else ''}"


def _part(part: Instalment) -> str:
    return f"{say_pounds(part.pence)} {part.words}"


def _does(signature: Signature) -> str:
    return "pays" if signature.side == "payer" else "is paid"


def _signed(signature: Signature) -> str:
    if signature.name is None or signature.at is None:
        return "Not signed."
    return f"Signed by {signature.name} on {signature.at:%d/%m/%Y}."


def _section(
    title: str,
    *,
    paragraphs: list[str] | None = None,
    points: list[str] | None = None,
    pairs: list[list[str]] | None = None,
) -> Section:
    return {"title": title, "paragraphs": paragraphs or [], "points": points or [], "pairs": pairs or []}


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
