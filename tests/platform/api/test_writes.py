"""Writing by the API: once for each key, whatever arrives at once or is killed between."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from matching.ranking_run import RankingRun
from tenants import api_answer, audit
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.platform.api.program import Program

ProgramOf = Callable[..., Program]
Tenants = tuple[Tenant, Tenant]
SHEET = b"Reference,Status\nA1,waiting\n"


def runs_of(database: Database, tenant: Tenant) -> int:
    with database.transaction(tenant.scope) as session:
        return len(session.scalars(select(RankingRun)).all())


class TestIdempotencyKey:
    def test_does_it_once_and_answers_alike(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        group = factories.group(two_tenants[0])
        program = program_of(two_tenants[0])

        first, again = (program.send(f"/groups/{group}/rankings", {"top": 3}, key="k1") for _ in range(2))
        other = program.send(f"/groups/{group}/rankings", {"top": 3}, key="k2")

        assert first.status_code == 201
        assert (first.data, first.location, first.status_code) == (again.data, again.location, again.status_code)
        assert other.data != first.data
        assert runs_of(database, two_tenants[0]) == 2

    def test_refuses_another_request_under_it(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories
    ) -> None:
        group, second = (factories.group(two_tenants[0]) for _ in range(2))
        program = program_of(two_tenants[0])
        program.send(f"/groups/{group}/rankings", {"top": 3}, key="k")

        for path, body in ((group, {"top": 4}), (second, {"top": 3})):
            refused = program.send(f"/groups/{path}/rankings", body, key="k")
            assert refused.status_code == 422
            assert (refused.json or {})["type"] == "urn:concord:idempotency-key-taken"

    def test_is_each_clients_own(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        ours, theirs = two_tenants
        group = factories.group(theirs)

        made = [program_of(each).send(f"/groups/{group}/rankings", {}, key="k") for each in (ours, ours, theirs)]

        assert [each.status_code for each in made] == [201, 201, 201]
        assert len({each.data for each in made}) == 3

    def test_does_it_once_when_all_arrive_at_once(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        group = factories.group(two_tenants[0])
        program = program_of(two_tenants[0])

        def ask(_: int) -> TestResponse:
            rival = Program.__new__(Program)
            rival.http, rival.token = program.http.application.test_client(), program.token
            return rival.send(f"/groups/{group}/rankings", {"top": 3}, key="race")

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(ask, range(6)))

        assert {each.status_code for each in answers} == {201}
        assert len({each.data for each in answers}) == 1
        assert runs_of(database, two_tenants[0]) == 1

    def test_leaves_nothing_when_the_first_is_killed(
        self,
        program_of: ProgramOf,
        two_tenants: Tenants,
        factories: Factories,
        database: Database,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        group = factories.group(two_tenants[0])
        program = program_of(two_tenants[0])

        with monkeypatch.context() as dying:

            def die(*_: Any, **__: Any) -> None:
                raise SystemExit

            dying.setattr("concord.api.operation.keep_answer", die)
            with pytest.raises(SystemExit):
                program.send(f"/groups/{group}/rankings", {"top": 3}, key="k")
        assert runs_of(database, two_tenants[0]) == 0

        assert program.send(f"/groups/{group}/rankings", {"top": 3}, key="k").status_code == 201
        assert runs_of(database, two_tenants[0]) == 1

    def test_is_forgotten_after_a_day(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        group = factories.group(two_tenants[0])
        program = program_of(two_tenants[0])
        program.send(f"/groups/{group}/rankings", {"top": 3}, key="k")

        assert timedelta(hours=24) == api_answer.KEPT_FOR
        monkeypatch.setattr(api_answer, "KEPT_FOR", timedelta())

        assert program.send(f"/groups/{group}/rankings", {"top": 4}, key="k").status_code == 201

    def test_says_who_is_still_being_answered(
        self,
        program_of: ProgramOf,
        two_tenants: Tenants,
        factories: Factories,
        database: Database,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        group = factories.group(two_tenants[0])
        program = program_of(two_tenants[0])
        monkeypatch.setattr(api_answer, "_WAIT", "50ms")

        with database.transaction(two_tenants[0].scope) as session:
            api_answer._lock(session, f"api {program.made.client.id} k")
            refused = program.send(f"/groups/{group}/rankings", {"top": 3}, key="k")

        assert (refused.status_code, (refused.json or {})["type"]) == (409, "urn:concord:idempotency-key-busy")

    @pytest.mark.parametrize("key", ["", "with space", "x" * 201, "\N{SNOWMAN}".encode().decode("latin-1")])
    def test_is_plain_text(self, program_of: ProgramOf, two_tenants: Tenants, key: str) -> None:
        program = program_of(two_tenants[0])
        headers = {"Authorization": f"Bearer {program.token}", "Idempotency-Key": key}

        refused = program.http.post("/api/v1/meetings", json={}, headers=headers)

        assert refused.status_code in {400, 422}

    def test_is_wanted(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        group = factories.group(two_tenants[0])
        program = program_of(two_tenants[0])

        refused = program.http.post(
            f"/api/v1/groups/{group}/rankings", json={}, headers={"Authorization": f"Bearer {program.token}"}
        )

        assert refused.status_code == 400
        assert [each["pointer"] for each in (refused.json or {})["errors"]] == ["headers/Idempotency-Key"]


class TestIfMatch:
    def test_lets_a_change_of_what_was_read_pass_once(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, database: Database
    ) -> None:
        household = factories.household(two_tenants[0])
        program = program_of(two_tenants[0])
        path = f"/households/{household}/availability"
        seen = program.get(path).headers["ETag"]
        said = {"available": True, "considered_for": 2}

        done = program.send(path, said, method="PUT", headers={"If-Match": seen})
        stale = program.send(path, said, method="PUT", headers={"If-Match": seen})

        assert (done.status_code, stale.status_code) == (200, 412)
        assert done.json == program.get(path).json
        assert done.json
        assert done.json["considered_for"] == 2
        with database.transaction(two_tenants[0].scope) as session:
            acts = [each.act for each in audit.list_entries_of(session, household) if each.actor_client_id]
        assert acts == [audit.Act.CHANGE]

    def test_is_wanted(self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories) -> None:
        household = factories.household(two_tenants[0])

        refused = program_of(two_tenants[0]).send(
            f"/households/{household}/availability", {"available": False}, method="PUT"
        )

        assert refused.status_code == 428


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"top": 3, "more": 1}, "#/more"),
            ({"top": "3"}, "#/top"),
            ({"top": 0}, "#/top"),
            ({"top": True}, "#/top"),
            ({"top": None}, "#/top"),
            ([], "#"),
        ],
    )
    def test_refuse_what_nobody_knows(
        self, program_of: ProgramOf, two_tenants: Tenants, factories: Factories, body: object, pointer: str
    ) -> None:
        group = factories.group(two_tenants[0])

        refused = program_of(two_tenants[0]).send(f"/groups/{group}/rankings", body)

        assert refused.status_code == 422
        assert [each["pointer"] for each in (refused.json or {})["errors"]] == [pointer]

    def test_are_json(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0])
        path = f"/groups/{uuid4()}/rankings"

        as_form = program.send(path, data={"top": "3"})
        broken = program.send(path, data="{", content_type="application/json")

        assert (as_form.status_code, broken.status_code) == (415, 400)
        assert {each.mimetype for each in (as_form, broken)} == {"application/problem+json"}

    def test_are_not_too_large(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0])
        query = {"kind": "households", "filename": "a.csv"}

        refused = program.send(
            "/imports", data=b"x" * (21 * 2**20), content_type="application/octet-stream", query_string=query
        )

        assert (refused.status_code, refused.mimetype) == (413, "application/problem+json")


class TestHandIn:
    def test_asks_for_a_job_and_shows_it_to_its_agency_alone(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        ours, theirs = two_tenants
        program, other = program_of(ours), program_of(theirs)

        taken = hand_in(program)

        assert taken.status_code == 202
        run_id = UUID((taken.json or {})["id"])
        assert taken.location == f"http://localhost/api/v1/imports/{run_id}"
        assert [each["id"] for each in program.items("/imports")] == [str(run_id)]
        job = program.get(f"/imports/{run_id}/job").json or {}
        assert (job["kind"], job["state"]) == ("import", "waiting")
        assert [each["id"] for each in program.items("/jobs")] == [job["id"]]
        assert (other.items("/imports"), other.items("/jobs")) == ([], [])

    def test_is_refused_to_a_token_for_the_other_kind(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0], "children.import")

        assert hand_in(program).status_code == 403
        assert hand_in(program, kind="children").status_code == 202


def hand_in(program: Program, kind: str = "households") -> TestResponse:
    query = {"kind": kind, "filename": "sheet.csv"}
    return program.send("/imports", data=SHEET, content_type="application/octet-stream", query_string=query)
