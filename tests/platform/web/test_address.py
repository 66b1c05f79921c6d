"""Whose address counts when proxies stand between: never the one that the asker made up."""

from __future__ import annotations

import doctest
import string

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from concord.web import address, create_app
from concord.web.address import install_proxies, read_address
from tests.site import make_settings

PROXY = "10.0.0.1"
FORGED = "6.6.6.6"


class TestInstallProxies:
    @pytest.mark.parametrize(
        ("proxies", "told", "expected"),
        [
            (0, FORGED, PROXY),
            (1, None, PROXY),
            (1, "192.0.2.7", "192.0.2.7"),
            (1, f"{FORGED}, 192.0.2.7", "192.0.2.7"),
            (1, f"{FORGED}, {FORGED},192.0.2.7:50123", "192.0.2.7"),
            (1, "[2001:db8::7]:443", "2001:db8::7"),
            (1, f"{FORGED}, unknown", PROXY),
            (1, "<script>", PROXY),
            (1, "", PROXY),
            (2, f"{FORGED}, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
            # The second proxy was asked by somebody who came past the first.
            (2, "192.0.2.7", PROXY),
        ],
    )
    def test_believes_as_many_as_there_are(self, proxies: int, told: str | None, expected: str) -> None:
        headers = {} if told is None else {"X-Forwarded-For": told}

        assert asked_from(proxies, headers) == expected

    @pytest.mark.parametrize("name", ["X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP"])
    def test_reads_no_other_header(self, name: str) -> None:
        assert asked_from(1, {name: f"for={FORGED}" if name == "Forwarded" else FORGED}) == PROXY

    def test_takes_neither_name_nor_scheme_from_a_proxy(self) -> None:
        client = create_app(make_settings(site_url="https://concord.example", proxies=1)).test_client()
        forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil"}

        answer = client.get("/signed-out", base_url="https://concord.example", headers=forged)
        elsewhere = client.get(
            "/signed-out", base_url="https://evil.example", headers={"X-Forwarded-Host": "concord.example"}
        )

        assert (answer.status_code, elsewhere.status_code) == (200, 421)
        assert "evil" not in answer.get_data(as_text=True)


class TestReadAddress:
    @given(st.text(alphabet=string.printable, max_size=60))
    def test_is_an_address_or_nothing(self, text: str) -> None:
        found = read_address(text)

        assert found is None or read_address(found) == found

    @given(st.ip_addresses())
    def test_reads_what_is_one(self, told: object) -> None:
        assert read_address(str(told)) == str(told)

    def test_is_as_it_says(self) -> None:
        assert doctest.testmod(address).failed == 0


def asked_from(proxies: int, headers: dict[str, str]) -> str | None:
    app = Flask(__name__)
    install_proxies(app, proxies)
    app.add_url_rule("/", view_func=lambda: request.remote_addr or "")
    return app.test_client().get("/", headers=headers, environ_base={"REMOTE_ADDR": PROXY}).get_data(as_text=True)
