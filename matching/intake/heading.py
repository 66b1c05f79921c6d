"""Where the headings of a worksheet stand, and what each column is called."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from matching.intake.grid import Grid
from matching.intake.sheet import CellValue

Likeness = Callable[[Sequence[str]], float]
"""How much some cells look like headings, from 0 to 1."""

_SEARCHED: Final = 30
_SURE: Final = 0.25
"""From which likeness a row is taken for headings whatever stands below it. Chosen here."""
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Headings:
    """The rows that hold headings, from 0, first and last, and one text per column, “” where there is none."""

    first: int
    last: int
    texts: tuple[str, ...]


def find_headings(grid: Grid, likeness: Likeness) -> Headings | None:
    """Return where the headings stand among the first rows; ``None`` when no row looks like them.

    ``likeness`` decides where it knows the words. Where it knows none, a row of words without digits over columns
    that hold digits is taken: a record would have digits there itself, and must not be taken for headings.
    """
    filled = [row for row in range(len(grid.cells)) if any(cell is not None for cell in grid.cells[row])]
    searched = filled[:_SEARCHED]
    scored = [(_score(grid, row, likeness), -row) for row in searched]
    score, negative = max(scored, default=(0.0, 0))
    if score <= 0 or not scored:
        return None
    return _joined(grid, -negative, filled, likeness)


def heading_text(cell: CellValue) -> str:
    """Return a cell as a heading: one line, “” when blank."""
    return "" if cell is None else " ".join(str(cell).split())


def _score(grid: Grid, row: int, likeness: Likeness) -> float:
    texts = [heading_text(cell) for cell in _own(grid, row).values()]
    if not texts or max(map(len, texts)) > _LONGEST:
        return 0.0
    like = likeness(texts)
    if like < _SURE and not _heads_figures(grid, row):
        return 0.0
    # More headings that are known beat a higher share of fewer: a title may be one known word.
    return like * min(len(texts), 60) + 0.5 * _shape(grid, row)


def _shape(grid: Grid, row: int) -> float:
    """Return how much a row is of distinct words without digits, as headings are."""
    cells = list(_own(grid, row).values())
    words = [cell for cell in cells if isinstance(cell, str) and not _has_digit(cell)]
    return len({word.casefold() for word in words}) / len(cells)


def _heads_figures(grid: Grid, row: int) -> bool:
    """Say whether a row of distinct words stands over at least two columns that hold digits all the way down."""
    own = _own(grid, row)
    if len(own) < 3 or _shape(grid, row) < 1:
        return False
    below = grid.cells[row + 1 : row + 1 + 200]
    figures = 0
    for column in own:
        values = [cells[column] for cells in below if column < len(cells) and cells[column] is not None]
        if values and sum(_has_digit(value) for value in values) >= 0.8 * len(values):
            figures += 1
    return figures >= 2


def _has_digit(cell: CellValue) -> bool:
    return not isinstance(cell, str) or any(letter.isdigit() for letter in cell)


def _own(grid: Grid, row: int) -> dict[int, CellValue]:
    """Return the cells of a row that hold something of their own, by column: not what a merged block filled in."""
    return {
        column: cell
        for column, cell in enumerate(grid.cells[row])
        if cell is not None and (row, column) not in grid.filled_across and (row, column) not in grid.filled_down
    }


# ── headings of two rows ──


def _joined(grid: Grid, row: int, filled: list[int], likeness: Likeness) -> Headings:
    plain = _row_texts(grid, row)
    above, below = row - 1, row + 1
    if below in filled and _is_below(grid, row, below):
        return Headings(row, below, _pairs(grid, row, below, likeness))
    if above in filled and above >= 0 and _own(grid, above):
        texts = _under_groups(grid, above, row, likeness)
        if texts != plain:
            return Headings(above, row, texts)
    return Headings(row, row, plain)


def _row_texts(grid: Grid, row: int) -> tuple[str, ...]:
    return tuple(
        "" if (row, column) in grid.filled_across else heading_text(cell) for column, cell in enumerate(grid.cells[row])
    )


def _is_below(grid: Grid, top: int, below: int) -> bool:
    """Say whether a row holds the second half of headings: words only, under headings that span several columns."""
    own = _own(grid, below)
    spans = _spans(grid, top, width=max(len(grid.cells[top]), len(grid.cells[below])))
    if len(own) < 2 or not all(isinstance(cell, str) and not _has_digit(cell) for cell in own.values()):
        return False
    under = [next((span for span in spans if column in span), range(0)) for column in own]
    if len(set(under)) == len(spans):
        # Every heading has something below it, as it has in a record.
        return False
    return all(len(span) > 1 and under.count(span) > 1 for span in under)


def _spans(grid: Grid, row: int, *, width: int) -> list[range]:
    """Return the columns that each heading of a row covers: its own and the blank or filled ones after it."""
    starts = sorted(_own(grid, row))
    return [range(start, end) for start, end in zip(starts, [*starts[1:], width], strict=True)]


def _pairs(grid: Grid, top: int, below: int, likeness: Likeness) -> tuple[str, ...]:
    """Return the lower headings with those above joined on, group by group where that makes them no less clear."""
    width = max(len(grid.cells[top]), len(grid.cells[below]))
    own = {column: heading_text(cell) for column, cell in _own(grid, below).items()}
    texts = [own.get(column) or heading_text(_top(grid, top, column)) for column in range(width)]
    plain = tuple(texts)
    for span in _spans(grid, top, width=width):
        joined = {column: _join(heading_text(grid.at(top, span[0])), own[column]) for column in span if column in own}
        repeated = any(plain.count(plain[column]) > 1 for column in joined)
        if repeated or _gain(joined, plain, likeness) >= 0:
            texts = [joined.get(column, text) for column, text in enumerate(texts)]
    return tuple(texts)


def _top(grid: Grid, row: int, column: int) -> CellValue:
    return None if (row, column) in grid.filled_across else grid.at(row, column)


def _under_groups(grid: Grid, above: int, row: int, likeness: Likeness) -> tuple[str, ...]:
    """Return a row's headings with the groups above them joined on, where that makes them clearer."""
    texts = list(_row_texts(grid, row))
    texts += [""] * (len(grid.cells[above]) - len(texts))
    plain = tuple(texts)
    for span in _spans(grid, above, width=len(texts)):
        if _is_title(grid, above, span, plain) or (len(span) == 1 and not _said_twice(grid, above, span[0])):
            continue
        merged = sum((above, column) in grid.filled_across for column in span) + 1
        covered = span[:merged] if merged > 1 else span
        columns = [column for column in covered if plain[column] and (row, column) not in grid.filled_down]
        group = heading_text(grid.at(above, span[0]))
        joined = {column: _join(group, plain[column]) for column in columns}
        if merged > 1:
            repeated = any(plain.count(plain[column]) > 1 for column in columns)
            gain = repeated or _gain(joined, plain, likeness) >= 0
            texts = [joined[column] if gain and column in joined else text for column, text in enumerate(texts)]
        else:
            _join_one_by_one(texts, joined, plain, likeness)
        if not plain[span[0]] and merged == 1:
            texts[span[0]] = group
    return tuple(texts)


