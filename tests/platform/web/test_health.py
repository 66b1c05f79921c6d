from __future__ import annotations

import pytest

from concord.servers.login import DatabaseUrls
from concord.web import create_app, health
from tenants.database import Database
from tests.site import Visitor, make_settings


class TestLive:
    def test_answers_without_any_server(self) -> None:
        response = create_app(make_settings()).test_client().get("/health/live")

        assert (response.status_code, response.json) == (200, {"status": "live"})


class TestReady:
    def test_is_ready_when_both_answer(self, visitor: Visitor) -> None:
        response = visitor.get("/health/ready")

        assert (response.status_code, response.json) == (200, {"status": "ready", "away": []})

    def test_names_what_is_away_and_no_secret(self) -> None:
        response = create_app(make_settings()).test_client().get("/health/ready")

        assert (response.status_code, response.json) == (503, {"status": "not ready", "away": ["database", "queue"]})

    def test_waits_until_a_search_has_its_index(
        self, migrated: DatabaseUrls, database: Database, valkey_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = create_app(make_settings(database_url=migrated.app, valkey_url=valkey_url), database).test_client()

        with monkeypatch.context() as broken:
            broken.setattr(health, "searches_without_index", lambda _: ["household"])
            response = client.get("/health/ready")

        assert (response.status_code, response.json) == (503, {"status": "not ready", "away": ["search"]})
        assert client.get("/health/ready").status_code == 200
