"""Hand over: move an agency's rows to another, seal them under its key, and see that what came is what went.

All in the transaction in which the job ends: whoever looks, and whatever is killed, finds it before or after.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from matching.fee.transfer import HandingOver, transfer_balances
from tenants import audit
from tenants.cipher import forget_keys, keys_of, seal, unseal_under
from tenants.custody import moving
from tenants.database import Database
from tenants.error import Conflict
from tenants.hand_over import HAND_OVER_JOB, HandOver, get_hand_over, hindrance_words
from tenants.holding import Holding, Sealed
from tenants.reconciliation import Digests, pack_lines, read_closed, read_digests, reconcile
from tenants.scope import NOBODY, Scope
from workers.asking import ask, leads
from workers.work import Work

_AT_ONCE = 100
_STEPS = 5
_BEGIN = text("SELECT begin_hand_over(:hand_over)")
_MOVE = text("SELECT move_hand_over(:hand_over)")
_RESEAL = text("SELECT reseal_hand_over(:hand_over, :what, CAST(:ids AS uuid[]), CAST(:anew AS bytea[]))")
_RECONCILE = text("SELECT reconcile_hand_over(:hand_over, CAST(:counts AS jsonb), :lines)")
_DUE = text("SELECT * FROM hand_overs_due(:on_day)")
_PATIENCE = text("SELECT set_config('lock_timeout', '10s', true)")
# A sealed value begins with a byte of version and the 16 of its key's id.
_UNDER = """
    SELECT {row}, {column} FROM {table} WHERE {agency} = :own AND {column} IS NOT NULL
      AND substring({column} FROM 2 FOR 16) = ANY (CAST(:keys AS bytea[])) LIMIT :at_once
"""


class Hindered(Conflict):
    """Something stands against it that somebody has to put right first."""


def hand_over(session: Session, work: Work) -> dict[str, Any]:
    """Do what both sides agreed to; where it is done already, do nothing.

    :raises Hindered: when something stands against it, or what moves hangs together with what stays.
    :raises NotTheSame: when what came is not what went; then nothing is kept.
    """
    plan = get_hand_over(session, UUID(work.payload["hand_over"]))
    if plan.done_at is not None:
        return {"moved": 0}
    giver = Scope(agency_id=plan.agency_id)
    work.progress.tell(0, _STEPS, "Waiting until nobody writes")
    _begin(session, plan)
    work.progress.tell(1, _STEPS, "Reading what goes")
    closed = read_closed(session, plan, side="giver")
    with work.database.acting(session, giver):
        before, keys = read_digests(session) | closed, keys_of(session, agency_id=plan.agency_id)
    work.progress.tell(2, _STEPS, "Moving")
    counts = _move(session, plan)
    work.progress.tell(3, _STEPS, "Sealing under the receiving agency’s key")
    resealed = _reseal(session, plan, keys, now=work.now)
    work.progress.tell(4, _STEPS, "Reading what came")
    # Under one's own keys alone: what is not sealed under them does not open.
    forget_keys(session)
    after = read_digests(session, among=before) | read_closed(session, plan, side="receiver", among=before)
    closed = read_closed(session, plan, side="giver", among=before)
    with work.database.acting(session, giver):
        left = read_digests(session, among=before) | closed
    lines = reconcile(before, after, left, counts=counts, whole=plan.whole)
    owed = HandingOver(plan.id, plan.agency_id, plan.receiver_id, whole=plan.whole)
    balances = transfer_balances(session, owed, acting=work.database.acting, now=work.now)
    moved = {"tables": counts, "rows": len(lines), "resealed": resealed, "balances": balances}
    _keep(session, plan, moved, pack_lines(lines))
    _put_on_record(session, plan, after, now=work.now)
    work.progress.tell(_STEPS, _STEPS)
    return {"hand_over": str(plan.id), "moved": len(lines)}


def ask_for_hand_overs(database: Database, *, now: datetime) -> int:
    """Ask for the job of each hand-over that is due, in the receiving agency's scope and no person's name.

    Returns how many were asked for; none when another schedule leads.
    """
    with database.transaction(NOBODY) as session:
        if not leads(session):
            return 0
        due = session.execute(_DUE, {"on_day": now.date()}).all()
        return sum(
            ask(
                database,
                Scope(agency_id=receiver_id),
                kind=HAND_OVER_JOB,
                key=str(hand_over_id),
                now=now,
                payload={"hand_over": str(hand_over_id)},
            )
            for hand_over_id, receiver_id in due
        )


def _begin(session: Session, plan: HandOver) -> None:
    # Whoever is at work on a record now is waited for, and not for ever: the job is tried again later.
    session.execute(_PATIENCE)
    said = session.execute(_BEGIN, {"hand_over": plan.id}).scalar_one()
    if said.get("hindrances"):
        raise Hindered(" ".join(hindrance_words(each) for each in said["hindrances"]))


def _move(session: Session, plan: HandOver) -> dict[str, int]:
    try:
        return dict(session.execute(_MOVE, {"hand_over": plan.id}).scalar_one())
    except IntegrityError as error:
        raise Hindered(hindrance_words({"what": "bound"})) from error


def _reseal(session: Session, plan: HandOver, keys: dict[UUID, AESGCM], *, now: datetime) -> int:
    return sum(
        _reseal_column(session, plan, keys, holding, sealed, now=now)
        for holding in moving()
        for sealed in holding.sealed
        if sealed.own_key is None
    )


def _reseal_column(
    session: Session, plan: HandOver, keys: dict[UUID, AESGCM], holding: Holding, sealed: Sealed, *, now: datetime
) -> int:
    what, done = f"{holding.table}.{sealed.column}", 0
    for rows in _under(session, plan, keys, holding, sealed):
        anew = []
        for own_id, value in rows:
            row_id = sealed.row_id({sealed.bound_to: own_id})
            plain = unseal_under(keys[UUID(bytes=bytes(value[1:17]))], bytes(value), row_id=row_id)
            anew.append(seal(session, plain, agency_id=plan.receiver_id, row_id=row_id, now=now))
        about = {"hand_over": plan.id, "what": what, "ids": [own_id for own_id, _ in rows], "anew": anew}
        done += session.execute(_RESEAL, about).scalar_one()
    return done


def _under(
    session: Session, plan: HandOver, keys: dict[UUID, AESGCM], holding: Holding, sealed: Sealed
) -> Iterator[list[tuple[UUID, bytes]]]:
    """Yield the rows whose value is still sealed under one of the keys, some at a time."""
    names = {"row": sealed.bound_to, "column": sealed.column, "table": holding.table, "agency": holding.agencies[0]}
    about = {"own": plan.receiver_id, "keys": [key.bytes for key in keys], "at_once": _AT_ONCE}
    while rows := session.execute(text(_UNDER.format(**names)), about).all():
        yield [(own_id, value) for own_id, value in rows]


def _keep(session: Session, plan: HandOver, moved: dict[str, Any], lines: bytes) -> None:
    session.execute(_RECONCILE, {"hand_over": plan.id, "counts": json.dumps(moved), "lines": lines})


def _put_on_record(session: Session, plan: HandOver, after: Digests, *, now: datetime) -> None:
    for kind in ("household", "sibling_group"):
        records: list[tuple[UUID | None, UUID | None]] = [(UUID(row), plan.agency_id) for row in after.get(kind, {})]
        audit.record_each(session, audit.Act.HAND_OVER, record_kind=kind, records=records, now=now)
    audit.record(
        session,
        audit.Act.HAND_OVER,
        record_kind="hand_over",
        record_id=plan.id,
        owner_agency_id=plan.agency_id,
        now=now,
    )
