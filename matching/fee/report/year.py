"""A financial year, April to March, by account: what was brought into it, what it moved, what it carries out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.ledger import Account
from matching.sealed_words import own_agency
from tenants.database import scope_of
from tenants.permission import Verb, require

APRIL = 4
FIRST_YEAR = 2000
"""The earliest financial year that is shown or planned: no fee is older."""


@dataclass(frozen=True, slots=True)
class YearOfAccount:
    """One account in one year, in pence: debits more than nothing, credits less."""

    account: Account
    brought: int
    debits: int
    credits: int

    @property
    def carried(self) -> int:
        """Return what the year carries out."""
        return self.brought + self.debits + self.credits


_ACCOUNTS = {each.value: each for each in Account}
_YEAR = text("""
    SELECT p.account, coalesce(sum(p.pence) FILTER (WHERE p.period_on < :begins), 0)::bigint AS brought,
        coalesce(sum(p.pence) FILTER (WHERE p.period_on >= :begins AND p.pence > 0), 0)::bigint AS debits,
        coalesce(sum(p.pence) FILTER (WHERE p.period_on >= :begins AND p.pence < 0), 0)::bigint AS credits
    FROM posting p WHERE p.agency_id = :own AND p.period_on < :ends GROUP BY p.account
""")


def year_of(day: date) -> int:
    """Return in which calendar year the financial year of a day begins."""
    return day.year if day.month >= APRIL else day.year - 1


def read_year(session: Session, year: int) -> list[YearOfAccount]:
    """Return the accounts of the scope's own book in the year that begins in April of ``year``, in their order."""
    require(scope_of(session), Verb.READ_FEES)
    begins, ends = date(year, APRIL, 1), date(year + 1, APRIL, 1)
    rows = session.execute(_YEAR, {"own": own_agency(session), "begins": begins, "ends": ends}).mappings()
    found = {
        row["account"]: YearOfAccount(_ACCOUNTS[row["account"]], row["brought"], row["debits"], row["credits"])
        for row in rows
    }
    return [found[each.value] for each in Account if each.value in found]
