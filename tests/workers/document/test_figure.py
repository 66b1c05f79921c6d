from __future__ import annotations

from workers.document.figure import FEW, Bars

BARS = Bars("Groups", (("group", "groups"), ("household", "households")), (("Under 1", (None, 1)), ("1 and 2", (7, 0))))


class TestBars:
    def test_say_that_a_number_is_too_small_to_tell_and_draw_nothing_for_it(self) -> None:
        view = BARS.view(str)

        assert view["rows"][0] == {
            "label": "Under 1",
            "counts": [0, 1],
            "said": ["groups: too few to tell", "1 household"],
        }
        assert view["most"] == 7
        assert FEW.lower() in BARS.alternative

    def test_of_nothing_but_small_numbers_have_a_scale(self) -> None:
        assert Bars("Groups", BARS.series, (("Under 1", (None, None)),)).view(str)["most"] == 1
