"""Forget the words that no record says any more: they were kept so that those spelt alike are found."""

from __future__ import annotations

import structlog
from sqlalchemy import text

from tenants.database import Database
from tenants.scope import NOBODY

_FORGET = text("SELECT forget_words()")
log = structlog.get_logger(__name__)


def forget_words(database: Database) -> int:
    """Forget the words that the last record has lost, and return how many; none while a record is being written."""
    with database.transaction(NOBODY) as session:
        forgotten: int = session.execute(_FORGET).scalar_one()
    if forgotten:
        log.info("schedule.words_forgotten", words=forgotten)
    return forgotten
