"""Excel workbooks: looked over before they are opened, so that a hostile or broken one cannot do harm in silence."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import python_calamine

from matching.intake.archive import SAVE_AS, check_part, find_part, opened, parse
from matching.intake.grid import EPOCH_1900, EPOCH_1904, Extent, Grid, Merged, listed
from matching.intake.sheet import NOT_WORKED_OUT, CellValue, UnreadableSheet, cell_name, tidy_text
from matching.intake.worksheet import Elements, StringLengths, WorksheetWatch

_MACROS_NOTE: Final = "The workbook holds macros. None was run: only the values in its cells were read."
_Raw = int | float | str | bool | time | date | datetime | timedelta


@dataclass(frozen=True, slots=True)
class Aside:
    """What is known of a worksheet beside its values: the same for new workbooks and old ones."""

    hidden: bool
    hidden_rows: frozenset[int]
    hidden_columns: frozenset[int]
    merged: tuple[Merged, ...]
    troubles: Mapping[tuple[int, int], str]
    comments: int
    epoch: date
    notes: tuple[str, ...] = ()


def read_workbook(content: bytes) -> tuple[tuple[Grid, ...], tuple[str, ...]]:
    """Return the worksheets of a workbook (.xlsx or .xlsm) in order, and what is to be said of the whole.

    :raises UnreadableSheet: when the file is no such workbook, is damaged, or is larger unpacked than the caps.
    """
    with opened(content) as archive:
        asides = _asides(archive)
        macros = any(posixpath.basename(part.filename).lower() == "vbaproject.bin" for part in archive.infolist())
    grids, notes = read_values(content, asides)
    return grids, ((_MACROS_NOTE,) if macros else ()) + notes


def read_values(content: bytes, asides: list[Aside | None]) -> tuple[tuple[Grid, ...], tuple[str, ...]]:
    """Return the values of each worksheet, and notes; ``asides`` stand in workbook order, ``None`` for no worksheet.

    :raises UnreadableSheet: when the library that reads workbooks gives up on it.
    """
    grids: list[Grid] = []
    others = 0
    with _giving_up(), python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        metas = workbook.sheets_metadata
        if len(metas) != len(asides):
            raise UnreadableSheet(f"The workbook does not say which worksheets it has. {SAVE_AS}")
        for index, (meta, aside) in enumerate(zip(metas, asides, strict=True)):
            if meta.typ == python_calamine.SheetTypeEnum.WorkSheet and aside is not None:
                raw = workbook.get_sheet_by_index(index).to_python(skip_empty_area=False)
                grids.append(_grid(meta.name, raw, aside))
            else:
                others += 1
    return tuple(grids), ((f"{others} sheet(s) of charts or macros were left: they hold no cells.",) if others else ())


@contextmanager
def _giving_up() -> Iterator[None]:
    try:
        yield
    except python_calamine.PasswordError as error:
        raise UnreadableSheet("The workbook has a password. Take it off and save the workbook again.") from error
    except python_calamine.CalamineError as error:
        raise UnreadableSheet(f"The file is not an Excel workbook that can be read. {SAVE_AS}") from error
    except BaseException as error:
        # The reader is compiled code: when it gives up on a file it raises what no Exception clause would catch.
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableSheet(f"The workbook is damaged. {SAVE_AS}") from error


def _grid(title: str, raw: list[list[_Raw]], aside: Aside) -> Grid:
    timed: list[str] = []
    cells = [[_value(cell, timed, row, column) for column, cell in enumerate(line)] for row, line in enumerate(raw)]
    for (row, column), text in aside.troubles.items():
        cells.extend([] for _ in range(row + 1 - len(cells)))
        cells[row].extend([None] * (column + 1 - len(cells[row])))
        cells[row][column] = text
    return Grid(
        title=title,
        cells=cells,
        merged=aside.merged,
        hidden=aside.hidden,
        hidden_rows=aside.hidden_rows,
        hidden_columns=aside.hidden_columns,
        comments=aside.comments,
        epoch=aside.epoch,
        notes=(*_timed_note(timed), *trouble_notes(aside.troubles), *aside.notes),
    )


def _value(cell: _Raw, timed: list[str], row: int, column: int) -> CellValue:
    if isinstance(cell, str):
        return tidy_text(cell) if cell else None
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
    if isinstance(cell, datetime):
        if cell.time() != time():
            timed.append(cell_name(row, column))
        return cell.date()
    if isinstance(cell, timedelta):
        return time()
    return cell


def _timed_note(timed: list[str]) -> tuple[str, ...]:
    return (f"Dates were read without their time of day: {listed(timed)}.",) if timed else ()


def trouble_notes(troubles: Mapping[tuple[int, int], str]) -> tuple[str, ...]:
    """Return what to say of cells that hold an error, or a formula that was never worked out."""
    waiting = sorted(place for place, text in troubles.items() if text == NOT_WORKED_OUT)
    broken = sorted(place for place, text in troubles.items() if text != NOT_WORKED_OUT)
    notes = []
    if broken:
        notes.append(f"These cells show an error (such as #N/A) in place of a value: {_named(broken)}.")
    if waiting:
        notes.append(
            f"These cells have a formula without a result: {_named(waiting)}. Open the workbook in Excel, let it "
            "calculate, and save it again."
        )
    return tuple(notes)


def _named(places: list[tuple[int, int]]) -> str:
    return listed([cell_name(*place) for place in places])


# ── before it is opened ──


def _asides(archive: zipfile.ZipFile) -> list[Aside | None]:
    """Read every worksheet's XML once for what the reader would hide."""
    book = _elements(archive, "xl/workbook.xml", "sheet", "workbookPr")
    targets = _targets(archive, "xl/workbook.xml")
    dated = next((found for tag, found in book if tag == "workbookPr"), {})
    epoch = EPOCH_1904 if dated.get("date1904") in {"1", "true"} else EPOCH_1900
    strings, extent = StringLengths(), Extent()
    for part in archive.infolist():
        name = posixpath.basename(part.filename).lower()
        if name == "sharedstrings.xml":
            parse(archive, part, strings)
        elif name == "styles.xml":
            check_part(archive, part)
    asides: list[Aside | None] = []
    for found in (found for tag, found in book if tag == "sheet"):
        kind, path = targets.get(_relation(found), ("", ""))
        worksheet = find_part(archive, path) if kind == "worksheet" else None
        if kind in {"", "worksheet"} and worksheet is None:
            raise UnreadableSheet(f"A worksheet is missing from the workbook. {SAVE_AS}")
        asides.append(_aside(archive, worksheet, found, extent, strings, epoch) if worksheet else None)
    return asides


