"""The demonstration's sheets: what the agencies of a synthetic consortium would hand in to the real importer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

from concord.demo.chance import Chance, shared_out
from concord.demo.child import group_rows, list_sketches
from concord.demo.consortium import AGENCIES, CONSORTIUM, DemoAgency, DemoConsortium, DemoPerson, list_people
from concord.demo.household import household_row
from concord.demo.left_files import LEFT_WITH, write_left_files
from concord.demo.own_column import Row
from concord.demo.sheet_shape import DemoShape, DemoSheet, shape_of, write_sheet
from concord.demo.ssda903 import DemoReturn, children_for, write_return
from matching.intake.column import SheetKind
from matching.intake.ssda903.package import pack_return
from tenants.error import Invalid

RETURNED_BY: Final = "torbay"
"""The council that hands in its SSDA903 return in the place of a sheet of children."""


class InvalidDemo(Invalid):
    """A demonstration was asked for that cannot be made."""


class Scenario(StrEnum):
    """What the pool is like; shortage is England in 2025, with 0.47 families for each group waiting."""

    SHORTAGE = "shortage"


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """All that a demonstration is made of: set up the agencies and people, then import the sheets in order.

    ``left`` are checked only, and left as they are for whoever tries the demonstration. ``facts`` has what is so of
    each record of a sheet, by agency, in the documented words, whichever words its own sheet has for it.
    """

    seed: int
    as_of: date
    scenario: Scenario
    consortium: DemoConsortium
    agencies: tuple[DemoAgency, ...]
    people: tuple[DemoPerson, ...]
    sheets: tuple[DemoSheet, ...]
    left: tuple[DemoSheet, ...]
    facts: Mapping[tuple[str, SheetKind], Sequence[Row]]
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

    The same arguments give the same bytes on every machine. Agencies write in three shapes, as the importer must take
    all of them, and one council hands in its SSDA903 return.

    :raises InvalidDemo: when the scenario is unknown or a number is negative.
    """
    if scenario not in set(Scenario):
        raise InvalidDemo(f"There is no scenario “{scenario}”: choose one of {', '.join(Scenario)}.")
    if households < 0 or groups < 0:
        raise InvalidDemo("The numbers of households and of groups cannot be negative.")
    directory.mkdir(parents=True, exist_ok=True)
    returned = _write_return(directory, seed, as_of, groups)
    waiting = returned.taken if returned else 0
    facts = {
        **_of_kind(SheetKind.HOUSEHOLDS, _household_rows(seed, as_of, households)),
        **_of_kind(SheetKind.CHILDREN, _child_rows(seed, as_of, groups - waiting)),
    }
    by_slug = {agency.slug: agency for agency in AGENCIES}
    sheets = [
        write_sheet(directory, by_slug[slug], kind, rows, seed=seed, as_of=as_of)
        for (slug, kind), rows in facts.items()
    ]
    left_with = by_slug[LEFT_WITH]
    known = len(facts.get((LEFT_WITH, SheetKind.HOUSEHOLDS), ()))
    left = write_left_files(directory, left_with, seed=seed, as_of=as_of, number=known + 1, serial=households + 1)
    return DemoPlan(
        seed=seed,
        as_of=as_of,
        scenario=Scenario(scenario),
        consortium=CONSORTIUM,
        agencies=AGENCIES,
        people=list_people(),
        sheets=(*sheets, *([_return_sheet(directory, returned)] if returned else [])),
        left=left,
        facts=facts,
        households=households,
        groups=groups,
        children=waiting + sum(len(rows) for (_, kind), rows in facts.items() if kind is SheetKind.CHILDREN),
    )


def _of_kind(kind: SheetKind, by_agency: Iterable[Sequence[Row]]) -> dict[tuple[str, SheetKind], Sequence[Row]]:
    """Return the rows of each agency that has any."""
    return {(agency.slug, kind): rows for agency, rows in zip(AGENCIES, by_agency, strict=True) if rows}


def _write_return(directory: Path, seed: int, as_of: date, groups: int) -> DemoReturn | None:
    """Write the return of the council that hands one in, with about its share of the groups waiting, if any."""
    shares = shared_out(groups, [agency.child_weight for agency in AGENCIES])
    agency, share = next(pair for pair in zip(AGENCIES, shares, strict=True) if pair[0].slug == RETURNED_BY)
    children = children_for(share)
    if not children:
        return None
    folder = directory / f"{agency.slug}-ssda903"
    return write_return(folder, agency=agency, seed=seed, as_of=as_of, children=children)


def _return_sheet(directory: Path, returned: DemoReturn) -> DemoSheet:
    path = directory / f"{RETURNED_BY}-ssda903.zip"
    path.write_bytes(pack_return({file.name: file.read_bytes() for file in sorted(returned.folder.iterdir())}))
    return DemoSheet(RETURNED_BY, SheetKind.SSDA903, path, returned.children, refused=returned.refused)


def _household_rows(seed: int, as_of: date, households: int) -> list[list[Row]]:
    counts = shared_out(households, [agency.household_weight for agency in AGENCIES])
    serial = 0
    found: list[list[Row]] = []
    for agency, count in zip(AGENCIES, counts, strict=True):
        rows: list[Row] = []
        for number in range(1, count + 1):
            serial += 1
            chance = Chance(seed, f"household/{agency.slug}/{number}")
            row = household_row(chance, agency, number=number, serial=serial, as_of=as_of)
            rows.append(_by_the_month(seed, agency, number, row))
        found.append(rows)
    return found


def _child_rows(seed: int, as_of: date, groups: int) -> list[list[Row]]:
    weights = [0 if agency.slug == RETURNED_BY else agency.child_weight for agency in AGENCIES]
    counts = shared_out(groups, weights)
    sketches = list_sketches(Chance(seed, "groups"), groups)
    serial = 0
    found: list[list[Row]] = []
    for place, (agency, count) in enumerate(zip(AGENCIES, counts, strict=True)):
        rows: list[Row] = []
        for number in range(1, count + 1):
            serial += 1
            chance = Chance(seed, f"group/{agency.slug}/{number}")
            sketch = sketches[serial - 1]
            rows += group_rows(chance, agency, sketch, number=number, serial=serial, as_of=as_of, repeat=place % 2 == 0)
        found.append(rows)
    return found


def _by_the_month(seed: int, agency: DemoAgency, number: int, row: Row) -> Row:
    """Return a household approved to the month rather than the year, as an older database asks it of some."""
    chance = Chance(seed, f"months/{agency.slug}/{number}")
    oldest = row["Oldest age"]
    if shape_of(agency) is not DemoShape.OLDER or not isinstance(oldest, int) or not chance.happens(0.4):
        return row
    youngest = "6 months" if row["Youngest age"] == 0 and chance.happens(0.5) else row["Youngest age"]
    return {**row, "Youngest age": youngest, "Oldest age": f"{oldest * 12} months"}
