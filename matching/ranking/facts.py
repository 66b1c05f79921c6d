"""The facts a ranking reads: plain values, no database, nothing that identifies anyone.

Fees, costs and swap balances are not among them, and must never be (guidance 4.19).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from matching.need import Answer, NeedLevel, Tolerance, YesNo


class Sex(StrEnum):
    """A child's sex as recorded."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class SexApproved(StrEnum):
    """Which children a household is approved for."""

    ANY = "any"
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class LegalPosition(StrEnum):
    """Where the sibling group stands in law."""

    CONSENT = "consent"
    ORDER_GRANTED = "order_granted"
    ORDER_APPLIED = "order_applied"
    CONTESTED = "contested"
    APPEAL = "appeal"
    UNKNOWN = "unknown"


class ContactKind(StrEnum):
    """The kinds of contact a plan may ask of a family."""

    LETTERBOX = "letterbox"
    DIRECT = "direct"
    SIBLINGS = "siblings"


class DistanceBand(StrEnum):
    """How far apart two outward-code centres are, coarsely; never a distance."""

    NEAR = "near"
    REGION = "region"
    FAR = "far"
    VERY_FAR = "very_far"
    UNKNOWN = "unknown"


class Exclusion(StrEnum):
    """What a group's exclusion areas say of a household's area."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class ChildFacts:
    """One child of a sibling group. ``birth_month`` is the first of the month of birth, or of the due date."""

    birth_month: date | None
    sex: Sex
    needs: Mapping[str, NeedLevel]


_UNRECORDED = ChildFacts(birth_month=None, sex=Sex.UNKNOWN, needs={})


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A sibling group: the unit of match. A need, or a contact kind, that is absent is unknown."""

    id: UUID
    code: str
    agency_id: UUID
    children: tuple[ChildFacts, ...]
    legal_position: LegalPosition = LegalPosition.UNKNOWN
    early_permanence: YesNo = YesNo.UNKNOWN
    contact: Mapping[ContactKind, YesNo] = field(default_factory=dict)
    must_be_youngest: YesNo = YesNo.UNKNOWN
    must_be_only: YesNo = YesNo.UNKNOWN
    no_pets: YesNo = YesNo.UNKNOWN
    smoke_free: YesNo = YesNo.UNKNOWN
    heritage: frozenset[str] = frozenset()
    religions: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    cultures: frozenset[str] = frozenset()
    adopters_hoped_for: int | None = None
    experience_needed: YesNo = YesNo.UNKNOWN
    training_needed: YesNo = YesNo.UNKNOWN
    parent_at_home_needed: YesNo = YesNo.UNKNOWN
    support_needed: YesNo = YesNo.UNKNOWN
    waiting_since: date | None = None

    @property
    def compared_children(self) -> tuple[ChildFacts, ...]:
        """Return the children; where none is recorded, one of whom nothing is known."""
        return self.children or (_UNRECORDED,)


@dataclass(frozen=True, slots=True)
class HouseholdFacts:
    """An adopter household as its summary shows it. Ages are months, both ends included."""

    id: UUID
    code: str
    agency_id: UUID
    age_from_months: int | None = None
    age_to_months: int | None = None
    fewest_children: int | None = None
    most_children: int | None = None
    sex_approved: SexApproved = SexApproved.UNKNOWN
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    legal: Mapping[LegalPosition, Answer] = field(default_factory=dict)
    early_permanence_approved: YesNo = YesNo.UNKNOWN
    contact: Mapping[ContactKind, Answer] = field(default_factory=dict)
    children_at_home: int | None = None
    youngest_at_home: date | None = None
    pets: YesNo = YesNo.UNKNOWN
    smokers: YesNo = YesNo.UNKNOWN
    heritage: frozenset[str] = frozenset()
    religions: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    cultures: frozenset[str] = frozenset()
    adopters: int | None = None
    experience: YesNo = YesNo.UNKNOWN
    training: YesNo = YesNo.UNKNOWN
    parent_at_home: YesNo = YesNo.UNKNOWN
    support_nearby: YesNo = YesNo.UNKNOWN
    available_from: date | None = None
    approved_on: date | None = None


@dataclass(frozen=True, slots=True)
class PairPlace:
    """What may be known of where two records are, relative to each other."""

    band: DistanceBand = DistanceBand.UNKNOWN
    exclusion: Exclusion = Exclusion.ASK
