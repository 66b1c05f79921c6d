"""What swaps spared an agency, and what the families that it approved earned, by financial year."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from matching.fee.report.year import APRIL
from matching.sealed_words import own_agency
from tenants.database import scope_of
from tenants.permission import Verb, require


class Kind(StrEnum):
    """Why an amount is evidence."""

    SPARED = "spared"
    FORGONE = "forgone"
    EARNED = "earned"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            Kind.SPARED: "Spared us by a swap",
            Kind.FORGONE: "Not charged by us, for a swap",
            Kind.EARNED: "Earned by our families",
        }[self]


@dataclass(frozen=True, slots=True)
class Saving:
    """One agreement’s part in it, in pence."""

    year: int
    """In which calendar year the financial year begins."""
    kind: Kind
    agreement_id: UUID
    reference: str
    other_agency_id: UUID
    pence: int | None
    """``None`` where no published tariff has a figure."""
    words: str
    """By which tariff or rule."""


@dataclass(frozen=True, slots=True)
class YearOfSavings:
    """What one year comes to, in pence, and how many agreements of it have no figure."""

    year: int
    spared: int
    forgone: int
    earned: int
    unpriced: int


_SAVINGS = text(f"""
    WITH found AS (
        SELECT CASE f.payer_agency_id WHEN :own THEN 'spared' ELSE 'forgone' END AS kind, f.id, f.reference,
            CASE f.payer_agency_id WHEN :own THEN f.payee_agency_id ELSE f.payer_agency_id END AS other,
            f.amount_pence AS pence, f.rate_words AS words, f.placed_on AS day
        FROM fee_agreement f
        WHERE f.waived AND f.placed_on IS NOT NULL AND f.state <> 'withdrawn'
            AND f.consortium_id = (SELECT scope_consortium())
            AND :own IN (f.payer_agency_id, f.payee_agency_id) AND f.payer_agency_id <> f.payee_agency_id
            AND NOT EXISTS (SELECT FROM ledger_transaction t WHERE t.agreement_id = f.id AND t.kind = 'revived')
        UNION ALL
        SELECT 'earned', f.id, f.reference, p.other_agency_id, (-sum(p.pence))::bigint, f.rate_words,
            make_date((extract(year FROM p.period_on)
                - CASE WHEN extract(month FROM p.period_on) < {APRIL} THEN 1 ELSE 0 END)::int, {APRIL}, 1)
        FROM posting p JOIN fee_agreement f ON f.id = p.agreement_id
        WHERE p.agency_id = :own AND p.account = 'fee_income' AND f.consortium_id = (SELECT scope_consortium())
        GROUP BY f.id, f.reference, p.other_agency_id, f.rate_words, 7 HAVING sum(p.pence) <> 0
    )
    SELECT (extract(year FROM day) - CASE WHEN extract(month FROM day) < {APRIL} THEN 1 ELSE 0 END)::int AS year,
        kind, id, reference, other, pence, words
    FROM found ORDER BY 1 DESC, kind, reference, other
""")  # noqa: S608 - a constant number


def list_savings(session: Session) -> list[Saving]:
    """Return the evidence for the scope's own agency, the latest year first.

    A swap counts in the year in which its children moved in, by the tariff that would have applied; not where its fee
    was charged after all. What was earned is what fell due, less what was credited or paid back.
    """
    require(scope_of(session), Verb.READ_SAVINGS)
    return [_saving(row) for row in session.execute(_SAVINGS, {"own": own_agency(session)}).mappings()]


def by_year(savings: list[Saving]) -> list[YearOfSavings]:
    """Return what each year comes to, the latest first."""
    years = sorted({each.year for each in savings}, reverse=True)
    return [
        YearOfSavings(
            year,
            spared=_sum(savings, year, Kind.SPARED),
            forgone=_sum(savings, year, Kind.FORGONE),
            earned=_sum(savings, year, Kind.EARNED),
            unpriced=sum(each.pence is None for each in savings if each.year == year),
        )
        for year in years
    ]


def _sum(savings: list[Saving], year: int, kind: Kind) -> int:
    return sum(each.pence or 0 for each in savings if each.year == year and each.kind is kind)


def _saving(row: RowMapping) -> Saving:
    return Saving(row["year"], Kind(row["kind"]), row["id"], row["reference"], row["other"], row["pence"], row["words"])
