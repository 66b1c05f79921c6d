"""Take an import back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.intake.import_run import get_import
from matching.intake.undo import undo_import
from tenants.job import get_job
from workers.work import Work


def undo_file(session: Session, work: Work) -> dict[str, Any]:
    """Put everything back in the job's one transaction; an import that is undone already stays so."""
    run = undo_import(
        session,
        get_import(session, UUID(work.payload["import_run_id"])),
        asked_at=get_job(session, work.job_id).requested_at,
        progress=lambda done, total, note: work.progress.tell(done, total, note),
        now=work.now,
    )
    return {"import_run": str(run.id)}
