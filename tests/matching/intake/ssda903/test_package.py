"""The files of a return packed as one."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.intake.sheet import UnreadableSheet
from matching.intake.ssda903 import package
from matching.intake.ssda903.package import files_of, pack_return


class TestPackReturn:
    @given(st.dictionaries(st.from_regex(r"[a-z]{1,9}\.csv", fullmatch=True), st.binary(max_size=99), min_size=1))
    def test_gives_back_the_same_files(self, files: dict[str, bytes]) -> None:
        assert files_of(pack_return(files), filename="any") == files

    def test_gives_the_same_bytes_in_whatever_order(self) -> None:
        files = {"b.csv": b"2", "a.csv": b"1"}
        assert pack_return(files) == pack_return(dict(sorted(files.items())))

    def test_refuses_none_too_many_and_too_much(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(UnreadableSheet, match="no files"):
            pack_return({})
        with pytest.raises(UnreadableSheet, match="201 files"):
            pack_return({f"{number}.csv": b"" for number in range(201)})
        monkeypatch.setattr(package, "MOST_BYTES", 10)
        with pytest.raises(UnreadableSheet, match="even when packed"):
            pack_return({"a.csv": b"x"})


class TestFilesOf:
    def test_gives_a_file_that_is_no_archive_as_it_is(self) -> None:
        assert files_of(b"<EXPSSDA903/>", filename="r.xml") == {"r.xml": b"<EXPSSDA903/>"}

    def test_leaves_what_systems_put_there(self) -> None:
        files = _zip({"r/": b"", "r/a.csv": b"1", "__MACOSX/r/._a.csv": b"x", "r/.DS_Store": b"x", "Thumbs.db": b"x"})
        assert files_of(files, filename="r.zip") == {"a.csv": b"1"}

    def test_tells_files_of_one_name_apart(self) -> None:
        assert files_of(_zip({"2024/a.csv": b"1", "2025/a.csv": b"2", "b.csv": b"3"}), filename="r.zip") == {
            "2024/a.csv": b"1",
            "2025/a.csv": b"2",
            "b.csv": b"3",
        }

    def test_takes_paths_as_names_alone(self) -> None:
        assert list(files_of(_zip({"../../etc/a.csv": b"1", "C:\\x\\b\n.csv": b"2"}), filename="r")) == [
            "a.csv",
            "b.csv",
        ]

    def test_is_empty_for_an_empty_archive(self) -> None:
        assert files_of(_zip({}), filename="r.zip") == {}

    @pytest.mark.parametrize("cut", [10, 60, 100])
    def test_refuses_a_damaged_archive(self, cut: int) -> None:
        with pytest.raises(UnreadableSheet, match="damaged"):
            files_of(_zip({"a.csv": b"1" * 100})[:cut], filename="r.zip")

    def test_refuses_a_workbook(self) -> None:
        with pytest.raises(UnreadableSheet, match="workbook"):
            files_of(_zip({"[Content_Types].xml": b"", "xl/workbook.xml": b""}), filename="r.zip")

    def test_refuses_a_bomb_by_what_comes_out_not_by_what_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package, "MOST_UNPACKED", 1_000)
        with pytest.raises(UnreadableSheet, match="unpacks to more"):
            files_of(_zip({"a.csv": b"0" * 2_000}), filename="r.zip")

    def test_refuses_a_password(self) -> None:
        content = bytearray(_zip({"a.csv": b"1"}))
        content[6] |= 1
        content[content.index(b"PK\x01\x02") + 8] |= 1
        with pytest.raises(UnreadableSheet, match="password"):
            files_of(bytes(content), filename="r.zip")


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
