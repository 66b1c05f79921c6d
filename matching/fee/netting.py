"""Netting: agencies that owe one another settle every invoice among them at once, by the fewest payments.

Two agencies, or several of one swap group. A finance officer of one of them, or the group's office, asks for it; each
whose invoices are in it confirms, and then all books are posted at once: each invoice is settled, and a leg says who
pays whom what is left. An agency sees its own invoices and legs, and nothing of what two others owe each other: what
is owed among all of them is put together in the database, by functions that tell nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ColumnElement, Date, Select, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column

from matching.fee.netting_leg import NettingLeg, OwedLeg, list_open_legs, read_legs
from matching.meeting import require_office
from matching.register import Page, count_rows, read_page
from matching.sealed_words import own_agency, own_person, tidy
from matching.swap.group import SwapGroup, list_members
from tenants import audit
from tenants.agency import get_agency
from tenants.approval import require_one_side
from tenants.base import Base, Id
from tenants.consortium import list_members as list_agencies_in
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require
from tenants.person import get_person

RECORD_KIND = "netting"
DRAW = text("SELECT draw_netting(:id, CAST(:among AS uuid[]), :swap_group, :until, :now, :maker)")
"""Draws a netting up, and says whether there was anything to net."""
_CONFIRM = text("SELECT confirm_netting(:id, :now, :teller)")


class Netting(Base):
    """One netting, and how far it is."""

    __tablename__ = "netting"

    id: Mapped[Id] = mapped_column()
    consortium_id: Mapped[UUID]
    swap_group_id: Mapped[UUID | None]
    agency_id: Mapped[UUID]
    """Who asked for it: one of the agencies, or the swap group's office."""
    agency_ids: Mapped[list[UUID]] = mapped_column(ARRAY(PG_UUID(as_uuid=True)))
    """Whose invoices are in it."""
    until_on: Mapped[date]
    lapses_on: Mapped[date]
    """The last day on which somebody may confirm."""
    made_at: Mapped[datetime]
    made_by: Mapped[UUID]
    made_name: Mapped[str]
    posted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    declined_by: Mapped[UUID | None]
    declined_name: Mapped[str | None]
    declined_reason: Mapped[str | None]
    declined_agency_id: Mapped[UUID | None]
    over_on: Mapped[date | None] = column_property(func.netting_over_on(id, type_=Date))  # noqa: A003 - the column
    """The day from which it is over by itself: one of its agencies is gone, or what one of its invoices is about."""

    def is_open(self, on: date) -> bool:
        """Say whether it waits for somebody on a day."""
        return self.posted_at is None and self.declined_at is None and on <= self.lapses_on and not self.is_over(on)

    def is_over(self, on: date) -> bool:
        """Say whether it has ended by itself by a day, sooner than it would have lapsed."""
        return self.over_on is not None and self.over_on <= on


class NettingMember(Base):
    """One agency's word."""

    __tablename__ = "netting_member"

    netting_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    consortium_id: Mapped[UUID]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    confirmed_name: Mapped[str | None]


class NettingClaim(Base):
    """What is owed of one invoice, and settled; its two agencies read it."""

    __tablename__ = "netting_claim"

    netting_id: Mapped[UUID] = mapped_column(primary_key=True)
    invoice_id: Mapped[UUID] = mapped_column(primary_key=True)
    consortium_id: Mapped[UUID]
    payer_agency_id: Mapped[UUID]
    payee_agency_id: Mapped[UUID]
    number: Mapped[str]
    pence: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class OwnPart:
    """The scope's agency's part in a netting: its invoices and its legs."""

    claims: tuple[NettingClaim, ...]
    legs: tuple[OwedLeg, ...]


@dataclass(frozen=True, slots=True)
class NettingPage:
    """Some of the nettings in which the scope's agency's invoices are, and the legs of any of them that are open."""

    page: Page[Netting]
    open_legs: tuple[OwedLeg, ...]

    def legs_of(self, netting: Netting) -> list[OwedLeg]:
        """Return the open ones of one netting."""
        return [each for each in self.open_legs if each.leg.netting_id == netting.id]

    def taken_over(self, own: UUID) -> list[OwedLeg]:
        """Return those that came with another agency's work, which was in the netting."""
        return [each for each in self.open_legs if own not in {each.leg.payer_agency_id, each.leg.payee_agency_id}]


class NettingUnknown(NotFound):
    """The scope's agency is on no such netting."""


