"""The documented headings of a sheet, as data: what each column is called, holds, means and looks like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from rapidfuzz import fuzz, process

from matching.intake import cell
from matching.intake.sheet import CellValue, Sheet, UnreadableSheet, column_letter
from matching.intake.value_text import say_month, say_oldest_age, say_sharing, say_value, say_word, say_youngest_age
from matching.need import need_catalogue

_ALIKE = 75.0
"""From which likeness, of 100, a heading is offered as the one that was meant."""
_NOTE = re.compile(r" ?\([^()]*\)$")


class SheetKind(StrEnum):
    """What a sheet has a row for."""

    HOUSEHOLDS = "households"
    CHILDREN = "children"
    SSDA903 = "ssda903"
    """A return of several tables in published columns: it is handed in as sheets are, and read by itself."""


SHEETS = (SheetKind.HOUSEHOLDS, SheetKind.CHILDREN)
"""The kinds whose columns are documented here."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``needed`` says that the sheet must have it and every row must fill it.

    ``of_group`` marks what a sibling group has as one, so that it may stand on the group's first row alone. A need's
    column has its code as ``field``, marked by ``of_need``. The parser of a column that ``spreads`` names the same
    fields for every cell.
    """

    heading: str
    field: str
    parse: Callable[[CellValue], object]
    help: str
    example: str
    needed: bool = False
    of_group: bool = False
    of_need: bool = False
    other_names: tuple[str, ...] = ()
    """What sheets that exist call it."""
    is_date: bool = False
    spreads: bool = False
    """Its parser returns a mapping of several fields."""
    say: Callable[[Any], str] = say_value
    """Writes a value of the field as a cell that is read as that value."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Return every field that the column fills."""
        blank = self.parse(None) if self.spreads else None
        return tuple(blank) if isinstance(blank, Mapping) else (self.field,)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that one sheet has, in its own order, each at its position among the sheet's cells.

    ``read`` keeps what short texts of each column were read as: a sheet says few things many times. ``sheet`` is the
    worksheet's name; ``width`` is up to where its columns are accounted for, those that are left out among them.
    """

    kind: SheetKind
    placed: tuple[tuple[int, Column], ...]
    sheet: str = ""
    width: int = 0
    read: dict[tuple[int, str | None], object] = field(default_factory=dict, compare=False, repr=False)

    def headings(self) -> tuple[str, ...]:
        """Return the documented headings that the sheet has."""
        return tuple(column.heading for _, column in self.placed)


@cache
def columns_of(kind: SheetKind) -> tuple[Column, ...]:
    """Return every column that such a sheet may have, in the documented order."""
    if kind is SheetKind.HOUSEHOLDS:
        return _HOUSEHOLD_COLUMNS + _need_columns(
            cell.tolerance_cell, "What the household says of this need, by level.", "can meet low; would discuss medium"
        )
    return _CHILD_COLUMNS + _need_columns(
        cell.need_level_cell, "How much of this need the child has: none, low, medium, high or unknown.", "medium"
    )


def layout_of(sheet: Sheet, kind: SheetKind) -> Layout:
    """Return which column stands where; case and spaces in headings do not matter.

    :raises UnreadableSheet: when a heading is unknown, missing or there twice; it names all of them.
    """
    known = {_key(column.heading): column for column in columns_of(kind)}
    if not known.keys() & {_key(heading) for heading in sheet.headings}:
        # A sheet without headings has somebody's record there: the reason, which is not sealed, must not quote it.
        raise UnreadableSheet(_wrong_kind(sheet, kind) or _NO_HEADINGS)
    complaints = [*_unknown(sheet, known), *_repeated(sheet), *_missing(sheet, known.values())]
    if complaints:
        raise UnreadableSheet(_wrong_kind(sheet, kind) or "The headings do not fit. " + " ".join(complaints))
    placed = [(index, known[_key(heading)]) for index, heading in enumerate(sheet.headings) if heading]
    return Layout(kind=kind, placed=tuple(placed))


def heading_table(kind: SheetKind) -> str:
    """Return the documented headings as a Markdown table, for ``docs/data.md`` and for whoever writes a sheet."""
    lines = ["| Heading | What to write | Example |", "|---|---|---|"]
    for column in columns_of(kind):
        needed = " Must be filled." if column.needed else ""
        lines.append(f"| {column.heading} | {column.help}{needed} | {column.example} |")
    return "\n".join(lines)


def _key(heading: str) -> str:
    # A note in brackets after a heading, such as “Youngest age (years)”, is for people.
    return _NOTE.sub("", " ".join(heading.casefold().split())).replace(" :", ":")


def _unknown(sheet: Sheet, known: dict[str, Column]) -> Iterable[str]:
    for index, heading in enumerate(sheet.headings):
        if not heading:
            if any(index < len(row.cells) and row.cells[index] is not None for row in sheet.rows):
                yield f"Column {column_letter(index)} has values and no heading: give it one or delete it."
        elif _key(heading) not in known:
            yield f"“{heading[:60]}” (column {column_letter(index)}) is not a heading{_suggestion(heading, known)}"


def _suggestion(heading: str, known: dict[str, Column]) -> str:
    meant = process.extractOne(_key(heading), list(known), scorer=fuzz.WRatio, score_cutoff=_ALIKE)
    return f": did you mean “{known[meant[0]].heading}”?" if meant else ": rename or delete it."


def _repeated(sheet: Sheet) -> Iterable[str]:
    seen: dict[str, int] = {}
    for index, heading in enumerate(sheet.headings):
        if heading and seen.setdefault(_key(heading), index) != index:
            first = column_letter(seen[_key(heading)])
            yield f"“{heading[:60]}” stands in columns {first} and {column_letter(index)}: delete one."


def _missing(sheet: Sheet, columns: Iterable[Column]) -> Iterable[str]:
    present = {_key(heading) for heading in sheet.headings}
    for column in columns:
        if column.needed and _key(column.heading) not in present:
            yield f"The column “{column.heading}” is missing."


def _wrong_kind(sheet: Sheet, kind: SheetKind) -> str | None:
    other = SheetKind.CHILDREN if kind is SheetKind.HOUSEHOLDS else SheetKind.HOUSEHOLDS
    if list(_missing(sheet, columns_of(other))) or not list(_missing(sheet, columns_of(kind))):
        return None
    return f"This looks like a sheet of {other}, and {kind} were asked for. Import it as {other}."


def _need_columns(parse: Callable[[CellValue], object], text: str, example: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"Need: {need.title}", need.code, parse, text, example, of_need=True) for need in need_catalogue().needs
    )


def _years_from(value: CellValue) -> int | None:
    years = cell.whole_number_cell(0, 17)(value)
    return None if years is None else years * 12


def _years_to(value: CellValue) -> int | None:
    # Approved up to four years means until the day before the fifth birthday.
    years = cell.whole_number_cell(0, 17)(value)
    return None if years is None else years * 12 + 11


_NO_HEADINGS = "Row 1 holds none of the headings that are known. Put them in row 1 and the records below them."
_SHARING = cell.choice_cell(
    {"in-house": "in_house", "consortium": "consortium", "hold": "hold"},
    blank=None,
)
_STATUS = cell.choice_cell({"waiting": "waiting", "on hold": "on_hold", "withdrawn": "withdrawn"}, blank=None)
_REFERENCE = cell.text_cell(64)
_NAME = cell.text_cell(200)
_PROFILE = cell.text_cell(10_000, lines=True)
_ANSWER = "can meet, would discuss or cannot."
_YES_NO = "yes or no."
_DATE = "A date, dd/mm/yyyy."

_SHARED_COLUMNS = (
    Column("Religion", "religions", cell.words_cell, "Words separated by semicolons.", "Christian", of_group=True),
    Column(
        "Languages", "languages", cell.words_cell, "Words separated by semicolons.", "English; Polish", of_group=True
    ),
    Column("Culture", "cultures", cell.words_cell, "Words separated by semicolons.", "Traveller; Welsh", of_group=True),
    Column(
        "Profile",
        "profile",
        _PROFILE,
        "The anonymous profile: no names, places, schools or exact birth dates.",
        "Warm, patient and active.",
        of_group=True,
    ),
    Column(
        "Sharing",
        "sharing",
        _SHARING,
        "in-house, consortium or hold; left blank, the consortium's own timing applies.",
        "consortium",
        of_group=True,
        say=say_sharing,
    ),
    Column(
        "Sharing reason",
        "sharing_reason",
        cell.text_cell(500),
        "Why it is shared early or held back. Asked for when Sharing is hold.",
        "Awaiting the adopters' agreement",
        of_group=True,
    ),
)

_HOUSEHOLD_COLUMNS = (
    Column("Reference", "reference", _REFERENCE, "The agency's own reference: the key.", "ADP-0147", needed=True),
    Column("Adopter 1 name", "adopter_1_name", _NAME, "Seen by the agency alone.", "Testine Sampleson"),
    Column("Adopter 2 name", "adopter_2_name", _NAME, "Blank for one adopter.", "Mockford Sampleson"),
    Column("Address", "address", cell.text_cell(500, lines=True), "Seen by the agency alone.", "1 Example Street"),
    Column("Postcode", "postcode", cell.postcode_cell, "Whole, or its first half.", "EX4 4QJ"),
    Column("Telephone", "telephone", cell.telephone_cell, "One number.", "01632 960001"),
    Column("Email", "email", cell.email_cell, "One address.", "sampleson@example.org"),
    Column("Approved on", "approved_on", cell.date_cell, _DATE, "07/03/2024", is_date=True),
    Column("Status", "status", _STATUS, "waiting, on hold or withdrawn.", "waiting", needed=True, say=say_word),
    Column(
        "Youngest age",
        "age_from_months",
        _years_from,
        "The youngest child approved for, in whole years.",
        "0",
        say=say_youngest_age,
    ),
    Column(
        "Oldest age",
        "age_to_months",
        _years_to,
        "The oldest, in whole years: 4 means until the fifth birthday.",
        "4",
        say=say_oldest_age,
    ),
    Column("Fewest children", "fewest_children", cell.whole_number_cell(1, 10), "A whole number.", "1"),
    Column("Most children", "most_children", cell.whole_number_cell(1, 10), "A whole number.", "2"),
    Column("Sex approved", "sex_approved", cell.sex_approved_cell, "any, female or male.", "any"),
    Column("Early permanence approved", "early_permanence_approved", cell.yes_no_cell, _YES_NO, "no"),
    Column("Order not granted", "order_not_granted", cell.answer_cell, _ANSWER, "would discuss"),
    Column("Order contested", "order_contested", cell.answer_cell, _ANSWER, "would discuss"),
    Column("Appeal", "appeal", cell.answer_cell, _ANSWER, "cannot"),
    Column("Letterbox contact", "letterbox_contact", cell.answer_cell, _ANSWER, "can meet"),
    Column("Direct contact", "direct_contact", cell.answer_cell, _ANSWER, "would discuss"),
    Column("Contact with siblings", "sibling_contact", cell.answer_cell, _ANSWER, "can meet"),
    Column("Children at home", "children_at_home", cell.whole_number_cell(0, 20), "A whole number; 0 for none.", "1"),
    Column(
        "Youngest at home born",
        "youngest_at_home",
        cell.month_cell,
        "A month, mm/yyyy.",
        "03/2019",
        is_date=True,
        say=say_month,
    ),
    Column("Pets", "pets", cell.yes_no_cell, _YES_NO, "yes"),
    Column("Smokers", "smokers", cell.yes_no_cell, _YES_NO, "no"),
    Column("Number of adopters", "adopters", cell.whole_number_cell(1, 2), "1 or 2.", "2"),
    Column(
        "Experience with children",
        "experience",
        cell.yes_no_cell,
        "Have they brought up or looked after children? yes or no.",
        "yes",
    ),
    Column("Training done", "training", cell.yes_no_cell, "In therapeutic parenting: yes or no.", "yes"),
    Column(
        "Parent at home",
        "parent_at_home",
        cell.yes_no_cell,
        "Will one be at home through the first year, on leave or otherwise? yes or no.",
        "yes",
    ),
    Column(
        "Support nearby",
        "support_nearby",
        cell.yes_no_cell,
        "Do family or friends who will help live nearby? yes or no.",
        "yes",
    ),
    Column(
        "Available from",
        "available_from",
        cell.date_cell,
        "When a child could move in: a date.",
        "01/02/2027",
        is_date=True,
    ),
    Column(
        "Considered for",
        "considered_for",
        cell.whole_number_cell(0, 50),
        "For how many sibling groups they are being considered now; 0 for none.",
        "1",
    ),
    Column(
        "Availability confirmed on",
        "availability_confirmed_on",
        cell.date_cell,
        "When their worker last said so: a date.",
        "16/11/2026",
    ),
    Column("Heritage", "heritage", cell.ethnic_codes_cell, "SSDA903 codes separated by semicolons.", "WBRI; MWBC"),
    *_SHARED_COLUMNS,
)

_CHILD_COLUMNS = (
    Column(
        "Group reference",
        "group_reference",
        _REFERENCE,
        "The agency's own, the same for siblings placed together.",
        "GRP-012",
        needed=True,
    ),
    Column(
        "Child reference", "reference", _REFERENCE, "The agency's own: the key of the child.", "CH-0031", needed=True
    ),
    Column("Forename", "forename", _NAME, "Blank for an unborn child.", "Fictia"),
    Column("Surname", "surname", _NAME, "Seen by the agency alone.", "Specimen"),
    Column("Born", "born_on", cell.date_cell, _DATE, "21/06/2022", is_date=True),
    Column("Due", "due_on", cell.date_cell, "For an unborn child: a date, dd/mm/yyyy.", "", is_date=True),
    Column("Sex", "sex", cell.sex_cell, "female or male.", "female"),
    Column("Heritage", "heritage", cell.ethnic_code_cell, "One SSDA903 code.", "WBRI"),
    Column(
        "Legal position",
        "legal_position",
        cell.legal_position_cell,
        "consent, order granted, order applied, contested or appeal.",
        "order granted",
        of_group=True,
    ),
    Column("SHOBPA decision on", "shobpa_on", cell.date_cell, _DATE, "02/09/2024", of_group=True, is_date=True),
    Column(
        "Placement order on", "placement_order_on", cell.date_cell, _DATE, "18/11/2024", of_group=True, is_date=True
    ),
    Column("Waiting since", "waiting_since", cell.date_cell, _DATE, "18/11/2024", of_group=True, is_date=True),
    Column(
        "Status",
        "status",
        _STATUS,
        "waiting, on hold or withdrawn; left blank, it stays as it is, and a new group waits.",
        "waiting",
        of_group=True,
    ),
    Column("Early permanence", "early_permanence", cell.yes_no_cell, _YES_NO, "no", of_group=True),
    Column(
        "Letterbox contact", "letterbox_contact", cell.yes_no_cell, "Is it needed? yes or no.", "yes", of_group=True
    ),
    Column("Direct contact", "direct_contact", cell.yes_no_cell, "Is it needed? yes or no.", "no", of_group=True),
    Column(
        "Contact with siblings", "sibling_contact", cell.yes_no_cell, "Is it needed? yes or no.", "yes", of_group=True
    ),
    Column("Must be youngest", "must_be_youngest", cell.yes_no_cell, _YES_NO, "no", of_group=True),
    Column("Must be only child", "must_be_only", cell.yes_no_cell, _YES_NO, "no", of_group=True),
    Column("No pets", "no_pets", cell.yes_no_cell, _YES_NO, "no", of_group=True),
    Column("Smoke-free", "smoke_free", cell.yes_no_cell, _YES_NO, "yes", of_group=True),
    Column(
        "Adopters hoped for",
        "adopters_hoped_for",
        cell.whole_number_cell(1, 2),
        "1 or 2, where the plan says which would suit; it bars nobody.",
        "",
        of_group=True,
    ),
    Column("Experience needed", "experience_needed", cell.yes_no_cell, _YES_NO, "no", of_group=True),
    Column(
        "Training needed",
        "training_needed",
        cell.yes_no_cell,
        "In therapeutic parenting: yes or no.",
        "yes",
        of_group=True,
    ),
    Column(
        "Parent at home needed",
        "parent_at_home_needed",
        cell.yes_no_cell,
        "Through the first year: yes or no.",
        "yes",
        of_group=True,
    ),
    Column("Support needed", "support_needed", cell.yes_no_cell, "Help nearby: yes or no.", "no", of_group=True),
    Column(
        "Sibling lives with",
        "sibling_household",
        cell.household_code_cell,
        "The code of the household that a brother or sister lives with; seen by the two agencies alone.",
        "",
        of_group=True,
    ),
    Column(
        "Families considered",
        "families_considered",
        cell.whole_number_cell(0, 50),
        "How many families are being considered now; 0 for none.",
        "0",
        of_group=True,
    ),
    Column(
        "Home outward code",
        "home_outward_code",
        cell.outward_code_cell,
        "Where the children come from.",
        "EX4",
        of_group=True,
    ),
    Column(
        "Exclusion areas",
        "exclusion_areas",
        cell.exclusion_areas_cell,
        "Outward codes with 5, 10, 15, 20, 30 or 50 miles, separated by semicolons.",
        "PL4 10; EX1 5",
        of_group=True,
    ),
    *_SHARED_COLUMNS,
)
