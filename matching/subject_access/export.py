"""The answer to a request for access: what was released, as a PDF and as JSON, sealed, for a limited time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.sealed_words import own_agency
from matching.subject_access.item import ItemSaid, opened_items
from matching.subject_access.request import SubjectRequest, check_open
from tenants import audit
from tenants.agency import get_agency
from tenants.base import Base, Id, Word
from tenants.cipher import seal, unseal
from tenants.database import scope_of
from tenants.error import Conflict, NotFound
from tenants.job import JobState, get_job, request_job, retry_job
from tenants.permission import Verb, require

EXPORT_JOB: Final = "subject_export"
"""The kind of job that makes the files of an answer; its payload names the request as ``subject_request_id``."""
OPEN_DAYS: Final = 28
"""For how many days an answer can be downloaded before its files are destroyed."""


class FileFormat(StrEnum):
    """The files that an answer is made of."""

    PDF = "pdf"
    JSON = "json"


class SubjectExport(Base):
    """One file of an answer, sealed."""

    __tablename__ = "subject_export"

    id: Mapped[Id]
    subject_request_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    format: Mapped[FileFormat] = mapped_column(Word(FileFormat))
    digest: Mapped[bytes]
    size: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    made_at: Mapped[datetime]
    expires_on: Mapped[date]


class NotReviewed(Conflict):
    """Somebody has yet to look at a part of what was gathered."""


class NoAnswer(NotFound):
    """There is no such file, or it has been destroyed."""


def request_export(session: Session, request: SubjectRequest, *, now: datetime) -> UUID:
    """Ask for the files of an answer as a job and return the job's id; asked again, they are made anew.

    :raises NotReviewed: when nothing was gathered, or a part that is no adoption record was not decided on.
    :raises RequestClosed: when the request is closed.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    check_open(session, request)
    _check_reviewed(opened_items(session, request))
    payload = {"subject_request_id": str(request.id)}
    job_id = request_job(session, kind=EXPORT_JOB, payload=payload, now=now, key=f"{request.id}:{now:%Y%m%d%H%M%S%f}")
    job = get_job(session, job_id)
    if job.state in {JobState.FAILED, JobState.CANCELLED}:
        retry_job(session, job, now=now)
    return job_id


def answer_of(session: Session, request: SubjectRequest, *, now: datetime) -> dict[str, Any]:
    """Return what leaves: each part that was released, and how many were withheld; nothing of what was not released.

    :raises NotReviewed: when a part that is no adoption record was not decided on.
    """
    items = opened_items(session, request)
    _check_reviewed(items)
    return {
        "title": "What we hold about you",
        "agency": get_agency(session, own_agency(session)).name,
        "request": str(request.id),
        "received_on": request.received_on.isoformat(),
        "made_on": now.date().isoformat(),
        "parts": [{"title": said.item.title, "text": said.leaves} for said in items if said.leaves is not None],
        "withheld": sum(said.leaves is None for said in items),
    }


def as_json(answer: Mapping[str, Any]) -> bytes:
    """Return an answer as a JSON file."""
    return json.dumps(answer, indent=2, ensure_ascii=False).encode()


def keep_export(session: Session, request: SubjectRequest, *, files: Mapping[FileFormat, bytes], now: datetime) -> None:
    """Seal and keep the files of an answer in the place of those made before."""
    session.execute(delete(SubjectExport).where(SubjectExport.subject_request_id == request.id))
    for kind in FileFormat:
        file_id = uuid4()
        session.add(
            SubjectExport(
                id=file_id,
                subject_request_id=request.id,
                agency_id=request.agency_id,
                format=kind,
                digest=hashlib.sha256(files[kind]).digest(),
                size=len(files[kind]),
                sealed=seal(session, files[kind], agency_id=request.agency_id, row_id=file_id, now=now),
                made_at=now,
                expires_on=now.date() + timedelta(days=OPEN_DAYS),
            )
        )
    session.flush()
    audit.record(
        session,
        audit.Act.BUILD,
        record_kind="subject_request",
        record_id=request.id,
        level=audit.Level.IDENTITY,
        now=now,
    )


def list_exports(session: Session, request: SubjectRequest, *, on: date) -> list[SubjectExport]:
    """Return the files of an answer that can be downloaded on a day."""
    query = select(SubjectExport).where(SubjectExport.subject_request_id == request.id, SubjectExport.expires_on >= on)
    return list(session.scalars(query.order_by(SubjectExport.format, SubjectExport.id)))


def download_export(session: Session, request: SubjectRequest, kind: FileFormat, *, now: datetime) -> bytes:
    """Return a file of an answer, and put the download on record.

    :raises NoAnswer: when it is not made yet, or its days are over.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    found = [each for each in list_exports(session, request, on=now.date()) if each.format is kind]
    if not found:
        raise NoAnswer("There is no such file, or its days are over and it was destroyed. Make the answer again.")
    sealed = session.scalars(select(SubjectExport.sealed).where(SubjectExport.id == found[0].id)).one()
    audit.record(
        session,
        audit.Act.DOWNLOAD,
        record_kind=request.record_kind.value,
        record_id=request.record_id,
        level=audit.Level.IDENTITY,
        reason="subject access",
        now=now,
    )
    return unseal(session, sealed, row_id=found[0].id)


def destroy_exports(session: Session, request: SubjectRequest, *, now: datetime) -> int:
    """Destroy the files of an answer whose days are over, and put it on record; return how many there were."""
    over = delete(SubjectExport).where(
        SubjectExport.subject_request_id == request.id, SubjectExport.expires_on < now.date()
    )
    gone = session.scalars(over.returning(SubjectExport.id)).all()
    if gone:
        audit.record(
            session,
            audit.Act.REMOVE,
            record_kind="subject_request",
            record_id=request.id,
            reason="its days are over",
            now=now,
        )
    return len(gone)


def _check_reviewed(items: list[ItemSaid]) -> None:
    waiting = sum(not said.reviewed for said in items)
    if waiting or not items:
        raise NotReviewed(
            f"{waiting} parts have not been looked at. Release or withhold each of them first."
            if waiting
            else "Nothing has been gathered yet. Gather what is held first."
        )
