"""Tariffs: what a placement costs between agencies from one day to another, by whom it is paid to, and in which parts.

The consortium's office keeps them, each with its source. One that has no figure for so many children is still a tariff:
it says so, and nobody makes a figure up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.instalment import Due, Share, refuse_shares
from matching.meeting import require_office
from tenants import audit
from tenants.agency import Agency, AgencyKind, Nation
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require

RECORD_KIND = "tariff"
MOST_CHILDREN = 20
MOST_PENCE = 1_000_000_00
LONDON = "London"
"""The region of an agency that London’s rates are for."""


class PayeeKind(StrEnum):
    """Who is paid by a tariff: whoever approved the family."""

    COUNCIL = "council"
    VOLUNTARY = "voluntary"
    ANY = "any"
    STANDARD = "standard"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _KINDS[self]


_KINDS = {
    PayeeKind.COUNCIL: "Councils and regional agencies",
    PayeeKind.VOLUNTARY: "Voluntary agencies",
    PayeeKind.ANY: "Agencies of any kind",
    PayeeKind.STANDARD: "The consortium’s standard fee",
}


class Tariff(Base):
    """What one kind of agency is paid, for as long as it holds."""

    __tablename__ = "tariff"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    office_id: Mapped[UUID]
    name: Mapped[str]
    payee_kind: Mapped[PayeeKind] = mapped_column(Word(PayeeKind))
    nation: Mapped[Nation | None] = mapped_column(Word(Nation))
    """The nation of whoever is paid; ``None`` for all four."""
    london: Mapped[bool]
    """Its rates are for payees in London alone."""
    london_percent: Mapped[int | None]
    """What a payee in London is paid on top, where London has no rates of its own."""
    begins_on: Mapped[date]
    ends_on: Mapped[date | None]
    source: Mapped[str]
    continuing_pence: Mapped[int | None] = mapped_column(BigInteger)
    """What is paid each month when no order was made in so many months."""
    continuing_after_months: Mapped[int | None]
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]


class TariffRate(Base):
    """What so many children placed together cost."""

    __tablename__ = "tariff_rate"

    tariff_id: Mapped[UUID] = mapped_column(primary_key=True)
    children: Mapped[int] = mapped_column(primary_key=True)
    consortium_id: Mapped[UUID]
    office_id: Mapped[UUID]
    pence: Mapped[int] = mapped_column(BigInteger)


class TariffInstalment(Base):
    """One part in which the fee is paid."""

    __tablename__ = "tariff_instalment"

    tariff_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    consortium_id: Mapped[UUID]
    office_id: Mapped[UUID]
    share_of: Mapped[int]
    share_in: Mapped[int]
    due: Mapped[Due] = mapped_column(Word(Due))
    months: Mapped[int | None]


_Figure = TypeVar("_Figure", TariffRate, TariffInstalment)


class TariffUnknown(NotFound):
    """The scope's consortium has no such tariff."""


class TariffInvalid(Invalid):
    """A tariff was described in a way that cannot be kept."""


class TariffsOverlap(Conflict):
    """Two tariffs would be in force for the same payees on the same day."""

    about = "begins_on"


class TariffUsed(Conflict):
    """A tariff that agreements were made by stays."""


@dataclass(frozen=True, slots=True)
class TariffTerms:
    """What a tariff says. ``rates`` are pence by the number of children; what has no figure is not among them."""

    name: str
    payee_kind: PayeeKind
    begins_on: date
    source: str
    rates: dict[int, int] = field(default_factory=dict)
    shares: tuple[Share, ...] = (Share(1, 1, Due.PLACEMENT),)
    ends_on: date | None = None
    nation: Nation | None = None
    london: bool = False
    london_percent: int | None = None
    continuing_pence: int | None = None
    continuing_after_months: int | None = None


@dataclass(frozen=True, slots=True)
class PublishedTariff:
    """A tariff of the consortium's as it is read: its row and what it says."""

    id: UUID
    terms: TariffTerms


def kind_of(agency: Agency) -> PayeeKind:
    """Return as which kind of payee an agency is paid."""
    return PayeeKind.VOLUNTARY if agency.kind is AgencyKind.VOLUNTARY_AGENCY else PayeeKind.COUNCIL


def in_london(agency: Agency) -> bool:
    """Say whether an agency is in London."""
    return (agency.region or "").casefold() == LONDON.casefold()


def in_force(terms: TariffTerms, on: date) -> bool:
    """Say whether a tariff holds on a day."""
    return terms.begins_on <= on and (terms.ends_on is None or on <= terms.ends_on)