class NettingInvalid(Invalid):
    """There is nothing to net."""


class NettingWaits(Conflict):
    """It waits no more, or not for this agency or this person."""


class NettingStale(Conflict):
    """An invoice was paid, credited or disputed since it was drawn up."""


def propose_netting(session: Session, other_agency_id: UUID, *, until_on: date, now: datetime) -> Netting:
    """Draw up a netting with another agency, and agree to it for the scope's side in one's own name.

    :raises NettingInvalid: when there is nothing to net, or for a day that is yet to come.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    return _draw(session, {own_agency(session), other_agency_id}, None, until_on=until_on, now=now)


def propose_group_netting(
    session: Session, group: SwapGroup, *, until_on: date, now: datetime, without: Collection[UUID] = ()
) -> Netting:
    """Draw up a netting among a swap group's members, as its office or as one of them, which agrees to it by that.

    :param without: members to leave out, such as one that declined.
    :raises NettingInvalid: when there is nothing to net, or for a day that is yet to come.
    """
    if scope_of(session).agency_id == group.office_id:
        require(scope_of(session), Verb.KEEP_SWAPS)
        require_office(session)
    else:
        require(scope_of(session), Verb.KEEP_FEES)
    agreed = {member.agency_id for member, _ in list_members(session, group) if member.agreed_on}
    among = (agreed & present_members(session, on=now.date())) - set(without)
    if len(among) < 2 or own_agency(session) not in {*among, group.office_id}:
        raise NettingInvalid("A netting is among two members or more, and your agency is one of them.")
    return _draw(session, among, group.id, until_on=until_on, now=now)


def confirm_netting(session: Session, netting: Netting, *, now: datetime) -> bool:
    """Confirm a netting for the scope's agency in one's own name; the last one posts it in all books.

    :returns: whether it was posted.
    :raises NettingWaits: when it waits no more, or not for the scope's agency, or one spoke for another of them.
    :raises NettingStale: when one of the invoices isn't owed as it was drawn up, or is in dispute.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    own_agency(session)
    person_id = require_one_side(session, agencies=netting.agency_ids, on=now.date())
    if any(each.confirmed_by == person_id for each in list_netting_members(session, netting)):
        raise NettingWaits("You have confirmed this netting already. Each agency confirms by somebody of its own.")
    facts = {"id": netting.id, "now": now, "teller": get_person(session, person_id).name}
    said, _, number = str(session.scalar(_CONFIRM, facts)).partition(" ")
    if said == "over":
        gone = "One of its agencies has left, or handed its work over: this netting has ended. Propose another."
        raise NettingWaits(gone if netting.is_over(now.date()) else "This netting doesn’t wait for your agency.")
    if said == "stale":
        which = f"Invoice {number}" if number else "An invoice between two other agencies"
        raise NettingStale(
            f"{which} was paid, credited or disputed since this was drawn up. Decline this netting and propose another."
        )
    session.expire_all()
    audit.record(session, audit.Act.CONFIRM, record_kind=RECORD_KIND, record_id=netting.id, now=now)
    return said == "posted"


def decline_netting(session: Session, netting: Netting, *, reason: str, now: datetime) -> None:
    """Decline a netting, or take one's own back, with a reason: it ends for all, and nothing is posted.

    :raises NettingWaits: when it waits no more.
    """
    _require_part(session, netting)
    said, person_id = tidy(reason, what="why it is declined"), own_person(session)
    ended = session.execute(
        update(Netting)
        .where(Netting.id == netting.id, Netting.posted_at.is_(None), Netting.declined_at.is_(None))
        .values(
            declined_at=now,
            declined_by=person_id,
            declined_name=get_person(session, person_id).name,
            declined_reason=said,
            declined_agency_id=own_agency(session),
        )
        .returning(Netting.id)
    ).first()
    if ended is None:
        raise NettingWaits("This netting was posted or declined already.")
    session.refresh(netting)
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=netting.id, now=now)


def get_netting(session: Session, netting_id: UUID) -> Netting:
    """Return a netting that the scope's agency is on, or that is of a swap group whose office it is.

    :raises NettingUnknown: when there is none.
    """
    found = session.get(Netting, netting_id)
    if found is None:
        raise NettingUnknown("Your agency is on no such netting.")
    _require_part(session, found, reading=True)
    return found


def list_nettings(session: Session) -> list[Netting]:
    """Return the nettings in which the scope's agency's invoices are, the latest first."""
    require(scope_of(session), Verb.READ_FEES)
    return list(session.scalars(_select(_own(session))))


