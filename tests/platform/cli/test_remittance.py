"""``concord remittance import`` as an operator meets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from matching.fee.remittance.line import list_lines
from tenants.database import Database
from tenants.job import Job, get_job
from tenants.scope import Scope
from tests.factories import Factories
from tests.matching.fee.remittance.samples import MT940, csv_of
from tests.platform.cli.run import answer, run
from tests.platform.cli.test_docs import example
from workers.handler import HANDLERS
from workers.runner import JobRunner


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    """Do each job as soon as it is waited for."""

    def do_job(_database: Database, scope: Scope, job_id: UUID, **_words: Any) -> Job:
        assert JobRunner(database, HANDLERS).run(job_id)
        with database.transaction(scope) as session:
            return get_job(session, job_id)

    monkeypatch.setattr("concord.cli.import_run.wait_for_job", do_job)


@pytest.mark.usefixtures("on_servers", "worker")
class TestImport:
    def test_takes_a_file_once_and_says_what_became_of_it(
        self, database: Database, factories: Factories, tmp_path: Path
    ) -> None:
        ours, theirs = factories.two_tenants()
        bank, table, broken = tmp_path / "may.sta", tmp_path / "may.csv", tmp_path / "broken.sta"
        bank.write_bytes(MT940)
        table.write_bytes(csv_of([("02/04/2026", "DEVON CC", "INV-1", "10.00")]))
        broken.write_bytes(MT940.replace(b"27889,50", b"1,00"))

        first, again = (answer("remittance", "import", str(bank), "--agency", ours.slug) for _ in range(2))
        known = run("remittance", "import", str(bank), "--agency", ours.slug)
        unsure = run("remittance", "import", str(table), "--agency", ours.slug)
        accepted = run("remittance", "import", str(table), "--agency", ours.slug, "--accept")

        documented: dict[str, Any] = example("remittance import")
        assert first == again
        assert "Nothing was taken again." in known.stdout
        assert first == {**documented, "id": first["id"]}
        assert unsure.exit_code == 4
        assert "what its columns hold" in unsure.stdout
        assert (accepted.exit_code, accepted.stdout.splitlines()[-1]) == (
            0,
            "Lines: 1; 1 came in (£10.00), 0 went out (£0.00), 0 were in an earlier file.",
        )
        back = ["remittance", "take-back", first["id"], "--reason", "The wrong account’s.", "--agency"]
        assert run(*back, theirs.slug).exit_code == 1
        assert "may.sta is taken back. Its lines: taken back with its file: 3." in run(*back, ours.slug).stdout
        assert answer(*back, ours.slug)["state"] == "taken_back"
        refused = run("remittance", "import", str(broken), "--agency", ours.slug)
        assert refused.exit_code == 1
        assert "A line may be missing" in refused.stderr
        with database.transaction(ours.scope) as session:
            assert len(list_lines(session)) == 4
        with database.transaction(theirs.scope) as session:
            assert list_lines(session) == []
