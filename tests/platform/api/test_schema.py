"""The description is valid, says what each operation needs, and holds whatever a program sends."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from concord.api.app import OPERATIONS
from concord.api.spec import describe_api
from tenants.database import Database
from tests.factories import Factories
from tests.platform.api.census import API_CENSUS
from tests.platform.api.fuzzing import fuzz
from tests.platform.api.program import ROOT, Program

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return describe_api(OPERATIONS)


@pytest.fixture(scope="module")
def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [item[method] for item in described["paths"].values() for method in METHODS & item.keys()]


class TestDescription:
    def test_is_valid(self, described: dict[str, Any]) -> None:
        assert described["openapi"].startswith("3.1")
        # Imported here, where it is needed: it reads grammars for seconds, in every process that collects tests.
        from openapi_spec_validator import validate

        validate(described)

    def test_holds_every_operation(self, operations: list[dict[str, Any]]) -> None:
        assert len(operations) == sum(access != "anyone" for access in API_CENSUS.values())

    def test_says_of_each_what_it_needs(self, operations: list[dict[str, Any]]) -> None:
        for each in operations:
            assert each["security"], each["operationId"]
            assert each["summary"], each["operationId"]
            assert {"401", "403", "422", "429", "500"} <= each["responses"].keys()

    def test_names_its_operations_apart(self, operations: list[dict[str, Any]]) -> None:
        assert len({each["operationId"] for each in operations}) == len(operations)

    def test_gives_an_example_of_every_body_and_error(
        self, described: dict[str, Any], operations: list[dict[str, Any]]
    ) -> None:
        bodies = [each["requestBody"]["content"] for each in operations if "requestBody" in each]

        assert all("example" in body["application/json"] for body in bodies if "application/json" in body)
        for name, problem in described["components"]["responses"].items():
            assert "example" in problem["content"]["application/problem+json"], name

    def test_is_served_with_a_page_that_needs_no_other_site(self, api_site: Flask) -> None:
        visitor = api_site.test_client()

        served = visitor.get(f"{ROOT}/openapi.json")
        page = visitor.get(f"{ROOT}/docs")

        assert (served.status_code, served.json and served.json["info"]["title"]) == (200, "Concord")
        assert page.status_code == 200
        assert "https://" not in page.text
        for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
            with visitor.get(f"{ROOT}/docs/{name}") as file:
                assert file.status_code == 200
        assert visitor.get(f"{ROOT}/docs/index.html").status_code == 404


class TestOperations:
    def test_hold_the_description_whatever_is_sent(
        self, api_site: Flask, database: Database, factories: Factories
    ) -> None:
        ours, theirs = factories.two_tenants()
        factories.group(ours)
        factories.household(theirs)
        program = Program(api_site, database, ours)

        report = fuzz(api_site, program.token, examples=2)

        assert report.failures == []
        assert report.operations == sum(access != "anyone" for access in API_CENSUS.values())
