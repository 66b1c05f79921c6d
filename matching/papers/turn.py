"""Turns: what is drawn up, said or signed at once comes one after the other, so that each sees what was before it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matching.sealed_words import own_agency
from tenants.database import scope_of


def take_turn(session: Session) -> None:
    """Wait for whoever keeps papers in the scope's consortium, or in its agency, until the transaction ends."""
    name = f"papers {scope_of(session).consortium_id or own_agency(session)}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
