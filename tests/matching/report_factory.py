"""Links and reports for tests: a made-up report as a PDF, a pair of agencies that consider a link, a colleague."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pikepdf

from matching.document import Document, ReportKind, add_par, get_document
from matching.document_check import CheckedPdf
from matching.grant import ask, get_grant, grant, undertake
from matching.household import get_household
from matching.link import get_link
from matching.sibling_group import get_group
from matching.transition import consider, start_link
from matching.undertaking import report_rules
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction

A4 = (595, 842)


def make_pdf(*words: str, sizes: tuple[tuple[float, float, int], ...] = ((*A4, 0),)) -> bytes:
    """Return a PDF with a page for each size (width and height in points, rotation in degrees) that says ``words``."""
    with pikepdf.new() as pdf:
        for width, height, rotation in sizes:
            page = pdf.add_blank_page(page_size=(width, height))
            page.Rotate = rotation
            font = pikepdf.Dictionary(
                Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
            )
            page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
            said = " ".join(words or ("A made-up report.",)).encode("ascii")
            page.Contents = pdf.make_stream(b"BT /F 12 Tf 20 50 Td (" + said + b") Tj ET")
        made = BytesIO()
        pdf.save(made)
        return made.getvalue()


@dataclass(frozen=True, slots=True)
class Pairing:
    """Children of one agency, a family of another, and their link."""

    children: Tenant
    family: Tenant
    group_id: UUID
    household_id: UUID
    link_id: UUID


def make_link(
    factories: Factories, database: Database, *, considered: bool = True, tenants: tuple[Tenant, Tenant] | None = None
) -> Pairing:
    """Make two agencies whose children and family are linked; the children's agency showed the interest."""
    children, family = tenants or factories.two_tenants()
    group_id, household_id = factories.group(children), factories.household(family)
    with transaction(database, children) as session:
        group, household = get_group(session, group_id), get_household(session, household_id)
        link_id = start_link(session, group=group, household=household, reason="They like dogs.", now=utc_now()).id
    if considered:
        with transaction(database, family) as session:
            link = get_link(session, link_id)
            consider(session, link, version=1, reason="So do the children.", now=utc_now())
    return Pairing(children, family, group_id, household_id, link_id)


def make_par(database: Database, tenant: Tenant, household_id: UUID, content: bytes | None = None) -> UUID:
    """Keep a PAR of a household, and return its id."""
    with transaction(database, tenant) as session:
        file = CheckedPdf(content or make_pdf(), 1)
        return add_par(session, get_household(session, household_id), file=file, now=utc_now()).document_id


def let_read(database: Database, pairing: Pairing, *, days: int = 28, undertaken: bool = True) -> UUID:
    """Let the children's agency's person read the PAR, and return the grant's id."""
    now = utc_now()
    with transaction(database, pairing.children) as session:
        link = get_link(session, pairing.link_id)
        grant_id = ask(session, link, kind=ReportKind.PAR, reason="To prepare the visit.", now=now).id
    with transaction(database, pairing.family) as session:
        grant(session, get_grant(session, grant_id), ends_on=now.date() + timedelta(days=days), now=now)
    if undertaken:
        with transaction(database, pairing.children) as session:
            undertake(session, get_grant(session, grant_id), wording=report_rules().present.version, now=now)
    return grant_id


def known(database: Database, tenant: Tenant, document_id: UUID) -> Document:
    """Return a report that a tenant may know of."""
    with transaction(database, tenant) as session:
        return get_document(session, document_id)
