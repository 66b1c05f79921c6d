"""Keep the audit's chains: chain what was written, sign where each chain ends, and check each once a day.

It runs in the schedule, which alone needs the key: whoever gets into a web or worker process cannot sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from tenants.agency import list_agencies
from tenants.audit_anchor import AuditKey, PublicKey, anchor_chain
from tenants.audit_chain import AT_ONCE, chain_entries
from tenants.audit_check import ChainCheck, check_chain, find_last_check, keep_check
from tenants.database import Database
from tenants.scope import OPERATOR, Scope

CHECK_EVERY = timedelta(days=1)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """The key that signs anchors now, if there is one, and the public parts of those that signed before."""

    present: AuditKey | None = None
    former: tuple[PublicKey, ...] = ()

    @property
    def public(self) -> tuple[PublicKey, ...]:
        """Return every key by which an anchor may be signed."""
        return (*((self.present.public,) if self.present else ()), *self.former)


def keep_audit(
    database: Database, keys: AuditKeys, *, now: datetime, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Chain and anchor every agency's audit, and check the one that has waited longest, if a day or more.

    One check at a time, so that no agency's long record keeps the others' from being chained. Once it is ``stopping``
    it leaves the rest to the next time. Returns how many entries were chained.
    """
    chains = list_chains(database)
    chained = 0
    for scope in chains:
        if stopping():
            return chained
        chained += keep_chain(database, scope, keys, now=now)
    due = _most_due(database, chains, now=now)
    if due is not None:
        check(database, due, keys, now=now)
    return chained


def list_chains(database: Database) -> list[Scope]:
    """Return the scope of each chain: every agency's, closed ones too, and the one of no agency."""
    with database.transaction(OPERATOR) as session:
        return [OPERATOR, *(Scope(agency_id=agency.id) for agency in list_agencies(session))]


def keep_chain(database: Database, scope: Scope, keys: AuditKeys, *, now: datetime) -> int:
    """Chain all that can be chained of one agency's audit, sign its end where that is due, and return how much it was.

    Each batch is a transaction: whatever ends the program, the next one goes on from there.
    """
    chained = AT_ONCE
    total = 0
    while chained == AT_ONCE:
        with database.transaction(scope) as session:
            chained = chain_entries(session)
        total += chained
    if keys.present is not None:
        with database.transaction(scope) as session:
            anchor_chain(session, key=keys.present, now=now)
    return total


def check(database: Database, scope: Scope, keys: AuditKeys, *, now: datetime) -> ChainCheck:
    """Check one agency's chain, keep the outcome, and say in the log what is wrong."""
    with database.transaction(scope) as session:
        found = check_chain(session, public_keys=keys.public)
        keep_check(session, found, now=now)
    about = {"agency": str(scope.agency_id) if scope.agency_id else None, "entries": found.checked}
    if found.sound:
        log.info("audit.checked", **about)
    else:
        log.error("audit.faults", faults=found.count, **about)
    return found


def _most_due(database: Database, chains: Sequence[Scope], *, now: datetime) -> Scope | None:
    checked: list[tuple[datetime, int]] = []
    for number, scope in enumerate(chains):
        with database.transaction(scope) as session:
            at = _last_checked(session, now=now)
        if at is None:
            return scope
        checked.append((at, number))
    at, number = min(checked)
    return chains[number] if now - at >= CHECK_EVERY else None


def _last_checked(session: Session, *, now: datetime) -> datetime | None:
    last = find_last_check(session, now=now)
    return None if last is None else last.at
