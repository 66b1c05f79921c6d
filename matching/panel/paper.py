"""The papers of a match before panel: reports as they were put before it, minutes, and advice in the adviser's words.

Each agency puts its own reports there, by version, so that all read the same. What is written is sealed under a key of
its own and never changed: a newer paper goes beside. (Adoption Agencies Regulations 2005, regulations 31 to 33.)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.document import ReportKind, list_documents_of
from matching.document_check import CheckedPdf
from matching.link import RECORD_KIND, Link, NotYourStep, get_link
from matching.panel.reader import (
    PanelReader,
    PanelRole,
    ReaderUnknown,
    open_panels,
    require_childrens_agency,
    require_prepared,
)
from matching.sealed_words import tidy
from tenants import audit
from tenants.approval import require_one_side
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.own_key import seal_apart
from tenants.permission import Verb, require


class PaperKind(StrEnum):
    """What a paper is, in the order in which papers are read."""

    PAR = "par"
    CPR = "cpr"
    PLACEMENT_REPORT = "placement_report"
    CHECK = "check"
    MEDICAL = "medical"
    LEGAL = "legal"
    MINUTES = "minutes"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _LABELS[self]


_LABELS = {
    PaperKind.PAR: "Prospective adopter report",
    PaperKind.CPR: "Child permanence report",
    PaperKind.PLACEMENT_REPORT: "Adoption placement report",
    PaperKind.CHECK: "Panel adviser’s check",
    PaperKind.MEDICAL: "Medical adviser’s advice",
    PaperKind.LEGAL: "Legal adviser’s advice",
    PaperKind.MINUTES: "Panel’s minutes",
}


class Finding(StrEnum):
    """What minutes recommend, or a check finds, in a word; the reasons stand beside."""

    RECOMMENDED = "recommended"
    NOT_RECOMMENDED = "not_recommended"
    NO_RECOMMENDATION = "no_recommendation"
    READY = "ready"
    MISSING = "missing"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "recommended": "The panel recommends the match",
            "not_recommended": "The panel does not recommend the match",
            "no_recommendation": "The panel made no recommendation",
            "ready": "Ready for panel",
            "missing": "Something is missing",
        }[self]


ADVICE = {
    PanelRole.PANEL_ADVISER: PaperKind.CHECK,
    PanelRole.MEDICAL_ADVISER: PaperKind.MEDICAL,
    PanelRole.LEGAL_ADVISER: PaperKind.LEGAL,
}
"""What each adviser writes."""
FINDINGS = {
    PaperKind.MINUTES: (Finding.RECOMMENDED, Finding.NOT_RECOMMENDED, Finding.NO_RECOMMENDATION),
    PaperKind.CHECK: (Finding.READY, Finding.MISSING),
}
"""Which papers say something in a word, and what it may be."""


class PanelPaper(Base):
    """One paper: a report by its version, or something sealed."""

    __tablename__ = "panel_paper"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    """Whose it is."""
    kind: Mapped[PaperKind] = mapped_column(Word(PaperKind))
    person_id: Mapped[UUID]
    """Who put it there or wrote it."""
    person_name: Mapped[str]
    at: Mapped[datetime]
    document_id: Mapped[UUID | None]
    version: Mapped[int | None]
    finding: Mapped[Finding | None] = mapped_column(Word(Finding))
    pages: Mapped[int | None]
    sealed_key: Mapped[bytes | None] = mapped_column(deferred=True)
    sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_reason: Mapped[str | None]

    @property
    def printed(self) -> bool:
        """Say whether it is a PDF; the others are words on a page."""
        return self.document_id is not None or self.pages is not None


class PaperUnknown(NotFound):
    """No such paper is there to read."""


class PaperInvalid(Invalid):
    """A paper was described in a way that cannot be kept."""


class PaperWithdrawn(Conflict):
    """The paper has been taken back."""


class NothingToPut(Conflict):
    """There is no report, or what there is lies before panel already."""


def put_reports(session: Session, link: Link, *, now: datetime) -> list[PanelPaper]:
    """Put the present versions of the scope's own agency's reports before the panel, those that are not there yet.

    :raises NotAllowed: when the scope's roles do not let it; PapersNotNow outside of the time for papers.
    :raises NothingToPut: when nothing is new.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_REPORTS)
    require_prepared(session, link)
    there = {(paper.document_id, paper.version) for paper in standing(list_papers(session, link))}
    put = []
    for document in list_documents_of(session, [link.household_id, link.sibling_group_id]):
        if document.agency_id == scope.agency_id and (document.id, document.version) not in there:
            kind = PaperKind.PAR if document.kind is ReportKind.PAR else PaperKind.CPR
            put.append(_add(session, link, kind, now=now, document_id=document.id, version=document.version))
    if not put:
        raise NothingToPut("Your agency’s reports lie before panel already, or there is none. Hand one in first.")
    return put


