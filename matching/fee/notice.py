"""What people are told of about fees: the words, and what only the day brings.

The database gives all others itself (revisions 0049 and 0053), in the transaction of what they tell of. A word says
what kind of thing happened: no amount, no name and no reference.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.fee.invoice.bank import PayeeAccountChange
from matching.fee.ledger import open_months
from matching.sealed_words import own_agency
from matching.working_day import add_months

CLOSING_DAYS: Final = 7
"""Days after a month’s end from which on people are told that it is open: until then bank files still come in."""
_SOON = timedelta(days=2)
_ON_DAY = text("SELECT notice_fee_day(:subject_id, :word, :about)")
_NETTINGS_OVER = text("SELECT notice_nettings_over(:on_day)")


class FeeWord(StrEnum):
    """What a notice about fees tells of."""

    REMINDER = "reminder"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_ANSWERED = "dispute_answered"
    DISPUTE_OVER = "dispute_over"
    BANK_ASKED = "bank_asked"
    BANK_APPROVED = "bank_approved"
    BANK_WITHDRAWN = "bank_withdrawn"
    BANK_CHANGES = "bank_changes"
    BANK_STAYS = "bank_stays"
    BANK_SOON = "bank_soon"
    TO_SIGN = "to_sign"
    ADDENDUM = "addendum"
    EXCEPTION_ASKED = "exception_asked"
    REOPEN_ASKED = "reopen_asked"
    REOPENED = "reopened"
    LIMIT_ASKED = "limit_asked"
    MONTH_OPEN = "month_open"
    STATEMENT = "statement"
    NETTING = "netting"
    NETTING_POSTED = "netting_posted"
    NETTING_DECLINED = "netting_declined"
    NETTING_OVER = "netting_over"
    LEG_REMINDER = "leg_reminder"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _WORDS[self]


_WORDS: Final = {
    FeeWord.REMINDER: "The payee reminds your agency of an invoice that is not paid",
    FeeWord.DISPUTE_OPENED: "The payer disputes an invoice",
    FeeWord.DISPUTE_ANSWERED: "The other agency answered in a dispute of an invoice",
    FeeWord.DISPUTE_OVER: "The other agency ended a dispute of an invoice",
    FeeWord.BANK_ASKED: "Somebody asked to change your agency’s bank details: a second person decides",
    FeeWord.BANK_APPROVED: "A change of your agency’s bank details was approved",
    FeeWord.BANK_WITHDRAWN: "A change of your agency’s bank details was taken back",
    FeeWord.BANK_CHANGES: "An agency that you pay changes its bank details: ask it by a way that you know",
    FeeWord.BANK_STAYS: "An agency that you pay took a change of its bank details back",
    FeeWord.BANK_SOON: "A change of bank details takes effect within two days",
    FeeWord.TO_SIGN: "A fee agreement waits for your agency’s signature",
    FeeWord.ADDENDUM: "An addendum to a fee agreement waits for your agency’s signature",
    FeeWord.EXCEPTION_ASKED: "A waiver, another fee or a refund waits for a decision",
    FeeWord.REOPEN_ASKED: "Somebody asked to open a closed month again: a second person decides",
    FeeWord.REOPENED: "A closed month was opened again",
    FeeWord.LIMIT_ASKED: "Somebody asked for a higher limit to signing: a second person decides",
    FeeWord.MONTH_OPEN: "A month is over and not closed",
    FeeWord.STATEMENT: "A statement waits for your agency to agree",
    FeeWord.NETTING: "A netting waits for your agency",
    FeeWord.NETTING_POSTED: "A netting was confirmed by all of its agencies, and is in their books",
    FeeWord.NETTING_DECLINED: "Another agency declined a netting",
    FeeWord.NETTING_OVER: "A netting ended by itself: one of its agencies has left, or handed its work over",
    FeeWord.LEG_REMINDER: "The payee reminds your agency of a payment after a netting",
}


def give_fee_notices(session: Session, *, now: datetime) -> int:
    """Tell the scope's agency's finance officers of what a day brings, each once; return of how many things.

    That bank details change within two days, their own or of whom they pay; that a month is over and not closed; and
    that a netting ended because one of its agencies is gone.
    """
    found = [*_changes_soon(session, now=now), *_months_open(session, on=now.date())]
    for subject_id, word, about in found:
        session.execute(_ON_DAY, {"subject_id": subject_id, "word": word.value, "about": about})
    return len(found) + (session.scalar(_NETTINGS_OVER, {"on_day": now.date()}) or 0)


def _changes_soon(session: Session, *, now: datetime) -> list[tuple[UUID, FeeWord, str]]:
    change = PayeeAccountChange
    query = select(change.id).where(
        change.withdrawn_at.is_(None), change.takes_effect_at > now, change.takes_effect_at <= now + _SOON
    )
    return [(each, FeeWord.BANK_SOON, str(each)) for each in session.scalars(query.order_by(change.id))]


def _months_open(session: Session, *, on: date) -> list[tuple[UUID, FeeWord, str]]:
    """Return the last month that is over, where it is open: those before it are closed first, and were told of."""
    over = [each for each in open_months(session) if on >= add_months(each, 1) + timedelta(days=CLOSING_DAYS)]
    return [(own_agency(session), FeeWord.MONTH_OPEN, f"{each:%Y-%m}") for each in over[-1:]]
