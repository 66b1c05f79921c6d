"""What was released is typeset and kept, sealed; what was not leaves in neither file."""

from __future__ import annotations

from datetime import timedelta

from matching.subject_access.export import FileFormat, download_export, list_exports, request_export
from matching.subject_access.item import Decision, decide_item, opened_items
from matching.subject_access.request import get_request
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import JobState, get_job
from tests.factories import NOW, Factories, transaction
from tests.matching.subject_access.asking import gathered, looked_through
from tests.workers.document.pdf_reading import text_of
from workers.answer_keeping import destroy_answers
from workers.handler import HANDLERS
from workers.runner import JobRunner


class TestMakeAnswer:
    def test_holds_what_was_released_and_nothing_else(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request = gathered(database, ours, factories.household(ours, profile="Two dogs, a pond and #panic() in Łódź."))
        looked_through(database, ours, request)
        with transaction(database, ours) as session:
            found = get_request(session, request.id)
            profile = next(s.item for s in opened_items(session, found) if s.item.title == "The anonymous profile")
            decide_item(session, found, profile, decision=Decision.RELEASE, reason="It is about them", now=NOW)
            job_id = request_export(session, found, now=NOW)

        assert JobRunner(database, HANDLERS).run(job_id) is True

        with transaction(database, ours) as session:
            found = get_request(session, request.id)
            assert get_job(session, job_id).state is JobState.DONE
            pdf = text_of(download_export(session, found, FileFormat.PDF, now=utc_now()))
            plain = download_export(session, found, FileFormat.JSON, now=utc_now()).decode()
        assert "Twodogs,apondand#panic()inŁódź." in pdf.replace(" ", "").replace("\n", "")
        assert "Two dogs, a pond" in plain
        assert "Alder" not in pdf + plain


class TestDestroyAnswers:
    def test_destroys_those_whose_days_are_over(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request = gathered(database, ours, factories.household(ours))
        looked_through(database, ours, request)
        with transaction(database, ours) as session:
            job_id = request_export(session, get_request(session, request.id), now=NOW)
        JobRunner(database, HANDLERS, clock=lambda: NOW).run(job_id)

        left = []
        for days in (28, 29):
            destroy_answers(database, now=NOW + timedelta(days=days))
            with transaction(database, ours) as session:
                left.append(len(list_exports(session, get_request(session, request.id), on=NOW.date())))

        assert left == [2, 0]
