"""What panel papers ask of a link before it goes to panel."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from matching.link import Link, Passable
from matching.panel.paper import Finding, PaperKind, list_papers, standing
from matching.panel.reader import PanelRole, list_readers

if TYPE_CHECKING:
    from matching.transition.fact import StepFacts

_ALWAYS = (PaperKind.PAR, PaperKind.CPR, PaperKind.PLACEMENT_REPORT)


def papers_ready(session: Session, link: Link, facts: StepFacts, now: datetime) -> None:  # noqa: ARG001 - all alike
    """Pass once the papers are complete and the panel adviser found them ready, or for a reason, which is kept.

    No panel considers a match without the three reports (Adoption Agencies Regulations 2005, regulation 31). Who keeps
    them elsewhere says so.
    """
    papers = standing(list_papers(session, link))
    readers = [reader for reader in list_readers(session, link) if reader.ended_at is None]
    if (facts.override or "").strip():
        return
    missing = [kind.label for kind in _ALWAYS if all(paper.kind is not kind for paper in papers)]
    check = next((paper for paper in papers if paper.kind is PaperKind.CHECK), None)
    named = any(reader.role is PanelRole.PANEL_ADVISER for reader in readers)
    if (named or check) and (check is None or check.finding is not Finding.READY):
        missing.append("the panel adviser’s word that they are ready")
    if missing:
        raise Passable(
            f"Panel papers are missing: {'; '.join(missing)}. Add them, or say why it goes to panel without."
        )
