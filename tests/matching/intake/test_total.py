"""Rows of totals, and records that only look like them."""

from __future__ import annotations

import pytest

from matching.intake.sheet import CellValue
from matching.intake.total import is_sum_of, says_total


class TestSaysTotal:
    @pytest.mark.parametrize(
        "cells",
        [
            ["Total"],
            ["Totals: 37"],
            [None, "TOTAL", None, 37],
            ["Grand total", 12, 3.5],
            ["Sub-total", "12"],
            ["Total number of families", None, 37],
            ["Total families: 37"],
            ["Count", 4, "Total", 9],
            ["Average", "2.5", "40%"],
        ],
    )
    def test_says_total_of_a_row_that_names_itself_one(self, cells: list[CellValue]) -> None:
        assert says_total(cells)

    @pytest.mark.parametrize(
        "cells",
        [
            [],
            [None],
            [37],
            ["ADP-1", "Total"],
            ["Totality", 3],
            ["Total", "Waiting"],
            ["TOTAL-1", "EX4"],
            ["Total", True],
            ["Total of what the family can offer is great warmth and patience"],
            ["Summers", 3],
            ["Counts, Testine", 3],
        ],
    )
    def test_says_total_of_no_record(self, cells: list[CellValue]) -> None:
        assert not says_total(cells)


class TestIsSumOf:
    _RECORDS: tuple[tuple[CellValue, ...], ...] = (("A1", 1, None), ("A2", 2, "x"), ("A3", 4, "y"))

    @pytest.mark.parametrize(
        "cells", [[3], [None, 7], [3, 7, 2], [None, "7"], [None, 7 / 3], [3, None, 3], [None, 7.0, None, None]]
    )
    def test_is_sum_of_counts_sums_and_averages(self, cells: list[CellValue]) -> None:
        assert is_sum_of(cells, self._RECORDS)

    @pytest.mark.parametrize("cells", [[], [None], [4], [3, 8], ["A4", 7], [None, 7, "x"], [None, None, None, 3]])
    def test_is_sum_of_needs_every_cell_to_agree(self, cells: list[CellValue]) -> None:
        assert not is_sum_of(cells, self._RECORDS)

    def test_is_sum_of_never_takes_the_next_number_of_a_list(self) -> None:
        assert not is_sum_of([3], [(1,), (2,), (4,)])
        assert not is_sum_of([2], [(1,)])

    def test_is_sum_of_takes_a_row_that_is_numbered_as_the_records_are_for_a_record(self) -> None:
        records = [(1, "x", 2), (2, "y", 3)]
        assert not is_sum_of([3, None, 5], records)
        assert is_sum_of([None, None, 5], records)
