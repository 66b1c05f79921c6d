"""What time alone does to agreements, looked at once a day: swaps fall or stay without a balance, agreements end.

In the scope of the children's agency: it alone sees all of its own legs of a swap group, in and out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.fee.agreement import AgreementState, FeeAgreement
from matching.fee.drafting import end_if_over
from matching.fee.event import FeeEventKind, record_event
from matching.fee.rule import LegFalls
from matching.swap.account import JudgedPlacement, judge_placements
from matching.swap.balance import LegState, settle
from matching.swap.group import SwapGroup
from tenants.database import scope_of

TENDING_JOB = "fee_tending"
"""Look at an agency's agreements, once a day."""


@dataclass(frozen=True, slots=True)
class Tended:
    """How many swaps fell or stayed without a balance, and how many agreements ended."""

    legs: int
    ended: int


def tend_agreements(session: Session, *, now: datetime) -> Tended:
    """Look at the agreements of the scope's agency's children; looking again does nothing twice."""
    agreements = _agreements(session)
    legs = 0
    waived: dict[UUID, list[FeeAgreement]] = {}
    for agreement in agreements:
        if agreement.waived and agreement.swap_group_id is not None:
            waived.setdefault(agreement.swap_group_id, []).append(agreement)
    for group_id in sorted(waived):
        group = session.get(SwapGroup, group_id)
        if group is not None:
            legs += _look_at_legs(session, group, waived[group_id], now=now)
    ended = 0
    for agreement in agreements:
        if end_if_over(agreement, on=now.date()):
            agreement.version += 1
            ended += 1
    session.flush()
    return Tended(legs, ended)


def _agreements(session: Session) -> list[FeeAgreement]:
    scope = scope_of(session)
    query = (
        select(FeeAgreement)
        .where(
            FeeAgreement.authority_agency_id == scope.agency_id,
            FeeAgreement.consortium_id == scope.consortium_id,
            FeeAgreement.state.in_((AgreementState.IN_FORCE, AgreementState.ENDED, AgreementState.DRAFTED)),
            FeeAgreement.placed_on.is_not(None),
        )
        .order_by(FeeAgreement.placed_on, FeeAgreement.reference)
        .with_for_update(key_share=True)
    )
    return list(session.scalars(query))


def _look_at_legs(session: Session, group: SwapGroup, agreements: Iterable[FeeAgreement], *, now: datetime) -> int:
    judged = judge_placements(session, group)
    standings = {each.leg.id: each for each in settle(group.rule, [j.leg for j in judged if j.leg], on=now.date())}
    told, taken = 0, set[UUID]()
    for agreement in agreements:
        placed = _placement_of(agreement, judged, taken)
        if placed is None:
            continue
        taken.add(placed.id)
        standing = standings.get(placed.id)
        if standing is None:
            told += _tell(session, agreement, FeeEventKind.LEG_FALLEN, on=agreement.disrupted_on, now=now)
        elif standing.state is LegState.FEE_DUE:
            told += _tell(session, agreement, FeeEventKind.LEG_UNBALANCED, on=standing.since, now=now)
    return told


def _placement_of(
    agreement: FeeAgreement, judged: Iterable[JudgedPlacement], taken: set[UUID]
) -> JudgedPlacement | None:
    """Return an agreement's placement: by its link, or, once that is gone, one between the two that began that day.

    Which of several alike it is makes no difference.
    """
    if agreement.link_id is not None:
        return next((each for each in judged if each.id == agreement.link_id), None)
    for each in judged:
        sides = (each.children_agency_id, each.family_agency_id)
        if (
            each.leg is not None
            and each.id not in taken
            and sides == (agreement.authority_agency_id, agreement.payee_agency_id)
            and agreement.placed_on in (each.leg.on, each.moved_in_on)
        ):
            return each
    return None


def _tell(session: Session, agreement: FeeAgreement, kind: FeeEventKind, *, on: date | None, now: datetime) -> int:
    rule = (agreement.leg_falls or LegFalls.STAYS_WAIVED).value
    facts = {"rule": rule} if kind is FeeEventKind.LEG_FALLEN else None
    event = record_event(session, agreement, kind, key=kind.value, happened_on=on or now.date(), facts=facts, now=now)
    return int(event.recorded_at == now)
