"""The audit's chains: each entry of an agency hashed with all before it, so that no change of the past goes unseen.

Entries are appended without a lock and chained later, behind the oldest transaction that still runs: by then no entry
can come to stand before one that is chained. An entry that names two agencies stands in the chains of both; one that
names none, in a chain of its own. One program at a time chains for one agency, under an advisory lock that no writer
of entries ever asks for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Mapped, Session

from tenants.base import Base
from tenants.database import scope_of
from tenants.error import Forbidden

AT_ONCE = 2000
"""How many entries are chained in one transaction."""
FORMS = {
    1: (
        *("id", "at", "actor_agency_id", "actor_person_id", "actor_client_id", "consortium_id", "owner_agency_id"),
        *("act", "record_kind", "record_id", "level", "reason", "request_id", "origin", "address", "written_in"),
    ),
}
"""What of an entry each form of the chain hashes, by columns; one that is in use is never changed.

A release that gives entries a column adds a form with it: what was chained before is checked by the form it names.
"""
PRESENT_FORM = max(FORMS)


class ChainForbidden(Forbidden):
    """Only an agency's own scope, or the operator's, without a person, chains the audit."""


class ChainLink(Base):
    """One entry's place in a chain, and the hash of the chain up to it."""

    __tablename__ = "audit_chain"
    __mapper_args__ = {"primary_key": ["agency_id", "position"]}  # noqa: RUF012 - SQLAlchemy reads it from the class

    agency_id: Mapped[UUID | None]
    position: Mapped[int]
    entry_id: Mapped[UUID]
    hash: Mapped[bytes]
    form: Mapped[int]


BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """How far a chain goes: the position, entry and hash of its last link, and the transaction that wrote the entry."""

    position: int
    hash: bytes
    entry_id: UUID = BEFORE_ALL
    written_in: int = 0


def chain_entries(session: Session, *, limit: int = AT_ONCE) -> int:
    """Chain the scope's next entries, at most ``limit``, and return how many; none while another program does.

    :raises ChainForbidden: in a scope that may not.
    """
    scope = scope_of(session)
    if scope.person_id is not None or (scope.agency_id is None and not scope.operator):
        raise ChainForbidden("The audit is chained by the schedule, in no person’s name.")
    if not session.scalar(_LOCK, {"name": f"concord.audit {scope.agency_id}"}):
        return 0
    # Read before the entries: whatever was written before this is to be seen by the statement after it.
    next_in, horizon = session.execute(_HORIZON).one()
    end = chain_end(session)
    spans = [(end.written_in, end.entry_id, horizon)]
    if next_in < end.written_in:
        # The database was restored from a dump and counts its transactions anew, from below those of its old rows.
        # What was not chained of the old comes first: no transaction of this server can have so high a number.
        spans = [(next_in, BEFORE_ALL, _BEYOND), (0, BEFORE_ALL, horizon)]
    rows: Sequence[Row[*tuple[Any, ...]]] = []
    for span in spans:
        rows = rows or _rows(session, span, limit=limit)
    links: list[tuple[int, UUID, str, bytes]] = []
    position, digest = end.position, end.hash
    for entry_id, written_in, said in rows:
        position, digest = position + 1, next_hash(digest, said)
        links.append((position, entry_id, written_in, digest))
    if links:
        columns = zip(("positions", "entries", "written", "hashes"), zip(*links, strict=True), strict=True)
        lists = {name: list(values) for name, values in columns}
        session.execute(_ADD, {"agency": scope.agency_id, "form": PRESENT_FORM, **lists})
    return len(links)


def chain_end(session: Session) -> ChainEnd:
    """Return how far the scope's chain goes; one without links begins with a hash that names its agency."""
    agency_id = scope_of(session).agency_id
    row = session.execute(text(_END.format(chain=of_chain(agency_id))), {"agency": agency_id}).one_or_none()
    return ChainEnd(0, first_hash(agency_id)) if row is None else ChainEnd(*row)


def first_hash(agency_id: UUID | None) -> bytes:
    """Return the 32 bytes with which an agency's chain begins; its id is in them, so that no two begin alike."""
    return hashlib.sha256(b"concord audit chain" + (agency_id.bytes if agency_id else b"")).digest()


