"""Rows of the children's sheet, typed, checked and gathered into sibling groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Protocol

from matching.intake.column import Column, Layout
from matching.intake.household_row import sharing_problems
from matching.intake.row import RowCells, RowProblem, name_rows, repeated_references, shown
from matching.need import NeedLevel, YesNo
from matching.ranking.facts import LegalPosition, Sex

MOST_CHILDREN: Final = 10
"""How many children one sibling group may have."""
LONGEST_WAIT_FOR_BIRTH: Final = timedelta(days=310)
"""No due date lies further ahead."""
_YEARS_OF_CHILDHOOD: Final = 18


@dataclass(frozen=True, slots=True)
class ChildRow:
    """What a sheet says of one child. A need that is absent is unknown; ``given`` as in ``HouseholdRow``."""

    number: int
    reference: str
    sheet: str = ""
    given: frozenset[str] = frozenset()
    forename: str | None = None
    surname: str | None = None
    born_on: date | None = None
    due_on: date | None = None
    entered_care_on: date | None = None
    sex: Sex = Sex.UNKNOWN
    heritage: str | None = None
    needs: Mapping[str, NeedLevel] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """What a sheet says of one sibling group: its children in sheet order, and what they have as one."""

    reference: str
    children: tuple[ChildRow, ...]
    given: frozenset[str] = frozenset()
    legal_position: LegalPosition = LegalPosition.UNKNOWN
    shobpa_on: date | None = None
    placement_order_on: date | None = None
    waiting_since: date | None = None
    status: str | None = None
    """“waiting”, “on_hold”, “matched” or “withdrawn”; left blank it stays as it is, and a new group waits."""
    early_permanence: YesNo = YesNo.UNKNOWN
    letterbox_contact: YesNo = YesNo.UNKNOWN
    direct_contact: YesNo = YesNo.UNKNOWN
    sibling_contact: YesNo = YesNo.UNKNOWN
    must_be_youngest: YesNo = YesNo.UNKNOWN
    must_be_only: YesNo = YesNo.UNKNOWN
    no_pets: YesNo = YesNo.UNKNOWN
    smoke_free: YesNo = YesNo.UNKNOWN
    adopters_hoped_for: int | None = None
    experience_needed: YesNo = YesNo.UNKNOWN
    training_needed: YesNo = YesNo.UNKNOWN
    parent_at_home_needed: YesNo = YesNo.UNKNOWN
    support_needed: YesNo = YesNo.UNKNOWN
    sibling_household: str | None = None
    families_considered: int | None = None
    home_outward_code: str | None = None
    exclusion_areas: tuple[tuple[str, int], ...] = ()
    religions: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    cultures: frozenset[str] = frozenset()
    profile: str | None = None
    sharing: str | None = None
    sharing_reason: str | None = None


@dataclass(frozen=True, slots=True)
class GroupIntake:
    """A sheet that was read: the groups to take and the problems of the rows that are refused."""

    groups: tuple[GroupRow, ...]
    problems: tuple[RowProblem, ...]


def groups_in(
    cells: Sequence[RowCells], found: Sequence[RowProblem], *, layouts: Iterable[Layout], today: date
) -> GroupIntake:
    """Return rows that were read, of one sheet or several, within their groups or as their problems.

    ``found`` has the problems of their cells. Siblings may stand in different sheets.
    """
    problems = [*found, *repeated_references(cells, heading="Child reference")]
    refused = {_place(problem) for problem in problems}
    by_sheet = {layout.sheet: layout for layout in layouts}
    groups: list[GroupRow] = []
    for members in _by_group(cells):
        group, found_here = _group(members, by_sheet, refused, today)
        problems += found_here
        groups += [group] if group else []
    return GroupIntake(
        groups=tuple(groups), problems=tuple(sorted(problems, key=lambda problem: (problem.sheet, problem.row)))
    )


def group_problems(group: GroupRow, *, today: date) -> tuple[RowProblem, ...]:
    """Return what cannot all be true of one group and its children, whichever sheets said it."""
    first = group.children[0]
    found = (*_group_dates(group, today), *sharing_problems(group.sharing, group.sharing_reason), *_size(group))
    return (
        *(RowProblem(first.number, heading, shown(value), reason, first.sheet) for heading, value, reason in found),
        *(
            RowProblem(child.number, heading, shown(value), reason, child.sheet)
            for child in group.children
            for heading, value, reason in _child_problems(child, today)
        ),
    )


def rest_of_group(members: Iterable[_Placed], problems: Iterable[RowProblem]) -> tuple[RowProblem, ...]:
    """Return a problem for each row of a group that is refused only because another row of it is."""
    refused = {_place(problem) for problem in problems}
    return _rest([(member.sheet, member.number) for member in members], refused)


# ── within ──

_Place = tuple[str, int]


class _Placed(Protocol):
    """Something that stands on one row of one sheet."""

    @property
    def sheet(self) -> str: ...

    @property
    def number(self) -> int: ...


def _place(problem: RowProblem) -> _Place:
    return problem.sheet, problem.row


def _rest(places: Sequence[_Place], refused: AbstractSet[_Place]) -> tuple[RowProblem, ...]:
    if not refused:
        return ()
    because = min(refused)
    return tuple(
        RowProblem(
            number,
            None,
            None,
            f"{name_rows([because], seen_from=sheet)}, of the same group, is refused; mend that one",
            sheet,
        )
        for sheet, number in places
        if (sheet, number) not in refused
    )


def _by_group(rows: Iterable[RowCells]) -> Iterable[list[RowCells]]:
    """Gather rows by group, in the order groups first appear; a row whose group is not readable stands alone."""
    groups: dict[object, list[RowCells]] = {}
    for cells in rows:
        reference = cells.fields.get("group_reference")
        groups.setdefault((cells.sheet, cells.number) if reference is None else reference, []).append(cells)
    return groups.values()


def _group(
    members: list[RowCells], layouts: Mapping[str, Layout], refused: AbstractSet[_Place], today: date
) -> tuple[GroupRow | None, list[RowProblem]]:
    """Return the group, or the problems that its rows have as a group, its innocent rows among them."""
    places = [(cells.sheet, cells.number) for cells in members]
    shared, problems = _shared(members, layouts)
    if not problems and not refused & set(places):
        group = _group_row(members, shared, layouts)
        problems = list(group_problems(group, today=today))
        if not problems:
            return group, []
    known = refused & set(places) | {_place(problem) for problem in problems}
    return None, [*problems, *_rest(places, known)]


def _shared(members: list[RowCells], layouts: Mapping[str, Layout]) -> tuple[dict[str, Any], list[RowProblem]]:
    """Return what the rows say of their group as one; a row that leaves it blank agrees with the others."""
    shared: dict[str, Any] = {}
    problems: list[RowProblem] = []
    sheets = dict.fromkeys(cells.sheet for cells in members)
    columns = dict.fromkeys(column for sheet in sheets for _, column in layouts[sheet].placed if column.of_group)
    for column in columns:
        blank = column.parse(None)
        values = [(cells, cells.fields.get(column.field, blank)) for cells in members]
        said = [(cells, value) for cells, value in values if value != blank]
        shared[column.field] = said[0][1] if said else blank
        problems += [_otherwise(cells, column, value, first=said[0][0]) for cells, value in said if value != said[0][1]]
    return shared, problems


def _otherwise(cells: RowCells, column: Column, value: object, *, first: RowCells) -> RowProblem:
    where = name_rows([(first.sheet, first.number)], seen_from=cells.sheet)
    reason = f"{where}, of the same group, says otherwise"
    return RowProblem(cells.number, column.heading, shown(value), reason, cells.sheet)


def _group_row(members: list[RowCells], shared: dict[str, Any], layouts: Mapping[str, Layout]) -> GroupRow:
    children = tuple(_child_row(cells, _own_fields(layouts[cells.sheet])) for cells in members)
    return GroupRow(
        reference=members[0].fields["group_reference"], children=children, given=frozenset(shared), **shared
    )


def _own_fields(layout: Layout) -> frozenset[str]:
    own = (name for _, column in layout.placed if not column.of_group for name in column.fields)
    return frozenset({*own, "reference"} - {"group_reference"})


def _child_row(cells: RowCells, own: frozenset[str]) -> ChildRow:
    fields = {name: value for name, value in cells.fields.items() if name in own}
    needs = {code: level for code, level in cells.needs.items() if level is not NeedLevel.UNKNOWN}
    return ChildRow(number=cells.number, sheet=cells.sheet, given=own, needs=needs, **fields)


_Found = Iterable[tuple[str, object, str]]


def _group_dates(group: GroupRow, today: date) -> _Found:
    for heading, day in (
        ("SHOBPA decision on", group.shobpa_on),
        ("Placement order on", group.placement_order_on),
        ("Waiting since", group.waiting_since),
    ):
        if day is not None and day > today:
            yield heading, day, "it is in the future"


def _size(group: GroupRow) -> _Found:
    if len(group.children) > MOST_CHILDREN:
        yield "Group reference", group.reference, f"it has {len(group.children)} children; at most {MOST_CHILDREN}"


def _child_problems(child: ChildRow, today: date) -> _Found:
    if child.born_on is not None and child.due_on is not None:
        yield "Due", child.due_on, "Born is filled too; expected one of them"
    if child.born_on is not None and child.born_on > today:
        yield "Born", child.born_on, "it is in the future; for an unborn child fill Due"
    if child.born_on is not None and _years_between(child.born_on, today) >= _YEARS_OF_CHILDHOOD:
        yield "Born", child.born_on, "this person is no longer a child"
    if child.due_on is not None and child.due_on > today + LONGEST_WAIT_FOR_BIRTH:
        yield "Due", child.due_on, "it is more than ten months ahead"
    yield from _care_problems(child, today)


def _care_problems(child: ChildRow, today: date) -> _Found:
    if child.entered_care_on is None:
        return
    if child.entered_care_on > today:
        yield "Entered care on", child.entered_care_on, "it is in the future"
    if child.born_on is not None and child.entered_care_on < child.born_on:
        yield "Entered care on", child.entered_care_on, "it is before the birth"


def _years_between(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
