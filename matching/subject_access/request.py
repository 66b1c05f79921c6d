"""Requests for access: who asks about which record, how their identity was checked, and when the answer is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household
from matching.retention.hold import own_record
from matching.retention.rule import months_after
from matching.sealed_words import open_words, own_agency, own_person, seal_words, tidy
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require

MOST_EXTRA_MONTHS: Final = 2
"""Two further months where a request is complex (UK GDPR Article 12(3))."""


class SubjectKind(StrEnum):
    """What a request is about."""

    HOUSEHOLD = "household"
    SIBLING_GROUP = "sibling_group"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"household": "Household", "sibling_group": "Sibling group"}[self]


class SubjectRequest(Base):
    """One request; without ``closed_at`` it is open."""

    __tablename__ = "subject_request"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    record_kind: Mapped[SubjectKind] = mapped_column(Word(SubjectKind))
    record_id: Mapped[UUID]
    code: Mapped[str]
    sealed: Mapped[bytes]
    received_on: Mapped[date]
    due_on: Mapped[date]
    opened_by: Mapped[UUID]
    opened_at: Mapped[datetime]
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class RequestSaid:
    """A request with what was written of it opened."""

    request: SubjectRequest
    asker: str
    identity: str
    extension: str | None


class RequestUnknown(NotFound):
    """No such request is this agency's."""


class RequestInvalid(Invalid):
    """The request cannot have come on that day, or be put off so long."""


class RequestClosed(Conflict):
    """The request is closed."""


def open_request(
    session: Session, reference: str, *, asker: str, identity: str, received_on: date, now: datetime
) -> SubjectRequest:
    """Open a request about one's own agency's record, by its code or own reference; the answer is due in one month.

    :raises NotAllowed: when the scope's roles do not answer such requests.
    :raises RecordUnknown: when the agency has no such record.
    :raises RequestInvalid: when it came after today, or more than a year ago.
    :raises WordsMissing: when who asks or how that was checked is left blank.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    record = own_record(session, reference)
    if received_on > now.date() or (now.date() - received_on).days > 366:
        raise RequestInvalid("Enter the day on which it came: not after today, and within the last year.")
    words = {
        "asker": tidy(asker, what="who asks"),
        "identity": tidy(identity, what="how their identity was checked"),
        "extension": None,
    }
    request_id = uuid4()
    request = SubjectRequest(
        id=request_id,
        agency_id=own_agency(session),
        record_kind=SubjectKind.HOUSEHOLD if isinstance(record, Household) else SubjectKind.SIBLING_GROUP,
        record_id=record.id,
        code=record.code,
        sealed=seal_words(session, words, row_id=request_id, now=now),
        received_on=received_on,
        due_on=months_after(received_on, 1),
        opened_by=own_person(session),
        opened_at=now,
    )
    session.add(request)
    session.flush()
    _record(session, audit.Act.REQUEST, request, now=now)
    return request


def extend_request(session: Session, request: SubjectRequest, *, reason: str, now: datetime) -> None:
    """Put the answer off by two further months, once, because the request is complex (UK GDPR Article 12(3)).

    :raises RequestInvalid: when it was put off already.
    :raises RequestClosed: when it is closed.
    :raises WordsMissing: when no reason is given.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    check_open(session, request)
    said = open_words(session, request.sealed, row_id=request.id)
    if said["extension"] is not None:
        raise RequestInvalid("The answer was put off already: three months from the request is the longest.")
    words = {**said, "extension": tidy(reason, what="why it takes longer")}
    request.sealed = seal_words(session, words, row_id=request.id, now=now)
    request.due_on = months_after(request.received_on, 1 + MOST_EXTRA_MONTHS)
    session.flush()
    _record(session, audit.Act.CHANGE, request, now=now)


def close_request(session: Session, request: SubjectRequest, *, now: datetime) -> None:
    """Close a request: it was answered.

    :raises RequestClosed: when it is closed already.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    check_open(session, request)
    request.closed_by, request.closed_at = own_person(session), now
    session.flush()
    _record(session, audit.Act.CHANGE, request, now=now)


def get_request(session: Session, request_id: UUID) -> SubjectRequest:
    """Return a request of the scope's own agency.

    :raises RequestUnknown: when there is none.
    """
    request = session.get(SubjectRequest, request_id)
    if request is None:
        raise RequestUnknown("There is no such request in your agency.")
    return request


def read_request(session: Session, request: SubjectRequest, *, now: datetime) -> RequestSaid:
    """Return a request with who asks and how that was checked, and put the look on record."""
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    _record(session, audit.Act.READ, request, now=now)
    said = open_words(session, request.sealed, row_id=request.id)
    return RequestSaid(request, said["asker"] or "", said["identity"] or "", said["extension"])


def list_requests(session: Session, *, limit: int = 100) -> list[SubjectRequest]:
    """Return the agency's requests: the open ones first, the next due first, then the closed, newest first."""
    query = select(SubjectRequest).order_by(
        SubjectRequest.closed_at.desc().nulls_first(), SubjectRequest.due_on, SubjectRequest.id
    )
    return list(session.scalars(query.limit(limit)))


def check_open(session: Session, request: SubjectRequest) -> None:
    """Let an open request pass.

    :raises RequestClosed: when it is closed.
    """
    session.refresh(request)
    if request.closed_at is not None:
        raise RequestClosed("The request is closed. Open a new one.")


def _record(session: Session, act: audit.Act, request: SubjectRequest, *, now: datetime) -> None:
    audit.record(session, act, record_kind="subject_request", record_id=request.id, level=audit.Level.IDENTITY, now=now)
