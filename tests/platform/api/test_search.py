"""Lists searched by a program for words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.platform.api.program import Program

ProgramOf = Callable[..., Program]
Tenants = tuple[Tenant, Tenant]


class TestSearch:
    @pytest.mark.parametrize("path", ["/groups", "/households"])
    def test_gives_each_once_with_why_and_puts_it_on_record(
        self, path: str, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        ours, theirs = two_tenants
        make = factories.group if path == "/groups" else factories.household
        ids = {str(make(theirs, profile=f"A walnut {each}.")) for each in ("tree", "table", "desk")}
        make(theirs, profile="A walnut.", held=True)
        make(theirs, profile="An oak.")
        program = program_of(ours)

        found = program.items(path, q="walnuts", limit="1")

        assert sorted(each["id"] for each in found) == sorted(ids)
        parts = found[0]["why"][0]["parts"]
        assert [part["text"] for part in parts if part["marked"]] == ["walnut"]
        assert program.items(path, q="wlanut") == []
        assert len(program.items(path, q="wlanut", alike="true")) == 3
        assert all(each["why"] == [] for each in program.items(path))
        with database.transaction(theirs.scope) as session:
            entries = session.scalars(select(AuditEntry).where(AuditEntry.act == Act.SEARCH)).all()
        assert {str(entry.record_id) for entry in entries} == ids

    @pytest.mark.parametrize("asked", ["", "the", "-dog", "x" * 201])
    def test_refuses_what_names_nothing(self, asked: str, program_of: ProgramOf, two_tenants: Tenants) -> None:
        response = program_of(two_tenants[0]).get("/households", query_string={"q": asked})

        assert response.status_code == 422
        assert response.content_type == "application/problem+json"