def add_tariff(
    session: Session, terms: TariffTerms, *, now: datetime, follows_id: UUID | None = None
) -> PublishedTariff:
    """Add a tariff to the scope's consortium.

    :param follows_id: the tariff that it takes the place of: that one ends on the day before it begins.
    :raises OfficeOnly: when the scope's agency is not the consortium's office.
    :raises TariffInvalid: when it cannot be so; TariffsOverlap when another holds on one of its days.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_TARIFFS)
    require_office(session)
    check_terms(terms)
    if scope.consortium_id is None or scope.agency_id is None:
        raise TariffInvalid("Choose the consortium you work for first.")
    if follows_id is not None:
        _end_before(session, follows_id, terms.begins_on, now=now)
    tariff = Tariff(
        id=uuid4(),
        consortium_id=scope.consortium_id,
        office_id=scope.agency_id,
        name=terms.name.strip(),
        payee_kind=terms.payee_kind,
        nation=terms.nation,
        london=terms.london,
        london_percent=terms.london_percent,
        begins_on=terms.begins_on,
        ends_on=terms.ends_on,
        source=terms.source.strip(),
        continuing_pence=terms.continuing_pence,
        continuing_after_months=terms.continuing_after_months,
        made_by=scope.person_id,
        made_at=now,
    )
    try:
        with session.begin_nested():
            session.add(tariff)
            session.flush()
    except IntegrityError:
        raise TariffsOverlap(_clash(session, terms)) from None
    _add_figures(session, tariff, terms)
    audit.record(session, audit.Act.ADD, record_kind=RECORD_KIND, record_id=tariff.id, now=now)
    return PublishedTariff(tariff.id, terms)


def end_tariff(session: Session, tariff_id: UUID, *, ends_on: date, now: datetime) -> None:
    """Say on which day a tariff is the last time in force.

    :raises TariffUnknown: when there is none; TariffInvalid when it has ended, or would before it begins.
    """
    require(scope_of(session), Verb.KEEP_TARIFFS)
    require_office(session)
    tariff = _row(session, tariff_id)
    if tariff.ends_on is not None or ends_on < tariff.begins_on:
        raise TariffInvalid("A tariff ends once, and not before the day on which it begins.")
    tariff.ends_on = ends_on
    session.flush()
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=tariff_id, now=now)


def remove_tariff(session: Session, tariff_id: UUID, *, now: datetime) -> None:
    """Take out a tariff that was entered by mistake; one that an agreement was made by stays.

    :raises TariffUnknown: when there is none.
    :raises TariffUsed: when an agreement was made by it.
    """
    require(scope_of(session), Verb.KEEP_TARIFFS)
    require_office(session)
    tariff = _row(session, tariff_id)
    try:
        with session.begin_nested():
            session.execute(delete(Tariff).where(Tariff.id == tariff.id))
    except IntegrityError:
        raise TariffUsed("Agreements were made by this tariff, so it stays. End it, and add another.") from None
    session.expunge(tariff)
    audit.record(session, audit.Act.REMOVE, record_kind=RECORD_KIND, record_id=tariff_id, now=now)


def get_tariff(session: Session, tariff_id: UUID) -> PublishedTariff:
    """Return a tariff of the scope's consortium.

    :raises TariffUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_TARIFFS)
    return _read(session, [_row(session, tariff_id)])[0]


def list_tariffs(session: Session, *, on: date | None = None) -> list[PublishedTariff]:
    """Return the tariffs of the scope's consortium, whose payees first, the latest of each first.

    :param on: only those in force on this day.
    """
    require(scope_of(session), Verb.READ_TARIFFS)
    return read_tariffs(session, on=on)


def read_tariffs(session: Session, *, on: date | None = None) -> list[PublishedTariff]:
    """Return the same to whoever prices a placement, which is asked by people who read no tariffs."""
    query = select(Tariff).where(Tariff.consortium_id == scope_of(session).consortium_id)
    if on is not None:
        query = query.where(Tariff.begins_on <= on, (Tariff.ends_on.is_(None)) | (Tariff.ends_on >= on))
    order = (Tariff.payee_kind, Tariff.nation, Tariff.london, Tariff.begins_on.desc(), Tariff.id)
    return _read(session, list(session.scalars(query.order_by(*order))))


def following(terms: TariffTerms, *, begins_on: date) -> TariffTerms:
    """Return a tariff of the same shape for the time after: to be given its own figures and source."""
    return replace(terms, begins_on=begins_on, ends_on=None, source="")


