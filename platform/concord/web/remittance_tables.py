"""The tables of the pages of banks’ files."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from concord.web.fee_table import Cell, Column, Holds, Table, money, row
from concord.web.words import moment
from matching.fee.remittance.line import LineWords, RemittanceLine
from matching.fee.remittance.remittance import Purpose, Remittance


def line_table(remittance: Remittance, cards: Iterable[tuple[RemittanceLine, LineWords]]) -> Table:
    """Return the lines of a file; what came in leads to what was made of it."""
    columns = (
        Column("Line"),
        Column("Date", Holds.DAY, below=True),
        Column("Who"),
        Column("Reference", below=True),
        *money("Amount"),
        Column("What it is"),
    )
    rows = []
    for line, words in cards:
        href = url_for("fee_matching.show", remittance_line_id=line.id)
        state = Cell(line.state.label, href if remittance.purpose is Purpose.RECEIPTS else None, f": {words.place}")
        who, reference = words.payer or "(no name)", words.reference or "(no reference)"
        rows.append(row(words.place, line.dated_on, who, reference, line.pence, state))
    return Table("bank-lines", f"Lines of {remittance.filename}", columns, rows)


def file_table(files: Iterable[Remittance]) -> Table:
    """Return the files that the agency handed in."""
    columns = (
        Column("File"),
        Column("Purpose", below=True),
        Column("Handed in"),
        Column("Result"),
        Column("Lines", Holds.NUMBER),
        *money("Came in"),
    )
    rows = []
    for each in files:
        link = Cell(each.filename, url_for("remittances.show", remittance_id=each.id))
        told = (each.purpose.label, moment(each.imported_at), each.state.label)
        rows.append(row(link, *told, each.line_count, each.credit_pence))
    return Table("bank-files", "Your agency’s bank files, newest first", columns, rows)
