from __future__ import annotations

import pytest
from flask import Flask

from concord.web import create_app
from concord.web.security import origin
from tests.site import Visitor, make_settings, nonce_of

PAGES = ["/", "/signed-out", "/no/such/page", "/home", "/health/live"]


class TestHeaders:
    @pytest.mark.parametrize("path", PAGES)
    def test_keep_the_page_to_itself(self, path: str, visitor: Visitor) -> None:
        headers = visitor.get(path).headers

        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"

    def test_carry_a_fresh_nonce_each_time(self, visitor: Visitor) -> None:
        assert nonce_of(visitor.get("/")) != nonce_of(visitor.get("/"))

    def test_ask_for_tls_where_there_is_tls(self) -> None:
        secure = Visitor(create_app(make_settings(site_url="https://concord.example")))
        plain = Visitor(create_app(make_settings()))

        over_tls = secure.get("/signed-out", base_url="https://concord.example")

        assert "max-age" in over_tls.headers["Strict-Transport-Security"]
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
