"""Papers and their versions: what was drawn up when, to the letter, and what has changed in it since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.papers.agreement import sharing_agreement
from matching.papers.assessment import assessment
from matching.papers.controllers import controllers_map
from matching.papers.draft import changes_between, digest_of
from matching.papers.facts import Facts, facts_of
from matching.papers.notice import notice_for_adopters, notice_for_families, notice_for_staff
from matching.papers.turn import take_turn
from matching.sealed_words import own_agency, own_person
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, NotFound
from tenants.permission import Verb, require


class PaperKind(StrEnum):
    """Which paper it is."""

    MAP = "map"
    AGREEMENT = "agreement"
    ASSESSMENT = "assessment"
    ADOPTERS = "adopters"
    FAMILIES = "families"
    STAFF = "staff"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _LABELS[self]

    @property
    def signed(self) -> bool:
        """Say whether people sign it."""
        return self in {PaperKind.AGREEMENT, PaperKind.ASSESSMENT}


_LABELS = {
    PaperKind.MAP: "Controllers’ map",
    PaperKind.AGREEMENT: "Information-sharing agreement",
    PaperKind.ASSESSMENT: "Data-protection impact assessment",
    PaperKind.ADOPTERS: "Privacy notice for adopters",
    PaperKind.FAMILIES: "Privacy notice for children and birth families",
    PaperKind.STAFF: "Privacy notice for staff",
}
_WRITERS: dict[PaperKind, Callable[[Facts], dict[str, Any]]] = {
    PaperKind.MAP: controllers_map,
    PaperKind.AGREEMENT: sharing_agreement,
    PaperKind.ASSESSMENT: assessment,
    PaperKind.ADOPTERS: notice_for_adopters,
    PaperKind.FAMILIES: notice_for_families,
    PaperKind.STAFF: notice_for_staff,
}


class Paper(Base):
    """One version of a paper, as it was drawn up; never changed."""

    __tablename__ = "paper"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    consortium_id: Mapped[UUID | None]
    kind: Mapped[PaperKind] = mapped_column(Word(PaperKind))
    number: Mapped[int]
    digest: Mapped[bytes]
    """SHA-256 of the content, written as JSON with its keys in order."""
    content: Mapped[dict[str, Any]]
    drawn_by: Mapped[UUID]
    drawn_at: Mapped[datetime]

    @property
    def whole(self) -> bool:
        """Say whether the content is still what the digest stands for."""
        return digest_of(self.content) == self.digest


class PaperUnknown(NotFound):
    """The agency has no such paper, or no such version of it."""


class PaperUnchanged(Conflict):
    """The last version says the same."""


class NotYoursToDraw(Forbidden):
    """The consortium’s office draws up what all members sign."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a version says and the configuration no longer does, and the other way round, by section."""

    gone: tuple[tuple[str, str], ...]
    come: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        """Say whether anything changed."""
        return bool(self.gone or self.come)


def kinds_of(facts: Facts) -> list[PaperKind]:
    """Return which papers an agency has: the office what is the consortium’s, an agency in none no agreement."""
    if facts.is_office:
        return [PaperKind.MAP, PaperKind.AGREEMENT]
    return [kind for kind in PaperKind if kind is not PaperKind.AGREEMENT or facts.consortium is not None]


def write_paper(session: Session, kind: PaperKind, *, on: date) -> dict[str, Any]:
    """Return the content of a paper of the scope’s own agency as the configuration stands.

    :raises NotAllowed: when the scope’s roles do not let it.
    :raises PaperUnknown: when the agency has no such paper.
    """
    require(scope_of(session), Verb.READ_PAPERS)
    facts = facts_of(session, on=on)
    if kind not in kinds_of(facts):
        raise PaperUnknown("Your agency has no such paper.")
    return _WRITERS[kind](facts)


def may_draw(session: Session, kind: PaperKind, *, on: date) -> bool:
    """Say whether it is the scope’s own agency that draws the paper up."""
    facts = facts_of(session, on=on)
    return kind is not PaperKind.AGREEMENT or facts.office is None or facts.is_office


def draw_up(session: Session, kind: PaperKind, *, now: datetime) -> Paper:
    """Keep the paper as it stands as its next version.

    :raises NotAllowed: when the scope’s roles do not let it.
    :raises PaperUnknown: when the agency has no such paper.
    :raises NotYoursToDraw: when it is the office’s to draw up.
    :raises PaperUnchanged: when the last version says the same.
    """
    require(scope_of(session), Verb.KEEP_PAPERS)
    content = write_paper(session, kind, on=now.date())
    if not may_draw(session, kind, on=now.date()):
        raise NotYoursToDraw("Your consortium’s office draws this up. Ask its coordinator.")
    take_turn(session)
    last = next(iter(list_versions(session, kind)), None)
    if last is not None and last.digest == digest_of(content):
        raise PaperUnchanged("The last version says the same: nothing has changed since.")
    paper = Paper(
        id=uuid4(),
        agency_id=own_agency(session),
        consortium_id=scope_of(session).consortium_id,
        kind=kind,
        number=last.number + 1 if last else 1,
        digest=digest_of(content),
        content=content,
        drawn_by=own_person(session),
        drawn_at=now,
    )
    session.add(paper)
    session.flush()
    audit.record(session, audit.Act.ADD, record_kind="paper", record_id=paper.id, reason=kind.value, now=now)
    return paper


def list_versions(session: Session, kind: PaperKind) -> list[Paper]:
    """Return the versions of a paper of the scope’s agency in its consortium, newest first.

    An agreement’s are the consortium’s, whoever drew them up.
    """
    here = scope_of(session).consortium_id
    query = select(Paper).where(Paper.kind == kind, Paper.consortium_id.is_not_distinct_from(here))
    if kind is not PaperKind.AGREEMENT:
        query = query.where(Paper.agency_id == own_agency(session))
    return list(session.scalars(query.order_by(Paper.number.desc(), Paper.id)))


def get_version(session: Session, paper_id: UUID) -> Paper:
    """Return a version that the scope may read, of its present consortium.

    :raises NotAllowed: when the scope’s roles do not let it.
    :raises PaperUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_PAPERS)
    paper = session.get(Paper, paper_id)
    if paper is None or paper.consortium_id != scope_of(session).consortium_id:
        raise PaperUnknown("There is no such version of a paper.")
    return paper


def changes_since(session: Session, paper: Paper, *, on: date) -> Changes:
    """Return how the configuration has changed what a paper would say since a version was drawn up."""
    gone, come = changes_between(paper.content, write_paper(session, paper.kind, on=on))
    return Changes(tuple(gone), tuple(come))


def record_download(session: Session, paper: Paper, *, now: datetime) -> None:
    """Put on record that a version was taken away as a file."""
    kind = paper.kind.value
    audit.record(session, audit.Act.DOWNLOAD, record_kind="paper", record_id=paper.id, reason=kind, now=now)
