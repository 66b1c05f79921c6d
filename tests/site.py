"""The site for tests: its application on the session's servers, and visitors who are signed in or not."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import TestResponse

from concord.provider.app import create_provider
from concord.provider.serve import Quiet
from concord.servers.port import free_port
from concord.web import create_app
from concord.web.settings import WebSettings
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import ISSUER, Tenant
from tests.page import Page

SITE_URL = "http://localhost"
NOWHERE = "http://127.0.0.1:1"
COOKIE = "concord"


def make_settings(
    *,
    database_url: str = "postgresql+psycopg://a:b@127.0.0.1:1/c",
    valkey_url: str = "redis://127.0.0.1:1/0",
    **others: Any,
) -> WebSettings:
    """Return settings of a site; without addresses nothing stands behind it."""
    facts: dict[str, Any] = {
        "site_url": SITE_URL,
        "secret_key": "a-key-for-cookies-in-tests-only!",
        "database_url": database_url,
        "scope_key": SCOPE_KEY,
        "master_key": MASTER_KEY,
        "valkey_url": valkey_url,
        "issuer": NOWHERE,
        "client_secret": "a-secret-for-tests",
    }
    return WebSettings(**{**facts, **others})


class Visitor:
    """Somebody at a browser without JavaScript: each page they see is checked."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.page: Page | None = None

    def sign_in(self, database: Database, tenant: Tenant) -> Visitor:
        """Sign in as the person of ``tenant``, past the provider."""
        with database.transaction(NOBODY) as session:
            token = sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token
        self.client.set_cookie(COOKIE, token)
        return self

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page."""
        return self._look(self.client.get(path, **kwargs))

    def post(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Send a form of the page last seen, with its token."""
        token = {"csrf_token": self.page.csrf_token()} if self.page else {}
        return self._look(self.client.post(path, data={**token, **(data or {})}, **kwargs))

    def _look(self, response: TestResponse) -> TestResponse:
        if response.mimetype == "text/html" and not 300 <= response.status_code < 400:
            self.page = Page(response.get_data(as_text=True))
            self.page.check(nonce=nonce_of(response))
        return response


def nonce_of(response: TestResponse) -> str:
    """Return the nonce that a response's policy lets scripts carry."""
    found = re.search(r"script-src 'nonce-([^']+)'", response.headers["Content-Security-Policy"])
    assert found, "no nonce in the policy"
    return found[1]


@contextmanager
def running(app: Flask, *, port: int = 0) -> Iterator[BaseWSGIServer]:
    """Serve an application on the loopback address while the block runs."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Place:
    """A site and the development provider beside it, both listening."""

    url: str
    issuer: str
    people_path: Path
    app: Flask


@contextmanager
def site_and_provider(
    database: Database, people_path: Path, *, valkey_url: str = "redis://127.0.0.1:1/0"
) -> Iterator[Place]:
    """Serve the site and its provider on free ports while the block runs."""
    url, issuer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    settings = make_settings(site_url=url, issuer=issuer, demo=True, valkey_url=valkey_url)
    app = create_app(settings, database)
    provider = create_provider(
        issuer=issuer,
        site_url=url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        people_path=people_path,
        demo=True,
    )
    with running(app, port=port_of(url)), running(provider, port=port_of(issuer)):
        yield Place(url, issuer, people_path, app)


def port_of(url: str) -> int:
    """Return the port of an address."""
    port = urlsplit(url).port
    assert port is not None
    return port


def write_people(path: Path, people: Iterable[tuple[str, str, str, Iterable[Role]]]) -> None:
    """Write the provider's file of people: subject, name, agency, roles."""
    rows = [
        {"subject": subject, "name": name, "email": f"{subject}@example.org", "agency": agency, "roles": list(roles)}
        for subject, name, agency, roles in people
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
