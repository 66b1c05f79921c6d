"""Swap groups: a named subset of a consortium's agencies that swap, with a period and a rule as data.

The consortium's office makes one and asks agencies in; each agency's manager agrees for it, and its placements count
from that day. What members owe one another is worked out from placements each time and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.meeting import require_office
from matching.swap.rule import Basis, Disruption, Follow, SwapRule
from tenants import audit
from tenants.agency import Agency
from tenants.base import Base, Id, Word
from tenants.consortium import ConsortiumMember
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require

RECORD_KIND = "swap_group"


class SwapGroup(Base):
    """One swap group and its rule."""

    __tablename__ = "swap_group"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    office_id: Mapped[UUID]
    name: Mapped[str]
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]
    basis: Mapped[Basis] = mapped_column(Word(Basis))
    under_years: Mapped[int]
    disruption: Mapped[Disruption] = mapped_column(Word(Disruption))
    follow: Mapped[Follow] = mapped_column(Word(Follow))
    follow_months: Mapped[int | None]
    within_points: Mapped[int]
    """How far below the best of a group's list a family may be to count for a plan."""
    bound: Mapped[int]
    """How far a plan may take an agency's balance from nothing, in placements."""
    carries_id: Mapped[UUID | None]
    """The swap group of an earlier period whose balances this one carries on."""
    made_at: Mapped[datetime]
    made_by: Mapped[UUID | None]

    @property
    def rule(self) -> SwapRule:
        """Return the rule by which placements become legs."""
        return SwapRule(
            begins_on=self.begins_on,
            ends_on=self.ends_on,
            basis=self.basis,
            under_years=self.under_years,
            disruption=self.disruption,
            follow=self.follow,
            follow_months=self.follow_months,
        )


class SwapMember(Base):
    """An agency asked into a swap group; a member from the day that its manager agreed."""

    __tablename__ = "swap_member"

    swap_group_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    consortium_id: Mapped[UUID]
    office_id: Mapped[UUID]
    asked_at: Mapped[datetime]
    agreed_on: Mapped[date | None]
    agreed_by: Mapped[UUID | None]


class SwapGroupUnknown(NotFound):
    """The scope's agency is in no such swap group."""


class SwapGroupInvalid(Invalid):
    """A swap group was described in a way that cannot be kept."""


class SwapGroupNameTaken(Conflict):
    """Another swap group of the consortium has that name."""


class NotAsked(NotFound):
    """The scope's agency has not been asked into the swap group, or has agreed already."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the office settles when it makes a swap group."""

    name: str
    rule: SwapRule
    within_points: int = 10
    bound: int = 1
    carries_id: UUID | None = None


