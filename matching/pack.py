"""Packs: what one agency takes to a matching meeting, frozen as a PDF and a spreadsheet.

Each member agency has its own, made with its own rights. The contents are sealed with the agency's key; the office
sees which packs are ready, never what is in another agency's. Somebody who is shut out of a record (``matching.bar``)
has packs of their own, made with their own rights; the agency's are not theirs to open. Some days after its meeting a
pack ends: it can no longer be opened, and its files are destroyed, while the row with its hash stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.meeting import Meeting
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.cipher import seal, unseal
from tenants.consortium import get_consortium
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, NotFound
from tenants.job import request_job

MOST_BYTES = 50 * 1024 * 1024
BUILD_JOB = "pack.build"
BUILD_ALL_JOB = "pack.build_all"


class PackFormat(StrEnum):
    """The files that a pack is made of."""

    PDF = "pdf"
    XLSX = "xlsx"


class Pack(Base):
    """One agency's pack for one meeting, in one version; without ``built_at`` it is still to be made."""

    __tablename__ = "pack"

    id: Mapped[Id]
    meeting_id: Mapped[UUID]
    consortium_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    version: Mapped[int]
    as_of: Mapped[date]
    """The day for which ages and waiting times are reckoned."""
    job_id: Mapped[UUID]
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    built_at: Mapped[datetime | None]
    ranking_run_id: Mapped[UUID | None]
    digest: Mapped[bytes | None]
    """SHA-256 over the digests of its files, in the order of their formats."""
    reader_id: Mapped[UUID | None]
    """Whose alone it is, a person's or a program's, where they are shut out of a record; ``None`` for the agency's."""
    expires_on: Mapped[date]
    """The last day on which it can be opened."""

    def expired(self, on: date) -> bool:
        """Say whether it can no longer be opened on a day."""
        return on > self.expires_on


class PackFile(Base):
    """One file of a pack, sealed."""

    __tablename__ = "pack_file"

    id: Mapped[Id]
    pack_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    format: Mapped[PackFormat] = mapped_column(Word(PackFormat))
    digest: Mapped[bytes]
    """SHA-256 of the file as it is downloaded."""
    size: Mapped[int]
    sealed: Mapped[bytes]


class PackUnknown(NotFound):
    """No such pack is this agency's."""


class PackNotBuilt(Conflict):
    """The pack has not been made yet."""


class PackExpired(Conflict):
    """The pack has come to its end and can no longer be opened."""


class PackNotTheirs(Forbidden):
    """The person is shut out of a record, and the pack was not made for them alone since."""


class PackTooLarge(Conflict):
    """The files of a pack are larger than may be kept."""


def request_pack(session: Session, meeting: Meeting, *, now: datetime, version: int | None = None) -> Pack:
    """Ask for the scope's own agency's pack; the next version when none is named, else that one, once.

    Whoever is shut out of a record gets a version of their own.
    """
    scope = scope_of(session)
    if version is None:
        version = next_version(session, meeting)
    key = f"{meeting.id}:{version}"
    job_id = request_job(
        session, kind=BUILD_JOB, payload={"meeting": str(meeting.id), "version": version}, now=now, key=key
    )
    session.execute(
        insert(Pack)
        .values(
            id=uuid4(),
            meeting_id=meeting.id,
            consortium_id=meeting.consortium_id,
            agency_id=scope.agency_id,
            version=version,
            as_of=now.date(),
            job_id=job_id,
            requested_by=scope.person_id,
            requested_at=now,
            reader_id=_reader(session),
            expires_on=_last_day(session, meeting, now.date()),
        )
        .on_conflict_do_nothing(index_elements=["meeting_id", "version", "agency_id"])
    )
    return get_pack_version(session, meeting.id, version=version, agency_id=scope.agency_id)


def request_all_packs(session: Session, meeting: Meeting, *, now: datetime) -> UUID:
    """Ask, as the office, for every member's pack in the next version; return the job that will ask each."""
    return _request_all(session, meeting, version=next_version(session, meeting), now=now)


def request_first_packs(session: Session, meeting: Meeting, *, now: datetime) -> UUID:
    """Ask, as the office, for every member's first pack: asked twice, it is one job."""
    return _request_all(session, meeting, version=1, now=now)


def _request_all(session: Session, meeting: Meeting, *, version: int, now: datetime) -> UUID:
    return request_job(
        session,
        kind=BUILD_ALL_JOB,
        payload={"meeting": str(meeting.id), "version": version},
        now=now,
        key=f"{meeting.id}:{version}",
    )


def next_version(session: Session, meeting: Meeting) -> int:
    """Return the version after the last that this scope sees."""
    last = session.scalar(select(func.max(Pack.version)).where(Pack.meeting_id == meeting.id))
    return (last or 0) + 1


def is_shut_out(session: Session) -> bool:
    """Say whether the scope's person, or its program, is shut out of any record."""
    return bool(session.scalar(text("SELECT scope_barred_since() IS NOT NULL")))


def _reader(session: Session) -> UUID | None:
    return _asker(session) if is_shut_out(session) else None


def _asker(session: Session) -> UUID | None:
    return scope_of(session).person_id or scope_of(session).client_id


def require_reader(session: Session, pack: Pack) -> None:
    """Let a pack be made whole: not with the rights of somebody who has been shut out of a record since they asked.

    :raises PackNotTheirs: when they have.
    """
    since = session.scalar(text("SELECT scope_barred_since()"))
    if since is not None and (pack.reader_id != _asker(session) or pack.requested_at < since):
        raise PackNotTheirs(
            "Whoever asked for this pack has been shut out of a record since. Somebody else can ask for the agency’s "
            "pack on the meeting’s page."
        )


