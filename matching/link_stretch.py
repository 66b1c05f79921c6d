"""Links and placements as programs read them: a stretch at a time, the one whose last step is oldest first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from matching.household import Household
from matching.link import Link, LinkState, of_side
from matching.placement.placement import Placement
from matching.register import agency_names
from matching.sibling_group import SiblingGroup
from matching.stretch import Stretch, read_stretch
from tenants.database import scope_of

_UNKNOWN = "An agency outside the consortium"


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A link with what it is known by; a code is missing where its record is no longer shared."""

    link: Link
    group: str | None
    household: str | None
    group_agency: str
    household_agency: str
    sides: tuple[str, ...]
    """Which of the two are the scope's own agency's: ``children``, ``families``, or both."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which links are asked for: at which states, on which side of one's own, since when, of which consortium."""

    states: Collection[LinkState] = ()
    side: str = "all"
    since: datetime | None = None
    consortium_id: UUID | None = None


def list_links_after(
    session: Session, wanted: Wanted, *, after: Sequence[object] | None, limit: int
) -> Stretch[LinkLine]:
    """Return the agency's links that are asked for, from a place in their order on."""
    return _lines(session, _narrowed(session, select(Link), wanted), after=after, limit=limit)


def list_placements_after(
    session: Session, wanted: Wanted, *, after: Sequence[object] | None, limit: int
) -> tuple[Stretch[LinkLine], dict[UUID, Placement]]:
    """Return the agency's links that have a placement, from a place in their order on, and the placements by link."""
    query = _narrowed(session, select(Link).join(Placement, Placement.link_id == Link.id), wanted)
    lines = _lines(session, query, after=after, limit=limit)
    rows = session.scalars(select(Placement).where(Placement.link_id.in_([each.link.id for each in lines.shown])))
    return lines, {row.link_id: row for row in rows}


def line_of(session: Session, link: Link) -> LinkLine:
    """Return one link with what it is known by."""
    return _with_codes(session, [link])[0]


def _narrowed(session: Session, query: Select[Any], wanted: Wanted) -> Select[Any]:
    query = query.where(of_side(scope_of(session).agency_id, wanted.side))
    if wanted.states:
        query = query.where(Link.state.in_(list(wanted.states)))
    if wanted.consortium_id is not None:
        query = query.where(Link.consortium_id == wanted.consortium_id)
    return query if wanted.since is None else query.where(Link.changed_at >= wanted.since)


def _lines(session: Session, query: Select[Any], *, after: Sequence[object] | None, limit: int) -> Stretch[LinkLine]:
    # By the last step, so that what gets one while a program reads stands at the end, where it is still to come.
    found = read_stretch(session, query, (Link.changed_at.asc(), Link.id.asc()), after=after, limit=limit)
    return Stretch(shown=tuple(_with_codes(session, found.shown)), end=found.end)


def _with_codes(session: Session, links: Sequence[Link]) -> list[LinkLine]:
    own, names = scope_of(session).agency_id, agency_names(session)
    groups = select(SiblingGroup.id, SiblingGroup.code).where(SiblingGroup.id.in_([x.sibling_group_id for x in links]))
    households = select(Household.id, Household.code).where(Household.id.in_([x.household_id for x in links]))
    group_codes = dict(session.execute(groups).all())
    household_codes = dict(session.execute(households).all())
    return [
        LinkLine(
            link=link,
            group=group_codes.get(link.sibling_group_id),
            household=household_codes.get(link.household_id),
            group_agency=names.get(link.group_agency_id, _UNKNOWN),
            household_agency=names.get(link.household_agency_id, _UNKNOWN),
            sides=tuple(
                side
                for side, agency_id in (("children", link.group_agency_id), ("families", link.household_agency_id))
                if agency_id == own
            ),
        )
        for link in links
    ]
