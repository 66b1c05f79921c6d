"""A year's budget for fees, month by month, beside what the scope's own book says was borne and earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.ledger import Account, Posting
from matching.fee.remittance.bank_file import MOST_PENCE
from matching.fee.report.year import APRIL
from matching.sealed_words import own_agency
from matching.working_day import add_months
from tenants import audit
from tenants.base import Base, Word
from tenants.database import scope_of
from tenants.error import Invalid
from tenants.permission import Verb, require

MONTHS = 12


class Way(StrEnum):
    """Which way money goes."""

    PAY = "pay"
    EARN = "earn"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {Way.PAY: "Fees that we bear", Way.EARN: "Fees that we earn"}[self]


class FeeBudget(Base):
    """What is put by for one month."""

    __tablename__ = "fee_budget"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    direction: Mapped[Way] = mapped_column(Word(Way), primary_key=True)
    month_on: Mapped[date] = mapped_column(primary_key=True)
    pence: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[UUID | None]
    made_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one way, in pence."""

    begins_on: date
    planned: int | None
    """``None`` where no budget was entered."""
    actual: int

    @property
    def over(self) -> int:
        """Return how much more it came to than was planned; less than nothing where it was less."""
        return self.actual - (self.planned or 0)


class BudgetInvalid(Invalid):
    """There can be no such budget."""


def months_of(year: int) -> list[date]:
    """Return the first day of each month of the financial year that begins in April of ``year``."""
    return [add_months(date(year, APRIL, 1), number) for number in range(MONTHS)]


def keep_budget(session: Session, way: Way, year: int, pence: Sequence[int], *, now: datetime) -> None:
    """Keep a year's budget of one way in the place of what was there.

    :param pence: of each month from April on.
    :raises BudgetInvalid: unless they are twelve amounts of nothing or more.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_FEES)
    if len(pence) != MONTHS or not all(0 <= each <= MOST_PENCE for each in pence):
        raise BudgetInvalid("A budget has an amount of nothing or more for each month from April to March.")
    made = {"agency_id": own_agency(session), "direction": way, "made_by": scope.person_id, "made_at": now}
    rows = [{**made, "month_on": month, "pence": each} for month, each in zip(months_of(year), pence, strict=True)]
    new = insert(FeeBudget).values(rows)
    said = {name: new.excluded[name] for name in ("pence", "made_by", "made_at")}
    session.execute(new.on_conflict_do_update(index_elements=["agency_id", "direction", "month_on"], set_=said))
    session.expire_all()
    audit.record(session, audit.Act.CHANGE, record_kind="fee_budget", now=now)


def compare_budget(session: Session, year: int) -> dict[Way, list[Month]]:
    """Return a year's months from April on, each way: what was planned, and what the scope's own book says."""
    require(scope_of(session), Verb.READ_FEES)
    own, months = own_agency(session), months_of(year)
    kept = select(FeeBudget).where(FeeBudget.agency_id == own, FeeBudget.month_on.in_(months))
    planned = {(each.direction, each.month_on): each.pence for each in session.scalars(kept)}
    borne, earned = (_by_month(session, own, account, months) for account in (Account.FEE_COST, Account.FEE_INCOME))
    actual = {Way.PAY: borne, Way.EARN: {month: -pence for month, pence in earned.items()}}
    return {way: [Month(each, planned.get((way, each)), actual[way].get(each, 0)) for each in months] for way in Way}


def _by_month(session: Session, own: UUID, account: Account, months: Sequence[date]) -> dict[date, int]:
    query = (
        select(Posting.period_on, func.sum(Posting.pence))
        .where(Posting.agency_id == own, Posting.account == account, Posting.period_on.in_(months))
        .group_by(Posting.period_on)
    )
    return {month: int(pence) for month, pence in session.execute(query)}
