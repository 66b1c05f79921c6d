from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from matching.meeting import arrange_meeting, list_meetings
from matching.pack import BUILD_JOB, PackFormat, keep_files, list_packs, request_pack
from matching.pack_progress import packs_of
from tenants.agency import AgencyKind
from tenants.audit import Act, list_entries_of
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import JobState, get_job, list_jobs
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.page import Page
from tests.platform.web.equal import page_of, same_but_for_the_reference, typed_in
from tests.site import Visitor
from workers.handler import HANDLERS
from workers.runner import JobRunner

Visit = Callable[[Tenant], Visitor]
GOOD = {
    "title": "March meeting",
    "held_on": ["27", "3", "2031"],
    "place": "By video",
    "agenda": "Welcome\n\nNew groups\n",
}


class TestIndex:
    def test_shows_what_is_to_come_first(self, visit_as: Visit, consortium: Consortium) -> None:
        visitor = visit_as(consortium.us)

        visitor.get("/meetings")

        assert "Summer meeting" in page_of(visitor).text
        assert "Arrange a meeting" not in page_of(visitor).text

    @pytest.mark.usefixtures("consortium")
    def test_shows_no_meeting_of_another_consortium(self, visit_as: Visit, factories: Factories) -> None:
        stranger = factories.tenant(factories.consortium())
        visitor = visit_as(stranger)

        visitor.get("/meetings")

        assert "Summer meeting" not in page_of(visitor).html
        assert "No meeting is arranged." in page_of(visitor).text


class TestArrange:
    def test_arranges_a_meeting(self, visit_as: Visit, consortium: Consortium, database: Database) -> None:
        visitor = visit_as(consortium.office)
        visitor.get("/meetings/new")

        response = visitor.post("/meetings/new", GOOD)

        assert response.status_code == 303
        with transaction(database, consortium.us) as session:
            meeting = next(each for each in list_meetings(session) if each.title == "March meeting")
        assert response.location == f"/meetings/{meeting.id}"
        assert meeting.agenda == ["Welcome", "New groups"]

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"title": " "}, "Enter a title"),
            ({"title": "x" * 201}, "A title has at most 200 characters"),
            ({"held_on": ["", "", ""]}, "Enter the day, month and year of the meeting"),
            ({"held_on": ["31", "2", "2031"]}, "Enter a real date, for example 27 3 2027"),
            ({"held_on": ["1", "1", "99999"]}, "Enter a real date, for example 27 3 2027"),
            ({"held_on": ["1", "1", "2020"]}, "01/01/2020 has passed"),
            ({"held_on": "1"}, "Enter the day, month and year of the meeting"),
            ({"held_on": ["1", "2", "3", "4"]}, "Enter a real date, for example 27 3 2027"),
            ({"place": ""}, "Enter a place"),
            ({"agenda": "\n \n"}, "Enter at least one point"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, wrong: dict[str, object], words: str, visit_as: Visit, consortium: Consortium
    ) -> None:
        visitor = visit_as(consortium.office)
        visitor.get("/meetings/new")
        form = {**GOOD, "place": "A <b>hall</b>", **wrong}

        response = visitor.post("/meetings/new", form)

        page = page_of(visitor)
        assert response.status_code == 422
        assert page.title.startswith("Error: ")
        assert words in page.text
        assert typed_in(page, "place") == form["place"]
        assert [link for link in page.links().values() if link.startswith("#") and link[1:] not in ids(page)] == []

    def test_is_for_a_coordinator_alone(self, visit_as: Visit, factories: Factories) -> None:
        finder = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))

        assert visit_as(finder).get("/meetings/new").status_code == 403

    def test_is_for_the_consortium_office_alone(self, visit_as: Visit, consortium: Consortium) -> None:
        visitor = visit_as(consortium.us)

        assert visitor.get("/meetings/new").status_code == 403
        assert "The consortium office arranges this." in page_of(visitor).text
        visitor.get(consortium.path)
        assert visitor.post("/meetings/new", GOOD).status_code == 403


