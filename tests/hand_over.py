"""Hand over in tests: both sides agree for today, the schedule asks, a worker does it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tenants.agency import get_agency
from tenants.base import utc_now
from tenants.database import Database
from tenants.hand_over import HAND_OVER_JOB, agree_to_hand_over, get_hand_over, propose_hand_over
from tenants.job import Job, list_jobs
from tenants.scope import Scope
from tests.factories import Tenant
from workers.hand_over import ask_for_hand_overs
from workers.handler import HANDLERS
from workers.runner import JobRunner


def proposed(database: Database, giver: Tenant, receiver: Tenant, **facts: Any) -> UUID:
    """Propose for the side that gives, for today, and return the plan's id."""
    now = utc_now()
    with database.transaction(giver.scope) as session:
        agencies = [get_agency(session, each.id) for each in (giver, receiver)]
        said = {"takes_effect_on": now.date(), "reason": "A merger", "now": now, **facts}
        return propose_hand_over(session, agencies[0], receiver=agencies[1], **said).id


def agreed(database: Database, giver: Tenant, receiver: Tenant, **facts: Any) -> UUID:
    """Propose for one side and agree for the other, and return the plan's id."""
    hand_over_id = proposed(database, giver, receiver, **facts)
    with database.transaction(receiver.scope) as session:
        agree_to_hand_over(session, get_hand_over(session, hand_over_id), now=utc_now())
    return hand_over_id


def requested(database: Database, receiver: Tenant) -> Job:
    """Let the schedule ask, and return the job."""
    assert ask_for_hand_overs(database, now=utc_now())
    return job_of(database, receiver)


def do(database: Database, receiver: Tenant) -> Job:
    """Let the schedule ask and a worker do it, and return the job as it ended."""
    JobRunner(database, HANDLERS).run(requested(database, receiver).id)
    return job_of(database, receiver)


def job_of(database: Database, receiver: Tenant) -> Job:
    """Return the receiver's one job of handing over."""
    with database.transaction(Scope(agency_id=receiver.id)) as session:
        (job,) = (job for job in list_jobs(session) if job.kind == HAND_OVER_JOB)
    return job
