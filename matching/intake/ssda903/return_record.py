"""A return becoming records: each child found where it stands on the register, or added as a group of its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.row import RowProblem
from matching.intake.ssda903.intake import ReturnedChild, ReturnIntake
from matching.intake.ssda903.verdict import Fate, Waiting
from matching.intake.taking import RowsLost, Taken, Taking, take_group_rows
from matching.ranking.facts import LegalPosition, Sex
from matching.sibling_group import Child, ChildIdentity, GroupIdentity, GroupStatus, SiblingGroup
from tenants.database import scope_of

_Place = tuple[str, int]
_BATCH: Final = 1_000
_OUTCOMES: Final = {Fate.NOT_FOR_ADOPTION: Outcome.NOT_FOR_ADOPTION, Fate.REFUSED: Outcome.REFUSED}
#: What a return may say of a group, and the column of the children's sheet that says the same.
_GROUP_FACTS: Final = {
    "legal_position": "Legal position",
    "shobpa_on": "SHOBPA decision on",
    "placement_order_on": "Placement order on",
    "home_outward_code": "Home outward code",
}


@dataclass(frozen=True, slots=True)
class _Present:
    """The group in which the register has a child now."""

    group_id: UUID
    reference: str
    status: GroupStatus
    legal_position: LegalPosition


def take_return(taking: Taking, intake: ReturnIntake) -> Taken:
    """Add or change the scope's agency's children as a return says, and tell what became of every child of it.

    Only what the return says is changed; nothing is blanked, and no child leaves its group.

    :raises RowsLost: when the outcomes do not account for every child, which is never to happen.
    """
    children = {(child.sheet, child.row): child for child in intake.children}
    present = _present(taking.session, intake.children)
    outcomes = [_not_taken(child, present) for child in intake.children if child.fate is not Fate.TAKEN]
    taking.progress(len(outcomes), len(children), "Reading children")
    groups, remarks = _groups(taking.session, intake.taken, present)
    taken = take_group_rows(taking, groups, done=len(outcomes), steps=len(children))
    outcomes += [_with_remarks(each, remarks[each.sheet, each.row]) for each in taken]
    by_place = {(each.sheet, each.row): each for each in outcomes}
    if by_place.keys() != children.keys() or len(outcomes) != len(intake.children):
        raise RowsLost("The import did not account for every child, so nothing of it was kept. Tell the operator.")
    return Taken(tuple(by_place[place] for place in children))


# ── who is on the register ──


def _present(session: Session, children: Sequence[ReturnedChild]) -> dict[str, _Present]:
    """Return where the scope's agency's register has these children, by their own reference."""
    query = (
        select(
            ChildIdentity.reference,
            SiblingGroup.id,
            GroupIdentity.reference,
            SiblingGroup.status,
            SiblingGroup.legal_position,
        )
        .join(Child, Child.id == ChildIdentity.child_id)
        .join(SiblingGroup, SiblingGroup.id == Child.sibling_group_id)
        .join(GroupIdentity, GroupIdentity.sibling_group_id == SiblingGroup.id)
        .where(ChildIdentity.agency_id == scope_of(session).agency_id)
    )
    references = [child.reference for child in children if child.reference]
    return {
        row[0]: _Present(*row[1:])
        for batch in _batches(references)
        for row in session.execute(query.where(ChildIdentity.reference.in_(batch)))
    }


def _free_references(session: Session, wanted: Sequence[str]) -> dict[str, str]:
    """Return a group reference for each new child: its own, unless the agency has given that to another group."""
    query = select(GroupIdentity.reference).where(GroupIdentity.agency_id == scope_of(session).agency_id)
    taken = {
        reference
        for batch in _batches(wanted)
        for reference in session.scalars(query.where(GroupIdentity.reference.in_(batch)))
    }
    return {reference: f"SSDA903 {reference}" if reference in taken else reference for reference in wanted}


# ── taking ──


def _groups(
    session: Session, taken: Sequence[ReturnedChild], present: Mapping[str, _Present]
) -> tuple[list[GroupRow], dict[_Place, tuple[RowProblem, ...]]]:
    """Return the groups in which the children stand or are to stand, and what is to be told of each child."""
    free = _free_references(session, [_own(child) for child in taken if _own(child) not in present])
    families: dict[str, list[ReturnedChild]] = defaultdict(list)
    for child in taken:
        known = present.get(_own(child))
        families[known.reference if known else free[_own(child)]].append(child)
    groups: list[GroupRow] = []
    remarks: dict[_Place, tuple[RowProblem, ...]] = {}
    for reference, family in families.items():
        group, told = _group_row(reference, family, present.get(_own(family[0])))
        groups.append(group)
        remarks |= {(child.sheet, child.row): (*child.remarks, *told) for child in family}
    return groups, remarks


def _own(child: ReturnedChild) -> str:
    return child.reference or ""


def _with_remarks(outcome: RowOutcome, remarks: tuple[RowProblem, ...]) -> RowOutcome:
    if outcome.outcome is Outcome.REFUSED:
        return outcome
    return replace(outcome, remarks=(*remarks, *outcome.remarks))


def _not_taken(child: ReturnedChild, present: Mapping[str, _Present]) -> RowOutcome:
    """Return the outcome of a child that is not taken; one on the register stays there until a person withdraws it."""
    known = present.get(_own(child))
    remarks = child.remarks
    if known is not None and child.fate is Fate.NOT_FOR_ADOPTION and known.status is not GroupStatus.WITHDRAWN:
        reason = f"the register has the child in group {known.reference}: withdraw the group if it is to wait no more"
        remarks = (*remarks, RowProblem(child.row, "CHILD", child.reference, reason, child.sheet))
    return RowOutcome(
        row=child.row,
        outcome=_OUTCOMES[child.fate],
        record_id=known.group_id if known else None,
        problems=remarks,
        sheet=child.sheet,
        reference=child.reference,
    )


def _group_row(
    reference: str, family: Sequence[ReturnedChild], present: _Present | None
) -> tuple[GroupRow, tuple[RowProblem, ...]]:
    """Return what the return says of one group; where brothers and sisters differ, the group stays as recorded."""
    facts: dict[str, Any] = {}
    told: list[RowProblem] = []
    for name, heading in _GROUP_FACTS.items():
        said = Counter(value for child in family if (value := getattr(child.waiting, name)) is not None)
        if len(said) == 1:
            facts[name] = next(iter(said))
        elif said:
            reason = "the return says differently of brothers and sisters of one group, which stays as it is recorded"
            told.append(RowProblem(family[0].row, heading, None, reason, family[0].sheet))
    appealed = present is not None and present.legal_position is LegalPosition.APPEAL
    if appealed and facts.get("legal_position") is LegalPosition.ORDER_GRANTED:
        # An order under appeal is an order granted: the register knows more than the return can say.
        del facts["legal_position"]
    held = any(child.waiting is not None and child.waiting.on_hold for child in family)
    if held and (present is None or present.status is GroupStatus.WAITING):
        facts["status"] = GroupStatus.ON_HOLD.value
    children = tuple(_child_row(child, child.waiting) for child in family if child.waiting is not None)
    return GroupRow(reference, children, given=frozenset(facts), **facts), tuple(told)


def _child_row(child: ReturnedChild, waiting: Waiting) -> ChildRow:
    """Return a child as the sheet of children would say it. One that is born is due no more."""
    facts: dict[str, Any] = {"born_on": waiting.born_on, "due_on": None}
    if waiting.sex is not Sex.UNKNOWN:
        facts["sex"] = waiting.sex
    if waiting.heritage is not None:
        facts["heritage"] = waiting.heritage
    if waiting.entered_care_on is not None:
        facts["entered_care_on"] = waiting.entered_care_on
    return ChildRow(child.row, _own(child), child.sheet, given=frozenset(facts), **facts)


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
