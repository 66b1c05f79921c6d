"""CSV files in whichever encoding they come."""

from __future__ import annotations

import pytest

from matching.intake.delimited import read_delimited
from matching.intake.sheet import MOST_ROWS, UnreadableSheet


class TestReadDelimited:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_read_delimited_reads_unicode_encodings(self, encoding: str) -> None:
        grid = read_delimited("Reference,Name\r\nA1,Zoë Ŵyn\r\n".encode(encoding))
        assert grid.cells == [["Reference", "Name"], ["A1", "Zoë Ŵyn"]]

    def test_read_delimited_says_that_it_took_a_file_for_windows_text(self) -> None:
        grid = read_delimited("Reference,Name\nA1,Zoë’s\n".encode("cp1252"))
        assert grid.cells[1] == ["A1", "Zoë’s"]
        assert "Windows-1252" in grid.notes[0]

    def test_read_delimited_refuses_utf8_that_breaks_off_and_says_where(self) -> None:
        content = "Reference,Name\nA1,Zoë\nA2,".encode() + b"Zo\xeb\n"
        with pytest.raises(UnreadableSheet, match="Line 3, byte 6 is not UTF-8"):
            read_delimited(content)

    def test_read_delimited_refuses_bytes_that_no_encoding_has(self) -> None:
        with pytest.raises(UnreadableSheet, match="Line 2, byte 4"):
            read_delimited(b"Reference,Name\nA1,\x81\xeb\n")

    @pytest.mark.parametrize(
        "content", ["Reference\nA1".encode("utf-32"), b"Reference\nA\x00\n", b"\xff\xfeA\x00\x00\xd8A\x00"]
    )
    def test_read_delimited_refuses_what_is_no_text(self, content: bytes) -> None:
        with pytest.raises(UnreadableSheet):
            read_delimited(content)

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    def test_read_delimited_takes_other_separators_and_says_so(self, delimiter: str) -> None:
        grid = read_delimited(f"Reference{delimiter}Name\nA1{delimiter}B\n".encode())
        assert grid.cells[1] == ["A1", "B"]
        assert "separated by" in grid.notes[0]

    def test_read_delimited_counts_a_cell_of_several_lines_as_one_row(self) -> None:
        grid = read_delimited(b'Reference,Address\nA1,"1 Example Street\nTown"\nA2,x\n')
        assert [line[0] for line in grid.cells] == ["Reference", "A1", "A2"]

    @pytest.mark.parametrize("content", [b'Reference,Name\nA1,"open\nA2,x\n', b'Reference,Name\nA1,"a"b\nA2,x\n'])
    def test_read_delimited_refuses_quotation_marks_that_do_not_match(self, content: bytes) -> None:
        with pytest.raises(UnreadableSheet, match="quotation marks do not match at or before line"):
            read_delimited(content)

    def test_read_delimited_refuses_a_cell_longer_than_any_field(self) -> None:
        with pytest.raises(UnreadableSheet, match="more than 20000 characters"):
            read_delimited(b"Reference\n" + b"x" * 200_000)

    def test_read_delimited_stops_at_too_many_rows(self) -> None:
        with pytest.raises(UnreadableSheet, match="reaches to cell A"):
            read_delimited(b"Reference\n" + b"x\n" * (2 * MOST_ROWS + 1))

    def test_read_delimited_tells_separators_by_all_rows_not_the_first(self) -> None:
        content = "Adopters, approved and waiting\n\nReference;Names\nA1;Sampleson, Testine\nA2;Sampleson, Mock\n"
        assert read_delimited(content.encode()).cells[3] == ["A1", "Sampleson, Testine"]

    def test_read_delimited_takes_no_line_of_a_cell_for_a_row_that_tells_separators(self) -> None:
        grid = read_delimited(b'Reference,Name,Profile\nA1,B,"Likes:\ncats;\ndogs;\nmud;"\n')
        assert grid.cells[1] == ["A1", "B", "Likes:\ncats;\ndogs;\nmud;"]

    def test_read_delimited_keeps_commas_where_lists_hold_semicolons(self) -> None:
        grid = read_delimited(b"Reference,Languages\nA1,English; Polish\nA2,English; Welsh\n")
        assert grid.cells[1] == ["A1", "English; Polish"]

    def test_read_delimited_obeys_a_first_line_that_names_the_separator(self) -> None:
        grid = read_delimited(b"sep=|\r\nReference|Name\r\nA1|x\r\n")
        assert (grid.cells, grid.notes) == ([["Reference", "Name"], ["A1", "x"]], ())

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_read_delimited_reads_utf16_without_a_mark(self, encoding: str) -> None:
        grid = read_delimited("Reference,Name\nA1,Zoë\n".encode(encoding))
        assert (grid.cells[1], grid.notes) == (["A1", "Zoë"], ("The file was read as UTF-16.",))

    def test_read_delimited_takes_off_the_mark_that_ends_a_dos_file(self) -> None:
        assert read_delimited(b"A,B\nx,y\n\x1a").cells == [["A", "B"], ["x", "y"]]

    def test_read_delimited_counts_blank_rows_and_drops_those_at_the_end(self) -> None:
        assert read_delimited(b"A,B\n,\n\nx,y\n,\n\n").cells == [["A", "B"], [None, None], [], ["x", "y"]]
