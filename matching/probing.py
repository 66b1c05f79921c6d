"""How often an agency sets its records' places against other agencies' records, and where that ends.

What each answer tells is bounded already (``matching.zone``); this bounds how many are asked for. The count is kept in
the database, so that it holds for pages, commands and jobs alike and outlives the queue store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household, HouseholdPlace
from matching.sibling_group import ExclusionArea, GroupPlace, SiblingGroup
from tenants import audit
from tenants.base import Base
from tenants.bulk import given_rows
from tenants.database import scope_of
from tenants.error import Forbidden

WINDOW = timedelta(hours=24)
_FORGOTTEN_AFTER = timedelta(days=3)
_STANDS_FOR = timedelta(hours=1)
"""For how long a question counts as just asked, so that people of one agency who ask the same do not wait in turn."""
_WORDS = {"sibling_group": ("groups", "households"), "household": ("households", "groups")}


class PlaceQuestion(Base):
    """One set of places that a record of the agency had when it was last set against others' records."""

    __tablename__ = "place_question"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    record_kind: Mapped[str]
    asked_at: Mapped[datetime]


class AskedTooOften(Forbidden):
    """An agency compared more places with other agencies' records in a day than anyone's work needs."""

    def __init__(self, message: str, *, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class ProbingLimits:
    """What an agency may ask for in 24 hours: different records of each kind, and sets of places for one record."""

    records: int = 1_000
    places: int = 10


def ask_places(
    session: Session, groups: Sequence[SiblingGroup], households: Sequence[Household], *, now: datetime
) -> None:
    """Count the agency's own records that are about to be set against other agencies', or refuse and say until when.

    The limits are the session's (``info["probing_limits"]``). A refusal is put on record by the edge of the
    transaction, for this one is rolled back with it.

    :raises AskedTooOften: when it would be more in 24 hours than the limits allow.
    """
    own = scope_of(session).agency_id
    if own is None:
        return
    if any(household.agency_id != own for household in households):
        ours = [group.id for group in groups if group.agency_id == own]
        _ask(session, "sibling_group", _group_places(session, ours), agency_id=own, now=now)
    if any(group.agency_id != own for group in groups):
        ours = [household.id for household in households if household.agency_id == own]
        _ask(session, "household", _household_places(session, ours), agency_id=own, now=now)


def _group_places(session: Session, ids: list[UUID]) -> dict[UUID, str]:
    homes = select(GroupPlace.sibling_group_id, GroupPlace.outward_code).where(GroupPlace.sibling_group_id.in_(ids))
    areas = select(ExclusionArea.sibling_group_id, ExclusionArea.outward_code, ExclusionArea.miles).where(
        ExclusionArea.sibling_group_id.in_(ids)
    )
    if not ids:
        return {}
    found = [(record_id, f"home {code}") for record_id, code in session.execute(homes)]
    found += [(record_id, f"{code} {miles}") for record_id, code, miles in session.execute(areas)]
    return _joined(found)


def _household_places(session: Session, ids: list[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    query = select(HouseholdPlace.household_id, HouseholdPlace.outward_code).where(HouseholdPlace.household_id.in_(ids))
    return _joined((record_id, code) for record_id, code in session.execute(query))


def _joined(found: Iterable[tuple[UUID, str]]) -> dict[UUID, str]:
    places: dict[UUID, list[str]] = {}
    for record_id, words in found:
        places.setdefault(record_id, []).append(words)
    return {record_id: ", ".join(sorted(words)) for record_id, words in places.items()}


def _ask(session: Session, kind: str, places: dict[UUID, str], *, agency_id: UUID, now: datetime) -> None:
    if not places:
        return
    asked = {record_id: hashlib.sha256(words.encode()).digest() for record_id, words in places.items()}
    limits: ProbingLimits = session.info.get("probing_limits", ProbingLimits())
    earlier = _earlier(session, kind, agency_id=agency_id, now=now)
    _check_records(kind, set(asked), earlier, limits, now=now)
    _check_places(kind, asked, earlier, limits, now=now)
    rows = [
        {"agency_id": agency_id, "record_id": each, "digest": digest, "record_kind": kind, "asked_at": now}
        # In one order for all, or two who ask at once could wait for each other.
        for each, digest in sorted(asked.items())
        if earlier.get(each, {}).get(digest, now - WINDOW) <= now - _STANDS_FOR
    ]
    if rows:
        _count(session, rows)
        _forget(session, agency_id=agency_id, now=now)


def _count(session: Session, rows: list[dict[str, object]]) -> None:
    statement = insert(PlaceQuestion).from_select(
        list(rows[0]), select(*given_rows(PlaceQuestion, rows).c), include_defaults=False
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["agency_id", "record_id", "digest"], set_={"asked_at": statement.excluded.asked_at}
        )
    )


def _forget(session: Session, *, agency_id: UUID, now: datetime) -> None:
    key = (PlaceQuestion.agency_id, PlaceQuestion.record_id, PlaceQuestion.digest)
    # What another is about to forget is left to it.
    old = (
        select(*key)
        .where(PlaceQuestion.agency_id == agency_id, PlaceQuestion.asked_at < now - _FORGOTTEN_AFTER)
        .with_for_update(skip_locked=True)
    )
    session.execute(delete(PlaceQuestion).where(tuple_(*key).in_(old)).execution_options(synchronize_session=False))


def _earlier(session: Session, kind: str, *, agency_id: UUID, now: datetime) -> dict[UUID, dict[bytes, datetime]]:
    """Return what was asked in the window: each record's sets of places, with when each was last asked about."""
    query = select(PlaceQuestion.record_id, PlaceQuestion.digest, PlaceQuestion.asked_at).where(
        PlaceQuestion.agency_id == agency_id,
        PlaceQuestion.record_kind == kind,
        PlaceQuestion.asked_at > now - WINDOW,
    )
    earlier: dict[UUID, dict[bytes, datetime]] = {}
    for record_id, digest, asked_at in session.execute(query):
        earlier.setdefault(record_id, {})[digest] = asked_at
    return earlier


def _check_records(
    kind: str,
    asked: set[UUID],
    earlier: dict[UUID, dict[bytes, datetime]],
    limits: ProbingLimits,
    *,
    now: datetime,
) -> None:
    if asked <= earlier.keys() or len(asked | earlier.keys()) <= limits.records:
        return
    last = sorted(max(sets.values()) for sets in earlier.values())
    ours, theirs = _WORDS[kind]
    _refuse(
        f"Your agency may have {limits.records:,} different {ours} compared with other agencies’ {theirs} in 24 hours, "
        f"and this would be more.",
        retry_at=(last[0] if last else now) + WINDOW,
        kind=kind,
        record_id=next(iter(asked)) if len(asked) == 1 else None,
        now=now,
    )


def _check_places(
    kind: str,
    asked: dict[UUID, bytes],
    earlier: dict[UUID, dict[bytes, datetime]],
    limits: ProbingLimits,
    *,
    now: datetime,
) -> None:
    for record_id, digest in asked.items():
        sets = earlier.get(record_id, {})
        if digest not in sets and len(sets) >= limits.places:
            one = {"sibling_group": "This group’s places", "household": "This household’s place"}[kind]
            _refuse(
                f"{one if len(asked) == 1 else 'The places of one of your records'} changed {limits.places} times in "
                "24 hours and more. That is more than a correction takes, and other agencies’ records are not compared "
                "with it for now.",
                retry_at=min(sets.values(), default=now) + WINDOW,
                kind=kind,
                record_id=record_id,
                now=now,
            )


def _refuse(message: str, *, retry_at: datetime, kind: str, record_id: UUID | None, now: datetime) -> None:
    refusal = AskedTooOften(
        f"{message} Try again after {retry_at:%H:%M} on {retry_at.day} {retry_at:%B} (universal time).",
        retry_at=retry_at,
    )

    def put_on_record(session: Session) -> None:
        audit.record(
            session,
            audit.Act.REFUSE,
            record_kind=kind,
            record_id=record_id,
            reason="asked about places more often in 24 hours than the limits allow",
            now=now,
        )

    refusal.afterwards = put_on_record
    raise refusal
