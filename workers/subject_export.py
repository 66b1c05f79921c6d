"""Make the files of an answer to a request for access."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.subject_access.export import FileFormat, answer_of, as_json, keep_export
from matching.subject_access.request import get_request
from workers.document.pdf import typeset_pdf
from workers.work import Work


def make_answer(session: Session, work: Work) -> dict[str, Any]:
    """Typeset what was released and keep it beside its JSON, sealed, in the job's one transaction."""
    request = get_request(session, UUID(work.payload["subject_request_id"]))
    answer = answer_of(session, request, now=work.now)
    made_at = datetime.combine(work.now.date(), time(), tzinfo=UTC)
    files = {FileFormat.PDF: typeset_pdf(answer, template="answer", made_at=made_at), FileFormat.JSON: as_json(answer)}
    keep_export(session, request, files=files, now=work.now)
    return {"subject_request": str(request.id)}
