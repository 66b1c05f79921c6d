"""A consortium's rules about fees, from one day on until it says otherwise; and what a swap group's placements carry.

The last rule that began on or before a day holds on it. A rule of one swap group says what its placements carry, and
nothing else; without one they carry what the consortium's rule says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.meeting import require_office
from matching.swap.group import SwapGroup
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid
from tenants.permission import Verb, require

RECORD_KIND = "fee_rule"


class Pricing(StrEnum):
    """Which tariff prices a placement."""

    TARIFF = "tariff"
    STANDARD = "standard"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return "The tariff of whoever is paid" if self is Pricing.TARIFF else "The consortium’s standard fee"


class CountsFrom(StrEnum):
    """Which day chooses the rate, and begins the months."""

    ADOPTIVE_START = "adoptive_start"
    MOVING_IN = "moving_in"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        if self is CountsFrom.ADOPTIVE_START:
            return "The day the placement for adoption begins"
        return "The day the children move in, as fostered first"


class OnDisruption(StrEnum):
    """What becomes of what is not due yet when a placement disrupts before the order."""

    FALL_AWAY = "fall_away"
    STAND = "stand"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return "What isn’t due yet falls away" if self is OnDisruption.FALL_AWAY else "What isn’t due yet stands"


class LegFalls(StrEnum):
    """What becomes of the fee of a swap whose leg falls afterwards."""

    STAYS_WAIVED = "stays_waived"
    CHARGED = "charged"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return "It stays without a fee" if self is LegFalls.STAYS_WAIVED else "The fee is charged after all"


class FeeRule(Base):
    """One rule, as the office set it."""

    __tablename__ = "fee_rule"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    office_id: Mapped[UUID]
    begins_on: Mapped[date]
    swap_group_id: Mapped[UUID | None]
    pricing: Mapped[Pricing | None] = mapped_column(Word(Pricing))
    counts_from: Mapped[CountsFrom | None] = mapped_column(Word(CountsFrom))
    disruption: Mapped[OnDisruption | None] = mapped_column(Word(OnDisruption))
    waives_swaps: Mapped[bool]
    leg_falls: Mapped[LegFalls] = mapped_column(Word(LegFalls))
    why: Mapped[str]
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class FeeRules:
    """What holds in a consortium on a day."""

    pricing: Pricing
    counts_from: CountsFrom
    disruption: OnDisruption
    waives_swaps: bool
    leg_falls: LegFalls
    why: str
    begins_on: date | None = None
    """``None`` where the consortium has said nothing yet."""


@dataclass(frozen=True, slots=True)
class SwapWaiver:
    """What the placements of one swap group carry."""

    waives: bool
    leg_falls: LegFalls
    why: str


class RuleInvalid(Invalid):
    """A rule was described in a way that cannot be kept."""


class RuleTaken(Conflict):
    """Another rule begins on that day."""


def set_rules(session: Session, rules: FeeRules, *, begins_on: date, now: datetime) -> FeeRule:
    """Set the rules of the scope's consortium from a day on.

    :raises OfficeOnly: when the scope's agency is not the consortium's office.
    :raises RuleInvalid: when no reason is given, or the day has passed and placements may have been priced since.
    :raises RuleTaken: when others begin on that day.
    """
    facts = {"pricing": rules.pricing, "counts_from": rules.counts_from, "disruption": rules.disruption}
    waiver = SwapWaiver(rules.waives_swaps, rules.leg_falls, rules.why)
    return _set(session, None, waiver, begins_on=begins_on, now=now, facts=facts)


def set_swap_waiver(
    session: Session, group: SwapGroup, waiver: SwapWaiver, *, begins_on: date, now: datetime
) -> FeeRule:
    """Set what the placements of one swap group carry from a day on.

    :raises DomainError: as :func:`set_rules`.
    """
    return _set(session, group, waiver, begins_on=begins_on, now=now, facts={})


def list_rules(session: Session) -> list[FeeRule]:
    """Return every rule of the scope's consortium, the latest first."""
    require(scope_of(session), Verb.READ_TARIFFS)
    return _rows(session)


def read_rules(session: Session, default: FeeRules, *, on: date) -> FeeRules:
    """Return what holds in the scope's consortium on a day, or ``default`` when it has said nothing."""
    found = next((each for each in _rows(session) if each.swap_group_id is None and each.begins_on <= on), None)
    if found is None or found.pricing is None or found.counts_from is None or found.disruption is None:
        return default
    return FeeRules(
        pricing=found.pricing,
        counts_from=found.counts_from,
        disruption=found.disruption,
        waives_swaps=found.waives_swaps,
        leg_falls=found.leg_falls,
        why=found.why,
        begins_on=found.begins_on,
    )


def read_swap_waiver(session: Session, rules: FeeRules, swap_group_id: UUID, *, on: date) -> SwapWaiver:
    """Return what a swap group's placements carry on a day: by its own rule, or by the consortium's."""
    found = next(
        (each for each in _rows(session) if each.swap_group_id == swap_group_id and each.begins_on <= on), None
    )
    if found is None:
        return SwapWaiver(rules.waives_swaps, rules.leg_falls, rules.why)
    return SwapWaiver(found.waives_swaps, found.leg_falls, found.why)


def _rows(session: Session) -> list[FeeRule]:
    query = select(FeeRule).where(FeeRule.consortium_id == scope_of(session).consortium_id)
    return list(session.scalars(query.order_by(FeeRule.begins_on.desc(), FeeRule.id)))


def _set(
    session: Session,
    group: SwapGroup | None,
    waiver: SwapWaiver,
    *,
    begins_on: date,
    now: datetime,
    facts: dict[str, StrEnum],
) -> FeeRule:
    scope = scope_of(session)
    require(scope, Verb.KEEP_TARIFFS)
    require_office(session)
    if scope.consortium_id is None or scope.agency_id is None:
        raise RuleInvalid("Choose the consortium you work for first.")
    if not waiver.why.strip() or len(waiver.why) > 2000:
        raise RuleInvalid("Say who decided it and why, in at most 2,000 letters.", about="why")
    if begins_on < now.date() and any(each.swap_group_id == (group.id if group else None) for each in _rows(session)):
        raise RuleInvalid("That day has passed, and placements were priced by the rule of then. Choose today or later.")
    rule = FeeRule(
        id=uuid4(),
        consortium_id=scope.consortium_id,
        office_id=scope.agency_id,
        begins_on=begins_on,
        swap_group_id=group.id if group else None,
        waives_swaps=waiver.waives,
        leg_falls=waiver.leg_falls,
        why=waiver.why.strip(),
        made_by=scope.person_id,
        made_at=now,
        **facts,
    )
    try:
        with session.begin_nested():
            session.add(rule)
            session.flush()
    except IntegrityError:
        raise RuleTaken("Rules begin on that day already. Choose another day.") from None
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=rule.id, now=now)
    return rule