class TestShow:
    def test_shows_the_agenda_and_that_there_is_no_pack(self, visit_as: Visit, consortium: Consortium) -> None:
        visitor = visit_as(consortium.us)

        visitor.get(consortium.path)

        assert "Welcome and apologies" in page_of(visitor).text
        assert "No pack has been made for your agency yet." in page_of(visitor).text
        assert "Build our pack" in page_of(visitor).text

    def test_shows_progress_while_a_pack_is_made_and_no_second_button(
        self, visit_as: Visit, consortium: Consortium
    ) -> None:
        visitor = visit_as(consortium.us)
        visitor.get(consortium.path)

        visitor.post(f"{consortium.path}/packs")
        visitor.get(consortium.path)

        assert "Being made Waiting to begin" in page_of(visitor).text
        assert "Build" not in page_of(visitor).text
        assert page_of(visitor).links()["Load it again"] == consortium.path

    def test_offers_a_finished_pack(self, visit_as: Visit, consortium: Consortium) -> None:
        consortium.build(consortium.us)
        visitor = visit_as(consortium.us)

        visitor.get(consortium.path)

        assert page_of(visitor).links()["PDF of version 1"].endswith("/pdf")
        assert page_of(visitor).links()["Spreadsheet of version 1"].endswith("/xlsx")
        assert "Build a new version" in page_of(visitor).text

    def test_says_why_a_pack_failed_and_lets_it_be_made_again(
        self, visit_as: Visit, consortium: Consortium, database: Database
    ) -> None:
        visitor = visit_as(consortium.us)
        visitor.get(consortium.path)
        visitor.post(f"{consortium.path}/packs")
        job_id = consortium.fail(consortium.us)

        visitor.get(consortium.path)
        assert "It could not be done." in page_of(visitor).text
        assert "Build" not in page_of(visitor).text
        visitor.post(f"{consortium.path}/jobs/{job_id}/again")

        with transaction(database, consortium.us) as session:
            assert get_job(session, job_id).state is JobState.WAITING

    def test_shows_an_agency_nothing_of_anothers_pack(self, visit_as: Visit, consortium: Consortium) -> None:
        consortium.build(consortium.them)
        visitor = visit_as(consortium.us)

        visitor.get(consortium.path)

        assert consortium.them.name not in page_of(visitor).html
        assert "No pack has been made for your agency yet." in page_of(visitor).text

    def test_shows_the_office_whose_packs_are_ready_and_no_way_into_them(
        self, visit_as: Visit, consortium: Consortium
    ) -> None:
        theirs = consortium.build(consortium.them)
        consortium.ask(consortium.us)
        visitor = visit_as(consortium.office)

        visitor.get(consortium.path)

        text = page_of(visitor).text
        assert "1 of 2 agencies’ packs are ready." in text
        assert f"{consortium.them.name} 1 Ready" in text
        assert f"{consortium.us.name} 1 Not ready yet" in text
        assert str(theirs) not in page_of(visitor).html

    def test_is_the_same_for_another_consortiums_meeting_as_for_none(
        self, visit_as: Visit, consortium: Consortium, factories: Factories
    ) -> None:
        visitor = visit_as(factories.tenant(factories.consortium()))

        of_theirs, of_none = visitor.get(consortium.path), visitor.get(f"/meetings/{uuid4()}")

        assert of_theirs.status_code == 404
        assert same_but_for_the_reference(of_theirs, of_none)


