"""Rows of the children's sheet, typed, checked and gathered into sibling groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from matching.intake.column import Layout, SheetKind, layout_of
from matching.intake.household_row import sharing_problems
from matching.intake.row import RowCells, RowProblem, read_row, repeated_references, shown
from matching.intake.sheet import Sheet
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
    given: frozenset[str] = frozenset()
    forename: str | None = None
    surname: str | None = None
    born_on: date | None = None
    due_on: date | None = None
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


def read_groups(sheet: Sheet, *, today: date) -> GroupIntake:
    """Return each row of a children's sheet, within its group or as its problems: none is dropped.

    A problem in one row refuses every row of its group, so that no group is half taken.

    :raises UnreadableSheet: when the headings do not fit.
    """
    layout = layout_of(sheet, SheetKind.CHILDREN)
    read = [read_row(row, layout) for row in sheet.rows]
    problems = [problem for _, found in read for problem in found]
    problems += repeated_references(
        ((cells.number, cells.fields.get("reference")) for cells, _ in read), heading="Child reference"
    )
    groups: list[GroupRow] = []
    for members in _by_group([cells for cells, _ in read]):
        group, found = _group(members, layout, {problem.row for problem in problems}, today)
        problems += found
        groups += [group] if group else []
    return GroupIntake(groups=tuple(groups), problems=tuple(sorted(problems, key=lambda problem: problem.row)))


def group_problems(group: GroupRow, *, today: date) -> tuple[RowProblem, ...]:
    """Return what cannot all be true of one group and its children, whichever sheets said it."""
    first = group.children[0].number
    found = (*_group_dates(group, today), *sharing_problems(group.sharing, group.sharing_reason), *_size(group))
    return (
        *(RowProblem(first, heading, shown(value), reason) for heading, value, reason in found),
        *(
            RowProblem(child.number, heading, shown(value), reason)
            for child in group.children
            for heading, value, reason in _child_problems(child, today)
        ),
    )


def rest_of_group(numbers: Iterable[int], problems: Iterable[RowProblem]) -> tuple[RowProblem, ...]:
    """Return a problem for each row of a group that is refused only because another row of it is."""
    refused = {problem.row for problem in problems}
    if not refused:
        return ()
    because = min(refused)
    return tuple(
        RowProblem(number, None, None, f"row {because}, of the same group, is refused; mend that one")
        for number in numbers
        if number not in refused
    )


def _by_group(rows: list[RowCells]) -> Iterable[list[RowCells]]:
    """Gather rows by group, in the order groups first appear; a row whose group is not readable stands alone."""
    groups: dict[object, list[RowCells]] = {}
    for cells in rows:
        reference = cells.fields.get("group_reference")
        groups.setdefault(cells.number if reference is None else reference, []).append(cells)
    return groups.values()


def _group(
    members: list[RowCells], layout: Layout, refused: set[int], today: date
) -> tuple[GroupRow | None, list[RowProblem]]:
    """Return the group, or the problems that its rows have as a group, its innocent rows among them."""
    numbers = [cells.number for cells in members]
    shared, problems = _shared(members, layout)
    if not problems and not refused & set(numbers):
        group = _group_row(members, shared, layout)
        problems = list(group_problems(group, today=today))
        if not problems:
            return group, []
    known = [RowProblem(number, None, None, "") for number in numbers if number in refused]
    return None, [*problems, *rest_of_group(numbers, [*known, *problems])]


def _shared(members: list[RowCells], layout: Layout) -> tuple[dict[str, Any], list[RowProblem]]:
    """Return what the rows say of their group as one; a row that leaves it blank agrees with the others."""
    shared: dict[str, Any] = {}
    problems: list[RowProblem] = []
    for column in (column for _, column in layout.placed if column.of_group):
        blank = column.parse(None)
        values = [(cells.number, cells.fields.get(column.field, blank)) for cells in members]
        said = [(number, value) for number, value in values if value != blank]
        shared[column.field] = said[0][1] if said else blank
        problems += [
            RowProblem(number, column.heading, shown(value), f"row {said[0][0]}, of the same group, says otherwise")
            for number, value in said
            if value != said[0][1]
        ]
    return shared, problems


def _group_row(members: list[RowCells], shared: dict[str, Any], layout: Layout) -> GroupRow:
    own = {column.field for _, column in layout.placed if not column.of_group} - {"group_reference"}
    children = tuple(_child_row(cells, own) for cells in members)
    return GroupRow(
        reference=members[0].fields["group_reference"], children=children, given=frozenset(shared), **shared
    )


def _child_row(cells: RowCells, own: set[str]) -> ChildRow:
    fields = {name: value for name, value in cells.fields.items() if name in own}
    needs = {code: level for code, level in cells.needs.items() if level is not NeedLevel.UNKNOWN}
    return ChildRow(number=cells.number, given=frozenset(own), needs=needs, **fields)


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


def _years_between(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
