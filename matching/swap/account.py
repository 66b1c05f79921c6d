"""What a swap group's members owe one another, as the scope may see it: legs, balances, and the list behind each.

Members see what is between themselves and each other member, the same from both sides; the office sees all of it. All
of it is worked out anew from placements, whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.placement.tally import Ages, PlacedFacts
from matching.swap.balance import Balance, Leg, LegStanding, agency_balances, pair_balances, settle
from matching.swap.group import RECORD_KIND, SwapGroup, list_members
from matching.swap.rule import Follow, judge
from tenants import audit
from tenants.database import scope_of

_PLACEMENTS = text("SELECT * FROM swap_placements(:wanted) ORDER BY moved_in_on, id")
HIDDEN = "A placement that you are shut out of; it counts like any other."


@dataclass(frozen=True, slots=True)
class JudgedPlacement:
    """One placement between members: whose, when, how many children, and why it is a leg or not."""

    id: UUID
    children_agency_id: UUID
    family_agency_id: UUID
    moved_in_on: date
    children: int
    words: str
    leg: Leg | None
    period: str
    """The name of the swap group in whose period it was judged."""


@dataclass(frozen=True, slots=True)
class PairAccount:
    """What is between two members, from the first one's side."""

    agency_id: UUID
    other_id: UUID
    balance: Balance


@dataclass(frozen=True, slots=True)
class SwapAccount:
    """A swap group's whole account as one scope sees it."""

    group: SwapGroup
    names: dict[UUID, str]
    placements: tuple[JudgedPlacement, ...]
    standings: tuple[LegStanding, ...]
    pairs: tuple[PairAccount, ...]
    agencies: dict[UUID, Balance]
    whole: bool
    """Whether it holds what is between all members, not the scope's own agency's alone."""


def read_account(session: Session, group: SwapGroup, *, now: datetime) -> SwapAccount:
    """Return a swap group's account on today's day, and put the look on record."""
    scope = scope_of(session)
    names = {member.agency_id: name for member, name in list_members(session, group) if member.agreed_on}
    judged = judge_placements(session, group)
    legs = [each.leg for each in judged if each.leg is not None]
    whole = scope.agency_id == group.office_id
    audit.record(
        session, audit.Act.READ, record_kind=RECORD_KIND, record_id=group.id, level=audit.Level.SUMMARY, now=now
    )
    pairs = sorted(
        (PairAccount(a, b, balance) for (a, b), balance in pair_balances(legs).items()),
        key=lambda pair: (names.get(pair.agency_id, ""), names.get(pair.other_id, "")),
    )
    own = {scope.agency_id: names[scope.agency_id]} if scope.agency_id in names else {}
    return SwapAccount(
        group=group,
        names=names,
        placements=tuple(judged),
        standings=tuple(
            each
            for each in settle(group.rule, legs, on=now.date())
            if whole or each.leg.children_agency_id == scope.agency_id
        ),
        pairs=tuple(pair for pair in pairs if whole or pair.agency_id == scope.agency_id),
        agencies={
            agency: balance
            for agency, balance in agency_balances(legs, names if whole else own).items()
            if whole or agency == scope.agency_id
        },
        whole=whole,
    )


def judge_placements(session: Session, group: SwapGroup) -> list[JudgedPlacement]:
    """Return the placements of this period that the scope's agency may hear of, after those of the one carried on."""
    earlier: list[JudgedPlacement] = []
    before = session.get(SwapGroup, group.carries_id) if group.carries_id is not None else None
    if before is not None and before.follow is Follow.CARRY_FORWARD:
        earlier = judge_placements(session, before)
    members = {each.agency_id: each.agreed_on for each, _ in list_members(session, group) if each.agreed_on}
    own = [_judge(group, row, members) for row in _rows(session, group)]
    return [*(each for each in earlier if each.leg is not None), *own]


def _rows(session: Session, group: SwapGroup) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(_PLACEMENTS, {"wanted": group.id}).mappings()]


def _judge(group: SwapGroup, row: Mapping[str, Any], members: Mapping[UUID, date]) -> JudgedPlacement:
    facts = {key: value for key, value in row.items() if key not in {"ages", "shown"}}
    placed = PlacedFacts(**facts, ages=tuple(Ages(*each) for each in row["ages"]))
    judgement = judge(group.rule, placed, members)
    words = judgement.words if row["shown"] else HIDDEN
    leg = None
    if judgement.fires and judgement.on is not None:
        leg = Leg(
            id=placed.id,
            children_agency_id=placed.group_agency_id,
            family_agency_id=placed.household_agency_id,
            on=judgement.on,
            children=len(placed.ages),
            words=words,
        )
    return JudgedPlacement(
        id=placed.id,
        children_agency_id=placed.group_agency_id,
        family_agency_id=placed.household_agency_id,
        moved_in_on=placed.moved_in_on,
        children=len(placed.ages),
        words=words,
        leg=leg,
        period=group.name,
    )
