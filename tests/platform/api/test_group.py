from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import pytest

from matching.need import NeedLevel
from matching.pool import Stage
from matching.ranking.facts import Sex
from matching.sibling_group import GroupStatus
from tenants import audit
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.platform.api.program import Program

ProgramOf = Callable[..., Program]
Tenants = tuple[Tenant, Tenant]


class TestListGroups:
    def test_lists_ones_own_and_what_others_share(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        own = factories.group(ours, stage=Stage.IN_HOUSE)
        shared = factories.group(theirs)
        factories.group(theirs, stage=Stage.IN_HOUSE)
        factories.group(theirs, held=True)

        found = program_of(ours).items("/groups")

        assert {each["id"] for each in found} == {str(own), str(shared)}
        assert {each["id"]: each["own"] for each in found} == {str(own): True, str(shared): False}

    def test_narrows_and_sorts_as_the_page_does(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        wanted = [
            factories.group(theirs, waiting_since=day, needs={"neglect": NeedLevel.HIGH})
            for day in (date(2026, 5, 1), date(2026, 4, 1))
        ]
        factories.group(theirs, needs={"neglect": NeedLevel.LOW})
        factories.group(ours, needs={"neglect": NeedLevel.HIGH}, children=())

        query = {"need": "neglect", "much": "high", "size": "1", "sex": ["girls", "boys"], "sort": "waiting"}
        found = program_of(ours).items("/groups", **query)

        assert [each["id"] for each in found] == [str(each) for each in reversed(wanted)]

    @pytest.mark.parametrize("sort", ["waiting", "newest", "youngest", "oldest", "largest", "code"])
    @pytest.mark.parametrize("limit", [1, 3])
    def test_shows_each_once_in_every_order(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, sort: str, limit: int
    ) -> None:
        ours, theirs = two_tenants
        births = (date(2023, 5, 1), date(2020, 1, 1), None)
        made = [
            factories.group(
                tenant,
                children=((born, Sex.MALE if born is None else Sex.FEMALE),) if born else (),
                waiting_since=since,
            )
            for tenant in (ours, theirs)
            for born, since in zip(births, (date(2026, 1, 1), None, None), strict=True)
        ]
        on_hold = factories.group(ours, status=GroupStatus.ON_HOLD)
        program = program_of(ours, "groups.read")

        paged = program.items("/groups", sort=sort, limit=limit)

        assert [each["id"] for each in paged] == [each["id"] for each in program.items("/groups", sort=sort)]
        assert sorted(each["id"] for each in paged) == sorted(str(each) for each in (*made, on_hold))

    def test_stays_in_place_when_groups_come_and_go(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        for month in (1, 2, 3, 4):
            factories.group(theirs, waiting_since=date(2026, month, 1))
        program = program_of(ours)
        whole = [each["id"] for each in program.items("/groups")]

        first = program.get("/groups", query_string={"limit": 2}).json
        assert first
        factories.group(theirs, waiting_since=date(2025, 1, 1))
        rest = program.items("/groups", cursor=first["next"])

        assert [each["id"] for each in (*first["items"], *rest)] == whole

    @pytest.mark.parametrize("cursor", ["x", "..", "W10.abc", "\N{SNOWMAN}"])
    def test_takes_no_invented_cursor(self, program_of: ProgramOf, two_tenants: Tenants, cursor: str) -> None:
        refused = program_of(two_tenants[0]).get("/groups", query_string={"cursor": cursor})

        assert (refused.status_code, refused.json and refused.json["type"]) == (422, "urn:concord:cursor-invalid")

    def test_takes_no_cursor_of_another_list_or_agency(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        for _ in range(2):
            factories.group(ours)
            factories.household(ours)
        program = program_of(ours)
        cursor = (program.get("/groups", query_string={"limit": 1}).json or {})["next"]

        for asking, path, query in (
            (program, "/groups", {"sort": "code"}),
            (program, "/households", {}),
            (program_of(theirs), "/groups", {}),
        ):
            refused = asking.get(path, query_string={"cursor": cursor, **query})
            assert refused.status_code == 422, path

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ({"colour": "red"}, "query/colour"),
            ({"limit": "201"}, "query/limit"),
            ({"limit": "0"}, "query/limit"),
            ({"need": "wings"}, "query/need/0"),
            ({"sort": "beauty"}, "query/sort"),
            ({"age_from": "1e9"}, "query/age_from"),
        ],
    )
    def test_points_at_what_it_cannot_take(
        self, program_of: ProgramOf, two_tenants: Tenants, query: dict[str, str], pointer: str
    ) -> None:
        refused = program_of(two_tenants[0]).get("/groups", query_string=query)

        assert refused.status_code == 422
        assert refused.mimetype == "application/problem+json"
        assert [each["pointer"] for each in (refused.json or {})["errors"]] == [pointer]


class TestReadGroup:
    def test_shows_the_profile_and_what_each_child_needs(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        ours, theirs = two_tenants
        born = date(utc_now().year - 3, 1, 1)
        group = factories.group(theirs, children=((born, Sex.FEMALE),), needs={"neglect": NeedLevel.HIGH})
        program = program_of(ours)

        found = program.get(f"/groups/{group}").json

        assert found
        assert found["profile"] == "A lively child who likes puddles."
        assert found["children"] == [
            {"age": "3", "sex": "female", "needs": [{"need": "neglect", "level": "high"}]},
        ]
        with database.transaction(theirs.scope) as session:
            (entry,) = [each for each in audit.list_entries_of(session, group) if each.act is audit.Act.READ]
        assert (entry.actor_agency_id, entry.actor_client_id) == (ours.id, program.made.client.id)
        assert (entry.level, entry.actor_person_id) == (audit.Level.PROFILE, None)

    def test_says_no_birthday_place_or_name(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        group = factories.group(theirs, exclusion_areas={"PL4": 10})

        said = program_of(ours).get(f"/groups/{group}").text

        assert not {"2023-05", "EX1", "PL4", "Rowan", "Sample"} & {
            word for word in ("2023-05", "EX1", "PL4", "Rowan", "Sample") if word in said
        }

    def test_says_not_modified_to_whom_has_it(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        group = factories.group(two_tenants[0])
        program = program_of(two_tenants[0])
        seen = program.get(f"/groups/{group}")

        again = program.get(f"/groups/{group}", headers={"If-None-Match": seen.headers["ETag"]})
        other = program.get(f"/groups/{group}", headers={"If-None-Match": '"other"'})

        assert (again.status_code, again.data) == (304, b"")
        assert (other.status_code, other.headers["ETag"]) == (200, seen.headers["ETag"])


class TestReadGroupIdentity:
    def test_opens_ones_own_and_says_so(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        group = factories.group(two_tenants[0])

        found = program_of(two_tenants[0], "identity.read").get(f"/groups/{group}/identity").json

        assert found
        assert found["children"][0]["forename"] == "Rowan"
        with database.transaction(two_tenants[0].scope) as session:
            levels = [entry.level for entry in audit.list_entries_of(session, group)]
        assert audit.Level.IDENTITY in levels

    def test_wants_a_scope_of_its_own(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        group = factories.group(two_tenants[0])

        refused = program_of(two_tenants[0], "groups.read").get(f"/groups/{group}/identity")

        assert refused.status_code == 403
        assert 'error="insufficient_scope", scope="identity.read"' in refused.headers["WWW-Authenticate"]

    def test_knows_no_other_agencys(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        ours, theirs = two_tenants
        shared: UUID = factories.group(theirs)
        program = program_of(ours)

        assert program.get(f"/groups/{shared}/identity").data == program.get(f"/groups/{uuid4()}/identity").data
