"""Two files that the demonstration leaves for whoever tries it: one with a question, one with rows to mend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from concord.demo.chance import Chance
from concord.demo.consortium import DemoAgency
from concord.demo.household import household_row
from concord.demo.own_column import Row, lines_of
from concord.demo.row import Cell
from concord.demo.sheet_shape import DemoSheet, own_columns
from concord.demo.workbook import write_council_workbook, write_workbook
from matching.intake.column import SheetKind

LEFT_WITH: Final = "devon"
"""The agency that finds them on its page of imports."""
_ROWS: Final = 8

#: What is wrong in the sheet that is to be mended: row, own heading, and what somebody has typed there.
_SLIPS: Final = (
    (1, "(ages)", "6-2 yrs"),
    (3, "Date approved", "31 February 2026"),
    (3, "Post code", "ZZ9 9ZZ"),
    (6, "Ethnicity", "Venusian"),
)
_UNCLEAR: Final = ("Who", "How old", "Siblings?", "Area", "Panel", "Best number", "Anything else")


def write_left_files(
    directory: Path, agency: DemoAgency, *, seed: int, as_of: date, number: int, serial: int
) -> tuple[DemoSheet, ...]:
    """Write both, of households that no other sheet has: ``number`` and ``serial`` are the first that are free."""
    rows = [
        household_row(
            Chance(seed, f"left/{agency.slug}/{place}"),
            agency,
            number=number + place,
            serial=serial + place,
            as_of=as_of,
        )
        for place in range(2 * _ROWS)
    ]
    return (
        _with_rows_to_mend(directory / f"{agency.slug}-new-this-week.xlsx", agency, rows[:_ROWS], seed=seed),
        _with_a_question(directory / f"{agency.slug}-duty-list.xlsx", agency, rows[_ROWS:], as_of=as_of),
    )


def _with_rows_to_mend(path: Path, agency: DemoAgency, rows: Sequence[Row], *, seed: int) -> DemoSheet:
    columns = own_columns(agency, SheetKind.HOUSEHOLDS)
    lines = lines_of(columns, rows, Chance(seed, f"left words/{agency.slug}"))
    at = {column.heading: index for index, column in enumerate(columns)}
    for row, heading, typed in _SLIPS:
        lines[row][at[heading]] = typed
    write_council_workbook(path, title="New", about=f"New this week – {agency.name}", columns=columns, lines=lines)
    refused = len({row for row, _, _ in _SLIPS})
    return DemoSheet(agency.slug, SheetKind.HOUSEHOLDS, path, len(rows), refused=refused, check=True)


def _with_a_question(path: Path, agency: DemoAgency, rows: Sequence[Row], *, as_of: date) -> DemoSheet:
    lines = [_as_jotted_down(row, as_of) for row in rows]
    write_workbook(path, title="Duty list", headings=_UNCLEAR, lines=lines)
    return DemoSheet(agency.slug, SheetKind.HOUSEHOLDS, path, len(rows), check=True)


def _as_jotted_down(row: Row, as_of: date) -> list[Cell]:
    ages = None if row["Oldest age"] is None else f"{row['Youngest age']}-{row['Oldest age']}"
    most = None if row["Most children"] is None else f"up to {row['Most children']}"
    names = " & ".join(str(row[heading]) for heading in ("Adopter 1 name", "Adopter 2 name") if row[heading])
    return [names, ages, most, row["Postcode"], row["Approved on"], row["Telephone"], f"rang on {as_of:%d/%m/%Y}"]
