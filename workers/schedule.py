"""The schedule: asks for work when its time has come. One leads, by an advisory lock of its connection.

Asking is idempotent by the job's key, so a schedule that was down, or two at once, ask for nothing twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from matching.meeting import get_meeting
from matching.pack import destroy_files, get_pack, request_first_packs
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import DomainError
from tenants.scope import NOBODY, Scope
from workers.answer_keeping import destroy_answers
from workers.asking import leads
from workers.audit_keeping import AuditKeys, keep_audit
from workers.fee_run import ask_for_fee_runs
from workers.fee_tending import ask_for_tending
from workers.hand_over import ask_for_hand_overs
from workers.invoice_reminding import ask_for_reminders
from workers.notice_keeping import keep_notices
from workers.sharing import ask_for_moves
from workers.word_keeping import forget_words

PACK_DAYS_AHEAD = 7
_MEETINGS = text("SELECT * FROM meetings_without_packs(:from_day, :to_day)")
_ENDED = text("SELECT * FROM packs_past_their_end(:before_day)")
log = structlog.get_logger(__name__)


def run_schedule(
    database: Database,
    stop: threading.Event,
    *,
    tick_seconds: float = 60.0,
    clock: Callable[[], datetime] = utc_now,
    audit_keys: AuditKeys | None = None,
    mails: bool = False,
) -> None:
    """Ask for what is due, every minute, until told to stop; come back when the database was away.

    The audit is chained with keys or without; only with them is its end signed.
    """
    while not stop.is_set():
        try:
            ask_for_packs(database, now=clock())
            destroy_packs(database, now=clock())
            destroy_answers(database, now=clock())
            ask_for_moves(database, now=clock())
            forget_words(database)
            ask_for_hand_overs(database, now=clock())
            ask_for_tending(database, now=clock())
            ask_for_reminders(database, now=clock())
            ask_for_fee_runs(database, now=clock())
            keep_notices(database, now=clock(), mails=mails)
            keep_audit(database, audit_keys or AuditKeys(), now=clock(), stopping=stop.is_set)
        except OperationalError as error:
            log.warning("schedule.database_away", error=type(error).__name__)
        stop.wait(tick_seconds)


def ask_for_packs(database: Database, *, now: datetime) -> int:
    """Ask for the packs of each meeting of the coming week that has none, as its consortium office.

    Returns how many meetings were asked for; none when another schedule leads.
    """
    window = {"from_day": now.date(), "to_day": now.date() + timedelta(days=PACK_DAYS_AHEAD)}
    with database.transaction(NOBODY) as session:
        if not leads(session):
            return 0
        due = session.execute(_MEETINGS, window).all()
        return sum(
            _ask(database, Scope(agency_id=office_id, consortium_id=consortium_id), meeting_id, now=now)
            for meeting_id, consortium_id, office_id in due
        )


def destroy_packs(database: Database, *, now: datetime) -> int:
    """Destroy the files of each pack whose days are over, in its own agency's scope.

    Returns of how many packs; none when another schedule leads.
    """
    with database.transaction(NOBODY) as session:
        if not leads(session):
            return 0
        ended = session.execute(_ENDED, {"before_day": now.date()}).all()
        return sum(
            _destroy(database, Scope(agency_id=agency_id, consortium_id=consortium_id), pack_id, now=now)
            for pack_id, consortium_id, agency_id in ended
        )


def _destroy(database: Database, scope: Scope, pack_id: UUID, *, now: datetime) -> bool:
    try:
        with database.transaction(scope) as agency:
            agency.info["request_id"] = "schedule"
            destroyed = destroy_files(agency, get_pack(agency, pack_id), now=now)
    except DomainError as error:
        log.warning("schedule.pack_kept", pack=str(pack_id), error=type(error).__name__)
        return False
    log.info("schedule.pack_destroyed", pack=str(pack_id), files=destroyed)
    return bool(destroyed)


def _ask(database: Database, scope: Scope, meeting_id: UUID, *, now: datetime) -> bool:
    try:
        with database.transaction(scope) as office:
            office.info["request_id"] = "schedule"
            request_first_packs(office, get_meeting(office, meeting_id), now=now)
    except DomainError as error:
        # One office's trouble must not keep the others' packs from being asked for, every minute anew.
        log.warning("schedule.packs_refused", meeting=str(meeting_id), error=type(error).__name__)
        return False
    log.info("schedule.packs_asked", meeting=str(meeting_id))
    return True
