from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from concord.servers.login import DatabaseUrls
from concord.web import create_app
from tenants.agency import AgencyKind
from tenants.database import Database
from tenants.email_domain import add_domain, list_domains
from tenants.identity_provider import ProviderState, add_provider, get_provider, list_providers, switch_off, switch_on
from tenants.role import Role
from tenants.scope import NOBODY, Scope
from tenants.sign_in_way import take_trial
from tests.factories import NOW, Factories, Tenant
from tests.site import Visitor, make_settings

SECRET = "a-secret-of-the-council"


class TestIndex:
    def test_says_when_there_is_none(self, administrator: Visitor) -> None:
        administrator.get("/agency/sign-in")

        assert administrator.page
        assert "Your agency has none of its own yet" in administrator.page.text

    def test_shows_the_agencys_own_alone(
        self, administrator: Visitor, database: Database, council: Tenant, other: Tenant
    ) -> None:
        added(database, council, name="Ours")
        added(database, other, name="Theirs")

        administrator.get("/agency/sign-in")

        assert administrator.page
        assert "Ours" in administrator.page.text
        assert "Theirs" not in administrator.page.text

    def test_is_for_administrators(self, visit_as: Visits, factories: Factories) -> None:
        manager = visit_as(factories.tenant(factories.consortium(), roles=frozenset({Role.MANAGER})))

        assert manager.get("/agency/sign-in").status_code == 403


class TestNew:
    def test_keeps_it_to_be_tried(self, administrator: Visitor, database: Database, council: Tenant) -> None:
        administrator.get("/agency/sign-in/new")

        response = administrator.post("/agency/sign-in/new", form())

        with database.transaction(council.scope) as session:
            (provider,) = list_providers(session)
        assert response.location == f"/agency/sign-in/{provider.id}"
        assert provider.state is ProviderState.DRAFT
        assert provider.scopes == ["openid", "email", "groups"]
        administrator.get(response.location)
        assert administrator.page
        assert f"/sign-in/answer/{provider.mark}" in administrator.page.text

    def test_never_shows_the_secret_again(self, administrator: Visitor, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)

        for page in (f"/agency/sign-in/{provider_id}", f"/agency/sign-in/new?instead_of={provider_id}"):
            assert SECRET not in administrator.get(page).get_data(as_text=True)
        administrator.get("/agency/sign-in/new")
        assert SECRET not in administrator.post("/agency/sign-in/new", form(name="")).get_data(as_text=True)

    @pytest.mark.parametrize(
        "change",
        [
            *({"name": ""}, {"issuer": ""}, {"issuer": "javascript:alert(1)"}, {"client_id": ""}, {"secret": ""}),
            *(
                {"max_age": "soon"},
                {"max_age": "0"},
                {"second_step": "perhaps"},
                {"name": "x" * 501},
                {"instead_of": "x"},
            ),
        ],
    )
    def test_says_what_is_wrong(
        self, administrator: Visitor, database: Database, council: Tenant, change: dict[str, str]
    ) -> None:
        administrator.get("/agency/sign-in/new")

        response = administrator.post("/agency/sign-in/new", form(**change))

        assert response.status_code == 422
        with database.transaction(council.scope) as session:
            assert list_providers(session) == []

    @pytest.mark.parametrize(
        "issuer",
        ["http://id.council.example", "https://127.0.0.1", "https://localhost:8443", "https://169.254.169.254"],
    )
    def test_refuses_what_leads_into_this_network(
        self, migrated: DatabaseUrls, database: Database, council: Tenant, issuer: str
    ) -> None:
        real = create_app(make_settings(database_url=migrated.app, demo=False), database)
        administrator = Visitor(real).sign_in(database, council)
        administrator.get("/agency/sign-in/new")

        response = administrator.post("/agency/sign-in/new", form(issuer=issuer))

        assert response.status_code == 422
        assert administrator.page
        assert "no https address" in administrator.page.text or "public internet" in administrator.page.text

    def test_takes_over_the_rules_of_what_it_replaces(
        self, administrator: Visitor, database: Database, council: Tenant
    ) -> None:
        old = added(database, council)
        administrator.get(f"/agency/sign-in/{old}/roles")
        administrator.post(f"/agency/sign-in/{old}/roles", {"claim": "groups", "rules": "finders = Family finder"})

        administrator.get(f"/agency/sign-in/new?instead_of={old}")
        response = administrator.post("/agency/sign-in/new", form(instead_of=str(old)))

        administrator.get(response.location)
        assert administrator.page
        assert "finders: Family finder" in administrator.page.text


