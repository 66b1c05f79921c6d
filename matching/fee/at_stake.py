"""How much money a waiver or another fee is about, so that whoever decides on it keeps to their limit."""

from __future__ import annotations

from datetime import date

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
    waiver = Told(FeeEventKind.WAIVER, _KEY, on, {"kept": sorted(invoiced)})
    before, after = (expected(plan, events, invoiced, on) for events in (told, [*told, waiver]))
    parts = sum(each.pence for each in after if each.event_key == _KEY and each.kind is TransactionKind.WAIVED)
    # What each month costs was never agreed as a sum: it falls due, and then does not.
    left = {each.key for each in after}
    return parts + sum(each.pence for each in before if not each.foreseen and each.key not in left)


def changed_by(session: Session, agreement: FeeAgreement, pence: int, *, on: date) -> int:
    """Return what another fee is about, in pence: that fee, or what it leaves of the one before if that is more."""
    agreed = (each.pence for each in foresee(session, agreement, until_on=on) if each.kind is TransactionKind.AGREED)
    return max(pence, next(agreed, agreement.amount_pence or 0) - pence)
