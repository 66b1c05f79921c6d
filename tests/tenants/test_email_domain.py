from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tenants.agency import AgencyKind
from tenants.audit import list_entries_of
from tenants.database import Database
from tenants.email_domain import (
    DomainInvalid,
    DomainTaken,
    DomainUnknown,
    NotYoursToConfirm,
    add_domain,
    confirm_domain,
    get_domain,
    get_domain_by_name,
    list_domains,
    list_unconfirmed,
    remove_domain,
)
from tenants.scope import OPERATOR, Scope
from tests.factories import NOW, Factories, Tenant


class TestAddDomain:
    def test_takes_it_as_it_is_compared(self, database: Database, council: Tenant) -> None:
        name = f"{uuid4().hex}.example"

        with database.transaction(council.scope) as session:
            assert add_domain(session, f" @{name.upper()} ", now=NOW).domain == name
            with pytest.raises(DomainTaken):
                add_domain(session, name, now=NOW)

    @pytest.mark.parametrize(
        "domain",
        [
            *("", "example", "a b.example", "-a.example", "a-.example", "a..example", ".example", "a@b.example"),
            *(
                "é.example",
                "127.0.0.1",
                "a.example/",
                "*.example",
                "a.e",
                f"{'a' * 64}.example",
                f"{'a.' * 130}example",
                "a\n.example",
            ),
        ],
    )
    def test_refuses_what_is_none(self, database: Database, council: Tenant, domain: str) -> None:
        with database.transaction(council.scope) as session, pytest.raises(DomainInvalid):
            add_domain(session, domain, now=NOW)

    def test_is_seen_by_the_agency_and_the_office_alone(
        self, database: Database, council: Tenant, office: Tenant, neighbour: Tenant
    ) -> None:
        domain_id = named(database, council)

        for scope in (council.scope, office.scope, OPERATOR):
            with database.transaction(scope) as session:
                assert get_domain(session, domain_id).agency_id == council.id
        with database.transaction(neighbour.scope) as session, pytest.raises(DomainUnknown):
            get_domain(session, domain_id)


class TestConfirmDomain:
    @pytest.mark.parametrize("by", ["office", "operator"])
    def test_is_for_office_and_operator(self, database: Database, council: Tenant, office: Tenant, by: str) -> None:
        domain_id = named(database, council)

        confirmed(database, office.scope if by == "office" else OPERATOR, domain_id)

        with database.transaction(council.scope) as session:
            (found,) = list_domains(session, agency_id=council.id)
            assert found.confirmed_at == NOW
            assert "confirmed" in {entry.reason for entry in list_entries_of(session, domain_id)}

    def test_is_not_for_the_agency_itself(self, database: Database, council: Tenant, office: Tenant) -> None:
        for tenant in (council, office):
            domain_id = named(database, tenant)
            with pytest.raises(NotYoursToConfirm):
                confirmed(database, tenant.scope, domain_id)

    def test_is_not_for_whoever_named_it(self, database: Database, council: Tenant, office: Tenant) -> None:
        both = replace(office.scope, person_id=council.scope.person_id)
        domain_id = named(database, council)

        with pytest.raises(NotYoursToConfirm):
            confirmed(database, both, domain_id)

    def test_gives_a_domain_to_one_agency_alone(self, database: Database, council: Tenant, neighbour: Tenant) -> None:
        name = f"{uuid4().hex}.example"
        first, second = named(database, council, name), named(database, neighbour, name)
        confirmed(database, OPERATOR, first)

        with pytest.raises(DomainTaken):
            confirmed(database, OPERATOR, second)

    def test_is_asked_of_the_office_once(self, database: Database, council: Tenant, office: Tenant) -> None:
        domain_id, own = named(database, council), named(database, office)
        with database.transaction(office.scope) as session:
            before = [each.id for each in list_unconfirmed(session)]

        confirmed(database, office.scope, domain_id)

        with database.transaction(office.scope) as session:
            assert (before, list_unconfirmed(session)) == ([domain_id], [])
        assert own


class TestRemoveDomain:
    def test_is_for_the_agency_itself(self, database: Database, council: Tenant) -> None:
        domain_id = named(database, council, "gone.example")

        with database.transaction(council.scope) as session:
            remove_domain(session, get_domain_by_name(session, "Gone.example", agency_id=council.id))

        with database.transaction(council.scope) as session, pytest.raises(DomainUnknown):
            get_domain(session, domain_id)

    def test_is_not_for_the_office_that_may_confirm_it(
        self, database: Database, council: Tenant, office: Tenant
    ) -> None:
        domain_id = named(database, council)

        with pytest.raises(DomainUnknown, match="no such"), database.transaction(office.scope) as session:
            remove_domain(session, get_domain(session, domain_id))

        with database.transaction(council.scope) as session:
            assert get_domain(session, domain_id)


def named(database: Database, tenant: Tenant, name: str | None = None) -> UUID:
    with database.transaction(tenant.scope) as session:
        return add_domain(session, name or f"{uuid4().hex}.example", now=NOW).id


def confirmed(database: Database, scope: Scope, domain_id: UUID) -> None:
    with database.transaction(scope) as session:
        confirm_domain(session, get_domain(session, domain_id), now=NOW)


@pytest.fixture
def consortium_id(factories: Factories) -> UUID:
    return factories.consortium()


@pytest.fixture
def council(factories: Factories, consortium_id: UUID) -> Tenant:
    return factories.tenant(consortium_id)


@pytest.fixture
def neighbour(factories: Factories, consortium_id: UUID) -> Tenant:
    return factories.tenant(consortium_id)


@pytest.fixture
def office(factories: Factories, consortium_id: UUID) -> Tenant:
    return factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
