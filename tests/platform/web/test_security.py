from __future__ import annotations

import pytest
from flask import Flask
from flask_wtf.csrf import generate_csrf

from concord.web import create_app
from concord.web.security import origin
from tenants.database import Database
from tests.factories import Factories
from tests.site import Visitor, make_settings, nonce_of

PAGES = ["/", "/signed-out", "/no/such/page", "/home", "/health/live"]


class TestHeaders:
    @pytest.mark.parametrize("path", PAGES)
    def test_keep_the_page_to_itself(self, path: str, visitor: Visitor) -> None:
        headers = visitor.get(path).headers

        assert "default-src 'none'" in headers["Content-Security-Policy"]
        for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert directive in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"

    def test_let_no_other_site_read(self, visitor: Visitor) -> None:
        for path in ("/", "/api/v1/openapi.json"):
            headers = visitor.client.get(path, headers={"Origin": "https://elsewhere.example"}).headers

            assert not [name for name, _ in headers if name.startswith("Access-Control-")]
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"

    def test_are_on_every_answer_with_what_it_is_and_in_which_letters(self, visitor: Visitor) -> None:
        for path in ("/", "/static/site.css", "/static/site.js"):
            with visitor.client.get(path) as answer:
                assert answer.content_type.endswith("; charset=utf-8")
        assert visitor.client.get("/api/v1/openapi.json").content_type == "application/json"

    @pytest.mark.parametrize("path", ["/static/", "/static/vendor", "/static/../app.py", "/.git/config", "/docs/"])
    def test_are_all_that_an_address_without_a_page_gives(self, path: str, visitor: Visitor) -> None:
        assert visitor.get(path).status_code == 404

    @pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND"])
    def test_answer_no_other_method(self, method: str, visitor: Visitor) -> None:
        answer = visitor.client.open("/signed-out", method=method, headers={"X-Secret": "kept"})

        assert answer.status_code == 405
        assert b"kept" not in answer.data

    def test_carry_a_fresh_nonce_each_time(self, visitor: Visitor) -> None:
        assert nonce_of(visitor.get("/")) != nonce_of(visitor.get("/"))

    def test_ask_for_tls_where_there_is_tls(self) -> None:
        secure = Visitor(create_app(make_settings(site_url="https://concord.example")))
        plain = Visitor(create_app(make_settings()))

        over_tls = secure.get("/signed-out", base_url="https://concord.example")

        assert over_tls.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert "Strict-Transport-Security" not in plain.get("/signed-out").headers

    def test_let_a_browser_keep_what_has_a_fingerprint(self, visitor: Visitor) -> None:
        visitor.get("/")
        assert visitor.page
        address = next(link.get("href", "") for link in visitor.page.all("link") if "site.css" in link.get("href", ""))

        with visitor.client.get(address) as kept, visitor.client.get("/static/site.js") as asked_again:
            assert "immutable" in kept.headers["Cache-Control"]
            assert asked_again.headers["Cache-Control"] == "no-cache"


class TestCookies:
    def test_are_out_of_scripts_reach(self, site: Flask) -> None:
        app = site.test_client()

        cookies = app.get("/home").headers.getlist("Set-Cookie")

        assert cookies
        assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)

    def test_travel_over_tls_alone_where_there_is_tls(self) -> None:
        app = create_app(make_settings(site_url="https://concord.example")).test_client()

        cookies = app.get("/home", base_url="https://concord.example").headers.getlist("Set-Cookie")

        assert cookies
        assert all("Secure" in cookie and cookie.startswith("__Host-") for cookie in cookies)

    def test_are_signed_with_nothing_weaker_than_sha256(self, site: Flask) -> None:
        app = site.test_client()
        app.get("/home")
        cookie = app.get_cookie("concord-form")
        assert cookie

        # 32 bytes in base64 without padding; SHA-1 has 20.
        assert len(cookie.value.rpartition(".")[2]) == 43

    def test_guard_forms_by_a_token_signed_so_too(self, visitor: Visitor) -> None:
        visitor.get("/signed-out")
        with visitor.client.application.test_request_context():
            assert len(generate_csrf().rpartition(".")[2]) == 43


class TestClearing:
    def test_takes_what_was_shown_along_with_the_session(
        self, database: Database, factories: Factories, site: Flask
    ) -> None:
        visitor = Visitor(site).sign_in(database, factories.two_tenants()[0])
        visitor.get("/home")

        response = visitor.post("/sign-out")

        assert response.headers["Clear-Site-Data"] == '"cache", "storage"'


class TestAddress:
    def test_leads_one_loopback_name_to_the_other(self) -> None:
        client = create_app(make_settings(site_url="http://127.0.0.1:8000")).test_client()

        response = client.get("/signed-out?a=b", base_url="http://localhost:8000")

        assert response.location == "http://127.0.0.1:8000/signed-out?a=b"

    @pytest.mark.parametrize("host", ["evil.example", "localhost:9999", "127.0.0.1.evil.example:8000"])
    def test_answers_to_no_other_name(self, host: str) -> None:
        visitor = Visitor(create_app(make_settings(site_url="http://127.0.0.1:8000")))

        response = visitor.get("/signed-out", base_url=f"http://{host}")

        assert response.status_code == 421
        assert "Location" not in response.headers

    def test_lets_probes_use_any_name(self) -> None:
        client = create_app(make_settings()).test_client()

        assert client.get("/health/live", base_url="http://10.0.0.3:8000").status_code == 200


class TestOrigin:
    def test_is_scheme_host_and_port(self) -> None:
        assert origin("https://id.example:8443/realms/devon?x=1") == "https://id.example:8443"
