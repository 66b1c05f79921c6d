"""A link's row, how it is found, and what can be wrong with what is said of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.link.state import FINAL, MATCHED, LinkOutcome, LinkPath, LinkState
from tenants.base import Base, Id, Word
from tenants.error import Conflict, Forbidden, Invalid, NotFound

MOST_CHARACTERS = 2_000
RECORD_KIND = "link"


class Link(Base):
    """One group and one household of two agencies, or of one."""

    __tablename__ = "link"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    sibling_group_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    started_by_id: Mapped[UUID]
    """The agency that showed the interest."""
    state: Mapped[LinkState] = mapped_column(Word(LinkState))
    version: Mapped[int]
    """Counts the steps: who acts on an older one is told who was first."""
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    outcome: Mapped[LinkOutcome | None] = mapped_column(Word(LinkOutcome))
    feedback: Mapped[str | None]
    """What the other agency can use, said kindly when the link ended."""
    path: Mapped[LinkPath] = mapped_column(Word(LinkPath), default=LinkPath.ORDINARY)
    fostered_on: Mapped[date | None]
    """Since when the children live with the family as fostered, where they do."""

    @property
    def open(self) -> bool:
        """Say whether it goes on."""
        return self.state not in FINAL

    @property
    def lives_there(self) -> bool:
        """Say whether the children live with the family as fostered."""
        return self.path is not LinkPath.ORDINARY

    def other_agency_id(self, agency_id: UUID | None) -> UUID:
        """Return the agency on the other side of ``agency_id``; for a link within one agency, the same."""
        return self.household_agency_id if agency_id == self.group_agency_id else self.group_agency_id


class LinkUnknown(NotFound):
    """No such link concerns this scope's agency."""


class LinkInvalid(Invalid):
    """A step was described in a way that cannot be taken."""


class LinkAlreadyOpen(Conflict):
    """The group and the household have an open link already."""


class LinkMoved(Conflict):
    """Somebody else took a step in the meantime."""


class NoSuchStep(Conflict):
    """The link's state does not allow this step."""


class NotYet(NoSuchStep):
    """Something that the step needs does not hold."""


class Passable(NotYet):
    """Something does not hold that may be passed with a reason, and nobody has said one."""


class CapReached(Passable):
    """The consortium's cap is reached, and nobody has said why it may be passed."""


class NotYourStep(Forbidden):
    """The step is the other side's to take."""


def get_link(session: Session, link_id: UUID) -> Link:
    """Return a link of the scope's agency.

    :raises LinkUnknown: when there is none.
    """
    link = session.get(Link, link_id)
    if link is None:
        raise LinkUnknown("There is no such link of your agency.")
    return link


def find_open_link(session: Session, *, group_id: UUID, household_id: UUID) -> Link | None:
    """Return the open link of a pair, if this scope is a side of one."""
    return session.scalar(
        select(Link).where(Link.sibling_group_id == group_id, Link.household_id == household_id, is_open())
    )


def list_open_links_of(session: Session, record_id: UUID) -> list[Link]:
    """Return the scope's agency's open links of a group or a household as they stand now, by their records.

    The order is that in which they may be locked one after another.
    """
    query = select(Link).where(is_open(), (Link.sibling_group_id == record_id) | (Link.household_id == record_id))
    query = query.order_by(Link.sibling_group_id, Link.household_id, Link.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def matched_records(session: Session, record_ids: Iterable[UUID]) -> set[UUID]:
    """Return those of the scope's agency's groups or households whose match stands, to the order and after it."""
    ids = list(record_ids)
    query = select(Link.sibling_group_id, Link.household_id).where(
        Link.state.in_(MATCHED), or_(Link.sibling_group_id.in_(ids), Link.household_id.in_(ids))
    )
    return {record_id for pair in session.execute(query) for record_id in pair} & set(ids)


def written(text: str, asked: str) -> str:
    """Return what a person wrote.

    :raises LinkInvalid: when it is nothing or too much.
    """
    words = text.strip()
    if not words or len(words) > MOST_CHARACTERS:
        raise LinkInvalid(f"Say {asked}, in at most {MOST_CHARACTERS:,} characters.")
    return words


def is_open() -> ColumnElement[bool]:
    """Return the condition of links that go on."""
    return Link.state.not_in(FINAL)


def of_side(agency_id: UUID | None, side: str) -> ColumnElement[bool]:
    """Return the condition of links on whose ``children`` or ``families`` side an agency is; of both otherwise."""
    sides = {"children": Link.group_agency_id, "families": Link.household_agency_id}
    chosen = [sides[side]] if side in sides else list(sides.values())
    return or_(*(column == agency_id for column in chosen))


def newest_first() -> tuple[ColumnElement[Any], ...]:
    """Return the order of lists of links: open ones first, then the last changed."""
    return (case((Link.state.in_(FINAL), 1), else_=0), Link.changed_at.desc(), Link.id.asc())
