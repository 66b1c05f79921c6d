"""A file of bank lines that an agency handed in, kept sealed, with what became of it in sum."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, func, select
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.remittance.bank_file import MOST_BYTES, FileFormat, UnreadableRemittance
from matching.sealed_words import own_agency
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.cipher import seal, unseal
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.job import request_job
from tenants.permission import Verb, require

REMITTANCE_JOB: Final = "remittance"
"""The kind of job that reads a file; its payload names it as ``remittance_id``."""
RECORD_KIND: Final = "remittance"
_LONGEST_NAME: Final = 200


class Purpose(StrEnum):
    """Whose lines a file has: what the agency was paid, or what it says that it has paid."""

    RECEIPTS = "receipts"
    ADVICE = "advice"

    @property
    def label(self) -> str:
        """Return it in words."""
        return {"receipts": "What we were paid", "advice": "What we have paid"}[self.value]


class RemittanceState(StrEnum):
    """How far the reading of a file is."""

    READING = "reading"
    ASKING = "asking"
    REFUSED = "refused"
    TAKEN = "taken"
    TAKEN_BACK = "taken_back"

    @property
    def label(self) -> str:
        """Return it in words."""
        return {
            "reading": "Being read",
            "asking": "Waits for somebody to say what its columns hold",
            "refused": "Refused whole",
            "taken": "Taken",
            "taken_back": "Taken back",
        }[self.value]


class Remittance(Base):
    """One file: of its lines, those known from an earlier file, the credits and the debits make all."""

    __tablename__ = "remittance"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    purpose: Mapped[Purpose] = mapped_column(Word(Purpose))
    format: Mapped[FileFormat | None] = mapped_column(Word(FileFormat))
    filename: Mapped[str]
    sha256: Mapped[bytes]
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    """The file as it came. Read only when it is taken: it may be 20 MB."""
    signature: Mapped[bytes | None]
    """The headings of a CSV file, as a SHA-256."""
    job_id: Mapped[UUID]
    state: Mapped[RemittanceState] = mapped_column(Word(RemittanceState))
    refusal: Mapped[str | None]
    notes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    """What the reader had to assume; nothing of it quotes the file."""
    line_count: Mapped[int]
    known_count: Mapped[int]
    """Lines that an earlier file had already: nothing is taken twice."""
    known_lines: Mapped[list[UUID]] = mapped_column(ARRAY(SqlUuid), deferred=True, default=list)
    """Which those are: they stay as long as one of the files that have them does."""
    credit_count: Mapped[int]
    credit_pence: Mapped[int] = mapped_column(BigInteger)
    debit_count: Mapped[int]
    debit_pence: Mapped[int] = mapped_column(BigInteger)
    imported_at: Mapped[datetime]
    imported_by: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
    taken_back_by: Mapped[UUID | None]
    taken_back_name: Mapped[str | None]
    """Of whom took it back; a command is nobody."""
    sealed_reason: Mapped[bytes | None]


class RemittanceUnknown(NotFound):
    """No such file is this agency's."""


def request_remittance(
    session: Session, *, purpose: Purpose, filename: str, content: bytes, now: datetime
) -> Remittance:
    """Keep a file, sealed, and ask for it to be read; the very same file again is the first one, and changes nothing.

    One that was refused is tried again, for what it failed on may have been mended since; one that was taken back is a
    new one.

    :raises NotAllowed: when the scope's roles do not include keeping fees.
    :raises UnreadableRemittance: when it is empty or too large to keep.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    agency_id = own_agency(session)
    if not content or len(content) > MOST_BYTES:
        raise UnreadableRemittance(f"The file is empty or larger than {MOST_BYTES // 2**20} MB. Nothing was taken.")
    digest = hashlib.sha256(content).digest()
    lock_remittances(session, agency_id)
    known = session.scalar(
        select(Remittance).where(
            Remittance.agency_id == agency_id,
            Remittance.purpose == purpose,
            Remittance.sha256 == digest,
            Remittance.state != RemittanceState.TAKEN_BACK,
        )
    )
    if known is not None:
        return read_again(session, known, now=now) if known.state is RemittanceState.REFUSED else known
    row_id = uuid4()
    remittance = Remittance(
        id=row_id,
        agency_id=agency_id,
        purpose=purpose,
        filename=_tidy_name(filename),
        sha256=digest,
        sealed=seal(session, content, agency_id=agency_id, row_id=row_id, now=now),
        job_id=_ask(session, row_id, now=now),
        state=RemittanceState.READING,
        notes=[],
        line_count=0,
        known_count=0,
        credit_count=0,
        credit_pence=0,
        debit_count=0,
        debit_pence=0,
        imported_at=now,
        imported_by=scope_of(session).person_id,
    )
    session.add(remittance)
    session.flush()
    return remittance


def read_again(session: Session, remittance: Remittance, *, now: datetime) -> Remittance:
    """Ask for a file that was not taken to be read again; one that is being read is left to that."""
    require(scope_of(session), Verb.KEEP_FEES)
    if remittance.state not in (RemittanceState.ASKING, RemittanceState.REFUSED):
        return remittance
    remittance.job_id = _ask(session, remittance.id, now=now)
    remittance.state, remittance.refusal, remittance.finished_at = RemittanceState.READING, None, None
    session.flush()
    return remittance


def get_remittance(session: Session, remittance_id: UUID) -> Remittance:
    """Return a file of the scope's agency as it stands now.

    :raises RemittanceUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    query = select(Remittance).where(Remittance.id == remittance_id).execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise RemittanceUnknown("There is no such file in your agency.")
    return found


def list_remittances(session: Session, *, limit: int = 100) -> list[Remittance]:
    """Return the scope's agency's files, newest first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(Remittance).order_by(Remittance.imported_at.desc(), Remittance.id).limit(limit)
    return list(session.scalars(query))


def count_asking(session: Session) -> int:
    """Return how many files of the scope's agency wait for somebody to say what their columns hold."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(func.count()).select_from(Remittance).where(Remittance.state == RemittanceState.ASKING)
    return session.scalar(query) or 0


def open_content(session: Session, remittance: Remittance) -> bytes:
    """Return the file as it was handed in."""
    sealed = session.scalars(select(Remittance.sealed).where(Remittance.id == remittance.id)).one()
    return unseal(session, sealed, row_id=remittance.id)


def record_look(session: Session, remittance: Remittance, *, now: datetime) -> None:
    """Put on record that somebody looked at a file's lines: they name who paid."""
    audit.record(
        session, audit.Act.READ, record_kind=RECORD_KIND, record_id=remittance.id, level=audit.Level.IDENTITY, now=now
    )


def lock_remittances(session: Session, agency_id: UUID) -> None:
    """Wait until nobody else takes or settles lines of the agency, and keep it so until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"remittances {agency_id}", 0))))


def _ask(session: Session, row_id: UUID, *, now: datetime) -> UUID:
    payload = {"remittance_id": str(row_id)}
    return request_job(session, kind=REMITTANCE_JOB, payload=payload, now=now, urgent=True)


def _tidy_name(filename: str) -> str:
    name = PurePath(filename.replace("\\", "/")).name
    return "".join(character for character in name if character.isprintable())[-_LONGEST_NAME:] or "file"
