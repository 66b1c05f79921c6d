from __future__ import annotations

from typing import Any

import pytest

from concord.web import trace
from tests.site import Visitor


class TestRequestLog:
    def test_tells_the_route_and_not_the_path(self, visitor: Visitor, lines: list[dict[str, Any]]) -> None:
        visitor.get("/sign-in/answer?code=secret&state=secret")
        visitor.get("/Alder-Example")

        assert [line["route"] for line in lines] == ["/sign-in/answer", None]
        assert "secret" not in str(lines)
        assert "Alder" not in str(lines)

    def test_numbers_each_request_afresh(self, visitor: Visitor) -> None:
        first, second = (visitor.get("/health/live").headers["X-Request-Id"] for _ in range(2))

        assert first != second

    def test_takes_no_number_from_outside(self, visitor: Visitor) -> None:
        response = visitor.get("/health/live", headers={"X-Request-Id": "forged"})

        assert response.headers["X-Request-Id"] != "forged"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []

    class Log:
        def info(self, event: str, **facts: Any) -> None:
            written.append({"event": event, **facts})

    monkeypatch.setattr(trace, "_log", Log())
    return written
