from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.fee.instalment import Due, Share, read_plan, refuse_shares, split

DUES = st.sampled_from([(Due.PLACEMENT, None), (Due.ORDER, None), (Due.MONTHS, 6), (Due.ORDER_OR_MONTHS, 12)])


@st.composite
def shares(draw: st.DrawFn) -> tuple[Share, ...]:
    parts = draw(st.integers(1, 60))
    left, found = parts, []
    while left:
        of = draw(st.integers(1, left))
        due, months = draw(DUES)
        found.append(Share(of, parts, due, months))
        left -= of
    return tuple(found[:23]) + ((Share(sum(s.of for s in found[23:]), parts, Due.ORDER),) if found[23:] else ())


class TestSplit:
    @given(pence=st.integers(1, 100_000_000), of=shares())
    def test_comes_to_the_fee_to_the_penny(self, pence: int, of: tuple[Share, ...]) -> None:
        parts = split(pence, of)

        assert refuse_shares(of) is None
        assert sum(part.pence for part in parts) == pence
        assert all(part.pence > 0 for part in parts)
        assert read_plan([part.as_data() for part in parts]) == parts

    @given(pence=st.integers(1, 100_000_000), of=shares())
    def test_leaves_what_rounding_leaves_on_the_last(self, pence: int, of: tuple[Share, ...]) -> None:
        parts = {part.position: part.pence for part in split(pence, of)}

        for position, share in enumerate(of[:-1], start=1):
            assert parts.get(position, 0) == int(Fraction(share.of, share.parts) * pence)

    def test_gives_two_thirds_and_one_third(self) -> None:
        first, last = split(2_500_000, (Share(2, 3, Due.PLACEMENT), Share(1, 3, Due.ORDER_OR_MONTHS, 12)))

        assert (first.pence, last.pence, last.months) == (1_666_666, 833_334, 12)
        assert last.words == "at the adoption order or 12 months after the placement began, whichever is first"

    def test_leaves_out_a_part_of_nothing(self) -> None:
        [part] = split(1, (Share(2, 3, Due.PLACEMENT), Share(1, 3, Due.ORDER)))

        assert (part.position, part.pence) == (2, 1)


class TestRefuseShares:
    @pytest.mark.parametrize(
        "wrong",
        [
            (),
            (Share(2, 3, Due.PLACEMENT),),
            (Share(2, 3, Due.PLACEMENT), Share(2, 3, Due.ORDER)),
            (Share(0, 1, Due.PLACEMENT), Share(1, 1, Due.ORDER)),
            (Share(2, 1, Due.PLACEMENT),),
            (Share(1, 1, Due.MONTHS),),
            (Share(1, 1, Due.PLACEMENT, 3),),
            (Share(1, 1, Due.ORDER_OR_MONTHS, 0),),
            (Share(1, 1, Due.ORDER_OR_MONTHS, 121),),
            tuple(Share(1, 25, Due.PLACEMENT) for _ in range(25)),
        ],
    )
    def test_says_what_is_wrong(self, wrong: tuple[Share, ...]) -> None:
        assert refuse_shares(wrong)
