"""Rows becoming records: read, decided in batches, and written unless it is a check."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.household import count_households
from matching.intake.child_row import GroupRow, groups_in
from matching.intake.column import SheetKind
from matching.intake.group_record import take_groups
from matching.intake.household_record import take_households
from matching.intake.household_row import households_in
from matching.intake.image import ImageKeeper
from matching.intake.key import Digest, lone_group_reference
from matching.intake.laid_sheet import LaidSheet, ReadRows, read_rows, row_places
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.profile_remark import count_telling
from matching.intake.row import RowCells, RowProblem
from matching.sibling_group import Child, ChildIdentity, GroupIdentity, count_groups
from tenants.cipher import keyed_digest
from tenants.error import Conflict

Progress = Callable[[int, int, str], None]
"""Told the steps done, the steps in all and what is being done; what it raises stops the import and undoes it."""

_BATCH: Final = 500
_FEW: Final = 10
"""With fewer records than this nothing is unusual."""

Item = TypeVar("Item")


class RowsLost(Conflict):
    """The outcomes do not account for every row; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Taking:
    """In whose name rows are taken, and how. Without ``images`` nothing is written."""

    session: Session
    agency_id: UUID
    now: datetime
    progress: Progress
    images: ImageKeeper | None = None

    @property
    def dry_run(self) -> bool:
        """Say whether this is a check, which writes nothing."""
        return self.images is None

    def digest(self) -> Digest:
        """Return what stands for a text under the agency's key."""
        session, agency_id, now = self.session, self.agency_id, self.now
        return lambda plain: keyed_digest(session, plain, purpose="reference", agency_id=agency_id, now=now)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of every row, in the file's order, and what was unusual."""

    outcomes: tuple[RowOutcome, ...]
    notes: tuple[str, ...] = ()


def take_sheets(taking: Taking, laid: Sequence[LaidSheet], kind: SheetKind) -> Taken:
    """Take every row of worksheets whose columns are known.

    :raises RowsLost: when the outcomes do not account for every row, which is never to happen.
    """
    places = row_places(laid)
    steps = 2 * len(places)
    taking.progress(0, steps, "Reading rows")
    tell = partial(_told, taking.progress, steps=steps)
    read = read_rows(laid, digest=taking.digest(), tell=tell)
    before = _recorded(taking, kind)
    if kind is SheetKind.HOUSEHOLDS:
        outcomes = _households(taking, read, steps)
    else:
        outcomes = _children(taking, read, laid, steps)
    taken = _in_order(outcomes, places)
    warnings = (*_profile_warnings(taken), *_warnings(taken, kind, before=before, dry_run=taking.dry_run))
    return Taken(taken, warnings)


def take_group_rows(
    taking: Taking, groups: Sequence[GroupRow], *, done: int = 0, steps: int | None = None
) -> list[RowOutcome]:
    """Take groups that were read, batch by batch; ``done`` of ``steps`` lie behind."""
    rows = sum(len(group.children) for group in groups)
    outcomes: list[RowOutcome] = []
    for batch in _batches(groups):
        outcomes += take_groups(taking.session, batch, now=taking.now, dry_run=taking.dry_run, images=taking.images)
        taking.progress(done + len(outcomes), steps or done + rows, _doing(taking))
    return outcomes


def refusals(problems: Sequence[RowProblem], cells: Sequence[RowCells] = ()) -> list[RowOutcome]:
    """Return the outcome of each row that has problems."""
    known = {(each.sheet, each.number): each.fields.get("reference") for each in cells}
    by_row: dict[tuple[str, int], list[RowProblem]] = defaultdict(list)
    for problem in problems:
        by_row[problem.sheet, problem.row].append(problem)
    return [
        RowOutcome(row, Outcome.REFUSED, problems=tuple(found), sheet=sheet, reference=known.get((sheet, row)))
        for (sheet, row), found in by_row.items()
    ]


# ── within ──


def _told(progress: Progress, done: int, *, steps: int) -> None:
    progress(done, steps, "Reading rows")


def _doing(taking: Taking) -> str:
    return "Checking rows" if taking.dry_run else "Saving rows"


