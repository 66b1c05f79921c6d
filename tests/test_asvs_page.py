"""docs/asvs.md says of every requirement how it stands, and names only files and tests that there are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/asvs.md").read_text("utf-8")
VERDICTS = ("holds", "does not hold", "does not apply")

# OWASP ASVS 5.0.0: how many requirements of levels 1 and 2 the sections of each chapter have, .1 first. In each section
# those of level 3 come after them.
SECTIONS = {
    1: (2, 9, 11, 3, 2),
    2: (3, 3, 4, 1),
    3: (0, 2, 4, 6, 5, 0, 2),
    4: (3, 1, 2, 4),
    5: (1, 3, 2, 3),
    6: (3, 12, 4, 4, 5, 3, 0, 4),
    7: (3, 4, 2, 5, 2, 2),
    8: (2, 3, 1, 1),
    9: (3, 4),
    10: (2, 2, 4, 11, 5, 2, 3),
    11: (2, 3, 3, 4, 1, 1),
    12: (3, 2, 4),
    13: (1, 5, 2, 5),
    14: (2, 4, 3),
    15: (3, 3, 7),
    16: (1, 5, 4, 3, 3),
    17: (1, 4, 2),
}
NUMBERS = [
    f"{chapter}.{section}.{number}"
    for chapter, sections in SECTIONS.items()
    for section, most in enumerate(sections, start=1)
    for number in range(1, most + 1)
]
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$", PAGE, re.MULTILINE)


class TestRows:
    def test_are_there_for_each_requirement_once_and_in_order(self) -> None:
        assert len(NUMBERS) == 253
        assert [number for number, *_ in ROWS] == NUMBERS

    def test_say_how_it_stands_and_why(self) -> None:
        for number, verdict, words, where in ROWS:
            assert verdict in VERDICTS, number
            assert words.strip(), number
            assert cited_in(where) or verdict == "does not apply", number

    def test_are_counted_at_the_top(self) -> None:
        counts = Counter(verdict for _, verdict, *_ in ROWS)
        told = re.search(r"\*\*all 253\*\* \| \*\*(\d+)\*\* \| \*\*(\d+)\*\* \| \*\*(\d+)\*\*", PAGE)

        assert told
        assert [int(number) for number in told.groups()] == [counts[verdict] for verdict in VERDICTS]

    @pytest.mark.parametrize("chapter", range(1, 18))
    def test_are_counted_by_chapter(self, chapter: int) -> None:
        counts = Counter(verdict for number, verdict, *_ in ROWS if number.startswith(f"{chapter}."))
        told = re.search(rf"^\| V{chapter} [^|]+\| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)

        assert told
        assert [int(number) for number in told.groups()] == [counts[verdict] for verdict in VERDICTS]


class TestCited:
    def test_are_files_and_tests_that_there_are(self) -> None:
        cited = {each for *_, where in ROWS for each in cited_in(where)}

        assert sorted(each for each in cited if not is_there(each)) == []


def cited_in(where: str) -> list[str]:
    return re.findall(r"`([^`]+)`", where)


def is_there(cited: str) -> bool:
    path, _, test = cited.partition("::")
    file = ROOT / path
    return file.is_file() and (not test or f"def {test}(" in file.read_text("utf-8"))
