"""Links as people leaf through them and open them: with the codes of the two, their agencies and what is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matching.document import Document, ReportKind, list_documents_of
from matching.grant import DocumentGrant, GrantState, list_grants
from matching.household import Household
from matching.link import Link, LinkState, LinkStep, StepName, get_link, is_open, list_steps, newest_first, of_side
from matching.link_course import owed_reasons
from matching.register import PAGE_SIZE, Page, agency_names
from matching.sibling_group import SiblingGroup
from matching.transition import is_taker, transitions_from
from tenants.database import scope_of


@dataclass(frozen=True, slots=True)
class LinkCard:
    """A link in a list; a code is missing where its record is no longer shared."""

    id: UUID
    group: str | None
    household: str | None
    other: str
    """The agency on the other side, or one's own where it is both."""
    side: str
    state: LinkState
    changed_at: datetime
    to_do: str | None


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A link as its page shows it."""

    link: Link
    group: SiblingGroup | None
    household: Household | None
    names: dict[UUID, str]
    steps: list[LinkStep]
    grants: list[DocumentGrant]
    documents: list[Document]
    own: UUID | None

    @property
    def title(self) -> str:
        """Return the two codes."""
        group = self.group.code if self.group else "a group"
        return f"{group} and {self.household.code if self.household else 'a household'}"

    @property
    def within(self) -> bool:
        """Say whether both sides are the same agency, so that nobody needs leave."""
        return self.link.group_agency_id == self.link.household_agency_id

    def owns(self, kind: ReportKind) -> bool:
        """Say whether the reports of a kind are the reader's own agency's."""
        owner = self.link.household_agency_id if kind is ReportKind.PAR else self.link.group_agency_id
        return owner == self.own

    def grants_of(self, kind: ReportKind) -> list[DocumentGrant]:
        """Return requests and grants for the reports of a kind, the newest first."""
        return [each for each in self.grants if each.kind is kind]


def list_links(
    session: Session,
    *,
    ended: bool,
    side: str,
    number: int,
    on: date,
    state: LinkState | None = None,
    consortium_id: UUID | None = None,
) -> Page[LinkCard]:
    """Return a page of the agency's links that are open, or over; of its ``children``, its ``families``, or of all.

    :param state: only those at this state, where one is named.
    :param consortium_id: only those of this consortium, where one is named.
    """
    own = scope_of(session).agency_id
    wanted = ~is_open() if ended else is_open()
    query = select(Link).where(wanted if state is None else Link.state == state, of_side(own, side))
    if consortium_id is not None:
        query = query.where(Link.consortium_id == consortium_id)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    number = Page.within(number, total)
    found = session.scalars(query.order_by(*newest_first()).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(cards=_cards(session, found, own=own, on=on), total=total, number=number)


def list_links_of(session: Session, record_id: UUID, *, on: date) -> tuple[LinkCard, ...]:
    """Return the agency's open links of a group or a household, the last changed first."""
    query = select(Link).where(is_open(), (Link.sibling_group_id == record_id) | (Link.household_id == record_id))
    return _cards(
        session, session.scalars(query.order_by(*newest_first())).all(), own=scope_of(session).agency_id, on=on
    )


def read_link(session: Session, link_id: UUID) -> LinkRecord:
    """Return a link of the scope's agency with its history, requests, grants and the reports it may know of.

    :raises LinkUnknown: when there is none.
    """
    link, own = get_link(session, link_id), scope_of(session).agency_id
    return LinkRecord(
        link=link,
        group=session.get(SiblingGroup, link.sibling_group_id),
        household=session.get(Household, link.household_id),
        names=agency_names(session),
        steps=list_steps(session, link),
        grants=list_grants(session, link),
        documents=list_documents_of(session, [link.household_id, link.sibling_group_id]),
        own=own,
    )


def cards_of(session: Session, found: Sequence[Link], *, on: date) -> tuple[LinkCard, ...]:
    """Return links as lists show them, in their order."""
    return _cards(session, found, own=scope_of(session).agency_id, on=on)


def _cards(session: Session, found: Sequence[Link], *, own: UUID | None, on: date) -> tuple[LinkCard, ...]:
    groups, households = _codes(session, found)
    names, asked = agency_names(session), _asked(session, found, own=own, on=on)
    owed = owed_reasons(session, found, on=on)
    return tuple(
        LinkCard(
            id=link.id,
            group=groups.get(link.sibling_group_id),
            household=households.get(link.household_id),
            other=names.get(link.other_agency_id(own), "An agency outside the consortium"),
            side=_side(link, own),
            state=link.state,
            changed_at=link.changed_at,
            to_do=_to_do(session, link, asked=asked.get(link.id, 0), owed=owed.get(link.id, 0)),
        )
        for link in found
    )


def _codes(session: Session, found: Sequence[Link]) -> tuple[dict[UUID, str], dict[UUID, str]]:
    groups = select(SiblingGroup.id, SiblingGroup.code).where(SiblingGroup.id.in_([x.sibling_group_id for x in found]))
    households = select(Household.id, Household.code).where(Household.id.in_([x.household_id for x in found]))
    return dict(session.execute(groups).all()), dict(session.execute(households).all())


def _asked(session: Session, found: Sequence[Link], *, own: UUID | None, on: date) -> dict[UUID, int]:
    """Return how many requests wait for the scope's own agency's answer, by link."""
    waiting: dict[UUID, int] = {}
    query = select(DocumentGrant).where(DocumentGrant.link_id.in_([link.id for link in found]))
    for each in session.scalars(query):
        if each.owner_id == own and each.state(on) is GrantState.ASKED:
            waiting[each.link_id] = waiting.get(each.link_id, 0) + 1
    return waiting


def _side(link: Link, own: UUID | None) -> str:
    if link.group_agency_id == link.household_agency_id:
        return "Our children, our family"
    return "Our children" if link.group_agency_id == own else "Our family"


def _to_do(session: Session, link: Link, *, asked: int, owed: int) -> str | None:
    if asked:
        return "A request to read a report waits for you" if asked == 1 else f"{asked} requests wait for you"
    takes = [each for each in transitions_from(link.state) if each.step is StepName.CONSIDER]
    if any(is_taker(session, link, each) for each in takes):
        return "Say whether you consider it"
    if owed:
        return "A time limit was missed: say why" if owed == 1 else f"{owed} time limits were missed: say why"
    return None
