"""What a person of one's own agency saw and did, in that agency's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching.audit_line import AuditLine
from matching.record_audit import EVERYTHING, export_lines, read_page
from matching.register import Page
from tenants.audit_search import Asked
from tenants.colleague import Colleague, get_colleague, list_colleagues, list_leavers
from tenants.database import scope_of
from tenants.permission import Verb, require
from tenants.person import Person, PersonUnknown


def list_audited_people(session: Session, *, now: datetime) -> list[Colleague]:
    """Return the people of one's own agency, those who have left last.

    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    agency_id = _own_agency(session)
    on = now.date()
    return [
        *list_colleagues(session, agency_id=agency_id, on=on),
        *list_leavers(session, agency_id=agency_id, on=on),
    ]


def read_person_audit(
    session: Session, person_id: UUID, *, number: int, now: datetime, asked: Asked = EVERYTHING
) -> tuple[Person, Page[AuditLine]]:
    """Return one's own agency's person with a page of what they saw and did for it, newest first.

    :raises PersonUnknown: when they never worked there.
    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    person, asked = _of_person(session, person_id, asked, now=now)
    return person, read_page(session, asked, subject=person.id, number=number, now=now)


def export_person_audit(
    session: Session, person_id: UUID, *, now: datetime, asked: Asked = EVERYTHING
) -> tuple[Person, Iterator[dict[str, str]]]:
    """Return one's own agency's person and rows of what they saw and did for it, oldest first.

    :raises PersonUnknown: when they never worked there.
    :raises NotAllowed: when the scope's roles do not let it read the audit.
    """
    person, asked = _of_person(session, person_id, asked, now=now)
    return person, export_lines(session, asked, subject=person.id, now=now)


def _of_person(session: Session, person_id: UUID, asked: Asked, *, now: datetime) -> tuple[Person, Asked]:
    agency_id = _own_agency(session)
    person = get_colleague(session, person_id, agency_id=agency_id, on=now.date()).person
    return person, replace(asked, person_id=person.id, agency_id=agency_id)


def _own_agency(session: Session) -> UUID:
    require(scope_of(session), Verb.READ_AUDIT)
    agency_id = scope_of(session).agency_id
    if agency_id is None:
        raise PersonUnknown("Choose the agency that you act for, then try again.")
    return agency_id
