"""Agencies: added by the operator, seen by those they share a consortium with."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import ProgrammingError

from tenants.agency import (
    AgencyInvalid,
    AgencyKind,
    AgencyNameTaken,
    AgencyUnknown,
    Nation,
    add_agency,
    get_agency,
    get_agency_by_slug,
    list_agencies,
)
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, Factories

FACTS: dict[str, Any] = {
    "slug": "sampleshire",
    "name": "Sampleshire",
    "kind": AgencyKind.LOCAL_AUTHORITY,
    "nation": Nation.ENGLAND,
    "opened_on": LONG_AGO,
}


class TestAddAgency:
    def test_keeps_what_it_was_told(self, database: Database) -> None:
        slug = f"sample-{uuid4().hex[:8]}"

        with database.transaction(OPERATOR) as session:
            added = add_agency(session, **{**FACTS, "slug": slug, "name": " Sample ", "ofsted_urn": "SC123456"})
            assert get_agency_by_slug(session, slug) is added

        assert (added.name, added.ofsted_urn) == ("Sample", "SC123456")

    @pytest.mark.parametrize(
        "wrong",
        [
            *({"slug": slug} for slug in ("", "Devon", "de von", "-devon", "devon-", "de--von", "7up", "devon\n", "é")),
            {"name": "  "},
            {"colour": "blue"},
            {"colour": "#1D70B8"},
            {"ofsted_urn": "no number"},
        ],
    )
    def test_refuses_what_cannot_be_kept(self, database: Database, wrong: dict[str, str]) -> None:
        with database.transaction(OPERATOR) as session, pytest.raises(AgencyInvalid):
            add_agency(session, **{**FACTS, **wrong})

    def test_refuses_a_name_twice(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(OPERATOR) as session, pytest.raises(AgencyNameTaken):
            add_agency(session, **{**FACTS, "slug": devon.slug})

    def test_is_the_operators_alone(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            add_agency(session, **{**FACTS, "slug": f"sample-{uuid4().hex[:8]}"})


class TestGetAgency:
    def test_finds_a_neighbour_and_no_stranger(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        stranger, _ = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            assert get_agency(session, dorset.id).slug == dorset.slug
            with pytest.raises(AgencyUnknown):
                get_agency(session, stranger.id)
            with pytest.raises(AgencyUnknown):
                get_agency_by_slug(session, stranger.slug)


class TestListAgencies:
    def test_lists_the_consortiums_by_name(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.two_tenants()

        with database.transaction(devon.scope) as session:
            names = [agency.name for agency in list_agencies(session)]

        assert names == sorted([devon.name, dorset.name])
