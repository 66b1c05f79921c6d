"""Notices: that something happened on a link, is due on a record, or is to be done about fees; and by e-mail.

For each person whose work it is. The database gives them itself (revisions 0034 and 0049), in the transaction of what
they tell of. An e-mail says that there is something new and nothing else; what it is, is read in Concord.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, and_, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.clock.reading import (
    ClockState,
    Reading,
    clocks_of_groups,
    clocks_of_households,
    clocks_of_links,
)
from matching.clock.rule import ClockName
from matching.document import ReportKind
from matching.fee.notice import FeeWord
from matching.household import Household, HouseholdStatus
from matching.link import Link, StepName, is_open
from matching.register import PAGE_SIZE, Page
from matching.sealed_words import own_agency, own_person
from matching.sibling_group import GroupStatus, SiblingGroup
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.permission import Verb, may

MAIL_JOB: Final = "mail"
CLOCK_JOB: Final = "clock_notices"
_NOTICE_CLOCK = text("SELECT notice_clock(:subject_id, :clock, :mark)")
_NOTICE_RECORD_CLOCK = text("SELECT notice_record_clock(:subject_id, :clock, :mark)")
_NEWLY = timedelta(days=28)
"""How long after a record's time was missed it is still news: a register that is new here has many from long before."""


class NoticeKind(StrEnum):
    """What a notice tells of."""

    STEP = "step"
    MESSAGE = "message"
    MENTION = "mention"
    GRANT = "grant"
    CLOCK = "clock"
    FEE = "fee"


class NoticeWay(StrEnum):
    """How a person wants to be told by e-mail."""

    DAILY = "daily"
    AT_ONCE = "at_once"
    OFF = "off"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "daily": "Once a day, in the morning, when there is something new",
            "at_once": "At once, within minutes",
            "off": "Not by e-mail",
        }[self]


class Notice(Base):
    """One person is told of one thing: on a link, of a group or household of their agency's, or about fees."""

    __tablename__ = "notice"

    id: Mapped[Id]
    link_id: Mapped[UUID | None]
    sibling_group_id: Mapped[UUID | None]
    household_id: Mapped[UUID | None]
    fee_id: Mapped[UUID | None]
    """An agreement, an invoice, a month or whatever else of fees it is about, as ``what`` says."""
    agency_id: Mapped[UUID]
    person_id: Mapped[UUID]
    kind: Mapped[NoticeKind] = mapped_column(Word(NoticeKind))
    what: Mapped[str | None]
    mark: Mapped[str]
    at: Mapped[datetime]
    mailed_at: Mapped[datetime | None]

    @property
    def words(self) -> str:
        """Return what happened, in words."""
        match self.kind:
            case NoticeKind.STEP:
                return f"The other agency took a step: {StepName(self.what or '').label.lower()}"
            case NoticeKind.MESSAGE:
                return "There is a new message"
            case NoticeKind.MENTION:
                return "Somebody named you in a message"
            case NoticeKind.GRANT:
                return f"You may read the {ReportKind(self.what or '').label}"
            case NoticeKind.CLOCK:
                missed = self.mark.endswith(ClockState.MISSED)
                return f"{'Missed' if missed else 'Due soon'}: {ClockName(self.what or '').label.lower()}"
            case NoticeKind.FEE:
                return FeeWord(self.what or "").label


class NoticeChoice(Base):
    """How one person wants to be told in one agency; whoever has chosen nothing is told once a day."""

    __tablename__ = "notice_choice"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    way: Mapped[NoticeWay] = mapped_column(Word(NoticeWay))
    chosen_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A notice as its page shows it; a code is missing where its record is no longer shared, or is none of its.

    What is about fees has its word and id.
    """

    at: datetime
    words: str
    link_id: UUID | None
    group_id: UUID | None
    household_id: UUID | None
    group: str | None
    household: str | None
    fee: FeeWord | None
    fee_id: UUID | None


def list_notices(session: Session, *, number: int) -> Page[NoticeLine]:
    """Return a page of what the scope's person was told of and may still read of, the last first."""
    theirs = _theirs(session)
    total = session.scalar(select(func.count()).select_from(Notice).where(theirs)) or 0
    number = Page.within(number, total)
    query = (
        select(Notice, SiblingGroup.code, Household.code)
        .outerjoin(Link, Link.id == Notice.link_id)
        .outerjoin(SiblingGroup, SiblingGroup.id == func.coalesce(Link.sibling_group_id, Notice.sibling_group_id))
        .outerjoin(Household, Household.id == func.coalesce(Link.household_id, Notice.household_id))
        .where(theirs)
        .order_by(Notice.at.desc(), Notice.id)
    )
    rows = session.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    cards = tuple(_line(notice, group, household) for notice, group, household in rows)
    return Page(cards=cards, total=total, number=number)


