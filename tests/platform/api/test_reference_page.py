"""The page of the API that needs no script says all that the file says."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from concord.api.app import OPERATIONS
from concord.api.parts import ROOT
from concord.api.reference_page import Fact, list_operations, list_schemas
from concord.api.spec import describe_api
from tests.site import Visitor

DESCRIPTION = describe_api(OPERATIONS)


class TestListOperations:
    def test_has_each_that_the_file_has(self) -> None:
        told = {
            each["operationId"]
            for item in DESCRIPTION["paths"].values()
            for each in item.values()
            if "operationId" in each
        }

        listed = list_operations(DESCRIPTION)

        assert {each.name for each in listed} == told
        assert len(listed) == len(told)

    def test_says_what_one_needs_and_answers(self) -> None:
        rank = next(each for each in list_operations(DESCRIPTION) if each.name == "confirm_household")

        assert (rank.method, rank.path) == ("PUT", f"{ROOT}/households/{{household_id}}/availability")
        assert rank.scopes == ("availability.write",)
        assert rank.body == Fact("application/json", "application/json", "", "SayAvailability")
        assert Fact("200", "application/json", "Found.", "Availability") in rank.answers
        assert "If-Match" in {each.name for each in rank.parameters}
        assert any(each.kind.startswith("path, required") for each in rank.parameters)


class TestListSchemas:
    def test_has_each_that_the_file_has_and_of_some_operations_what_they_lead_to(self) -> None:
        operations = list_operations(DESCRIPTION)

        every = list_schemas(DESCRIPTION, operations)
        few = list_schemas(DESCRIPTION, [each for each in operations if each.name == "read_household_identity"])

        assert DESCRIPTION["components"]["schemas"].keys() - every.keys() <= {"PaginationMetadata"}
        assert few.keys() == {"HouseholdIdentity", "HttpProblem", "FieldProblem"}

    def test_says_of_what_kind_each_field_is(self) -> None:
        fields = {each.name: each.kind for each in list_schemas(DESCRIPTION, list_operations(DESCRIPTION))["Household"]}

        assert fields["id"].startswith("string, as uuid")
        assert fields["status"].startswith("one of waiting, on_hold, matched, withdrawn")
        assert fields["approved_on"].startswith("string or null, as date")


class TestPage:
    def test_leads_to_every_operation_and_schema(self, api_site: Flask) -> None:
        visitor = Visitor(api_site)
        assert visitor.get(f"{ROOT}/reference").status_code == 200
        assert visitor.page
        leads = re.findall(rf'href="({ROOT}/reference/[a-z-]+)#([^"]+)"', visitor.page.html)

        assert {name for _, name in leads} == {each.name for each in list_operations(DESCRIPTION)}
        for path in {path for path, _ in leads}:
            assert visitor.get(path).status_code == 200
            there = set(re.findall(r'id="([^"]+)"', visitor.page.html))
            within = set(re.findall(r'href="#([^"]+)"', visitor.page.html))
            assert within <= there
            assert {name for other, name in leads if other == path} <= there

    def test_is_not_there_for_an_area_that_is_none(self, api_site: Flask) -> None:
        assert Visitor(api_site).get(f"{ROOT}/reference/nothing").status_code == 404

    @pytest.mark.parametrize("path", ["docs", "openapi.json"])
    def test_leads_to_what_can_be_tried_and_kept(self, path: str, api_site: Flask) -> None:
        visitor = Visitor(api_site)
        visitor.get(f"{ROOT}/reference")

        assert visitor.page
        assert f'href="{ROOT}/{path}"' in visitor.page.html
