"""Where a brother or sister already lives: adopters of a sibling see a new sibling first (guidance 4.12).

It is the children's agency's own word, by the household's code, and is never inferred. Two agencies alone may read
it, the children's and the household's: to anyone else it would tie a placed child to a home.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household
from matching.sibling_group import SiblingGroup
from tenants.base import Base


class SiblingPlacement(Base):
    """The household that a brother or sister of a group lives with."""

    __tablename__ = "sibling_placement"

    sibling_group_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    household_code: Mapped[str]


def find_sibling_household_code(session: Session, group: SiblingGroup) -> str | None:
    """Return the code of the household that a brother or sister lives with, where this scope may know it."""
    return session.scalar(select(SiblingPlacement.household_code).where(SiblingPlacement.sibling_group_id == group.id))


def find_sibling_household(session: Session, group: SiblingGroup) -> Household | None:
    """Return that household, where this scope may know of it and sees it, whether or not it waits."""
    return session.scalar(
        select(Household)
        .join(SiblingPlacement, SiblingPlacement.household_code == Household.code)
        .where(SiblingPlacement.sibling_group_id == group.id)
    )


def list_groups_with_sibling_in(session: Session, household: Household) -> list[SiblingGroup]:
    """Return the groups with a sibling in a household, as far as this scope may know, longest waiting first."""
    query = (
        select(SiblingGroup)
        .join(SiblingPlacement, SiblingPlacement.sibling_group_id == SiblingGroup.id)
        .where(SiblingPlacement.household_code == household.code)
        .order_by(SiblingGroup.waiting_since.asc().nulls_last(), SiblingGroup.code)
    )
    return list(session.scalars(query))


def sibling_household_codes(session: Session, group_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return those codes by group, of the groups of which this scope may know one."""
    query = select(SiblingPlacement).where(SiblingPlacement.sibling_group_id.in_(group_ids))
    return {each.sibling_group_id: each.household_code for each in session.scalars(query)}
