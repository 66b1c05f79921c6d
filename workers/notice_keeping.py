"""The schedule’s part in notices: tell of times that are due, ask for e-mails, and forget what is old."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from matching.fee.notice import give_fee_notices
from matching.notice import CLOCK_JOB, MAIL_JOB, NoticeWay, give_clock_notices
from tenants.database import Database
from tenants.scope import NOBODY, Scope
from workers.asking import ask, leads
from workers.work import Work

KEPT_DAYS = 90
_DUE = text("SELECT * FROM people_to_mail(:now)")
_CLOCKED = text("SELECT * FROM agencies_with_clocks(:day)")
_FORGET = text("SELECT forget_notices(:before)")
_HERE = ZoneInfo("Europe/London")


def tell_of_clocks(session: Session, work: Work) -> dict[str, Any]:
    """Tell an agency’s people of the times of their links, records and fees; doing it again tells nobody twice."""
    return {"times": give_clock_notices(session, now=work.now), "fees": give_fee_notices(session, now=work.now)}


def keep_notices(database: Database, *, now: datetime, mails: bool) -> int:
    """Ask for what is due, and return for how many e-mails and looks at clocks; none when another schedule leads.

    :param mails: whether this deployment sends e-mail at all.
    """
    with database.transaction(NOBODY) as session:
        if not leads(session):
            return 0
        session.execute(_FORGET, {"before": now - timedelta(days=KEPT_DAYS)})
        today = str(now.astimezone(_HERE).date())
        clocked = session.scalars(_CLOCKED, {"day": today}).all()
        due = session.execute(_DUE, {"now": now}).all() if mails else []
        asked = [ask(database, Scope(agency_id=each), kind=CLOCK_JOB, key=today, now=now) for each in clocked]
        for agency_id, person_id, way, newest_id in due:
            # Never twice for the same: the second asking with a key comes to the first one’s job.
            key = f"{person_id}:{newest_id if way == NoticeWay.AT_ONCE else today}"
            scope = Scope(agency_id=agency_id, person_id=person_id)
            asked.append(ask(database, scope, kind=MAIL_JOB, key=key, now=now))
        return sum(asked)