class TestBuild:
    def test_asks_once_however_often_it_is_pressed(
        self, visit_as: Visit, consortium: Consortium, database: Database
    ) -> None:
        visitor = visit_as(consortium.us)
        visitor.get(consortium.path)

        for _ in range(3):
            assert visitor.post(f"{consortium.path}/packs").location == f"{consortium.path}#packs"

        with transaction(database, consortium.us) as session:
            assert [pack.version for pack in list_packs(session, consortium.meeting_id)] == [1]

    def test_makes_the_next_version_once_the_last_is_made(
        self, visit_as: Visit, consortium: Consortium, database: Database
    ) -> None:
        consortium.build(consortium.us)
        visitor = visit_as(consortium.us)
        visitor.get(consortium.path)

        visitor.post(f"{consortium.path}/packs")

        with transaction(database, consortium.us) as session:
            assert [pack.version for pack in list_packs(session, consortium.meeting_id)] == [2, 1]

    def test_asks_for_every_agencys_pack_as_the_office(
        self, visit_as: Visit, consortium: Consortium, database: Database
    ) -> None:
        visitor = visit_as(consortium.office)
        visitor.get(consortium.path)
        for _ in range(2):
            visitor.post(f"{consortium.path}/packs")
        visitor.get(consortium.path)
        assert "Asking for each agency’s pack: waiting to begin." in page_of(visitor).text

        with transaction(database, consortium.office) as session:
            (asked,) = list_jobs(session)
        JobRunner(database, HANDLERS).run(asked.id)
        visitor.get(consortium.path)

        assert "0 of 2 agencies’ packs are ready." in page_of(visitor).text
        assert "Build new packs for every agency" in page_of(visitor).text

    def test_is_not_for_an_adopters_worker(self, visit_as: Visit, consortium: Consortium, factories: Factories) -> None:
        assert consortium.us.scope.consortium_id
        worker = factories.tenant(consortium.us.scope.consortium_id, roles=frozenset({Role.ADOPTERS_WORKER}))
        visitor = visit_as(worker)

        visitor.get(consortium.path)
        assert "Build our pack" not in page_of(visitor).text

        assert visitor.post(f"{consortium.path}/packs").status_code == 403


class TestAgain:
    def test_is_not_there_for_anothers_job_nor_for_a_job_of_something_else(
        self, visit_as: Visit, consortium: Consortium
    ) -> None:
        consortium.ask(consortium.them)
        theirs = consortium.fail(consortium.them)
        visitor = visit_as(consortium.us)
        visitor.get(consortium.path)

        assert visitor.post(f"{consortium.path}/jobs/{theirs}/again").status_code == 404
        assert visitor.post(f"{consortium.path}/jobs/{uuid4()}/again").status_code == 404

    def test_refuses_a_job_that_has_not_failed(self, visit_as: Visit, consortium: Consortium) -> None:
        pack_job = consortium.ask(consortium.us)
        visitor = visit_as(consortium.us)
        visitor.get(consortium.path)

        assert visitor.post(f"{consortium.path}/jobs/{pack_job}/again").status_code == 409


