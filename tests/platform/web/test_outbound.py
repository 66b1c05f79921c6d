from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from concord.web.outbound import (
    LONGEST_ANSWER,
    AddressRefused,
    OutboundSession,
    PinnedAdapter,
    checked_address,
    is_public,
    public_session,
)


class TestIsPublic:
    @pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
    def test_takes_what_is_on_the_internet(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
            *("255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1"),
            # Each wraps an address of one's own network: mapped, 6to4, NAT64, Teredo.
            *("::ffff:10.0.0.1", "2002:0a00:0001::", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "2001:0:a00:1::"),
            # By a local prefix of NAT64 (RFC 8215), translated, in the old compatible way; and site-local.
            *("64:ff9b:1::a00:1", "::ffff:0:10.0.0.1", "::10.0.0.1", "fec0::1"),
            *("", "localhost", "1", "0x7f.1"),
        ],
    )
    def test_refuses_all_else(self, address: str) -> None:
        assert not is_public(address)


class TestCheckedAddress:
    def test_is_the_one_to_connect_to(self) -> None:
        assert checked_address("https://id.example", resolve=lambda *_: ["93.184.216.34"]) == "93.184.216.34"

    @pytest.mark.parametrize(
        "url",
        [
            *("http://id.example", "ftp://id.example", "https://", "//id.example", "https:///x", "file:///etc/passwd"),
            *(
                "https://127.0.0.1",
                "https://[::1]",
                "https://169.254.169.254/latest",
                "https://2130706433",
                "https://0",
            ),
        ],
    )
    def test_refuses_other_schemes_and_bare_private_addresses(self, url: str) -> None:
        with pytest.raises(AddressRefused):
            checked_address(url)

    def test_refuses_a_name_of_which_any_address_is_private(self) -> None:
        with pytest.raises(AddressRefused, match="not on the public internet"):
            checked_address("https://id.example", resolve=lambda *_: ["93.184.216.34", "10.0.0.1"])

    def test_refuses_a_name_without_an_address(self) -> None:
        with pytest.raises(AddressRefused):
            checked_address("https://id.example", resolve=lambda *_: [])


class TestPublicSession:
    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "https://localhost:1"])
    def test_calls_nothing_of_ones_own(self, url: str) -> None:
        with public_session() as session, pytest.raises(AddressRefused):
            session.request("GET", url, withhold_token=True)


class TestPinnedAdapter:
    def test_connects_to_the_checked_address_under_the_name(self) -> None:
        asked = []

        def resolve(host: str, port: int) -> list[str]:
            # A name that means something else the second time it is asked.
            asked.append((host, port))
            return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

        request = requests.Request("GET", "https://id.example:8443/keys").prepare()
        host, pool = PinnedAdapter(resolve).build_connection_pool_key_attributes(request, verify=True)

        assert asked == [("id.example", 8443)]
        assert (host["host"], host["port"]) == ("93.184.216.34", 8443)
        assert (pool["server_hostname"], pool["assert_hostname"]) == ("id.example", "id.example")


class TestOutboundSession:
    def test_returns_the_whole_answer(self, elsewhere: str) -> None:
        with OutboundSession() as session:
            answer = session.request("GET", f"{elsewhere}/short", withhold_token=True)

        assert answer.json() == {"fine": True}

    @pytest.mark.parametrize("path", ["/away", "/long"])
    def test_follows_no_redirect_and_reads_no_long_answer(self, elsewhere: str, path: str) -> None:
        with OutboundSession() as session, pytest.raises(AddressRefused):
            session.request("GET", f"{elsewhere}{path}", withhold_token=True)

    @pytest.mark.parametrize("path", ["/drip-headers", "/drip-body"])
    def test_waits_for_no_answer_that_drips(self, elsewhere: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("concord.web.outbound.TIMEOUT_SECONDS", 0.4)
        began = time.monotonic()

        with OutboundSession() as session, pytest.raises(requests.RequestException):
            session.request("GET", f"{elsewhere}{path}", withhold_token=True)

        assert time.monotonic() - began < 2


class Elsewhere(BaseHTTPRequestHandler):
    """Answers shortly, with a redirect, at length, or a byte at a time, each sooner than a read waits for."""

    def do_GET(self) -> None:
        if self.path.startswith("/drip"):
            start = b"HTTP/1.1 200 OK\r\n" + (
                b"Content-Length: 100\r\n\r\n" if self.path == "/drip-body" else b"X-Long: "
            )
            self._drip(start)
            return
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(b"x" * (LONGEST_ANSWER + 1) if self.path == "/long" else b'{"fine": true}')

    def _drip(self, start: bytes) -> None:
        self.wfile.write(start)
        with suppress(OSError):
            for _ in range(40):
                self.wfile.write(b"x")
                time.sleep(0.1)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
