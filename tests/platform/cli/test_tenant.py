"""``concord consortium`` and ``agency``: from nothing to members of a consortium."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.consortium import get_consortium_by_slug, list_members
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import Factories
from tests.platform.cli.run import answer, refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")


class TestConsortium:
    def test_is_created_with_its_office(self, database: Database) -> None:
        slug = _slug()

        said = run("consortium", "create", slug, "--name", "Sample consortium")

        assert said.stdout == f"Sample consortium is there, with its office {slug}-office.\n"
        with database.transaction(OPERATOR) as session:
            made = get_consortium_by_slug(session, slug)
            (office,) = list_members(session, made.id, on=utc_now().date())
            assert (office.slug, office.kind) == (f"{slug}-office", AgencyKind.CONSORTIUM_OFFICE)

    def test_is_not_created_twice(self, database: Database) -> None:
        slug = _slug()
        run("consortium", "create", slug, "--name", "Sample consortium")

        assert refusal("consortium", "create", slug, "--name", "Another").startswith("concord: ")

        with database.transaction(OPERATOR) as session:
            assert get_consortium_by_slug(session, slug).name == "Sample consortium"


class TestDays:
    def test_are_shown_and_set_one_at_a_time(self) -> None:
        slug = _slug()
        run("consortium", "create", slug, "--name", "Sample consortium")

        said = [
            run("consortium", "days", slug, *options).stdout for options in ((), ("--pack", "0"), ("--confirm", "7"))
        ]

        assert said == [
            "Packs are destroyed 28 days after their meeting; a check stands 28 days.\n",
            "Packs are destroyed 0 days after their meeting; a check stands 28 days.\n",
            "Packs are destroyed 0 days after their meeting; a check stands 7 days.\n",
        ]


class TestCaps:
    def test_are_shown_and_set_one_at_a_time(self) -> None:
        mine, other = _slug(), _slug()
        for each in (mine, other):
            run("consortium", "create", each, "--name", "Sample consortium")

        run("consortium", "caps", mine, "--household", "2")
        said = run("consortium", "caps", mine, "--group", "5").stdout

        assert said == (
            "A family is at its cap when 2 groups consider it; a group, when 5 families are considered for it.\n"
        )
        assert "when 3 groups consider it" in run("consortium", "caps", other).stdout

    def test_are_one_or_more(self) -> None:
        assert "0 is not in the range" in run("consortium", "caps", _slug(), "--household", "0").stderr

    def test_belong_to_a_consortium(self) -> None:
        assert refusal("consortium", "caps", "no-such", "--group", "2").startswith("concord: ")


class TestAgency:
    def test_is_added_to_its_consortium_alone(self, database: Database) -> None:
        mine, other, slug = _slug(), _slug(), _slug()
        for each in (mine, other):
            run("consortium", "create", each, "--name", "Sample consortium")

        said = run("agency", "add", slug, "--name", "Sample", "--consortium", mine, "--kind", "local_authority")

        assert said.stdout == f"Sample is a member of {mine}.\n"
        with database.transaction(OPERATOR) as session:
            members = {
                each: {
                    agency.slug
                    for agency in list_members(session, get_consortium_by_slug(session, each).id, on=utc_now().date())
                }
                for each in (mine, other)
            }
        assert members == {mine: {f"{mine}-office", slug}, other: {f"{other}-office"}}

    def test_joins_no_consortium_that_is_not_there(self) -> None:
        slug = _slug()

        refusal("agency", "add", slug, "--name", "Sample", "--consortium", "no-such", "--kind", "local_authority")

        assert slug not in {each["slug"] for each in answer("agency", "list")}

    def test_is_listed(self, factories: Factories) -> None:
        tenant, other = factories.two_tenants()

        listed = {each["slug"]: each for each in answer("agency", "list")}
        text = run("agency", "list").stdout

        assert listed[tenant.slug] == {"slug": tenant.slug, "name": tenant.name, "kind": "local_authority"}
        assert tenant.name in text
        assert other.name in text


def _slug() -> str:
    return f"sample-{uuid4().hex[:10]}"
