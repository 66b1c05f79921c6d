"""Banks' files as jobs: all of a file or none of it, and once."""

from __future__ import annotations

from matching.fee.remittance.line import list_lines
from matching.fee.remittance.remittance import Purpose, RemittanceState, get_remittance, request_remittance
from tenants.database import Database
from tenants.job import JobState
from tests.factories import NOW, Factories
from tests.matching.fee.remittance.samples import MT940
from tests.workers.ledger import ask, look
from workers.handler import HANDLERS
from workers.remittance_file import read_remittance
from workers.runner import JobRunner
from workers.work import Interrupted


class TestReadRemittance:
    def test_takes_all_or_nothing_whatever_stops_it(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            asked = request_remittance(session, purpose=Purpose.RECEIPTS, filename="a.sta", content=MT940, now=NOW)
            remittance_id, job_id = asked.id, asked.job_id

        def break_off(session: object, work: object) -> None:
            read_remittance(session, work)  # type: ignore[arg-type]
            raise Interrupted

        assert JobRunner(database, {"remittance": break_off}).run(job_id) is False
        with database.transaction(devon.scope) as session:
            assert list_lines(session, remittance_id=remittance_id) == []
        assert look(database, devon, job_id).state is JobState.WAITING

        again = ask(database, devon, kind="remittance", remittance_id=str(remittance_id))
        assert JobRunner(database, HANDLERS).run(again) is True

        with database.transaction(devon.scope) as session:
            assert get_remittance(session, remittance_id).state is RemittanceState.TAKEN
            assert len(list_lines(session, remittance_id=remittance_id)) == 3
        with database.transaction(dorset.scope) as session:
            assert list_lines(session, remittance_id=remittance_id) == []
