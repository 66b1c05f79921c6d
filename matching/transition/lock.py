"""Who acts on a pair waits for whoever acts on either of its two records: so what a guard found still holds.

Links of one group belong to several agencies, and no scope may lock another agency's rows; so the two ids are locked,
not rows. The lock ends with the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.household import Household
from matching.link import Link, LinkMoved, list_steps
from matching.sibling_group import SiblingGroup
from tenants.agency import get_agency
from tenants.database import scope_of

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('link:' || :id, 0))")


def lock_records(session: Session, *, groups: Iterable[UUID], households: Iterable[UUID] = ()) -> None:
    """Wait until nobody else acts on links of these groups and households, and keep others out."""
    # In one order for everybody, so that no two wait for each other: groups, then households, each by their ids.
    for record_id in (*sorted(groups), *sorted(households)):
        session.execute(_LOCK, {"id": str(record_id)})


def lock_link(session: Session, link: Link, version: int) -> None:
    """Lock a link with its records, and read it again.

    :raises LinkMoved: when it has had another step since ``version``.
    """
    lock_records(session, groups=[link.sibling_group_id], households=[link.household_id])
    # One that has come to its end cannot be locked, and so is not found.
    query = select(Link).where(Link.id == link.id).with_for_update(key_share=True)
    locked = session.scalar(query.execution_options(populate_existing=True))
    if locked is None or locked.version != version:
        last = list_steps(session, link)[0]
        agency = get_agency(session, last.agency_id).name
        raise LinkMoved(
            f"{last.person_name} of {agency} was first: the link is now at “{last.to_state.label}”. "
            "Load its page again to see why, then decide."
        )
    _lock_own_rows(session, link)


def _lock_own_rows(session: Session, link: Link) -> None:
    # Of one's own records the rows too: an import may change what a guard reads.
    own = scope_of(session).agency_id
    if own == link.group_agency_id:
        group = select(SiblingGroup.id).where(SiblingGroup.id == link.sibling_group_id)
        session.execute(group.with_for_update(read=True))
    if own == link.household_agency_id:
        household = select(Household.id).where(Household.id == link.household_id)
        session.execute(household.with_for_update(read=True))