def read_netting_page(session: Session, *, number: int) -> NettingPage:
    """Return a page of the same, or the nearest that there is, and what is still to be paid after any of them."""
    require(scope_of(session), Verb.READ_FEES)
    return NettingPage(_page(session, _select(_own(session)), number=number), tuple(list_open_legs(session)))


def list_group_nettings(session: Session, group: SwapGroup, *, number: int = 1) -> Page[Netting]:
    """Return a page of the nettings of a swap group to its office, the latest first: who has confirmed, and no sum.

    :raises OfficeOnly: when the scope's agency is no office.
    """
    require(scope_of(session), Verb.KEEP_SWAPS)
    require_office(session)
    return _page(session, _select(Netting.swap_group_id == group.id), number=number)


def list_netting_members(session: Session, netting: Netting) -> list[NettingMember]:
    """Return whose word a netting has, and whose not yet, in the order of the agencies' names."""
    found = session.scalars(select(NettingMember).where(NettingMember.netting_id == netting.id))
    return sorted(found, key=lambda each: (get_agency(session, each.agency_id).name, each.agency_id))


def own_part(session: Session, netting: Netting) -> OwnPart:
    """Return the scope's agency's invoices and legs in a netting."""
    require(scope_of(session), Verb.READ_FEES)
    claims = select(NettingClaim).where(NettingClaim.netting_id == netting.id)
    found = tuple(session.scalars(claims.order_by(NettingClaim.number, NettingClaim.invoice_id)))
    return OwnPart(found, tuple(read_legs(session, NettingLeg.netting_id == netting.id)))


def count_to_confirm(session: Session, *, on: date) -> int:
    """Count the nettings that wait for the scope's agency to confirm or decline."""
    return len(list_to_confirm(session, on=on))


def list_to_confirm(session: Session, *, on: date) -> frozenset[UUID]:
    """Return the ids of the same."""
    require(scope_of(session), Verb.READ_FEES)
    query = (
        select(Netting.id)
        .join(NettingMember, NettingMember.netting_id == Netting.id)
        .where(NettingMember.agency_id == scope_of(session).agency_id, NettingMember.confirmed_at.is_(None))
        .where(Netting.posted_at.is_(None), Netting.declined_at.is_(None), Netting.lapses_on >= on)
        .where(or_(Netting.over_on.is_(None), Netting.over_on > on))
    )
    return frozenset(session.scalars(query))


def present_members(session: Session, *, on: date) -> set[UUID]:
    """Return who is in the scope's consortium on a day: nobody nets with whoever has left it."""
    consortium_id = scope_of(session).consortium_id
    return {each.id for each in list_agencies_in(session, consortium_id, on=on)} if consortium_id else set()


def _own(session: Session) -> ColumnElement[bool]:
    return Netting.agency_ids.contains([own_agency(session)])


def _select(wanted: ColumnElement[bool]) -> Select[Netting]:
    return select(Netting).where(wanted).order_by(Netting.made_at.desc(), Netting.id)


def _page(session: Session, query: Select[Netting], *, number: int) -> Page[Netting]:
    return read_page(session, query, number=number, total=count_rows(session, query))


def _draw(
    session: Session, among: Collection[UUID], swap_group_id: UUID | None, *, until_on: date, now: datetime
) -> Netting:
    person_id = require_one_side(session, agencies=among, on=now.date())
    if until_on > now.date():
        raise NettingInvalid("Netting takes the invoices until today or a day before it.")
    netting_id = uuid4()
    facts = {"id": netting_id, "among": list(among), "swap_group": swap_group_id, "until": until_on, "now": now}
    if not session.scalar(DRAW, {**facts, "maker": get_person(session, person_id).name}):
        raise NettingInvalid(
            "There is nothing to net: nobody would pay less, or what is owed is in a netting that waits already."
        )
    audit.record(session, audit.Act.ADD, record_kind=RECORD_KIND, record_id=netting_id, now=now)
    return session.get_one(Netting, netting_id)


def _require_part(session: Session, netting: Netting, *, reading: bool = False) -> None:
    """Let those take part whose books it is in, and the office that asked for it or whose group it is."""
    scope = scope_of(session)
    fees = Verb.READ_FEES if reading else Verb.KEEP_FEES
    require(scope, fees if scope.agency_id in netting.agency_ids else Verb.KEEP_SWAPS)
