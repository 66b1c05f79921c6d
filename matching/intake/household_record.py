"""Households' rows becoming records: found by the agency's own reference, compared, added or changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.bar import SHUT_OUT, barred_references
from matching.household import (
    Household,
    HouseholdIdentity,
    HouseholdPlace,
    HouseholdProfile,
    HouseholdStatus,
    HouseholdTolerance,
    Identity,
    list_tolerances,
    open_identity,
    seal_identity,
)
from matching.intake.column import SheetKind
from matching.intake.household_row import HouseholdRow, household_problems
from matching.intake.image import ImageKeeper
from matching.intake.outcome import Change, Outcome, RowOutcome
from matching.intake.profile_remark import household_remarks
from matching.intake.record import (
    add_coded_rows,
    changes_between,
    replace_rows,
)
from matching.intake.row import RowProblem
from matching.intake.saying import say_household
from matching.intake.sharing import asked_sharing, recorded_sharing
from matching.link import matched_records
from matching.place import outward_code_of
from matching.pool import Stage, share_each, sharing_of
from matching.timing import starting_stage, timing_of
from tenants import audit
from tenants.bulk import Values, add_rows, change_rows
from tenants.database import scope_of

_SETS: Final = ("heritage", "religions", "languages", "cultures")
_SUMMARY: Final = (
    "approved_on",
    "age_from_months",
    "age_to_months",
    "fewest_children",
    "most_children",
    "sex_approved",
    "early_permanence_approved",
    "order_not_granted",
    "order_contested",
    "appeal",
    "letterbox_contact",
    "direct_contact",
    "sibling_contact",
    "children_at_home",
    "youngest_at_home",
    "pets",
    "smokers",
    "adopters",
    "experience",
    "training",
    "parent_at_home",
    "support_nearby",
    "available_from",
    "considered_for",
    "availability_confirmed_on",
)
_OWN_FIELDS: Final = frozenset(each.name for each in fields(HouseholdRow)) - {
    *("number", "sheet", "reference", "given", "needs")
}


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A household as it stands, written as a sheet would say it, with the stage it is shared at."""

    id: UUID
    row: HouseholdRow
    stage: Stage
    matched: bool
    """Whether a link's match stands, which no sheet ends."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A row that is written: what it comes to, and how the household stood before."""

    id: UUID
    row: HouseholdRow
    before: _Recorded | None


def take_households(
    session: Session, rows: Sequence[HouseholdRow], *, now: datetime, dry_run: bool, images: ImageKeeper | None = None
) -> list[RowOutcome]:
    """Add or change the scope's agency's households as the rows say, and return each row's outcome in order.

    Rows that say nothing new are left unwritten. A dry run decides everything and writes nothing. ``images`` keeps
    how each household stood before.
    """
    references = [row.reference for row in rows]
    recorded, barred = _recorded(session, references), barred_references(session, references)
    outcomes: list[RowOutcome] = []
    taken: list[_Taken] = []
    for row in rows:
        if row.reference in barred:
            outcomes.append(_shut_out(row))
            continue
        outcome, change = _decide(row, recorded.get(row.reference), now=now)
        outcomes.append(replace(outcome, record_id=None) if dry_run and outcome.outcome is Outcome.ADDED else outcome)
        taken += [change] if change else []
    if not dry_run:
        with nullcontext() if images is None else images.around([(each.id, each.before is None) for each in taken]):
            _write(session, taken, now=now)
    return outcomes


# ── deciding ──


def _decide(row: HouseholdRow, before: _Recorded | None, *, now: datetime) -> tuple[RowOutcome, _Taken | None]:
    if before is None:
        household_id = uuid4()
        added = _outcome(row, Outcome.ADDED, household_id, remarks=household_remarks(row))
        return added, _Taken(household_id, row, None)
    after = _merged(row, before.row)
    if before.matched and after.status == HouseholdStatus.WAITING:
        after = replace(after, status=before.row.status)
    problems = household_problems(after, today=now.date())
    if problems:
        return _outcome(row, Outcome.REFUSED, before.id, problems=problems), None
    if not _differ(before.row, after):
        return _outcome(row, Outcome.UNCHANGED, before.id), None
    changed = changes_between(say_household(before.row), say_household(after), kind=SheetKind.HOUSEHOLDS)
    outcome = _outcome(row, Outcome.CHANGED, before.id, changed=changed, remarks=household_remarks(after))
    return outcome, _Taken(before.id, after, before)


