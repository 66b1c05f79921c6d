"""What is held of a record outside its own tables: links, reports, what adopters agreed to, corrections."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matching.agreement import AgreementEntry
from matching.clock.reason import ClockReason
from matching.document import list_documents_of
from matching.link import Link
from matching.panel.paper import PanelPaper
from matching.panel.reading import words_of
from matching.rectification import Rectification
from matching.sealed_words import open_words
from matching.subject_access.item import Part
from tenants.database import scope_of


def parts_elsewhere(session: Session, record_id: UUID) -> Iterator[Part]:
    """Yield what other modules keep of a record; a report is named here, and looked through as the file that it is."""
    yield Part("Links", _links(session, record_id), adoption_record=True)
    yield Part("Panel papers", _panel_papers(session, record_id), adoption_record=True)
    yield Part("Why times were missed", _clock_reasons(session, record_id), adoption_record=True)
    yield Part("Reports", _reports(session, record_id), adoption_record=True)
    yield Part("What they agreed to", _agreements(session, record_id), adoption_record=False)
    yield Part("Corrections asked for", _corrections(session, record_id), adoption_record=False)


def _links(session: Session, record_id: UUID) -> str:
    query = select(Link).where(or_(Link.household_id == record_id, Link.sibling_group_id == record_id))
    return "\n".join(
        ", ".join(
            word
            for word in (f"From {link.started_at:%d/%m/%Y}: {link.state.value}", link.outcome, link.feedback)
            if word
        ).replace("_", " ")
        for link in session.scalars(query.order_by(Link.started_at, Link.id))
    )


def _panel_papers(session: Session, record_id: UUID) -> str:
    """Return what the agency has before panels about the record: advice and minutes in full, reports by version."""
    about = or_(Link.household_id == record_id, Link.sibling_group_id == record_id)
    query = select(PanelPaper).join(Link, Link.id == PanelPaper.link_id).where(about)
    lines = []
    for paper in session.scalars(query.order_by(PanelPaper.at, PanelPaper.id)):
        if paper.agency_id == scope_of(session).agency_id:
            said = [f"{paper.at:%d/%m/%Y}: {paper.kind.label}", f"version {paper.version}" if paper.version else ""]
            said += [paper.finding.label if paper.finding else "", "taken back" if paper.withdrawn_at else ""]
            words = words_of(session, paper)
            lines.append(", ".join(filter(None, said)) + (f". {words}" if words else ""))
    return "\n".join(lines)


def _clock_reasons(session: Session, record_id: UUID) -> str:
    links = select(Link.id).where(or_(Link.household_id == record_id, Link.sibling_group_id == record_id))
    about = (ClockReason.household_id, ClockReason.sibling_group_id)
    query = select(ClockReason).where(or_(*(each == record_id for each in about), ClockReason.link_id.in_(links)))
    return "\n".join(
        f"{row.clock.label}, due {row.due_on:%d/%m/%Y}: {row.reason} ({row.person_name}, {row.at:%d/%m/%Y})"
        for row in session.scalars(query.order_by(ClockReason.at, ClockReason.id))
    )


def _reports(session: Session, record_id: UUID) -> str:
    return "\n".join(
        f"{report.kind.value.upper()}, first added {report.added_at:%d/%m/%Y}, version {report.version}"
        for report in list_documents_of(session, [record_id])
    )


def _agreements(session: Session, record_id: UUID) -> str:
    query = select(AgreementEntry).where(AgreementEntry.household_id == record_id)
    lines = []
    for entry in session.scalars(query.order_by(AgreementEntry.said_on, AgreementEntry.recorded_at, AgreementEntry.id)):
        words = open_words(session, entry.sealed, row_id=entry.id)
        done = "withdrawn" if entry.withdraws_id else "agreed"
        said = f"{entry.agreed_to.label}: {done} by {words['who']}, {entry.how.label.lower()}"
        lines.append(f"{entry.said_on:%d/%m/%Y}: {said}" + (f" ({words['reason']})" if words["reason"] else ""))
    return "\n".join(lines)


def _corrections(session: Session, record_id: UUID) -> str:
    query = select(Rectification).where(Rectification.record_id == record_id)
    lines = []
    for row in session.scalars(query.order_by(Rectification.asked_on, Rectification.id)):
        said = open_words(session, row.sealed, row_id=row.id)
        stands = row.decision.label if row.decision else "To decide"
        lines.append(f"{row.asked_on:%d/%m/%Y}: {said['field']}: “{said['before']}” to be “{said['after']}”. {stands}")
    return "\n".join(lines)
