"""The demonstration's return."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from concord.demo.consortium import AGENCIES
from concord.demo.ssda903 import DemoReturn, children_for, write_return
from matching.intake.ssda903.intake import ReturnIntake, read_return
from matching.intake.ssda903.package import pack_return
from matching.intake.ssda903.verdict import Fate

_AS_OF = date(2026, 11, 23)
_DEVON = next(agency for agency in AGENCIES if agency.slug == "devon")


class TestWriteReturn:
    @pytest.mark.parametrize("children", [0, 1, 7, 120])
    def test_says_what_an_importer_makes_of_it(self, tmp_path: Path, children: int) -> None:
        written = _write(tmp_path, children=children)

        fates = Counter(child.fate for child in _read(tmp_path).children)

        assert written.children == children
        assert (fates[Fate.TAKEN], fates[Fate.NOT_FOR_ADOPTION], fates[Fate.REFUSED]) == (
            written.taken,
            written.not_for_adoption,
            written.refused,
        )

    @pytest.mark.parametrize("as_of", [date(2026, 4, 1), date(2026, 3, 31), date(2024, 2, 29)])
    def test_hangs_together_on_any_day(self, tmp_path: Path, as_of: date) -> None:
        written = _write(tmp_path, as_of=as_of)
        assert len(_read(tmp_path, today=as_of).taken) == written.taken

    def test_shows_one_of_each_kind(self, tmp_path: Path) -> None:
        _write(tmp_path)
        children = _read(tmp_path).children
        told = " ".join(remark.reason for child in children for remark in child.remarks)
        for words in ("reversed", "adopted on", "with adopters since", "left care", "no code of", "before DECOM"):
            assert words in told
        assert any(child.waiting and child.waiting.on_hold for child in children)

    def test_gives_the_same_bytes_twice_and_others_for_another_seed(self, tmp_path: Path) -> None:
        first, second, other = tmp_path / "1", tmp_path / "2", tmp_path / "3"
        _write(first)
        _write(second)
        _write(other, seed=8)
        assert _files(first) == _files(second)
        assert _files(first) != _files(other)

    def test_invents_nobody_who_could_be_real(self, tmp_path: Path) -> None:
        _write(tmp_path)
        posts = {line.split(",")[10] for line in _files(tmp_path)["episodes.csv"].decode().splitlines()[1:]}
        assert posts
        assert all(post.endswith("CV") for post in posts)


class TestChildrenFor:
    @pytest.mark.parametrize("taken", [0, 1, 7, 14, 50])
    def test_has_as_many_taken_as_may_be(self, tmp_path: Path, taken: int) -> None:
        written = _write(tmp_path, children=children_for(taken))
        assert max(0, taken - 1) <= written.taken <= taken


def _write(folder: Path, *, seed: int = 7, as_of: date = _AS_OF, children: int = 120) -> DemoReturn:
    return write_return(folder, agency=_DEVON, seed=seed, as_of=as_of, children=children)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _read(folder: Path, *, today: date = _AS_OF) -> ReturnIntake:
    return read_return(pack_return(_files(folder)), filename="return.zip", today=today)
