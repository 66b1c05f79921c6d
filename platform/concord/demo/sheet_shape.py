"""The shapes in which agencies hand in their records: the documented sheet, a council's own, an older export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

from concord.demo.chance import Chance
from concord.demo.consortium import AGENCIES, DemoAgency
from concord.demo.council_columns import COUNCIL_CHILDREN, COUNCIL_HOUSEHOLDS
from concord.demo.older_columns import OLDER_CHILDREN, OLDER_HOUSEHOLDS, OLDER_KEYS
from concord.demo.own_column import OwnColumn, Row, lines_of, plainly
from concord.demo.plain_file import write_csv, write_old_csv, write_open_document
from concord.demo.row import Cell
from concord.demo.wording import MONTHS
from concord.demo.workbook import Aside, write_council_workbook, write_workbook
from matching.intake.column import SheetKind, columns_of
from matching.intake.mapping import SheetChoice


class DemoShape(StrEnum):
    """What an agency's sheets look like."""

    DOCUMENTED = "documented"
    COUNCIL = "council"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class DemoSheet:
    """One file as an agency would send it, and how many records it holds.

    ``choices`` are what the agency's person says of its worksheets when asked what their columns hold; ``refused`` is
    how many of its rows must be refused; a ``check`` takes nothing.
    """

    agency_slug: str
    kind: SheetKind
    path: Path
    rows: int
    shape: DemoShape | None = None
    choices: tuple[SheetChoice, ...] = ()
    refused: int = 0
    check: bool = False


_PLACES: Final = {agency.slug: place for place, agency in enumerate(AGENCIES)}
_SHAPES: Final = tuple(DemoShape)
_COUNCIL: Final = {SheetKind.HOUSEHOLDS: COUNCIL_HOUSEHOLDS, SheetKind.CHILDREN: COUNCIL_CHILDREN}
_OLDER: Final = {SheetKind.HOUSEHOLDS: OLDER_HOUSEHOLDS, SheetKind.CHILDREN: OLDER_CHILDREN}
_TITLES: Final = {SheetKind.HOUSEHOLDS: "Adopters", SheetKind.CHILDREN: "Children"}
_ABOUT: Final = {SheetKind.HOUSEHOLDS: "Approved adopters", SheetKind.CHILDREN: "Children waiting"}
_README: Final = Aside(
    "Read me",
    (
        ("How to keep this workbook",),
        ("Add new records at the bottom and tell the duty worker.",),
        ("Do not sort it while somebody else has it open.",),
    ),
)
_WORKERS: Final = ("Duty team", "Team A", "Team B")


def shape_of(agency: DemoAgency) -> DemoShape:
    """Return the shape of an agency's sheets."""
    return _SHAPES[_PLACES[agency.slug] % len(_SHAPES)]


def is_asked_about(agency: DemoAgency, kind: SheetKind) -> bool:
    """Say whether the agency's workbook holds what only a person can tell: an archive, a column of its own."""
    return kind is SheetKind.HOUSEHOLDS and shape_of(agency) is DemoShape.COUNCIL and not _PLACES[agency.slug] % 2


def own_columns(agency: DemoAgency, kind: SheetKind) -> tuple[OwnColumn, ...]:
    """Return the columns of an agency's sheet of a kind."""
    shape = shape_of(agency)
    if shape is DemoShape.DOCUMENTED:
        return tuple(OwnColumn(each.heading, each.heading, plainly(each.heading)) for each in columns_of(kind))
    columns: tuple[OwnColumn, ...] = (_COUNCIL if shape is DemoShape.COUNCIL else _OLDER)[kind]
    if is_asked_about(agency, kind):
        columns = (*columns, OwnColumn("Held by", None, _worker))
    return columns


def write_sheet(
    directory: Path, agency: DemoAgency, kind: SheetKind, rows: Sequence[Row], *, seed: int, as_of: date
) -> DemoSheet:
    """Write an agency's sheet in its own shape, and say what it holds."""
    shape, columns = shape_of(agency), own_columns(agency, kind)
    chance = Chance(seed, f"words/{agency.slug}/{kind}")
    lines = lines_of(columns, rows, chance)
    path = directory / f"{agency.slug}-{kind}{_ending(agency, kind)}"
    if shape is DemoShape.COUNCIL:
        _write_council(path, agency, kind, columns, lines, as_of)
    else:
        _write_plain(path, kind, [column.heading for column in columns], lines)
    return DemoSheet(agency.slug, kind, path, len(rows), shape, _choices(agency, kind, columns))


def _worker(_row: Row, chance: Chance) -> Cell:
    return chance.pick(_WORKERS)


def _ending(agency: DemoAgency, kind: SheetKind) -> str:
    first = (_PLACES[agency.slug] // len(_SHAPES)) % 2 == 0
    if kind is SheetKind.CHILDREN:
        first = not first
    endings: Mapping[DemoShape, tuple[str, str]] = {
        DemoShape.DOCUMENTED: (".csv", ".xlsx"),
        DemoShape.COUNCIL: (".xlsx", ".xlsx"),
        DemoShape.OLDER: ("-export.csv", ".ods"),
    }
    return endings[shape_of(agency)][0 if first else 1]


def _write_plain(path: Path, kind: SheetKind, headings: Sequence[str], lines: Sequence[Sequence[Cell]]) -> None:
    if path.name.endswith("-export.csv"):
        write_old_csv(path, headings=headings, lines=lines)
    elif path.suffix == ".csv":
        write_csv(path, headings=headings, lines=lines)
    elif path.suffix == ".ods":
        write_open_document(path, title=_TITLES[kind], headings=headings, lines=lines)
    else:
        write_workbook(path, title=_TITLES[kind], headings=headings, lines=lines)


def _write_council(
    path: Path,
    agency: DemoAgency,
    kind: SheetKind,
    columns: Sequence[OwnColumn],
    lines: Sequence[Sequence[Cell]],
    as_of: date,
) -> None:
    day = f"{as_of.day} {MONTHS[as_of.month - 1]} {as_of.year}"
    write_council_workbook(
        path,
        title=_TITLES[kind],
        about=f"{_ABOUT[kind]} – {agency.name} – as at {day}",
        columns=columns,
        lines=lines,
        before=(_README,),
        after=(_archive(as_of),) if is_asked_about(agency, kind) else (),
    )


def _archive(as_of: date) -> Aside:
    """Return a worksheet of families of years ago, whom nobody is to find again in the register."""
    old = as_of.year - 6
    headings = ("Our ref", "Adopter(s)", "Date approved", "Date placed", "Box")
    lines = tuple(
        (f"OLD-{number:03d}", f"Archived Example-{number:04d}", f"{number} May {old}", f"{number} June {old}", number)
        for number in range(1, 9)
    )
    return Aside(f"Archive {old}", (headings, *lines))


def _choices(agency: DemoAgency, kind: SheetKind, columns: Sequence[OwnColumn]) -> tuple[SheetChoice, ...]:
    """Return what the agency's person would say of the worksheet with its records; the others are not to be read."""
    shape = shape_of(agency)
    keys = OLDER_KEYS if shape is DemoShape.OLDER and kind is SheetKind.HOUSEHOLDS else ()
    means = {index: column.means for index, column in enumerate(columns)}
    return (SheetChoice(_TITLES[kind], read=True, columns=means, keys=keys),)
