"""Reports: a household's PAR and a child's CPR, kept by their own agency as sealed PDF files.

A newer version replaces an older one, which stays for the record. Each is sealed with a key of its own, so that a
person of another agency can be let read it, by a grant, and so that it can be destroyed by its key alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.document_check import CheckedPdf
from matching.household import Household
from matching.sibling_group import Child, SiblingGroup
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.own_key import seal_apart, unseal_apart
from tenants.permission import Verb, require


class ReportKind(StrEnum):
    """What a report is: its kind says whose it is."""

    PAR = "par"
    CPR = "cpr"

    @property
    def label(self) -> str:
        """Return the short name that pages use."""
        return self.value.upper()

    @property
    def words(self) -> str:
        """Return the name in full."""
        return {"par": "prospective adopter report", "cpr": "child permanence report"}[self]


class Document(Base):
    """A report about a household, or about a sibling group or one child of it, through all its versions."""

    __tablename__ = "document"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    kind: Mapped[ReportKind] = mapped_column(Word(ReportKind))
    household_id: Mapped[UUID | None]
    sibling_group_id: Mapped[UUID | None]
    child_id: Mapped[UUID | None]
    """The one child that a CPR is about; without, all children of the group."""
    version: Mapped[int]
    """The present version."""
    added_at: Mapped[datetime]

    @property
    def record_id(self) -> UUID:
        """Return the id of the household or group that it is about."""
        found = self.household_id or self.sibling_group_id
        assert found is not None  # noqa: S101 - the table's own check
        return found

    @property
    def record_kind(self) -> str:
        """Return what the audit calls that record."""
        return "household" if self.household_id else "sibling_group"


class DocumentVersion(Base):
    """One version of a report, sealed; without ``sealed_key`` its content is lost for good."""

    __tablename__ = "document_version"

    id: Mapped[Id]
    document_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    version: Mapped[int]
    pages: Mapped[int]
    size: Mapped[int]
    """Bytes of the file as it was handed in."""
    digest: Mapped[bytes]
    """SHA-256 of it."""
    added_at: Mapped[datetime]
    added_by: Mapped[UUID | None]
    sealed_key: Mapped[bytes | None] = mapped_column(deferred=True)
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    shredded_at: Mapped[datetime | None]


class DocumentUnknown(NotFound):
    """No such report can be read in this scope."""


class DocumentOfAnother(Invalid):
    """The record is another agency's, whose reports it keeps itself."""


class DocumentShredded(Conflict):
    """The version's key has been destroyed, and its content with it."""


def add_par(session: Session, household: Household, *, file: CheckedPdf, now: datetime) -> DocumentVersion:
    """Keep a household's PAR; one that is there already is replaced and stays for the record.

    :raises NotAllowed: when the scope's roles do not let it keep reports.
    :raises DocumentOfAnother: when the household is another agency's.
    """
    return _add(session, household, ReportKind.PAR, file=file, now=now, household_id=household.id)


def add_cpr(
    session: Session, group: SiblingGroup, *, file: CheckedPdf, now: datetime, child: Child | None = None
) -> DocumentVersion:
    """Keep the CPR of a group, or of one child of it, as ``add_par`` does a household's.

    :raises NotAllowed: when the scope's roles do not let it keep reports.
    :raises DocumentOfAnother: when the group is another agency's, or the child another group's.
    """
    if child is not None and child.sibling_group_id != group.id:
        raise DocumentOfAnother("The child is not of this group. Open the child’s own group.")
    child_id = child.id if child else None
    return _add(session, group, ReportKind.CPR, file=file, now=now, sibling_group_id=group.id, child_id=child_id)


def _add(
    session: Session,
    record: Household | SiblingGroup,
    kind: ReportKind,
    *,
    file: CheckedPdf,
    now: datetime,
    **about: UUID | None,
) -> DocumentVersion:
    scope = scope_of(session)
    require(scope, Verb.KEEP_REPORTS)
    if record.agency_id != scope.agency_id:
        raise DocumentOfAnother("Its own agency keeps its reports. Ask to read them on the page of your link.")
    document = _next_version(session, kind, agency_id=record.agency_id, now=now, about=about)
    row_id = uuid4()
    sealed_key, sealed = seal_apart(session, file.content, row_id=row_id)
    version = DocumentVersion(
        id=row_id,
        document_id=document.id,
        agency_id=document.agency_id,
        version=document.version,
        pages=file.pages,
        size=len(file.content),
        digest=hashlib.sha256(file.content).digest(),
        added_at=now,
        added_by=scope.person_id,
        sealed_key=sealed_key,
        sealed=sealed,
    )
    session.add(version)
    session.flush()
    _record(session, document, audit.Act.CHANGE, reason=f"{kind.label}, version {version.version} added", now=now)
    return version


