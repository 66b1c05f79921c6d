from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis.strategies import text as text_of_any_kind
from sqlalchemy import text
from werkzeug.test import TestResponse

from concord.web import create_app
from concord.web.sign_in import local_page
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR
from tenants.sign_in import find_session
from tests.factories import Factories, Tenant
from tests.site import COOKIE, Place, Visitor, make_settings, site_and_provider, write_people


class TestSigningIn:
    def test_lets_in_whom_an_agency_has_invited(self, door: Door) -> None:
        door.come_in("known")

        door.visitor.get("/home", base_url=door.place.url)
        assert door.visitor.page
        assert "Sam Sample" in door.visitor.page.text
        assert f"Acting for {door.tenant.name}" in door.visitor.page.text

    def test_turns_away_whom_nobody_has_invited(self, door: Door) -> None:
        response = door.come_in("stranger")

        assert response.status_code == 403
        assert door.visitor.page
        assert door.visitor.page.heading == "Your account is not known to Concord"
        assert "administrator" in door.visitor.page.text
        assert door.visitor.client.get_cookie(COOKIE) is None

    def test_asks_the_provider_for_a_proof_of_its_own(self, door: Door) -> None:
        asked = parse_qs(urlsplit(door.visitor.get("/sign-in", base_url=door.place.url).location).query)

        assert asked["response_type"] == ["code"]
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["redirect_uri"] == [f"{door.place.url}/sign-in/answer"]
        assert {"state", "nonce", "code_challenge"} <= asked.keys()

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_is_begun_by_the_person_and_by_no_other_sites_page(self, site: str, door: Door) -> None:
        """Whoever is signed in at the provider would otherwise come back with a session that they never asked for."""
        led = door.visitor.get("/sign-in", base_url=door.place.url, headers={"Sec-Fetch-Site": site})
        own = door.visitor.get("/sign-in", base_url=door.place.url, headers={"Sec-Fetch-Site": "same-origin"})

        assert (led.status_code, led.location) == (303, "/")
        assert own.location.startswith(door.place.issuer)

    def test_asks_the_sites_own_provider_for_a_second_step_where_a_setting_says_so(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings, _ = door.place.app.extensions["concord.openid"]
        asking = replace(settings, second_step=True, acr_values=("strong",))
        monkeypatch.setitem(door.place.app.extensions, "concord.openid", (asking, {}))

        asked = parse_qs(urlsplit(door.visitor.get("/sign-in", base_url=door.place.url).location).query)
        refused = door.come_in("known")

        assert asked["acr_values"] == ["strong"]
        assert refused.status_code == 403
        assert "did not say that you took a second step" in refused.get_data(as_text=True)

    def test_gives_a_cookie_that_holds_a_token_alone(self, door: Door, database: Database) -> None:
        door.come_in("known")

        token = door.token()
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
        with database.transaction(NOBODY) as session:
            found = find_session(session, token=token, now=utc_now())
        assert found is not None
        assert found.person_id == door.tenant.scope.person_id

    def test_takes_a_new_token_each_time_and_ends_the_old(self, door: Door, database: Database) -> None:
        door.come_in("known")
        first = door.token()

        door.come_in("known")

        assert door.token() != first
        assert ended(database, first)

    def test_goes_on_to_the_page_that_was_asked_for(self, door: Door) -> None:
        door.visitor.get("/acting?x=1", base_url=door.place.url)

        assert urlsplit(door.come_in("known").location).path == "/acting"

    @pytest.mark.parametrize(
        "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
    )
    def test_goes_on_to_no_other_site(self, address: str, door: Door) -> None:
        door.visitor.get("/sign-in", base_url=door.place.url)
        with door.visitor.client.session_transaction(base_url=door.place.url) as kept:
            kept["next"] = address

        assert door.come_in("known").location == "/home"


class TestLocalPage:
    @given(text_of_any_kind(alphabet="/\\:.@?#&=%\t\r\n\0 aé", max_size=12))
    def test_leads_to_this_site_alone(self, address: str) -> None:
        found = local_page(address)

        as_a_browser_reads_it = (found or "/").replace("\\", "/")
        assert urlsplit(urljoin("http://site.example", as_a_browser_reads_it)).netloc == "site.example"

    @pytest.mark.parametrize(
        "address", ["/home", "/groups/G-3QX8ZA?page=2&sort=waiting", "/a//b", "/x?to=http://evil.example"]
    )
    def test_lets_pages_of_this_site_through(self, address: str) -> None:
        assert local_page(address) == address


class TestFalseAnswers:
    def test_without_a_beginning_are_refused(self, door: Door) -> None:
        forged = urlencode({"code": "a", "state": "b", "iss": door.place.issuer})

        response = door.visitor.get(f"/sign-in/answer?{forged}", base_url=door.place.url)

        assert response.status_code == 400
        assert door.visitor.page
        assert "begun in another window" in door.visitor.page.text

    def test_meant_for_another_browser_are_refused(self, door: Door) -> None:
        other = Visitor(door.place.app)
        location = door.choose("known")

        response = other.get(location, base_url=door.place.url)

        assert response.status_code == 400
        assert other.client.get_cookie(COOKIE) is None

    def test_cannot_be_used_twice(self, door: Door) -> None:
        location = door.choose("known")
        door.visitor.get(location, base_url=door.place.url)
        door.visitor.client.delete_cookie(COOKIE)

        response = door.visitor.get(location, base_url=door.place.url)

        assert response.status_code == 400
        assert door.visitor.client.get_cookie(COOKIE) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"state": "forged"},
            {"code": "forged"},
            {"code": ""},
            {"iss": "https://evil.example"},
            {"iss": ""},
            {"code": "x" * 5000},
        ],
    )
    def test_altered_on_the_way_are_refused(self, change: dict[str, str], door: Door) -> None:
        parts = urlsplit(door.choose("known"))
        facts = {name: values[0] for name, values in parse_qs(parts.query).items()}

        response = door.visitor.get(f"{parts.path}?{urlencode({**facts, **change})}", base_url=door.place.url)

        assert response.status_code == 400
        assert door.visitor.page
        assert door.visitor.page.heading == "You are not signed in"
        assert door.visitor.client.get_cookie(COOKIE) is None

    def test_without_their_issuer_are_refused(self, door: Door) -> None:
        parts = urlsplit(door.choose("known"))
        facts = {name: values[0] for name, values in parse_qs(parts.query).items() if name != "iss"}

        assert door.visitor.get(f"{parts.path}?{urlencode(facts)}", base_url=door.place.url).status_code == 400

    def test_that_say_no_are_explained(self, door: Door) -> None:
        response = door.visitor.get(door.choose(None), base_url=door.place.url)

        assert response.status_code == 403
        assert door.visitor.page
        assert door.visitor.page.heading == "You did not sign in"
        assert "Sign in" in door.visitor.page.links()


