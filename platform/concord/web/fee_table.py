"""Tables of fees: what stands in one is said once, and the page shows it and a file holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request

from concord.web.fee_file import hand_out, in_pounds
from tenants.base import utc_now
from workers.document.sheet import SheetFormat, Value

_ASKED = "file"
_NOT_KEPT = frozenset({_ASKED, "page"})


class Holds(StrEnum):
    """What stands in a column."""

    WORDS = "words"
    POUNDS = "pounds"
    """Pence, or words where there is no amount."""
    NUMBER = "number"
    DAY = "day"

    @property
    def is_figure(self) -> bool:
        """Say whether it stands to the right, and adds up."""
        return self in (Holds.POUNDS, Holds.NUMBER)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and of its file."""

    heading: str
    holds: Holds = Holds.WORDS
    below: bool = False
    """On the page it stands below the column before it, in the same cell."""
    named: bool = False
    """There it is named as well, for its words alone would not say what they are."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place, and where it leads."""

    value: str | int | date | None
    href: str | None = None
    besides: str = ""
    """What a link says besides to those who hear it without its row."""
    tag: str = ""
    """The GOV.UK tag's class; the value is its text."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: what stands in it, and what it is of, for those who offer something to be done with that."""

    cells: tuple[Cell, ...]
    of: Any = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its name in an address and of its file."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    totals: Sequence[Row] = field(default=())
    wide: bool = False
    """It keeps its columns on any screen."""

    def __post_init__(self) -> None:
        """Refuse a row that has not a cell for each column: one would be left out, or stand under another's name."""
        if any(len(each.cells) != len(self.columns) for each in (*self.rows, *self.totals)):
            raise ValueError(f"{self.name}: a row has not {len(self.columns)} cells")

    @property
    def groups(self) -> list[list[int]]:
        """Return the places of the columns that share a cell on the page."""
        found: list[list[int]] = []
        for place, column in enumerate(self.columns):
            if column.below:
                found[-1].append(place)
            else:
                found.append([place])
        return found

    def added_up(self, words: str) -> Table:
        """Return the table with what its figures add up to."""
        sums = [self._sum(place) if column.holds.is_figure else None for place, column in enumerate(self.columns)]
        return replace(self, totals=(*self.totals, row(words, *sums[1:])))

    def _sum(self, place: int) -> int | None:
        """Return what a column adds up to, or ``None`` where nothing stands in it."""
        found = [value for each in self.rows if isinstance(value := each.cells[place].value, int)]
        return sum(found) if found else None

    @property
    def is_offered(self) -> bool:
        """Say whether the page has an address: what answers a form that was refused may have none."""
        return request.method != "POST"

    def address(self, file_format: str) -> str:
        """Return where the page hands the table out: as it was asked for, but the whole of it."""
        kept = [(name, value) for name, value in request.args.items(multi=True) if name not in _NOT_KEPT]
        return f"{request.path}?{urlencode([*kept, (_ASKED, f'{self.name}.{file_format}')])}"

    def hand_out(self, file_format: SheetFormat) -> Response:
        """Return the table as a file."""
        rows = (list(self._written(each)) for each in chain(self.rows, self.totals))
        return hand_out(f"{self.name}-{utc_now().date()}", [each.heading for each in self.columns], rows, file_format)

    def _written(self, row: Row) -> Iterator[Value]:
        for column, cell in zip(self.columns, row.cells, strict=True):
            if column.holds is Holds.POUNDS and isinstance(cell.value, int):
                yield in_pounds(cell.value)
            else:
                yield "" if cell.value is None else cell.value


def money(*headings: str) -> tuple[Column, ...]:
    """Return columns of amounts."""
    return tuple(Column(each, Holds.POUNDS) for each in headings)


def row(*values: Cell | str | int | date | None, of: Any = None) -> Row:  # noqa: ANN401 - whatever the page is of
    """Return a row of what stands in it, in the columns' order."""
    return Row(tuple(each if isinstance(each, Cell) else Cell(each) for each in values), of)


def whole_asked() -> bool:
    """Say whether a file is asked for, which has the whole of a list and not one page of it."""
    return _ASKED in request.args


def show_page(template: str, *tables: Table, **facts: Any) -> str | Response:  # noqa: ANN401 - as render_template
    """Return the page, or the one of its tables that the address asks for as a file."""
    name, _, file_format = request.args.get(_ASKED, "").rpartition(".")
    for table in tables:
        if table.name == name and file_format in set(SheetFormat):
            return table.hand_out(SheetFormat(file_format))
    return render_template(template, tables={each.name: each for each in tables}, **facts)
