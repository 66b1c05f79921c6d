from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from io import BytesIO

import pytest
from flask import Flask
from psycopg_pool import PoolTimeout as DriverPoolTimeout
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import concord
import matching
import tenants
import workers
from concord.web import create_app
from concord.web import error as errors
from concord.web.access import public
from concord.web.error import STATUS, status_of
from tenants.error import Conflict, DomainError, Forbidden, Invalid, NotFound
from tenants.permission import NotAllowed
from tests.site import Visitor, make_settings

RUN_WHEN_IMPORTED = ("__main__", "migrations.env")


class TestStatusOf:
    def test_knows_every_error_of_the_domain(self) -> None:
        import_all()

        unmapped = [error for error in kinds_of(DomainError) if status_of(error) is None]

        assert unmapped == []

    def test_is_that_of_the_nearest_ancestor(self) -> None:
        class Closer(NotFound):
            """A kind of not being there."""

        assert status_of(Closer) == 404

    def test_leaves_the_root_to_be_a_fault(self) -> None:
        assert status_of(DomainError) is None

    def test_calls_nothing_unauthorised_a_success(self) -> None:
        assert all(400 <= status < 600 for status in STATUS.values())


class TestErrorPage:
    @pytest.mark.parametrize(
        ("error", "status", "words"),
        [
            (NotFound("There is no such household."), 404, "There is no such household."),
            (Forbidden("Your role does not let you."), 403, "Your role does not let you."),
            (Conflict("The link has ended."), 409, "The link has ended."),
            (Invalid("Row 3: no date."), 422, "Row 3: no date."),
            (OperationalError("SELECT name", {}, Exception("secret")), 503, "database does not answer"),
            (PoolTimeout("no connection"), 503, "database does not answer"),
            (DriverPoolTimeout("no connection"), 503, "database does not answer"),
            (ZeroDivisionError("secret"), 500, "there is a problem with the service"),
            (DomainError("unheard of"), 500, "unheard of"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
    )
    def test_says_what_happened(self, failing: Failing, error: Exception, status: int, words: str) -> None:
        failing.error = error

        response = failing.visitor.get("/fails")

        assert response.status_code == status
        assert failing.visitor.page
        assert words in failing.visitor.page.text

    def test_is_in_the_log_with_the_address_where_access_was_refused(
        self, failing: Failing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[dict[str, object]] = []
        monkeypatch.setattr(errors._log, "warning", lambda event, **facts: told.append({"event": event, **facts}))
        failing.error = NotAllowed("Your role does not let you.")

        failing.visitor.get("/fails", environ_base={"REMOTE_ADDR": "192.0.2.7"})

        assert told == [{"event": "access refused", "kind": "NotAllowed", "address": "192.0.2.7"}]

    def test_tells_no_secret_of_a_fault(self, failing: Failing) -> None:
        failing.error = OperationalError("SELECT name FROM household_identity", {"name": "Alder"}, Exception("secret"))

        body = failing.visitor.get("/fails").get_data(as_text=True)

        assert "household_identity" not in body
        assert "Alder" not in body
        assert "secret" not in body

    def test_shows_the_reference_that_the_header_carries(self, failing: Failing) -> None:
        failing.error = ValueError("broken")

        response = failing.visitor.get("/fails", headers={"X-Request-Id": "chosen-outside"})

        assert failing.visitor.page
        assert f"Reference: {response.headers['X-Request-Id']}" in failing.visitor.page.text
        assert "chosen-outside" not in response.headers["X-Request-Id"]

    def test_is_shown_for_an_address_that_there_is_not(self, failing: Failing) -> None:
        response = failing.visitor.get("/no/such/page")

        assert response.status_code == 404
        assert failing.visitor.page
        assert failing.visitor.page.heading == "Page not found"

    def test_keeps_the_markup_of_an_error_inert(self, failing: Failing) -> None:
        failing.error = NotFound("There is no “<script>alert(1)</script>”.")

        failing.visitor.get("/fails")

        assert failing.visitor.page
        assert "<script>alert(1)</script>" in failing.visitor.page.text

    def test_is_shown_for_a_form_without_its_token(self, failing: Failing) -> None:
        response = failing.visitor.post("/takes")

        assert response.status_code == 400
        assert failing.visitor.page
        assert failing.visitor.page.heading == "This form can no longer be sent"

    def test_is_shown_for_too_large_a_body(self, failing: Failing) -> None:
        response = failing.visitor.post("/takes", {"sheet": (large_file(), "sheet.csv")})

        assert response.status_code == 413
        assert failing.visitor.page
        assert failing.visitor.page.heading == "That file is too large"

    def test_is_shown_for_a_way_of_asking_that_there_is_not(self, failing: Failing) -> None:
        assert failing.visitor.client.delete("/fails").status_code == 405


class Failing:
    """A site with a page that fails as it is told to."""

    def __init__(self) -> None:
        self.error: Exception = NotFound("nothing")
        self.app: Flask = create_app(make_settings(upload_bytes=2000))
        self.app.add_url_rule("/fails", view_func=public(lambda: self._fail()), endpoint="fails")
        self.app.add_url_rule("/takes", view_func=public(lambda: "taken"), endpoint="takes", methods=["POST"])
        self.visitor = Visitor(self.app)

    def _fail(self) -> str:
        raise self.error


@pytest.fixture
def failing() -> Failing:
    return Failing()


def kinds_of(error: type[DomainError]) -> Iterator[type[DomainError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def import_all() -> None:
    """Import every module, so that every kind of error is known."""
    for package in (tenants, matching, workers, concord):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(RUN_WHEN_IMPORTED):
                importlib.import_module(module.name)


def large_file() -> BytesIO:
    return BytesIO(b"x" * 3000)
