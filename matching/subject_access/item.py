"""What is held, part by part: each is withheld until a person has looked at it and released it with a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.sealed_words import open_words, own_person, seal_words, tidy
from matching.subject_access.request import SubjectRequest, check_open
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Invalid, NotFound
from tenants.permission import Verb, require

_MADE_BEFORE: Final = text("DELETE FROM subject_export WHERE subject_request_id = :request")
REMOVED: Final = "[removed]"
LEAST_LETTERS: Final = 2


class Decision(StrEnum):
    """What a person decided of one part."""

    RELEASE = "release"
    REDACT = "redact"
    WITHHOLD = "withhold"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"release": "Released", "redact": "Released with words removed", "withhold": "Withheld"}[self]


class SubjectItem(Base):
    """One part of what is held, as it stood when it was gathered."""

    __tablename__ = "subject_item"

    id: Mapped[Id]
    subject_request_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    position: Mapped[int]
    title: Mapped[str]
    adoption_record: Mapped[bool]
    """Adoption records are exempt from access (Data Protection Act 2018, Schedule 4, paragraph 3)."""
    sealed: Mapped[bytes]
    decision: Mapped[Decision | None] = mapped_column(Word(Decision))
    sealed_decision: Mapped[bytes | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Part:
    """What was found: a title and lines of text, and whether it belongs to the adoption record."""

    title: str
    text: str
    adoption_record: bool


@dataclass(frozen=True, slots=True)
class ItemSaid:
    """A part opened: what it holds, what of it would leave, and why."""

    item: SubjectItem
    text: str
    leaves: str | None
    reason: str | None

    @property
    def reviewed(self) -> bool:
        """Say whether it may stand as it is: an adoption record that nobody released is withheld."""
        return self.item.decision is not None or self.item.adoption_record


class ItemUnknown(NotFound):
    """No such part is of this request."""


class RedactionInvalid(Invalid):
    """What is to be removed is not in the text."""


def keep_parts(session: Session, request: SubjectRequest, parts: Sequence[Part], *, now: datetime) -> None:
    """Keep what was found, sealed, in its order."""
    for position, part in enumerate(parts):
        item_id = uuid4()
        session.add(
            SubjectItem(
                id=item_id,
                subject_request_id=request.id,
                agency_id=request.agency_id,
                position=position,
                title=part.title,
                adoption_record=part.adoption_record,
                sealed=seal_words(session, {"text": part.text}, row_id=item_id, now=now),
            )
        )
    session.flush()


def read_items(session: Session, request: SubjectRequest, *, now: datetime) -> list[ItemSaid]:
    """Return what was gathered for a request, opened, in its order, and put the look on record."""
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    audit.record(
        session,
        audit.Act.READ,
        record_kind=request.record_kind.value,
        record_id=request.record_id,
        level=audit.Level.IDENTITY,
        reason="subject access",
        now=now,
    )
    return opened_items(session, request)


def opened_items(session: Session, request: SubjectRequest) -> list[ItemSaid]:
    """Return the parts of a request, opened, in their order; whoever asks has put the look on record."""
    query = select(SubjectItem).where(SubjectItem.subject_request_id == request.id)
    return [_said(session, item) for item in session.scalars(query.order_by(SubjectItem.position, SubjectItem.id))]


def get_item(session: Session, request: SubjectRequest, item_id: UUID) -> SubjectItem:
    """Return a part of a request.

    :raises ItemUnknown: when there is none.
    """
    item = session.get(SubjectItem, item_id)
    if item is None or item.subject_request_id != request.id:
        raise ItemUnknown("There is no such part of this request.")
    return item


def decide_item(
    session: Session,
    request: SubjectRequest,
    item: SubjectItem,
    *,
    decision: Decision,
    reason: str,
    remove: str = "",
    now: datetime,
) -> None:
    """Release a part, withhold it, or release it without some words of others, in one's own name and with a reason.

    Files of the answer that were made before are destroyed: they are to be made anew.

    :param remove: the words to remove, each on a line of its own; every place where they stand is blacked out.
    :raises RequestClosed: when the request is closed.
    :raises RedactionInvalid: when a word is not there, is shorter than two letters, or none is given.
    :raises WordsMissing: when no reason is given.
    """
    require(scope_of(session), Verb.ANSWER_SUBJECTS)
    check_open(session, request)
    said = tidy(reason, what="why")
    text = open_words(session, item.sealed, row_id=item.id)["text"] or ""
    leaves = redacted(text, remove) if decision is Decision.REDACT else text
    words = {"reason": said, "leaves": None if decision is Decision.WITHHOLD else leaves}
    item.sealed_decision = seal_words(session, words, row_id=item.id, now=now)
    item.decision, item.decided_by, item.decided_at = decision, own_person(session), now
    session.flush()
    # An answer that was made already says what is no longer decided: nobody may hand it out.
    session.execute(_MADE_BEFORE, {"request": request.id})
    audit.record(
        session,
        audit.Act.RELEASE if decision is not Decision.WITHHOLD else audit.Act.CHANGE,
        record_kind="subject_request",
        record_id=request.id,
        level=audit.Level.IDENTITY,
        reason=f"part {item.position + 1}: {decision.value}",
        now=now,
    )


def redacted(text: str, remove: str) -> str:
    """Return a text with every place where one of the lines of ``remove`` stands blacked out, whatever the case.

    :raises RedactionInvalid: when one is not there, is shorter than two letters, or none is given.
    """
    words = sorted({line.strip() for line in remove.splitlines() if line.strip()}, key=len, reverse=True)
    if not words:
        raise RedactionInvalid("Enter the words to remove, each on a line of its own.")
    for word in words:
        if len(word) < LEAST_LETTERS:
            raise RedactionInvalid(f"“{word}” is too short to remove: it would black out parts of other words.")
        # Looked for as it will be removed: what is found in another way would be taken for removed, and stay.
        if not re.search(_places(word), text, re.IGNORECASE):
            raise RedactionInvalid(f"“{word}” is not in this part. Enter the words as they stand there.")
    return re.sub("|".join(map(_places, words)), REMOVED, text, flags=re.IGNORECASE)


def _places(word: str) -> str:
    """Return the pattern of a word, also where its parts stand on two lines or apart by another space."""
    return r"\s+".join(map(re.escape, word.split()))


def _said(session: Session, item: SubjectItem) -> ItemSaid:
    text = open_words(session, item.sealed, row_id=item.id)["text"] or ""
    if item.sealed_decision is None:
        return ItemSaid(item, text, leaves=None, reason=None)
    words = open_words(session, item.sealed_decision, row_id=item.id)
    return ItemSaid(item, text, leaves=words["leaves"], reason=words["reason"])
