"""The placement of a link's children with its family: one row a link, from the match to the order or a disruption.

Both agencies see it and the children's agency writes it. Ages are kept in completed months on the days that rules of
swaps and fees may count from: the birth dates themselves never leave the children's agency.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.link import Link, LinkMoved, LinkState, get_link
from matching.sibling_group import Child, ChildIdentity, open_child
from tenants import audit
from tenants.base import Base, Word
from tenants.database import scope_of
from tenants.error import Forbidden, Invalid, NotFound
from tenants.permission import Verb, require

RECORD_KIND = "placement"


class Court(StrEnum):
    """Which court made the order."""

    FAMILY_COURT = "family_court"
    HIGH_COURT = "high_court"
    SHERIFF_COURT = "sheriff_court"
    COURT_OF_SESSION = "court_of_session"
    COUNTY_COURT = "county_court"
    ELSEWHERE = "elsewhere"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return self.value.replace("_", " ").capitalize() if self is not Court.ELSEWHERE else "A court elsewhere"


class EndedBy(StrEnum):
    """Who ended a placement that disrupted."""

    FAMILY = "family"
    CHILDRENS_AGENCY = "childrens_agency"
    FAMILYS_AGENCY = "familys_agency"
    TOGETHER = "together"
    COURT = "court"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _ENDED_BY[self]


_ENDED_BY = {
    EndedBy.FAMILY: "The family",
    EndedBy.CHILDRENS_AGENCY: "The children’s agency",
    EndedBy.FAMILYS_AGENCY: "The family’s agency",
    EndedBy.TOGETHER: "All together",
    EndedBy.COURT: "A court",
}


class Placement(Base):
    """The dates of one placement, known by its link."""

    __tablename__ = "placement"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    consortium_id: Mapped[UUID]
    sibling_group_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    version: Mapped[int]
    """Counts the changes: who acts on an older one is told that somebody was first."""
    made_at: Mapped[datetime]
    matched_on: Mapped[date | None]
    plan_meeting_on: Mapped[date | None]
    plan_sent_on: Mapped[date | None]
    plan_agreed_on: Mapped[date | None]
    introductions_on: Mapped[date | None]
    midpoint_review_on: Mapped[date | None]
    midpoint_held_on: Mapped[date | None]
    moving_in_on: Mapped[date | None]
    """The day planned for moving in."""
    moved_in_on: Mapped[date | None]
    """The day from which the children live with the family: under early permanence, and with the children's own foster
    carers, as fostered first."""
    adoptive_start_on: Mapped[date | None]
    """The day from which they are placed there for adoption."""
    ordered_on: Mapped[date | None]
    court: Mapped[Court | None] = mapped_column(Word(Court))
    disrupted_on: Mapped[date | None]
    ended_by: Mapped[EndedBy | None] = mapped_column(Word(EndedBy))
    disruption_review_on: Mapped[date | None]
    """The day planned for the review of a disruption."""
    disruption_reviewed_on: Mapped[date | None]
    disruption_review_why: Mapped[str | None]
    """Why it was held outside its days."""

    @property
    def over(self) -> bool:
        """Say whether an order was made or it disrupted."""
        return self.ordered_on is not None or self.disrupted_on is not None


class PlacementChild(Base):
    """One child of a placement, with completed months of age; ``None`` where no birth date is known."""

    __tablename__ = "placement_child"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    child_id: Mapped[UUID] = mapped_column(primary_key=True)
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    position: Mapped[int]
    months_matched: Mapped[int | None]
    months_moved_in: Mapped[int | None]
    months_adoptive: Mapped[int | None]


class PlacementUnknown(NotFound):
    """No such placement concerns this scope's agency."""


class PlacementInvalid(Invalid):
    """A day or a word cannot be so."""


class NotTheChildrensAgency(Forbidden):
    """The children's agency keeps the placement."""


def completed_months(born_on: date, on: date) -> int | None:
    """Return how many whole months old a child is on a day, or ``None`` before the birth.

    An age in years is reached at the start of the birthday (Family Law Reform Act 1969, section 9); a child born on
    29 February reaches it on 1 March of other years. So a child is under three while the months are under 36.
    """
    if on < born_on:
        return None
    return (on.year - born_on.year) * 12 + on.month - born_on.month - (on.day < born_on.day)


def get_placement(session: Session, link_id: UUID) -> Placement:
    """Return the placement of a link of the scope's agency.

    :raises PlacementUnknown: when there is none.
    """
    placement = session.get(Placement, link_id)
    if placement is None:
        raise PlacementUnknown("There is no placement of such a link of your agency.")
    return placement


def find_placement(session: Session, link_id: UUID) -> Placement | None:
    """Return the placement of a link, where it has come so far."""
    return session.get(Placement, link_id)


def list_placements(session: Session, *, moved_in: bool = False) -> list[Placement]:
    """Return the placements of the scope's consortium on either side of which its agency is, the first made first.

    :param moved_in: leave out those where the children have not moved in.
    """
    scope = scope_of(session)
    ours = or_(Placement.group_agency_id == scope.agency_id, Placement.household_agency_id == scope.agency_id)
    query = select(Placement).where(ours, Placement.consortium_id == scope.consortium_id)
    if moved_in:
        query = query.where(Placement.moved_in_on.is_not(None))
    return list(session.scalars(query.order_by(Placement.made_at, Placement.link_id)))


