"""How long what was invoiced has been owed, by counterparty: to us, and by us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from matching.sealed_words import own_agency
from tenants.database import scope_of
from tenants.permission import Verb, require

AGES = ("0–30 days", "31–60 days", "61–90 days", "Over 90 days")


class Direction(StrEnum):
    """Who owes whom."""

    TO_US = "to_us"
    BY_US = "by_us"


@dataclass(frozen=True, slots=True)
class AgedDebt:
    """What one counterparty owes us, or we owe it, in pence, by days since it was invoiced."""

    other_agency_id: UUID
    direction: Direction
    by_age: tuple[int, int, int, int]
    ahead: int
    """Paid too much, or ahead: taken off what is to be paid."""

    @property
    def owed(self) -> int:
        """Return what is invoiced and not paid."""
        return sum(self.by_age)

    @property
    def to_pay(self) -> int:
        """Return what is owed less what was paid ahead."""
        return self.owed - self.ahead


_DEBTS = text("""
    WITH item AS (
        SELECT p.other_agency_id, p.account IN ('receivable', 'held_ahead') AS to_us,
            p.account IN ('held_ahead', 'paid_ahead') AS ahead,
            coalesce(t.invoice_id, t.leg_id) AS debt_id,
            sum(CASE WHEN p.account IN ('receivable', 'held_ahead') THEN p.pence ELSE -p.pence END) AS pence,
            coalesce(min(t.dated_on) FILTER (WHERE t.kind = 'invoiced'), min(t.dated_on)) AS since
        FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
        WHERE p.agency_id = :own AND p.account IN ('receivable', 'payable', 'held_ahead', 'paid_ahead')
            AND t.dated_on <= :until
        GROUP BY 1, 2, 3, 4
        HAVING sum(p.pence) <> 0
    ), aged AS (
        -- What was handed over is as old as it was before.
        SELECT other_agency_id, to_us, ahead, pence,
            coalesce((SELECT min(d.owed_since) FROM debt_holder d WHERE d.debt_id = item.debt_id), since) AS since
        FROM item
    )
    SELECT other_agency_id, to_us,
        coalesce(sum(pence) FILTER (WHERE NOT ahead AND :until - since <= 30), 0)::bigint AS first,
        coalesce(sum(pence) FILTER (WHERE NOT ahead AND :until - since BETWEEN 31 AND 60), 0)::bigint AS second,
        coalesce(sum(pence) FILTER (WHERE NOT ahead AND :until - since BETWEEN 61 AND 90), 0)::bigint AS third,
        coalesce(sum(pence) FILTER (WHERE NOT ahead AND :until - since > 90), 0)::bigint AS rest,
        coalesce(-sum(pence) FILTER (WHERE ahead), 0)::bigint AS ahead
    FROM aged GROUP BY 1, 2 ORDER BY 2 DESC, 1
""")


def list_debts(session: Session, *, until_on: date) -> list[AgedDebt]:
    """Return what is owed between the scope's agency and each other on a day, from its own book."""
    require(scope_of(session), Verb.READ_FEES)
    values = {"own": own_agency(session), "until": until_on}
    return [_debt(row) for row in session.execute(_DEBTS, values).mappings()]


def _debt(row: RowMapping) -> AgedDebt:
    return AgedDebt(
        row["other_agency_id"],
        Direction.TO_US if row["to_us"] else Direction.BY_US,
        (row["first"], row["second"], row["third"], row["rest"]),
        row["ahead"],
    )
