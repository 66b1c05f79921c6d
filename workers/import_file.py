"""Import a sheet that an agency handed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.intake.import_run import get_import
from matching.intake.import_work import perform_import
from workers.work import Work


def import_file(session: Session, work: Work) -> dict[str, Any]:
    """Take the sheet in the job's one transaction; a sheet that is taken already stays as it is."""
    run = perform_import(
        session,
        get_import(session, UUID(work.payload["import_run_id"])),
        progress=lambda done, total, note: work.progress.tell(done, total or None, note),
        now=work.now,
    )
    return {"import_run": str(run.id)}
