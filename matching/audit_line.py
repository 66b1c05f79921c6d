"""What the audit says, in words, for the people of one agency: names of their own, agencies of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.household import Household
from matching.register import agency_names
from matching.sibling_group import SiblingGroup
from tenants.api_client import list_clients
from tenants.audit import Act, AuditEntry, Level, Origin
from tenants.database import scope_of
from tenants.person import names_of

_READ = {
    Level.PROFILE: "Read the anonymous profile",
    Level.REPORT: "Opened a report",
    Level.IDENTITY: "Opened who it is about",
    Level.SUMMARY: "Read the summary",
    Level.COUNT: "Read a count",
}
_ACTS = {
    Act.ADD: "Added it",
    Act.CHANGE: "Changed it",
    Act.REMOVE: "Removed it",
    Act.SHARE: "Set how far it is shared",
    Act.RANK: "Ranked or compared it",
    Act.IMPORT: "Imported it",
    Act.BUILD: "Put it in a pack",
    Act.DOWNLOAD: "Downloaded it",
    Act.EXPORT: "Exported it, with who it is about",
    Act.INVITE: "Invited somebody",
    Act.REQUEST: "Took a request about it",
    Act.GRANT: "Let somebody open it",
    Act.REVOKE: "Took back who may open it",
    Act.UNDERTAKE: "Undertook to keep it confidential",
    Act.BAR: "Shut somebody out of it",
    Act.BREAK_GLASS: "Broke glass to open it",
    Act.HOLD: "Stopped its destruction",
    Act.RELEASE: "Let its destruction go on again",
    Act.DESTROY: "Destroyed it",
    Act.APPROVE: "Approved what another asked for",
    Act.ROTATE: "Sealed it under a new key",
    Act.SEAL: "Sealed it",
    Act.SIGN: "Signed it",
    Act.HAND_OVER: "Handed it over",
    Act.SEARCH: "Searched for it",
    Act.DECIDE: "Decided on it",
    Act.DECLINE: "Declined it",
    Act.CONFIRM: "Confirmed it",
}
_REPORT = "report"
_ACTS_OF_KIND = {
    (Act.REQUEST, _REPORT): "Asked to open a report",
    (Act.GRANT, _REPORT): "Let somebody open a report",
    (Act.REVOKE, _REPORT): "Took back who may open a report",
    (Act.REQUEST, "retention_run"): "Asked that records be destroyed",
    (Act.REQUEST, "subject_request"): "Took a request for access",
    (Act.RELEASE, "subject_request"): "Released a part to whom it is about",
    (Act.REQUEST, "departure"): "Proposed that the agency leaves",
    (Act.REVOKE, "departure"): "Took back that the agency leaves",
    (Act.REVOKE, "agency_delegation"): "Ended a delegation",
    (Act.REVOKE, "invitation"): "Took back an invitation",
}
"""Where what was done is called otherwise of a kind of record, or of its report."""
_REASONS = {
    "in_house": "in-house only",
    "consortium": "with the consortium",
    "national": "nationally",
    "held back": "held back",
    "hold on destruction": "",
}
AUDIT = "audit"
"""The kind under which a look at the audit itself is put on record."""


LEVELS = {
    Level.COUNT: "A count",
    Level.SUMMARY: "Summary",
    Level.PROFILE: "Profile",
    Level.IDENTITY: "Who it is about",
    Level.REPORT: "Report",
}
_ORIGINS = {
    Origin.PAGE: "A page",
    Origin.API: "The API",
    Origin.CLI: "A command on the server",
    Origin.JOB: "Work in the background",
    Origin.SCHEDULE: "The schedule",
}
_KINDS = {
    "sibling_group": "Sibling group",
    "household": "Household",
    AUDIT: "The audit",
    "sign_in_session": "Signing in",
}
HEADINGS = ("When", "Who", "Agency", "Record", "Record’s agency", "What", "How much", "From where", "Id of the record")
_UNITED_KINGDOM = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One look or act, in words; ``person`` is named, and from where told, where they are the reader's own agency's."""

    at: datetime
    person: str
    agency: str
    own: bool
    what: str
    level: str
    whence: str
    kind: str
    code: str | None
    owner: str
    record_id: UUID | None

    def as_row(self) -> dict[str, str]:
        """Return the line as a row of a sheet."""
        said = (
            *(f"{self.at.astimezone(_UNITED_KINGDOM):%Y-%m-%d %H:%M:%S}", self.person, self.agency),
            *(f"{self.kind} {self.code or ''}".strip(), self.owner, self.what, self.level, self.whence),
            str(self.record_id or ""),
        )
        return dict(zip(HEADINGS, said, strict=True))


