"""Signing in by an agency's own provider: npm's certified oidc-provider, which is not ours."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
import requests
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.settings import libpq_url
from concord.web import create_app, openid
from tenants.base import utc_now
from tenants.database import Database
from tenants.email_domain import add_domain, confirm_domain, get_domain
from tenants.identity_provider import (
    add_provider,
    close_default,
    get_provider,
    list_providers,
    mark_of,
    set_role_rules,
    switch_off,
    switch_on,
)
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in import find_session, sign_in
from tenants.sign_in_way import take_trial
from tests.factories import ISSUER, Factories, Tenant
from tests.oidc.real import CLIENT_ID, SECRET, RealProvider, come_back, started
from tests.site import COOKIE, Visitor, make_settings, port_of, running


class TestSigningIn:
    def test_lets_in_whom_the_agency_knows_there(self, door: Door) -> None:
        response = door.come_in("known")

        assert (response.status_code, response.location) == (303, "/home")
        assert door.visitor.get("/home", base_url=door.url).status_code == 200
        assert door.visitor.page
        assert f"Acting for {door.tenant.name}" in door.visitor.page.text

    def test_takes_an_invitation_up_by_the_confirmed_address(self, door: Door) -> None:
        door.invite("new", Role.FAMILY_FINDER)
        door.provider.tell(new={"email": f"New@{door.domain.upper()}", "email_verified": True})

        door.come_in("new")

        assert door.roles() == {Role.FAMILY_FINDER}
        assert door.come_in("new").status_code == 303

    @pytest.mark.parametrize(
        ("claims", "heading"),
        [
            ({"email": "other@DOMAIN", "email_verified": False}, "Your account is not known to Concord"),
            ({"email": "other@DOMAIN"}, "Your account is not known to Concord"),
            ({}, "Your account is not known to Concord"),
            ({"email": "nobody@DOMAIN", "email_verified": True}, "Your account is not known to Concord"),
            ({"email": "other@elsewhere.example", "email_verified": True}, "That e-mail address is not your agency’s"),
        ],
    )
    def test_takes_up_no_invitation_otherwise(self, door: Door, claims: dict[str, Any], heading: str) -> None:
        door.invite("other", Role.FAMILY_FINDER)
        if "email" in claims:
            claims = {**claims, "email": claims["email"].replace("DOMAIN", door.domain)}
        door.provider.tell(other=claims)

        response = door.come_in("other")

        assert response.status_code == 403
        assert door.visitor.page
        assert door.visitor.page.heading == heading
        assert door.visitor.client.get_cookie(COOKIE, domain="127.0.0.1") is None

    def test_takes_up_nothing_of_another_agency(self, door: Door, factories: Factories) -> None:
        other = factories.tenant(factories.consortium())
        door.invite("shared", Role.FAMILY_FINDER, agency=other)
        door.provider.tell(shared={"email": f"shared@{door.domain}", "email_verified": True})

        assert door.come_in("shared").status_code == 403

    def test_keeps_what_the_provider_says_of_the_session(self, strict: Door, database_urls: DatabaseUrls) -> None:
        strict.come_in("known", second="yes")

        with psycopg.connect(libpq_url(database_urls.admin)) as admin:
            row = admin.execute(
                "SELECT provider_id, sid, acr, auth_time, second_step FROM sign_in_session WHERE digest = %s",
                (hashlib.sha256(strict.token().encode()).digest(),),
            ).fetchone()
        assert row
        assert row[0] == strict.provider_id
        assert row[1]
        assert row[2] == "second-step"
        assert utc_now() - row[3] < timedelta(minutes=1)
        assert row[4] is True


class TestRolesByClaim:
    def test_come_and_go_with_the_claim(self, door: Door) -> None:
        door.rule("family-finding", Role.FAMILY_FINDER)
        door.come_in("known", groups=["family-finding"])
        with_claim = door.roles()

        door.come_in("known", groups=["canteen"])

        assert Role.FAMILY_FINDER in with_claim
        assert Role.FAMILY_FINDER not in door.roles()

    def test_leave_those_that_were_given_by_hand(self, door: Door) -> None:
        door.rule("money", Role.FINANCE_OFFICER)

        door.come_in("known", groups=[])

        assert Role.ADMINISTRATOR in door.roles()

    def test_are_not_given_back_when_a_person_ended_them(self, door: Door) -> None:
        door.rule("family-finding", Role.FAMILY_FINDER)
        door.come_in("known", groups=["family-finding"])
        with door.database.transaction(OPERATOR) as session:
            session.execute(
                text("UPDATE appointment SET ends_on = current_date WHERE person_id = :person AND role = :role"),
                {"person": door.tenant.scope.person_id, "role": Role.FAMILY_FINDER},
            )

        door.come_in("known", groups=["family-finding"])

        assert Role.FAMILY_FINDER not in door.roles()


class TestSecondStep:
    def test_is_asked_of_the_provider(self, strict: Door) -> None:
        asked = parse_qs(urlsplit(strict.visitor.get(strict.start, base_url=strict.url).location).query)

        assert asked["acr_values"] == ["second-step"]
        assert asked["max_age"] == ["3600"]

    def test_lets_in_who_took_it(self, strict: Door) -> None:
        assert strict.come_in("known", second="yes").status_code == 303

    def test_turns_away_who_did_not(self, strict: Door) -> None:
        response = strict.come_in("known")

        assert response.status_code == 403
        assert strict.visitor.page
        assert strict.visitor.page.heading == "Your agency asks for a second step"
        again = strict.visitor.get(f"{strict.start}?afresh=yes", base_url=strict.url).location
        assert parse_qs(urlsplit(again).query)["prompt"] == ["login"]

    def test_is_not_enough_when_it_was_long_ago(self, strict: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        way = strict.answer("known", second="yes")
        monkeypatch.setattr("concord.web.sign_in.utc_now", lambda: utc_now() + timedelta(minutes=63))

        response = strict.visitor.get(way, base_url=strict.url)

        assert response.status_code == 400
        assert strict.visitor.page
        assert "too long ago" in strict.visitor.page.text

    def test_is_asked_of_whoever_comes_to_act_for_the_agency(self, door: Door) -> None:
        door.come_in("known")
        token = door.token()
        with psycopg.connect(libpq_url(door.urls.admin)) as admin:
            admin.execute("UPDATE identity_provider SET second_step = true WHERE id = %s", (door.provider_id,))

        with door.database.transaction(NOBODY) as session:
            found = find_session(session, token=token, now=utc_now())

        assert found is not None
        assert found.roles == frozenset()


class TestFalseAnswers:
    @pytest.mark.parametrize(
        "change",
        [{"state": "forged"}, {"code": "forged"}, {"iss": "https://evil.example"}, {"iss": ""}, {"code": "x" * 5000}],
    )
    def test_altered_on_the_way_are_refused(self, change: dict[str, str], door: Door) -> None:
        parts = urlsplit(door.answer("known"))
        facts = {name: values[0] for name, values in parse_qs(parts.query).items()}

        response = door.visitor.get(f"{parts.path}?{urlencode({**facts, **change})}", base_url=door.url)

        assert response.status_code == 400
        assert door.visitor.client.get_cookie(COOKIE, domain="127.0.0.1") is None

    def test_with_another_nonce_are_refused(self, door: Door) -> None:
        way = door.answer("known")
        with door.visitor.client.session_transaction(base_url=door.url) as kept:
            for name in [name for name in kept if name.startswith("_state_")]:
                kept[name] = {**kept[name], "data": {**kept[name]["data"], "nonce": "another"}}

        assert door.visitor.get(way, base_url=door.url).status_code == 400

    def test_for_another_provider_are_refused(self, door: Door) -> None:
        way = door.answer("known")

        response = door.visitor.get(f"/sign-in/answer/0123456789abcdef?{urlsplit(way).query}", base_url=door.url)

        assert response.status_code == 400

    def test_that_cancel_are_explained(self, door: Door) -> None:
        response = door.visitor.get(door.answer("known", cancel="yes"), base_url=door.url)

        assert response.status_code == 403
        assert door.visitor.page
        assert door.visitor.page.heading == "You did not sign in"


class TestClocks:
    """The provider's token is good for an hour from when it is made; the two clocks may be two minutes apart."""

    @pytest.mark.parametrize(("ahead", "status"), [(-100, 303), (-150, 400), (3700, 303), (3800, 400)])
    def test_may_differ_by_two_minutes(
        self, door: Door, ahead: int, status: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        way = door.answer("known")
        monkeypatch.setattr("joserfc._rfc7519.claims._generate_now", lambda: int(time.time()) + ahead)

        assert door.visitor.get(way, base_url=door.url).status_code == status


class TestKeys:
    def test_are_fetched_anew_when_the_provider_has_others(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        door.come_in("known")
        monkeypatch.setattr(openid, "_KEYS_SECONDS", 0)
        door.provider.stop()
        door.provider.start()

        assert door.come_in("known").status_code == 303


class TestAway:
    def test_is_said_both_ways(self, door: Door) -> None:
        way = door.answer("known")
        door.provider.stop()
        try:
            back = door.visitor.get(way, base_url=door.url).status_code
            door.forget()
            assert (door.visitor.get(door.start, base_url=door.url).status_code, back) == (503, 503)
            assert door.visitor.page
            assert door.visitor.page.heading == "The sign-in service is not available"
        finally:
            door.provider.start()


class TestSigningOut:
    def test_leads_to_the_provider_and_back(self, door: Door) -> None:
        door.come_in("known")
        page = door.visitor.get("/home", base_url=door.url)

        response = door.visitor.post("/sign-out", base_url=door.url)

        assert f"form-action 'self' {door.provider.issuer};" in page.headers["Content-Security-Policy"]
        assert response.location.startswith(f"{door.provider.issuer}/session/end?")
        assert "id_token_hint" in parse_qs(urlsplit(response.location).query)

    def test_at_the_provider_ends_the_session_here(self, door: Door) -> None:
        door.come_in("known")
        token = door.token()
        assert door.holds(token)

        door.leave_there()

        assert not door.holds(token)

    def test_at_the_provider_ends_no_other_session(self, door: Door) -> None:
        door.come_in("known")
        elsewhere = door.token()
        door.browser = requests.Session()
        door.visitor = Visitor(door.app)
        door.come_in("known")

        door.leave_there()

        assert door.holds(elsewhere)


class TestSwitchedOff:
    def test_service_lets_nobody_stay(self, door: Door) -> None:
        door.come_in("known")
        token = door.token()

        with door.database.transaction(door.host_scope) as session:
            switch_off(session, get_provider(session, door.provider_id), default_issuer=None)

        with door.database.transaction(NOBODY) as session:
            found = find_session(session, token=token, now=utc_now())
        assert found is not None
        assert found.roles == frozenset()
        assert door.visitor.get(door.start, base_url=door.url).status_code == 503


class TestOnlyWayIn:
    def test_keeps_out_who_came_by_the_sites_own_service(self, door: Door) -> None:
        visitor = Visitor(door.app)
        with door.database.transaction(NOBODY) as session:
            token = sign_in(session, issuer=ISSUER, subject=door.tenant.subject, now=utc_now()).token
        visitor.client.set_cookie(COOKIE, token, domain="127.0.0.1")
        before = visitor.get("/home", base_url=door.url).status_code

        with door.database.transaction(door.host_scope) as session:
            close_default(session, get_provider(session, door.provider_id))

        after = visitor.get("/home", base_url=door.url)
        assert (before, after.status_code, urlsplit(after.location).path) == (200, 303, "/acting")

    def test_vouches_for_no_operator(self, door: Door) -> None:
        with door.database.transaction(OPERATOR) as session:
            session.execute(
                text(
                    "INSERT INTO appointment (id, person_id, agency_id, role, starts_on) "
                    "VALUES (:id, :person, :agency, 'operator', '2020-01-01')"
                ),
                {"id": uuid4(), "person": door.tenant.scope.person_id, "agency": door.tenant.id},
            )

        door.come_in("known")

        assert Role.ADMINISTRATOR in door.roles()
        assert Role.OPERATOR not in door.roles()

    def test_vouches_for_its_own_agency_alone(self, door: Door, factories: Factories) -> None:
        other = factories.tenant(factories.consortium())
        with door.database.transaction(OPERATOR) as session:
            session.execute(
                text(
                    "INSERT INTO appointment (id, person_id, agency_id, role, starts_on) "
                    "VALUES (:id, :person, :agency, 'manager', '2020-01-01')"
                ),
                {"id": uuid4(), "person": door.tenant.scope.person_id, "agency": other.id},
            )

        door.come_in("known")

        door.visitor.get("/home", base_url=door.url)
        assert door.visitor.page
        assert f"Acting for {door.tenant.name}" in door.visitor.page.text
        response = door.visitor.get("/acting", base_url=door.url)
        assert response.status_code == 200
        choice = f"{other.id}:{other.scope.consortium_id}"
        assert door.visitor.post("/acting", {"choice": choice}, base_url=door.url).status_code == 403


@dataclass
class Door:
    """A site whose one provider is an agency's own, and a visitor before it."""

    app: Flask
    url: str
    database: Database
    tenant: Tenant
    provider: RealProvider
    domain: str
    provider_id: UUID
    host_scope: Scope
    visitor: Visitor
    browser: requests.Session
    urls: DatabaseUrls

    @property
    def start(self) -> str:
        """Return where this agency's people begin."""
        return f"/sign-in/with/{self.provider_id}"

    def answer(self, login: str, **choice: str) -> str:
        asked = self.visitor.get(self.start, base_url=self.url)
        assert asked.status_code == 302, asked.get_data(as_text=True)
        self.browser.cookies.clear()
        return come_back(self.browser, asked.location, site_url=self.url, login=login, **choice)

    def come_in(self, login: str, *, groups: list[str] | None = None, **choice: str) -> TestResponse:
        if groups is not None:
            self.provider.tell(**{login: {"groups": groups}})
        return self.visitor.get(self.answer(login, **choice), base_url=self.url)

    def leave_there(self) -> None:
        page = self.browser.get(f"{self.provider.issuer}/session/end", timeout=5).text
        xsrf = page.split('name="xsrf" value="')[1].split('"')[0]
        done = self.browser.post(
            f"{self.provider.issuer}/session/end/confirm", data={"xsrf": xsrf, "logout": "yes"}, timeout=5
        )
        assert done.ok

    def token(self) -> str:
        cookie = self.visitor.client.get_cookie(COOKIE, domain="127.0.0.1")
        assert cookie
        return cookie.value

    def holds(self, token: str) -> bool:
        with self.database.transaction(NOBODY) as session:
            return find_session(session, token=token, now=utc_now()) is not None

    def roles(self) -> set[Role]:
        with self.database.transaction(NOBODY) as session:
            found = find_session(session, token=self.token(), now=utc_now())
        assert found
        return set(found.roles)

    def forget(self) -> None:
        self.app.extensions["concord.openid"][1].clear()

    def invite(self, name: str, role: Role, *, agency: Tenant | None = None) -> None:
        """Invite an address at the agency's own domain."""
        with self.database.transaction(OPERATOR) as session:
            session.execute(
                text(
                    "INSERT INTO invitation (id, agency_id, email, name, roles, invited_at, expires_at) VALUES "
                    "(:id, :agency, :email, 'New Sample', ARRAY[:role], :now, :now + interval '7 days') "
                    "ON CONFLICT DO NOTHING"
                ),
                {
                    "id": uuid4(),
                    "agency": (agency or self.tenant).id,
                    "email": f"{name}@{self.domain}",
                    "role": role.value,
                    "now": utc_now(),
                },
            )

    def rule(self, value: str, role: Role) -> None:
        """Let a value of the claim “groups” stand for a role."""
        with self.database.transaction(self.host_scope) as session:
            set_role_rules(session, get_provider(session, self.provider_id), claim="groups", rules=[(value, role)])


@dataclass(frozen=True)
class Council:
    """An agency, its own provider running, and the site."""

    app: Flask
    url: str
    tenant: Tenant
    provider: RealProvider
    domain: str


@pytest.fixture(scope="module")
def council(database: Database, factories: Factories, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    url = f"http://127.0.0.1:{free_port()}"
    tenant = factories.tenant(factories.consortium(), roles=frozenset({Role.ADMINISTRATOR}))
    provider = RealProvider(url, tmp_path_factory.mktemp("accounts") / "accounts.json")
    mark = mark_of(tenant.id, provider.issuer)
    provider.paths = (f"/sign-in/answer/{mark}", f"/back-channel-logout/{mark}")
    domain = f"council-{uuid4().hex[:8]}.example"
    with database.transaction(replace(tenant.scope, person_id=None)) as session:
        named = add_domain(session, domain, now=utc_now()).id
    with database.transaction(OPERATOR) as session:
        confirm_domain(session, get_domain(session, named), now=utc_now())
    app = create_app(make_settings(site_url=url, issuer=None, demo=True), database)
    with running(app, port=port_of(url)), started(provider):
        yield Council(app, url, tenant, provider, domain)
    with database.transaction(replace(tenant.scope, person_id=None)) as session:
        for each in list_providers(session):
            switch_off(session, each, default_issuer=None)


Make = Callable[..., Door]


@pytest.fixture
def make_door(council: Council, database: Database, database_urls: DatabaseUrls) -> Make:
    def make(**facts: Any) -> Door:
        now, tenant, issuer = utc_now(), council.tenant, council.provider.issuer
        host = replace(tenant.scope, person_id=None)
        council.provider.tell(known={})
        with database.transaction(host) as session:
            connection: dict[str, Any] = {
                "name": "Council account",
                "issuer": issuer,
                "client_id": CLIENT_ID,
                "secret": SECRET,
            }
            provider_id = add_provider(session, **connection, scopes=["groups"], now=now, **facts).id
        with database.transaction(NOBODY) as session:
            person_id = tenant.scope.person_id
            assert person_id
            take_trial(session, provider_id=provider_id, person_id=person_id, subject="known", now=now)
        with database.transaction(host) as session:
            provider = get_provider(session, provider_id)
            switch_on(session, provider)
            close_default(session, provider, closed=False)
        return Door(
            app=council.app,
            url=council.url,
            database=database,
            tenant=tenant,
            provider=council.provider,
            domain=council.domain,
            provider_id=provider_id,
            host_scope=host,
            visitor=Visitor(council.app),
            browser=requests.Session(),
            urls=database_urls,
        )

    return make


@pytest.fixture
def door(make_door: Make) -> Door:
    return make_door()


@pytest.fixture
def strict(make_door: Make) -> Door:
    return make_door(second_step=True, acr_values=["second-step"], max_age_minutes=60)
