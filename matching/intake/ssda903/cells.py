"""The cells of a child's records being read: dates and codes, each strict, each problem kept with its place."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from matching.intake.row import RowProblem
from matching.intake.ssda903.code import codes_of
from matching.intake.ssda903.table import Record

EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2100

_BRITISH: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


class CellReader:
    """Reads cells and keeps what is wrong with them; a cell with a problem is read as blank.

    ``today`` is the day of the import: a return tells what has been, so no date in it lies ahead.
    """

    def __init__(self, *, today: date) -> None:
        self.today = today
        self.problems: list[RowProblem] = []

    def wrong(self, record: Record, column: str | None, reason: str) -> None:
        """Keep a problem of a cell."""
        problem = record.problem(column, reason)
        if problem not in self.problems:
            self.problems.append(problem)

    def day(self, record: Record, column: str) -> date | None:
        """Return a date from dd/mm/yyyy, or from yyyy-mm-dd, which nobody could take for anything else."""
        text = record.cells.get(column)
        if text is None:
            return None
        british, iso = _BRITISH.fullmatch(text), _ISO.fullmatch(text)
        if not british and not iso:
            self.wrong(record, column, "expected a date as dd/mm/yyyy, such as 07/03/2024")
            return None
        year, month, day = british.group(3, 2, 1) if british else iso.group(1, 2, 3) if iso else ("", "", "")
        try:
            read = date(int(year), int(month), int(day))
        except ValueError:
            self.wrong(record, column, "there is no such date; expected dd/mm/yyyy, the day before the month")
            return None
        return self._possible(record, column, read)

    def code(self, record: Record, column: str) -> str | None:
        """Return a code of the column's set, in capitals."""
        text = record.cells.get(column)
        if text is None:
            return None
        code = text.upper()
        if code not in codes_of(column):
            self.wrong(record, column, f"it is no code of {column} that the SSDA903 guide has")
            return None
        return code

    def _possible(self, record: Record, column: str, read: date) -> date | None:
        if not EARLIEST_YEAR <= read.year < LATEST_YEAR:
            self.wrong(record, column, f"the year {read.year:04} is not between {EARLIEST_YEAR} and {LATEST_YEAR}")
            return None
        if read > self.today:
            self.wrong(record, column, "it is in the future")
            return None
        return read


def in_words(day: date) -> str:
    """Return a date as the return writes it."""
    return f"{day:%d/%m/%Y}"