def _theirs(session: Session) -> ColumnElement[bool]:
    """Return the condition of what the scope's roles are about now: somebody may do other work than before."""
    scope = scope_of(session)
    of_fees = Notice.kind == NoticeKind.FEE
    return or_(and_(of_fees, literal(may(scope, Verb.READ_FEES))), and_(~of_fees, literal(may(scope, Verb.READ_LINKS))))


def _line(notice: Notice, group: str | None, household: str | None) -> NoticeLine:
    return NoticeLine(
        at=notice.at,
        words=notice.words,
        link_id=notice.link_id,
        group_id=notice.sibling_group_id,
        household_id=notice.household_id,
        group=group,
        household=household,
        fee=FeeWord(notice.what or "") if notice.kind is NoticeKind.FEE else None,
        fee_id=notice.fee_id,
    )


def find_way(session: Session) -> NoticeWay:
    """Return how the scope's person wants to be told."""
    found = session.get(NoticeChoice, (own_agency(session), own_person(session)))
    return found.way if found else NoticeWay.DAILY


def choose_way(session: Session, way: NoticeWay, *, now: datetime) -> None:
    """Choose how the scope's person is told, in the agency for which they act."""
    row = {"agency_id": own_agency(session), "person_id": own_person(session), "way": way, "chosen_at": now}
    changed = {"way": way, "chosen_at": now}
    query = insert(NoticeChoice).values(row)
    session.execute(query.on_conflict_do_update(index_elements=["agency_id", "person_id"], set_=changed))


def take_unmailed(session: Session, *, now: datetime) -> int:
    """Mark what the scope's person is to be told by one e-mail, and return how many notices it tells of."""
    if find_way(session) is NoticeWay.OFF:
        return 0
    waiting = update(Notice).where(Notice.mailed_at.is_(None), Notice.person_id == own_person(session))
    marked: Sequence[UUID] = session.scalars(waiting.values(mailed_at=now).returning(Notice.id)).all()
    return len(marked)


def give_clock_notices(session: Session, *, now: datetime) -> int:
    """Tell who follows the scope's agency's links, or works with its records, of times due soon or missed; each once.

    Returns of how many times.
    """
    own = scope_of(session).agency_id
    links = list(session.scalars(select(Link).where(is_open(), Link.group_agency_id == own).order_by(Link.id)))
    of_links = clocks_of_links(session, links, on=now.date())
    told = _tell(session, _NOTICE_CLOCK, of_links, since=date.min)
    groups = select(SiblingGroup).where(SiblingGroup.agency_id == own, SiblingGroup.status != GroupStatus.WITHDRAWN)
    households = select(Household).where(Household.agency_id == own, Household.status != HouseholdStatus.WITHDRAWN)
    of_records = {
        **clocks_of_groups(session, session.scalars(groups.order_by(SiblingGroup.id)).all(), on=now.date()),
        **clocks_of_households(session, session.scalars(households.order_by(Household.id)).all(), on=now.date()),
    }
    return told + _tell(session, _NOTICE_RECORD_CLOCK, of_records, since=now.date() - _NEWLY)


def _tell(session: Session, notice: TextClause, found: Mapping[UUID, Sequence[Reading]], *, since: date) -> int:
    told = 0
    for each in (reading for readings in found.values() for reading in readings):
        if each.goes_on and each.state in {ClockState.SOON, ClockState.MISSED} and each.due_on >= since:
            mark = f"clock {each.clock.name.value} {each.due_on} {each.state.value}"
            facts = {"subject_id": each.subject_id, "clock": each.clock.name.value, "mark": mark}
            session.execute(notice, facts)
            told += 1
    return told
