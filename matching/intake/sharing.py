"""A sheet's word on sharing, and the pool entry it stands for."""

from __future__ import annotations

from matching.pool import PoolEntry, Stage

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
