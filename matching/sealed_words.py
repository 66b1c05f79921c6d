"""Words that people wrote of a record, sealed field by field for the row that keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.approval import NobodyNamed
from tenants.cipher import seal, unseal
from tenants.database import scope_of
from tenants.error import Forbidden, Invalid

MOST_LETTERS: Final = 10_000


class WordsMissing(Invalid):
    """Something that has to be said was left blank, or is too long to keep."""


class NoAgency(Forbidden):
    """The scope acts for no agency."""


def own_agency(session: Session) -> UUID:
    """Return the agency that the scope acts for.

    :raises NoAgency: when it acts for none.
    """
    agency_id = scope_of(session).agency_id
    if agency_id is None:
        raise NoAgency("Choose the agency that you act for, then try again.")
    return agency_id


def own_person(session: Session) -> UUID:
    """Return the person who acts: some things are done in a person's name only.

    :raises NobodyNamed: when it is a command.
    """
    person_id = scope_of(session).person_id
    if person_id is None:
        raise NobodyNamed("This is done in a person’s own name. Sign in, and do it on the page.")
    return person_id


def tidy(text: str, *, what: str) -> str:
    """Return what was said without blank ends.

    :raises WordsMissing: when nothing is left of it, or more than 10,000 characters are.
    """
    said = text.replace("\0", "").strip()
    if not said:
        raise WordsMissing(f"Say {what}.")
    if len(said) > MOST_LETTERS:
        raise WordsMissing(f"Say {what} in at most {MOST_LETTERS:,} characters.")
    return said


def seal_words(session: Session, words: Mapping[str, str | None], *, row_id: UUID, now: datetime) -> bytes:
    """Return words sealed under the scope's own agency's key for their row."""
    plain = json.dumps(dict(words), ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return seal(session, plain, agency_id=own_agency(session), row_id=row_id, now=now)


def open_words(session: Session, sealed: bytes, *, row_id: UUID) -> dict[str, str | None]:
    """Return what ``seal_words`` was given."""
    words: dict[str, str | None] = json.loads(unseal(session, sealed, row_id=row_id))
    return words
