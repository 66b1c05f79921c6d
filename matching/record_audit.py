"""Who looked at or changed a record, for the people of its own agency: names of their own, agencies of the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching.audit_line import AUDIT, AuditLine, lines_of
from matching.household import Household, HouseholdUnknown, get_household, get_household_by_reference
from matching.register import PAGE_SIZE, Page
from matching.sibling_group import GroupUnknown, SiblingGroup, get_group, get_group_by_reference
from tenants import audit
from tenants.audit import Act
from tenants.audit_search import Asked, count_entries, each_batch, list_entries
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.permission import Verb, require

EVERYTHING = Asked()


class RecordUnknown(NotFound):
    """The scope's agency has no such record."""


def find_audited(session: Session, reference: str) -> tuple[str, UUID]:
    """Return ``group`` or ``household``, and the id, of one's own agency's record of that code, reference or id.

    :raises RecordUnknown: when none names one; another agency's record is as one that is not there.
    """
    own = scope_of(session).agency_id
    record_id = _read_id(reference)
    for kind, find, get in (
        ("group", get_group_by_reference, get_group),
        ("household", get_household_by_reference, get_household),
    ):
        with suppress(GroupUnknown, HouseholdUnknown):
            record = get(session, record_id) if record_id else find(session, reference)
            if record.agency_id == own:
                return kind, record.id
    raise RecordUnknown(
        f"Your agency has no sibling group or household “{reference}”. Give its code, as in G-3QX8ZA, or its reference."
    )


def read_group_audit(
    session: Session, group_id: UUID, *, number: int, now: datetime, asked: Asked = EVERYTHING
) -> tuple[SiblingGroup, Page[AuditLine]]:
    """Return one's own agency's group with a page of who looked at or changed it, newest first.

    :raises GroupUnknown: when there is none, or it is another agency's.
    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    group = _own_group(session, group_id)
    return group, read_page(session, replace(asked, record_id=group.id), subject=group.id, number=number, now=now)


def read_household_audit(
    session: Session, household_id: UUID, *, number: int, now: datetime, asked: Asked = EVERYTHING
) -> tuple[Household, Page[AuditLine]]:
    """Return one's own agency's household with a page of who looked at or changed it, newest first.

    :raises HouseholdUnknown: when there is none, or it is another agency's.
    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    household = _own_household(session, household_id)
    asked = replace(asked, record_id=household.id)
    return household, read_page(session, asked, subject=household.id, number=number, now=now)


def export_group_audit(
    session: Session, group_id: UUID, *, now: datetime, asked: Asked = EVERYTHING
) -> tuple[SiblingGroup, Iterator[dict[str, str]]]:
    """Return one's own agency's group and rows of who looked at or changed it, oldest first.

    :raises GroupUnknown: when there is none, or it is another agency's.
    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    group = _own_group(session, group_id)
    return group, export_lines(session, replace(asked, record_id=group.id), subject=group.id, now=now)


def export_household_audit(
    session: Session, household_id: UUID, *, now: datetime, asked: Asked = EVERYTHING
) -> tuple[Household, Iterator[dict[str, str]]]:
    """Return one's own agency's household and rows of who looked at or changed it, oldest first.

    :raises HouseholdUnknown: when there is none, or it is another agency's.
    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    household = _own_household(session, household_id)
    return household, export_lines(session, replace(asked, record_id=household.id), subject=household.id, now=now)


def read_page(session: Session, asked: Asked, *, subject: UUID, number: int, now: datetime) -> Page[AuditLine]:
    """Return a page of what is asked, and put the look at ``subject``'s audit on record."""
    total = count_entries(session, asked)
    number = Page.within(number, total)
    entries = list_entries(session, asked, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
    lines = lines_of(session, entries)
    # After it was read: a look at the audit is on record too, and shows from the next look on.
    audit.record(session, Act.READ, record_kind=AUDIT, record_id=subject, now=now)
    return Page(cards=lines, total=total, number=number)


def export_lines(session: Session, asked: Asked, *, subject: UUID, now: datetime) -> Iterator[dict[str, str]]:
    """Yield what is asked as rows, oldest first; that it leaves is put on record before the first."""
    audit.record(session, Act.EXPORT, record_kind=AUDIT, record_id=subject, now=now)
    return (line.as_row() for entries in each_batch(session, asked) for line in lines_of(session, entries))


def _own_group(session: Session, group_id: UUID) -> SiblingGroup:
    require(scope_of(session), Verb.READ_AUDIT)
    # In the same words whether another agency has it or nobody.
    with suppress(GroupUnknown):
        group = get_group(session, group_id)
        if group.agency_id == scope_of(session).agency_id:
            return group
    raise GroupUnknown("There is no such sibling group in your agency.")


def _own_household(session: Session, household_id: UUID) -> Household:
    require(scope_of(session), Verb.READ_AUDIT)
    with suppress(HouseholdUnknown):
        household = get_household(session, household_id)
        if household.agency_id == scope_of(session).agency_id:
            return household
    raise HouseholdUnknown("There is no such household in your agency.")


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
