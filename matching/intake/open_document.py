"""OpenDocument sheets (.ods): cells repeated a million times are counted, never written out."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Final

from matching.intake.archive import SAVE_AS, find_part, opened, parse
from matching.intake.grid import EPOCH_1900, FARTHEST_ROW, Extent, Grid, Merged, check_merged, listed
from matching.intake.sheet import (
    ERROR_TEXTS,
    LONGEST_CELL,
    MOST_TEXT,
    NOT_WORKED_OUT,
    CellValue,
    UnreadableSheet,
    cell_name,
    tidy_text,
)
from matching.intake.workbook import trouble_notes

_TABLE: Final = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE: Final = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_TEXT: Final = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_STYLE: Final = "urn:oasis:names:tc:opendocument:xmlns:style:1.0 "
_CALC: Final = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_SHEETS: Final = "application/vnd.oasis.opendocument.spreadsheet"
_CELLS: Final = frozenset({_TABLE + "table-cell", _TABLE + "covered-table-cell"})
_ASIDE: Final = frozenset({_OFFICE + "annotation", _TABLE + "shapes", _TABLE + "dde-link", _TABLE + "tracked-changes"})


def read_open_document(content: bytes) -> tuple[tuple[Grid, ...], tuple[str, ...]]:
    """Return the worksheets of an OpenDocument file in order, and what is to be said of the whole.

    :raises UnreadableSheet: when it is no spreadsheet, has a password, is damaged, or is too large.
    """
    with opened(content) as archive:
        _refuse_others(archive)
        part = find_part(archive, "content.xml")
        if part is None:
            raise UnreadableSheet(f"The file is damaged: it has no contents. {SAVE_AS}")
        watch = _Watch()
        parse(archive, part, watch, namespaces=True)
        macros = any(item.filename.startswith(("Basic/", "Scripts/")) for item in archive.infolist())
    notes = ("The file holds macros. None was run: only the values in its cells were read.",) if macros else ()
    return tuple(sheet.grid(watch.epoch) for sheet in watch.sheets), notes


def _refuse_others(archive: zipfile.ZipFile) -> None:
    kind = _beginning(archive, "mimetype")
    if kind and not kind.startswith(_SHEETS):
        raise UnreadableSheet("This is an OpenDocument file, but no spreadsheet. Send a sheet, as .xlsx or CSV.")
    if "encryption-data" in _beginning(archive, "META-INF/manifest.xml"):
        raise UnreadableSheet("The file has a password. Take it off and save the file again.")


def _beginning(archive: zipfile.ZipFile, path: str) -> str:
    part = find_part(archive, path)
    if part is None:
        return ""
    with archive.open(part) as stream:
        return stream.read(100_000).decode("utf-8", errors="replace")


@dataclass(slots=True)
class _Sheet:
    """One worksheet while it is read; ``row`` and ``column`` are where the next cell goes, from 0."""

    title: str
    hidden: bool
    row: int = 0
    column: int = 0
    columns: int = 0
    repeat: int = 1
    line: list[tuple[int, int, CellValue]] = field(default_factory=list)
    cells: list[list[CellValue]] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    troubles: dict[tuple[int, int], str] = field(default_factory=dict)
    timed: list[str] = field(default_factory=list)
    comments: int = 0

    def grid(self, epoch: date) -> Grid:
        """Return what was read."""
        timed = (f"Dates were read without their time of day: {listed(self.timed)}.",) if self.timed else ()
        return Grid(
            title=self.title,
            cells=self.cells,
            merged=tuple(self.merged),
            hidden=self.hidden,
            hidden_rows=frozenset(self.hidden_rows),
            hidden_columns=frozenset(self.hidden_columns),
            comments=self.comments,
            epoch=epoch,
            notes=(*timed, *trouble_notes(self.troubles)),
        )

    def end_row(self, extent: Extent) -> None:
        """Write the row out as often as it stands there; blank ones are only counted."""
        if self.line:
            _, end, _ = self.line[-1]
            extent.reach(self.row + self.repeat - 1, end - 1)
            cells: list[CellValue] = [None] * end
            for start, stop, value in self.line:
                cells[start:stop] = [value] * (stop - start)
            self.cells += [[] for _ in range(self.row - len(self.cells))]
            self.cells += [list(cells) for _ in range(self.repeat)]
        self.row += self.repeat
        self.line = []


@dataclass(slots=True)
class _Watch:
    """Follows ``content.xml``: its tables, rows and cells; notes on cells and drawings have text that is not theirs."""

    sheets: list[_Sheet] = field(default_factory=list)
    epoch: date = EPOCH_1900
    _extent: Extent = field(default_factory=Extent)
    _sheet: _Sheet | None = None
    _hidden_styles: set[str] = field(default_factory=set)
    _style: str = ""
    _aside: int = 0
    _cell: dict[str, str] | None = None
    _paragraphs: list[str] = field(default_factory=list)
    _in_text: bool = False
    _long: int = 0

    def start(self, element: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if element in _ASIDE or self._aside:
            self._aside += 1
            if element == _OFFICE + "annotation" and self._aside == 1 and self._sheet:
                self._sheet.comments += 1
        elif element.startswith(_TEXT):
            self._start_text(element, attributes)
        elif element.startswith(_TABLE):
            self._start_table(element, attributes)
        elif element == _STYLE + "style":
            self._style = attributes.get(_STYLE + "name", "")
        elif element == _STYLE + "table-properties" and attributes.get(_TABLE + "display") == "false":
            self._hidden_styles.add(self._style)

    def end(self, element: str) -> None:
        """Take the end of an element."""
        if self._aside:
            self._aside -= 1
        elif element in _CELLS:
            self._end_cell()
        elif element == _TABLE + "table-row" and self._sheet:
            self._sheet.end_row(self._extent)
        elif element == _TABLE + "table":
            self._sheet = None
        elif element == _TEXT + "p":
            self._in_text = False

    def text(self, text: str) -> None:
        """Take a piece of a cell's text."""
        if self._in_text and not self._aside and self._cell is not None:
            self._paragraphs[-1] += text
            self._long += len(text)
            if self._long > LONGEST_CELL:
                where = cell_name(self._sheet.row, self._sheet.column) if self._sheet else ""
                raise UnreadableSheet(f"Cell {where} holds more than {LONGEST_CELL} characters. Shorten it.")

    def _start_text(self, element: str, attributes: dict[str, str]) -> None:
        if self._cell is None:
            return
        if element == _TEXT + "p":
            self._in_text = True
            self._paragraphs.append("")
        elif self._in_text and element == _TEXT + "s":
            self._paragraphs[-1] += " " * min(_count(attributes, _TEXT + "c"), 100)
        elif self._in_text and element in (_TEXT + "tab", _TEXT + "line-break"):
            self._paragraphs[-1] += "\t" if element.endswith("tab") else "\n"

    def _start_table(self, element: str, attributes: dict[str, str]) -> None:
        if element == _TABLE + "null-date":
            self.epoch = _day(attributes.get(_TABLE + "date-value", "")) or self.epoch
        elif element == _TABLE + "table":
            self._extent.next_sheet()
            hidden = attributes.get(_TABLE + "style-name", "") in self._hidden_styles
            self._sheet = _Sheet(title=attributes.get(_TABLE + "name", ""), hidden=hidden)
            self.sheets.append(self._sheet)
        elif self._sheet is not None:
            self._start_part(self._sheet, element, attributes)

    def _start_part(self, sheet: _Sheet, element: str, attributes: dict[str, str]) -> None:
        hidden = attributes.get(_TABLE + "visibility", "visible") != "visible"
        if element == _TABLE + "table-column":
            count = _count(attributes, _TABLE + "number-columns-repeated")
            if hidden:
                sheet.hidden_columns.update(range(sheet.columns, min(sheet.columns + count, 300)))
            sheet.columns += count
        elif element == _TABLE + "table-row":
            sheet.column, sheet.repeat = 0, _count(attributes, _TABLE + "number-rows-repeated")
            if hidden:
                sheet.hidden_rows.update(range(sheet.row, min(sheet.row + sheet.repeat, FARTHEST_ROW)))
        elif element in _CELLS:
            self._cell, self._paragraphs, self._in_text, self._long = attributes, [], False, 0

    def _end_cell(self) -> None:
        sheet, attributes = self._sheet, self._cell
        self._cell = None
        if sheet is None or attributes is None:
            return
        start = sheet.column
        sheet.column += _count(attributes, _TABLE + "number-columns-repeated")
        value = self._value(sheet, attributes)
        if value is None:
            return
        self._extent.reach(sheet.row, sheet.column - 1)
        self._extent.text(sum(map(len, self._paragraphs)) * sheet.repeat, most=MOST_TEXT)
        sheet.line.append((start, sheet.column, value))
        down = _count(attributes, _TABLE + "number-rows-spanned")
        across = _count(attributes, _TABLE + "number-columns-spanned")
        if down > 1 or across > 1:
            sheet.merged.append(Merged(sheet.row, start, sheet.row + down - 1, start + across - 1))
            check_merged(sheet.merged)

    def _value(self, sheet: _Sheet, attributes: dict[str, str]) -> CellValue:
        where = sheet.row, sheet.column - 1
        kind = attributes.get(_OFFICE + "value-type", "")
        shown = tidy_text("\n".join(self._paragraphs))
        if attributes.get(_CALC + "value-type") == "error":
            sheet.troubles[where] = shown if shown in ERROR_TEXTS else "#ERROR!"
            return sheet.troubles[where]
        if not kind and _TABLE + "formula" in attributes and shown is None:
            sheet.troubles[where] = NOT_WORKED_OUT
            return NOT_WORKED_OUT
        if kind == "date":
            return _date(attributes.get(_OFFICE + "date-value", ""), shown, sheet.timed, cell_name(*where))
        return _plain(kind, attributes, shown)


def _plain(kind: str, attributes: dict[str, str], shown: str | None) -> CellValue:
    if kind in {"float", "percentage", "currency"}:
        try:
            number = float(attributes.get(_OFFICE + "value", ""))
        except ValueError:
            return shown
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "boolean":
        return attributes.get(_OFFICE + "boolean-value") == "true"
    if kind == "time":
        return time()
    said = attributes.get(_OFFICE + "string-value")
    return shown if said is None else tidy_text(said)


def _date(said: str, shown: str | None, timed: list[str], where: str) -> CellValue:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return shown
    if moment.time() != time():
        timed.append(where)
    return moment.date()


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _count(attributes: dict[str, str], name: str) -> int:
    said = attributes.get(name, "1")
    return max(1, int(said)) if said.isascii() and said.isdigit() and len(said) < 9 else 1
