"""A program of an agency's: it has a client, gets a token and asks, as one outside would."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.test import TestResponse

from tenants.api_client import NewSecret, add_client
from tenants.api_scope import ApiScope
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Tenant

ROOT = "/api/v1"


class Program:
    """One client with a token, at a site."""

    def __init__(self, site: Flask, database: Database, tenant: Tenant, *scopes: str) -> None:
        self.tenant = tenant
        self.http = site.test_client()
        with database.transaction(tenant.scope) as session:
            self.made: NewSecret = add_client(session, name="Case system", scopes=scopes or ApiScope, now=utc_now())
        self.token = self.ask_token().json["access_token"]  # type: ignore[index]

    def ask_token(self, secret: str | None = None, **form: str) -> TestResponse:
        """Ask for a token with a secret."""
        return self.http.post(
            f"{ROOT}/token",
            data={"grant_type": "client_credentials", **form},
            auth=(str(self.made.client.id), secret or self.made.secret),
        )

    def get(self, path: str, **more: Any) -> TestResponse:
        """Read something."""
        return self.http.get(ROOT + path, **self._signed(more))

    def send(
        self, path: str, json: Any = None, *, key: str | None = None, method: str = "POST", **more: Any
    ) -> TestResponse:
        """Write something, under a key of its own where none is given."""
        signed = self._signed(more)
        signed["headers"]["Idempotency-Key"] = key or str(uuid4())
        if json is not None:
            signed["json"] = json
        return self.http.open(ROOT + path, method=method, **signed)

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Read a list to its end, a page at a time."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, query_string={**query, **cursor})
            assert page.status_code == 200, page.text
            assert page.json
            found += page.json["items"]
            if page.json["next"] is None:
                return found
            cursor = {"cursor": page.json["next"]}

    def _signed(self, more: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return {**more, "headers": headers}
