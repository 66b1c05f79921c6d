from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from concord.provider.app import ProviderRefused, create_provider
from tests.site import Visitor

ISSUER = "http://localhost"
SITE = "http://127.0.0.1:8000"
CALLBACK = f"{SITE}/sign-in/answer"
VERIFIER = "a-verifier-for-tests-that-is-long-enough-to-be-one"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REQUEST = {
    "response_type": "code",
    "client_id": "concord",
    "redirect_uri": CALLBACK,
    "scope": "openid",
    "state": "a-state",
    "nonce": "a-nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
SECRET = "a-secret"


class TestCreateProvider:
    def test_refuses_outside_demo_mode(self, people_path: Path) -> None:
        with pytest.raises(ProviderRefused, match="demo mode"):
            make(people_path, demo=False)

    @pytest.mark.parametrize(
        ("issuer", "site_url"),
        [("http://id.example", SITE), (ISSUER, "https://concord.example"), ("http://0.0.0.0:1", SITE)],
    )
    def test_refuses_to_serve_another_machine(self, issuer: str, site_url: str, people_path: Path) -> None:
        with pytest.raises(ProviderRefused, match=r"127\.0\.0\.1"):
            make(people_path, issuer=issuer, site_url=site_url)

    def test_names_its_cookies_apart_from_the_sites(self, provider: Visitor) -> None:
        cookies = provider.get("/authorize", query_string=REQUEST).headers.getlist("Set-Cookie")

        assert [cookie.split("=")[0] for cookie in cookies] == ["concord-provider"]


class TestMetadata:
    def test_promises_what_it_does(self, provider: Visitor) -> None:
        metadata = provider.get("/.well-known/openid-configuration").json

        assert metadata
        assert metadata["issuer"] == ISSUER
        assert metadata["code_challenge_methods_supported"] == ["S256"]
        assert metadata["authorization_response_iss_parameter_supported"] is True

    def test_shows_no_private_key(self, provider: Visitor) -> None:
        keys = provider.get("/keys").json

        assert keys
        assert {"d", "p", "q"}.isdisjoint(keys["keys"][0])


class TestChoose:
    def test_offers_the_people_by_agency(self, provider: Visitor) -> None:
        provider.get("/authorize", query_string=REQUEST)

        assert provider.page
        assert [heading.text for heading in provider.page.all("h3")] == ["Devon", "Torbay"]
        assert "Cleo Sample" in provider.page.text
        ids = {f"#{element.get('id')}" for element in provider.page.all("h3")}
        links = provider.page.links()
        assert {links["Devon"], links["Torbay"]} == ids

    def test_offers_somebody_of_each_role_with_pages_first(self, provider: Visitor) -> None:
        provider.get("/authorize", query_string=REQUEST)

        assert provider.page
        buttons = [" ".join("".join(button.itertext()).split()) for button in provider.page.all("button")]
        assert buttons[:4] == ["Start as Ash Sample", "Start as Cleo Sample", "Start as Bryn Sample", "Cancel"]
        assert "Sign in as Ash Sample" in buttons[4:]

    @pytest.mark.parametrize(
        "change",
        [
            {"client_id": "another"},
            {"redirect_uri": "https://evil.example/"},
            {"redirect_uri": f"{CALLBACK}/../steal"},
            {"redirect_uri": ""},
        ],
    )
    def test_leads_nowhere_for_a_stranger(self, change: dict[str, str], provider: Visitor) -> None:
        response = provider.get("/authorize", query_string={**REQUEST, **change})

        assert response.status_code == 400
        assert "Location" not in response.headers

    @pytest.mark.parametrize(
        "change",
        [{"code_challenge": ""}, {"code_challenge_method": "plain"}, {"code_challenge_method": ""}, {"nonce": ""}],
    )
    def test_insists_on_a_challenge_and_a_nonce(self, change: dict[str, str], provider: Visitor) -> None:
        response = provider.get("/authorize", query_string={**REQUEST, **change})

        assert answer_of(response)["error"] == ["invalid_request"]


class TestAnswer:
    def test_sends_code_state_and_issuer_back(self, provider: Visitor) -> None:
        answer = choose(provider, "ash")

        assert answer["state"] == ["a-state"]
        assert answer["iss"] == [ISSUER]
        assert "code" in answer

    def test_says_that_the_person_gave_up(self, provider: Visitor) -> None:
        provider.get("/authorize", query_string=REQUEST)

        response = provider.post("/authorize", {"cancel": "yes"}, query_string=REQUEST)

        assert answer_of(response)["error"] == ["access_denied"]
        assert answer_of(response)["iss"] == [ISSUER]

    def test_knows_nobody_else(self, provider: Visitor) -> None:
        provider.get("/authorize", query_string=REQUEST)

        assert provider.post("/authorize", {"subject": "mallory"}, query_string=REQUEST).status_code == 404

    def test_takes_no_form_from_elsewhere(self, provider: Visitor) -> None:
        response = provider.client.post("/authorize", data={"subject": "ash"}, query_string=REQUEST)

        assert response.status_code == 400


class TestToken:
    def test_signs_who_it_is_for_whom(self, provider: Visitor) -> None:
        answer = change_code(provider, choose(provider, "ash")["code"][0]).json
        published = provider.get("/keys").json

        assert answer
        assert published
        keys = KeySet.import_key_set({"keys": published["keys"]})
        claims = jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims
        assert (claims["iss"], claims["aud"], claims["sub"], claims["nonce"]) == (ISSUER, ["concord"], "ash", "a-nonce")

    def test_names_nobody_beyond_what_was_asked(self, provider: Visitor) -> None:
        answer = change_code(provider, choose(provider, "ash")["code"][0]).json

        assert answer
        payload = answer["id_token"].split(".")[1]
        assert "Ash" not in base64.urlsafe_b64decode(f"{payload}==").decode()

    def test_takes_a_code_once(self, provider: Visitor) -> None:
        code = choose(provider, "ash")["code"][0]
        change_code(provider, code)

        assert change_code(provider, code).status_code == 400

    @pytest.mark.parametrize(
        "change",
        [
            {"code": "invented"},
            {"code_verifier": "another-verifier-that-is-also-long-enough-to-pass"},
            {"code_verifier": ""},
            {"client_secret": "wrong"},
            {"client_secret": ""},
            {"client_id": "another"},
            {"redirect_uri": "https://evil.example/"},
            {"grant_type": "password"},
        ],
    )
    def test_gives_nothing_for_less(self, change: dict[str, str], provider: Visitor) -> None:
        response = change_code(provider, choose(provider, "ash")["code"][0], **change)

        assert response.status_code in (400, 401)
        assert "access_token" not in response.get_data(as_text=True)


class TestSecondStep:
    @pytest.mark.parametrize(("said", "methods"), [({"second_step": "yes"}, ["mfa"]), ({}, None)])
    def test_is_vouched_for_when_it_is_acted(
        self, provider: Visitor, said: dict[str, str], methods: list[str] | None
    ) -> None:
        provider.get("/authorize", query_string=REQUEST)
        answer = answer_of(provider.post("/authorize", {"subject": "ash", **said}, query_string=REQUEST))

        token = change_code(provider, answer["code"][0]).json

        assert token
        body = token["id_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        assert claims.get("amr") == methods
        assert claims["sid"]


class TestUserinfo:
    def test_tells_the_holder_of_a_token(self, provider: Visitor) -> None:
        answer = change_code(provider, choose(provider, "ash", scope="openid profile email")["code"][0]).json

        assert answer
        told = provider.get("/userinfo", headers={"Authorization": f"Bearer {answer['access_token']}"})
        assert told.json == {"sub": "ash", "name": "Ash Sample", "email": "ash@example.org", "email_verified": True}

    def test_tells_nobody_else(self, provider: Visitor) -> None:
        assert provider.get("/userinfo").status_code == 401
        assert provider.get("/userinfo", headers={"Authorization": "Bearer invented"}).status_code == 401


class TestLeave:
    def test_ends_the_tokens_and_leads_back(self, provider: Visitor) -> None:
        answer = change_code(provider, choose(provider, "ash")["code"][0]).json
        assert answer
        hint = {"id_token_hint": answer["id_token"], "post_logout_redirect_uri": f"{SITE}/signed-out"}

        response = provider.get("/end-session", query_string={**hint, "client_id": "concord"})

        assert response.location == f"{SITE}/signed-out"
        told = provider.get("/userinfo", headers={"Authorization": f"Bearer {answer['access_token']}"})
        assert told.status_code == 401

    @pytest.mark.parametrize("address", ["https://evil.example/", f"{SITE}/signed-out?next=//evil.example"])
    def test_leads_nowhere_else(self, address: str, provider: Visitor) -> None:
        answer = change_code(provider, choose(provider, "ash")["code"][0]).json
        assert answer

        response = provider.get(
            "/end-session",
            query_string={
                "id_token_hint": answer["id_token"],
                "post_logout_redirect_uri": address,
                "client_id": "concord",
            },
        )

        assert response.status_code == 200
        assert "Location" not in response.headers

    @pytest.mark.parametrize("hint", ["", "nonsense", "a.b.c"])
    def test_does_nothing_on_a_false_word(self, hint: str, provider: Visitor) -> None:
        address = {"id_token_hint": hint, "post_logout_redirect_uri": f"{SITE}/signed-out"}

        assert "Location" not in provider.get("/end-session", query_string=address).headers


def make(people_path: Path, *, issuer: str = ISSUER, site_url: str = SITE, demo: bool = True) -> Visitor:
    return Visitor(
        create_provider(
            issuer=issuer,
            site_url=site_url,
            client_id="concord",
            client_secret=SECRET,
            people_path=people_path,
            demo=demo,
        )
    )


def choose(provider: Visitor, subject: str, **change: str) -> dict[str, list[str]]:
    asked = {**REQUEST, **change}
    provider.get("/authorize", query_string=asked)
    return answer_of(provider.post("/authorize", {"subject": subject}, query_string=asked))


def change_code(provider: Visitor, good_code: str, /, **change: str) -> TestResponse:
    facts = {
        "grant_type": "authorization_code",
        "code": good_code,
        "redirect_uri": CALLBACK,
        "client_id": "concord",
        "client_secret": SECRET,
        "code_verifier": VERIFIER,
    }
    return provider.client.post("/token", data={**facts, **change})


def answer_of(response: TestResponse) -> dict[str, list[str]]:
    location = response.headers["Location"]
    assert location.startswith(CALLBACK)
    return parse_qs(urlsplit(location).query)


@pytest.fixture
def provider(people_path: Path) -> Visitor:
    return make(people_path)
