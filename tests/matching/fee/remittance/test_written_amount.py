"""Amounts and days as they are written."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.fee.remittance.written_amount import day_of, exact_pence, pence_of, typed_pence


class TestPenceOf:
    @pytest.mark.parametrize(
        ("text", "pence"),
        [
            ("£1,234.50", 123450),
            ("1234.5", 123450),
            ("(1,234.50)", -123450),
            ("-12", -1200),
            ("−12.00", -1200),
            ("1234.5-", -123450),
            ("12 CR", 1200),
            ("12DR", -1200),
            ("+7", 700),
            (".5", 50),
            ("1.234,50", 123450),
            ("12,5", 1250),
            ("GBP 1 234.50", 123450),
        ],
    )
    def test_reads_what_is_an_amount(self, text: str, pence: int) -> None:
        assert pence_of(text) == pence

    @pytest.mark.parametrize(
        "text", ["", "-", "()", "1,2345", "1234.505", "12-13", "abc", "1e5", "nan", "١٢", "1,23,456.00"]
    )
    def test_reads_nothing_else(self, text: str) -> None:
        assert pence_of(text) is None

    @given(st.integers(-(10**11), 10**11))
    def test_reads_what_was_written(self, pence: int) -> None:
        whole = f"{abs(pence) // 100:,}.{abs(pence) % 100:02d}"

        assert pence_of(f"-{whole}" if pence < 0 else whole) == pence

    @given(st.text(max_size=30))
    def test_never_fails(self, text: str) -> None:
        assert isinstance(pence_of(text), int | None)
        assert isinstance(day_of(text), date | None)


class TestExactPence:
    def test_takes_a_comma_that_somebody_typed_for_thousands_alone(self) -> None:
        typed = ("27,000", "1,234,567.5", "27,00", "27,0", "1,234,5", "12.50")

        assert [typed_pence(text) for text in typed] == [2_700_000, 123_456_750, None, None, None, 1_250]

    def test_refuses_parts_of_a_penny(self) -> None:
        assert exact_pence("0.015") is None
        assert exact_pence("Infinity") is None
        assert exact_pence("1e999999999") is None
        assert exact_pence("0.15") == 15


class TestDayOf:
    @pytest.mark.parametrize(
        "text", ["03/04/2026", "3/4/26", "03-04-2026", "2026-04-03", "20260403", "03 Apr 2026", "3-Apr-26",
                 "03/04/2026 09:15", "2026-04-03T09:15:00", "2026-04-03Z", "2026-04-03+01:00", "46115"]
    )  # fmt: skip
    def test_takes_the_day_before_the_month(self, text: str) -> None:
        assert day_of(text) == date(2026, 4, 3)

    @pytest.mark.parametrize("text", ["", "04/13/2026", "30/02/2026", "total", "2026"])
    def test_takes_nothing_else(self, text: str) -> None:
        assert day_of(text) is None