def _aside(
    archive: zipfile.ZipFile,
    part: zipfile.ZipInfo,
    found: dict[str, str],
    extent: Extent,
    strings: StringLengths,
    epoch: date,
) -> Aside:
    extent.next_sheet()
    watch = WorksheetWatch(extent=extent, lengths=strings.lengths)
    parse(archive, part, watch)
    notes = [to for kind, to in _targets(archive, part.filename).values() if kind == "comments"]
    return Aside(
        hidden=found.get("state", "visible") != "visible",
        hidden_rows=frozenset(watch.hidden_rows),
        hidden_columns=frozenset(watch.hidden_columns),
        merged=tuple(watch.merged),
        troubles=watch.troubles,
        comments=sum(len(_elements(archive, path, "comment")) for path in notes),
        epoch=epoch,
    )


def _targets(archive: zipfile.ZipFile, path: str) -> dict[str, tuple[str, str]]:
    """Return what a part points to: by its relation's id, the kind of part and its path."""
    folder, name = posixpath.split(path.replace("\\", "/"))
    found = _elements(archive, f"{folder}/_rels/{name}.rels", "Relationship")
    return {
        said.get("Id", ""): (
            posixpath.basename(said.get("Type", "")),
            posixpath.normpath(posixpath.join("/" + folder, said.get("Target", ""))),
        )
        for _, said in found
    }


def _relation(sheet: dict[str, str]) -> str:
    # The prefix of the relations' namespace is the writer's choice.
    return next((value for name, value in sheet.items() if name.rpartition(":")[1:] == (":", "id")), "")


def _elements(archive: zipfile.ZipFile, path: str, *tags: str) -> list[tuple[str, dict[str, str]]]:
    part = find_part(archive, path)
    watch = Elements(wanted=frozenset(tags))
    if part:
        parse(archive, part, watch)
    return watch.found
