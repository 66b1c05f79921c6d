"""Check a chain of the audit: name each row that was edited, removed, inserted or moved, and each false anchor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session

from tenants.audit_anchor import Anchor, PublicKey, list_anchors, statement
from tenants.audit_chain import FORMS, chain_end, first_hash, next_hash, of_chain, of_entries, read_in_utc, said_in
from tenants.base import Base, Id
from tenants.database import scope_of

AT_ONCE = 2000
MOST_NAMED = 200
"""How many faults are named; all are counted."""


class FaultKind(StrEnum):
    """What is wrong with a chain."""

    EDITED = "edited"
    REMOVED = "removed"
    INSERTED = "inserted"
    UNLINKED = "unlinked"
    REWRITTEN = "rewritten"
    CUT_OFF = "cut_off"
    FALSE_ANCHOR = "false_anchor"
    LOST_ANCHOR = "lost_anchor"

    @property
    def words(self) -> str:
        """Return what is wrong, in words."""
        return _WORDS[self]


_WORDS = {
    FaultKind.EDITED: "The entry, or its place, is not what it was when it was chained.",
    FaultKind.REMOVED: "The entry that was chained here is gone.",
    FaultKind.INSERTED: "The entry was put in among entries that were chained already.",
    FaultKind.UNLINKED: "The link of the chain itself is gone.",
    FaultKind.REWRITTEN: "The chain up to here is not the one that was signed.",
    FaultKind.CUT_OFF: "The chain was signed up to here and now ends before.",
    FaultKind.FALSE_ANCHOR: "The anchor is not signed by a key that was given.",
    FaultKind.LOST_ANCHOR: "The anchor is in the copy and no longer in the database.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: with which link, entry or anchor."""

    kind: FaultKind
    position: int | None = None
    entry_id: UUID | None = None
    anchor_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fault as JSON has it, with its words."""
        ids = {"entry": self.entry_id, "anchor": self.anchor_id}
        said = {name: str(value) for name, value in ids.items() if value}
        return {"kind": self.kind.value, "position": self.position, **said, "words": self.kind.words}


@dataclass(slots=True)
class ChainCheck:
    """What a check found: links checked, entries still to be chained, when the last anchor was made, and the faults."""

    checked: int = 0
    pending: int = 0
    anchored_at: datetime | None = None
    count: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Count a fault, and name it while there are few."""
        self.count += 1
        if len(self.faults) < MOST_NAMED:
            self.faults.append(fault)

    @property
    def sound(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.count


class AuditCheck(Base):
    """The outcome of one check, kept."""

    __tablename__ = "audit_check"

    id: Mapped[Id]
    agency_id: Mapped[UUID | None]
    at: Mapped[datetime]
    checked: Mapped[int]
    pending: Mapped[int]
    anchored_at: Mapped[datetime | None]
    """When the newest anchor was made that the check relied on."""
    faults: Mapped[int]
    found: Mapped[dict[str, Any]]


def check_chain(session: Session, *, public_keys: Iterable[PublicKey], copies: Iterable[Anchor] = ()) -> ChainCheck:
    """Check the scope's chain against the entries, its anchors, and anchors of which a copy was kept elsewhere.

    Reads as it stands at one moment, some links at a time, while others go on writing.
    """
    agency_id, found = scope_of(session).agency_id, ChainCheck()
    read_in_utc(session)
    kept = {anchor.id: anchor for anchor in list_anchors(session)}
    copied = {anchor.id: anchor for anchor in copies if anchor.agency_id == agency_id}
    anchors = [*kept.values(), *(each for each in copied.values() if not _same(each, kept.get(each.id)))]
    end, hashes = _check_links(session, agency_id, found, wanted={anchor.position for anchor in anchors})
    keys = {key.key_id: key for key in public_keys}
    for anchor in anchors:
        _check_anchor(anchor, keys, hashes, end, found)
    for lost in sorted(copied.keys() - kept.keys(), key=str):
        found.add(Fault(FaultKind.LOST_ANCHOR, copied[lost].position, anchor_id=lost))
    _check_rest(session, agency_id, found)
    found.anchored_at = max((anchor.at for anchor in kept.values()), default=None)
    return found


def keep_check(session: Session, found: ChainCheck, *, now: datetime) -> AuditCheck:
    """Keep the outcome of a check of the scope's chain."""
    kept = AuditCheck(
        agency_id=scope_of(session).agency_id,
        at=now,
        checked=found.checked,
        pending=found.pending,
        anchored_at=found.anchored_at,
        faults=found.count,
        found={"faults": [fault.as_json() for fault in found.faults]},
    )
    session.add(kept)
    session.flush()
    return kept


def find_last_check(session: Session, *, now: datetime) -> AuditCheck | None:
    """Return the newest outcome of the scope's chain; one that a wrong clock dated later than now puts nothing off."""
    agency_id = scope_of(session).agency_id
    whose = AuditCheck.agency_id.is_(None) if agency_id is None else AuditCheck.agency_id == agency_id
    return session.scalars(
        select(AuditCheck).where(whose, AuditCheck.at <= now).order_by(AuditCheck.at.desc(), AuditCheck.id).limit(1)
    ).first()


def _check_links(
    session: Session, agency_id: UUID | None, found: ChainCheck, *, wanted: set[int]
) -> tuple[int, Mapping[int, bytes]]:
    """Check each link against its entry and the link before; return the last position, and the hashes wanted."""
    query = text(_LINKS.format(said=_SAID_BY_FORM, chain=of_chain(agency_id)))
    last, digest, hashes = 0, first_hash(agency_id), dict[int, bytes]()
    # One statement, so that no link is passed over, were there two at one position or one before the first.
    rows = session.execute(query, {"agency": agency_id}, execution_options={"yield_per": AT_ONCE})
    for position, entry_id, kept, said in rows:
        found.checked += 1
        for missing in range(last + 1, position):
            found.add(Fault(FaultKind.UNLINKED, missing))
        if said is None:
            found.add(Fault(FaultKind.REMOVED, position, entry_id))
        # After a gap nothing says what the hash was reckoned from; the gap itself is told.
        elif position <= last or (position == last + 1 and next_hash(digest, said) != kept):
            found.add(Fault(FaultKind.EDITED, position, entry_id))
        last, digest = max(last, position), kept
        if position in wanted:
            hashes[position] = kept
    return last, hashes


def _check_anchor(
    anchor: Anchor, keys: Mapping[str, PublicKey], hashes: Mapping[int, bytes], end: int, found: ChainCheck
) -> None:
    key = keys.get(anchor.key_id)
    if key is None or not key.has_signed(statement(anchor), anchor.signature):
        kind = FaultKind.FALSE_ANCHOR
    elif anchor.position > end:
        kind = FaultKind.CUT_OFF
    elif hashes.get(anchor.position) != anchor.hash:
        kind = FaultKind.REWRITTEN
    else:
        return
    found.add(Fault(kind, anchor.position, anchor_id=anchor.id))


def _check_rest(session: Session, agency_id: UUID | None, found: ChainCheck) -> None:
    """Tell entries that wait to be chained from those that were put in where the chain has passed already."""
    end = chain_end(session)
    whose = " UNION ALL ".join(_REST.format(whose=each, chain=of_chain(agency_id)) for each in of_entries(agency_id))
    about = {"agency": agency_id, "last": str(end.written_in), "id": end.entry_id}
    for entry_id, inserted in session.execute(text(f"{whose} ORDER BY 1"), about):
        if inserted:
            found.add(Fault(FaultKind.INSERTED, None, entry_id))
        else:
            found.pending += 1


def _same(one: Anchor, other: Anchor | None) -> bool:
    return other is not None and statement(one) == statement(other) and one.signature == other.signature


_FORMS = " ".join(f"WHEN {form} THEN {said_in(form)}" for form in FORMS)
# A link that names no form, or for its entry another transaction than the entry does, was edited: nothing is its hash.
_SAID_BY_FORM = f"CASE WHEN c.written_in <> e.written_in THEN '{{}}' ELSE CASE c.form {_FORMS} ELSE '{{}}' END END"
_LINKS = """
    SELECT c.position, c.entry_id, c.hash, CASE WHEN e.id IS NOT NULL THEN {said} END
    FROM audit_chain c LEFT JOIN audit_entry e ON e.id = c.entry_id
    WHERE {chain} ORDER BY c.position, e.written_in
"""
# An entry is before its time when the chain has passed it, unless a restore set the count of transactions back; and it
# is from no transaction when none has reached its number.
_REST = """
    SELECT e.id,
           ((e.written_in, e.id) <= (cast(:last AS xid8), cast(:id AS uuid))
            AND cast(:last AS xid8) < pg_snapshot_xmax(pg_current_snapshot()))
           OR (e.written_in >= pg_snapshot_xmax(pg_current_snapshot())
               AND cast(:last AS xid8) < pg_snapshot_xmax(pg_current_snapshot()))
    FROM audit_entry e
    WHERE {whose} AND NOT EXISTS (SELECT FROM audit_chain c WHERE {chain} AND c.entry_id = e.id)
"""
