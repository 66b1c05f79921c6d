"""Panels for tests: a match with its papers, its advisers and its decision maker, each a person of their own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from matching.document import add_cpr
from matching.document_check import CheckedPdf
from matching.link import StepName, get_link
from matching.panel.paper import PanelPaper, add_placement_report, list_papers, put_reports
from matching.panel.reader import PanelRole, list_own_readers, name_reader, undertake_panel
from matching.sibling_group import get_group
from matching.undertaking import report_rules
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, step
from tests.matching.report_factory import Pairing, make_link, make_par, make_pdf

ROLES = (Role.PANEL_ADVISER, Role.MEDICAL_ADVISER, Role.LEGAL_ADVISER, Role.DECISION_MAKER)
WORDING = report_rules().present.version


@dataclass(frozen=True, slots=True)
class Panel:
    """A match before panel, and who is named for it, by role."""

    pairing: Pairing
    people: dict[Role, Tenant]
    readers: dict[Role, UUID]
    par_id: UUID
    cpr_id: UUID


def make_panel(
    factories: Factories, database: Database, *, undertaken: bool = True, papers: bool = True, at_panel: bool = True
) -> Panel:
    """Make a match that its four readers are named for, with a PAR, a CPR and a placement report before panel."""
    pairing = make_link(factories, database)
    names = (StepName.SHORTLIST, StepName.VISIT, StepName.MEET, StepName.GO_TO_PANEL)
    for each in names if at_panel else names[:1]:
        step(database, pairing.children, pairing, each, day=None if each is StepName.SHORTLIST else TODAY)
    par_id = make_par(database, pairing.family, pairing.household_id)
    with transaction(database, pairing.children) as session:
        file = CheckedPdf(make_pdf("A made-up CPR."), 1)
        cpr_id = add_cpr(session, get_group(session, pairing.group_id), file=file, now=utc_now()).document_id
    people = {role: factories.colleague(pairing.children, roles=frozenset({role})) for role in ROLES}
    readers = {role: name(database, pairing, who, role, undertaken=undertaken) for role, who in people.items()}
    if papers:
        put(database, pairing.family, pairing)
        put(database, pairing.children, pairing)
        with transaction(database, pairing.children) as session:
            report = CheckedPdf(make_pdf("A made-up placement report."), 1)
            add_placement_report(session, get_link(session, pairing.link_id), file=report, now=utc_now())
    return Panel(pairing, people, readers, par_id, cpr_id)


def name(database: Database, pairing: Pairing, who: Tenant, role: Role, *, undertaken: bool = True) -> UUID:
    """Name somebody for a match as the children's agency's worker, and return the name's id."""
    person_id = who.scope.person_id
    assert person_id is not None
    with transaction(database, pairing.children) as session:
        link = get_link(session, pairing.link_id)
        reader_id = name_reader(session, link, person_id=person_id, role=PanelRole(role.value), now=utc_now()).id
    if undertaken:
        with transaction(database, who) as session:
            now = utc_now()
            (reader,) = (each for each, _ in list_own_readers(session, now=now) if each.id == reader_id)
            undertake_panel(session, reader, wording=WORDING, now=now)
    return reader_id


def put(database: Database, tenant: Tenant, pairing: Pairing) -> None:
    """Put a tenant's reports before panel."""
    with transaction(database, tenant) as session:
        put_reports(session, get_link(session, pairing.link_id), now=utc_now())


def papers_of(database: Database, tenant: Tenant, pairing: Pairing) -> list[PanelPaper]:
    """Return the papers that a tenant may know of."""
    with transaction(database, tenant) as session:
        return list_papers(session, get_link(session, pairing.link_id))
