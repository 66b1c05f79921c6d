"""The files of a return on the command line, and what is told of its children."""

from __future__ import annotations

from pathlib import Path

import pytest

from concord.cli import import_return
from concord.cli.import_return import pack_paths, say_children
from matching.intake.outcome import Change, Outcome, RowOutcome
from matching.intake.row import RowProblem
from matching.intake.sheet import UnreadableSheet
from matching.intake.ssda903.package import files_of


class TestPackPaths:
    def test_leaves_one_file_as_it_is(self, tmp_path: Path) -> None:
        file = _file(tmp_path / "r.xml", b"<x/>")
        assert pack_paths([file]) == ("r.xml", b"<x/>")

    def test_packs_the_files_of_a_folder_but_not_its_folders_and_hidden_files(self, tmp_path: Path) -> None:
        folder = tmp_path / "our return"
        for name in ("a.csv", ".hidden", "deeper/b.csv"):
            _file(folder / name, name.encode())
        name, content = pack_paths([folder])
        assert (name, files_of(content, filename=name)) == ("our return.zip", {"a.csv": b"a.csv"})

    def test_packs_files_of_one_name_from_two_folders(self, tmp_path: Path) -> None:
        paths = [_file(tmp_path / folder / "a.csv", folder.encode()) for folder in ("x", "y")]
        name, content = pack_paths([paths[0].parent, paths[1]])
        assert (name, files_of(content, filename=name)) == ("return.zip", {"1/a.csv": b"x", "2/a.csv": b"y"})

    def test_refuses_too_much_before_it_reads_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(import_return, "MOST_UNPACKED", 10)
        with pytest.raises(UnreadableSheet, match="hold more than"):
            pack_paths([_file(tmp_path / "a.csv", b"x" * 11)])


class TestSayChildren:
    def test_tells_the_child_its_place_and_every_reason(self) -> None:
        problem = RowProblem(7, "REC", "E9", "because", "episodes.csv")
        report = [
            RowOutcome(2, Outcome.NOT_FOR_ADOPTION, problems=(problem,), sheet="header.csv", reference="C1"),
            RowOutcome(3, Outcome.CHANGED, None, (Change("Born", "", "x"),), (), "h", "C2", remarks=(problem,)),
            RowOutcome(4, Outcome.REFUSED, problems=(RowProblem(4, None, None, "cut off", "h"),), sheet="h"),
        ]
        assert list(say_children(report)) == [
            "C1 (row 2 of header.csv) not for adoption",
            "    row 7 of episodes.csv, REC, “E9”: because",
            "C2 (row 3 of h) changed: Born",
            "    row 7 of episodes.csv, REC, “E9”: because",
            "(row 4 of h) refused",
            "    row 4 of h: cut off",
        ]


def _file(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
