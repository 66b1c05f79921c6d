from __future__ import annotations

from concord.web import create_app
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
