"""Destroy what two people agreed on, each record in a transaction of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.retention.destruction import destroy_item, finish_run
from matching.retention.run import get_run, list_items
from workers.work import Work


def destroy_run(session: Session, work: Work) -> dict[str, Any]:
    """Destroy or keep each record that is left of a run; begun again, it goes on where it was."""
    run = get_run(session, UUID(work.payload["retention_run_id"]))
    waiting = [item.id for item in list_items(session, run, waiting=True)]
    for done, item_id in enumerate(waiting):
        work.progress.tell(done, len(waiting), "Destroying records")
        # Its own transaction: what is destroyed stays so whatever becomes of the next, and is on record with it.
        with work.database.transaction(work.scope) as each:
            each.info["request_id"] = session.info.get("request_id")
            destroy_item(each, item_id, now=work.now)
    work.progress.tell(len(waiting), len(waiting), "Destroying records")
    session.expire_all()
    return dict(finish_run(session, get_run(session, run.id), now=work.now))
