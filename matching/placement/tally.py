"""Placements as plain facts, for whoever counts them: swaps, fees, timeliness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matching.placement.placement import Placement, PlacementChild, list_placed_children, list_placements
from matching.sealing.record import SealedPlacement
from tenants.database import scope_of


@dataclass(frozen=True, slots=True)
class Ages:
    """A child's age in completed months on the days that rules may count from; ``None`` where it is not known."""

    matched: int | None
    moved_in: int | None
    adoptive: int | None


@dataclass(frozen=True, slots=True)
class PlacedFacts:
    """A placement in which the children moved in: who, when, how old. ``id`` says nothing of whose it is."""

    id: UUID
    consortium_id: UUID
    group_agency_id: UUID
    household_agency_id: UUID
    matched_on: date | None
    moved_in_on: date
    adoptive_start_on: date | None
    ordered_on: date | None
    disrupted_on: date | None
    ages: tuple[Ages, ...]
    """One for each child, in the order of their group."""


def list_placed(session: Session) -> list[PlacedFacts]:
    """Return the placements of the scope's consortium on either side of which its agency is, by day of moving in.

    Those that are sealed count on, under another id.
    """
    placements = list_placements(session, moved_in=True)
    children = list_placed_children(session, [each.link_id for each in placements])
    found = [_facts(each, each.moved_in_on, children[each.link_id]) for each in placements if each.moved_in_on]
    found += [_sealed(each) for each in _list_sealed(session)]
    return sorted(found, key=lambda facts: (facts.moved_in_on, facts.id))


def _list_sealed(session: Session) -> list[SealedPlacement]:
    scope, table = scope_of(session), SealedPlacement
    ours = or_(table.group_agency_id == scope.agency_id, table.household_agency_id == scope.agency_id)
    return list(session.scalars(select(table).where(ours, table.consortium_id == scope.consortium_id)))


def _sealed(sealed: SealedPlacement) -> PlacedFacts:
    return PlacedFacts(
        id=sealed.id,
        consortium_id=sealed.consortium_id,
        group_agency_id=sealed.group_agency_id,
        household_agency_id=sealed.household_agency_id,
        matched_on=sealed.matched_on,
        moved_in_on=sealed.moved_in_on,
        adoptive_start_on=sealed.adoptive_start_on,
        ordered_on=sealed.ordered_on,
        disrupted_on=None,
        ages=tuple(Ages(*months) for months in sealed.ages),
    )


def _facts(placement: Placement, moved_in_on: date, children: list[PlacementChild]) -> PlacedFacts:
    return PlacedFacts(
        id=placement.link_id,
        consortium_id=placement.consortium_id,
        group_agency_id=placement.group_agency_id,
        household_agency_id=placement.household_agency_id,
        matched_on=placement.matched_on,
        moved_in_on=moved_in_on,
        adoptive_start_on=placement.adoptive_start_on,
        ordered_on=placement.ordered_on,
        disrupted_on=placement.disrupted_on,
        ages=tuple(Ages(each.months_matched, each.months_moved_in, each.months_adoptive) for each in children),
    )
