"""Excel workbooks: looked over before they are opened, so that a hostile or broken one cannot do harm in silence."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from xml.parsers import expat

import python_calamine

from matching.intake.sheet import MOST_COLUMNS, MOST_ROWS, CellValue, Sheet, UnreadableSheet, sheet_of, tidy_text

MOST_UNPACKED: Final = 400 * 1024 * 1024
MOST_TEXT: Final = 200 * 1024 * 1024
MOST_TIMES_SMALLER: Final = 200
MOST_PARTS: Final = 2_000
"""Caps on a workbook: bytes once unpacked, characters in its cells, packing ratio, files inside."""

_SAVE_AS: Final = "Open it in Excel or LibreOffice and save it again as .xlsx."
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)
_POSITION: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


def read_workbook(content: bytes, *, name: str, wanted: str) -> Sheet:
    """Return the sheet called ``wanted`` (in any case), or the only visible one.

    :raises UnreadableSheet: when the file is no workbook, is larger unpacked than the caps, has several sheets to
        choose from, merged cells, error values or formulas without a result.
    """
    _check_archive(content)
    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            title, notes = _chosen(workbook, wanted=wanted)
            sheet = workbook.get_sheet_by_name(title)
            _refuse_merged(sheet)
            lines = [[_value(cell) for cell in cells] for cells in sheet.to_python(skip_empty_area=False)]
    except python_calamine.PasswordError as error:
        raise UnreadableSheet("The workbook has a password. Take it off and save the workbook again.") from error
    except python_calamine.CalamineError as error:
        raise UnreadableSheet(f"The file is not an Excel workbook that can be read. {_SAVE_AS}") from error
    except BaseException as error:
        # The reader is compiled code: when it gives up on a file it raises what no Exception clause would catch.
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableSheet(f"The workbook is damaged. {_SAVE_AS}") from error
    return sheet_of(name, lines, notes=notes)


def _chosen(workbook: python_calamine.CalamineWorkbook, *, wanted: str) -> tuple[str, tuple[str, ...]]:
    visible = [
        meta.name
        for meta in workbook.sheets_metadata
        if meta.visible == python_calamine.SheetVisibleEnum.Visible
        and meta.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    named = [title for title in visible if title.strip().casefold() == wanted.casefold()]
    if len(named) == 1:
        others = len(visible) - 1
        return named[0], (f"Only the sheet “{named[0]}” was read; {others} other(s) were left.",) if others else ()
    if len(visible) == 1:
        return visible[0], ()
    raise UnreadableSheet(
        f"The workbook has {len(visible)} visible sheets, so which to read is not clear. "
        f"Name one “{wanted}”, or keep only one."
    )


def _refuse_merged(sheet: python_calamine.CalamineSheet) -> None:
    merged = sheet.merged_cell_ranges or []
    if merged:
        row, column = min(start for start, _ in merged)
        raise UnreadableSheet(
            f"The sheet has merged cells, the first at row {row + 1}, column {column + 1}. Unmerge them: "
            "only the first of merged cells holds a value, so the others would be lost."
        )


def _value(cell: int | float | str | bool | time | date | datetime | timedelta) -> CellValue:
    if isinstance(cell, str):
        return tidy_text(cell)
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time() else cell.time()
    if isinstance(cell, timedelta):
        return time()
    return cell


# ── before it is opened ──


def _check_archive(content: bytes) -> None:
    """Refuse an archive that unpacks to too much, and read its sheets once for what the reader would hide."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
                raise UnreadableSheet(f"The workbook unpacks to {unpacked // 2**20} MB, more than can be read.")
            if unpacked > 10 * 2**20 and unpacked > MOST_TIMES_SMALLER * len(content):
                raise UnreadableSheet("The workbook is packed more tightly than any real one. " + _SAVE_AS)
            _look_over(archive)
    except _DAMAGE as error:
        raise UnreadableSheet(f"The workbook is damaged. {_SAVE_AS}") from error
    except expat.ExpatError as error:
        raise UnreadableSheet(f"The workbook is damaged: line {error.lineno} of a sheet. {_SAVE_AS}") from error


