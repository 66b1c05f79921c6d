"""Opening reports: one's own agency's, or another's by leave, each time on record and marked with who reads it.

The bytes leave this module through ``stamp`` alone, so that no caller gets a report without its mark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matching.actor import acting_person
from matching.document import Document, DocumentUnknown, list_documents_of, unseal_version
from matching.grant import DocumentGrant, find_undertaking, list_own_grants
from matching.household import Household
from matching.link import Link
from matching.register import PAGE_SIZE, Page
from matching.sibling_group import Child, SiblingGroup
from tenants import audit
from tenants.agency import get_agency
from tenants.database import scope_of
from tenants.error import Conflict
from tenants.permission import Verb, require


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, for whom and when: what the mark on each page says."""

    name: str
    agency: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Readable:
    """A report that the scope's person may read by leave of another agency, and until when."""

    document: Document
    title: str
    agency: str
    grant: DocumentGrant
    link: Link
    undertaken: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A report of the scope's own agency, and who of other agencies may read it."""

    document: Document
    title: str
    readers: tuple[DocumentGrant, ...]


class UndertakingNeeded(Conflict):
    """The person has not yet promised to keep what they would read confidential."""


Stamp = Callable[[bytes, Reader], bytes]


def open_document(
    session: Session, document: Document, *, stamp: Stamp, now: datetime, version: int | None = None
) -> bytes:
    """Return a report marked with who reads it, and put the look on record with the grant.

    :raises NotAllowed: when the scope's roles do not let it read reports.
    :raises DocumentUnknown: when the person has no leave to read it, or the version is not to be read.
    :raises UndertakingNeeded: when they have, and have not yet promised to keep it confidential.
    :raises DocumentShredded: when the version has been destroyed.
    """
    scope = scope_of(session)
    require(scope, Verb.READ_REPORTS)
    found = None
    if document.agency_id != scope.agency_id:
        found = find_leave(session, document, now=now)
        if find_undertaking(session, found) is None:
            raise UndertakingNeeded("Before you open the report, confirm that you keep it confidential.")
    content = unseal_version(session, document, version=version)
    if content is None:
        raise DocumentUnknown("There is no such report for you to read.")
    reader = Reader(acting_person(session).name, get_agency(session, _acting_agency(session)).name, now)
    marked = stamp(content, reader)
    _record(session, document, found, version or document.version, now=now)
    return marked


def find_leave(session: Session, document: Document, *, now: datetime) -> DocumentGrant:
    """Return the grant by which the scope's person may read another agency's report now.

    :raises DocumentUnknown: when there is none.
    """
    for found, link in list_own_grants(session, on=now.date()):
        about = link.household_id if document.household_id else link.sibling_group_id
        if found.kind is document.kind and about == document.record_id:
            return found
    raise DocumentUnknown("There is no such report for you to read.")


def list_readable(session: Session, *, now: datetime) -> list[Readable]:
    """Return the reports that the scope's person may read by leave of other agencies, the soonest to end first."""
    listed = []
    for found, link in list_own_grants(session, on=now.date()):
        record_id = link.household_id if found.kind == "par" else link.sibling_group_id
        undertaken = find_undertaking(session, found) is not None
        listed += [
            Readable(
                document=document,
                title=title_of(session, document),
                agency=get_agency(session, document.agency_id).name,
                grant=found,
                link=link,
                undertaken=undertaken,
            )
            for document in list_documents_of(session, [record_id])
            if document.kind is found.kind
        ]
    return listed


def list_kept(session: Session, *, number: int, on: date) -> Page[Kept]:
    """Return a page of the scope's own agency's reports, the newest first, each with who may read it on a day."""
    query = select(Document).where(Document.agency_id == scope_of(session).agency_id)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    number = Page.within(number, total)
    query = query.order_by(Document.added_at.desc(), Document.id).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    kept = tuple(
        Kept(document, title_of(session, document), tuple(readers_of(session, document, on=on)))
        for document in session.scalars(query)
    )
    return Page(cards=kept, total=total, number=number)


def title_of(session: Session, document: Document) -> str:
    """Return a report's name by its kind, the record's pool code and the child's place in the group: never a name."""
    if document.household_id is not None:
        code = session.scalar(select(Household.code).where(Household.id == document.household_id))
        return f"PAR of {code or 'a household'}"
    code = session.scalar(select(SiblingGroup.code).where(SiblingGroup.id == document.sibling_group_id))
    if document.child_id is None:
        return f"CPR of {code or 'a group'}"
    place = session.scalar(select(Child.position).where(Child.id == document.child_id))
    return f"CPR of child {'' if place is None else place + 1} of {code or 'a group'}"


def readers_of(session: Session, document: Document, *, on: date) -> list[DocumentGrant]:
    """Return the grants that let people of other agencies read one's own agency's report on a day, by name."""
    side = Link.household_id if document.household_id else Link.sibling_group_id
    query = (
        select(DocumentGrant)
        .join(Link, Link.id == DocumentGrant.link_id)
        .where(
            side == document.record_id,
            DocumentGrant.kind == document.kind,
            DocumentGrant.ends_on >= on,
            DocumentGrant.revoked_at.is_(None),
        )
        .order_by(DocumentGrant.person_name, DocumentGrant.id)
    )
    return list(session.scalars(query))


def _acting_agency(session: Session) -> UUID:
    agency_id = scope_of(session).agency_id
    if agency_id is None:
        raise DocumentUnknown("There is no such report for you to read.")
    return agency_id


def _record(session: Session, document: Document, found: DocumentGrant | None, version: int, *, now: datetime) -> None:
    leave = f"grant {found.id}" if found else "its own agency"
    audit.record(
        session,
        audit.Act.READ,
        record_kind=document.record_kind,
        record_id=document.record_id,
        owner_agency_id=document.agency_id,
        level=audit.Level.REPORT,
        reason=f"{document.kind.label}, version {version}, {leave}",
        now=now,
    )