class TestFetch:
    def test_hands_out_the_file_and_records_it(
        self, visit_as: Visit, consortium: Consortium, database: Database
    ) -> None:
        pack_id = consortium.build(consortium.us)

        response = visit_as(consortium.us).get(f"/packs/{pack_id}/pdf")

        assert response.data == b"%PDF of a test"
        assert response.mimetype == "application/pdf"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"].startswith("attachment; filename=matching-meeting-")
        assert "pack-1.pdf" in response.headers["Content-Disposition"]
        with transaction(database, consortium.us) as session:
            assert Act.DOWNLOAD in {entry.act for entry in list_entries_of(session, pack_id)}

    def test_is_gone_when_its_days_are_over_and_the_meetings_page_says_so(
        self, visit_as: Visit, consortium: Consortium, database: Database
    ) -> None:
        then = utc_now() - timedelta(days=90)
        with transaction(database, consortium.office) as session:
            old = arrange_meeting(session, title="Old", held_on=then.date(), place="Sample Hall", now=then)
        with transaction(database, consortium.us) as session:
            pack = request_pack(session, old, now=then)
            files = dict.fromkeys(PackFormat, b"of a test")
            keep_files(session, pack, files=files, ranking_run_id=None, now=then)
        visitor = visit_as(consortium.us)

        response = visitor.get(f"/packs/{pack.id}/pdf")

        assert response.status_code == 410
        assert "destroy the copies that you saved or printed" in page_of(visitor).text
        visitor.get(f"/meetings/{old.id}")
        assert "Destroyed" in page_of(visitor).text
        assert f"/packs/{pack.id}" not in page_of(visitor).html

    def test_is_the_same_for_anothers_pack_as_for_none(self, visit_as: Visit, consortium: Consortium) -> None:
        theirs = consortium.build(consortium.them)
        for tenant in (consortium.us, consortium.office):
            visitor = visit_as(tenant)

            of_theirs, of_none = visitor.get(f"/packs/{theirs}/xlsx"), visitor.get(f"/packs/{uuid4()}/xlsx")

            assert of_theirs.status_code == 404
            assert same_but_for_the_reference(of_theirs, of_none)

    def test_says_that_a_pack_is_still_being_made(
        self, visit_as: Visit, consortium: Consortium, database: Database
    ) -> None:
        consortium.ask(consortium.us)
        with transaction(database, consortium.us) as session:
            (pack,) = list_packs(session, consortium.meeting_id)

        assert visit_as(consortium.us).get(f"/packs/{pack.id}/pdf").status_code == 409

    def test_knows_no_other_format(self, visit_as: Visit, consortium: Consortium) -> None:
        assert visit_as(consortium.us).get(f"/packs/{uuid4()}/docx").status_code == 404


@dataclass(frozen=True)
class Consortium:
    """Two agencies and an office with one meeting to come."""

    database: Database
    us: Tenant
    them: Tenant
    office: Tenant
    meeting_id: UUID

    @property
    def path(self) -> str:
        """Return where the meeting's page is."""
        return f"/meetings/{self.meeting_id}"

    def ask(self, tenant: Tenant) -> UUID:
        """Ask for a tenant's pack and return its job."""
        with transaction(self.database, tenant) as session:
            meeting = next(each for each in list_meetings(session) if each.id == self.meeting_id)
            return request_pack(session, meeting, now=utc_now()).job_id

    def build(self, tenant: Tenant) -> UUID:
        """Have a tenant's pack, with files of a few bytes, and return its id."""
        files = {PackFormat.PDF: b"%PDF of a test", PackFormat.XLSX: b"PK of a test"}
        with transaction(self.database, tenant) as session:
            meeting = next(each for each in list_meetings(session) if each.id == self.meeting_id)
            pack = request_pack(session, meeting, now=utc_now())
            keep_files(session, pack, files=files, ranking_run_id=None, now=utc_now())
            return pack.id

    def fail(self, tenant: Tenant) -> UUID:
        """Let the job of a tenant's pack fail, and return it."""
        with transaction(self.database, tenant) as session:
            job_id = next(job.id for job in list_jobs(session) if job.kind == BUILD_JOB)
        JobRunner(self.database, {}).run(job_id)
        with transaction(self.database, tenant) as session:
            meeting = next(each for each in list_meetings(session) if each.id == self.meeting_id)
            assert packs_of(session, meeting).own[0].failed
        return job_id


@pytest.fixture
def consortium(factories: Factories, database: Database) -> Consortium:
    consortium_id = factories.consortium()
    us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE, roles=frozenset({Role.COORDINATOR}))
    with transaction(database, office) as session:
        meeting_id = arrange_meeting(
            session,
            title="Summer meeting",
            held_on=utc_now().date() + timedelta(days=20),
            place="Community hall",
            now=utc_now(),
        ).id
    return Consortium(database, us, them, office, meeting_id)


def ids(page: Page) -> set[str]:
    return {element.get("id", "") for element in page.root.iter()}
