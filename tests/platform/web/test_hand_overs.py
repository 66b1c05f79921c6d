"""The pages of handing over: one side proposes, the other agrees, both sign what came of it by name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from matching.household import get_household
from tenants.base import utc_now
from tenants.database import Database
from tenants.hand_over import HandOverKind, list_hand_overs
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.hand_over import agreed, do, job_of, proposed
from tests.platform.web.equal import page_of
from tests.site import Visitor
from workers.handler import HANDLERS
from workers.runner import JobRunner

Visit = Callable[[Tenant], Visitor]
MANAGERS = frozenset({Role.MANAGER})
NOWHERE = UUID(int=1)


class TestPropose:
    def test_asks_the_other_side_at_its_home(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        ours, theirs = visit_as(us), visit_as(them)
        household_id = factories.household(us)
        code = code_of(database, us, household_id)

        assert propose(ours, them, what="chosen", codes=f" {code}\r\n") == 303

        with database.transaction(them.scope) as session:
            (plan,) = list_hand_overs(session)
        assert (plan.agency_id, plan.receiver_id, plan.record_ids) == (us.id, them.id, [household_id])
        theirs.get("/home")
        assert "waits for your agency to agree" in page_of(theirs).text
        theirs.get(f"/agency/hand-overs/{plan.id}")
        assert "Adopter households, 1 by code" in page_of(theirs).text
        assert theirs.post(f"/agency/hand-overs/{plan.id}/agree").status_code == 303
        theirs.get(f"/agency/hand-overs/{plan.id}")
        assert "To be done" in page_of(theirs).text

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"what": ""}, "Select what is handed over"),
            ({"way": ""}, "Select which way it goes"),
            ({"agency": ""}, "Select the other agency"),
            ({"reason": " "}, "Say why"),
            ({"takes_effect_on": ["31", "2", "2027"]}, "Enter a real date"),
            ({"takes_effect_on": ["1", "1", "2020"]}, "Choose today or a day to come"),
            ({"what": "chosen", "codes": " "}, "Enter the codes of the records"),
            ({"what": "chosen", "codes": []}, "Enter the codes of the records"),
            ({"what": "chosen", "codes": "H-AAAAAA"}, "H-AAAAAA"),
        ],
    )
    def test_asks_again(self, typed: dict[str, object], words: str, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        visitor = visit_as(us)

        assert propose(visitor, them, **typed) == 422

        assert words in page_of(visitor).text

    def test_knows_no_plan_of_others(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        plan = proposed(database, us, them)
        stranger = visit_as(factories.two_tenants()[0])

        for found in (plan, NOWHERE):
            path = f"/agency/hand-overs/{found}"
            answers = [stranger.get(path), stranger.get(f"{path}/rows.csv")]
            answers += [stranger.post(f"{path}/{verb}") for verb in ("agree", "withdraw", "try")]
            assert [each.status_code for each in answers] == [404] * 5


class TestTry:
    def test_says_what_would_come(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        plan = proposed(database, us, them)
        visitor = visit_as(them)

        visitor.get(f"/agency/hand-overs/{plan}")
        assert visitor.post(f"/agency/hand-overs/{plan}/try").status_code == 200

        assert "What would move now" in page_of(visitor).text
        assert "Household identity" in page_of(visitor).text
        assert "is told once both agencies have agreed" in page_of(visitor).text
        with database.transaction(us.scope) as session:
            assert get_household(session, household_id).agency_id == us.id


class TestAgain:
    def test_does_what_failed_once_it_is_put_right(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        path = f"/agency/hand-overs/{agreed(database, us, them, kinds=[HandOverKind.HOUSEHOLD])}"
        do(database, them)
        ours, theirs = visit_as(us), visit_as(them)

        theirs.get(path)
        assert "It was tried and did not come about" in page_of(theirs).text
        assert "There is no such record to hand over" in page_of(theirs).text
        ours.get(path)
        assert "Do it again" not in page_of(ours).text
        household_id = factories.household(us)
        assert theirs.post(f"{path}/again").status_code == 303
        assert JobRunner(database, HANDLERS).run(job_of(database, them).id)

        with database.transaction(them.scope) as session:
            assert get_household(session, household_id).agency_id == them.id


class TestSign:
    def test_takes_a_person_of_each_side_by_name(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        factories.household(us)
        path = f"/agency/hand-overs/{agreed(database, us, them)}"
        do(database, them)
        # Ours are theirs now, and sign for what they were.
        ours, theirs = visit_as(us), visit_as(them)

        ours.get("/home")
        assert "both sides have to sign" in page_of(ours).text
        assert ours.post(path, {"name": "Somebody Else"}).status_code == 422
        assert "Enter your name as it stands here" in page_of(ours).text
        assert ours.post(path, {"name": f" sam  sample {us.slug}"}).status_code == 303
        assert ours.post(path, {"name": f"Sam Sample {us.slug}"}).status_code == 403
        theirs.get(path)
        assert theirs.post(path, {"name": f"Sam Sample {them.slug}"}).status_code == 303

        theirs.get(path)
        text = page_of(theirs).text
        assert f"signed by Sam Sample {us.slug}" in text
        assert f"signed by Sam Sample {them.slug}" in text
        assert "There is no difference" in text
        theirs.get("/home")
        assert "both sides have to sign" not in page_of(theirs).text

    def test_hands_out_each_row(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(us)
        path = f"/agency/hand-overs/{agreed(database, us, them)}"
        do(database, them)
        visitor = visit_as(them)

        as_json = json.loads(visitor.get(f"{path}/rows.json").get_data())
        as_csv = list(csv.DictReader(io.StringIO(visitor.get(f"{path}/rows.csv").get_data(as_text=True))))

        assert as_json == as_csv
        (row,) = (each for each in as_csv if each["table"] == "household")
        assert row["row"] == str(household_id)
        assert re.fullmatch(r"[0-9a-f]{64}", row["before"])
        assert row["before"] == row["after"]


def propose(visitor: Visitor, other: Tenant, **typed: object) -> int:
    day = utc_now().date() + (timedelta() if typed.get("what") == "chosen" else timedelta(days=30))
    said = {
        "way": "give",
        "agency": str(other.id),
        "what": "whole",
        "codes": "",
        "takes_effect_on": [str(day.day), str(day.month), str(day.year)],
        "reason": "A merger",
        **typed,
    }
    visitor.get("/agency/hand-overs")
    return visitor.post("/agency/hand-overs", said).status_code


def code_of(database: Database, tenant: Tenant, household_id: UUID) -> str:
    with database.transaction(tenant.scope) as session:
        return get_household(session, household_id).code