def list_placed_children(session: Session, link_ids: Iterable[UUID]) -> dict[UUID, list[PlacementChild]]:
    """Return the children of placements by link, in the order of their groups."""
    found: dict[UUID, list[PlacementChild]] = {link_id: [] for link_id in link_ids}
    query = select(PlacementChild).where(PlacementChild.link_id.in_(list(found)))
    for child in session.scalars(query.order_by(PlacementChild.link_id, PlacementChild.position)):
        found[child.link_id].append(child)
    return found


def make_placement(session: Session, link: Link, *, matched_on: date | None, now: datetime) -> Placement:
    """Begin the placement of a link in the children's agency, or return the one that there is.

    :raises NotTheChildrensAgency: when the scope acts for the other side.
    """
    found = session.get(Placement, link.id)
    if found is not None:
        return found
    require_childrens_agency(session, link.group_agency_id)
    placement = Placement(
        link_id=link.id,
        consortium_id=link.consortium_id,
        sibling_group_id=link.sibling_group_id,
        group_agency_id=link.group_agency_id,
        household_id=link.household_id,
        household_agency_id=link.household_agency_id,
        version=1,
        made_at=now,
        matched_on=matched_on,
        moved_in_on=link.fostered_on,
    )
    session.add(placement)
    session.flush()
    children = session.scalars(select(Child).where(Child.sibling_group_id == link.sibling_group_id))
    for child in children:
        session.add(
            PlacementChild(
                link_id=link.id,
                child_id=child.id,
                group_agency_id=link.group_agency_id,
                household_agency_id=link.household_agency_id,
                position=child.position,
            )
        )
    session.flush()
    keep_ages(session, placement)
    note_change(session, placement, audit.Act.ADD, reason="matched", now=now)
    return placement


def keep_ages(session: Session, placement: Placement) -> None:
    """Reckon the children's ages on the placement's days; the scope's agency is the children's."""
    born = _birth_dates(session, placement)
    for child in list_placed_children(session, [placement.link_id])[placement.link_id]:
        day = born.get(child.child_id)
        child.months_matched = _months(day, placement.matched_on)
        child.months_moved_in = _months(day, placement.moved_in_on)
        child.months_adoptive = _months(day, placement.adoptive_start_on)
    session.flush()


def change_placement(
    session: Session, placement: Placement, *, version: int, now: datetime, what: str, **days: object
) -> Placement:
    """Set columns of a placement that somebody read at ``version``, and put it on record.

    :raises LinkMoved: when it was changed since.
    :raises NotTheChildrensAgency: when the scope acts for the other side.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    require_childrens_agency(session, placement.group_agency_id)
    lock_placement(session, placement, version=version)
    for name, value in days.items():
        setattr(placement, name, value)
    placement.version += 1
    session.flush()
    note_change(session, placement, audit.Act.CHANGE, reason=what, now=now)
    return placement


def require_going_on(session: Session, placement: Placement) -> None:
    """Let a placement pass that is neither over nor given up before the children moved in.

    :raises PlacementInvalid: when it does not go on.
    """
    if placement.over or get_link(session, placement.link_id).state is LinkState.ENDED:
        raise PlacementInvalid("The placement is over, so nothing more is planned for it.")


def lock_placement(session: Session, placement: Placement, *, version: int | None = None) -> None:
    """Keep others from changing a placement until the transaction ends.

    :raises LinkMoved: when it is not at ``version`` any more.
    """
    query = select(Placement).where(Placement.link_id == placement.link_id).with_for_update(key_share=True)
    session.scalars(query.execution_options(populate_existing=True)).one()
    if version is not None and placement.version != version:
        raise LinkMoved("Somebody else changed this placement in the meantime. Load its page again, then decide.")


def require_childrens_agency(session: Session, group_agency_id: UUID) -> None:
    """Let the children's agency pass.

    :raises NotTheChildrensAgency: when the scope acts for another.
    """
    if scope_of(session).agency_id != group_agency_id:
        raise NotTheChildrensAgency("The children’s agency keeps the placement. Ask its worker to enter this.")


def note_change(session: Session, placement: Placement, act: audit.Act, *, reason: str, now: datetime) -> None:
    """Put on record what was done to a placement."""
    own = scope_of(session).agency_id
    other = placement.household_agency_id if own == placement.group_agency_id else placement.group_agency_id
    audit.record(
        session,
        act,
        record_kind=RECORD_KIND,
        record_id=placement.link_id,
        owner_agency_id=other,
        reason=reason,
        now=now,
    )


def _birth_dates(session: Session, placement: Placement) -> dict[UUID, date]:
    query = (
        select(ChildIdentity)
        .join(Child, Child.id == ChildIdentity.child_id)
        .where(Child.sibling_group_id == placement.sibling_group_id)
    )
    names = {row.child_id: open_child(session, row) for row in session.scalars(query)}
    return {child_id: date.fromisoformat(name.born_on) for child_id, name in names.items() if name.born_on}


def _months(born_on: date | None, on: date | None) -> int | None:
    return None if born_on is None or on is None else completed_months(born_on, on)
