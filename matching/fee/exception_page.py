"""What the page of departures offers: what can be asked for, what the scope's person may decide, and else why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.exception import (
    ExceptionKind,
    FeeException,
    require_approvable,
    require_askable,
    require_decidable,
)
from tenants.database import scope_of
from tenants.error import refusal_of
from tenants.permission import Verb, may


@dataclass(frozen=True, slots=True)
class Decision:
    """What may be decided of one departure, and why no more."""

    may_refuse: bool
    because: str | None
    """Why the person does not approve it."""


def refusals_of(session: Session, agreement: FeeAgreement, *, on: date) -> dict[ExceptionKind, str | None]:
    """Return why each kind cannot be asked for, and ``None`` for what can."""
    return {kind: refusal_of(partial(require_askable, session, agreement, kind, on=on)) for kind in ExceptionKind}


def decisions_of(
    session: Session, agreement: FeeAgreement, asked: Iterable[FeeException], *, on: date
) -> dict[UUID, Decision]:
    """Return what the scope's person may decide, by id, of what waits for their agency."""
    scope = scope_of(session)
    if not may(scope, Verb.APPROVE_FEES):
        return {}
    return {
        each.id: _decision(session, agreement, each, on=on)
        for each in asked
        if each.decided_at is None and each.deciding_agency_id == scope.agency_id
    }


def _decision(session: Session, agreement: FeeAgreement, asked: FeeException, *, on: date) -> Decision:
    barred = refusal_of(partial(require_decidable, session, asked, on=on))
    return Decision(
        may_refuse=barred is None,
        because=barred or refusal_of(partial(require_approvable, session, asked, agreement, on=on)),
    )
