from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from matching.record_audit import read_group_audit
from tenants import audit
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant
from tests.platform.api.program import Program
from workers.claim import scope_of_job


class TestAuditOfARecord:
    def test_names_ones_own_programs_and_no_others(
        self,
        program_of: Callable[..., Program],
        two_tenants: tuple[Tenant, Tenant],
        factories: Factories,
        database: Database,
    ) -> None:
        ours, _ = two_tenants
        group = factories.group(ours)
        for tenant in two_tenants:
            assert program_of(tenant).get(f"/groups/{group}").status_code == 200

        with database.transaction(ours.scope) as session:
            _, page = read_group_audit(session, group, number=1, now=NOW)

        said = {line.person for line in page.cards if line.what == "Read the anonymous profile"}
        assert said == {"Case system (API)", "A program of theirs"}


class TestAuditOfAJob:
    def test_names_the_client_that_asked_for_it(
        self, program_of: Callable[..., Program], two_tenants: tuple[Tenant, Tenant], database: Database
    ) -> None:
        program = program_of(two_tenants[0])
        query = {"kind": "households", "filename": "sheet.csv"}

        taken = program.send(
            "/imports", data=b"Reference\nA1\n", content_type="application/octet-stream", query_string=query
        ).json
        assert taken
        job = (program.get(f"/imports/{taken['id']}/job").json or {})["id"]

        scope = scope_of_job(database, UUID(job))
        assert scope
        assert (scope.client_id, scope.agency_id) == (program.made.client.id, two_tenants[0].id)
        with database.transaction(scope) as session:
            audit.record(session, audit.Act.IMPORT, record_kind="import_run", record_id=UUID(taken["id"]), now=NOW)
            entries = audit.list_entries_of(session, UUID(taken["id"]))
        assert {entry.actor_client_id for entry in entries} == {program.made.client.id}