def _last_day(session: Session, meeting: Meeting, today: date) -> date:
    # A pack that is asked for after its meeting is still to be read for as long.
    days = get_consortium(session, meeting.consortium_id).pack_days
    return max(meeting.held_on, today) + timedelta(days=days)


def get_pack(session: Session, pack_id: UUID) -> Pack:
    """Return a pack of this scope.

    :raises PackUnknown: when there is none, or it is somebody else's alone.
    """
    pack = session.get(Pack, pack_id)
    if pack is None or pack.reader_id not in (None, _asker(session)):
        raise PackUnknown("There is no such pack for your agency.")
    return pack


def get_pack_version(session: Session, meeting_id: UUID, *, version: int, agency_id: UUID | None) -> Pack:
    """Return one agency's pack of a version.

    :raises PackUnknown: when there is none.
    """
    pack = session.scalar(
        select(Pack).where(Pack.meeting_id == meeting_id, Pack.version == version, Pack.agency_id == agency_id)
    )
    if pack is None:
        raise PackUnknown("There is no such pack for your agency.")
    return pack


def list_packs(session: Session, meeting_id: UUID) -> list[Pack]:
    """Return a meeting's packs that this scope may know of, newest version first.

    What was made for one person alone is listed to them, who has no use for the agency's; else the agencies' are.
    """
    reader = _reader(session)
    theirs: ColumnElement[bool] = Pack.reader_id.is_(None)
    if reader is not None:
        own = Pack.agency_id == scope_of(session).agency_id
        theirs = or_(and_(~own, theirs), and_(own, Pack.reader_id == reader))
    query = select(Pack).where(Pack.meeting_id == meeting_id, theirs).order_by(Pack.version.desc(), Pack.agency_id)
    return list(session.scalars(query))


def keep_files(
    session: Session, pack: Pack, *, files: Mapping[PackFormat, bytes], ranking_run_id: UUID | None, now: datetime
) -> None:
    """Seal and keep a pack's files, once.

    :raises PackTooLarge: when a file is over 50 MiB.
    :raises Conflict: when the pack has been made already.
    """
    if pack.built_at is not None:
        raise Conflict("The pack has been made already.")
    whole = hashlib.sha256()
    for kind in PackFormat:
        content = files[kind]
        if len(content) > MOST_BYTES:
            raise PackTooLarge(f"The {kind.upper()} is {len(content) // 2**20} MiB; at most 50 MiB can be kept.")
        digest = hashlib.sha256(content).digest()
        whole.update(digest)
        file_id = uuid4()
        sealed = seal(session, content, agency_id=pack.agency_id, row_id=file_id, now=now)
        session.add(
            PackFile(
                id=file_id,
                pack_id=pack.id,
                agency_id=pack.agency_id,
                format=kind,
                digest=digest,
                size=len(content),
                sealed=sealed,
            )
        )
    pack.built_at = now
    pack.ranking_run_id = ranking_run_id
    pack.digest = whole.digest()
    session.flush()
    audit.record(session, audit.Act.BUILD, record_kind="pack", record_id=pack.id, now=now)


def download(session: Session, pack: Pack, *, kind: PackFormat, now: datetime) -> bytes:
    """Return a file of a pack and put the download on record.

    :raises PackNotBuilt: when it has not been made yet.
    :raises PackExpired: when its days are over.
    :raises PackUnknown: when it is another agency's.
    :raises PackNotTheirs: when the person is shut out of a record, and it was not made for them since.
    """
    if pack.agency_id != scope_of(session).agency_id:
        raise PackUnknown("There is no such pack for your agency.")
    if pack.expired(now.date()):
        raise PackExpired(
            f"This pack could be opened until {pack.expires_on:%d/%m/%Y}, and has been destroyed. Build a new version "
            "from the meeting’s page if you still need one, and destroy the copies that you saved or printed."
        )
    row = session.scalar(select(PackFile).where(PackFile.pack_id == pack.id, PackFile.format == kind))
    if row is None and pack.built_at is not None:
        # The database does not show it to them.
        raise PackNotTheirs(
            "This pack may hold a record that you are shut out of, so it is not yours to open. Ask for a pack of your "
            "own on the meeting’s page: it is the same, without that record."
        )
    if row is None:
        raise PackNotBuilt("The pack is still being made. Wait until it is ready, then download it.")
    audit.record(session, audit.Act.DOWNLOAD, record_kind="pack", record_id=pack.id, level=audit.Level.PROFILE, now=now)
    return unseal(session, row.sealed, row_id=row.id)


def destroy_files(session: Session, pack: Pack, *, now: datetime) -> int:
    """Destroy the files of a pack whose days are over, and put it on record; return how many there were.

    The row stays, with its hash, so that a copy which turns up can be told to be of this pack.

    :raises Conflict: when the pack can still be opened.
    """
    if not pack.expired(now.date()):
        raise Conflict(f"The pack can be opened until {pack.expires_on:%d/%m/%Y}.")
    gone = session.scalars(delete(PackFile).where(PackFile.pack_id == pack.id).returning(PackFile.id)).all()
    if gone:
        audit.record(
            session, audit.Act.REMOVE, record_kind="pack", record_id=pack.id, reason="its days are over", now=now
        )
    return len(gone)