def next_hash(previous: bytes, said: dict[str, Any]) -> bytes:
    """Return the hash of a chain with one entry more, from the hash before it and all that the entry says."""
    return hashlib.sha256(previous + canonical(said)).digest()


def canonical(said: dict[str, Any]) -> bytes:
    """Return one way of writing what an entry or anchor says: JSON by RFC 8785, without what is not said.

    Every value of an entry is a text, a whole number or missing.
    """
    given = {name: value for name, value in said.items() if value is not None}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def said_in(form: int) -> str:
    """Return the expression of SQL for what an entry ``e`` says in one of the ``FORMS``.

    Times are written in the session’s zone, so ``read_in_utc`` comes before.
    """
    columns = ", ".join(f"'{column}', e.{column}" for column in FORMS[form])
    return f"jsonb_build_object('form', {form}, {columns})"


def read_in_utc(session: Session) -> None:
    """Have the database write times in universal time, for the rest of the transaction."""
    session.execute(_UTC)


_BEYOND = str(2**63 - 1)
"""A transaction that no server reaches."""
_UTC = text("SELECT set_config('TimeZone', 'UTC', true)")
# While a chain grows faster than its statistics, the planner would read all of it again for each entry.
_LOCK = text("""
    SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0)) AND set_config('TimeZone', 'UTC', true) > ''
        AND set_config('enable_nestloop', 'off', true) > ''
""")
_HORIZON = text("""
    SELECT cast(cast(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint),
           cast(pg_snapshot_xmin(pg_current_snapshot()) AS text)
""")
_END = """
    SELECT c.position, c.hash, c.entry_id, cast(cast(c.written_in AS text) AS bigint) FROM audit_chain c
    WHERE {chain} ORDER BY c.position DESC LIMIT 1
"""
_ADD = text("""
    INSERT INTO audit_chain (agency_id, position, entry_id, written_in, hash, form)
    SELECT cast(:agency AS uuid), l.position, l.entry_id, cast(l.written_in AS xid8), l.hash, :form
    FROM unnest(cast(:positions AS integer[]), cast(:entries AS uuid[]), cast(:written AS text[]),
                cast(:hashes AS bytea[])) AS l (position, entry_id, written_in, hash)
""")


_NEXT = """
    (SELECT e.id, e.written_in, {said} AS said FROM audit_entry e
     WHERE {whose} AND (e.written_in, e.id) > (cast(:after AS xid8), cast(:id AS uuid))
       AND e.written_in < cast(:horizon AS xid8)
       AND NOT EXISTS (SELECT FROM audit_chain c WHERE {chain} AND c.entry_id = e.id)
     ORDER BY e.written_in, e.id LIMIT :n)
"""


_IN_ORDER = """
    SELECT n.id, cast(n.written_in AS text), n.said FROM ({found}) n ORDER BY n.written_in, n.id LIMIT :n
"""


def of_chain(agency_id: UUID | None) -> str:
    """Return the condition of SQL that names one chain’s rows ``c`` (“= :agency” for an agency’s)."""
    return "c.agency_id IS NULL" if agency_id is None else "c.agency_id = :agency"


def of_entries(agency_id: UUID | None) -> tuple[str, ...]:
    """Return the conditions of SQL, no two true at once, that name the entries ``e`` of one chain."""
    if agency_id is None:
        return ("e.actor_agency_id IS NULL AND e.owner_agency_id IS NULL",)
    others = "e.actor_agency_id = :agency AND e.actor_agency_id IS DISTINCT FROM e.owner_agency_id"
    return ("e.owner_agency_id = :agency", others)


def _rows(session: Session, span: tuple[int, UUID, str], *, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return id, transaction and content of the next entries: after a transaction and id, before a transaction."""
    (after, entry_id, horizon), agency_id = span, scope_of(session).agency_id
    about = {"agency": agency_id, "after": str(after), "id": entry_id, "horizon": horizon, "n": limit}
    return session.execute(_next(agency_id), about).all()


def _next(agency_id: UUID | None) -> TextClause:
    chain = of_chain(agency_id)
    said = said_in(PRESENT_FORM)
    found = " UNION ALL ".join(_NEXT.format(said=said, whose=whose, chain=chain) for whose in of_entries(agency_id))
    return text(_IN_ORDER.format(found=found))
