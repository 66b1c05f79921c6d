from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from matching.pack import PackFormat, get_pack, keep_files
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories
from tests.platform.api.program import Program

ProgramOf = Callable[..., Program]


class TestMeetings:
    def test_are_arranged_by_the_office_and_read_by_members(self, program_of: ProgramOf, factories: Factories) -> None:
        consortium_id = factories.consortium()
        office = program_of(factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE))
        member, stranger = program_of(factories.tenant(consortium_id)), program_of(factories.two_tenants()[0])
        day = utc_now().date() + timedelta(days=30)
        wanted = {"title": "January", "held_on": day.isoformat(), "place": "Sample Hall"}

        made = office.send("/meetings", wanted)

        assert made.status_code == 201
        assert member.send("/meetings", wanted).status_code == 403
        past = office.send("/meetings", {**wanted, "held_on": "2020-01-01"})
        assert (past.status_code, (past.json or {})["type"]) == (422, "urn:concord:meeting-invalid")
        assert member.items("/meetings") == [made.json]
        assert stranger.items("/meetings") == []

    def test_have_packs_that_each_agency_downloads_for_itself(
        self, program_of: ProgramOf, factories: Factories, database: Database
    ) -> None:
        consortium_id = factories.consortium()
        office = program_of(factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE))
        member, neighbour = (program_of(factories.tenant(consortium_id)) for _ in range(2))
        day = (utc_now().date() + timedelta(days=30)).isoformat()
        meeting = (office.send("/meetings", {"title": "May", "held_on": day, "place": "Hall"}).json or {})["id"]

        asked = member.send(f"/meetings/{meeting}/packs")
        again = member.send(f"/meetings/{meeting}/packs")

        assert (asked.status_code, again.status_code) == (202, 202)
        (pack,) = (asked.json or {})["own"]
        assert [each["id"] for each in (again.json or {})["own"]] == [pack["id"]]
        assert member.get(f"/packs/{pack['id']}/pdf").status_code == 409
        with database.transaction(member.tenant.scope) as session:
            files = {PackFormat.PDF: b"%PDF a pack", PackFormat.XLSX: b"a pack"}
            keep_files(session, get_pack(session, UUID(pack["id"])), files=files, ranking_run_id=None, now=utc_now())
        taken = member.get(f"/packs/{pack['id']}/pdf")
        assert (taken.status_code, taken.data, taken.mimetype) == (200, b"%PDF a pack", "application/pdf")
        for other in (neighbour, office):
            assert other.get(f"/packs/{pack['id']}/pdf").status_code == 404
            assert other.get(f"/packs/{pack['id']}").status_code == 404
        told = office.get(f"/meetings/{meeting}/packs").json
        assert told
        assert [(each["agency"], each["version"]) for each in told["others"]] == [(member.tenant.name, 1)]
        assert neighbour.get(f"/meetings/{meeting}/packs").json == {"own": [], "others": [], "busy": False}
