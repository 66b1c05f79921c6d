"""Build packs: each member agency's own, with that agency's rights."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.meeting import Meeting, get_meeting
from matching.pack import PackFormat, get_pack_version, keep_files, request_pack, require_reader
from matching.pack_assembly import assemble
from tenants.consortium import list_members
from workers.document.pdf import render_pdf
from workers.document.xlsx import render_xlsx
from workers.work import Work

_STEPS = 4


def build_pack(session: Session, work: Work) -> dict[str, Any]:
    """Build one agency's pack and keep its files; a pack that is built already stays as it is."""
    meeting = _meeting(session, work)
    pack = get_pack_version(session, meeting.id, version=work.payload["version"], agency_id=work.scope.agency_id)
    if pack.built_at is not None:
        return {"pack": str(pack.id)}
    require_reader(session, pack)
    work.progress.tell(0, _STEPS, "Ranking")
    content, run_id = assemble(session, meeting, pack, now=work.now)
    work.progress.tell(1, _STEPS, "Setting the PDF")
    pdf = render_pdf(content)
    work.progress.tell(2, _STEPS, "Writing the spreadsheet")
    xlsx = render_xlsx(content)
    work.progress.tell(3, _STEPS, "Sealing")
    keep_files(session, pack, files={PackFormat.PDF: pdf, PackFormat.XLSX: xlsx}, ranking_run_id=run_id, now=work.now)
    work.progress.tell(_STEPS, _STEPS)
    return {"pack": str(pack.id)}


def build_all_packs(session: Session, work: Work) -> dict[str, Any]:
    """Ask, in each member agency's own scope, for its pack; asking again asks nothing twice."""
    meeting = _meeting(session, work)
    members = list_members(session, meeting.consortium_id, on=work.now.date())
    for done, member in enumerate(members):
        work.progress.tell(done, len(members), "Asking for each agency’s pack")
        with work.database.transaction(work.as_agency(member.id)) as theirs:
            theirs.info["request_id"] = session.info["request_id"]
            request_pack(theirs, get_meeting(theirs, meeting.id), now=work.now, version=work.payload["version"])
    work.progress.tell(len(members), len(members))
    return {"packs": len(members)}


def _meeting(session: Session, work: Work) -> Meeting:
    return get_meeting(session, UUID(work.payload["meeting"]))
