"""Links and placements as an agency's program reads and moves them, and what it leaves to people."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from werkzeug.test import TestResponse

from matching.household import get_household
from matching.link import LinkState, StepName, get_link, list_steps
from matching.sibling_group import get_group
from matching.swap.rule import Basis
from matching.transition import consider, start_link
from tenants.audit import AuditEntry
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.placement.stage import MOVED_IN, TODAY, decide, make_matched, make_placed
from tests.matching.placement.stage import step as by_person
from tests.matching.report_factory import Pairing, make_link
from tests.matching.swap.ground import make_ground, place
from tests.platform.api.program import Program

ProgramOf = Callable[..., Program]
WHY = "Both workers think it is time."


def step(program: Program, link_id: object, name: str, *, etag: str | None = None, **more: Any) -> Any:
    """Take a step of a link as it stands, or as it stood at ``etag``."""
    etag = etag or program.get(f"/links/{link_id}").headers["ETag"]
    body = {"step": name, "reason": WHY, **more}
    return program.send(f"/links/{link_id}/steps", body, headers={"If-Match": etag})


def told(answer: TestResponse) -> Any:
    """Return what an answer says."""
    return answer.json


class TestListLinks:
    def test_lists_both_sides_as_asked_and_nobody_elses(
        self, program_of: ProgramOf, factories: Factories, database: Database
    ) -> None:
        pairing, others = make_link(factories, database), make_link(factories, database)
        second = _start(factories, database, pairing)
        program = program_of(pairing.children, "links.read")

        found = {each["id"]: each for each in program.items("/links", limit=1)}

        assert found.keys() == {str(pairing.link_id), str(second)}
        one = found[str(pairing.link_id)]
        assert (one["state"], one["version"], one["open"], one["sides"]) == ("considering", 2, True, ["children"])
        assert one["household"]["agency"] == pairing.family.name
        for query, wanted in (
            ({"state": "interest"}, {str(second)}),
            ({"side": "families"}, set()),
            ({"consortium_id": one["consortium_id"]}, set(found)),
            ({"consortium_id": str(uuid4())}, set()),
            ({"updated_since": (utc_now() + timedelta(hours=1)).isoformat()}, set()),
            ({"updated_since": (utc_now() - timedelta(hours=1)).isoformat()}, set(found)),
        ):
            assert {each["id"] for each in program.items("/links", **query)} == wanted
        hidden, nowhere = (program.get(f"/links/{each}") for each in (others.link_id, uuid4()))
        assert (hidden.status_code, hidden.data) == (404, nowhere.data)


class TestTakeStep:
    def test_starts_a_link_and_takes_it_on_under_the_programs_name(
        self, program_of: ProgramOf, factories: Factories, database: Database
    ) -> None:
        children, family = factories.two_tenants()
        body = {
            "group_id": str(factories.group(children)),
            "household_id": str(factories.household(family)),
            "reason": "They asked for her.",
        }
        program, theirs = program_of(children), program_of(family)

        begun = program.send("/links", body, key="once")
        again = program.send("/links", body, key="once")

        assert (begun.status_code, again.data) == (201, begun.data)
        link_id = told(begun)["id"]
        assert begun.headers["Location"].endswith(f"/api/v1/links/{link_id}")
        assert told(program.send("/links", {**body, "override": "She has waited."}))["type"] == NOT_FOR_PROGRAMS
        # Two people agree on a link: the first may be a program, the second is somebody.
        refused = step(theirs, link_id, "consider")
        assert (refused.status_code, refused.json["type"]) == (403, "urn:concord:nobody-named")
        with transaction(database, family) as session:
            consider(session, get_link(session, link_id), version=1, reason="Gladly.", now=utc_now())
        assert step(theirs, link_id, "shortlist").status_code == 403
        assert step(program, link_id, "visit", day=TODAY.isoformat()).json["type"] == "urn:concord:no-such-step"
        assert step(program, link_id, "shortlist").json["state"] == "shortlisted"
        visited = step(program, link_id, "visit")
        assert (visited.status_code, visited.json["detail"]) == (422, "Say the day: visit.")
        visited = step(program, link_id, "visit", day=TODAY.isoformat())
        assert visited.json["days"] == [{"kind": "visit", "day": TODAY.isoformat()}]
        assert {"by": "Case system", "roles": ["program"], "reason": WHY}.items() <= visited.json["steps"][-1].items()
        with transaction(database, children) as session:
            steps = list_steps(session, get_link(session, link_id))
            assert [each.person_id is None for each in steps] == [True, True, False, True]
            noted = session.scalars(select(AuditEntry).where(AuditEntry.record_id == steps[0].link_id)).all()
            assert {each.actor_client_id for each in noted} == {program.made.client.id, None}

    def test_lets_one_win_and_tells_the_other_why(
        self, program_of: ProgramOf, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        program, theirs = program_of(pairing.children), program_of(pairing.family)
        seen = program.get(f"/links/{pairing.link_id}").headers["ETag"]
        end = {"outcome": "family_withdrew", "feedback": "They thank you."}

        first = step(theirs, pairing.link_id, "end", **end)
        second = step(program, pairing.link_id, "shortlist", etag=seen)

        assert (first.status_code, first.json["outcome"]) == (200, "family_withdrew")
        assert second.status_code == 412
        assert f"by Case system of {pairing.family.name}" in second.json["detail"]
        missing = program.send(f"/links/{pairing.link_id}/steps", {"step": "shortlist", "reason": WHY})
        assert missing.status_code == 428

    def test_lets_one_of_two_at_once_win(self, program_of: ProgramOf, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        programs = [program_of(pairing.children) for _ in range(2)]
        seen = programs[0].get(f"/links/{pairing.link_id}").headers["ETag"]

        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(lambda each: step(each, pairing.link_id, "shortlist", etag=seen), programs))

        won, lost = sorted(answers, key=lambda answer: int(answer.status_code))
        assert (won.status_code, won.json["version"]) == (200, 3)
        assert lost.status_code in {409, 412}
        assert "Case system of" in lost.json["detail"]

    def test_leaves_to_people_what_is_theirs(
        self, program_of: ProgramOf, factories: Factories, database: Database
    ) -> None:
        pairing = make_link(factories, database)
        program = program_of(pairing.children)
        for name in ("decide", "seal", "hold", "start"):
            refused = step(program, pairing.link_id, name)
            assert refused.status_code == 422
            assert "people’s own, on the site" in refused.json["errors"][0]["detail"]
        assert step(program, pairing.link_id, "shortlist", override="It is urgent.").json["type"] == NOT_FOR_PROGRAMS
        for name in ("shortlist", "visit", "meet"):
            day = {} if name == "shortlist" else {"day": TODAY.isoformat()}
            assert step(program, pairing.link_id, name, **day).status_code == 200
        without_papers = step(program, pairing.link_id, "go_to_panel", day=TODAY.isoformat())
        assert (without_papers.status_code, without_papers.json["type"]) == (409, "urn:concord:passable")
        assert "Panel papers are missing" in without_papers.json["detail"]
        by_person(database, pairing.children, pairing, StepName.GO_TO_PANEL, day=TODAY)

        undecided = step(program, pairing.link_id, "match")
        decide(database, pairing)
        matched = step(program, pairing.link_id, "match")

        assert (undecided.status_code, undecided.json["type"]) == (409, "urn:concord:not-yet")
        assert "has not decided on the match yet" in undecided.json["detail"]
        assert matched.json["decision"]["approved"] is True
        assert told(program.get(f"/placements/{pairing.link_id}"))["matched_on"]


class TestMessages:
    def test_are_read_by_both_sides_and_no_other(
        self, program_of: ProgramOf, factories: Factories, database: Database
    ) -> None:
        pairing, stranger = make_link(factories, database), factories.tenant(factories.consortium())
        path = f"/links/{pairing.link_id}/messages"
        program, theirs = program_of(pairing.children), program_of(pairing.family)

        assert program.send(path, {"words": "The visit is moved."}).status_code == 201
        assert program.send(path, {"words": " "}).status_code == 422

        (said,) = told(theirs.get(path))["items"]
        assert (said["by"], said["words"], said["agency"]) == (
            "Case system",
            "The visit is moved.",
            pairing.children.name,
        )
        outside = program_of(stranger)
        assert outside.get(path).data == outside.get(f"/links/{uuid4()}/messages").data


class TestPlacements:
    def test_are_listed_and_planned(self, program_of: ProgramOf, factories: Factories, database: Database) -> None:
        pairing, other = make_placed(factories, database), make_matched(factories, database)
        program, theirs = program_of(pairing.children), program_of(pairing.family)
        path = f"/placements/{pairing.link_id}"
        opened = program.get(path)
        plan = {**told(opened)["plan"], "midpoint_held_on": (TODAY - timedelta(days=105)).isoformat()}

        (listed,) = program.items("/placements", state=LinkState.PLACED, side="children")
        assert (listed["link_id"], listed["moved_in_on"]) == (str(pairing.link_id), MOVED_IN.isoformat())
        assert told(opened)["reviews"][0]["number"] == 1
        saved = program.send(f"{path}/plan", plan, method="PUT", headers={"If-Match": opened.headers["ETag"]})
        assert (saved.status_code, told(saved)["plan"]) == (200, plan)
        stale = program.send(f"{path}/plan", plan, method="PUT", headers={"If-Match": opened.headers["ETag"]})
        assert stale.status_code == 412
        etag = theirs.get(path).headers["ETag"]
        refused = theirs.send(f"{path}/plan", plan, method="PUT", headers={"If-Match": etag})
        assert (refused.status_code, told(refused)["type"]) == (403, "urn:concord:not-the-childrens-agency")
        hidden, nowhere = (program.get(f"/placements/{each}") for each in (other.link_id, uuid4()))
        assert (hidden.status_code, hidden.data) == (404, nowhere.data)


class TestSwapGroups:
    def test_tell_who_owes_whom_and_why(self, program_of: ProgramOf, factories: Factories, database: Database) -> None:
        ground = make_ground(factories, database)
        place(factories, database, ground.devon, ground.dorset)
        place(factories, database, ground.devon, ground.dorset, months=(40,))
        program, outsider = program_of(ground.devon, "swaps.read"), program_of(ground.outsider)

        (listed,) = told(program.get("/swap-groups"))["items"]
        found = program.get(f"/swap-groups/{listed['id']}").json

        assert found
        assert (found["basis"], found["members"]) == (Basis.MOVING_IN, sorted((ground.devon.name, ground.dorset.name)))
        over_all, pair = found["balances"]
        assert (over_all["other"], over_all["placements"]) == (None, -1)
        assert (pair["other"], pair["children"]) == (ground.dorset.name, -1)
        assert sorted(each["counts"] for each in found["placements"]) == [False, True]
        assert all("under three" in each["words"] for each in found["placements"])
        assert outsider.get("/swap-groups").json == {"items": []}
        hidden, nowhere = (outsider.get(f"/swap-groups/{each}") for each in (listed["id"], uuid4()))
        assert (hidden.status_code, hidden.data) == (404, nowhere.data)
        assert program.get("/links").status_code == 403


NOT_FOR_PROGRAMS = "urn:concord:not-for-programs"


def _start(factories: Factories, database: Database, pairing: Pairing) -> object:
    household_id = factories.household(pairing.family)
    with transaction(database, pairing.family) as session:
        group, household = get_group(session, pairing.group_id), get_household(session, household_id)
        return start_link(session, group=group, household=household, reason="They asked.", now=utc_now()).id
