"""Bank lines from a CSV file, as a bank's website or a finance system exports them.

The text is read as every sheet is (encodings, separators, quoting); what a column holds, a person has said. Each row
below the headings is a line, or the file is refused: only blank rows, and rows that give a balance and no amount, are
none, and those are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matching.fee.remittance.bank_file import (
    MOST_LINES,
    BankFile,
    BankLine,
    Control,
    FileFormat,
    UnreadableRemittance,
    tidy_words,
)
from matching.fee.remittance.column_map import ColumnMap, guess
from matching.fee.remittance.written_amount import day_of, pence_of
from matching.intake.delimited import read_delimited
from matching.intake.grid import numbers_text
from matching.intake.sheet import UnreadableSheet, column_letter

_SEARCHED: Final = 40
_IN: Final = frozenset({"cr", "c", "credit", "crdt", "in", "+", "receipt", "paid in"})
_OUT: Final = frozenset({"dr", "d", "debit", "dbit", "out", "-", "payment", "paid out"})
_NOTHING: Final = "Nothing was taken."


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The rows of a CSV file below its headings, with the numbers that a spreadsheet program shows."""

    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    width: int
    """How many cells a row may have: as many as there are headings, where some row keeps to them."""
    notes: tuple[str, ...] = ()


def read_csv_table(content: bytes) -> CsvTable:
    """Return the headings and rows of a CSV file; columns without a heading are called by their letters.

    :raises UnreadableRemittance: when it is no text of separated values.
    """
    try:
        grid = read_delimited(content)
    except UnreadableSheet as refusal:
        # What a sheet of records is told to delete would be payments here.
        most = (
            f"The file has more than {MOST_LINES:,} lines, which is the most that can be read. Export shorter periods."
        )
        raise UnreadableRemittance(most if content.count(b"\n") > MOST_LINES else str(refusal)) from refusal
    cells = [tuple("" if cell is None else str(cell) for cell in row) for row in grid.cells]
    if not any(any(row) for row in cells):
        raise UnreadableRemittance(f"The file holds no cell with anything in it. {_NOTHING}")
    first = _heading_row(cells)
    width = max(len(row) for row in cells[first + 1 :] or cells)
    texts = cells[first] if first >= 0 else ()
    headings = tuple(
        (texts[index] if index < len(texts) else "") or f"Column {column_letter(index)}"
        for index in range(max(width, len(texts)))
    )
    rows = tuple((number + 1, row) for number, row in enumerate(cells) if number > first and any(row))
    above = [number + 1 for number in range(first) if any(cells[number])]
    notes = (f"Left out, because they stand above the headings: rows {numbers_text(above)}.",) if above else ()
    filled = [max(index for index, cell in enumerate(row) if cell) + 1 for _, row in rows]
    named = max((index + 1 for index, text in enumerate(texts) if text), default=0)
    whole = named if any(each <= named for each in filled) else len(headings)
    return CsvTable(headings, rows, whole, (*grid.notes, *notes))


def read_csv(table: CsvTable, columns: ColumnMap) -> BankFile:
    """Return the lines of a table whose columns are known.

    :raises UnreadableRemittance: when a row cannot be read; it says which, and what of it.
    """
    lines: list[BankLine] = []
    balances: list[int | None] = []
    bare: list[int] = []
    for number, row in table.rows:
        if _is_bare(row, columns):
            bare.append(number)
            continue
        lines.append(_line(number, row, columns, width=table.width))
        balances.append(pence_of(_cell(row, columns.balance)) if columns.balance is not None else None)
    notes = [*table.notes]
    if bare:
        notes.append(f"Left out, because they give a balance and no amount: rows {numbers_text(bare)}.")
    if lines and columns.balance is not None:
        notes += _balance_notes(lines, balances)
    return BankFile(FileFormat.CSV, tuple(lines), (), tuple(notes))


def running_control(lines: Sequence[BankLine], balances: Sequence[int | None]) -> Control | None:
    """Return what a column of balances says of the lines, oldest or newest first; ``None`` where some have none."""
    known = [each for each in balances if each is not None]
    if not lines or len(known) != len(lines):
        return None
    moved = sum(line.pence for line in lines)
    older = Control("The column of balances", known[0] - lines[0].pence, known[-1], moved)
    newer = Control("The column of balances", known[-1] - lines[-1].pence, known[0], moved)
    return newer if newer.opening + moved == newer.closing else older