def add_placement_report(session: Session, link: Link, *, file: CheckedPdf, now: datetime) -> PanelPaper:
    """Put the adoption placement report before the panel, as the children's agency.

    :raises NotAllowed: when the scope's roles do not let it; NotYourStep, PapersNotNow as for all papers.
    """
    require(scope_of(session), Verb.KEEP_PANEL)
    require_childrens_agency(session, link)
    require_prepared(session, link)
    return _add(session, link, PaperKind.PLACEMENT_REPORT, now=now, content=file.content, pages=file.pages)


def write_minutes(session: Session, link: Link, *, finding: Finding, words: str, now: datetime) -> PanelPaper:
    """Keep what the panel recommends and why, as the children's agency.

    :raises NotAllowed: when the scope's roles do not let it; NotYourStep, PapersNotNow as for all papers.
    :raises WordsMissing: when no reasons are given; PaperInvalid when the recommendation is none.
    """
    require(scope_of(session), Verb.KEEP_PANEL)
    require_childrens_agency(session, link)
    require_prepared(session, link)
    said = tidy(words, what="what was minuted, with the reasons")
    return _add(session, link, PaperKind.MINUTES, now=now, content=_plain(said), finding=finding)


def add_minutes(session: Session, link: Link, *, finding: Finding, file: CheckedPdf, now: datetime) -> PanelPaper:
    """Keep the panel's minutes as the file that they are, with what is recommended, as the children's agency.

    :raises NotAllowed: when the scope's roles do not let it; NotYourStep, PapersNotNow as for all papers.
    :raises PaperInvalid: when the recommendation is none.
    """
    require(scope_of(session), Verb.KEEP_PANEL)
    require_childrens_agency(session, link)
    require_prepared(session, link)
    return _add(session, link, PaperKind.MINUTES, now=now, content=file.content, finding=finding, pages=file.pages)


def write_advice(
    session: Session, reader: PanelReader, *, words: str, now: datetime, finding: Finding | None = None
) -> PanelPaper:
    """Keep an adviser's own advice on a match that they are named for; nobody writes it for them.

    :raises NotAllowed: when the scope's roles do not let it; BothSides when they hold roles in both agencies.
    :raises ReaderUnknown: when it is not their name, it opens nothing, or is the decision maker's.
    :raises PapersNotNow: when the link has gone on from the panel.
    """
    require(scope_of(session), Verb.ADVISE_PANEL)
    link = get_link(session, reader.link_id)
    if reader.person_id != scope_of(session).person_id or reader.role not in ADVICE:
        raise ReaderUnknown("Advice is the adviser’s own to write.")
    if reader.link_id not in open_panels(session):
        raise ReaderUnknown("Read the papers first: confirm that you keep them confidential.")
    require_prepared(session, link)
    require_one_side(session, agencies=(link.group_agency_id, link.household_agency_id), on=now.date())
    said = tidy(words, what="what you advise")
    return _add(session, link, ADVICE[reader.role], now=now, content=_plain(said), finding=finding)


