"""A workbook that prints well: plain strings, and nothing that could be taken for a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from datetime import date, datetime, time

from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.format import Format  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from workers.document.figure import FEW, Bars
from workers.document.text import clean
from workers.document.view import day

Cell = str | int | date | None
Column = tuple[str, int]
"""A heading and the column's width in characters."""

MARKING = "OFFICIAL-SENSITIVE: PERSONAL"
# Excel holds 32,767 UTF-16 units in a cell; a longer text goes on in a row of its own beneath, so that none is lost.
_CELL_UNITS = 32_767

# Excel counts its days from 1900; an older date (a slip in a sheet) is written in words.
_FIRST_YEAR = 1900


class Book:
    """The workbook with its formats, and where it is written."""

    def __init__(self, workbook: Workbook, footer: str, *, optional: Set[str]) -> None:
        self.workbook = workbook
        self.footer = footer
        self.optional = optional
        self.title = self._format(bold=True, font_size=16, font_color="#12436D")
        self.quiet = self._format(font_color="#4A5560")
        self.strong = self._format(bold=True)
        self.heading = self._format(bold=True, bg_color="#12436D", font_color="#FFFFFF", text_wrap=True)
        self.text = self._format(text_wrap=True)
        self.number = self._format(num_format="#,##0", align="right")
        self.date = self._format(num_format="dd/mm/yyyy", align="right")

    def _format(self, **properties: object) -> Format:
        return self.workbook.add_format({"valign": "top", "font_name": "Arial", "font_size": 10, **properties})

    def sheet(self, name: str) -> Worksheet:
        """Add a sheet that prints on A4 across, as wide as the paper, with the marking on each page."""
        sheet = self.workbook.add_worksheet(name)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.7)
        sheet.set_header(f"&C&B{MARKING}")
        sheet.set_footer(f"&L{self.footer}&C&A&RPage &P of &N")
        return sheet

    def front(self, name: str, title: str, rows: Iterable[tuple[str, str]]) -> None:
        """Write what the workbook is: a title, the marking, and facts one under the other."""
        sheet = self.sheet(name)
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 90)
        sheet.write_string(0, 0, pieces(title)[0], self.title)
        sheet.write_string(1, 0, MARKING, self.strong)
        row = 3
        for label, value in rows:
            for piece in pieces(value):
                sheet.write_string(row, 0, label, self.quiet)
                sheet.write_string(row, 1, piece, self.text)
                row += 1

    def table(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], empty: str) -> None:
        """Write a sheet of one table: headings that stay in view and repeat in print, filters, one row each.

        A column of ``optional`` that says nothing in any row is left out.
        """
        sheet = self.sheet(name)
        columns, rows = _told(columns, list(rows), self.optional)
        for number, (heading, width) in enumerate(columns):
            sheet.set_column(number, number, width)
            sheet.write_string(0, number, heading, self.heading)
        last = 0
        for values in rows:
            for part in _parts(values):
                last += 1
                self._row(sheet, last, part)
        if last == 0:
            sheet.write_string(1, 0, empty, self.quiet)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)

    def charts(self, charts: Iterable[Bars]) -> None:
        """Write each chart's numbers as a table, with the chart beside it and its words for who cannot see it."""
        sheet = self.sheet("Figures")
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 2, 14)
        row = 0
        for chart in charts:
            row = self._chart(sheet, chart, row) if chart.rows else row

    def _chart(self, sheet: Worksheet, bars: Bars, row: int) -> int:
        sheet.write_string(row, 0, pieces(bars.title)[0], self.strong)
        for column, (_, name) in enumerate(bars.series, start=1):
            sheet.write_string(row + 1, column, name.capitalize(), self.heading)
        first = row + 2
        for at, (label, counts) in enumerate(bars.rows, start=first):
            sheet.write_string(at, 0, pieces(label)[0], self.text)
            for column, count in enumerate(counts, start=1):
                if count is None:
                    sheet.write_string(at, column, FEW, self.text)
                else:
                    sheet.write_number(at, column, count, self.number)
        last = first + len(bars.rows) - 1
        drawn = self.workbook.add_chart({"type": "bar"})
        for column, (_, name) in enumerate(bars.series, start=1):
            drawn.add_series(
                {
                    "name": name.capitalize(),
                    "categories": [sheet.name, first, 0, last, 0],
                    "values": [sheet.name, first, column, last, column],
                    "data_labels": {"value": True},
                    "fill": {"color": ("#12436D", "#8A5A00")[column - 1]},
                }
            )
        drawn.set_title({"name": bars.title, "name_font": {"size": 11}})
        drawn.set_y_axis({"reverse": True})
        drawn.set_size({"width": 640, "height": 80 + 40 * len(bars.rows)})
        # Alternative text of at most as much as Excel's own box for it takes.
        sheet.insert_chart(row, 4, drawn, {"description": clean(bars.alternative)[:2000]})
        # A row is 20 pixels high: the next table stands beneath this chart.
        return row + 2 + max(len(bars.rows), 4 + 2 * len(bars.rows)) + 2

    def _row(self, sheet: Worksheet, row: int, values: Sequence[Cell]) -> None:
        for column, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(row, column, value, self.text)
            elif isinstance(value, int):
                sheet.write_number(row, column, value, self.number)
            elif value is not None and value.year < _FIRST_YEAR:
                sheet.write_string(row, column, day(value), self.text)
            elif value is not None:
                sheet.write_datetime(row, column, datetime.combine(value, time()), self.date)


def _told(
    columns: Sequence[Column], rows: list[Sequence[Cell]], optional: Set[str]
) -> tuple[Sequence[Column], list[Sequence[Cell]]]:
    kept = [at for at, (heading, _) in enumerate(columns) if heading not in optional or any(row[at] for row in rows)]
    return [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _parts(values: Sequence[Cell]) -> Iterable[Sequence[Cell]]:
    """Give the row, then a row for what did not fit its cells, with the first column repeated to say whose it is."""
    cut = [pieces(value) if isinstance(value, str) else [value] for value in values]
    yield [pieces[0] for pieces in cut]
    for number in range(1, max(map(len, cut))):
        yield [cut[0][0], *(pieces[number] if number < len(pieces) else None for pieces in cut[1:])]


def pieces(text: str) -> list[str]:
    """Cut the cleaned text into pieces that a cell can hold, counted as Excel counts: in UTF-16 units."""
    left = clean(text)
    pieces = []
    # A character is at most two units, so half the limit always fits, and no surrogate pair is ever cut.
    size = _CELL_UNITS if left.isascii() else _CELL_UNITS // 2
    while len(left) > size:
        pieces.append(left[:size])
        left = left[size:]
    return [*pieces, left]
