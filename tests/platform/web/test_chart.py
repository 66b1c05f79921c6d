from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from concord.web.chart import WIDTH, draw
from matching.monitoring.figure import FEW, Figure

CELLS = st.one_of(st.integers(0, 10**7), st.just(FEW))


def figure(*rows: tuple[str | int, ...], drawn: tuple[int, ...] = (1, 2)) -> Figure:
    return Figure("days", "Days", "", ("Stage", "Ours", "All"), rows, drawn, "days")


class TestDraw:
    def test_draws_nothing_of_nothing(self) -> None:
        assert draw(figure(("Interest", 0, FEW))) is None
        assert draw(figure()) is None
        assert draw(figure(("Interest", 1, 2), drawn=())) is None

    def test_says_why_there_is_no_bar(self) -> None:
        chart = draw(figure(("Interest", 3, FEW)))

        assert chart is not None
        assert [(bar.series, bar.length > 0, bar.words) for bar in chart.bands[0].bars] == [
            (0, True, "3"),
            (1, False, FEW),
        ]
        assert chart.description == "Bars of Ours and All, in days; the table after it has each number."

    def test_has_no_bar_for_less_than_nothing(self) -> None:
        assert draw(figure(("Paid back", -3, -4))) is None
        chart = draw(figure(("Paid back", -3_000, 4)))

        assert chart is not None
        assert [(bar.length > 0, bar.words) for bar in chart.bands[0].bars] == [(False, "−3,000"), (True, "4")]

    def test_breaks_a_long_label(self) -> None:
        chart = draw(figure(("Brothers and sisters are now placed together or apart", 1, 2), ("Other", 1, 2)))

        assert chart is not None
        assert [len(band.lines) for band in chart.bands] == [2, 1]

    @given(st.lists(st.tuples(st.text("abc ", min_size=1, max_size=90), CELLS, CELLS), min_size=1, max_size=30))
    def test_keeps_within_its_drawing_and_one_thing_under_another(
        self, rows: list[tuple[str, str | int, str | int]]
    ) -> None:
        chart = draw(figure(*rows))

        if chart is not None:
            tops = [top for band in chart.bands for top in (*(at for at, _ in band.lines), *(x.top for x in band.bars))]
            assert tops == sorted(tops)
            assert max(tops) < chart.height
            assert all(0 <= bar.length < WIDTH for band in chart.bands for bar in band.bars)
            assert max(bar.length for band in chart.bands for bar in band.bars) > 0
