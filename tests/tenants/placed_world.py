"""A placement within one agency, of records that some are shut out of, with a row of each of its tables."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID, uuid4

from matching.household import get_household
from matching.link import get_link
from matching.placement.adopters_copy import AdoptersCopy, CopyKind
from matching.placement.introduction import plan_meeting
from matching.placement.note import add_note
from matching.placement.placement import make_placement
from matching.placement.review import record_review
from matching.sibling_group import get_group
from matching.transition import start_link
from tenants.base import utc_now
from tenants.database import Database
from tenants.own_key import seal_apart
from tests.factories import Tenant


def make_placed(database: Database, agency: Tenant, *, household_id: UUID, group_id: UUID) -> None:
    """Place a group of ``agency``'s with a household of its own."""
    now = utc_now()
    today = now.date()
    with database.transaction(agency.scope) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        link = start_link(session, group=group, household=household, reason="They know them.", now=now)
        placement = make_placement(session, get_link(session, link.id), matched_on=None, now=now)
        placement.moved_in_on = placement.adoptive_start_on = today - timedelta(days=60)
        plan_meeting(session, placement, day=today, starts_at=time(9), ends_at=None, words="At home", now=now)
        record_review(session, placement, number=1, held_on=None, why="Snow", now=now)
        add_note(session, placement, words="It goes well.", now=now)
        copy = AdoptersCopy(link_id=link.id, group_agency_id=agency.id, household_agency_id=agency.id)
        copy.kind, copy.given_by, copy.given_name, copy.given_at = CopyKind.RECORD, agency.scope.person_id, "Sam", now
        copy.id = uuid4()
        copy.sealed_key, copy.sealed = seal_apart(session, b"a report", row_id=copy.id)
        session.add(copy)
