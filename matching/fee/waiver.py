"""Whether a swap group's rule makes a placement a swap, which carries no fee: by the swap's own rule, in its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.fee.rule import FeeRules, LegFalls, read_swap_waiver
from matching.placement.placement import Placement, PlacementChild
from matching.placement.tally import Ages, PlacedFacts
from matching.swap.group import SwapGroup, SwapMember
from matching.swap.rule import judge
from tenants.database import scope_of


@dataclass(frozen=True, slots=True)
class Waived:
    """That a placement is a swap, or why it is not one; ``words`` are empty where no swap group is of both agencies."""

    words: str = ""
    swap_group_id: UUID | None = None
    leg_falls: LegFalls | None = None

    @property
    def holds(self) -> bool:
        """Say whether nothing is paid."""
        return self.leg_falls is not None


def find_waiver(
    session: Session, placement: Placement, children: Sequence[PlacementChild], rules: FeeRules, *, on: date
) -> Waived:
    """Return whether a placement that begins on a day is a swap, as the scope's agency's swap groups say.

    Before the children have moved in it is judged as if that were on this day, and they as old as at the match.
    """
    groups = _groups_of_both(session, placement)
    if not groups:
        return Waived()
    placed = _facts(placement, children, on=on)
    looks = "" if placement.adoptive_start_on is not None else " This is how it looks now: the day itself decides."
    words = []
    for group, members in groups:
        waiver = read_swap_waiver(session, rules, group.id, on=on)
        judgement = judge(group.rule, placed, members)
        if judgement.fires and waiver.waives:
            return Waived(
                f"No fee: by the rule of “{group.name}” this is a swap. {judgement.words}{looks}",
                group.id,
                waiver.leg_falls,
            )
        words.append(
            f"“{group.name}”: {judgement.words}"
            if not judgement.fires
            else f"“{group.name}”: a swap, but by the consortium’s rule its swaps carry a fee. {waiver.why}"
        )
    return Waived(f"{' '.join(('Not without a fee.', *words))}{looks}")


def _groups_of_both(session: Session, placement: Placement) -> list[tuple[SwapGroup, dict[UUID, date]]]:
    query = select(SwapGroup).where(SwapGroup.consortium_id == scope_of(session).consortium_id)
    groups = list(session.scalars(query.order_by(SwapGroup.begins_on, SwapGroup.name, SwapGroup.id)))
    members: dict[UUID, dict[UUID, date]] = {each.id: {} for each in groups}
    agreed = select(SwapMember).where(SwapMember.swap_group_id.in_(members), SwapMember.agreed_on.is_not(None))
    for member in session.scalars(agreed):
        if member.agreed_on is not None:
            members[member.swap_group_id][member.agency_id] = member.agreed_on
    both = {placement.group_agency_id, placement.household_agency_id}
    return [(each, members[each.id]) for each in groups if both <= set(members[each.id])]


def _facts(placement: Placement, children: Sequence[PlacementChild], *, on: date) -> PlacedFacts:
    ages = [Ages(each.months_matched, each.months_moved_in, each.months_adoptive) for each in children]
    if placement.adoptive_start_on is None:
        ages = [replace(each, moved_in=each.moved_in or each.matched, adoptive=each.matched) for each in ages]
    return PlacedFacts(
        id=placement.link_id,
        consortium_id=placement.consortium_id,
        group_agency_id=placement.group_agency_id,
        household_agency_id=placement.household_agency_id,
        matched_on=placement.matched_on,
        moved_in_on=placement.moved_in_on or on,
        adoptive_start_on=placement.adoptive_start_on or on,
        ordered_on=placement.ordered_on,
        disrupted_on=placement.disrupted_on,
        ages=tuple(ages),
    )
