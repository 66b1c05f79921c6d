"""Panel papers of a neighbour's children and an agency's family, in the world by which the wall is tested."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from matching.link import Link, StepName
from matching.panel.paper import Finding, put_reports, write_advice, write_minutes
from matching.panel.reader import PanelReader, PanelRole, name_reader, undertake_panel
from matching.transition import StepFacts, take
from matching.undertaking import report_rules
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Tenant


def make_papers_of_panel(database: Database, agency: Tenant, neighbour: Tenant) -> None:
    """Have ``agency`` put its family's report before the panel of ``neighbour``, whose own person reads and advises."""
    now, person_id = utc_now(), neighbour.scope.person_id
    assert person_id is not None
    with database.transaction(agency.scope) as session:
        put_reports(session, session.scalars(select(Link)).one(), now=now)
    with database.transaction(neighbour.scope) as session:
        link = session.scalars(select(Link)).one()
        reader = name_reader(session, link, person_id=person_id, role=PanelRole.MEDICAL_ADVISER, now=now)
        undertake_panel(session, reader, wording=report_rules().present.version, now=now)
        write_advice(session, session.get_one(PanelReader, reader.id), words="He is well.", now=now)


def make_own_panel(database: Database, agency: Tenant, *, group_id: UUID) -> None:
    """Shortlist a family of ``agency``'s own for its group, and have its own person read, and decide, as the panel."""
    now, person_id = utc_now(), agency.scope.person_id
    assert person_id is not None
    with database.transaction(agency.scope) as session:
        link = session.scalars(select(Link).where(Link.sibling_group_id == group_id)).one()
        for step in (StepName.CONSIDER, StepName.SHORTLIST):
            take(session, link, step, version=link.version, facts=StepFacts("They go on."), now=now)
        put_reports(session, link, now=now)
        for role in (PanelRole.PANEL_ADVISER, PanelRole.DECISION_MAKER):
            reader = name_reader(session, link, person_id=person_id, role=role, now=now)
            undertake_panel(session, reader, wording=report_rules().present.version, now=now)
        write_minutes(session, link, finding=Finding.NO_RECOMMENDATION, words="They meet again.", now=now)
