"""Files that need no program of an office: text with separators, and a small OpenDocument sheet."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from concord.demo.row import Cell

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_KIND: Final = "application/vnd.oasis.opendocument.spreadsheet"
_SPACE: Final = "urn:oasis:names:tc:opendocument:xmlns"
_MANIFEST: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="{_SPACE}:manifest:1.0" '
    f'manifest:version="1.3"><manifest:file-entry manifest:full-path="/" manifest:media-type="{_KIND}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def write_csv(path: Path, *, headings: Sequence[str], lines: Iterable[Sequence[Cell]]) -> None:
    """Write rows as UTF-8 with commas, dates as dd/mm/yyyy."""
    _write_text(path, [headings, *lines], delimiter=",", encoding="utf-8")


def write_old_csv(path: Path, *, headings: Sequence[str], lines: Iterable[Sequence[Cell]]) -> None:
    """Write rows as an old database on Windows does: semicolons, and Windows-1252."""
    _write_text(path, [headings, *lines], delimiter=";", encoding="cp1252")


def write_open_document(path: Path, *, title: str, headings: Sequence[str], lines: Iterable[Sequence[Cell]]) -> None:
    """Write rows as an OpenDocument sheet."""
    rows = "".join(f"<table:table-row>{''.join(map(_cell, line))}</table:table-row>" for line in [headings, *lines])
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{_SPACE}:office:1.0" '
        f'xmlns:table="{_SPACE}:table:1.0" xmlns:text="{_SPACE}:text:1.0" office:version="1.3"><office:body>'
        f"<office:spreadsheet><table:table table:name={quoteattr(title)}>{rows}</table:table></office:spreadsheet>"
        "</office:body></office:document-content>"
    )
    parts = {"mimetype": _KIND, "META-INF/manifest.xml": _MANIFEST, "content.xml": content}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            # The system is written into the archive: without this the same sheet would differ between machines.
            info.create_system = 3
            # The kind comes first and is not packed, so that it can be read at a known place.
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(info, text)


def _write_text(path: Path, lines: Iterable[Sequence[Cell]], *, delimiter: str, encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(map(_texts, lines))


def _texts(line: Sequence[Cell]) -> list[str]:
    return [_text(cell) for cell in line]


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:%d/%m/%Y}" if isinstance(cell, date) else str(cell)


def _cell(cell: Cell) -> str:
    if cell is None:
        return "<table:table-cell/>"
    value = 'office:value-type="string"'
    if isinstance(cell, date):
        value = f'office:value-type="date" office:date-value="{cell.isoformat()}"'
    elif isinstance(cell, int):
        value = f'office:value-type="float" office:value="{cell}"'
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in _text(cell).split("\n"))
    return f"<table:table-cell {value}>{lines}</table:table-cell>"
