"""Gather an agency's adoption record of one placement: all it sees of the link, and its own record, sealed apart.

Each agency gathers for itself, in its own scope, so that nothing of one is opened to the other by sealing.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from matching.code import new_code
from matching.document import ReportKind, get_document, list_documents_of, unseal_version
from matching.household import Household, HouseholdIdentity, open_identity
from matching.intake.column import SheetKind
from matching.intake.image import rows_of
from matching.link import Link
from matching.panel.paper import list_papers
from matching.sealing.record import AdoptionRecord, PartKind
from matching.sibling_group import ChildIdentity, SiblingGroup, list_children, open_child
from tenants.custody import REGISTER, OpenedRow, open_rows_where
from tenants.database import scope_of
from tenants.own_key import seal_apart

YEARS = 100
_LAST = (12, 31)


def gather(session: Session, link: Link, *, tally: UUID | None, now: datetime) -> str:
    """Gather the scope's own agency's part anew, and return its number.

    :param tally: the id under which the placement is counted once it is sealed, where it is known.
    """
    agency_id = scope_of(session).agency_id
    # A worker may be at it as the second person seals: of two that gather at once, one record would be left over.
    session.execute(_LOCK, {"link": link.id, "agency": agency_id})
    session.execute(delete(AdoptionRecord).where(AdoptionRecord.link_id == link.id))
    number = new_code("A")
    facts: dict[str, Any] = {
        "number": number,
        "counted_as": str(tally) if tally else None,
        "link": _of_link(session, link),
    }
    record_ids = []
    if agency_id == link.group_agency_id:
        facts["children"] = _group(session, link.sibling_group_id)
        record_ids.append(link.sibling_group_id)
    if agency_id == link.household_agency_id:
        facts["family"] = _household(session, link.household_id)
        record_ids.append(link.household_id)
    facts["before_panel"] = _before_panel(session, link)
    facts["times_missed"] = _times_missed(session, record_ids)
    _keep(session, link, number, PartKind.RECORD, json.dumps(facts, ensure_ascii=False).encode(), now=now)
    for document in list_documents_of(session, record_ids):
        content = unseal_version(session, document) if document.agency_id == agency_id else None
        if content is not None:
            kind = PartKind.PAR if document.kind is ReportKind.PAR else PartKind.CPR
            _keep(session, link, number, kind, content, now=now)
    session.flush()
    return number


def _of_link(session: Session, link: Link) -> dict[str, list[dict[str, Any]]]:
    """Return every row about the link that the agency sees, opened, by table."""
    tables = set(session.scalars(_WITH_LINK))
    found = {}
    for holding in REGISTER:
        if holding.table == "link":
            rows = open_rows_where(session, holding, "id = :link", {"link": link.id})
        elif holding.table in tables:
            rows = open_rows_where(session, holding, "link_id = :link", {"link": link.id})
        else:
            continue
        found[holding.table] = [_plain(row) for row in rows]
    return {table: rows for table, rows in found.items() if rows}


def _before_panel(session: Session, link: Link) -> list[dict[str, Any]]:
    """Return the agency's own reports in the versions that lay before panel and have been taken over since."""
    found = []
    for paper in list_papers(session, link):
        if paper.document_id is None or paper.agency_id != scope_of(session).agency_id:
            continue
        document = get_document(session, paper.document_id)
        if paper.version != document.version:
            content = unseal_version(session, document, version=paper.version)
            file = base64.b64encode(content).decode() if content is not None else None
            found.append({"kind": paper.kind.value, "version": paper.version, "file": file})
    return found


def _times_missed(session: Session, record_ids: list[UUID]) -> list[dict[str, Any]]:
    """Return why times of the records themselves were missed; those of the link are among its rows."""
    holding = next(each for each in REGISTER if each.table == "clock_reason")
    where = "sibling_group_id = ANY (:records) OR household_id = ANY (:records)"
    return [_plain(row) for row in open_rows_where(session, holding, where, {"records": record_ids})]


def _plain(row: OpenedRow) -> dict[str, Any]:
    files = {name: base64.b64encode(content).decode() for name, content in row.files.items()}
    return {**row.values, "files": files} if files else row.values


def _group(session: Session, group_id: UUID) -> dict[str, Any]:
    rows = rows_of(session, SheetKind.CHILDREN, [group_id])[group_id]
    children = list_children(session, [group_id]).get(group_id, [])
    names = [
        {field: getattr(open_child(session, row), field) for field in ("forename", "surname", "born_on", "ethnicity")}
        for child in children
        if (row := session.get(ChildIdentity, child.id)) is not None
    ]
    code = session.scalar(select(SiblingGroup.code).where(SiblingGroup.id == group_id))
    return {"rows": rows, "names": names, "code": code}


def _household(session: Session, household_id: UUID) -> dict[str, Any]:
    rows = rows_of(session, SheetKind.HOUSEHOLDS, [household_id])[household_id]
    row = session.get(HouseholdIdentity, household_id)
    names = asdict(open_identity(session, row)) if row is not None else {}
    code = session.scalar(select(Household.code).where(Household.id == household_id))
    return {"rows": rows, "names": names, "code": code}


def _keep(session: Session, link: Link, number: str, kind: PartKind, content: bytes, *, now: datetime) -> None:
    part_id, today = uuid4(), now.date()
    key, sealed = seal_apart(session, content, row_id=part_id)
    # Inserted and never read back: nobody reads it but who is appointed to.
    session.execute(
        _INSERT,
        {
            "id": part_id,
            "agency_id": scope_of(session).agency_id,
            "number": number,
            "kind": kind.value,
            "kept_until": today.replace(year=today.year + YEARS, month=_LAST[0], day=_LAST[1]),
            "made_on": today,
            "sealed_key": key,
            "sealed": sealed,
            "link_id": link.id,
        },
    )


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'concord.gather', :link, :agency), 0))")
_INSERT = text("""
    INSERT INTO adoption_record (id, agency_id, number, kind, kept_until, made_on, sealed_key, sealed, link_id)
    VALUES (:id, :agency_id, :number, :kind, :kept_until, :made_on, :sealed_key, :sealed, :link_id)
""")
_WITH_LINK = text("""
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'link_id'
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped
      AND c.relname <> 'adoption_record'
""")
