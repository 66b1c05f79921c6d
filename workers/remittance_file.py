"""Read a bank's file that an agency handed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.fee.remittance.intake import perform_remittance
from matching.fee.remittance.remittance import Remittance
from workers.work import Work


def read_remittance(session: Session, work: Work) -> dict[str, Any]:
    """Take the file in the job's one transaction; one that is taken already stays as it is."""
    remittance = perform_remittance(
        session,
        session.get_one(Remittance, UUID(work.payload["remittance_id"]), populate_existing=True),
        progress=lambda done, total, note: work.progress.tell(done, total or None, note),
        now=work.now,
    )
    return {"remittance": str(remittance.id)}