class TestShow:
    def test_of_another_agency_is_not_found(self, administrator: Visitor, database: Database, other: Tenant) -> None:
        theirs = added(database, other)

        for path in ("", "/try", "/roles"):
            found = administrator.get(f"/agency/sign-in/{theirs}{path}")
            missing = administrator.get(f"/agency/sign-in/{uuid4()}{path}")
            assert (found.status_code, missing.status_code) == (404, 404)


class TestSwitch:
    def test_on_wants_a_trial_first(self, administrator: Visitor, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)
        administrator.get("/agency/sign-in")

        response = administrator.post(f"/agency/sign-in/{provider_id}/on")

        assert response.status_code == 409
        assert administrator.page
        assert "Try this sign-in first" in administrator.page.text

    def test_locks_nobody_out_by_accident(self, administrator: Visitor, database: Database, council: Tenant) -> None:
        provider_id = tried(database, council, added(database, council))
        administrator.get(f"/agency/sign-in/{provider_id}")
        answers = [administrator.post(f"/agency/sign-in/{provider_id}/{step}") for step in ("on", "beside", "off")]

        # The site's own service does not know this person, whom only the tests' provider names.
        assert [each.status_code for each in answers] == [303, 303, 403]
        assert administrator.page
        assert "You would have no way in" in administrator.page.text
        off(database, council, provider_id)

    def test_offers_the_way_in_to_all(self, site: Flask, database: Database, council: Tenant) -> None:
        name = f"Account {uuid4().hex}"
        provider_id = on(database, council, name=name)
        visitor = Visitor(site)

        visitor.get("/sign-in")

        assert visitor.page
        assert council.name in visitor.page.text
        off(database, council, provider_id)
        visitor.get("/sign-in")
        assert council.name not in visitor.page.text


class TestRoles:
    @pytest.mark.parametrize(
        "rules", ["finders", "= Family finder", "finders = Nobody", "finders = operator", "a = Platform operator"]
    )
    def test_says_which_line_is_wrong(
        self, administrator: Visitor, database: Database, council: Tenant, rules: str
    ) -> None:
        provider_id = added(database, council)
        administrator.get(f"/agency/sign-in/{provider_id}/roles")

        response = administrator.post(
            f"/agency/sign-in/{provider_id}/roles", {"claim": "groups", "rules": f"good = Agency manager\n{rules}"}
        )

        assert response.status_code == 422
        assert administrator.page
        assert "Line 2" in administrator.page.text


class TestDomains:
    def test_are_named_by_the_agency_and_confirmed_by_the_office(
        self, administrator: Visitor, visit_as: Visits, database: Database, council: Tenant, factories: Factories
    ) -> None:
        consortium_id = council.scope.consortium_id
        assert consortium_id
        office = visit_as(factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE))
        name = f"{uuid4().hex}.example"
        administrator.get("/agency/sign-in")
        administrator.post("/agency/sign-in/domains", {"domain": name})
        office.get("/e-mail-domains")
        assert office.page
        assert name in office.page.text
        with database.transaction(council.scope) as session:
            (domain,) = list_domains(session, agency_id=council.id)

        office.post(f"/e-mail-domains/{domain.id}/confirm")

        administrator.get("/agency/sign-in")
        assert administrator.page
        assert "Confirmed on" in administrator.page.text
        administrator.post(f"/agency/sign-in/domains/{domain.id}/remove")
        with database.transaction(council.scope) as session:
            assert list_domains(session, agency_id=council.id) == []

    def test_are_refused_in_words(self, administrator: Visitor) -> None:
        administrator.get("/agency/sign-in")

        response = administrator.post("/agency/sign-in/domains", {"domain": "nonsense"})

        assert response.status_code == 422
        assert administrator.page
        assert "Enter what stands behind the @" in administrator.page.text

    def test_of_another_agency_are_not_found(self, administrator: Visitor, database: Database, other: Tenant) -> None:
        with database.transaction(other.scope) as session:
            theirs = add_domain(session, f"{uuid4().hex}.example", now=NOW).id
        administrator.get("/agency/sign-in")

        assert administrator.post(f"/agency/sign-in/domains/{theirs}/remove").status_code == 404
        assert administrator.post(f"/e-mail-domains/{theirs}/confirm").status_code == 404


