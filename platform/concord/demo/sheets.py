"""The demonstration's sheets: what the agencies of a synthetic consortium would hand in to the real importer."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped]

from concord.demo.chance import Chance, shared_out
from concord.demo.child import group_rows, list_sketches
from concord.demo.consortium import AGENCIES, CONSORTIUM, DemoAgency, DemoConsortium, DemoPerson, list_people
from concord.demo.household import household_row
from concord.demo.row import Cell
from matching.intake.column import SheetKind, columns_of
from tenants.error import Invalid

Row = dict[str, Cell]


class InvalidDemo(Invalid):
    """A demonstration was asked for that cannot be made."""


class Scenario(StrEnum):
    """What the pool is like; shortage is England in 2025, with 0.47 families for each group waiting."""

    SHORTAGE = "shortage"


@dataclass(frozen=True, slots=True)
class DemoSheet:
    """One file as an agency would send it, and how many records it holds."""

    agency_slug: str
    kind: SheetKind
    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """All that a demonstration is made of: set up the agencies and people, then import the sheets in order."""

    seed: int
    as_of: date
    scenario: Scenario
    consortium: DemoConsortium
    agencies: tuple[DemoAgency, ...]
    people: tuple[DemoPerson, ...]
    sheets: tuple[DemoSheet, ...]
    households: int
    groups: int
    children: int


def write_demo(
    directory: Path,
    *,
    seed: int,
    as_of: date,
    scenario: str = Scenario.SHORTAGE,
    households: int = 140,
    groups: int = 300,
) -> DemoPlan:
    """Write every agency's sheets into the directory and say what the demonstration is made of.

    The same arguments give the same bytes on every machine. Some sheets are CSV and some XLSX; some carry a
    group's columns on its first row only and some on each, as the importer must take both.

    :raises InvalidDemo: when the scenario is unknown or a number is negative.
    """
    if scenario not in set(Scenario):
        raise InvalidDemo(f"There is no scenario “{scenario}”: choose one of {', '.join(Scenario)}.")
    if households < 0 or groups < 0:
        raise InvalidDemo("The numbers of households and of groups cannot be negative.")
    directory.mkdir(parents=True, exist_ok=True)
    by_agency = _household_rows(seed, as_of, households)
    children = _child_rows(seed, as_of, groups)
    sheets = [
        *_write_all(directory, SheetKind.HOUSEHOLDS, by_agency),
        *_write_all(directory, SheetKind.CHILDREN, children),
    ]
    return DemoPlan(
        seed=seed,
        as_of=as_of,
        scenario=Scenario(scenario),
        consortium=CONSORTIUM,
        agencies=AGENCIES,
        people=list_people(),
        sheets=tuple(sheets),
        households=households,
        groups=groups,
        children=sum(len(rows) for rows in children),
    )


def _household_rows(seed: int, as_of: date, households: int) -> list[list[Row]]:
    counts = shared_out(households, [agency.household_weight for agency in AGENCIES])
    serial = 0
    found: list[list[Row]] = []
    for agency, count in zip(AGENCIES, counts, strict=True):
        rows = []
        for number in range(1, count + 1):
            serial += 1
            chance = Chance(seed, f"household/{agency.slug}/{number}")
            rows.append(household_row(chance, agency, number=number, serial=serial, as_of=as_of))
        found.append(rows)
    return found


def _child_rows(seed: int, as_of: date, groups: int) -> list[list[Row]]:
    counts = shared_out(groups, [agency.child_weight for agency in AGENCIES])
    sketches = list_sketches(Chance(seed, "groups"), groups)
    serial = 0
    found: list[list[Row]] = []
    for place, (agency, count) in enumerate(zip(AGENCIES, counts, strict=True)):
        rows: list[Row] = []
        for number in range(1, count + 1):
            serial += 1
            chance = Chance(seed, f"group/{agency.slug}/{number}")
            sketch = sketches[serial - 1]
            rows += group_rows(chance, agency, sketch, number=number, serial=serial, as_of=as_of, repeat=place % 3 == 0)
        found.append(rows)
    return found


def _write_all(directory: Path, kind: SheetKind, by_agency: list[list[Row]]) -> Iterable[DemoSheet]:
    """Write one sheet for each agency that has rows, every other one as a workbook."""
    headings = tuple(column.heading for column in columns_of(kind))
    odd = kind is SheetKind.HOUSEHOLDS
    for place, (agency, rows) in enumerate(zip(AGENCIES, by_agency, strict=True)):
        if not rows:
            continue
        workbook = bool(place % 2) is odd
        path = directory / f"{agency.slug}-{kind}.{'xlsx' if workbook else 'csv'}"
        if workbook:
            write_workbook(path, title=kind.value, headings=headings, rows=rows)
        else:
            write_csv(path, headings=headings, rows=rows)
        yield DemoSheet(agency_slug=agency.slug, kind=kind, path=path, rows=len(rows))


def write_csv(path: Path, *, headings: Sequence[str], rows: Iterable[Row]) -> None:
    """Write rows as UTF-8 with commas, dates as dd/mm/yyyy."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(headings)
        writer.writerows([_text(row.get(heading)) for heading in headings] for row in rows)


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:%d/%m/%Y}" if isinstance(cell, date) else str(cell)


def write_workbook(path: Path, *, title: str, headings: Sequence[str], rows: Iterable[Row]) -> None:
    """Write rows as a workbook of one sheet, dates as dates."""
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as workbook:
        # The hour of making would be the only thing that differs between two runs.
        workbook.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - the format knows no zone
        bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        sheet = workbook.add_worksheet(title)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(headings) - 1, 18)
        sheet.write_row(0, 0, headings, bold)
        for line, row in enumerate(rows, start=1):
            for column, heading in enumerate(headings):
                cell = row.get(heading)
                if isinstance(cell, date):
                    sheet.write_datetime(line, column, cell, day)
                elif isinstance(cell, int):
                    sheet.write_number(line, column, cell)
                elif cell is not None:
                    sheet.write_string(line, column, cell)
