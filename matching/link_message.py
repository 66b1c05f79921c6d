"""What the two sides of a link say to each other: messages that both read, with files and people named in them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting
from matching.link import RECORD_KIND, Link, LinkInvalid, get_link
from matching.link_file import CheckedFile, FileKind
from matching.link_note import add_note
from matching.sealed_words import own_agency, tidy
from matching.sealing.record import require_unsealed
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.own_key import seal_apart, unseal_apart
from tenants.permission import Verb, require

MOST_NAMED = 20
MOST_ASKED = 50
_LONGEST_NAME = 100
_READERS = text("SELECT * FROM link_readers(:link_id) ORDER BY person_name, person_id, agency_id")
_MENTION = text("SELECT mention_in(:message_id, :person_id)")


class LinkMessage(Base):
    """One message, sealed under a key of its own, so that both sides open it."""

    __tablename__ = "link_message"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    person_name: Mapped[str]
    at: Mapped[datetime]
    sealed_key: Mapped[bytes]
    sealed: Mapped[bytes]


class LinkFile(Base):
    """The file of a message, which has the message's id."""

    __tablename__ = "link_file"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    kind: Mapped[FileKind] = mapped_column(Word(FileKind))
    sealed_key: Mapped[bytes] = mapped_column(deferred=True)
    sealed: Mapped[bytes] = mapped_column(deferred=True)


class FileUnknown(NotFound):
    """No such file goes with a message of this link."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read a link."""

    person_id: UUID
    name: str
    agency_id: UUID


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is read; ``file`` is the name of the file that goes with it."""

    id: UUID
    at: datetime
    person_name: str
    agency_id: UUID
    words: str
    named: tuple[str, ...]
    file: str | None


def list_readers(session: Session, link: Link) -> list[Reader]:
    """Return the people of both sides who may read a link, by their names; none who is shut out of it."""
    rows = session.execute(_READERS, {"link_id": link.id})
    return [Reader(row.person_id, row.person_name, row.agency_id) for row in rows]


def send_message(
    session: Session,
    link: Link,
    *,
    words: str,
    now: datetime,
    named: Collection[UUID] = (),
    file: CheckedFile | None = None,
    file_name: str = "",
) -> UUID:
    """Say something on a link to both sides, name people in it, and return the message's id.

    Whoever follows the link is given notice of it, and whoever is named is told so.

    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises WordsMissing: when it says nothing.
    :raises LinkInvalid: when somebody is named who may not read the link, or very many are.
    :raises BeingSealed: when the adoption is being sealed.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    require_unsealed(session, link.id)
    said, actor, message_id = tidy(words, what="what you want to tell"), acting(session), uuid4()
    people = _named(session, link, named)
    called = _file_name(file_name, file.kind) if file else None
    plain = {"words": said, "named": [each.name for each in people], "file": called}
    key, sealed = seal_apart(session, json.dumps(plain).encode(), row_id=message_id)
    row = {
        "id": message_id,
        "link_id": link.id,
        "group_agency_id": link.group_agency_id,
        "household_agency_id": link.household_agency_id,
        "agency_id": own_agency(session),
    }
    writer = {"person_id": actor.person_id, "person_name": actor.name, "at": now}
    session.add(LinkMessage(**row, **writer, sealed_key=key, sealed=sealed))
    session.flush()
    if file is not None:
        key, sealed = seal_apart(session, file.content, row_id=message_id)
        session.add(LinkFile(**row, kind=file.kind, sealed_key=key, sealed=sealed))
        session.flush()
    for each in people:
        session.execute(_MENTION, {"message_id": message_id, "person_id": each.person_id})
    _record(session, link, audit.Act.ADD, "message with a file" if file else "message", now=now)
    return message_id


def read_messages(session: Session, link: Link, *, now: datetime) -> list[Message]:
    """Return what was said on a link, in order, and put it on record that it was read."""
    require(scope_of(session), Verb.READ_LINKS)
    query = select(LinkMessage).where(LinkMessage.link_id == link.id).order_by(LinkMessage.at, LinkMessage.id)
    found = [_opened(session, row) for row in session.scalars(query)]
    if found:
        _record(session, link, audit.Act.READ, "messages", now=now)
    return found


def open_file(session: Session, link_id: UUID, file_id: UUID, *, now: datetime) -> tuple[str, FileKind, bytes]:
    """Return the name, the kind and the content of a message's file, and put it on record that it was opened.

    :raises LinkUnknown: when the scope's agency has no such link; FileUnknown when no such file goes with it.
    """
    require(scope_of(session), Verb.READ_LINKS)
    link = get_link(session, link_id)
    query = select(LinkFile.kind, LinkFile.sealed_key, LinkFile.sealed)
    row = session.execute(query.where(LinkFile.id == file_id, LinkFile.link_id == link.id)).one_or_none()
    message = session.get(LinkMessage, file_id)
    if row is None or message is None:
        raise FileUnknown("There is no such file on this link.")
    _record(session, link, audit.Act.DOWNLOAD, "file of a message", now=now)
    content = unseal_apart(session, row.sealed_key, row.sealed, row_id=file_id)
    return _opened(session, message).file or f"file.{row.kind}", row.kind, content


def ask_each(session: Session, links: Sequence[Link], *, words: str, reason: str, now: datetime) -> int:
    """Ask the other side the same on each of several links, a message in each thread, and return how many.

    Why stays with one's own side, as a note on each.

    :raises LinkInvalid: when no link is chosen, very many are, or one of them has come to its end.
    """
    if not 0 < len(links) <= MOST_ASKED:
        raise LinkInvalid(f"Select at least one link, and at most {MOST_ASKED}.")
    if any(not link.open for link in links):
        raise LinkInvalid("One of the links has come to its end since. Choose again.")
    for link in links:
        send_message(session, link, words=words, now=now)
        add_note(session, link, words=f"Chased: {reason}", now=now)
        # The side's own too: the other is asked on this link, and not told that it is one of many.
        reason = "chased with others"
        audit.record(session, audit.Act.REQUEST, record_kind=RECORD_KIND, record_id=link.id, reason=reason, now=now)
    return len(links)


def _named(session: Session, link: Link, wanted: Collection[UUID]) -> list[Reader]:
    if len(wanted) > MOST_NAMED:
        raise LinkInvalid(f"Name at most {MOST_NAMED} people in one message.")
    # Who works for both sides is one person.
    readers = {each.person_id: each for each in list_readers(session, link)} if wanted else {}
    if not readers.keys() >= set(wanted):
        raise LinkInvalid("Somebody whom you named may not read this link any more. Choose again.")
    return [each for each in readers.values() if each.person_id in wanted]


def _file_name(said: str, kind: FileKind) -> str:
    """Return what a file may be called wherever it is kept: letters, digits, and its own ending."""
    stem = said.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or said
    kept = "".join(each if each.isalnum() or each in " -_" else "-" for each in stem).strip(" -")
    return f"{kept[:_LONGEST_NAME] or 'file'}.{kind}"


def _opened(session: Session, row: LinkMessage) -> Message:
    said = json.loads(unseal_apart(session, row.sealed_key, row.sealed, row_id=row.id))
    named = tuple(said["named"])
    return Message(row.id, row.at, row.person_name, row.agency_id, said["words"], named, said["file"])


def _record(session: Session, link: Link, act: audit.Act, what: str, *, now: datetime) -> None:
    audit.record(
        session,
        act,
        record_kind=RECORD_KIND,
        record_id=link.id,
        owner_agency_id=link.other_agency_id(scope_of(session).agency_id),
        reason=what,
        now=now,
    )
