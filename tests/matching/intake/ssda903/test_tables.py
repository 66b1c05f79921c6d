"""All tables of a return, from whichever files they came in."""

from __future__ import annotations

import pytest

from matching.intake.sheet import MOST_BYTES, UnreadableSheet
from matching.intake.ssda903.package import pack_return
from matching.intake.ssda903.table import Table
from matching.intake.ssda903.tables import Tables, read_tables
from tests.matching.intake.ssda903.returns import Return, csv_file, header, match


class TestReadTables:
    def test_knows_the_files_by_their_columns(self) -> None:
        files = Return(matches=[match()]).files()
        renamed = {f"EXPORT ({number}).CSV": content for number, content in enumerate(files.values())}
        assert [each.table for each in _read(renamed).records] == list(Table)

    def test_reads_several_files_of_one_table_and_says_so(self) -> None:
        files = Return().files() | {"more.csv": csv_file("header.csv", [header("C2")])}
        tables = _read(files)
        assert [each.child for each in tables.records if each.table is Table.HEADER] == ["C1", "C2"]
        assert "The table Header was read from header.csv and more.csv." in tables.notes

    def test_reads_the_same_file_once(self) -> None:
        files = Return().files()
        tables = _read(files | {"header (1).csv": files["header.csv"]})
        assert [each.sheet for each in tables.records if each.table is Table.HEADER] == ["header (1).csv"]
        assert "header.csv was left: it is the same file as header (1).csv." in tables.notes

    def test_reads_xml_beside_csv(self) -> None:
        other = Return([header("C2")], [], []).xml()
        assert {each.child for each in _read(Return().files() | {"r.xml": other}).records} == {"C1", "C2"}

    @pytest.mark.parametrize(("name", "table"), [("ad1.csv", "AD1"), ("placed.csv", "PlacedAdoption")])
    def test_says_what_a_missing_table_leaves_unknown(self, name: str, table: str) -> None:
        files = Return().files()
        del files[name]
        assert any(note.startswith(f"There is no table {table}") for note in _read(files).notes)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("header.csv", r"lacks the table Header .*ad1\.csv, episodes\.csv"),
            ("episodes.csv", "lacks the table Episodes"),
        ],
    )
    def test_refuses_a_return_without_children_or_episodes(self, name: str, words: str) -> None:
        files = Return().files()
        del files[name]
        with pytest.raises(UnreadableSheet, match=words):
            _read(files)

    def test_refuses_a_header_below_a_title(self) -> None:
        files = Return().files()
        with pytest.raises(UnreadableSheet, match="lacks the table Header"):
            _read(files | {"header.csv": b"Our return\r\n" + files["header.csv"]})

    def test_leaves_pictures_and_empty_files(self) -> None:
        notes = _read(Return().files() | {"logo.png": b"\x89PNG\r\n", "empty.csv": b" \n"}).notes
        assert {"logo.png was left: it is neither CSV nor XML.", "empty.csv was left: it is neither CSV nor XML."} <= {
            *notes
        }

    @pytest.mark.parametrize("content", [b"PK\x03\x04...", b"\xd0\xcf\x11\xe0..."])
    def test_refuses_a_workbook_among_the_files(self, content: bytes) -> None:
        with pytest.raises(UnreadableSheet, match=r"placed\.xlsx is a workbook"):
            _read(Return().files() | {"placed.xlsx": content})

    @pytest.mark.parametrize(
        ("content", "words"),
        [(b"  ", "empty"), (b"x" * (MOST_BYTES + 1), "larger than"), (b"one,two", "lacks the table")],
    )
    def test_refuses_a_file_that_is_no_return(self, content: bytes, words: str) -> None:
        with pytest.raises(UnreadableSheet, match=words):
            read_tables(content, filename="x")


def _read(files: dict[str, bytes]) -> Tables:
    return read_tables(pack_return(files), filename="return.zip")
