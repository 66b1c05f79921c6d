"""Households written by many hands: the same facts in any of the ways that sheets have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from matching.intake.column import Column, SheetKind, columns_of
from matching.intake.household_row import HouseholdRow
from matching.intake.sheet import CellValue
from matching.intake.value_text import say_tolerance
from matching.need import Answer, Tolerance, YesNo
from matching.ranking.facts import SexApproved

Written = dict[str, tuple[str, CellValue]]
"""By documented heading: the heading as this sheet has it, and the cell."""

_NOT_KNOWN: tuple[CellValue, ...] = (None, "n/k", "TBC", "?", "-", "Unknown")
_WAYS: dict[object, tuple[CellValue, ...]] = {
    YesNo.YES: ("yes", "Y", "TRUE", True, "✓", 1),
    YesNo.NO: ("no", "N", "False", False, "✗", 0),
    YesNo.UNKNOWN: (*_NOT_KNOWN, "maybe"),
    Answer.CAN_MEET: ("can meet", "Yes", "y", True),
    Answer.WOULD_DISCUSS: ("would discuss", "maybe", "Would consider", "discuss"),
    Answer.CANNOT: ("cannot", "No", "n", False),
    Answer.UNKNOWN: _NOT_KNOWN,
    SexApproved.ANY: ("any", "Either", "M/F", "boy or girl", "No preference"),
    SexApproved.FEMALE: ("female", "F", "girl only", "Girls"),
    SexApproved.MALE: ("male", "M", "boys"),
    SexApproved.UNKNOWN: _NOT_KNOWN,
    None: _NOT_KNOWN,
}
_STATUS: dict[object, tuple[str, ...]] = {
    "waiting": ("waiting", "Available", "Active"),
    "on_hold": ("on hold", "On-hold", "paused"),
    "withdrawn": ("withdrawn", "Withdrew"),
}
_ETHNICITIES = {
    "WBRI": ("WBRI", "White British", "White - British"),
    "WIRI": ("Irish", "White Irish"),
    "MWBC": ("White and Black Caribbean", "Mixed White & Black Caribbean", "MWBC"),
    "MWAS": ("White and Asian", "Mixed - White and Asian"),
    "BAFR": ("Black African", "Black or Black British - African"),
    "CHNE": ("Chinese", "chnE"),
    "WROM": ("Gypsy/Roma", "WROM"),
}
_TOLERANCES = {
    Tolerance(low=Answer.CAN_MEET): ("yes", "mild", "up to low"),
    Tolerance(*(Answer.WOULD_DISCUSS,) * 3): ("maybe", "would consider"),
    Tolerance(*(Answer.CANNOT,) * 3): ("no", "N", "cannot"),
    Tolerance(low=Answer.CAN_MEET, medium=Answer.CAN_MEET): ("moderate", "up to medium", "mild/moderate"),
    Tolerance(*(Answer.CAN_MEET,) * 3): ("severe", "any", "yes to severe"),
}
_PAIRS = (("Testine", "Sampleson"), ("Mockford", "Sampleson"), ("Fauxley", "Specimen"))


@st.composite
def written_households(draw: st.DrawFn, row: HouseholdRow) -> tuple[HouseholdRow, Written]:
    """Return the household, its names made plain, and a sheet's one row of it in some shape."""
    names = draw(st.sampled_from(((None, None), (_PAIRS[0], None), (_PAIRS[0], _PAIRS[1]), (_PAIRS[0], _PAIRS[2]))))
    full = [name and " ".join(name) for name in names]
    heritage = frozenset(draw(st.sets(st.sampled_from(sorted(_ETHNICITIES)), max_size=3)))
    row = replace(row, adopter_1_name=full[0], adopter_2_name=full[1], heritage=heritage, adopters=None)
    cells = {column.field: draw(_cell(column, row)) for column in columns_of(SheetKind.HOUSEHOLDS)}
    for field, parts, write in _SPREADING:
        joined = write(draw, row)
        if joined is None or draw(st.booleans()):
            cells.pop(field)
        else:
            cells[field] = joined
            for part in parts:
                cells.pop(part)
    columns = {column.field: column for column in columns_of(SheetKind.HOUSEHOLDS)}
    order = draw(st.permutations(list(cells)))
    return row, {columns[name].heading: (draw(_heading(columns[name])), cells[name]) for name in order}


def _heading(column: Column) -> st.SearchStrategy[str]:
    return st.sampled_from((column.heading, column.heading.upper(), *column.other_names))


def _cell(column: Column, row: HouseholdRow) -> st.SearchStrategy[CellValue]:
    if column.spreads:
        return st.none()
    value: Any = row.needs.get(column.field) if column.of_need else getattr(row, column.field)
    return st.sampled_from(_ways(column, value))


def _ways(column: Column, value: Any) -> tuple[CellValue, ...]:
    if column.field in {"sharing", "sharing_reason"} and value is None:
        return (None,)
    for kind, ways in _BY_KIND:
        if kind(column, value):
            return ways(column, value)
    return _WAYS.get(value, (column.say(value),)) if isinstance(value, str) or value is None else (column.say(value),)


