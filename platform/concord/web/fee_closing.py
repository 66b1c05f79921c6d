"""What should be finished before a month is closed: one list that each part of fees adds rows to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from matching.fee.invoice.dispute import count_unresolved
from matching.fee.ledger import list_to_invoice
from matching.fee.remittance.line import count_waiting
from matching.working_day import add_months


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Something that is not finished: how it is said of one and of many, how many, and where it is done."""

    one: str
    many: str
    count: int
    endpoint: str
    values: dict[str, Any]
    """What the page's address takes, such as a filter."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of thing that should be finished, and how many there are that count in a month or before it."""

    one: str
    many: str
    endpoint: str
    count: Callable[[Session, date], int]
    values: dict[str, Any] = field(default_factory=dict)


CHECKS: tuple[Check, ...] = (
    Check(
        "instalment is due and not invoiced",
        "instalments are due and not invoiced",
        "fee_ledger.index",
        lambda session, month: len(list_to_invoice(session, until_on=_last_day(month))),
    ),
    Check(
        "receipt is not matched",
        "receipts are not matched",
        "fee_matching.index",
        lambda session, month: count_waiting(session, until_on=_last_day(month)),
    ),
    Check(
        "invoice that you issued is in dispute",
        "invoices that you issued are in dispute",
        "invoices.index",
        lambda session, _: count_unresolved(session, received=False),
        {"state": "disputed"},
    ),
    Check(
        "invoice that you received is in dispute",
        "invoices that you received are in dispute",
        "invoices.index",
        lambda session, _: count_unresolved(session, received=True),
        {"side": "received", "state": "disputed"},
    ),
)


def list_unfinished(session: Session, month: date) -> list[Unfinished]:
    """Return what is not finished at the end of a month, leaving out what there is none of."""
    counted = [(each, each.count(session, month)) for each in CHECKS]
    return [Unfinished(each.one, each.many, count, each.endpoint, each.values) for each, count in counted if count]


def _last_day(month: date) -> date:
    return add_months(month, 1) - timedelta(days=1)
