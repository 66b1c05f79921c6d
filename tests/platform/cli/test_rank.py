"""``concord rank`` and ``concord why``: one agency's view, never another's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from concord.schema.ranking import ExplanationSchema, FamilySchema
from matching.household import get_household
from matching.pool import Stage
from matching.ranking_run import RankingRun, list_lines
from matching.sibling_group import get_group
from tenants.consortium import get_consortium
from tests.factories import Factories, Tenant
from tests.platform.cli.run import answer, refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")


class TestRank:
    def test_lists_families_best_first_with_reasons(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group = _group_code(factories, devon, factories.group(devon))
        families = {_household_code(factories, each, factories.household(each)) for each in (devon, dorset)}

        said = answer("rank", "--agency", devon.slug, "--group", group)

        assert said["group"] == group
        assert said["families_not_barred"] == len(said["families"]) == 2
        assert {each["household"] for each in said["families"]} == families
        assert [each["position"] for each in said["families"]] == [1, 2]
        assert set(said["families"][0]) == set(FamilySchema().fields)
        assert all(sum(line["points"] for line in each["contributions"]) == each["points"] for each in said["families"])

    def test_says_how_busy_each_family_is(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group = _group_code(factories, devon, factories.group(devon))
        factories.household(devon, considered_for=3, most_children=1)
        factories.household(dorset, considered_for=0)

        said = answer("rank", "--agency", devon.slug, "--group", group)
        printed = run("rank", "--agency", devon.slug, "--group", group).stdout

        assert [each["availability"] for each in said["families"]] == ["at_cap", "free"]
        assert "points)  at its cap" in printed
        assert "points)  free" in printed

    def test_names_a_siblings_family_to_the_two_agencies_and_no_third(self, factories: Factories) -> None:
        consortium_id = factories.consortium()
        devon, dorset, cornwall = (factories.tenant(consortium_id) for _ in range(3))
        family = _household_code(factories, dorset, factories.household(dorset))
        group = _group_code(factories, devon, factories.group(devon, sibling_household=family))

        told = {
            each.slug: answer("rank", "--agency", each.slug, "--group", group)["sibling_household"]
            for each in (devon, dorset, cornwall)
        }

        assert told == {devon.slug: family, dorset.slug: family, cornwall.slug: None}
        assert (
            f"A brother or sister lives with {family}" in run("rank", "--agency", devon.slug, "--group", group).stdout
        )

    def test_keeps_the_run(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(devon)
        group = _group_code(factories, devon, factories.group(devon))

        said = answer("rank", "--agency", devon.slug, "--group", group)

        with factories.database.transaction(devon.scope) as session:
            assert len(list_lines(session, UUID(said["run"]))) == 1
        with factories.database.transaction(dorset.scope) as session:
            assert session.scalars(select(RankingRun.id)).all() == []

    def test_shows_no_family_that_another_agency_keeps_to_itself(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group = _group_code(factories, devon, factories.group(devon))
        kept = factories.household(dorset, stage=Stage.IN_HOUSE)

        result = run("rank", "--agency", devon.slug, "--group", group)

        assert result.exit_code == 0
        assert _household_code(factories, dorset, kept) not in result.stdout
        assert "0 families" in result.stdout

    def test_knows_no_group_that_another_agency_keeps_to_itself(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group = _group_code(factories, dorset, factories.group(dorset, stage=Stage.IN_HOUSE))

        said = refusal("rank", "--agency", devon.slug, "--group", group)

        assert said.startswith(f"concord: There is no sibling group “{group}” in your view of the pool.")

    def test_knows_no_other_agency(self) -> None:
        assert refusal("rank", "--agency", "no-such", "--group", "G-3QX8ZA").startswith("concord: ")

    def test_acts_in_no_consortium_that_the_agency_is_not_in(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        own = _group_code(factories, devon, factories.group(devon))
        shared = _group_code(factories, stranger, factories.group(stranger))

        for group in (own, shared):
            said = refusal(
                *("rank", "--agency", devon.slug, "--group", group),
                *("--consortium", _consortium_slug(factories, stranger)),
            )
            assert "belongs to these consortia" in said

    def test_lists_as_many_as_asked_for(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        group = _group_code(factories, devon, factories.group(devon))
        for _ in range(3):
            factories.household(devon)

        said = answer("rank", "--agency", devon.slug, "--group", group, "--top", "2")

        assert (said["families_not_barred"], len(said["families"])) == (3, 2)

    def test_reckons_ages_for_the_day_given(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        # Approved for children up to six; the child, born in May 2023, is seven from May 2030.
        factories.household(devon)
        group = _group_code(factories, devon, factories.group(devon))

        before, after = (
            answer("rank", "--agency", devon.slug, "--group", group, "--as-of", day)
            for day in ("2030-04-01", "2030-06-01")
        )

        assert (before["as_of"], len(before["families"]), len(after["families"])) == ("2030-04-01", 1, 0)


class TestWhy:
    def test_says_what_each_gate_says_and_each_criterion_gives(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group = _group_code(factories, devon, factories.group(devon))
        household = _household_code(factories, dorset, factories.household(dorset))

        said = answer("why", "--agency", devon.slug, "--group", group, "--household", household)

        assert set(said) == {"group", "household", "as_of", *ExplanationSchema().fields}
        assert (said["group"], said["household"]) == (group, household)
        assert said["band"] is not None
        assert _barring(said) == []

    def test_says_what_bars_a_household(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        group = _group_code(factories, devon, factories.group(devon))
        household = _household_code(factories, devon, factories.household(devon, age_to_months=11))

        said = answer("why", "--agency", devon.slug, "--group", group, "--household", household)
        text = run("why", "--agency", devon.slug, "--group", group, "--household", household).stdout

        assert said["band"] is None
        assert _barring(said) != []
        assert f"{household} for {group}: not on the list" in text

    def test_knows_no_household_that_another_agency_keeps_to_itself(self, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        group = _group_code(factories, devon, factories.group(devon))
        kept = _household_code(factories, dorset, factories.household(dorset, held=True))

        said = refusal("why", "--agency", devon.slug, "--group", group, "--household", kept)

        assert said.startswith(f"concord: There is no household “{kept}” in your view of the pool.")


def _barring(said: dict[str, Any]) -> list[str]:
    return [gate["code"] for gate in said["gates"] if gate["bars"] and gate["verdict"] == "fail"]


def _group_code(factories: Factories, tenant: Tenant, group_id: UUID) -> str:
    with factories.database.transaction(tenant.scope) as session:
        return get_group(session, group_id).code


def _consortium_slug(factories: Factories, tenant: Tenant) -> str:
    assert tenant.scope.consortium_id is not None
    with factories.database.transaction(tenant.scope) as session:
        return get_consortium(session, tenant.scope.consortium_id).slug


def _household_code(factories: Factories, tenant: Tenant, household_id: UUID) -> str:
    with factories.database.transaction(tenant.scope) as session:
        return get_household(session, household_id).code