def _said_twice(grid: Grid, row: int, column: int) -> bool:
    """Say whether the cell beside it says the same: a merged group that a text file has written out."""
    return grid.at(row, column) in (grid.at(row, column - 1) if column else None, grid.at(row, column + 1))


def _join_one_by_one(texts: list[str], joined: dict[int, str], plain: tuple[str, ...], likeness: Likeness) -> None:
    """Join a group that is not merged to the headings after it, as far as they need it."""
    for column, text in joined.items():
        gain = likeness([text]) - likeness([plain[column]])
        if gain < 0 or (gain == 0 and plain.count(plain[column]) == 1):
            break
        texts[column] = text


def _is_title(grid: Grid, above: int, span: range, plain: tuple[str, ...]) -> bool:
    """Say whether a cell above headings is a title of the whole: the only one, at the left or over everything."""
    own = _own(grid, above)
    first = next((column for column, text in enumerate(plain) if text), 0)
    merged = sum((above, column) in grid.filled_across for column in span) + 1
    used = sum(1 for text in plain if text)
    return len(own) == 1 and (merged >= used or (merged == 1 and span[0] <= first))


def _gain(joined: dict[int, str], plain: tuple[str, ...], likeness: Likeness) -> float:
    if not joined:
        return -1.0
    before = statistics.fmean(likeness([plain[column]]) for column in joined)
    return statistics.fmean(likeness([text]) for text in joined.values()) - before


def _join(group: str, text: str) -> str:
    return text if group.casefold() == text.casefold() or not group else f"{group} {text}".strip()
