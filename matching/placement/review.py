"""Reviews of a placement: when each is due, reckoned, and whether it was held.

The first is due within four weeks of the day the children are placed for adoption, the next within three months of it,
those after that within six months of the one before, until the order (Adoption Agencies Regulations 2005, regulation
36; Statutory Guidance on Adoption 2013, paragraph 5.35). A review that was not held in time has a reason (4.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.placement.placement import (
    Placement,
    PlacementInvalid,
    list_placements,
    lock_placement,
    note_change,
    require_childrens_agency,
)
from matching.sealed_words import tidy
from matching.sibling_group import SiblingGroup
from tenants import audit
from tenants.base import Base
from tenants.database import scope_of
from tenants.permission import Verb, require

FIRST_AFTER = timedelta(weeks=4)
SECOND_AFTER_MONTHS = 3
NEXT_AFTER_MONTHS = 6
_SOON = timedelta(weeks=2)


class PlacementReview(Base):
    """What came of one review: held, and when, or not, and why."""

    __tablename__ = "placement_review"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    due_on: Mapped[date]
    held_on: Mapped[date | None]
    why: Mapped[str | None]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    recorded_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Review:
    """One review of a placement as it stands: ``why`` says why it was late or is not held."""

    number: int
    due_on: date
    held_on: date | None = None
    why: str | None = None

    def missed(self, on: date) -> bool:
        """Say whether it was not held by the day it was due."""
        return self.held_on > self.due_on if self.held_on else on > self.due_on

    def wants_reason(self, on: date) -> bool:
        """Say whether it was missed and nobody has said why."""
        return self.why is None and self.missed(on)


@dataclass(frozen=True, slots=True)
class DueReview:
    """A review that is due soon or overdue, with the code of the children's group."""

    link_id: UUID
    code: str
    review: Review


def due_days(start: date, held: Sequence[date | None]) -> list[date]:
    """Return when each review is due: one for each in ``held``, in order, and the next.

    A review that was held moves those after it; one that was not leaves them where they were. Months are counted from
    the last that was held, so that a short month on the way shortens no later one: from 31 August come 30 November and
    31 May.

    :param start: the day on which the children were placed for adoption.
    """
    # Months are counted from an anchor: the first review, or the last that was held since.
    due = [start + FIRST_AFTER]
    anchor, months = held[0] if held and held[0] else due[0], 0
    for number in range(1, len(held) + 1):
        months += SECOND_AFTER_MONTHS if number == 1 else NEXT_AFTER_MONTHS
        due.append(anchor + relativedelta(months=months))
        held_on = held[number] if number < len(held) else None
        if held_on is not None:
            anchor, months = held_on, 0
    return due


def reviews_of(placement: Placement, kept: Iterable[PlacementReview]) -> list[Review]:
    """Return a placement's reviews, those on record and, while it goes on, the next; none before it has begun."""
    start, rows = placement.adoptive_start_on, sorted(kept, key=lambda row: row.number)
    if start is None:
        return []
    due = due_days(start, [row.held_on for row in rows])
    reviews = [Review(row.number, row.due_on, row.held_on, row.why) for row in rows]
    return reviews if placement.over else [*reviews, Review(len(rows) + 1, due[-1])]


def list_reviews(session: Session, placement: Placement) -> list[Review]:
    """Return a placement's reviews in their order, the next one last while it goes on."""
    return reviews_of(placement, _rows(session, [placement.link_id]).get(placement.link_id, []))


def next_reviews(session: Session, placements: Sequence[Placement]) -> dict[UUID, Review]:
    """Return the next review of each placement that goes on, by its link."""
    rows = _rows(session, [each.link_id for each in placements])
    found = {each.link_id: reviews_of(each, rows.get(each.link_id, [])) for each in placements if not each.over}
    return {link_id: reviews[-1] for link_id, reviews in found.items() if reviews}


def list_due_reviews(session: Session, *, on: date) -> list[DueReview]:
    """Return the reviews of the agency's own children's placements that are due within two weeks, or overdue."""
    own = [each for each in list_placements(session, moved_in=True) if _ours(session, each)]
    due = {link_id: review for link_id, review in next_reviews(session, own).items() if review.due_on <= on + _SOON}
    codes = select(Placement.link_id, SiblingGroup.code).join(
        SiblingGroup, SiblingGroup.id == Placement.sibling_group_id
    )
    found = session.execute(codes.where(Placement.link_id.in_(list(due))))
    return sorted(
        (DueReview(link_id, code, due[link_id]) for link_id, code in found),
        key=lambda each: (each.review.due_on, each.code),
    )


def _ours(session: Session, placement: Placement) -> bool:
    return placement.group_agency_id == scope_of(session).agency_id


def record_review(
    session: Session, placement: Placement, *, number: int, held_on: date | None, why: str, now: datetime
) -> None:
    """Record that a review was held on a day, or that it was not held; late and not held want a reason.

    One that was not held may still be recorded as held later, while no review after it is on record.

    :raises NotTheChildrensAgency: when the scope acts for the family's agency alone.
    :raises PlacementInvalid: when it is not that review's turn, the day cannot be, or the reason is missing.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    require_childrens_agency(session, placement.group_agency_id)
    lock_placement(session, placement)
    rows = _rows(session, [placement.link_id]).get(placement.link_id, [])
    review = _find(reviews_of(placement, rows), number)
    _check_day(placement, rows, review, held_on, now.date())
    late = held_on is None or held_on > review.due_on
    words = tidy(why, what="why the review was late or was not held") if late else (why.strip() or None)
    actor = acting_person(session)
    row = next((each for each in rows if each.number == number), None)
    if row is None:
        row = PlacementReview(link_id=placement.link_id, number=number, due_on=review.due_on)
        row.group_agency_id, row.household_agency_id = placement.group_agency_id, placement.household_agency_id
        session.add(row)
    row.held_on, row.why, row.recorded_at = held_on, words, now
    row.person_id, row.person_name = actor.person_id, actor.name
    session.flush()
    note_change(session, placement, audit.Act.CHANGE, reason=f"review {number}", now=now)


def _find(reviews: list[Review], number: int) -> Review:
    review = next((each for each in reviews if each.number == number), None)
    # Of those on record, only the last may change, and only from “not held”: the days of those after it hang on it.
    if review is None or review.held_on is not None or number < len(reviews) - 1:
        raise PlacementInvalid("That review is recorded already, or it is not its turn. Load the page again.")
    return review


def _check_day(
    placement: Placement, rows: list[PlacementReview], review: Review, held_on: date | None, today: date
) -> None:
    if held_on is None:
        if today <= review.due_on:
            raise PlacementInvalid("The review is not due yet, so nobody can say that it was not held.")
        return
    before = [row.held_on for row in rows if row.held_on is not None]
    start = placement.adoptive_start_on
    if held_on > today or (start is not None and held_on < start) or any(held_on <= day for day in before):
        raise PlacementInvalid(
            "Enter the day on which it was held: not after today, not before the placement, and after the last review."
        )


def _rows(session: Session, link_ids: Sequence[UUID]) -> dict[UUID, list[PlacementReview]]:
    found: dict[UUID, list[PlacementReview]] = {}
    query = select(PlacementReview).where(PlacementReview.link_id.in_(link_ids))
    for row in session.scalars(query.order_by(PlacementReview.link_id, PlacementReview.number)):
        found.setdefault(row.link_id, []).append(row)
    return found