def withdraw_paper(session: Session, paper: PanelPaper, *, reason: str, now: datetime) -> None:
    """Take one's own agency's paper back from everybody who was named; it stays on record that it was there.

    :raises NotYourStep: when it is another agency's, or an adviser's own words.
    :raises PaperWithdrawn: when somebody was first.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_REPORTS)
    if paper.agency_id != scope.agency_id or paper.kind in ADVICE.values():
        raise NotYourStep("Its own agency takes a paper back, and nobody an adviser’s words.")
    words = tidy(reason, what="why you take it back")
    query = select(PanelPaper).where(PanelPaper.id == paper.id, PanelPaper.withdrawn_at.is_(None))
    if session.scalar(query.with_for_update(key_share=True).execution_options(populate_existing=True)) is None:
        raise PaperWithdrawn("The paper has been taken back already.")
    paper.withdrawn_at, paper.withdrawn_by, paper.withdrawn_reason = now, scope.person_id, words
    session.flush()
    note_paper(session, paper, audit.Act.REVOKE, now=now)


def get_paper(session: Session, link: Link, paper_id: UUID) -> PanelPaper:
    """Return a paper of a match that the scope may know of.

    :raises PaperUnknown: when there is none.
    """
    paper = session.scalar(select(PanelPaper).where(PanelPaper.id == paper_id, PanelPaper.link_id == link.id))
    if paper is None:
        raise PaperUnknown("There is no such paper for you to read.")
    return paper


def list_papers(session: Session, link: Link) -> list[PanelPaper]:
    """Return a match's papers that the scope may know of, in the order in which they are read, the newest first."""
    order, rows = list(PaperKind), session.scalars(select(PanelPaper).where(PanelPaper.link_id == link.id))
    newest = sorted(rows, key=lambda paper: (paper.at, paper.id), reverse=True)
    return sorted(newest, key=lambda paper: order.index(paper.kind))


def standing(papers: Sequence[PanelPaper]) -> list[PanelPaper]:
    """Return those of a match's papers that were not taken back."""
    return [paper for paper in papers if paper.withdrawn_at is None]


def note_paper(session: Session, paper: PanelPaper, act: audit.Act, *, now: datetime) -> None:
    """Put on record what was done with a paper, never what it says."""
    link = get_link(session, paper.link_id)
    # A look at a report shows in the audit of the record that it is about.
    about = {PaperKind.PAR: ("household", link.household_id), PaperKind.CPR: ("sibling_group", link.sibling_group_id)}
    kind, record_id = about.get(paper.kind, (RECORD_KIND, link.id))
    version = f", version {paper.version}" if paper.version else ""
    audit.record(
        session,
        act,
        record_kind=kind,
        record_id=record_id,
        owner_agency_id=paper.agency_id,
        level=audit.Level.REPORT,
        reason=f"panel papers: {paper.kind.label.lower()}{version}",
        now=now,
    )


def _add(
    session: Session,
    link: Link,
    kind: PaperKind,
    *,
    now: datetime,
    content: bytes | None = None,
    finding: Finding | None = None,
    document_id: UUID | None = None,
    version: int | None = None,
    pages: int | None = None,
) -> PanelPaper:
    if finding not in FINDINGS.get(kind, (None,)):
        raise PaperInvalid("Say which of the answers it is.")
    paper_id, actor = uuid4(), acting_person(session)
    key, sealed = (None, None) if content is None else seal_apart(session, content, row_id=paper_id)
    paper = PanelPaper(
        id=paper_id,
        link_id=link.id,
        group_agency_id=link.group_agency_id,
        household_agency_id=link.household_agency_id,
        agency_id=link.household_agency_id if kind is PaperKind.PAR else link.group_agency_id,
        kind=kind,
        person_id=actor.person_id,
        person_name=actor.name,
        at=now,
        document_id=document_id,
        version=version,
        finding=finding,
        pages=pages,
        sealed_key=key,
        sealed=sealed,
    )
    session.add(paper)
    session.flush()
    note_paper(session, paper, audit.Act.ADD, now=now)
    return paper


def _plain(words: str) -> bytes:
    return json.dumps({"words": words}, ensure_ascii=False).encode()