def _dates(_: Column, day: date) -> tuple[CellValue, ...]:
    return (
        *(day, f"{day:%d/%m/%Y}", f"{day.day}/{day.month}/{day.year}", f"{day:%d.%m.%Y}", day.isoformat()),
        *(f"{day.day} {day:%B %Y}", f"{day.day}-{day:%b-%Y}"),
    )


def _months(_: Column, day: date) -> tuple[CellValue, ...]:
    return (day, f"{day:%m/%Y}", f"{day.month}/{day.year}", f"{day:%B %Y}", f"{day:%b-%Y}", f"{day:%Y-%m}")


def _youngest(_: Column, months: int) -> tuple[CellValue, ...]:
    years: tuple[CellValue, ...] = () if months % 12 else (f"{months // 12}", months // 12, f"{months // 12} yrs")
    return (*years, f"{months} months", f"{months}m")


def _oldest(_: Column, months: int) -> tuple[CellValue, ...]:
    if months % 12 != 11:
        return (f"{months} months", f"up to {months} mths")
    years = months // 12
    return (f"{years}", years, f"under {years + 1}", f"up to {years}", f"{years} and under", f"{months} months")


_BY_KIND: tuple[tuple[Callable[[Column, Any], bool], Callable[[Column, Any], tuple[CellValue, ...]]], ...] = (
    (lambda column, _: column.field == "status", lambda _, value: _STATUS[value]),
    (
        lambda _, value: isinstance(value, Tolerance),
        lambda _, value: _TOLERANCES.get(value, ()) or (say_tolerance(value),),
    ),
    (
        lambda column, _: column.field == "heritage",
        lambda _, value: _listed([_ETHNICITIES[code] for code in sorted(value)]),
    ),
    (lambda _, value: isinstance(value, frozenset), lambda _, value: _listed([(each,) for each in sorted(value)])),
    (lambda column, value: column.field == "youngest_at_home" and value, _months),
    (lambda column, value: isinstance(value, date) and column.is_date, _dates),
    (lambda column, value: column.field == "age_from_months" and value is not None, _youngest),
    (lambda column, value: column.field == "age_to_months" and value is not None, _oldest),
    (
        lambda column, value: column.field == "postcode" and value,
        lambda _, value: (value, value.lower(), value.replace(" ", "")),
    ),
    (lambda _, value: isinstance(value, int), lambda _, value: (value, f"{value}", float(value))),
)


def _listed(ways: list[tuple[str, ...]]) -> tuple[CellValue, ...]:
    if not ways:
        return _NOT_KNOWN
    return tuple(
        mark.join(way[-turn % len(way)] for way in ways) for mark in ("; ", ", ", " & ", " / ") for turn in (0, 1)
    )


def _ages(draw: st.DrawFn, row: HouseholdRow) -> CellValue:
    first, last = row.age_from_months, row.age_to_months
    if first is None or (last is not None and first > last):
        return None
    youngest = f"{first // 12} yrs" if first % 12 == 0 else f"{first}m"
    if last is None:
        return draw(st.sampled_from((f"{youngest}+", f"{youngest} and over", f"from {youngest}")))
    oldest = f"{last // 12} yrs" if last % 12 == 11 else f"{last}m"
    ways = [f"{youngest} - {oldest}", f"{youngest} to {oldest}", f"{youngest}–{oldest}"]
    ways += [f"up to {oldest}", f"{oldest} and under", f"birth to {oldest}"] if first == 0 else []
    return draw(st.sampled_from(ways))


def _numbers(draw: st.DrawFn, row: HouseholdRow) -> CellValue:
    ways: list[CellValue]
    fewest, most = row.fewest_children, row.most_children
    if most is None:
        return None if fewest is None else f"{fewest}+"
    if fewest is None:
        ways = [most, f"{most}", f"{most} children"]
        return None if most == 1 else draw(st.sampled_from(ways))
    ways = [f"{fewest}-{most}", f"{fewest} to {most}"]
    ways += [f"up to {most}", f"max {most}"] if fewest == 1 else []
    ways += [f"sib group of {most}", f"siblings ({most})"] if fewest == most > 1 else []
    ways += ["single", "1"] if most == 1 else []
    ways += [f"{fewest} or {most}"] if most == fewest + 1 else []
    return draw(st.sampled_from(ways))


def _names(draw: st.DrawFn, row: HouseholdRow) -> CellValue:
    first, second = row.adopter_1_name, row.adopter_2_name
    if first is None:
        return draw(st.sampled_from(("n/k", "TBC")))
    turned = ", ".join(reversed(first.split()))
    if second is None:
        return draw(st.sampled_from((first, turned)))
    ways = [f"{first} & {second}", f"{first} and {second}", f"{turned}; {', '.join(reversed(second.split()))}"]
    ways += [f"{first.split()[0]} & {second}"] if first.split()[1] == second.split()[1] else []
    return draw(st.sampled_from(ways))


_SPREADING = (
    ("age_range", ("age_from_months", "age_to_months"), _ages),
    ("number_of_children", ("fewest_children", "most_children"), _numbers),
    ("adopter_names", ("adopter_1_name", "adopter_2_name"), _names),
)
