"""A request about a record, at hand for tests."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from matching.household import Household
from matching.sibling_group import SiblingGroup
from matching.subject_access.gathering import gather
from matching.subject_access.item import Decision, decide_item, opened_items
from matching.subject_access.request import SubjectRequest, get_request, open_request
from tenants.database import Database
from tests.factories import NOW, TODAY, Tenant, transaction


def asked(
    database: Database,
    tenant: Tenant,
    record_id: UUID,
    *,
    received_on: date = TODAY,
    asker: str = "Alder Example",
) -> SubjectRequest:
    """Open a request about a household or a group."""
    with transaction(database, tenant) as session:
        record = session.get(Household, record_id) or session.get(SiblingGroup, record_id)
        assert record
        return open_request(
            session, record.code, asker=asker, identity="Passport seen", received_on=received_on, now=NOW
        )


def gathered(database: Database, tenant: Tenant, record_id: UUID) -> SubjectRequest:
    """Open a request and gather what is held."""
    request = asked(database, tenant, record_id)
    with transaction(database, tenant) as session:
        gather(session, get_request(session, request.id), now=NOW)
    return request


def looked_through(database: Database, tenant: Tenant, request: SubjectRequest) -> None:
    """Withhold every part that has to be decided on and was not."""
    with transaction(database, tenant) as session:
        found = get_request(session, request.id)
        for said in opened_items(session, found):
            if not said.reviewed:
                decide_item(session, found, said.item, decision=Decision.WITHHOLD, reason="Not theirs", now=NOW)
