"""What a job's handler is given: its payload, its clock, its scope, and a way to tell how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.database import Database
from tenants.error import Conflict
from tenants.scope import Scope


class Stopped(Conflict):
    """The asker stopped the job, or another worker has taken it."""


class Interrupted(KeyboardInterrupt):
    """This worker is told to stop: a kind of Ctrl-C, so that no handler takes it for a fault of its own."""


@dataclass(slots=True)
class Progress:
    """How far a job is; written by the handler, read by the heartbeat."""

    done: int = 0
    total: int | None = None
    note: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def shown(self) -> tuple[int, int | None, str | None]:
        """Return steps done, of how many, and the note."""
        return self.done, self.total, self.note

    def tell(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """Say how far the job is.

        :raises Stopped: when the job is to stop; what it did so far is rolled back.
        """
        self.done, self.total, self.note = done, total, note
        if self.stop.is_set():
            raise Stopped("The job was stopped.")


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at a job."""

    job_id: UUID
    payload: dict[str, Any]
    scope: Scope
    now: datetime
    progress: Progress
    database: Database

    def as_agency(self, agency_id: UUID) -> Scope:
        """Return the job's scope with another agency's rights, for work the office asks of each member."""
        return replace(self.scope, agency_id=agency_id, person_id=None)


Handler = Callable[[Session, Work], dict[str, Any] | None]
"""Does the work in the session's transaction, which the runner commits with the job's end, and returns a result."""