def _shut_out(row: HouseholdRow) -> RowOutcome:
    problem = RowProblem(row.number, "Reference", row.reference, SHUT_OUT, row.sheet)
    return RowOutcome(row.number, Outcome.REFUSED, None, problems=(problem,), sheet=row.sheet, reference=row.reference)


def _merged(said: HouseholdRow, recorded: HouseholdRow) -> HouseholdRow:
    """Return the household as it would stand: what the sheet has no column for stays as recorded."""
    values = {name: getattr(said, name) for name in said.given & _OWN_FIELDS}
    if said.sharing is None:
        values.pop("sharing", None)
        values.pop("sharing_reason", None)
    elif said.sharing != recorded.sharing:
        values.setdefault("sharing_reason", None)
    needs = {code: tolerance for code, tolerance in recorded.needs.items() if code not in said.given}
    return replace(
        recorded, number=said.number, sheet=said.sheet, given=said.given, needs={**needs, **said.needs}, **values
    )


def _differ(before: HouseholdRow, after: HouseholdRow) -> bool:
    return before.needs != after.needs or any(getattr(before, name) != getattr(after, name) for name in _OWN_FIELDS)


def _outcome(
    row: HouseholdRow,
    outcome: Outcome,
    household_id: UUID,
    *,
    changed: tuple[Change, ...] = (),
    problems: tuple[RowProblem, ...] = (),
    remarks: tuple[RowProblem, ...] = (),
) -> RowOutcome:
    return RowOutcome(
        row.number,
        outcome,
        household_id,
        changed,
        problems,
        sheet=row.sheet,
        reference=row.reference,
        remarks=remarks,
    )


# ── reading what is recorded ──


def recorded_households(session: Session, references: Sequence[str]) -> dict[str, HouseholdRow]:
    """Return the scope's agency's households of these references, each as a sheet would say it, by reference."""
    found = _recorded(session, references, locked=False)
    return {reference: recorded.row for reference, recorded in found.items()}


def _recorded(session: Session, references: Sequence[str], *, locked: bool = True) -> dict[str, _Recorded]:
    """Return the scope's agency's households of these references, ``locked`` until the transaction ends."""
    query = (
        select(Household, HouseholdIdentity, HouseholdProfile.text)
        .join(HouseholdIdentity, HouseholdIdentity.household_id == Household.id)
        .outerjoin(HouseholdProfile, HouseholdProfile.household_id == Household.id)
        .where(HouseholdIdentity.agency_id == scope_of(session).agency_id, HouseholdIdentity.reference.in_(references))
        .order_by(Household.id)
        .execution_options(populate_existing=True)
    )
    found = session.execute(query.with_for_update(of=Household) if locked else query).all()
    ids = [household.id for household, _, _ in found]
    tolerances = list_tolerances(session, ids)
    entries = sharing_of(session, ids)
    matched = matched_records(session, ids)
    recorded = {}
    for household, identity, profile in found:
        entry = entries.get(household.id)
        sharing, reason = recorded_sharing(entry)
        summary: Values = {name: getattr(household, name) for name in _SUMMARY}
        sets: Values = {name: frozenset(getattr(household, name)) for name in _SETS}
        recorded[identity.reference] = _Recorded(
            id=household.id,
            row=HouseholdRow(
                number=0,
                reference=identity.reference,
                profile=profile,
                status=household.status.value,
                sharing=sharing,
                sharing_reason=reason,
                needs=tolerances.get(household.id, {}),
                **_identity_fields(open_identity(session, identity)),
                **summary,
                **sets,
            ),
            stage=entry.stage if entry else Stage.IN_HOUSE,
            matched=household.id in matched,
        )
    return recorded


