"""A link of an agency's family with a neighbour's children, and reports: one that is granted, and what is not."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from matching.document import ReportKind, add_cpr, add_par
from matching.document_check import CheckedPdf
from matching.grant import ask, get_grant, grant, undertake
from matching.household import get_household
from matching.link import get_link
from matching.pool import Stage, share
from matching.sibling_group import get_group
from matching.transition import consider, start_link
from matching.undertaking import report_rules
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import TODAY, Factories, Tenant
from tests.matching.report_factory import make_pdf
from tests.tenants.link_world import take_to_panel

_FILE = CheckedPdf(make_pdf(), 1)


def make_linked(factories: Factories, database: Database, agency: Tenant, neighbour: Tenant) -> tuple[UUID, UUID]:
    """Link a shared household of ``agency`` with a group of ``neighbour``, and let the neighbour read its PAR.

    Returns the household, and a group of ``agency``'s that has a report too.
    """
    now = utc_now()
    household_id, group_id = factories.household(agency), factories.group(neighbour)
    with database.transaction(neighbour.scope) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        link_id = start_link(session, group=group, household=household, reason="They like dogs.", now=now).id
    with database.transaction(agency.scope) as session:
        consider(session, get_link(session, link_id), version=1, reason="So do the children.", now=now)
        for _ in range(2):
            add_par(session, get_household(session, household_id), file=_FILE, now=now)
    with database.transaction(neighbour.scope) as session:
        take_to_panel(session, get_link(session, link_id))
    with database.transaction(agency.scope) as session:
        # Held back since: what the neighbour sees of the pool stays as it was, and the grant opens the report alone.
        share(session, stage=Stage.CONSORTIUM, on=TODAY, household_id=household_id, held=True, reason="test")
    own_group = factories.group(agency, stage=Stage.IN_HOUSE)
    with database.transaction(agency.scope) as session:
        add_cpr(session, get_group(session, own_group), file=_FILE, now=now)
    with database.transaction(neighbour.scope) as session:
        grant_id = ask(session, get_link(session, link_id), kind=ReportKind.PAR, reason="To prepare.", now=now).id
    with database.transaction(agency.scope) as session:
        grant(session, get_grant(session, grant_id), ends_on=now.date() + timedelta(days=28), now=now)
    with database.transaction(neighbour.scope) as session:
        undertake(session, get_grant(session, grant_id), wording=report_rules().present.version, now=now)
    return household_id, own_group
