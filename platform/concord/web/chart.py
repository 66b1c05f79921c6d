"""Charts of figures: bars drawn on the server, told apart by pattern and by words, never by colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from matching.monitoring.figure import Cell, Figure

WIDTH = 290
"""Units of the drawing; on the narrowest screen one is one pixel."""
_BAR = 14
_GAP = 10
_LABEL = 15
_LETTERS = 38
"""As many of a label as surely fit on a line."""
_ROOM = 84
"""Kept free after the longest bar for its number or words."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its number or, where there is none, the words for why."""

    series: int
    top: int
    length: int
    words: str


@dataclass(frozen=True, slots=True)
class Band:
    """The bars of one row of the table, under their label."""

    lines: tuple[tuple[int, str], ...]
    """The label's lines, each with where it stands."""
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of some columns of a figure."""

    name: str
    title: str
    description: str
    series: tuple[str, ...]
    bands: tuple[Band, ...]
    height: int


def draw(figure: Figure) -> Chart | None:
    """Return the chart of a figure, or ``None`` where there is nothing to draw."""
    numbers = [row[k] for row in figure.rows for k in figure.drawn if isinstance(row[k], int)]
    longest = max((each for each in numbers if isinstance(each, int)), default=0)
    if longest <= 0:
        return None
    series = tuple(figure.headings[k] for k in figure.drawn)
    bands, top = [], 0
    for row in figure.rows:
        lines = wrap(str(row[0]), _LETTERS)
        bars_from = top + _LABEL * len(lines)
        bars = (
            _bar(row[k], series=at, top=bars_from + at * _BAR, longest=longest) for at, k in enumerate(figure.drawn)
        )
        places = (top + _LABEL * number - 4 for number, _ in enumerate(lines, start=1))
        bands.append(Band(tuple(zip(places, lines, strict=True)), tuple(bars)))
        top = bars_from + _BAR * len(series) + _GAP
    return Chart(
        name=figure.name,
        title=figure.title,
        description=f"Bars of {' and '.join(series)}, in {figure.unit}; the table after it has each number.",
        series=series,
        bands=tuple(bands),
        height=top,
    )


def _bar(value: Cell, *, series: int, top: int, longest: int) -> Bar:
    if isinstance(value, str):
        return Bar(series, top, 0, value)
    # What is less than nothing has its number, and no bar.
    return Bar(series, top, max(value, 0) * (WIDTH - _ROOM) // longest, f"{value:,}".replace("-", "−"))
