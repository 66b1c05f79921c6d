"""Papers, what they are filled from and who signed them, in the world by which the wall is tested."""

from __future__ import annotations

from matching.papers.answer import answer
from matching.papers.paper import PaperKind, draw_up
from matching.papers.question import questions
from matching.papers.signature import Capacity, PaperSignature
from tenants.database import Database
from tenants.person import get_person
from tests.factories import NOW, Tenant, transaction


def make_papers(database: Database, *, office: Tenant, agency: Tenant) -> None:
    """Have an agency say something for all members and something for itself, and sign what its office drew up."""
    with transaction(database, office) as session:
        answer(session, questions()["purpose"], "Matching", now=NOW)
        agreement = draw_up(session, PaperKind.AGREEMENT, now=NOW)
    with transaction(database, agency) as session:
        answer(session, questions()["legal_name"], "Sample Council", now=NOW)
        answer(session, questions()["necessity"], "HiddenNecessity", now=NOW)
        assessment = draw_up(session, PaperKind.ASSESSMENT, now=NOW)
        person_id = agency.scope.person_id
        assert person_id is not None
        for paper in (agreement, assessment):
            # As nobody could by the program: something of it is to be completed still.
            signature = PaperSignature(paper_id=paper.id, kind=paper.kind, digest=paper.digest, agency_id=agency.id)
            signature.capacity, signature.signed_by = Capacity.INFORMATION_GOVERNANCE, person_id
            signature.name, signature.signed_at = get_person(session, person_id).name, NOW
            session.add(signature)
