"""The tables of the pages of netting: what can be netted, what was, and one's own part in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from uuid import UUID

from flask import url_for

from concord.web.fee_table import Cell, Column, Holds, Row, Table, money, row
from concord.web.words import moment
from matching.fee.netting import Netting, NettingClaim, NettingPage
from matching.fee.netting_leg import OwedLeg
from matching.fee.netting_offer import Offer

Names = Mapping[UUID, str]
_BY = (Column("Pay by", Holds.DAY), Column("Late", below=True))
_STILL = ("Still to be paid to us", "Still to be paid by us")


def offer_table(offers: Iterable[Offer], names: Names) -> Table:
    """Return what can be netted with each agency and swap group."""
    columns = (Column("With"), Column("Who", below=True), *money("Owed to us", "Owed by us"))
    rows = [_offer_row(each, names) for each in offers]
    caption = "What can be netted, by agency and by swap group"
    return Table("netting", caption, (*columns, *money("Left to us", "Left by us")), rows)


def netting_table(
    found: NettingPage, nettings: Iterable[Netting], names: Names, *, own: UUID, waits: Collection[UUID], on: date
) -> Table:
    """Return the nettings of a page or all of them, and what is to be paid after any of them."""
    columns = (Column("Netting"), Column("State"), Column("Pay by", Holds.DAY, below=True, named=True), _BY[1])
    rows = [
        row(
            Cell(_named(each, names, own), url_for("fee_netting.show", netting_id=each.id)),
            state_of(each, waits=each.id in waits, on=on),
            *_by([it for it in found.legs_of(each) if it.by_us], on),
            *_still(found.legs_of(each)),
        )
        for each in nettings
    ]
    for it in found.taken_over(own):
        who = f"{names[it.leg.payer_agency_id]} pays {names[it.leg.payee_agency_id]}, as {it.leg.reference}"
        rows.append(row(who, "Taken over", *_by([it] if it.by_us else [], on), *_still([it])))
    sums = (sum(each.to_us for each in found.open_legs), sum(each.by_us for each in found.open_legs))
    total = row("All together", None, None, None, *sums)
    return Table("nettings", "Nettings, the latest first", (*columns, *money(*_STILL)), rows, [total])


def leg_table(netting: Netting, legs: Iterable[OwedLeg], names: Names, *, own: UUID, on: date) -> Table:
    """Return what the agency pays, or is paid; once that is posted, by when, and what of it is owed still."""
    columns: tuple[Column, ...] = (Column("Who pays whom"), Column("Write on the payment"))
    columns += (*_BY, *money("Amount", "Still to be paid")) if netting.posted_at else money("Amount")
    rows = []
    for each in legs:
        who = f"{names[each.leg.payer_agency_id]} pays {names[each.leg.payee_agency_id]}"
        other = each.leg.payer_agency_id if each.leg.payee_agency_id == own else each.leg.payee_agency_id
        lead = Cell(who, url_for("fee_statements.draw", other_agency_id=other))
        if netting.posted_at:
            rows.append(row(lead, each.leg.reference, *_by([each], on), each.leg.pence, each.owed))
        else:
            rows.append(row(lead, each.leg.reference, each.leg.pence))
    return Table("payments", "Your agency’s payments after the netting", columns, rows)


def claim_table(claims: Iterable[NettingClaim], names: Names, *, own: UUID) -> Table:
    """Return the agency's invoices in a netting."""
    columns = (Column("Invoice"), Column("Agency"), *money("Owed to us", "Owed by us"))
    rows = []
    for each in claims:
        ours = each.payee_agency_id == own
        issuer = f" of {names[each.payee_agency_id]}"
        number = Cell(each.number, url_for("invoices.show", invoice_id=each.invoice_id), issuer)
        sides = (each.pence, None) if ours else (None, each.pence)
        rows.append(row(number, names[each.payer_agency_id if ours else each.payee_agency_id], *sides))
    caption = "Your agency’s invoices that are settled by it"
    return Table("invoices", caption, columns, rows).added_up("Together")


def state_of(netting: Netting, *, on: date, waits: bool | None = None) -> Cell:
    """Return how a netting stands: ``waits`` says whether it does for whoever looks, and is none for the office."""
    if netting.declined_at or netting.posted_at:
        said = ("Declined", "grey") if netting.declined_at else ("Posted", "green")
    elif not netting.is_open(on):
        said = ("Ended" if netting.is_over(on) else "Lapsed", "grey")
    elif waits:
        said = ("For you to confirm", "blue")
    else:
        said = ("Waits" if waits is None else "Waits for others", "yellow")
    return Cell(said[0], tag=f"govuk-tag--{said[1]}")


def _offer_row(each: Offer, names: Names) -> Row:
    if each.swap_group:
        who, what = Cell(each.swap_group.name), "All its members together"
    else:
        address = url_for("fee_statements.draw", other_agency_id=each.agency_ids[0])
        who, what = Cell(names[each.agency_ids[0]], address), None
    left = (each.left, None) if each.left > 0 else (None, -each.left)
    return row(who, what, each.to_us, each.by_us, *left, of=each)


def _named(netting: Netting, names: Names, own: UUID) -> str:
    others = [each for each in netting.agency_ids if each != own]
    who = f"With {names[others[0]]}" if len(others) == 1 else f"Among {len(netting.agency_ids)} agencies"
    return f"{who}, proposed on {moment(netting.made_at)}"


def _by(legs: Collection[OwedLeg], on: date) -> tuple[date | None, Cell | None]:
    """Return the first day by which one of some legs is to be paid, and whether one should have been."""
    overdue = any(each.is_overdue(on) for each in legs)
    first = min((each.leg.due_on for each in legs if each.leg.due_on), default=None)
    return first, Cell("Overdue", tag="govuk-tag--red") if overdue else None


def _still(legs: Collection[OwedLeg]) -> tuple[int | None, int | None]:
    """Return what of some legs is still to be paid to the agency, and by it."""
    return sum(each.to_us for each in legs) or None, sum(each.by_us for each in legs) or None
