"""A placement within one agency, of records that some are shut out of, with a row of each of its tables."""

from __future__ import annotations

import json
from datetime import time, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from matching.household import get_household
from matching.link import get_link
from matching.placement.adopters_copy import AdoptersCopy, CopyKind
from matching.placement.introduction import plan_meeting
from matching.placement.note import add_note
from matching.placement.placement import make_placement
from matching.placement.review import record_review
from matching.sealing.gathering import gather
from matching.sealing.record import Sealing
from matching.sibling_group import get_group
from matching.transition import start_link
from tenants.base import utc_now
from tenants.database import Database
from tenants.own_key import seal_apart
from tenants.person import get_person
from tests.factories import Tenant

_COPY = {"reference": "ADP-1", "adopters": ["Alder Example"], "approved_on": "2026-01-31"}


def make_placed(database: Database, agency: Tenant, *, household_id: UUID, group_id: UUID) -> None:
    """Place a group of ``agency``'s with a household of its own."""
    now = utc_now()
    today, person_id = now.date(), agency.scope.person_id
    assert person_id is not None
    with database.transaction(agency.scope) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        link = start_link(session, group=group, household=household, reason="They know them.", now=now)
        placement = make_placement(session, get_link(session, link.id), matched_on=None, now=now)
        placement.moved_in_on = placement.adoptive_start_on = today - timedelta(days=60)
        plan_meeting(session, placement, day=today, starts_at=time(9), ends_at=None, words="At home", now=now)
        record_review(session, placement, number=1, held_on=None, why="Snow", now=now)
        add_note(session, placement, words="It goes well.", now=now)
        both = {"group_agency_id": agency.id, "household_agency_id": agency.id}
        copy = AdoptersCopy(id=uuid4(), link_id=link.id, **both)
        name = get_person(session, person_id).name
        copy.kind, copy.given_by, copy.given_name, copy.given_at = CopyKind.RECORD, person_id, name, now
        copy.id = uuid4()
        copy.sealed_key, copy.sealed = seal_apart(session, json.dumps(_COPY).encode(), row_id=copy.id)
        session.add(copy)
        session.add(Sealing(link_id=link.id, asked_by=person_id, asked_name="Sam", asked_at=now, **both))
        session.flush()
        gather(session, link, tally=None, now=now)


def make_sealed(admin: psycopg.Connection[Any], agency: Tenant, neighbour: Tenant) -> None:
    """Take the placement as far as that, and make what is left of an adoption that was sealed, past all the rules."""
    admin.execute("UPDATE link SET state = 'placed' WHERE id IN (SELECT link_id FROM placement)")
    admin.execute(
        "INSERT INTO sealing_certificate (id, agency_id, number, done_on, asked_name, confirmed_name, removed) "
        "VALUES (gen_random_uuid(), %s, 'A-000000', now(), 'Sam', 'Kit', '{}')",
        (agency.id,),
    )
    admin.execute(
        "INSERT INTO sealed_placement (id, consortium_id, group_agency_id, household_agency_id, moved_in_on, "
        "ordered_on, ages) VALUES (gen_random_uuid(), %s, %s, %s, now(), now(), '[]')",
        (agency.scope.consortium_id, agency.id, neighbour.id),
    )
    # One that is sealed, which its keeper alone reads, and only an admin could have made like this.
    admin.execute(
        "INSERT INTO adoption_record (id, agency_id, number, kind, kept_until, made_on, sealed_key, sealed) "
        "VALUES (gen_random_uuid(), %s, 'A-000000', 'record', now() + interval '101 years', now(), 'k', 's')",
        (agency.id,),
    )