def lines_of(session: Session, entries: Sequence[AuditEntry]) -> tuple[AuditLine, ...]:
    """Return entries in words, in their order."""
    own = scope_of(session).agency_id
    agencies, codes = agency_names(session), _codes(session, entries)
    # Of another agency's people no name is looked up, also where one of them works for the reader's agency too.
    people = names_of(session, [entry.actor_person_id for entry in entries if entry.actor_agency_id == own])
    people |= {client.id: f"{client.name} (API)" for client in list_clients(session)}
    return tuple(_line(entry, own=own, agencies=agencies, people=people, codes=codes) for entry in entries)


def _codes(session: Session, entries: Sequence[AuditEntry]) -> dict[UUID, str]:
    ids = {entry.record_id for entry in entries if entry.record_id}
    found: dict[UUID, str] = {}
    for model in (Household, SiblingGroup):
        query = select(model.id, model.code).where(model.id.in_(ids))
        found |= dict(session.execute(query).all())
    return found


def _line(
    entry: AuditEntry,
    *,
    own: UUID | None,
    agencies: Mapping[UUID, str],
    people: Mapping[UUID, str],
    codes: Mapping[UUID, str],
) -> AuditLine:
    return AuditLine(
        at=entry.at,
        person=_person(entry, own=own, people=people),
        agency=_agency(entry.actor_agency_id, agencies),
        own=entry.actor_agency_id == own,
        what=_what(entry),
        level=LEVELS[entry.level] if entry.level else "",
        whence=_whence(entry) if entry.actor_agency_id == own else "",
        kind=_KINDS.get(entry.record_kind, entry.record_kind.replace("_", " ").capitalize()),
        code=codes.get(entry.record_id) if entry.record_id else None,
        owner=_agency(entry.owner_agency_id, agencies),
        record_id=entry.record_id,
    )


def _agency(agency_id: UUID | None, names: Mapping[UUID, str]) -> str:
    return "The service itself" if agency_id is None else names.get(agency_id, "An agency outside your consortium")


def _whence(entry: AuditEntry) -> str:
    words = _ORIGINS[entry.origin] if entry.origin else ""
    return f"{words}, from {entry.address}" if entry.address else words


def _person(entry: AuditEntry, *, own: UUID | None, people: Mapping[UUID, str]) -> str:
    if entry.actor_client_id is not None:
        return people.get(entry.actor_client_id, "A program of theirs")
    if entry.actor_person_id is not None:
        if entry.actor_agency_id != own:
            return "Somebody of theirs"
        return people.get(entry.actor_person_id, "Somebody who has left")
    asked = entry.request_id or ""
    if asked.startswith("cli:"):
        return f"A command on the server: {asked.removeprefix('cli:')}"
    return "Concord, by its schedule" if asked == "schedule" or asked.startswith("job:") else "Concord"


def _what(entry: AuditEntry) -> str:
    if entry.record_kind == AUDIT:
        return "Took away who had seen it, as a file" if entry.act is Act.EXPORT else "Looked at who had seen it"
    if entry.act is Act.READ:
        return _READ.get(entry.level or Level.SUMMARY, "Read it")
    kind = _REPORT if entry.level is Level.REPORT else entry.record_kind
    words = _ACTS_OF_KIND.get((entry.act, kind)) or _ACTS.get(entry.act, _plain(entry.act).capitalize())
    reason = _REASONS.get(entry.reason, entry.reason) if entry.reason else ""
    return f"{words}: {_plain(reason)}" if reason else words


def _plain(word: str) -> str:
    return word.replace("_", " ")