def _households(taking: Taking, read: ReadRows, steps: int) -> list[RowOutcome]:
    intake = households_in(read.cells, read.problems, today=taking.now.date())
    outcomes = refusals(intake.problems, read.cells)
    done = len(read.cells)
    taking.progress(done + len(outcomes), steps, _doing(taking))
    for rows in _batches(intake.rows):
        outcomes += take_households(taking.session, rows, now=taking.now, dry_run=taking.dry_run, images=taking.images)
        taking.progress(done + len(outcomes), steps, _doing(taking))
    return outcomes


def _children(taking: Taking, read: ReadRows, laid: Sequence[LaidSheet], steps: int) -> list[RowOutcome]:
    cells = _grouped(taking, read.cells, laid)
    intake = groups_in(cells, read.problems, layouts=[each.layout for each in laid], today=taking.now.date())
    outcomes = refusals(intake.problems, cells)
    done = len(cells) + len(outcomes)
    taking.progress(done, steps, _doing(taking))
    return outcomes + take_group_rows(taking, intake.groups, done=done, steps=steps)


def _grouped(taking: Taking, cells: Sequence[RowCells], laid: Sequence[LaidSheet]) -> list[RowCells]:
    """Return children with their groups: where no column says it, the recorded one, else one of the child's own."""
    silent = {
        each.sheet.title
        for each in laid
        if "group_reference" not in {name for _, column in each.layout.placed for name in column.fields}
    }
    if not silent:
        return list(cells)
    wanted = [each.fields["reference"] for each in cells if each.sheet in silent and each.fields.get("reference")]
    recorded = _recorded_groups(taking, wanted)
    digest = taking.digest()

    def grouped(each: RowCells) -> RowCells:
        reference = each.fields.get("reference")
        if each.sheet not in silent or reference is None:
            return each
        group = recorded.get(reference) or lone_group_reference(reference, digest)
        return replace(each, fields={**each.fields, "group_reference": group})

    return [grouped(each) for each in cells]


def _recorded_groups(taking: Taking, references: Sequence[str]) -> dict[str, str]:
    query = (
        select(ChildIdentity.reference, GroupIdentity.reference)
        .join(Child, Child.id == ChildIdentity.child_id)
        .join(GroupIdentity, GroupIdentity.sibling_group_id == Child.sibling_group_id)
        .where(ChildIdentity.agency_id == taking.agency_id, ChildIdentity.reference.in_(references))
    )
    return {row[0]: row[1] for row in taking.session.execute(query)}


def _in_order(outcomes: Sequence[RowOutcome], places: Sequence[tuple[str, int]]) -> tuple[RowOutcome, ...]:
    by_place = {(each.sheet, each.row): each for each in outcomes}
    if len(by_place) != len(outcomes) or len(places) != len(outcomes) or by_place.keys() != set(places):
        raise RowsLost("The import did not account for every row, so nothing of it was kept. Tell the operator.")
    return tuple(by_place[place] for place in places)


def _recorded(taking: Taking, kind: SheetKind) -> int:
    count = count_households if kind is SheetKind.HOUSEHOLDS else count_groups
    return count(taking.session, own_agency=taking.agency_id)


def _profile_warnings(outcomes: Sequence[RowOutcome]) -> Iterator[str]:
    telling = count_telling(outcomes)
    if telling:
        rows = "the profile of 1 row" if telling == 1 else f"the profiles of {telling:,} rows"
        yield f"Look twice: {rows} may give away who is meant. Each such row says where, under “To look at”."


def _warnings(outcomes: Sequence[RowOutcome], kind: SheetKind, *, before: int, dry_run: bool) -> Iterator[str]:
    """Say what is unusual enough that a person should look twice before it is saved."""
    if before < _FEW:
        return
    of = Counter(each.outcome for each in outcomes)
    records = "households" if kind is SheetKind.HOUSEHOLDS else "sibling groups"
    changed = {each.record_id for each in outcomes if each.outcome is Outcome.CHANGED}
    if len(changed) * 2 > before:
        verb = "would change" if dry_run else "changed"
        yield f"Look twice: the file {verb} {len(changed):,} of the {before:,} {records} that you had."
    known = of[Outcome.CHANGED] + of[Outcome.UNCHANGED]
    if of[Outcome.ADDED] >= _FEW and not known:
        yield (
            f"Look twice: the file names none of the {before:,} {records} that you had. If it should, its references "
            "are written in another way."
        )


def _batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch
