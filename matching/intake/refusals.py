"""The rows that an import refused, exactly as they were handed in, to be mended and sent again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from matching.intake.alike import heading_likeness
from matching.intake.column import SHEETS
from matching.intake.import_run import ImportRun, open_file, read_report
from matching.intake.mapping import is_to_mend
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.reading import read_book
from matching.intake.row import RowProblem
from matching.intake.sheet import CellValue, Sheet
from tenants.error import Conflict


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row: what to mend, in a sentence for each problem, and its cells as they came."""

    number: int
    to_mend: tuple[str, ...]
    cells: tuple[CellValue, ...]


@dataclass(frozen=True, slots=True)
class RefusedSheet:
    """The refused rows of one worksheet. ``epoch`` is day nought of its bare day numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[RefusedRow, ...]
    epoch: date | None = None


class NothingRefused(Conflict):
    """No row of the import was refused by itself."""


def list_refusals(session: Session, run: ImportRun, *, now: datetime) -> tuple[RefusedSheet, ...]:
    """Return the refused rows of an import of sheets, by worksheet, and put the look on record.

    :raises ImportNotFinished: when the import has not ended.
    :raises NothingRefused: when it refused no row, or is a return, whose rows are mended where it was made.
    """
    report = read_report(session, run, now=now, outcomes=frozenset({Outcome.REFUSED}))
    if not report or run.kind not in SHEETS:
        raise NothingRefused("There is no refused row to send again.")
    by_sheet: dict[str, dict[int, RowOutcome]] = defaultdict(dict)
    for each in report:
        by_sheet[each.sheet][each.row] = each
    book = read_book(open_file(session, run), filename=run.filename, likeness=heading_likeness(run.kind))
    return tuple(_refused(sheet, by_sheet[sheet.title]) for sheet in book.sheets if sheet.title in by_sheet)


def _refused(sheet: Sheet, outcomes: dict[int, RowOutcome]) -> RefusedSheet:
    # What an earlier workbook of refusals said is said anew.
    kept = [index for index, heading in enumerate(sheet.headings) if not is_to_mend(heading)]
    rows = tuple(
        RefusedRow(
            number=row.number,
            to_mend=tuple(_sentences(outcomes[row.number].problems)),
            cells=tuple(row.cells[index] if index < len(row.cells) else None for index in kept),
        )
        for row in sheet.rows
        if row.number in outcomes
    )
    return RefusedSheet(sheet.title, tuple(sheet.headings[index] for index in kept), rows, sheet.epoch)


def _sentences(problems: Iterable[RowProblem]) -> Iterable[str]:
    for problem in problems:
        place = f"{problem.column}: " if problem.column else ""
        yield f"{place}{problem.reason}"
