"""Archives: everything an agency has, taken out in an open format, and the agency's word that it has it.

The archive itself is a file that leaves; what stays is its manifest, and who took it and signed for it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session

from tenants import audit
from tenants.approval import require_another, require_one_side
from tenants.base import Base, Id
from tenants.custody import fingerprint
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require

CHECK_WORD_LETTERS = 12


class AgencyArchive(Base):
    """One archive that was taken out."""

    __tablename__ = "agency_archive"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    taken_by: Mapped[UUID | None]
    """Nobody, where a command took it."""
    taken_at: Mapped[datetime]
    manifest: Mapped[dict[str, Any]]
    """What is in it: each file with its rows, size and SHA-256."""
    check_word: Mapped[str]
    """Stands in the archive's README alone, so that whoever signs has opened it."""
    state: Mapped[bytes]
    """The fingerprint of the agency's records when it was taken."""
    received_by: Mapped[UUID | None]
    received_at: Mapped[datetime | None]


class ArchiveUnknown(NotFound):
    """There is no such archive."""


class ArchiveOutdated(Conflict):
    """The agency's records are no longer what the archive holds."""


class ArchiveSigned(Conflict):
    """The archive is signed for already."""


class CheckWordWrong(Invalid):
    """The check word is not the one in the archive."""


def keep_archive(
    session: Session, archive_id: UUID, *, manifest: dict[str, Any], word: str, state: bytes, now: datetime
) -> None:
    """Keep the manifest of an archive that is being taken out in this transaction, and put it on record.

    :param state: the fingerprint of the agency's records when the first of them was read.
    :raises NotAllowed: when the scope's roles do not let it.
    :raises ArchiveOutdated: when the records have changed since.
    """
    scope = scope_of(session)
    require(scope, Verb.DECIDE_LIFE)
    if fingerprint(session) != state:
        raise ArchiveOutdated("Somebody changed a record while they were being taken out. Take them out again.")
    session.add(
        AgencyArchive(
            id=archive_id,
            agency_id=scope.agency_id,
            taken_by=scope.person_id,
            taken_at=now,
            manifest=manifest,
            check_word=word,
            state=state,
        )
    )
    session.flush()
    audit.record(
        session,
        audit.Act.EXPORT,
        record_kind="agency_archive",
        record_id=archive_id,
        level=audit.Level.REPORT,
        now=now,
    )


def sign_for_archive(session: Session, archive: AgencyArchive, *, word: str, now: datetime) -> None:
    """Sign that an archive was received and its counts agree, as another person than took it out.

    What a command took out needs one person of the agency.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises SamePerson: when it is the person who took it out.
    :raises ArchiveSigned: when somebody has signed.
    :raises CheckWordWrong: when ``word`` is not the one in the archive.
    :raises ArchiveOutdated: when the records have changed since.
    """
    require(scope_of(session), Verb.DECIDE_LIFE)
    query = select(AgencyArchive).where(AgencyArchive.id == archive.id).with_for_update()
    # What is signed for cannot be had for a change any more.
    if session.scalar(query.execution_options(populate_existing=True)) is None:
        raise ArchiveSigned("This archive is signed for already.")
    if archive.taken_by is None:
        person = require_one_side(session, agencies={archive.agency_id}, on=now.date())
    else:
        person = require_another(session, first_person_id=archive.taken_by, on=now.date())
    if word.strip().casefold() != archive.check_word:
        raise CheckWordWrong("That is not the check word in this archive’s README.txt.")
    if fingerprint(session) != archive.state:
        raise ArchiveOutdated(
            "Your agency’s records have changed since. Take them out again, and sign for that archive."
        )
    archive.received_by, archive.received_at = person, now
    session.flush()
    audit.record(session, audit.Act.SIGN, record_kind="agency_archive", record_id=archive.id, now=now)


def get_archive(session: Session, archive_id: UUID) -> AgencyArchive:
    """Return an archive of the scope's own agency.

    :raises ArchiveUnknown: when there is none.
    """
    found = session.get(AgencyArchive, archive_id)
    if found is None:
        raise ArchiveUnknown("Your agency has no such archive.")
    return found


def list_archives(session: Session) -> list[AgencyArchive]:
    """Return the archives of the scope's own agency, newest first."""
    query = select(AgencyArchive).order_by(AgencyArchive.taken_at.desc(), AgencyArchive.id)
    return list(session.scalars(query))
