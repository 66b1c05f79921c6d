from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from matching.fee.invoice.vat import VatCategory, rate_on, tax_of, tax_to_credit


class TestTaxOf:
    @given(st.integers(1, 10**12), st.sampled_from([0, 500, 1_750, 2_000]))
    def test_is_rounded_as_the_standard_says(self, net: int, rate: int) -> None:
        exact = Decimal(net) * rate / 10_000

        assert tax_of(net, rate) == exact.quantize(Decimal(1), ROUND_HALF_UP)


class TestTaxToCredit:
    @given(st.lists(st.integers(1, 10**9), min_size=1, max_size=8), st.sampled_from([0, 1_750, 2_000]))
    def test_leaves_nothing_behind_once_all_is_credited(self, parts: list[int], rate: int) -> None:
        open_net = sum(parts)
        open_vat = tax_of(open_net, rate)

        for net in parts:
            vat = tax_to_credit(net, rate, open_net_pence=open_net, open_vat_pence=open_vat)
            assert 0 <= vat <= open_vat
            open_net, open_vat = open_net - net, open_vat - vat

        assert (open_net, open_vat) == (0, 0)


class TestRateOn:
    def test_is_that_of_the_day_and_nothing_but_for_the_standard_rate(self) -> None:
        days = [date(2000, 1, 1), date(2011, 1, 3), date(2011, 1, 4), date(2026, 4, 1)]

        assert [rate_on(VatCategory.STANDARD, on) for on in days] == [1_750, 1_750, 2_000, 2_000]
        assert {rate_on(each, days[3]) for each in VatCategory if each is not VatCategory.STANDARD} == {0}
