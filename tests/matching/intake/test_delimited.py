"""CSV files in whichever encoding they come."""

from __future__ import annotations

import pytest

from matching.intake.delimited import read_delimited
from matching.intake.sheet import MOST_ROWS, UnreadableSheet


class TestReadDelimited:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_read_delimited_reads_unicode_encodings(self, encoding: str) -> None:
        sheet = read_delimited("Reference,Name\r\nA1,Zoë Ŵyn\r\n".encode(encoding), name="a.csv")
        assert sheet.headings == ("Reference", "Name")
        assert [(row.number, row.cells) for row in sheet.rows] == [(2, ("A1", "Zoë Ŵyn"))]

    def test_read_delimited_says_that_it_took_a_file_for_windows_text(self) -> None:
        sheet = read_delimited("Reference,Name\nA1,Zoë’s\n".encode("cp1252"), name="a.csv")
        assert sheet.rows[0].cells == ("A1", "Zoë’s")
        assert "Windows-1252" in sheet.notes[0]

    def test_read_delimited_refuses_utf8_that_breaks_off_and_says_where(self) -> None:
        content = "Reference,Name\nA1,Zoë\nA2,".encode() + b"Zo\xeb\n"
        with pytest.raises(UnreadableSheet, match="Line 3, byte 6 is not UTF-8"):
            read_delimited(content, name="a.csv")

    def test_read_delimited_refuses_bytes_that_no_encoding_has(self) -> None:
        with pytest.raises(UnreadableSheet, match="Line 2, byte 4"):
            read_delimited(b"Reference,Name\nA1,\x81\xeb\n", name="a.csv")

    @pytest.mark.parametrize(
        "content", ["Reference\nA1".encode("utf-32"), b"Reference\nA\x00\n", b"\xff\xfeA\x00\x00\xd8A\x00"]
    )
    def test_read_delimited_refuses_what_is_no_text(self, content: bytes) -> None:
        with pytest.raises(UnreadableSheet):
            read_delimited(content, name="a.csv")

    @pytest.mark.parametrize("delimiter", [";", "\t"])
    def test_read_delimited_takes_other_separators_and_says_so(self, delimiter: str) -> None:
        sheet = read_delimited(f"Reference{delimiter}Name\nA1{delimiter}B\n".encode(), name="a.csv")
        assert sheet.rows[0].cells == ("A1", "B")
        assert "separated by" in sheet.notes[0]

    def test_read_delimited_counts_a_cell_of_several_lines_as_one_row(self) -> None:
        sheet = read_delimited(b'Reference,Address\nA1,"1 Example Street\nTown"\nA2,x\n', name="a.csv")
        assert [row.number for row in sheet.rows] == [2, 3]

    @pytest.mark.parametrize("content", [b'Reference,Name\nA1,"open\nA2,x\n', b'Reference,Name\nA1,"a"b\nA2,x\n'])
    def test_read_delimited_refuses_quotation_marks_that_do_not_match(self, content: bytes) -> None:
        with pytest.raises(UnreadableSheet, match="quotation marks do not match at or before line"):
            read_delimited(content, name="a.csv")

    def test_read_delimited_refuses_a_row_that_is_cut_short(self) -> None:
        with pytest.raises(UnreadableSheet, match="Row 3 has 1 cells and the headings have 2"):
            read_delimited(b"Reference,Name\nA1,x\nA2", name="a.csv")

    def test_read_delimited_refuses_a_cell_longer_than_any_field(self) -> None:
        with pytest.raises(UnreadableSheet, match="more than 20000 characters"):
            read_delimited(b"Reference\n" + b"x" * 200_000, name="a.csv")

    def test_read_delimited_stops_at_too_many_rows(self) -> None:
        with pytest.raises(UnreadableSheet, match="more than"):
            read_delimited(b"Reference\n" + b"x\n" * (2 * MOST_ROWS + 1), name="a.csv")
