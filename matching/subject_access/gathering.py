"""Gather everything that an agency holds on one of its records, table by table, so that nothing is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.colleague import colleague_names
from matching.household import Household, HouseholdIdentity, open_identity
from matching.intake.column import SheetKind
from matching.intake.image import rows_of
from matching.intake.import_row import ImportRow
from matching.intake.import_run import ImportRun
from matching.register import agency_names
from matching.retention.adoption_order import list_orders
from matching.sibling_group import Child, ChildIdentity, SiblingGroup, open_child
from matching.subject_access.elsewhere import parts_elsewhere
from matching.subject_access.item import Part, SubjectItem, keep_parts
from matching.subject_access.request import SubjectKind, SubjectRequest, check_open
from tenants import audit
from tenants.database import scope_of
from tenants.error import Conflict, NotFound
from tenants.permission import Verb, require

_TITLES: Final = {
    "household": "What is recorded of the household",
    "household_tolerance": "What they said they could meet",
    "household_profile": "The anonymous profile",
    "household_place": "Where they live, as a district",
    "sibling_group": "What is recorded of the group",
    "child": "The children",
    "child_need": "What is recorded of the children’s needs",
    "sibling_group_profile": "The anonymous profile",
    "sibling_group_place": "Where the children come from, as a district",
    "exclusion_area": "Areas where the children must not live",
    "sibling_placement": "Where a brother or sister lives",
    "pool_entry": "How far it is shared now",
}
_HIDDEN: Final = frozenset({"sealed", "agency_id", "household_id", "sibling_group_id", "consortium_id"})
_KINDS: Final = {SubjectKind.HOUSEHOLD: SheetKind.HOUSEHOLDS, SubjectKind.SIBLING_GROUP: SheetKind.CHILDREN}


class GatheredAlready(Conflict):
    """What is held was gathered for this request before."""


class RecordGone(NotFound):
    """The record is no longer there."""


def gather(session: Session, request: SubjectRequest, *, now: datetime) -> int:
    """Gather everything held on the request's record, sealed part by part; return how many parts.

    :raises GatheredAlready: when it was gathered before: what a person decided is never overwritten.
    :raises RequestClosed: when the request is closed.
    :raises RecordGone: when the record was destroyed.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    check_open(session, request)
    if session.scalar(select(SubjectItem.id).where(SubjectItem.subject_request_id == request.id).limit(1)):
        raise GatheredAlready("What is held was gathered already. Open a new request to gather it as it stands now.")
    model = Household if request.record_kind is SubjectKind.HOUSEHOLD else SiblingGroup
    if session.get(model, request.record_id) is None:
        raise RecordGone("The record is no longer in Concord, so there is nothing to gather.")
    parts = [part for part in _parts(session, request) if part.text]
    keep_parts(session, request, parts, now=now)
    audit.record(
        session,
        audit.Act.READ,
        record_kind=request.record_kind.value,
        record_id=request.record_id,
        level=audit.Level.IDENTITY,
        reason="gathered for subject access",
        now=now,
    )
    return len(parts)


def _parts(session: Session, request: SubjectRequest) -> Iterator[Part]:
    record_id = request.record_id
    yield from _identities(session, request)
    for table, rows in rows_of(session, _KINDS[request.record_kind], [record_id])[record_id].items():
        if table in _TITLES:
            yield Part(_TITLES[table], "\n\n".join(_lines(row) for row in rows), adoption_record=True)
    orders = "\n".join(f"Adoption order: {day:%d/%m/%Y}" for day in list_orders(session, record_id))
    yield Part("Adoption orders", orders, adoption_record=True)
    yield from parts_elsewhere(session, record_id)
    yield Part("Imports that brought or changed it", _imports(session, record_id), adoption_record=False)
    yield Part("Who saw or changed it, and with whom it was shared", _audit(session, record_id), adoption_record=False)


def _identities(session: Session, request: SubjectRequest) -> Iterator[Part]:
    """Yield who the record is about; each child apart, for a brother’s or sister’s is another person’s."""
    if request.record_kind is SubjectKind.HOUSEHOLD:
        row = session.get(HouseholdIdentity, request.record_id)
        if row is not None:
            who = open_identity(session, row)
            said = {"adopters": ", ".join(who.adopters), "address": who.address, "postcode": who.postcode}
            said |= {"telephone": who.telephone, "e-mail": who.email, "the agency’s reference": row.reference}
            yield Part("Who they are", _lines(said), adoption_record=True)
        return
    query = (
        select(ChildIdentity)
        .join(Child, Child.id == ChildIdentity.child_id)
        .where(Child.sibling_group_id == request.record_id)
        .order_by(Child.position, Child.id)
    )
    for number, child in enumerate(session.scalars(query), start=1):
        name = open_child(session, child)
        said = {field: getattr(name, field) for field in name.__slots__}
        yield Part(f"Who child {number} is", _lines({**said, "reference": child.reference}), adoption_record=True)


def _imports(session: Session, record_id: UUID) -> str:
    query = (
        select(ImportRun.requested_at, ImportRun.filename, ImportRow.row_number, ImportRow.outcome)
        .join(ImportRun, ImportRun.id == ImportRow.import_run_id)
        .where(ImportRow.record_id == record_id)
        .order_by(ImportRun.requested_at, ImportRow.row_number, ImportRow.id)
    )
    return "\n".join(
        f"{at:%d/%m/%Y %H:%M}: row {row} of {filename}: {outcome.value.replace('_', ' ')}"
        for at, filename, row, outcome in session.execute(query)
    )


def _audit(session: Session, record_id: UUID) -> str:
    people, agencies = colleague_names(session), agency_names(session)
    own = scope_of(session).agency_id
    lines = []
    for entry in reversed(audit.list_entries_of(session, record_id)):
        by = agencies.get(entry.actor_agency_id, "Another agency") if entry.actor_agency_id else "Concord"
        if entry.actor_agency_id == own and entry.actor_person_id is not None:
            by = f"{people.get(entry.actor_person_id, 'Somebody who has left')}, {by}"
        what = ", ".join(word.replace("_", " ") for word in (entry.act, entry.level, entry.reason) if word)
        lines.append(f"{entry.at:%d/%m/%Y %H:%M}: {what}, by {by}")
    return "\n".join(lines)


def _lines(row: dict[str, Any]) -> str:
    shown = {name: value for name, value in row.items() if name not in _HIDDEN and value not in (None, "", [])}
    return "\n".join(f"{name.replace('_', ' ').capitalize()}: {_said(value)}" for name, value in shown.items())


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