def check_terms(terms: TariffTerms) -> None:
    """Refuse a tariff that cannot be; let any other pass.

    :raises TariffInvalid: saying what is wrong.
    """
    if not terms.name.strip() or len(terms.name) > 100:
        raise TariffInvalid("Give the tariff a name of at most 100 letters.", about="name")
    if not terms.source.strip() or len(terms.source) > 2000:
        raise TariffInvalid("Say where the figures are published, in at most 2,000 letters.", about="source")
    if terms.ends_on is not None and terms.ends_on < terms.begins_on:
        raise TariffInvalid("The last day cannot lie before the first.", about="ends_on")
    if any(not 1 <= children <= MOST_CHILDREN for children in terms.rates):
        raise TariffInvalid(f"Rates are for 1 to {MOST_CHILDREN} children.")
    continuing = [terms.continuing_pence] if terms.continuing_pence is not None else []
    if any(not 1 <= pence <= MOST_PENCE for pence in (*terms.rates.values(), *continuing)):
        raise TariffInvalid("An amount is more than nothing and at most £1,000,000. Leave out what has no figure.")
    if (terms.continuing_pence is None) is not (terms.continuing_after_months is None):
        missing = "continuing" if terms.continuing_pence is None else "continuing_after_months"
        raise TariffInvalid(
            "Say both what is paid each month without an order, and after how many months.", about=missing
        )
    if terms.continuing_after_months is not None and not 1 <= terms.continuing_after_months <= 120:
        raise TariffInvalid("The months must be between 1 and 120.", about="continuing_after_months")
    if terms.london_percent is not None and (terms.london or not 1 <= terms.london_percent <= 100):
        words = "London’s supplement is 1 to 100 per cent, of a tariff that is not London’s own."
        raise TariffInvalid(words, about="london_percent")
    refusal = refuse_shares(terms.shares)
    if refusal is not None:
        raise TariffInvalid(refusal, about="plan")


def _row(session: Session, tariff_id: UUID) -> Tariff:
    tariff = session.get(Tariff, tariff_id)
    if tariff is None:
        raise TariffUnknown("Your consortium has no such tariff.")
    return tariff


def _add_figures(session: Session, tariff: Tariff, terms: TariffTerms) -> None:
    where = {"tariff_id": tariff.id, "consortium_id": tariff.consortium_id, "office_id": tariff.office_id}
    session.add_all(TariffRate(children=children, pence=pence, **where) for children, pence in terms.rates.items())
    session.add_all(
        TariffInstalment(
            position=position,
            share_of=share.of,
            share_in=share.parts,
            due=share.due,
            months=share.months,
            **where,
        )
        for position, share in enumerate(terms.shares, start=1)
    )
    session.flush()


def _end_before(session: Session, tariff_id: UUID, begins_on: date, *, now: datetime) -> None:
    former = _row(session, tariff_id)
    last = date.fromordinal(begins_on.toordinal() - 1)
    if former.ends_on is None:
        end_tariff(session, former.id, ends_on=last, now=now)


def _clash(session: Session, terms: TariffTerms) -> str:
    for each in read_tariffs(session):
        other = each.terms
        same = (other.payee_kind, other.nation, other.london) == (terms.payee_kind, terms.nation, terms.london)
        before = other.ends_on is not None and other.ends_on < terms.begins_on
        after = terms.ends_on is not None and other.begins_on > terms.ends_on
        if same and not before and not after:
            until = f" to {other.ends_on:%d/%m/%Y}" if other.ends_on else ""
            return (
                f"“{other.name}” holds for the same payees from {other.begins_on:%d/%m/%Y}{until}. "
                "Two tariffs can’t be in force on one day: change the days, or end that one first."
            )
    return "Somebody added a tariff for the same payees meanwhile. Load the page again."


def _read(session: Session, tariffs: Sequence[Tariff]) -> list[PublishedTariff]:
    ids = [each.id for each in tariffs]
    rates: dict[UUID, dict[int, int]] = {each: {} for each in ids}
    shares: dict[UUID, list[Share]] = {each: [] for each in ids}
    for rate in _figures(session, TariffRate, ids, "children"):
        rates[rate.tariff_id][rate.children] = rate.pence
    for part in _figures(session, TariffInstalment, ids, "position"):
        shares[part.tariff_id].append(Share(part.share_of, part.share_in, part.due, part.months))
    return [
        PublishedTariff(
            each.id,
            TariffTerms(
                name=each.name,
                payee_kind=each.payee_kind,
                begins_on=each.begins_on,
                source=each.source,
                rates=rates[each.id],
                shares=tuple(shares[each.id]),
                ends_on=each.ends_on,
                nation=each.nation,
                london=each.london,
                london_percent=each.london_percent,
                continuing_pence=each.continuing_pence,
                continuing_after_months=each.continuing_after_months,
            ),
        )
        for each in tariffs
    ]


def _figures(session: Session, table: type[_Figure], ids: Sequence[UUID], order: str) -> Iterable[_Figure]:
    return session.scalars(select(table).where(table.tariff_id.in_(ids)).order_by(table.tariff_id, order))