def _look_over(archive: zipfile.ZipFile) -> None:
    strings = _StringLengths()
    for part in archive.infolist():
        if posixpath.basename(part.filename).lower() == "sharedstrings.xml":
            _parse(archive, part, strings)
    cells = _CellWatch(lengths=strings.lengths)
    for part in archive.infolist():
        # The reader takes sheets from this folder alone, whatever their names end in.
        if "/worksheets/" in "/" + part.filename.lower().replace("\\", "/"):
            cells.row = cells.column = 0
            _parse(archive, part, cells)


def _parse(archive: zipfile.ZipFile, part: zipfile.ZipInfo, watch: _StringLengths | _CellWatch) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = watch.start
    parser.EndElementHandler = watch.end
    parser.CharacterDataHandler = watch.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    with archive.open(part) as stream:
        parser.ParseFile(stream)


def _refuse_doctype(*_: object) -> None:
    # No workbook has one; entities declared in it could grow without end.
    raise UnreadableSheet(f"The workbook holds declarations that no spreadsheet program writes. {_SAVE_AS}")


@dataclass(slots=True)
class _StringLengths:
    """How long each shared string is, so that a long one used many times is seen before it is copied."""

    lengths: list[int] = field(default_factory=list)

    def start(self, element: str, _: dict[str, str]) -> None:
        if element.rpartition(":")[2] == "si":
            self.lengths.append(0)

    def end(self, element: str) -> None:
        """Do nothing: a string ends where the next begins."""

    def text(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)


@dataclass(slots=True)
class _CellWatch:
    """Follows the cells of a sheet: where each is, how much text it brings, whether it has an error or no result."""

    lengths: list[int]
    row: int = 0
    column: int = 0
    characters: int = 0
    shared: bool = False
    formula: bool = False
    held: str = ""
    in_value: bool = False

    def start(self, element: str, attributes: dict[str, str]) -> None:
        tag = element.rpartition(":")[2]
        if tag == "c":
            self._cell(attributes)
        elif tag == "v":
            self.in_value, self.held = True, ""
        elif tag == "f":
            self.formula = True
        elif tag == "row":
            self._row(attributes)

    def end(self, element: str) -> None:
        tag = element.rpartition(":")[2]
        if tag == "v":
            self.in_value = False
            self._brings(self._length())
        elif tag == "c" and self.formula and not self.held:
            raise UnreadableSheet(
                f"Cell {self._where()} has a formula without a result. Open the workbook in Excel, let it calculate, "
                "and save it again."
            )

    def text(self, text: str) -> None:
        if self.in_value:
            self.held += text
        else:
            self._brings(len(text))

    def _row(self, attributes: dict[str, str]) -> None:
        said = attributes.get("r", "")
        self.row = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else self.row + 1
        self.column = 0
        self._check_position()

    def _cell(self, attributes: dict[str, str]) -> None:
        self.shared = attributes.get("t") == "s"
        self.formula, self.held = False, ""
        self.column += 1
        match = _POSITION.fullmatch(attributes.get("r", ""))
        if match:
            self.column, self.row = _column_number(match[1]), int(match[2])
        self._check_position()
        if attributes.get("t") == "e":
            raise UnreadableSheet(
                f"Cell {self._where()} shows an Excel error (such as #N/A). Mend it or clear it, and save again."
            )

    def _check_position(self) -> None:
        # The reader makes a full grid up to the furthest cell: one cell far away would fill the memory.
        if self.row > MOST_ROWS + 1 or self.column > MOST_COLUMNS:
            raise UnreadableSheet(
                f"The sheet reaches to cell {self._where()}; at most {MOST_ROWS} rows and {MOST_COLUMNS} columns can "
                "be read. Delete the empty rows and columns below and beside the records, and save again."
            )

    def _length(self) -> int:
        if self.shared and self.held.isascii() and self.held.isdigit() and int(self.held) < len(self.lengths):
            return self.lengths[int(self.held)]
        return len(self.held)

    def _brings(self, characters: int) -> None:
        self.characters += characters
        if self.characters > MOST_TEXT:
            raise UnreadableSheet("The workbook holds more text than can be read. Split it in parts.")

    def _where(self) -> str:
        letters, rest = "", self.column
        while rest:
            rest, digit = divmod(rest - 1, 26)
            letters = chr(ord("A") + digit) + letters
        return f"{letters}{self.row}"


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
