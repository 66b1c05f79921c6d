"""Reading panel papers: a named person's work list, what lies before them, and opening it, each time on record."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.actor import acting_person
from matching.document import get_document, unseal_version
from matching.document_opening import Reader, Stamp, title_of
from matching.household import Household
from matching.link import DayKind, Link, LinkState, MatchDecision, days_of, decisions_of
from matching.panel.paper import (
    ADVICE,
    PanelPaper,
    PaperUnknown,
    PaperWithdrawn,
    list_papers,
    note_paper,
    standing,
)
from matching.panel.reader import (
    PREPARED,
    PanelReader,
    PanelRole,
    get_own_reader,
    has_undertaken,
    list_own_readers,
    open_panels,
)
from matching.sibling_group import SiblingGroup
from tenants import audit
from tenants.agency import get_agency
from tenants.database import scope_of
from tenants.own_key import unseal_apart
from tenants.permission import Verb, may, require


@dataclass(frozen=True, slots=True)
class Reading:
    """A match that somebody is named for: its two codes, its day, and what is theirs to do."""

    reader: PanelReader
    link: Link
    title: str
    panel_on: date | None
    undertaken: bool
    decisions: tuple[MatchDecision, ...]
    advised: bool

    @property
    def to_decide(self) -> bool:
        """Say whether the reader's decision is waited for."""
        return self.may_decide and not self.decisions

    @property
    def may_decide(self) -> bool:
        """Say whether the reader may record a decision now, a first one or another beside it."""
        return self.reader.role is PanelRole.DECISION_MAKER and self.link.state is LinkState.PANEL and self.undertaken

    @property
    def may_advise(self) -> bool:
        """Say whether the reader may write their advice now."""
        return self.reader.role in ADVICE and self.link.state in PREPARED and self.undertaken

    @property
    def to_do(self) -> str:
        """Return what is theirs to do, in words."""
        if not self.undertaken:
            return "Confirm that you keep the papers confidential"
        if self.to_decide:
            return "Decide on the match"
        if self.may_advise and not self.advised:
            return "Check the papers" if self.reader.role is PanelRole.PANEL_ADVISER else "Write your advice"
        return "Read"


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A paper as a page shows it, with its words where it is words."""

    paper: PanelPaper
    title: str
    words: str | None


def list_readings(session: Session, *, now: datetime) -> list[Reading]:
    """Return the matches that the scope's own person is named for, by the day of their panels."""
    if not may(scope_of(session), Verb.READ_PANEL):
        return []
    found = [_reading(session, reader, link) for reader, link in list_own_readers(session, now=now)]
    return sorted(found, key=lambda each: (each.panel_on or date.max, each.reader.named_at, each.reader.id))


def get_reading(session: Session, reader_id: UUID, *, now: datetime) -> Reading:
    """Return one of the matches that the scope's own person is named for.

    :raises ReaderUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_PANEL)
    reader, link = get_own_reader(session, reader_id, now=now)
    return _reading(session, reader, link)


def read_papers(session: Session, link: Link, *, now: datetime) -> list[PaperLine]:
    """Return a match's papers with what is written, and put on record that it was read; reports are opened one by one.

    Whoever is named reads what was not taken back; the worker of an agency, what the wall shows them.
    """
    lines = []
    for paper in standing(list_papers(session, link)):
        words = words_of(session, paper)
        if words is not None:
            note_paper(session, paper, audit.Act.READ, now=now)
        lines.append(PaperLine(paper, _title(session, paper), words))
    return lines


def open_paper(session: Session, paper: PanelPaper, *, stamp: Stamp, now: datetime) -> bytes:
    """Return a printed paper marked with who reads it, and put the look on record.

    :raises PaperUnknown: when the person may not read it; PaperWithdrawn when it was taken back.
    """
    if paper.withdrawn_at is not None:
        raise PaperWithdrawn("The paper has been taken back.")
    content = _printed(session, paper)
    if content is None:
        raise PaperUnknown("There is no such paper for you to read.")
    agency_id = scope_of(session).agency_id
    agency = get_agency(session, agency_id).name if agency_id else ""
    marked = stamp(content, Reader(acting_person(session).name, agency, now))
    note_paper(session, paper, audit.Act.READ, now=now)
    return marked


def title_of_link(session: Session, link: Link) -> str:
    """Return the codes of the two, as far as the scope sees them."""
    group = session.scalar(select(SiblingGroup.code).where(SiblingGroup.id == link.sibling_group_id))
    household = session.scalar(select(Household.code).where(Household.id == link.household_id))
    return f"{group or 'a group'} and {household or 'a household'}"


def _reading(session: Session, reader: PanelReader, link: Link) -> Reading:
    papers = list_papers(session, link) if link.id in open_panels(session) else []
    return Reading(
        reader=reader,
        link=link,
        title=title_of_link(session, link),
        panel_on=days_of(session, [link])[link.id].get(DayKind.PANEL),
        undertaken=has_undertaken(session, reader),
        decisions=tuple(decisions_of(session, [link]).get(link.id, ())),
        advised=any(paper.kind is ADVICE.get(reader.role) and paper.person_id == reader.person_id for paper in papers),
    )


def _title(session: Session, paper: PanelPaper) -> str:
    if paper.document_id is None:
        return paper.kind.label
    name = title_of(session, get_document(session, paper.document_id)) if _opens(session, paper) else paper.kind.label
    return f"{name}, version {paper.version}"


def _opens(session: Session, paper: PanelPaper) -> bool:
    return paper.agency_id == scope_of(session).agency_id or paper.link_id in open_panels(session)


def words_of(session: Session, paper: PanelPaper) -> str | None:
    """Return what is written in a paper, for whoever has put the look on record; nothing of one that is a file."""
    if paper.printed:
        return None
    found: dict[str, str] = json.loads(_unsealed(session, paper))
    return found["words"]


def _printed(session: Session, paper: PanelPaper) -> bytes | None:
    if not paper.printed:
        return None
    if paper.document_id is None:
        return _unsealed(session, paper)
    if not _opens(session, paper):
        return None
    return unseal_version(session, get_document(session, paper.document_id), version=paper.version)


def _unsealed(session: Session, paper: PanelPaper) -> bytes:
    if paper.sealed_key is None or paper.sealed is None:
        raise PaperUnknown("There is no such paper for you to read.")
    return unseal_apart(session, paper.sealed_key, paper.sealed, row_id=paper.id)
