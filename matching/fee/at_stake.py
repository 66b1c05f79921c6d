"""How much money a waiver or another fee is about, so that whoever decides on it keeps to their limit."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.event import FeeEventKind, events_of
from matching.fee.ledger import TransactionKind
from matching.fee.obligation import Told, expected
from matching.fee.settlement import foresee, invoiced_of, plan_of

_KEY = "at stake"


def waived_by(session: Session, agreement: FeeAgreement, *, on: date) -> int:
    """Return what a waiver on a day gives up, in pence: what is agreed, or due by months, and not invoiced."""
    if not agreement.is_signed:
        return 0 if agreement.waived else agreement.amount_pence or 0
    plan, invoiced = plan_of(agreement), invoiced_of(session, agreement)
    told = [Told(each.kind, each.key, each.happened_on, each.facts) for each in events_of(session, agreement.id)]
    waiver = Told(FeeEventKind.WAIVER, _KEY, on, kept_by_waiver(session, agreement, on=on))
    before, after = (expected(plan, events, invoiced, on) for events in (told, [*told, waiver]))
    parts = sum(each.pence for each in after if each.event_key == _KEY and each.kind is TransactionKind.WAIVED)
    # What each month costs was never agreed as a sum: it falls due, and then does not.
    months = (sum(each.pence for each in some if not each.foreseen) for some in (before, after))
    return parts + next(months) - next(months)


def kept_by_waiver(session: Session, agreement: FeeAgreement, *, on: date) -> dict[str, Any]:
    """Return what a waiver on a day leaves, as its facts: what was invoiced, and how much where that was a part."""
    invoiced = invoiced_of(session, agreement)
    dues = {each.due_key: each.pence for each in foresee(session, agreement, until_on=on)}
    in_part = {key: pence for key, pence in invoiced.items() if dues.get(key, pence) > pence}
    return {"kept": sorted(invoiced), "in_part": in_part}


def changed_by(session: Session, agreement: FeeAgreement, pence: int, *, on: date) -> int:
    """Return what another fee is about, in pence: that fee, or what it leaves of the one before if that is more."""
    agreed = (each.pence for each in foresee(session, agreement, until_on=on) if each.kind is TransactionKind.AGREED)
    return max(pence, next(agreed, agreement.amount_pence or 0) - pence)
