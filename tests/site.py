"""The site for tests: its application on the session's servers, and visitors who are signed in or not."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from concord.web.settings import WebSettings
from tenants.base import utc_now
from tenants.database import Database
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
