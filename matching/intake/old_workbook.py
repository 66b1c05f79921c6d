"""Excel workbooks of before 2007 (.xls): their records looked over before the reader makes a grid of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from matching.intake.archive import SAVE_AS
from matching.intake.compound import read_compound
from matching.intake.grid import EPOCH_1900, EPOCH_1904, Extent, Grid, Merged, check_merged, listed
from matching.intake.sheet import NOT_WORKED_OUT, UnreadableSheet, cell_name
from matching.intake.workbook import Aside, read_values

# Records of the format (MS-XLS 2.3), by number.
_FORMULA, _EOF, _NOTE, _DATE_MODE, _LOCK = 0x0006, 0x000A, 0x001C, 0x0022, 0x002F
_COLUMN, _SHEET, _MANY_NUMBERS, _RICH, _MERGED, _TEXTS = 0x007D, 0x0085, 0x00BD, 0x00D6, 0x00E5, 0x00FC
_SIZE: Final = 0x0200
_MOST_ROWS, _MOST_COLUMNS = 65_536, 256
_SHARED, _NUMBER, _TEXT, _ERROR, _ROW, _SMALL, _BEGIN = 0x00FD, 0x0203, 0x0204, 0x0205, 0x0208, 0x027E, 0x0809
_CELLS: Final = frozenset({_RICH, _SHARED, _NUMBER, _TEXT, _SMALL, _ERROR, _FORMULA})
_ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_DAMAGED: Final = f"The workbook is damaged. {SAVE_AS}"
_PASSWORD: Final = "The workbook has a password. Take it off and save the workbook again."  # noqa: S105
_MACROS_NOTE: Final = "The workbook holds macros. None was run: only the values in its cells were read."


def read_old_workbook(content: bytes) -> tuple[tuple[Grid, ...], tuple[str, ...]]:
    """Return the worksheets of an old workbook in order, and what is to be said of the whole.

    :raises UnreadableSheet: when the file is another kind of old Office file, has a password, or is damaged.
    """
    compound = read_compound(content)
    if compound.stream("EncryptedPackage") is not None:
        raise UnreadableSheet(_PASSWORD)
    stream = compound.stream("Workbook") or compound.stream("Book")
    if stream is None:
        raise UnreadableSheet("This is an old Office file, but no workbook. Send a sheet, as .xlsx or CSV.")
    try:
        asides = _asides(stream)
    except (struct.error, IndexError) as error:
        raise UnreadableSheet(_DAMAGED) from error
    grids, notes = read_values(content, asides)
    return grids, ((_MACROS_NOTE,) if "_vba_project" in compound.entries else ()) + notes


@dataclass(slots=True)
class _Globals:
    """What the beginning of the workbook says of all of it."""

    epoch: date = EPOCH_1900
    sheets: list[tuple[int, int, int]] = field(default_factory=list)


def _asides(stream: bytes) -> list[Aside | None]:
    book = _globals(stream)
    extent = Extent()
    asides: list[Aside | None] = []
    seen: set[int] = set()
    for place, state, kind in book.sheets:
        if place in seen or place >= len(stream):
            raise UnreadableSheet(_DAMAGED)
        seen.add(place)
        asides.append(_Watch(extent).follow(stream, place, hidden=state != 0, epoch=book.epoch) if kind == 0 else None)
    return asides


def _globals(stream: bytes) -> _Globals:
    book = _Globals()
    begun, _, first = next(_records(stream, 0), (0, 0, b""))
    if begun != _BEGIN or first[:2] not in (b"\x00\x05", b"\x00\x06"):
        raise UnreadableSheet(f"This is an Excel file of before 1995, or a damaged one. {SAVE_AS}")
    for kind, _, data in _records(stream, 0):
        if kind == _LOCK:
            raise UnreadableSheet(_PASSWORD)
        if kind == _DATE_MODE and data[:2] == b"\x01\x00":
            book.epoch = EPOCH_1904
        elif kind == _SHEET:
            place, state, sort = struct.unpack_from("<IBB", data)
            book.sheets.append((place, state & 3, sort))
        elif kind == _TEXTS and int.from_bytes(data[4:8], "little") > len(stream):
            # The reader would make room for as many texts as the record says, and end the whole program in trying.
            raise UnreadableSheet(_DAMAGED)
        elif kind == _EOF:
            break
    return book


def _check_size(data: bytes) -> None:
    """Refuse a worksheet that claims to be larger than any is: the reader would make room for it, and end the program.

    Until Excel 95 rows were numbered in two bytes, which cannot claim so much.
    """
    if len(data) >= 12:
        first_row, rows, first_column, columns = struct.unpack_from("<IIHH", data)
        if not (first_row <= rows <= _MOST_ROWS and first_column <= columns <= _MOST_COLUMNS):
            raise UnreadableSheet(_DAMAGED)


def _records(stream: bytes, place: int) -> Iterator[tuple[int, int, bytes]]:
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        if place + 4 + length > len(stream):
            raise UnreadableSheet(_DAMAGED)
        yield kind, place, stream[place + 4 : place + 4 + length]
        place += 4 + length


@dataclass(slots=True)
class _Watch:
    """Follows the records of one worksheet."""

    extent: Extent
    troubles: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[Merged] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)
    comments: int = 0

    def follow(self, stream: bytes, place: int, *, hidden: bool, epoch: date) -> Aside:
        """Read on to the worksheet's end; charts that stand in it have cells of their own, which are not its."""
        self.extent.next_sheet()
        depth = 0
        for kind, _, data in _records(stream, place):
            if kind == _SIZE:
                _check_size(data)
            if kind == _BEGIN:
                depth += 1
            elif kind == _EOF:
                depth -= 1
                if depth <= 0:
                    break
            elif depth == 1:
                self._take(kind, data)
        return Aside(
            hidden=hidden,
            hidden_rows=frozenset(self.hidden_rows),
            hidden_columns=frozenset(self.hidden_columns),
            merged=tuple(self.merged),
            troubles=self.troubles,
            comments=self.comments,
            epoch=epoch,
            # The format has one mark for “no text” and for “never worked out”.
            notes=(f"Formulas without a result were read as blank: {listed(self.blank)}.",) if self.blank else (),
        )

    def _take(self, kind: int, data: bytes) -> None:
        if kind in _CELLS:
            row, column = struct.unpack_from("<HH", data)
            self.extent.reach(row, column)
            self._look(kind, row, column, data)
        elif kind == _MANY_NUMBERS:
            row, _ = struct.unpack_from("<HH", data)
            self.extent.reach(row, struct.unpack_from("<H", data, len(data) - 2)[0])
        elif kind == _ROW:
            if struct.unpack_from("<H", data, 12)[0] & 0x20:
                self.hidden_rows.add(struct.unpack_from("<H", data)[0])
        else:
            self._take_rest(kind, data)

    def _take_rest(self, kind: int, data: bytes) -> None:
        if kind == _COLUMN:
            first, last, _, _, options = struct.unpack_from("<5H", data)
            if options & 1:
                self.hidden_columns.update(range(first, min(last, 255) + 1))
        elif kind == _NOTE:
            self.comments += 1
        elif kind == _MERGED:
            for index in range(struct.unpack_from("<H", data)[0]):
                top, bottom, left, right = struct.unpack_from("<4H", data, 2 + 8 * index)
                self.merged.append(Merged(top, left, bottom, right))
            check_merged(self.merged)

    def _look(self, kind: int, row: int, column: int, data: bytes) -> None:
        """Take note of an error, and of a formula whose result is left for the next opening."""
        if kind == _ERROR and data[7]:
            self.troubles[row, column] = _ERRORS.get(data[6], "#ERROR!")
        elif kind == _FORMULA and data[12:14] == b"\xff\xff":
            if data[6] == 2:
                self.troubles[row, column] = _ERRORS.get(data[8], "#ERROR!")
            elif data[6] == 3 and struct.unpack_from("<H", data, 14)[0] & 3:
                self.troubles[row, column] = NOT_WORKED_OUT
            elif data[6] == 3:
                self.blank.append(cell_name(row, column))
