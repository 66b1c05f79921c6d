"""Children's rows becoming records: groups and children found by the agency's own references, compared, written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from matching.bar import SHUT_OUT, barred_references
from matching.intake.child_row import MOST_CHILDREN, ChildRow, GroupRow, group_problems, rest_of_group
from matching.intake.column import SheetKind
from matching.intake.image import ImageKeeper
from matching.intake.outcome import Change, Outcome, RowOutcome
from matching.intake.profile_remark import group_remarks
from matching.intake.record import changes_between
from matching.intake.recorded_group import RecordedChild, RecordedGroup, Register, recorded_groups
from matching.intake.row import RowProblem
from matching.intake.saying import say_child, say_group
from matching.intake.written_group import TakenChild, TakenGroup, write_groups
from matching.sibling_group import GroupStatus

_GROUP_FIELDS: Final = frozenset(each.name for each in fields(GroupRow)) - {"reference", "children", "given"}
_CHILD_FIELDS: Final = frozenset(each.name for each in fields(ChildRow)) - {
    *("number", "sheet", "reference", "given", "needs")
}


@dataclass(frozen=True, slots=True)
class _Decision:
    """What becomes of a group's rows, and what is to be written when anything is."""

    outcomes: tuple[RowOutcome, ...]
    taken: TakenGroup | None = None


def take_groups(
    session: Session, groups: Sequence[GroupRow], *, now: datetime, dry_run: bool, images: ImageKeeper | None = None
) -> list[RowOutcome]:
    """Add or change the scope's agency's groups and children as the rows say, and return every row's outcome.

    A child that the sheet does not name stays in its group. A dry run decides everything and writes nothing.
    ``images`` keeps how each group stood before.
    """
    register = recorded_groups(session, groups)
    references = [
        each for group in groups for each in (group.reference, *(child.reference for child in group.children))
    ]
    barred = barred_references(session, references)
    decisions = [_decide(group, register, barred, now=now) for group in groups]
    taken = [decision.taken for decision in decisions if decision.taken]
    if not dry_run:
        with nullcontext() if images is None else images.around([(each.id, each.before is None) for each in taken]):
            write_groups(session, taken, now=now)
    outcomes = [outcome for decision in decisions for outcome in decision.outcomes]
    new = {each.id for each in taken if each.before is None}
    if dry_run:
        return [replace(each, record_id=None) if each.record_id in new else each for each in outcomes]
    return outcomes


def _decide(group: GroupRow, register: Register, barred: Set[str], *, now: datetime) -> _Decision:
    shut_out = _shut_out(group, barred)
    if shut_out:
        return _refused(group, None, shut_out)
    before = register.groups.get(group.reference)
    after = _merged(group, before, register) if before else group
    if before and before.matched and after.status == GroupStatus.WAITING:
        after = replace(after, status=before.row.status)
    problems = (*_elsewhere(group, register), *_size(group, before), *group_problems(after, today=now.date()))
    if problems:
        return _refused(group, before, problems)
    if before is None:
        return _added(group)
    return _changed(after, before, register)


def _refused(group: GroupRow, before: RecordedGroup | None, problems: Sequence[RowProblem]) -> _Decision:
    found = [*problems, *rest_of_group(group.children, problems)]
    return _Decision(
        tuple(
            RowOutcome(
                child.number,
                Outcome.REFUSED,
                before.id if before else None,
                problems=tuple(each for each in found if (each.sheet, each.row) == (child.sheet, child.number)),
                sheet=child.sheet,
                reference=child.reference,
            )
            for child in group.children
        )
    )


def _added(group: GroupRow) -> _Decision:
    group_id = uuid4()
    children = tuple(TakenChild(uuid4(), child, position, new=True) for position, child in enumerate(group.children))
    outcomes = tuple(_outcome(child, Outcome.ADDED, group_id) for child in group.children)
    return _Decision(_remarked(outcomes, group), TakenGroup(group_id, group, children, None))


