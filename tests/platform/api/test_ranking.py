from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from matching.household import HouseholdStatus, get_household
from matching.pool import Stage, share
from tenants import audit
from tenants.database import Database
from tests.factories import TODAY, Factories, Tenant
from tests.platform.api.program import Program

ProgramOf = Callable[..., Program]
Tenants = tuple[Tenant, Tenant]


class TestRankGroup:
    def test_keeps_the_list_with_its_reasons(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        ours, theirs = two_tenants
        group, households = factories.group(theirs), {str(factories.household(each)) for each in two_tenants}
        program = program_of(ours, "rankings")

        made = program.send(f"/groups/{group}/rankings", {"top": 5})

        assert made.status_code == 201
        run = (made.json or {})["id"]
        assert made.location == f"http://localhost/api/v1/rankings/{run}"
        assert program.get(f"/rankings/{run}").json == made.json
        lines = program.items(f"/rankings/{run}/lines", limit=1)
        assert {each["household_id"] for each in lines} == households
        assert [each["position"] for each in lines] == [1, 2]
        for line in lines:
            given = line["explanation"]
            assert sum(each["points"] for each in given["contributions"]) == given["points"]
        with database.transaction(theirs.scope) as session:
            looks = [each.actor_client_id for each in audit.list_entries_of(session, group)]
        assert program.made.client.id in looks

    def test_is_ones_own_agencys_alone(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        ours, theirs = two_tenants
        group = factories.group(ours)
        run = (program_of(ours).send(f"/groups/{group}/rankings", {}).json or {})["id"]
        other = program_of(theirs)

        for path in ("", "/lines"):
            anothers, nobodys = (other.get(f"/rankings/{each}{path}") for each in (run, uuid4()))
            assert (anothers.status_code, anothers.data) == (404, nobodys.data)

    def test_leaves_out_who_is_held_back_since(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        ours, theirs = two_tenants
        group, stays, goes = factories.group(ours), factories.household(theirs), factories.household(theirs)
        program = program_of(ours)
        run = (program.send(f"/groups/{group}/rankings", {}).json or {})["id"]

        with database.transaction(theirs.scope) as session:
            share(session, stage=Stage.CONSORTIUM, on=TODAY, household_id=goes, held=True, reason="test")

        assert [each["household_id"] for each in program.items(f"/rankings/{run}/lines")] == [str(stays)]


class TestReadWhy:
    def test_says_what_keeps_a_household_off(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        group, household = factories.group(ours), factories.household(theirs, age_from_months=60)

        found = program_of(ours).get(f"/groups/{group}/households/{household}").json

        assert found
        assert found["position"] is None
        assert [gate["code"] for gate in found["explanation"]["gates"] if gate["verdict"] == "fail"] == ["age"]


class TestReadGroupsFor:
    def test_lists_the_groups_that_a_household_may_fit(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        household = factories.household(ours)
        groups = {str(factories.group(each)) for each in (ours, theirs)}
        factories.group(theirs, held=True)

        found = program_of(ours).get(f"/households/{household}/groups").json

        assert found
        assert {each["group_id"] for each in found["best"]} == groups


class TestReadPool:
    def test_is_what_the_agency_sees(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        ours, theirs = two_tenants
        factories.group(ours)
        factories.group(theirs, stage=Stage.IN_HOUSE)
        household = factories.household(theirs)
        with database.transaction(theirs.scope) as session:
            assert get_household(session, household).status is HouseholdStatus.WAITING

        found = program_of(ours, "pool.read").get("/pool").json

        assert found
        assert (found["groups"], found["households"]) == (1, 1)
