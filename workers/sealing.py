"""Gather an agency's adoption record when sealing is asked for, and give its record new identifiers once it is done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.link import Link
from matching.sealing.gathering import gather
from matching.sealing.record import Sealing
from matching.sealing.rotation import rotate
from workers.work import Work


def gather_record(session: Session, work: Work) -> dict[str, Any]:
    """Gather the agency's own record anew, while the sealing is asked for."""
    link_id = work.payload.get("link")
    link = session.get(Link, UUID(link_id)) if link_id else None
    if link is not None and session.get(Sealing, link.id) is not None:
        gather(session, link, tally=None, now=work.now)
    return {}


def rotate_record(session: Session, work: Work) -> dict[str, Any]:
    """Give a record new identifiers; the payload is empty once that is done, and then there is nothing to do."""
    said = work.payload
    if said.get("id"):
        record_id, certificate_id = UUID(said["id"]), UUID(said["certificate"])
        rotate(session, said["kind"], record_id, certificate_id=certificate_id, year=said["year"], now=work.now)
    return {}
