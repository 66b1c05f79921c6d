"""Every page of the census: it says for whom the person acts, the audit says the same, and each role opens its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from sqlalchemy import select

from tenants.agency import AgencyKind, get_agency
from tenants.audit import AuditEntry
from tenants.database import Database
from tenants.permission import MAY, TABLE, Relation, Verb
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, Factories, Tenant
from tests.platform.web.equal import page_of
from tests.platform.web.test_access import CENSUS
from tests.platform.web.test_acting import value_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
PAGES = sorted(
    path
    for method, path in (route.split(maxsplit=1) for route, access in CENSUS.items() if access.startswith("may "))
    if method == "GET"
)
OF_OFFICE = set(Verb) - {right.verb for right in TABLE if right.whose != frozenset({Relation.OFFICE})}
"""What is for the consortium's office alone, whatever its role is called elsewhere."""


class TestWhoeverActsForTheSecondOfTwo:
    def test_reads_it_on_every_page_and_is_recorded_as_doing_its_work(self, worker: Worker) -> None:
        silent = []
        for path in PAGES:
            answer = worker.visitor.get(worker.filled(path))
            if answer.mimetype != "text/html" or 300 <= answer.status_code < 400:
                continue
            if f"Acting for {worker.second.name} as" not in page_of(worker.visitor).text:
                silent.append((answer.status_code, path))

        recorded = worker.recorded()
        assert silent == []
        assert {entry.actor_agency_id for entry in recorded} == {worker.second.id}
        assert {"household", "sibling_group"} <= {entry.record_kind for entry in recorded}

    def test_is_recorded_for_the_first_once_they_act_for_that(self, worker: Worker) -> None:
        worker.act_for(worker.first)

        worker.visitor.get(f"/households/{worker.household_id}/identity")

        assert worker.recorded(act="refuse") == []
        assert f"Acting for {worker.first.name}" in page_of(worker.visitor).text
        assert page_of(worker.visitor).heading == "Page not found"


class TestEveryRole:
    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.OPERATOR}))
    def test_opens_what_the_table_gives_it_and_nothing_else(
        self, role: Role, visit_as: Visit, factories: Factories
    ) -> None:
        kind = AgencyKind.CONSORTIUM_OFFICE if role is Role.COORDINATOR else AgencyKind.LOCAL_AUTHORITY
        visitor = visit_as(factories.tenant(factories.consortium(), kind=kind, roles=frozenset({role})))

        opened = {verb: visitor.get(path).status_code != 403 for verb, path in one_page_for_each_verb()}

        office = kind is AgencyKind.CONSORTIUM_OFFICE
        assert opened == {verb: role in MAY[verb] and (office or verb not in OF_OFFICE) for verb in opened}


@dataclass(frozen=True, slots=True)
class Worker:
    """A person of two agencies who acts for the second, which has a household and a group."""

    visitor: Visitor
    database: Database
    first: Tenant
    second: Tenant
    household_id: UUID
    group_id: UUID

    def filled(self, path: str) -> str:
        """Return an address of the second agency's own records, or of nothing."""
        path = re.sub(r"<any\(([\w-]+)[^>]*>", r"\1", path)
        record = self.group_id if path.startswith("/groups") else self.household_id
        return re.sub(r"<uuid:\w+>", str(record), path)

    def act_for(self, tenant: Tenant) -> None:
        """Choose whose work is done from now on."""
        self.visitor.get("/acting")
        self.visitor.post("/acting", {"choice": value_of(self.visitor, tenant)})

    def recorded(self, act: str | None = None) -> list[AuditEntry]:
        """Return what the audit of either agency says of the person, but for their coming in and choosing."""
        query = select(AuditEntry).where(
            AuditEntry.actor_person_id == self.first.scope.person_id, AuditEntry.record_kind != "sign_in_session"
        )
        found = {}
        for tenant in (self.first, self.second):
            with self.database.transaction(replace(tenant.scope, person_id=None)) as session:
                found.update({entry.id: entry for entry in session.scalars(query)})
        return [entry for entry in found.values() if act in (None, entry.act)]


@pytest.fixture
def worker(visit_as: Visit, database: Database, factories: Factories) -> Worker:
    first, second = factories.two_tenants()
    household_id, group_id = factories.household(second), factories.group(second)
    assert first.scope.person_id
    with database.transaction(OPERATOR) as session:
        person, agency = get_person(session, first.scope.person_id), get_agency(session, second.id)
        for role in sorted(first.scope.roles):
            appoint(session, person, agency=agency, role=role, starts_on=LONG_AGO)
    worker = Worker(visit_as(first), database, first, second, household_id, group_id)
    worker.act_for(second)
    return worker


def one_page_for_each_verb() -> list[tuple[Verb, str]]:
    found: dict[Verb, str] = {}
    for path in (each for each in PAGES if " or " not in CENSUS[f"GET {each}"]):
        verb = Verb(CENSUS[f"GET {path}"].removeprefix("may "))
        found.setdefault(verb, re.sub(r"<uuid:\w+>", str(UUID(int=1)), re.sub(r"<any\(([\w-]+)[^>]*>", r"\1", path)))
    return sorted(found.items())
