"""What a placement would cost, for finance officers and managers, once a family is chosen: never before.

Until a link is before panel nobody is told what anything would cost, and no list of families ever is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.fee.price import Price
from matching.fee.published import published
from matching.fee.rule import read_rules
from matching.fee.terms import price_on, terms_of
from matching.fee.waiver import Waived, find_waiver
from matching.link import WAY, Link, LinkState
from matching.placement.placement import Placement, PlacementChild, find_placement, list_placed_children
from matching.sibling_group import Child
from tenants import audit
from tenants.agency import get_agency
from tenants.database import scope_of
from tenants.error import Invalid, NotFound
from tenants.permission import Verb, require

CHOSEN = frozenset(WAY[WAY.index(LinkState.PANEL) : WAY.index(LinkState.PLACED)])
"""The states in which a family is chosen, and the children have not moved in."""
MOST_YEARS = 3


class NotChosen(NotFound):
    """There is no such link of the agency's, or its family is not chosen yet: the two are answered alike."""


class DayUnfit(Invalid):
    """The day is none on which the children may move in."""


@dataclass(frozen=True, slots=True)
class ChosenFamily:
    """A link at panel or later, as far as a finance officer is told: no child, no family, no code."""

    link_id: UUID
    state: LinkState
    children_agency: str
    family_agency: str
    children: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Cost:
    """What it would cost if the placement began on a day."""

    family: ChosenFamily
    on: date
    price: Price
    waiver: Waived


def list_chosen(session: Session) -> list[ChosenFamily]:
    """Return the scope's agency's links of children of its own for which a family is chosen, by when it was."""
    scope = scope_of(session)
    require(scope, Verb.READ_FEES)
    query = select(Link).where(
        Link.consortium_id == scope.consortium_id,
        Link.state.in_(CHOSEN),
        Link.group_agency_id == scope.agency_id,
        Link.household_agency_id != scope.agency_id,
    )
    return [_family(session, link) for link in session.scalars(query.order_by(Link.changed_at, Link.id))]


def cost_of(session: Session, link_id: UUID, *, now: datetime, on: date | None = None) -> Cost:
    """Return what a placement would cost if it began on a day, by default the one planned, or today.

    :raises NotChosen: when no family is chosen on such a link of the agency's children.
    :raises DayUnfit: when the day has passed, or is years ahead.
    """
    scope = scope_of(session)
    require(scope, Verb.READ_FEES)
    link = session.get(Link, link_id)
    if link is None or link.state not in CHOSEN or link.group_agency_id != scope.agency_id or _in_house(link):
        raise NotChosen("No family is chosen on such a link of your agency’s children, so nothing is reckoned yet.")
    today = now.date()
    if on is not None and not today <= on <= today.replace(year=today.year + MOST_YEARS, day=1):
        raise DayUnfit(f"Choose a day from today on, and within {MOST_YEARS} years.")
    placement = find_placement(session, link_id)
    children: Sequence[PlacementChild] = ()
    if placement is None:
        # Before the match nothing is kept of a placement: how old the children will be isn’t asked of their records.
        placement = _as_if(link)
    else:
        children = list_placed_children(session, [link_id])[link_id]
        if on is None:
            on = terms_of(session, placement, today=today).on
    day = on or today
    family = _family(session, link)
    rules = read_rules(session, published().rules, on=day)
    found = price_on(session, placement, rules, children=family.children, on=day, expected=True)
    waiver = find_waiver(session, placement, children, rules, on=day)
    audit.record(session, audit.Act.READ, record_kind="link", record_id=link_id, reason="cost", now=now)
    return Cost(family, day, found, waiver)


def _in_house(link: Link) -> bool:
    return link.group_agency_id == link.household_agency_id


def _family(session: Session, link: Link) -> ChosenFamily:
    count = len(list(session.scalars(select(Child.id).where(Child.sibling_group_id == link.sibling_group_id))))
    return ChosenFamily(
        link_id=link.id,
        state=link.state,
        children_agency=get_agency(session, link.group_agency_id).name,
        family_agency=get_agency(session, link.household_agency_id).name,
        children=max(1, count),
        since=link.changed_at,
    )


def _as_if(link: Link) -> Placement:
    return Placement(
        link_id=link.id,
        consortium_id=link.consortium_id,
        sibling_group_id=link.sibling_group_id,
        group_agency_id=link.group_agency_id,
        household_id=link.household_id,
        household_agency_id=link.household_agency_id,
    )
