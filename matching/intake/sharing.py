"""A sheet's word on sharing, and the pool entry it stands for."""

from __future__ import annotations

from datetime import date, timedelta

from matching.pool import PoolEntry, Stage
from tenants.agency import Agency, AgencyKind
from tenants.consortium import Consortium

#: What the pool keeps of a record: its stage, whether it is held back, and why.
Shared = tuple[Stage, bool, str | None]


def recorded_sharing(entry: PoolEntry | None) -> tuple[str | None, str | None]:
    """Return the word and the reason that a sheet would give for a pool entry."""
    if entry is None:
        return None, None
    return ("hold" if entry.held else entry.stage.value), entry.reason


def asked_sharing(sharing: str | None, reason: str | None, *, present: Stage) -> Shared:
    """Return what the pool is to keep; a record held back stays at its present stage, for when it is let go."""
    if sharing is None or sharing == "hold":
        return present, sharing == "hold", reason
    return Stage(sharing), False, reason


def starting_stage(agency: Agency, consortium: Consortium, *, approved_on: date | None, today: date) -> Stage:
    """Return where a new household stands whose sheet does not say: by its consortium's own timing.

    The days in-house count from the approval; when it is not known, from today.
    """
    voluntary = agency.kind is AgencyKind.VOLUNTARY_AGENCY
    days = consortium.voluntary_in_house_days if voluntary else consortium.council_in_house_days
    pooled_on = (approved_on or today) + timedelta(days=days)
    return Stage.CONSORTIUM if pooled_on <= today else Stage.IN_HOUSE
