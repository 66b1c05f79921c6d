"""The tables of the pages of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import url_for

from concord.web.fee_table import Cell, Column, Holds, Table, money, row
from concord.web.words import day, moment
from matching.fee.statement.aged_debt import AGES, AgedDebt, Direction
from matching.fee.statement.movement import Amounts, Difference, Line
from matching.fee.statement.statement import FeeStatement, Side

WHO = {Direction.TO_US: "They owe us", Direction.BY_US: "We owe them"}
TOGETHER = {Direction.TO_US: "Owed to us, together", Direction.BY_US: "Owed by us, together"}
_AMOUNTS = money("Agreed, not yet due", "Due, not invoiced", "Invoiced, not paid", "Paid ahead")


def debt_table(debts: Sequence[AgedDebt], names: Mapping[UUID, str]) -> Table:
    """Return what is owed by agency and age, with what each way comes to."""
    columns = (Column("Agency"), Column("Who owes", below=True), *money(*AGES, "Invoiced and not paid"))
    rows = []
    for each in debts:
        other, who = each.other_agency_id, WHO[each.direction]
        side = "issued" if each.direction is Direction.TO_US else "received"
        invoices = Cell(each.owed, url_for("invoices.index", side=side, agency=other), ": the invoices")
        statement = url_for("fee_statements.draw", other_agency_id=other) if other in names else None
        with_them = Cell(names[other], statement, f": {who}")
        rows.append(row(with_them, who, *each.by_age, invoices, each.ahead, each.to_pay))
    totals = []
    for way in Direction:
        found = [each for each in debts if each.direction is way]
        if found:
            by_age = [sum(each.by_age[place] for each in found) for place in range(len(AGES))]
            rest = (sum(by_age), sum(each.ahead for each in found), sum(each.to_pay for each in found))
            totals.append(row(TOGETHER[way], None, *by_age, *rest))
    caption = "What is owed, by agency and age"
    return Table("aged-debt", caption, (*columns, *money("Paid ahead", "To pay")), rows, totals, wide=True)


def statement_table(statements: Iterable[FeeStatement], names: Mapping[UUID, str], *, own: UUID) -> Table:
    """Return the statements, and how each stands."""
    columns = (
        Column("Statement"),
        Column("Until", Holds.DAY),
        Column("Drawn up"),
        Column("By", below=True, named=True),
        Column("State"),
    )
    rows = []
    for each in statements:
        other = names[each.other_agency_id if each.agency_id == own else each.agency_id]
        href = url_for("fee_statements.show", fee_statement_id=each.id)
        link = Cell(f"With {other}", href, f" until {day(each.until_on)}")
        rows.append(row(link, each.until_on, moment(each.made_at), each.made_name, _state(each, own)))
    return Table("statements", "Statements, the latest first", columns, rows)


def side_tables(sides: Iterable[Side], names: Mapping[UUID, str], *, own: UUID, former: UUID | None) -> list[Table]:
    """Return what is between a payer and a payee, each way: opening, what moved, closing.

    :param former: the statement that closed with what this one opens with, where it is known.
    """
    over = Column("Over", Holds.POUNDS, below=True, named=True)
    columns = (Column("What"), Column("Lines", Holds.NUMBER, below=True, named=True), over, *_AMOUNTS)
    href = url_for("fee_statements.show", fee_statement_id=former) if former else None
    found = []
    for side in sides:
        payer, payee = names[side.payer_agency_id], names[side.payee_agency_id]
        name = "paid-to-us" if side.payee_agency_id == own else "paid-by-us"
        opening = row(Cell("Opening", href), None, None, *_said(side.opening))
        moved = [
            row(Cell(each.kind.label, "#lines"), each.count, each.pence, *_said(each.amounts))
            for each in side.movements
        ]
        closing = row("Closing", None, None, *_said(side.closing))
        caption = f"What {payer} pays {payee}: opening, what moved, closing"
        found.append(Table(name, caption, columns, [opening, *moved], [closing], wide=True))
    return found


def line_table(lines: Iterable[Line], names: Mapping[UUID, str]) -> Table:
    """Return the lines of a statement, each with what it moved."""
    columns = (
        Column("Line"),
        Column("Day", Holds.DAY, below=True),
        Column("Narrative", below=True),
        Column("Agreement", below=True, named=True),
        Column("Who pays", below=True, named=True),
        *money("Over"),
        *_AMOUNTS,
    )
    rows = []
    for each in lines:
        href = url_for("fee_statements.line", ledger_transaction_id=each.transaction_id)
        link = Cell(each.kind.label, href, f", {day(each.dated_on)}, {each.narrative}")
        moved = [pence or None for pence in _said(each.amounts)]
        payer = names[each.payer_agency_id]
        rows.append(row(link, each.dated_on, each.narrative, each.reference, payer, each.pence, *moved))
    return Table("lines", "Each line, with what it moved", columns, rows)


def difference_table(differences: Iterable[Difference]) -> Table:
    """Return the lines that a statement and the agency's own book have otherwise."""
    columns = (Column("Line"), Column("Day", Holds.DAY), *money("Owed, in the statement", "Owed, in your book"))
    rows = []
    for each in differences:
        href = url_for("fee_statements.line", ledger_transaction_id=each.transaction_id)
        words = each.narrative or "A line that your book does not have"
        rows.append(row(Cell(words, href), each.dated_on, each.theirs.owed, each.ours.owed))
    return Table("differences", "Lines that differ", columns, rows)


def sent_table(sent: Iterable[Mapping[str, Any]], *, name: str, who: str) -> Table:
    """Return what an agency's own payment files say that it sent, and whoever is paid has not confirmed."""
    columns = (Column("Day", Holds.DAY), Column("For"), *money("Sent"))
    rows = [row(date.fromisoformat(each["on"]), ", ".join(each["numbers"]), each["pence"]) for each in sent]
    return Table(name, f"What {who} says it has sent", columns, rows).added_up("Together")


def _state(statement: FeeStatement, own: UUID) -> Cell:
    if statement.withdrawn_at:
        return Cell("Withdrawn", tag="govuk-tag--grey")
    if statement.other_agreed_at:
        return Cell("Agreed", tag="govuk-tag--green")
    if statement.other_agency_id == own:
        return Cell("For you to agree", tag="govuk-tag--blue")
    return Cell("Waits for them", tag="govuk-tag--yellow")


def _said(amounts: Amounts) -> tuple[int, int, int, int]:
    return amounts.agreed, amounts.to_invoice, amounts.owed, amounts.ahead
