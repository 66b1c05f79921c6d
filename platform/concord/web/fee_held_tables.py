"""The tables of what is held ahead for payers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flask import url_for

from concord.web.fee_table import Cell, Column, Holds, Row, Table, money, row
from concord.web.words import day
from matching.fee.ledger import LedgerTransaction
from matching.fee.reconciliation.paid_back import PaidBack

LEFT = "An agency that has left"
_COLUMNS = (Column("What"), Column("By", below=True, named=True), Column("Agency"), Column("Day", Holds.DAY))


def held_table(held: Mapping[UUID, int], names: Mapping[UUID, str]) -> Table:
    """Return what is held for each payer."""
    rows = []
    for payer_id, pence in held.items():
        asked: dict[str, Any] = {"account": "held_ahead", "with": payer_id}
        href = url_for("fee_ledger.index", **asked)
        rows.append(row(Cell(names.get(payer_id, LEFT), href, ": how it came to be held"), pence, of=payer_id))
    columns = (Column("Agency"), *money("Held"))
    return Table("held", "What is held for each agency", columns, rows).added_up("Together")


def used_table(used: Iterable[LedgerTransaction], names: Mapping[UUID, str]) -> Table:
    """Return what of it has paid invoices."""
    columns = (*_COLUMNS, *money("Used"))
    rows = [_posted(each, names) for each in used]
    return Table("held-used", "What was used", columns, rows).added_up("Together")


def paid_back_table(returned: Iterable[PaidBack], names: Mapping[UUID, str]) -> Table:
    """Return what of it was paid back."""
    columns = (*_COLUMNS, *money("Paid back"))
    rows = [_posted(each.transaction, names, of=each.line_id) for each in returned]
    return Table("held-paid-back", "What was paid back", columns, rows).added_up("Together")


def _posted(each: LedgerTransaction, names: Mapping[UUID, str], of: UUID | None = None) -> Row:
    other = names.get(each.payer_agency_id, LEFT)
    href = url_for("fee_statements.line", ledger_transaction_id=each.id)
    link = Cell(each.narrative, href, f", {day(each.dated_on)}")
    return row(link, each.made_name, other, each.dated_on, each.pence, of=of or each.id)