class TestFinding:
    def test_goes_by_the_addresss_domain(self, site: Flask, database: Database, council: Tenant) -> None:
        provider_id = on(database, council)
        visitor = Visitor(site)
        visitor.get("/sign-in")

        response = visitor.post("/sign-in", {"email": f"nobody@{uuid4().hex}.example"})

        assert response.status_code == 200
        assert visitor.page
        assert "No agency’s sign-in service goes by that address" in visitor.page.text
        assert visitor.post("/sign-in", {"email": ""}).status_code == 422
        off(database, council, provider_id)

    def test_leads_to_no_service_that_is_off(self, site: Flask, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)
        visitor = Visitor(site)

        for asked in (provider_id, uuid4()):
            assert visitor.get(f"/sign-in/with/{asked}").status_code == 503

    @pytest.mark.parametrize("path", ["/sign-in/answer", "/sign-in/answer/0123456789abcdef"])
    def test_takes_no_answer_that_was_not_asked_for(self, site: Flask, path: str) -> None:
        assert Visitor(site).get(f"{path}?code=a&state=b").status_code in {400, 503}


Visits = Callable[[Tenant], Visitor]


def form(**change: str) -> dict[str, str]:
    known = {
        "name": "Council account",
        "issuer": "https://id.council.example",
        "client_id": "concord",
        "secret": SECRET,
        "scopes": "groups",
        "second_step": "no",
    }
    return {**known, **change}


def added(database: Database, tenant: Tenant, **facts: Any) -> UUID:
    known = {"name": "Account", "issuer": f"https://{uuid4().hex}.example", "client_id": "concord", "secret": SECRET}
    with database.transaction(tenant.scope) as session:
        return add_provider(session, **{**known, **facts}, now=NOW).id


def tried(database: Database, tenant: Tenant, provider_id: UUID) -> UUID:
    person_id = tenant.scope.person_id
    assert person_id
    with database.transaction(NOBODY) as session:
        take_trial(session, provider_id=provider_id, person_id=person_id, subject=tenant.slug, now=NOW)
    return provider_id


def on(database: Database, tenant: Tenant, **facts: Any) -> UUID:
    provider_id = tried(database, tenant, added(database, tenant, **facts))
    with database.transaction(tenant.scope) as session:
        switch_on(session, get_provider(session, provider_id))
    return provider_id


def off(database: Database, tenant: Tenant, provider_id: UUID) -> None:
    with database.transaction(Scope(agency_id=tenant.id)) as session:
        switch_off(session, get_provider(session, provider_id), default_issuer=None)


@pytest.fixture
def council(factories: Factories) -> Tenant:
    return factories.tenant(factories.consortium())


@pytest.fixture
def other(factories: Factories) -> Tenant:
    return factories.tenant(factories.consortium())


@pytest.fixture(scope="module")
def site(migrated: DatabaseUrls, database: Database, valkey_url: str) -> Flask:
    return create_app(make_settings(database_url=migrated.app, valkey_url=valkey_url, demo=True), database)


@pytest.fixture
def visit_as(site: Flask, database: Database) -> Visits:
    return lambda tenant: Visitor(site).sign_in(database, tenant)


@pytest.fixture
def administrator(visit_as: Visits, council: Tenant) -> Visitor:
    return visit_as(council)