def make_swap_group(session: Session, terms: Terms, *, agency_ids: Collection[UUID], now: datetime) -> SwapGroup:
    """Make a swap group of the scope's consortium and ask agencies in.

    :raises OfficeOnly: when the scope's agency is not the consortium's office.
    :raises SwapGroupInvalid: when there are under two agencies, one is not of the consortium, or the terms cannot be.
    :raises SwapGroupNameTaken: when the name is in use.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_SWAPS)
    require_office(session)
    if scope.consortium_id is None or scope.agency_id is None:
        raise SwapGroupInvalid("Choose the consortium you work for first.")
    asked = _members_asked(session, agency_ids)
    _check(session, terms)
    rule = terms.rule
    group = SwapGroup(
        id=uuid4(),
        consortium_id=scope.consortium_id,
        office_id=scope.agency_id,
        name=terms.name.strip(),
        begins_on=rule.begins_on,
        ends_on=rule.ends_on,
        basis=rule.basis,
        under_years=rule.under_years,
        disruption=rule.disruption,
        follow=rule.follow,
        follow_months=rule.follow_months,
        within_points=terms.within_points,
        bound=terms.bound,
        carries_id=terms.carries_id,
        made_at=now,
        made_by=scope.person_id,
    )
    try:
        with session.begin_nested():
            session.add(group)
            session.flush()
    except IntegrityError:
        raise SwapGroupNameTaken(f"There is a swap group called “{group.name}” already. Choose another name.") from None
    where = {"consortium_id": group.consortium_id, "office_id": group.office_id}
    session.add_all(SwapMember(swap_group_id=group.id, agency_id=each, asked_at=now, **where) for each in sorted(asked))
    session.flush()
    audit.record(session, audit.Act.ADD, record_kind=RECORD_KIND, record_id=group.id, now=now)
    return group


def agree(session: Session, group: SwapGroup, *, now: datetime) -> SwapMember:
    """Take the scope's agency into the swap group from today on, by its manager's word.

    :raises NotAsked: when it has not been asked, or has agreed already.
    """
    scope = scope_of(session)
    require(scope, Verb.AGREE_SWAPS)
    changed = session.execute(
        update(SwapMember)
        .where(
            SwapMember.swap_group_id == group.id,
            SwapMember.agency_id == scope.agency_id,
            SwapMember.agreed_on.is_(None),
        )
        .values(agreed_on=now.date(), agreed_by=scope.person_id)
        .returning(SwapMember.agency_id)
    ).first()
    if changed is None:
        raise NotAsked("Your agency is not asked to agree to this swap group. Look at the page again.")
    audit.record(session, audit.Act.APPROVE, record_kind=RECORD_KIND, record_id=group.id, now=now)
    return session.get_one(SwapMember, (group.id, scope.agency_id), populate_existing=True)


def end_swap_group(session: Session, group: SwapGroup, *, ends_on: date, now: datetime) -> SwapGroup:
    """Set the last day of a swap group's period; what is open then follows its rule.

    :raises OfficeOnly: when the scope's agency is not the consortium's office.
    :raises SwapGroupInvalid: when the day lies before the first, has passed, or lies in the period that carries it on.
    """
    require(scope_of(session), Verb.KEEP_SWAPS)
    require_office(session)
    if ends_on < max(group.begins_on, now.date()):
        raise SwapGroupInvalid(
            "The last day cannot have passed, nor lie before the first. Choose today or a later day."
        )
    # A placement counts in one period of those that carry one another on, never in two.
    later = session.scalar(select(SwapGroup.begins_on).where(SwapGroup.carries_id == group.id).order_by("begins_on"))
    if later is not None and ends_on >= later:
        raise SwapGroupInvalid(f"The period that carries this one on begins on {later:%d/%m/%Y}. Choose a day before.")
    group.ends_on = ends_on
    session.flush()
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=group.id, now=now)
    return group


def get_swap_group(session: Session, swap_group_id: UUID) -> SwapGroup:
    """Return a swap group that the scope's agency made or is asked into.

    :raises SwapGroupUnknown: when there is none.
    """
    scope = scope_of(session)
    require(scope, Verb.READ_SWAPS)
    found = session.scalar(_own(scope.agency_id).where(SwapGroup.id == swap_group_id))
    if found is None:
        raise SwapGroupUnknown("Your agency is in no such swap group.")
    return found


def find_swap_group(session: Session, name: str | None) -> SwapGroup:
    """Return the swap group of a name, or the only one, that the scope's agency made or is asked into.

    :raises SwapGroupUnknown: when there is none, or there are several and none is named.
    """
    found = [each for each in list_swap_groups(session) if name is None or each.name == name]
    if len(found) != 1:
        known = ", ".join(f"“{each.name}”" for each in list_swap_groups(session))
        raise SwapGroupUnknown(f"Name one of your agency’s swap groups: {known or 'it is in none'}.")
    return found[0]


def list_swap_groups(session: Session) -> list[SwapGroup]:
    """Return the swap groups that the scope's agency made or is asked into, the latest period first."""
    scope = scope_of(session)
    require(scope, Verb.READ_SWAPS)
    return list(
        session.scalars(_own(scope.agency_id).order_by(SwapGroup.begins_on.desc(), SwapGroup.name, SwapGroup.id))
    )


def list_members(session: Session, group: SwapGroup) -> list[tuple[SwapMember, str]]:
    """Return who was asked into a swap group, with the agencies' names, by name."""
    query = (
        select(SwapMember, Agency.name)
        .join(Agency, Agency.id == SwapMember.agency_id)
        .where(SwapMember.swap_group_id == group.id)
        .order_by(Agency.name, Agency.id)
    )
    return [(member, name) for member, name in session.execute(query)]


def _own(agency_id: UUID | None) -> Select[SwapGroup]:
    asked = select(SwapMember.swap_group_id).where(SwapMember.agency_id == agency_id)
    return select(SwapGroup).where((SwapGroup.office_id == agency_id) | SwapGroup.id.in_(asked))


def _members_asked(session: Session, agency_ids: Collection[UUID]) -> set[UUID]:
    scope = scope_of(session)
    query = select(ConsortiumMember.agency_id).where(
        ConsortiumMember.consortium_id == scope.consortium_id, ConsortiumMember.agency_id.in_(agency_ids)
    )
    asked = set(session.scalars(query)) - {scope.agency_id}
    if len(asked) < 2 or asked != set(agency_ids):
        raise SwapGroupInvalid("Choose two or more member agencies; the consortium’s office itself swaps nothing.")
    return {each for each in asked if each is not None}


def _check(session: Session, terms: Terms) -> None:
    rule = terms.rule
    if not terms.name.strip() or len(terms.name) > 100:
        raise SwapGroupInvalid("Give the swap group a name of at most 100 letters.")
    if rule.ends_on is not None and rule.ends_on < rule.begins_on:
        raise SwapGroupInvalid("The last day cannot lie before the first.")
    if not 1 <= rule.under_years <= 18:
        raise SwapGroupInvalid("The age must be between 1 and 18 years.")
    if (rule.follow is Follow.STANDARD_FEE) is not (rule.follow_months is not None):
        raise SwapGroupInvalid("Say after how many months the standard fee is due, for that rule alone.")
    if rule.follow_months is not None and not 1 <= rule.follow_months <= 60:
        raise SwapGroupInvalid("The months must be between 1 and 60.")
    if not (0 <= terms.within_points <= 100 and 0 <= terms.bound <= 100):
        raise SwapGroupInvalid("Points and the bound lie between 0 and 100.")
    if terms.carries_id is not None:
        earlier = get_swap_group(session, terms.carries_id)
        if earlier.ends_on is None or earlier.ends_on >= rule.begins_on:
            raise SwapGroupInvalid("Only a period that ends before this one begins can be carried on.")