def _identity_fields(identity: Identity) -> dict[str, Any]:
    first, second = (*identity.adopters, None, None)[:2]
    return {
        "adopter_1_name": first,
        "adopter_2_name": second,
        "address": identity.address,
        "postcode": identity.postcode,
        "telephone": identity.telephone,
        "email": identity.email,
    }


# ── writing ──


def _write(session: Session, taken: Sequence[_Taken], *, now: datetime) -> None:
    new = [each for each in taken if each.before is None]
    changed = [each for each in taken if each.before is not None]
    ids = [each.id for each in changed]
    add_coded_rows(session, Household, [_summary(session, each, now) | {"added_at": now} for each in new], prefix="H")
    add_rows(session, HouseholdIdentity, [_identity(session, each, now) for each in new])
    change_rows(session, Household, [_summary(session, each, now) for each in changed])
    change_rows(session, HouseholdIdentity, [_identity(session, each, now) for each in changed])
    replace_rows(session, HouseholdProfile, HouseholdProfile.household_id, ids, _profiles(session, taken))
    replace_rows(session, HouseholdPlace, HouseholdPlace.household_id, ids, _places(session, taken))
    replace_rows(session, HouseholdTolerance, HouseholdTolerance.household_id, ids, _tolerances(session, taken))
    _share(session, taken, now=now)
    for act, written in ((audit.Act.ADD, new), (audit.Act.CHANGE, changed)):
        audit.record_each(
            session,
            act,
            record_kind="household",
            records=[(each.id, None) for each in written],
            level=audit.Level.IDENTITY,
            now=now,
        )


def _owner(session: Session, each: _Taken) -> Values:
    return {"household_id": each.id, "agency_id": scope_of(session).agency_id}


def _summary(session: Session, each: _Taken, now: datetime) -> Values:
    return {
        "id": each.id,
        "agency_id": scope_of(session).agency_id,
        "status": HouseholdStatus(each.row.status or HouseholdStatus.WAITING),
        "changed_at": now,
        **{name: getattr(each.row, name) for name in _SUMMARY},
        **{name: sorted(getattr(each.row, name)) for name in _SETS},
    }


def _identity(session: Session, each: _Taken, now: datetime) -> Values:
    row, owner = each.row, _owner(session, each)
    identity = Identity(
        adopters=tuple(name for name in (row.adopter_1_name, row.adopter_2_name) if name),
        address=row.address,
        postcode=row.postcode,
        telephone=row.telephone,
        email=row.email,
    )
    sealed = seal_identity(session, identity, **owner, now=now)
    return {**owner, "reference": row.reference, "sealed": sealed}


def _profiles(session: Session, taken: Sequence[_Taken]) -> list[Values]:
    return [{**_owner(session, each), "text": each.row.profile} for each in taken if each.row.profile]


def _places(session: Session, taken: Sequence[_Taken]) -> list[Values]:
    return [
        {**_owner(session, each), "outward_code": outward_code_of(each.row.postcode)}
        for each in taken
        if each.row.postcode
    ]


def _tolerances(session: Session, taken: Sequence[_Taken]) -> list[Values]:
    return [
        {**_owner(session, each), "need": code, "low": stated.low, "medium": stated.medium, "high": stated.high}
        for each in taken
        for code, stated in each.row.needs.items()
    ]


def _share(session: Session, taken: Sequence[_Taken], *, now: datetime) -> None:
    timing = timing_of(session)
    entries: list[tuple[UUID | None, UUID | None, Stage, bool, str | None]] = []
    for each in taken:
        if each.before is not None and _sharing(each.row) == _sharing(each.before.row):
            continue
        present = (
            each.before.stage
            if each.before
            else starting_stage(timing, approved_on=each.row.approved_on, today=now.date())
        )
        entries.append((each.id, None, *asked_sharing(each.row.sharing, each.row.sharing_reason, present=present)))
    share_each(session, entries, on=now.date())


def _sharing(row: HouseholdRow) -> tuple[str | None, str | None]:
    return row.sharing, row.sharing_reason