def _changed(after: GroupRow, before: RecordedGroup, register: Register) -> _Decision:
    own = any(getattr(after, name) != getattr(before.row, name) for name in _GROUP_FIELDS)
    shared = _changes(say_group(before.row), say_group(after)) if own else ()
    outcomes: list[RowOutcome] = []
    children: list[TakenChild] = []
    for index, child in enumerate(after.children):
        recorded = register.children.get(child.reference)
        changed = (shared if index == 0 else ()) + (_child_changes(recorded.row, child) if recorded else ())
        outcome = Outcome.ADDED if recorded is None else Outcome.CHANGED if changed else Outcome.UNCHANGED
        outcomes.append(_outcome(child, outcome, before.id, changed))
        children += _taken_child(child, recorded, before, new=len(children))
    if not (own or children):
        return _Decision(tuple(outcomes))
    return _Decision(_remarked(outcomes, after), TakenGroup(before.id, after, tuple(children), before))


def _remarked(outcomes: Sequence[RowOutcome], group: GroupRow) -> tuple[RowOutcome, ...]:
    """Return a group's outcomes with what is to be told of its profile, on the first that writes anything."""
    first = next((index for index, each in enumerate(outcomes) if each.outcome is not Outcome.UNCHANGED), 0)
    remarks = group_remarks(group, of=group.children[first])
    return tuple(
        replace(each, remarks=remarks) if index == first and remarks else each for index, each in enumerate(outcomes)
    )


def _taken_child(
    child: ChildRow, recorded: RecordedChild | None, before: RecordedGroup, *, new: int
) -> list[TakenChild]:
    if recorded is None:
        return [TakenChild(uuid4(), child, before.next_position + new, new=True)]
    if _child_changes(recorded.row, child):
        return [TakenChild(recorded.id, child, recorded.position, new=False)]
    return []


def _child_changes(before: ChildRow, after: ChildRow) -> tuple[Change, ...]:
    if before.needs == after.needs and all(getattr(before, name) == getattr(after, name) for name in _CHILD_FIELDS):
        return ()
    return _changes(say_child(before), say_child(after))


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    return changes_between(before, after, kind=SheetKind.CHILDREN)


def _outcome(child: ChildRow, outcome: Outcome, group_id: UUID, changed: tuple[Change, ...] = ()) -> RowOutcome:
    return RowOutcome(child.number, outcome, group_id, changed, sheet=child.sheet, reference=child.reference)


def _merged(said: GroupRow, before: RecordedGroup, register: Register) -> GroupRow:
    """Return the group as it would stand: what the sheet has no column for stays as recorded."""
    values = {name: getattr(said, name) for name in said.given & _GROUP_FIELDS}
    if said.status is None:
        values.pop("status", None)
    if said.sharing is None:
        values.pop("sharing", None)
        values.pop("sharing_reason", None)
    elif said.sharing != before.row.sharing:
        values.setdefault("sharing_reason", None)
    children = tuple(_merged_child(child, register.children.get(child.reference)) for child in said.children)
    return replace(before.row, given=said.given, children=children, **values)


def _merged_child(said: ChildRow, recorded: RecordedChild | None) -> ChildRow:
    if recorded is None:
        return said
    values = {name: getattr(said, name) for name in said.given & _CHILD_FIELDS}
    needs = {code: level for code, level in recorded.row.needs.items() if code not in said.given}
    return replace(
        recorded.row, number=said.number, sheet=said.sheet, given=said.given, needs={**needs, **said.needs}, **values
    )


def _shut_out(group: GroupRow, barred: Set[str]) -> tuple[RowProblem, ...]:
    """Return a problem for each row that names a group or child from which the importer is barred."""
    return tuple(
        RowProblem(child.number, column, reference, SHUT_OUT, child.sheet)
        for child in group.children
        for column, reference in (("Group reference", group.reference), ("Child reference", child.reference))
        if reference in barred
    )


def _elsewhere(group: GroupRow, register: Register) -> tuple[RowProblem, ...]:
    """Return a problem for each child that another group has: moving a child is not what a sheet can ask."""
    return tuple(
        RowProblem(
            child.number,
            "Child reference",
            child.reference,
            f"this child is recorded in group {register.children[child.reference].group_reference}; "
            "expected a child of no other group",
            child.sheet,
        )
        for child in group.children
        if child.reference in register.children
        and register.children[child.reference].group_reference != group.reference
    )


def _size(group: GroupRow, before: RecordedGroup | None) -> tuple[RowProblem, ...]:
    named = {child.reference for child in group.children}
    total = len(named | before.child_references) if before else len(named)
    if total <= MOST_CHILDREN:
        return ()
    reason = f"the group would have {total} children with those recorded; at most {MOST_CHILDREN}"
    first = group.children[0]
    return (RowProblem(first.number, "Group reference", group.reference, reason, first.sheet),)
