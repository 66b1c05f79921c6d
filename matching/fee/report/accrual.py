"""What was due at the end of a month and not invoiced, by counterparty: to us, and by us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.statement.aged_debt import Direction
from matching.sealed_words import own_agency
from tenants.database import scope_of
from tenants.permission import Verb, require


@dataclass(frozen=True, slots=True)
class Accrual:
    """What one part of one agreement leaves to be invoiced, in pence."""

    other_agency_id: UUID
    direction: Direction
    reference: str
    """The agreement's; empty for what is of none that the agency reads."""
    part: str
    pence: int


_ACCRUALS = text("""
    SELECT p.other_agency_id, p.account = 'to_invoice' AS to_us, coalesce(f.reference, '') AS reference,
        coalesce(p.due_key, '') AS part,
        sum(CASE p.account WHEN 'to_invoice' THEN p.pence ELSE -p.pence END)::bigint AS pence
    FROM posting p LEFT JOIN fee_agreement f ON f.id = p.agreement_id
    WHERE p.agency_id = :own AND p.account IN ('to_invoice', 'to_be_invoiced') AND p.period_on <= :month
    GROUP BY 1, 2, 3, 4 HAVING sum(p.pence) <> 0 ORDER BY 2 DESC, 1, 3, 4
""")


def list_accruals(session: Session, *, month: date) -> list[Accrual]:
    """Return what was due and not invoiced when a month ended, from the scope's own book, by counterparty.

    :param month: its first day.
    """
    require(scope_of(session), Verb.READ_FEES)
    rows = session.execute(_ACCRUALS, {"own": own_agency(session), "month": month}).mappings()
    return [
        Accrual(
            row["other_agency_id"],
            Direction.TO_US if row["to_us"] else Direction.BY_US,
            row["reference"],
            row["part"],
            row["pence"],
        )
        for row in rows
    ]
