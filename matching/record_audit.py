"""Who looked at or changed a record, for the people of its own agency: names of their own, agencies of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.household import Household, HouseholdUnknown, get_household, get_household_by_reference
from matching.register import PAGE_SIZE, Page, agency_names
from matching.sibling_group import GroupUnknown, SiblingGroup, get_group, get_group_by_reference
from tenants import audit
from tenants.audit import Act, AuditEntry, Level
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.permission import Verb, require
from tenants.person import Person

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
    Act.REQUEST: "Asked to open it",
    Act.GRANT: "Let somebody open it",
    Act.REVOKE: "Took back who may open it",
    Act.UNDERTAKE: "Undertook to keep it confidential",
    Act.BAR: "Shut somebody out of it",
    Act.BREAK_GLASS: "Broke glass to open it",
    Act.HOLD: "Put a legal hold on it",
    Act.RELEASE: "Released it",
    Act.DESTROY: "Destroyed it",
    Act.APPROVE: "Approved what another asked for",
    Act.ROTATE: "Sealed it under a new key",
    Act.SEAL: "Sealed it",
    Act.SIGN: "Signed it",
    Act.HAND_OVER: "Handed it over",
}
_REASONS = {
    "in_house": "in-house only",
    "consortium": "with the consortium",
    "national": "nationally",
    "held back": "held back",
}
AUDIT = "audit"
"""The kind under which a look at the audit itself is put on record."""


class RecordUnknown(NotFound):
    """The scope's agency has no such record."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One look or act, in words; ``person`` is named where they are the reader's own agency's."""

    at: datetime
    person: str
    agency: str
    own: bool
    what: str


def find_audited(session: Session, reference: str) -> tuple[str, UUID]:
    """Return the kind, ``group`` or ``household``, and the id of one's own agency's record of that code or reference.

    :raises RecordUnknown: when neither names one; another agency's record is as one that is not there.
    """
    own = scope_of(session).agency_id
    for kind, find in (("group", get_group_by_reference), ("household", get_household_by_reference)):
        with suppress(GroupUnknown, HouseholdUnknown):
            record = find(session, reference)
            if record.agency_id == own:
                return kind, record.id
    raise RecordUnknown(
        f"Your agency has no sibling group or household “{reference}”. Give its code, as in G-3QX8ZA, or its reference."
    )


def read_group_audit(
    session: Session, group_id: UUID, *, number: int, now: datetime
) -> tuple[SiblingGroup, Page[AuditLine]]:
    """Return one's own agency's group with a page of who looked at or changed it, newest first.

    :raises GroupUnknown: when there is none, or it is another agency's.
    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    require(scope_of(session), Verb.READ_AUDIT)
    group = get_group(session, group_id)
    if group.agency_id != scope_of(session).agency_id:
        raise GroupUnknown("There is no such sibling group in your agency.")
    return group, _read(session, group, number=number, now=now)


def read_household_audit(
    session: Session, household_id: UUID, *, number: int, now: datetime
) -> tuple[Household, Page[AuditLine]]:
    """Return one's own agency's household with a page of who looked at or changed it, newest first.

    :raises HouseholdUnknown: when there is none, or it is another agency's.
    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    require(scope_of(session), Verb.READ_AUDIT)
    household = get_household(session, household_id)
    if household.agency_id != scope_of(session).agency_id:
        raise HouseholdUnknown("There is no such household in your agency.")
    return household, _read(session, household, number=number, now=now)


def _read(session: Session, record: SiblingGroup | Household, *, number: int, now: datetime) -> Page[AuditLine]:
    total = audit.count_entries_of(session, record.id)
    number = Page.within(number, total)
    entries = audit.list_entries_of(session, record.id, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
    names, people = agency_names(session), _people(session, entries)
    own = scope_of(session).agency_id
    lines = tuple(_line(entry, own=own, agencies=names, people=people) for entry in entries)
    # After it was read: a look at the audit is on record too, and shows from the next look on.
    audit.record(session, Act.READ, record_kind=AUDIT, record_id=record.id, owner_agency_id=record.agency_id, now=now)
    return Page(cards=lines, total=total, number=number)


def _people(session: Session, entries: Sequence[AuditEntry]) -> dict[UUID, str]:
    # Row-level security shows the people of the scope's own agency, and of no other.
    asked = {entry.actor_person_id for entry in entries if entry.actor_agency_id == scope_of(session).agency_id}
    query = select(Person.id, Person.name).where(Person.id.in_([each for each in asked if each]))
    return dict(session.execute(query).all())


def _line(
    entry: AuditEntry, *, own: UUID | None, agencies: Mapping[UUID, str], people: Mapping[UUID, str]
) -> AuditLine:
    agency_id = entry.actor_agency_id
    return AuditLine(
        at=entry.at,
        person=_person(entry, own=own, people=people),
        agency="The service itself" if agency_id is None else agencies.get(agency_id, "An agency that has left"),
        own=agency_id == own,
        what=_what(entry),
    )


def _person(entry: AuditEntry, *, own: UUID | None, people: Mapping[UUID, str]) -> str:
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
        return "Looked at who had seen it"
    if entry.act is Act.READ:
        return _READ.get(entry.level or Level.SUMMARY, "Read it")
    words = _ACTS.get(entry.act, entry.act.value.replace("_", " ").capitalize())
    return f"{words}: {_REASONS.get(entry.reason, entry.reason)}" if entry.reason else words