# ── within ──


def _heading_row(cells: Sequence[Sequence[str]]) -> int:
    """Return the row of headings, from 0: the first that names a date and an amount, else the last before the lines.

    -1 where the lines begin at once.
    """
    searched = cells[:_SEARCHED]
    for number, row in enumerate(searched):
        if len({holds.value for holds in guess(row).values()} & {"date", "amount", "credit", "debit"}) >= 2:
            return number
    first = next((number for number, row in enumerate(searched) if _is_record(row)), 0)
    for number in range(first - 1, -1, -1):
        filled = [cell for cell in searched[number] if cell]
        if len(filled) >= 2 and not any(day_of(cell) or pence_of(cell) is not None for cell in filled):
            return number
    return -1


def _is_record(row: Sequence[str]) -> bool:
    dated = [cell for cell in row if day_of(cell)]
    return bool(dated) and any(cell not in dated and pence_of(cell) is not None for cell in row if cell)


def _is_bare(row: Sequence[str], columns: ColumnMap) -> bool:
    """Say whether a row says what the account holds and moves nothing: an opening or a closing balance."""
    if columns.balance is None or pence_of(_cell(row, columns.balance)) is None:
        return False
    return not any(_cell(row, index) for index in (columns.amount, columns.credit, columns.debit))


def _line(number: int, row: Sequence[str], columns: ColumnMap, *, width: int) -> BankLine:
    place = f"Row {number}"
    day = day_of(_cell(row, columns.date))
    if day is None:
        raise UnreadableRemittance(
            f"{place}: column {column_letter(columns.date)} holds no day (as 31/03/2026). Mend it, or take the row out "
            f"if it is a total. {_NOTHING}"
        )
    if any(row[width:]):
        raise UnreadableRemittance(f"{place} has more cells than there are columns: put quotation marks round commas.")
    return BankLine(
        place=place,
        dated_on=day,
        pence=_pence(place, row, columns),
        payer=tidy_words([_cell(row, index) for index in columns.payer]),
        reference=tidy_words([_cell(row, index) for index in columns.reference]),
        bank_id=_cell(row, columns.bank_id),
    )


def _pence(place: str, row: Sequence[str], columns: ColumnMap) -> int:
    if columns.amount is None:
        return _of_two(place, row, columns)
    pence = _amount(place, row, columns.amount)
    if columns.direction is None:
        return -pence if columns.outgoing else pence
    word = _cell(row, columns.direction).casefold()
    if word not in _IN | _OUT:
        raise UnreadableRemittance(
            f"{place}: column {column_letter(columns.direction)} says neither credit nor debit. {_NOTHING}"
        )
    # A debit is written with a minus sign by some banks and without one by others; a credit's sign is its own.
    return pence if word in _IN else -abs(pence)


def _of_two(place: str, row: Sequence[str], columns: ColumnMap) -> int:
    paid_in = _amount(place, row, columns.credit) if _cell(row, columns.credit) else 0
    paid_out = _amount(place, row, columns.debit) if _cell(row, columns.debit) else 0
    if paid_in and paid_out:
        raise UnreadableRemittance(f"{place} is both paid in and paid out. Split it in two rows. {_NOTHING}")
    if not paid_in and not paid_out:
        raise UnreadableRemittance(f"{place} has no amount, paid in or paid out. {_NOTHING}")
    return paid_in or -abs(paid_out)


def _amount(place: str, row: Sequence[str], column: int | None) -> int:
    pence = pence_of(_cell(row, column))
    if pence is None:
        letter = column_letter(column or 0)
        raise UnreadableRemittance(f"{place}: column {letter} holds no amount (as 1,234.50). Mend it. {_NOTHING}")
    return pence


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _balance_notes(lines: Sequence[BankLine], balances: Sequence[int | None]) -> list[str]:
    control = running_control(lines, balances)
    if control is None or control.opening + control.moved == control.closing:
        return []
    # Not refused: an export of credits alone has such balances too.
    return ["The balances do not follow from the lines: some lines may not have been exported. Check before you match."]
