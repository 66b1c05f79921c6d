"""A row of the households' sheet, typed and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from matching.intake.row import RowCells, RowProblem, repeated_references, shown
from matching.intake.value_text import say_oldest_age, say_youngest_age
from matching.need import Answer, Tolerance, YesNo
from matching.ranking.facts import SexApproved


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """What a sheet says of one household. Ages are months, both ends included; ``None`` is not known.

    ``given`` names the fields whose column the sheet has, needs by code: the others are not said, so what is
    recorded of them stays. A need that is absent from ``needs`` is unknown at every level.
    """

    number: int
    reference: str
    sheet: str = ""
    given: frozenset[str] = frozenset()
    adopter_1_name: str | None = None
    adopter_2_name: str | None = None
    address: str | None = None
    postcode: str | None = None
    telephone: str | None = None
    email: str | None = None
    approved_on: date | None = None
    status: str | None = None
    profile: str | None = None
    age_from_months: int | None = None
    age_to_months: int | None = None
    fewest_children: int | None = None
    most_children: int | None = None
    sex_approved: SexApproved = SexApproved.UNKNOWN
    early_permanence_approved: YesNo = YesNo.UNKNOWN
    order_not_granted: Answer = Answer.UNKNOWN
    order_contested: Answer = Answer.UNKNOWN
    appeal: Answer = Answer.UNKNOWN
    letterbox_contact: Answer = Answer.UNKNOWN
    direct_contact: Answer = Answer.UNKNOWN
    sibling_contact: Answer = Answer.UNKNOWN
    children_at_home: int | None = None
    youngest_at_home: date | None = None
    pets: YesNo = YesNo.UNKNOWN
    smokers: YesNo = YesNo.UNKNOWN
    heritage: frozenset[str] = frozenset()
    religions: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    cultures: frozenset[str] = frozenset()
    adopters: int | None = None
    experience: YesNo = YesNo.UNKNOWN
    training: YesNo = YesNo.UNKNOWN
    parent_at_home: YesNo = YesNo.UNKNOWN
    support_nearby: YesNo = YesNo.UNKNOWN
    available_from: date | None = None
    considered_for: int | None = None
    availability_confirmed_on: date | None = None
    sharing: str | None = None
    sharing_reason: str | None = None
    needs: Mapping[str, Tolerance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HouseholdIntake:
    """A sheet that was read: the rows to take and the problems of those that are refused, both in sheet order."""

    rows: tuple[HouseholdRow, ...]
    problems: tuple[RowProblem, ...]


def households_in(cells: Sequence[RowCells], found: Sequence[RowProblem], *, today: date) -> HouseholdIntake:
    """Return rows that were read, of one sheet or several, as households or as their problems; ``found`` has those
    of their cells.
    """
    problems = [*found, *repeated_references(cells, heading="Reference")]
    refused = {(problem.sheet, problem.row) for problem in problems}
    rows = [_household_row(each) for each in cells if (each.sheet, each.number) not in refused]
    problems += [problem for row in rows for problem in household_problems(row, today=today)]
    refused = {(problem.sheet, problem.row) for problem in problems}
    return HouseholdIntake(
        rows=tuple(row for row in rows if (row.sheet, row.number) not in refused),
        problems=tuple(sorted(problems, key=lambda problem: (problem.sheet, problem.row))),
    )


def household_problems(row: HouseholdRow, *, today: date) -> tuple[RowProblem, ...]:
    """Return what cannot all be true of one household, whichever sheets said it."""
    return tuple(
        RowProblem(row.number, heading, shown(value), reason, row.sheet)
        for heading, value, reason in (*_adopters(row), *_ranges(row), *_dates(row, today), *_home(row), *_sharing(row))
    )


def _household_row(cells: RowCells) -> HouseholdRow:
    given = frozenset(cells.fields) | frozenset(cells.needs)
    needs = {code: tolerance for code, tolerance in cells.needs.items() if tolerance != Tolerance()}
    return HouseholdRow(number=cells.number, sheet=cells.sheet, given=given, needs=needs, **cells.fields)


_Found = Iterable[tuple[str, object, str]]


def _adopters(row: HouseholdRow) -> _Found:
    if row.adopter_2_name is not None and row.adopter_1_name is None:
        yield "Adopter 1 name", None, "it is blank though Adopter 2 name is filled"
    if row.adopters == 1 and row.adopter_2_name is not None:
        yield "Number of adopters", 1, "Adopter 2 name is filled; expected 2"


def _ranges(row: HouseholdRow) -> _Found:
    if row.age_from_months is not None and row.age_to_months is not None and row.age_from_months > row.age_to_months:
        said = say_oldest_age(row.age_to_months)
        yield "Oldest age", said, f"it is below the youngest age, {say_youngest_age(row.age_from_months)}"
    if row.fewest_children is not None and row.most_children is not None and row.fewest_children > row.most_children:
        yield "Most children", row.most_children, f"it is below the fewest, {row.fewest_children}"


def _dates(row: HouseholdRow, today: date) -> _Found:
    if row.approved_on is not None and row.approved_on > today:
        yield "Approved on", row.approved_on, "it is in the future; expected the day of the approval"
    if row.youngest_at_home is not None and row.youngest_at_home > today:
        yield "Youngest at home born", row.youngest_at_home.strftime("%m/%Y"), "it is in the future"
    if row.availability_confirmed_on is not None and row.availability_confirmed_on > today:
        yield "Availability confirmed on", row.availability_confirmed_on, "it is in the future"


def _home(row: HouseholdRow) -> _Found:
    if row.children_at_home == 0 and row.youngest_at_home is not None:
        said = row.youngest_at_home.strftime("%m/%Y")
        yield "Youngest at home born", said, "Children at home says 0; expected it blank then"


def _sharing(row: HouseholdRow) -> _Found:
    return sharing_problems(row.sharing, row.sharing_reason)


def sharing_problems(sharing: str | None, reason: str | None) -> _Found:
    """Return what is missing of a choice to share or to hold back: each that differs from the rule needs a reason."""
    if sharing == "hold" and reason is None:
        yield "Sharing reason", None, "it is blank; holding back needs a reason"
    if sharing is None and reason is not None:
        yield "Sharing", None, "it is blank though a reason is given; expected in-house, consortium or hold"
