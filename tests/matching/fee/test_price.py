from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.fee.instalment import Due
from matching.fee.price import Payee, Price, price, with_percent
from matching.fee.published import published
from matching.fee.rule import CountsFrom, Pricing
from matching.fee.tariff import PayeeKind, PublishedTariff, TariffTerms
from tenants.agency import Nation

TARIFFS = [PublishedTariff(uuid4(), terms) for terms in published().tariffs]
RULES = published().rules
COUNCIL = Payee("Devon", PayeeKind.COUNCIL, Nation.ENGLAND, london=False)
VOLUNTARY = Payee("Families", PayeeKind.VOLUNTARY, Nation.ENGLAND, london=False)
STANDARD = TariffTerms("SWAC", PayeeKind.STANDARD, date(2026, 4, 1), "The consortium’s board", {1: 2_000_000})


def ask(
    payee: Payee, on: date, children: int = 1, tariffs: list[PublishedTariff] = TARIFFS, *, expected: bool = False
) -> Price:
    return price(tariffs, RULES, payee, children=children, on=on, expected=expected)


class TestPrice:
    @pytest.mark.parametrize(("children", "pounds"), [(1, 27_000), (2, 43_000), (3, 60_000), (4, 68_000), (5, 80_000)])
    def test_takes_the_published_scale_of_councils(self, children: int, pounds: int) -> None:
        found = ask(COUNCIL, date(2026, 11, 2), children)

        assert found.pence == pounds * 100
        assert found.pence == sum(part.pence for part in found.plan)
        assert [part.due for part in found.plan] == [Due.PLACEMENT, Due.ORDER_OR_MONTHS]
        assert f"£{pounds:,}" in found.words
        assert "since 1 April 2013" in found.words
        assert "the day the placement for adoption begins: 2 November 2026" in found.words

    def test_takes_scotlands_table_for_any_payee_there(self) -> None:
        for kind in (PayeeKind.COUNCIL, PayeeKind.VOLUNTARY):
            assert ask(Payee("Glen", kind, Nation.SCOTLAND, london=False), date(2026, 5, 1), 5).pence == 8_000_000

    @pytest.mark.parametrize(
        ("on", "pence"),
        [
            (date(2019, 3, 31), None),
            (date(2019, 4, 1), 3_162_000),
            (date(2020, 3, 31), 3_162_000),
            (date(2020, 4, 1), None),
            (date(2025, 3, 31), None),
            (date(2025, 4, 1), 3_924_500),
            (date(2026, 3, 31), 3_924_500),
            (date(2026, 4, 1), None),
        ],
    )
    def test_is_that_of_the_day_and_no_others(self, on: date, pence: int | None) -> None:
        found = ask(VOLUNTARY, on)

        assert found.pence == pence
        assert (found.refusal is None) is (pence is not None)

    def test_never_makes_up_a_figure(self) -> None:
        siblings = ask(VOLUNTARY, date(2025, 6, 1), 2)
        too_many = ask(COUNCIL, date(2025, 6, 1), 6)
        nowhere = ask(Payee("Gwynedd", PayeeKind.COUNCIL, Nation.WALES, london=False), date(2025, 6, 1))

        for refused in (siblings, too_many, nowhere):
            assert (refused.pence, refused.plan, refused.tariff_id) == (None, (), None)
        assert siblings.refusal is not None
        assert "no figure for 2 children" in siblings.refusal
        assert nowhere.refusal is not None
        assert "councils and regional agencies in Wales" in nowhere.refusal

    def test_pays_london_ten_per_cent_more_and_says_so(self) -> None:
        found = ask(replace(VOLUNTARY, london=True), date(2025, 6, 1))

        assert found.pence == 4_316_950
        assert "10 per cent more: £43,169.50" in found.words

    def test_takes_rates_of_londons_own_before_a_supplement(self) -> None:
        own = TariffTerms("London", PayeeKind.COUNCIL, date(2020, 1, 1), "A page", {1: 1}, london=True)
        own = replace(own, nation=Nation.ENGLAND)
        tariffs = [*TARIFFS, PublishedTariff(uuid4(), own)]

        assert ask(replace(COUNCIL, london=True), date(2025, 6, 1), tariffs=tariffs).pence == 1
        assert ask(COUNCIL, date(2025, 6, 1), tariffs=tariffs).pence == 2_700_000

    def test_refuses_london_where_nothing_says_what_is_paid_there(self) -> None:
        plain = [PublishedTariff(each.id, replace(each.terms, london_percent=None)) for each in TARIFFS]

        found = ask(replace(COUNCIL, london=True), date(2025, 6, 1), tariffs=plain)

        assert found.pence is None
        assert found.refusal is not None
        assert "is in London" in found.refusal

    def test_takes_the_standard_fee_of_a_consortium_for_everyone(self) -> None:
        rules = replace(RULES, pricing=Pricing.STANDARD, counts_from=CountsFrom.MOVING_IN)
        tariffs = [*TARIFFS, PublishedTariff(uuid4(), STANDARD)]
        london = replace(VOLUNTARY, london=True)

        found = price(tariffs, rules, london, children=1, on=date(2026, 6, 1), expected=True)

        assert found.pence == 2_000_000
        assert "expected on 1 June 2026" in found.words
        assert "as fostered first" in found.words
        assert price(TARIFFS, rules, london, children=1, on=date(2026, 6, 1), expected=True).pence is None

    def test_leaves_the_standard_fee_out_where_payees_are_paid_by_their_own(self) -> None:
        tariffs = [PublishedTariff(uuid4(), STANDARD)]

        assert ask(COUNCIL, date(2026, 6, 1), tariffs=tariffs).pence is None

    @given(
        on=st.dates(date(2000, 1, 1), date(2040, 1, 1)),
        children=st.integers(1, 20),
        kind=st.sampled_from([PayeeKind.COUNCIL, PayeeKind.VOLUNTARY]),
        nation=st.sampled_from(Nation),
        london=st.booleans(),
    )
    def test_is_a_published_figure_or_a_refusal(
        self, on: date, children: int, kind: PayeeKind, nation: Nation, london: bool
    ) -> None:
        found = ask(Payee("Any", kind, nation, london=london), on, children)

        if found.pence is None:
            assert found.refusal
            assert not found.plan
        else:
            figures = {pence for each in TARIFFS for pence in each.terms.rates.values()}
            assert found.pence in figures | {with_percent(pence, 10) for pence in figures}
            assert sum(part.pence for part in found.plan) == found.pence


class TestWithPercent:
    @pytest.mark.parametrize(("pence", "percent", "more"), [(100, 10, 110), (105, 10, 116), (104, 10, 114), (1, 1, 1)])
    def test_rounds_a_half_up(self, pence: int, percent: int, more: int) -> None:
        assert with_percent(pence, percent) == more
