"""The links that somebody works on, by what is due next: times by rule, days that were said, reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from matching.clock.reading import clocks_of_links
from matching.link import WAY, DayKind, Link, LinkState, LinkStep, StepName, days_of, is_open, of_side
from matching.link_list import LinkCard, cards_of
from matching.link_message import LinkMessage
from matching.link_note import LinkNote
from matching.placement.placement import list_placements
from matching.placement.review import next_reviews
from matching.register import Page
from matching.transition import is_taker, transitions_from
from tenants.database import scope_of

PAGE_LINKS = 200
"""How many links a page of the work list shows: a board is looked at as a whole."""
AHEAD = (DayKind.VISIT, DayKind.LINKING_MEETING, DayKind.PANEL, DayKind.INTRODUCTIONS)
"""The days that people meet on, which may lie ahead."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is due on a link, and when."""

    on: date
    what: str


@dataclass(frozen=True, slots=True)
class WorkCard:
    """A link of a work list, with what is due next on it, if anything is."""

    card: LinkCard
    due: Due | None
    late: bool
    ours: bool
    """Whether the next step on the way is one's own agency's to take."""


def is_mine(session: Session) -> ColumnElement[bool]:
    """Return the condition of links in which the scope's person has had a part: a step, a message or a note."""
    person_id = scope_of(session).person_id
    parts = (LinkStep, LinkMessage, LinkNote)
    return or_(*(Link.id.in_(select(part.link_id).where(part.person_id == person_id)) for part in parts))


def list_work(
    session: Session, *, mine: bool, side: str, on: date, late: bool = False, number: int = 1
) -> Page[WorkCard]:
    """Return a page of the agency's open links by what is due next, those with nothing due last.

    :param mine: only those in which the scope's person has had a part.
    :param side: of its ``children``, its ``families``, or of all.
    :param late: only those on which something is overdue.
    """
    query = select(Link).where(is_open(), of_side(scope_of(session).agency_id, side))
    if mine:
        query = query.where(is_mine(session))
    links = session.scalars(query.order_by(Link.changed_at, Link.id)).all()
    # What is due on every one of them decides which is shown first; cards are made of those that are shown.
    due = due_next(session, links, on=on)
    wanted = [link for link in links if not late or _late(due.get(link.id), on)]
    # Of those with nothing due the one that has been still for longest comes first, as they were found.
    wanted.sort(key=lambda link: due[link.id].on if link.id in due else date.max)
    number = Page.within(number, len(wanted), PAGE_LINKS)
    shown = wanted[(number - 1) * PAGE_LINKS : number * PAGE_LINKS]
    cards = tuple(
        WorkCard(card, due.get(card.id), _late(due.get(card.id), on), _is_ours(session, link))
        for card, link in zip(cards_of(session, shown, on=on), shown, strict=True)
    )
    return Page(cards, len(wanted), number, PAGE_LINKS)


def board(work: Sequence[WorkCard]) -> dict[LinkState, list[WorkCard]]:
    """Return a work list as columns, one for each state on the way in which a link may be open."""
    columns: dict[LinkState, list[WorkCard]] = {state: [] for state in WAY if state is not LinkState.ORDERED}
    for each in work:
        columns[each.card.state].append(each)
    return columns


def due_next(session: Session, links: Sequence[Link], *, on: date) -> Mapping[UUID, Due]:
    """Return the soonest of what is due on each link: an open clock, a day ahead, or a review."""
    found: dict[UUID, list[Due]] = {link.id: [] for link in links}
    for link_id, readings in clocks_of_links(session, links, on=on).items():
        found[link_id] += [Due(each.due_on, each.clock.name.label) for each in readings if each.goes_on]
    for link_id, days in days_of(session, links).items():
        found[link_id] += [Due(day, kind.label) for kind, day in days.items() if kind in AHEAD and day >= on]
    placements = [each for each in list_placements(session, moved_in=True) if each.link_id in found]
    for link_id, review in next_reviews(session, placements).items():
        found[link_id].append(Due(review.due_on, f"Review {review.number}"))
    return {link_id: min(each, key=lambda due: (due.on, due.what)) for link_id, each in found.items() if each}


def _is_ours(session: Session, link: Link) -> bool:
    way = (each for each in transitions_from(link.state) if each.target in WAY and each.step is not StepName.STEP_BACK)
    return any(is_taker(session, link, each) for each in way)


def _late(due: Due | None, on: date) -> bool:
    return due is not None and due.on < on
