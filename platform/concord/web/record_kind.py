"""Pages that are alike for groups and households: one address for both, and the record that it names."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from matching.household import Household, get_household
from matching.sharing import Record
from matching.sibling_group import get_group

KIND = "<any(groups, households):kind>"


def get_record(session: Session, kind: str, record_id: UUID) -> Record:
    """Return the group or household of an address, as this scope may see it.

    :raises NotFound: when there is none.
    """
    return get_group(session, record_id) if kind == "groups" else get_household(session, record_id)


def name_of(record: Record) -> str:
    """Return what pages call a record in a title."""
    return f"household {record.code}" if isinstance(record, Household) else f"group {record.code}"
