from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from matching.availability import Availability
from matching.need import Answer, Tolerance
from matching.pool import Stage
from matching.sibling_group import get_group
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.platform.api.program import Program

ProgramOf = Callable[..., Program]
Tenants = tuple[Tenant, Tenant]
CAN = Tolerance(low=Answer.CAN_MEET, medium=Answer.WOULD_DISCUSS, high=Answer.CANNOT)


class TestListHouseholds:
    def test_lists_ones_own_and_what_others_share(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        own = factories.household(ours, stage=Stage.IN_HOUSE)
        shared = factories.household(theirs, considered_for=0)
        factories.household(theirs, held=True)
        program = program_of(ours, "households.read")

        found = {each["id"]: each for each in program.items("/households", limit=1)}

        assert found.keys() == {str(own), str(shared)}
        assert found[str(shared)]["availability"] == Availability.FREE
        assert [each["id"] for each in program.items("/households", own="true")] == [str(own)]

    def test_narrows_as_the_page_does(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        ours, theirs = two_tenants
        wanted = factories.household(theirs, tolerances={"neglect": CAN})
        factories.household(theirs)
        query = {"need": "neglect", "up_to": "medium", "willing": "would-discuss", "age_from": "3", "age_to": "0"}

        assert [each["id"] for each in program_of(ours).items("/households", **query)] == [str(wanted)]

    def test_tells_distance_as_a_band_from_ones_own_group_alone(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        ours, theirs = two_tenants
        near, far = factories.household(theirs, outward_code="EX4"), factories.household(theirs, outward_code="NE1")
        codes = {}
        for tenant in (ours, theirs):
            group = factories.group(tenant, outward_code="EX1")
            with database.transaction(tenant.scope) as session:
                codes[tenant.id] = get_group(session, group).code
        program = program_of(ours)

        found = [each["id"] for each in program.items("/households", near=codes[ours.id])]
        anothers, nobodys = (
            program.get("/households", query_string={"near": code}) for code in (codes[theirs.id], "G-2222222")
        )

        assert str(near) in found
        assert str(far) not in found
        assert (anothers.status_code, anothers.data) == (404, nobodys.data)


class TestReadHousehold:
    def test_shows_what_they_say_and_no_name_or_place(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        ours, theirs = two_tenants
        household = factories.household(theirs, tolerances={"neglect": CAN}, considered_for=1)

        seen = program_of(ours).get(f"/households/{household}")

        found = seen.json
        assert found
        assert found["tolerances"] == [
            {"need": "neglect", "low": "can_meet", "medium": "would_discuss", "high": "cannot"}
        ]
        assert (found["approved_for"], found["available_from"]) == ("one or two children aged 0 to 6", "Now")
        assert [word for word in ("EX4", "Alder", "Sample", "considered_for") if word in seen.text] == []


class TestReadHouseholdIdentity:
    def test_opens_ones_own_alone(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        ours, theirs = two_tenants
        own, shared = factories.household(ours), factories.household(theirs)
        program = program_of(ours, "identity.read")

        found = program.get(f"/households/{own}/identity").json
        anothers, nobodys = (program.get(f"/households/{each}/identity") for each in (shared, uuid4()))

        assert found
        assert (found["adopters"], found["postcode"]) == (["Alder Example"], "EX4 4QJ")
        assert (anothers.status_code, anothers.data) == (404, nobodys.data)


class TestConfirmHousehold:
    def test_is_for_ones_own_alone(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        ours, theirs = two_tenants
        shared = factories.household(theirs)
        program = program_of(ours)

        anothers, nobodys = (
            program.send(
                f"/households/{each}/availability", {"available": False}, method="PUT", headers={"If-Match": "*"}
            )
            for each in (shared, uuid4())
        )

        assert (anothers.status_code, anothers.data) == (404, nobodys.data)