class TestProviderAway:
    def test_is_said_at_the_start(self, database: Database) -> None:
        visitor = Visitor(create_app(make_settings(), database))

        response = visitor.get("/sign-in/with/default")

        assert response.status_code == 503
        assert visitor.page
        assert visitor.page.heading == "The sign-in service is not available"

    def test_is_said_where_none_was_set_up(self, database: Database) -> None:
        visitor = Visitor(create_app(make_settings(issuer=None), database))

        response = visitor.get("/sign-in/with/default")

        assert response.status_code == 503
        assert visitor.page
        assert "No sign-in service has been set up" in visitor.page.text

    def test_is_said_on_the_way_back(self, database: Database, people_path: Path) -> None:
        with site_and_provider(database, people_path) as place:
            door = Door(place, Visitor(place.app), None)
            location = door.choose("known")

        response = door.visitor.get(location, base_url=place.url)

        assert response.status_code == 503


class TestDatabaseAway:
    def test_is_said_on_a_page(self) -> None:
        visitor = Visitor(create_app(make_settings()))
        visitor.client.set_cookie(COOKIE, "a-token")

        response = visitor.get("/home")

        assert response.status_code == 503
        assert visitor.page
        assert "database does not answer" in visitor.page.text


class TestSigningOut:
    def test_ends_the_session_here_and_at_the_provider(self, door: Door, database: Database) -> None:
        door.come_in("known")
        token = door.token()
        door.visitor.get("/home", base_url=door.place.url)

        response = door.visitor.post("/sign-out", base_url=door.place.url)

        assert ended(database, token)
        assert door.visitor.client.get_cookie(COOKIE) is None
        parts = urlsplit(response.location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{door.place.issuer}/end-session"
        assert "id_token_hint" in parse_qs(parts.query)
        back = requests.get(response.location, timeout=5, allow_redirects=False)
        assert back.headers["Location"] == f"{door.place.url}/signed-out"

    def test_at_the_provider_ends_the_session_here(self, door: Door, database: Database) -> None:
        door.come_in("known")
        with door.visitor.client.session_transaction(base_url=door.place.url) as kept:
            hint = {"id_token_hint": kept["id_token"], "client_id": "concord"}

        requests.get(f"{door.place.issuer}/end-session", params=hint, timeout=5)

        assert ended(database, door.token())

    def test_needs_the_forms_token(self, door: Door, database: Database) -> None:
        door.come_in("known")

        response = door.visitor.client.post("/sign-out", base_url=door.place.url)

        assert response.status_code == 400
        assert not ended(database, door.token())

    def test_leaves_nothing_that_a_kept_cookie_opens(self, door: Door) -> None:
        door.come_in("known")
        token = door.token()
        door.visitor.get("/home", base_url=door.place.url)
        door.visitor.post("/sign-out", base_url=door.place.url)

        door.visitor.client.set_cookie(COOKIE, token, domain="127.0.0.1")

        assert door.visitor.get("/home", base_url=door.place.url).location == "/"

    def test_lands_on_its_page_where_no_provider_answers(
        self, visit_as: Callable[[Tenant], Visitor], factories: Factories
    ) -> None:
        visitor = visit_as(factories.tenant(factories.consortium()))
        visitor.get("/home")

        assert visitor.post("/sign-out").location == "/signed-out"


class Door:
    """The site's door: a visitor before it, the provider beside it, and somebody whom an agency has invited."""

    def __init__(self, place: Place, visitor: Visitor, tenant: Tenant | None) -> None:
        self.place = place
        self.visitor = visitor
        self._tenant = tenant

    @property
    def tenant(self) -> Tenant:
        assert self._tenant
        return self._tenant

    def choose(self, subject: str | None) -> str:
        """Choose a person at the provider, or cancel; return the way back to the site."""
        asked = self.visitor.get("/sign-in", base_url=self.place.url).location
        with requests.Session() as browser:
            page = browser.get(asked, timeout=5).text
            token = re.search(r'name="csrf_token" value="([^"]+)"', page)
            assert token
            choice = {"subject": subject} if subject else {"cancel": "yes"}
            answer = browser.post(asked, data={**choice, "csrf_token": token[1]}, timeout=5, allow_redirects=False)
        parts = urlsplit(answer.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def come_in(self, subject: str) -> TestResponse:
        """Sign in as somebody."""
        return self.visitor.get(self.choose(subject), base_url=self.place.url)

    def token(self) -> str:
        """Return the token that the visitor's browser holds."""
        cookie = self.visitor.client.get_cookie(COOKIE, domain="127.0.0.1")
        assert cookie
        return cookie.value


def ended(database: Database, token: str) -> bool:
    with database.transaction(NOBODY) as session:
        return find_session(session, token=token, now=utc_now()) is None


@pytest.fixture(scope="module")
def place(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    path = tmp_path_factory.mktemp("people") / "people.json"
    write_people(path, [("known", "Sam Sample", "Devon", [Role.MANAGER]), ("stranger", "Else Sample", "Devon", [])])
    with site_and_provider(database, path) as place:
        yield place


@pytest.fixture(scope="module")
def known(place: Place, database: Database, factories: Factories) -> Tenant:
    tenant = factories.tenant(factories.consortium())
    with database.transaction(OPERATOR) as session:
        session.execute(
            text("INSERT INTO person_identity (issuer, subject, person_id) VALUES (:issuer, 'known', :person)"),
            {"issuer": place.issuer, "person": tenant.scope.person_id},
        )
    return tenant


@pytest.fixture
def door(place: Place, known: Tenant) -> Door:
    return Door(place, Visitor(place.app), known)


@pytest.fixture
def people_path(tmp_path: Path) -> Path:
    path = tmp_path / "people.json"
    write_people(path, [("known", "Sam Sample", "Devon", [Role.MANAGER])])
    return path
