"""The days of an agency's own children that the scorecard's measures count, one line for each child."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.monitoring.scorecard import Journey
from matching.placement.placement import list_placed_children, list_placements
from matching.placement.tally import PlacedFacts
from matching.sibling_group import ChildIdentity, SiblingGroup, open_child
from tenants.database import scope_of


def list_journeys(session: Session, placed: Sequence[PlacedFacts]) -> list[Journey]:
    """Return the journeys of the scope's agency's children who were matched, in the order of placements.

    What is sealed is told apart from everything else: of those children the two later days are all that is known.
    """
    own = scope_of(session).agency_id
    placements = [each for each in list_placements(session) if each.group_agency_id == own]
    children = list_placed_children(session, [each.link_id for each in placements])
    entered = _entered_care(session, [child.child_id for each in children.values() for child in each])
    ordered = _placement_orders(session, [each.sibling_group_id for each in placements])
    found = [
        Journey(entered.get(child.child_id), ordered.get(each.sibling_group_id), each.matched_on, each.moved_in_on)
        for each in placements
        for child in children[each.link_id]
    ]
    known = {each.link_id for each in placements}
    sealed = [each for each in placed if each.group_agency_id == own and each.id not in known]
    return found + [Journey(None, None, each.matched_on, each.moved_in_on) for each in sealed for _ in each.ages]


def _entered_care(session: Session, child_ids: Sequence[UUID]) -> dict[UUID, date]:
    rows = session.scalars(select(ChildIdentity).where(ChildIdentity.child_id.in_(child_ids)))
    named = {row.child_id: open_child(session, row).entered_care_on for row in rows}
    return {child_id: date.fromisoformat(day) for child_id, day in named.items() if day}


def _placement_orders(session: Session, group_ids: Sequence[UUID]) -> dict[UUID, date | None]:
    query = select(SiblingGroup.id, SiblingGroup.placement_order_on).where(SiblingGroup.id.in_(group_ids))
    return dict(session.execute(query).all())
