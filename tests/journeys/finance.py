"""Two councils that place children with each other’s families for a fee, their finance people, and a third agency."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.web import create_app
from matching.fee.agreement import FeeAgreement
from matching.fee.event import EVENT_JOB
from matching.fee.published import adopt_published
from matching.fee.remittance.remittance import REMITTANCE_JOB
from matching.household import get_household
from matching.link import StepName, get_link
from matching.ranking.facts import Sex
from matching.sibling_group import get_group
from matching.transition import consider, start_link
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import JobState, list_jobs
from tenants.role import Role
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.factories import ISSUER, Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, agree_plan, make_matched, step
from tests.matching.report_factory import Pairing
from tests.site import make_settings, port_of, running
from workers.handler import HANDLERS
from workers.runner import JobRunner

_JOBS = frozenset({EVENT_JOB, REMITTANCE_JOB})


@dataclass(frozen=True, slots=True)
class Finance:
    """The site, who pays, who is paid, their people, and somebody who has nothing to do with either."""

    url: str
    database: Database
    factories: Factories
    devon: Tenant
    """Pays."""
    dorset: Tenant
    """Is paid."""
    manager: Tenant
    payer: Tenant
    payee: Tenant
    stranger: Tenant
    """The manager and the finance officer of who pays, the finance officers of who is paid and of a third agency."""
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, person: Tenant) -> str:
        """Return somebody's session."""
        if person.subject not in self.tokens:
            with self.database.transaction(NOBODY) as session:
                made = sign_in(session, issuer=ISSUER, subject=person.subject, now=utc_now())
                self.tokens[person.subject] = made.token
        return self.tokens[person.subject]

    def match(self, *, children: int) -> Pairing:
        """Match some of Devon's children with a family of Dorset's, step by step."""
        born = ((date(2023, 5, 1), Sex.FEMALE),) * children
        group_id, household_id = self.factories.group(self.devon, children=born), self.factories.household(self.dorset)
        now = utc_now()
        with transaction(self.database, self.devon) as session:
            group, household = get_group(session, group_id), get_household(session, household_id)
            link_id = start_link(session, group=group, household=household, reason="They like dogs.", now=now).id
        with transaction(self.database, self.dorset) as session:
            consider(session, get_link(session, link_id), version=1, reason="So do they.", now=now)
        pairing = Pairing(self.devon, self.dorset, group_id, household_id, link_id)
        return make_matched(self.factories, self.database, pairing)

    def place(self, pairing: Pairing, *, on: date) -> None:
        """Have the children move in, on a day."""
        agree_plan(self.database, pairing)
        step(self.database, self.devon, pairing, StepName.INTRODUCE, day=TODAY - timedelta(days=110))
        step(self.database, self.devon, pairing, StepName.PLACE, day=on)

    def agreement_of(self, pairing: Pairing) -> tuple[UUID, str]:
        """Return the id and the reference of the agreement that a match drafted."""
        with transaction(self.database, self.devon) as session:
            query = select(FeeAgreement).where(FeeAgreement.link_id == pairing.link_id)
            found = session.scalars(query).one()
            return found.id, found.reference

    def work_off(self) -> None:
        """Do what was asked of workers about fees, as they would."""
        for tenant in (self.devon, self.dorset):
            with transaction(self.database, tenant) as session:
                waiting = [job.id for job in list_jobs(session, state=JobState.WAITING) if job.kind in _JOBS]
            for job_id in waiting:
                assert JobRunner(self.database, HANDLERS).run(job_id)


@contextmanager
def finance(factories: Factories, database: Database, urls: DatabaseUrls, valkey_url: str) -> Iterator[Finance]:
    """Serve a site for a consortium whose office keeps the published tariffs."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    with transaction(database, office) as session:
        adopt_published(session, now=utc_now())
    devon, dorset = factories.tenant(consortium_id), factories.tenant(consortium_id)
    charity = factories.tenant(consortium_id, kind=AgencyKind.VOLUNTARY_AGENCY)
    finance_officer = frozenset({Role.FINANCE_OFFICER})
    payer, payee, stranger = (factories.colleague(each, roles=finance_officer) for each in (devon, dorset, charity))
    manager = factories.colleague(devon, roles=frozenset({Role.MANAGER}))
    url = f"http://127.0.0.1:{free_port()}"
    app = create_app(make_settings(site_url=url, database_url=urls.app, valkey_url=valkey_url), database)
    with running(app, port=port_of(url)):
        yield Finance(url, database, factories, devon, dorset, manager, payer, payee, stranger)
