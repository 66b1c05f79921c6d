"""Charts of amounts: to the pound, for the table beside each has the pence."""

from __future__ import annotations

from collections.abc import Iterable

from concord.web.chart import Chart, draw
from matching.monitoring.figure import Cell, Figure

UNSAID = "none entered"


def draw_pounds(
    name: str, title: str, headings: tuple[str, ...], rows: Iterable[tuple[str, *tuple[int | None, ...]]]
) -> Chart | None:
    """Return the chart of amounts in pence by what each row is of, or ``None`` where there is nothing to draw.

    Rows in which there is nothing are left out; an amount that nobody has said is told as such.
    """
    cells = tuple((words, *map(_whole, amounts)) for words, *amounts in rows if any(amounts))
    return draw(Figure(name, title, "", headings, cells, drawn=tuple(range(1, len(headings))), unit="pounds"))


def _whole(pence: int | None) -> Cell:
    if pence is None:
        return UNSAID
    return pence // 100 if pence >= 0 else -(-pence // 100)
