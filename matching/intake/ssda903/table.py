"""The tables of a return, told apart by their columns, and one record of one of them as it was handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from matching.intake.row import RowProblem, shown
from matching.intake.sheet import UnreadableSheet


class Table(StrEnum):
    """The tables that are read."""

    HEADER = "Header"
    EPISODES = "Episodes"
    AD1 = "AD1"
    PLACED = "PlacedAdoption"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the cells that are read, by column, blank ones left out, and where they stand.

    ``row`` is the row that a spreadsheet shows, or the place of the child among those of an XML file, from 1.
    ``child`` is ``None`` where no number can be read; ``problems`` are those of the record as a whole.
    """

    table: Table
    sheet: str
    row: int
    child: str | None
    cells: Mapping[str, str]
    problems: tuple[RowProblem, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    """What the file calls a column, where that says more than its name: “DECOM of episode 2”."""

    def problem(self, column: str | None, reason: str) -> RowProblem:
        """Return what is wrong with a cell of this record, and where."""
        value = self.cells.get(column) if column and column != "CHILD" else self.child if column else None
        heading = self.columns.get(column, column) if column else None
        return RowProblem(self.row, heading, shown(value), reason, self.sheet)

    def place(self) -> str:
        """Return where the record stands, in words."""
        return f"row {self.row} of {self.sheet}"


COLUMNS: Final[Mapping[Table, tuple[str, ...]]] = {
    Table.HEADER: ("CHILD", "SEX", "DOB", "ETHNIC"),
    Table.EPISODES: ("CHILD", "DECOM", "RNE", "LS", "PLACE", "DEC", "REC", "HOME_POST"),
    Table.AD1: ("CHILD", "DOB", "DATE_INT", "DATE_MATCH"),
    Table.PLACED: ("CHILD", "DOB", "DATE_PLACED", "DATE_PLACED_CEASED", "REASON_PLACED_CEASED"),
}
"""The columns that are read, in any order and case, among others."""

#: Columns that a file may lack; what they say is then unknown.
_NOT_NEEDED: Final = frozenset(
    {(Table.AD1, "DOB"), (Table.PLACED, "DOB"), (Table.EPISODES, "RNE"), (Table.EPISODES, "HOME_POST")}
)

#: What the XML, and older returns, call a column.
_OTHER_NAMES: Final = {"CHILDID": "CHILD", "PL": "PLACE", "GENDER": "SEX"}

#: Of the columns of each table, those that no other table of a return has. One of them tells a table.
_TELLING: Final[Mapping[Table, frozenset[str]]] = {
    Table.HEADER: frozenset({"ETHNIC", "UPN", "MOTHER", "MC_DOB"}),
    Table.EPISODES: frozenset({"DECOM", "RNE", "LS", "CIN", "PLACE", "REC", "HOME_POST", "PL_POST"}),
    Table.AD1: frozenset({"DATE_INT", "DATE_MATCH", "FOSTER_CARE", "NB_ADOPTR", "SEX_ADOPTR", "LS_ADOPTR"}),
    Table.PLACED: frozenset({"DATE_PLACED", "DATE_PLACED_CEASED", "REASON_PLACED_CEASED"}),
}


def column_named(heading: str) -> str:
    """Return the column that a heading or an element names, as the return writes it."""
    name = "_".join(heading.strip().upper().replace("_", " ").split())
    return _OTHER_NAMES.get(name, name)


def table_of(headings: Sequence[str], *, sheet: str) -> Table | None:
    """Return which table has these columns; ``None`` when it is none that is read.

    :raises UnreadableSheet: when the columns are those of a table but not all of them, or one is there twice.
    """
    names = [column_named(heading) for heading in headings]
    by_likeness = {table: len(telling & set(names)) for table, telling in _TELLING.items()}
    table = max(by_likeness, key=lambda each: by_likeness[each])
    if not by_likeness[table]:
        return None
    missing = [column for column in COLUMNS[table] if column not in names and (table, column) not in _NOT_NEEDED]
    if missing:
        raise UnreadableSheet(
            f"{sheet} looks like the table {table} of the return, but its first row has no column "
            f"{' and no column '.join(missing)}. Export it again with the headings of the SSDA903 guide in row 1."
        )
    doubled = [column for column in COLUMNS[table] if names.count(column) > 1]
    if doubled:
        raise UnreadableSheet(f"{sheet} has the column {doubled[0]} twice. Keep the one that is meant.")
    return table
