"""Files written by hand are what they say they are, and hold what was put in."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from concord.demo.plain_file import write_csv, write_old_csv, write_open_document
from concord.demo.row import Cell
from matching.intake.reading import read_book
from matching.intake.sheet import Sheet

HEADINGS = ("Name", "Born", "Number", "Note")
LINES: list[list[Cell]] = [["A – “B”", date(2024, 3, 7), 2, None], ["<C> & D\nE", None, 0, "’"]]


class TestWriteOpenDocument:
    def test_holds_texts_dates_numbers_and_blanks(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ods"
        write_open_document(path, title="One & only", headings=HEADINGS, lines=LINES)
        read = reread(path)
        assert read.headings == HEADINGS
        assert [[*row.cells, None][: len(HEADINGS)] for row in read.rows] == LINES

    def test_says_its_kind_first_and_unpacked(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ods"
        write_open_document(path, title="T", headings=HEADINGS, lines=LINES)
        with zipfile.ZipFile(path) as archive:
            first = archive.infolist()[0]
            assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
            assert archive.read(first) == b"application/vnd.oasis.opendocument.spreadsheet"


class TestWriteCsv:
    def test_writes_commas_and_utf_8(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        write_csv(path, headings=HEADINGS, lines=LINES)
        assert path.read_text(encoding="utf-8").startswith("Name,Born,Number,Note\nA – “B”,07/03/2024,2,\n")


class TestWriteOldCsv:
    def test_writes_semicolons_and_the_letters_of_windows(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        write_old_csv(path, headings=HEADINGS, lines=LINES)
        assert path.read_bytes().startswith(b"Name;Born;Number;Note\r\nA \x96 \x93B\x94;07/03/2024;2;\r\n")
        assert [row.cells[0] for row in reread(path).rows] == ["A – “B”", "<C> & D\nE"]


def reread(path: Path) -> Sheet:
    def likeness(cells: Sequence[str]) -> float:
        return float(tuple(cells) == HEADINGS)

    (sheet,) = read_book(path.read_bytes(), filename=path.name, likeness=likeness).sheets
    return sheet