def _next_version(
    session: Session, kind: ReportKind, *, agency_id: UUID, now: datetime, about: dict[str, UUID | None]
) -> Document:
    """Return the report, made if there was none, with the version that is to be added; two may add at once."""
    made: Document | None = session.scalar(
        insert(Document)
        .values(id=uuid4(), agency_id=agency_id, kind=kind, version=1, added_at=now, **about)
        .on_conflict_do_nothing()
        .returning(Document)
    )
    if made is not None:
        return made
    same = [getattr(Document, name).is_not_distinct_from(value) for name, value in about.items()]
    query = select(Document).where(Document.agency_id == agency_id, Document.kind == kind, *same)
    document = session.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True)).one()
    document.version += 1
    session.flush()
    return document


def get_document(session: Session, document_id: UUID) -> Document:
    """Return a report that the scope may know of: its own agency's, or one that is granted to its person now.

    :raises DocumentUnknown: when there is none.
    """
    document = session.get(Document, document_id, populate_existing=True)
    if document is None:
        raise DocumentUnknown("There is no such report for you to read.")
    return document


def list_documents_of(session: Session, record_ids: Sequence[UUID]) -> list[Document]:
    """Return the reports about records that the scope may know of, whole groups' before single children's."""
    query = select(Document).where(Document.household_id.in_(record_ids) | Document.sibling_group_id.in_(record_ids))
    return list(session.scalars(query.order_by(Document.kind, Document.child_id.asc().nulls_first(), Document.id)))


def list_versions(session: Session, document: Document) -> list[DocumentVersion]:
    """Return a report's versions that the scope may read, the newest first."""
    query = select(DocumentVersion).where(DocumentVersion.document_id == document.id)
    return list(session.scalars(query.order_by(DocumentVersion.version.desc(), DocumentVersion.id)))


def unseal_version(session: Session, document: Document, *, version: int | None = None) -> bytes | None:
    """Return the PDF of a version, the present one unless another is named; nothing where it is not to be read.

    :raises DocumentShredded: when its key has been destroyed.
    """
    version = document.version if version is None else version
    if not 1 <= version <= document.version:
        return None
    row = session.execute(
        select(DocumentVersion.id, DocumentVersion.sealed_key, DocumentVersion.sealed).where(
            DocumentVersion.document_id == document.id, DocumentVersion.version == version
        )
    ).one_or_none()
    if row is None:
        return None
    if row.sealed_key is None:
        raise DocumentShredded("This version of the report has been destroyed.")
    return unseal_apart(session, row.sealed_key, row.sealed, row_id=row.id)


def shred_version(session: Session, version: DocumentVersion, *, reason: str, now: datetime) -> None:
    """Destroy a version of the scope's own agency's report with its key; the row stays for the record.

    :raises DocumentShredded: when that was done already.
    """
    require(scope_of(session), Verb.KEEP_REPORTS)
    session.refresh(version, with_for_update={"key_share": True})
    if version.shredded_at is not None:
        raise DocumentShredded("This version of the report has been destroyed already.")
    version.sealed_key, version.sealed, version.shredded_at = None, b"", now
    session.flush()
    document = get_document(session, version.document_id)
    words = f"{document.kind.label}, version {version.version}: {reason}"
    _record(session, document, audit.Act.DESTROY, reason=words, now=now)


def _record(session: Session, document: Document, act: audit.Act, *, reason: str, now: datetime) -> None:
    audit.record(
        session,
        act,
        record_kind=document.record_kind,
        record_id=document.record_id,
        owner_agency_id=document.agency_id,
        level=audit.Level.REPORT,
        reason=reason,
        now=now,
    )
