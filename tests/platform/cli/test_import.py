"""``concord import`` as an operator meets it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from click.testing import CliRunner, Result

from concord.cli import main
from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.settings import encode_key
from matching.household import count_households
from matching.intake.sheet import MOST_BYTES
from matching.sibling_group import count_groups
from tenants.database import Database
from tenants.job import Job, get_job, list_jobs
from tenants.scope import Scope
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories, Tenant
from tests.matching.intake.ssda903.returns import Return, episode, header
from workers.handler import HANDLERS
from workers.runner import JobRunner

_VAGUE = "Reference,Zqx\nA,Alder Example\n"
_MIXED = "Reference,Status,Pets\nA,waiting,yes\nB,waiting,purple\n"


@pytest.mark.usefixtures("given")
class TestImport:
    def test_says_what_became_of_the_rows_and_exits_with_3_when_some_were_refused(
        self, database: Database, tenant: Tenant, tmp_path: Path
    ) -> None:
        result = _run("households", tenant, _sheet(tmp_path, _MIXED))

        assert result.exit_code == 3, result.output
        assert result.stdout.splitlines() == [
            "Row 3 refused, Pets, “purple”: expected yes or no",
            "Rows: 1 added, 0 changed, 0 unchanged, 1 refused.",
        ]
        with database.transaction(tenant.scope) as session:
            assert count_households(session) == 1

    def test_exits_with_0_when_every_row_was_taken_and_lists_them_on_demand(
        self, tenant: Tenant, tmp_path: Path
    ) -> None:
        _run("households", tenant, _sheet(tmp_path, "Reference,Status,Pets\nA,waiting,yes\n"))

        result = _run("households", tenant, _sheet(tmp_path, "Reference,Status,Pets\nA,waiting,no\n"), "--rows")

        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            "Row 2 changed:",
            "    Pets: yes → no",
            "Rows: 0 added, 1 changed, 0 unchanged, 0 refused.",
        ]

    def test_keeps_nothing_on_a_dry_run(self, database: Database, tenant: Tenant, tmp_path: Path) -> None:
        result = _run("households", tenant, _sheet(tmp_path, _MIXED), "--dry-run")

        assert "1 added" in result.stdout
        assert "nothing was kept" in result.stdout
        with database.transaction(tenant.scope) as session:
            assert count_households(session) == 0

    def test_answers_programs_in_json(self, tenant: Tenant, tmp_path: Path) -> None:
        result = _run("households", tenant, _sheet(tmp_path, _MIXED), "--json")

        said = json.loads(result.stdout)
        assert result.exit_code == 3
        assert (said["kind"], said["added"], said["refused"], said["refusal"]) == ("households", 1, 1, None)
        assert said["rows"][1] == {
            "sheet": "",
            "row": 3,
            "reference": "B",
            "outcome": "refused",
            "record_id": None,
            "changed": [],
            "problems": [{"sheet": "", "row": 3, "column": "Pets", "value": "purple", "reason": "expected yes or no"}],
            "remarks": [],
        }

    def test_exits_with_1_when_the_whole_file_is_refused(self, tenant: Tenant, tmp_path: Path) -> None:
        result = _run("households", tenant, _sheet(tmp_path, "\x00\x01\n"))

        assert result.exit_code == 1
        assert "sheet.csv was not taken. " in result.stderr

    def test_exits_with_4_when_a_column_is_not_certain_and_says_which(self, tenant: Tenant, tmp_path: Path) -> None:
        result = _run("households", tenant, _sheet(tmp_path, _VAGUE))

        assert result.exit_code == 4
        assert result.stdout.splitlines() == [
            "The sheet: 1 rows.",
            "   A   Reference → Reference (same, 100)",
            " ? B   Zqx → left out",
            "Say what is marked “?” with --column, or take all as they look with --accept.",
        ]
        assert "Say what the columns hold." in result.stderr

    def test_takes_columns_as_the_operator_says(self, tenant: Tenant, tmp_path: Path) -> None:
        sheet = _sheet(tmp_path, _VAGUE)

        checked = _run("households", tenant, sheet, "--column", "zqx=Adopter 1 name", "--dry-run", "--rows")
        taken = _run("households", tenant, sheet, "--column", "B=Adopter 1 name")
        remembered = _run("households", tenant, sheet)

        assert (checked.exit_code, taken.exit_code, remembered.exit_code) == (0, 0, 0), checked.output + taken.output
        assert "nothing was kept" in checked.stdout
        assert "1 added" in taken.stdout
        assert "1 unchanged" in remembered.stdout

    def test_takes_all_as_they_look_on_demand(self, tenant: Tenant, tmp_path: Path) -> None:
        result = _run("households", tenant, _sheet(tmp_path, _VAGUE), "--accept")

        assert result.exit_code == 0, result.output
        assert "left out column B" in result.stdout

    @pytest.mark.parametrize(
        ("words", "answer"),
        [
            (("--column", "nothing=Status"), "No column has the heading or the letter “nothing”"),
            (("--column", "B=Sttus"), "“Sttus” is not a heading"),
            (("--sheet", "Nowhere"), "There is no sheet “Nowhere”"),
            (("--column", "A=-", "--accept"), "choose the column that holds your own reference"),
        ],
    )
    def test_says_what_is_wrong_with_an_answer(
        self, words: tuple[str, ...], answer: str, tenant: Tenant, tmp_path: Path
    ) -> None:
        result = _run("households", tenant, _sheet(tmp_path, _VAGUE), *words)

        assert result.exit_code == 1
        assert answer in result.stderr

    def test_stops_an_import_by_ctrl_c(
        self, database: Database, tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: Any, **__: Any) -> Job:
            raise KeyboardInterrupt

        monkeypatch.setattr("concord.cli.import_run.wait_for_job", interrupted)

        result = _run("households", tenant, _sheet(tmp_path, _MIXED))

        assert result.exit_code != 0
        assert "Stopped: nothing of it is kept." in result.stderr
        with database.transaction(tenant.scope) as session:
            assert [job.state for job in list_jobs(session)] == ["cancelled"]

    def test_takes_children(self, tenant: Tenant, tmp_path: Path) -> None:
        result = _run("children", tenant, _sheet(tmp_path, "Group reference,Child reference\nG1,C1\nG1,C2\n"))
        assert "Rows: 2 added" in result.stdout

    def test_refuses_an_agency_that_nobody_knows_and_a_file_too_large(self, tenant: Tenant, tmp_path: Path) -> None:
        huge = tmp_path / "huge.csv"
        with huge.open("wb") as file:
            file.truncate(MOST_BYTES + 1)

        nobody = _invoke("import", "households", "--agency", "nowhere", str(_sheet(tmp_path, _MIXED)))
        result = _run("households", tenant, huge)

        assert (nobody.exit_code, result.exit_code) == (1, 1)
        assert "no agency called “nowhere”" in nobody.stderr
        assert "larger than 20 MB" in result.stderr


@pytest.mark.usefixtures("given")
class TestUndo:
    def test_takes_a_whole_import_back(self, database: Database, tenant: Tenant, tmp_path: Path) -> None:
        done = json.loads(_run("households", tenant, _sheet(tmp_path, _MIXED), "--json").stdout)

        result = _invoke("import", "undo", "--agency", tenant.slug, done["id"])
        again = _invoke("import", "undo", "--agency", tenant.slug, done["id"])

        assert result.stdout.splitlines() == ["sheet.csv was taken back: 1 removed, 0 put back as before."]
        assert (result.exit_code, again.exit_code) == (0, 1)
        assert "undone already" in again.stderr
        with database.transaction(tenant.scope) as session:
            assert count_households(session, own_agency=tenant.id) == 0

    def test_finds_no_import_of_another_agency(self, factories: Factories, tmp_path: Path) -> None:
        us, them = factories.two_tenants()
        done = json.loads(_run("households", us, _sheet(tmp_path, _MIXED), "--json").stdout)

        result = _invoke("import", "undo", "--agency", them.slug, done["id"])

        assert result.exit_code == 1
        assert "There is no such import in your agency." in result.stderr


@pytest.mark.usefixtures("given")
class TestRefusals:
    def test_are_written_for_their_owner_alone(self, tenant: Tenant, tmp_path: Path) -> None:
        done = json.loads(_run("households", tenant, _sheet(tmp_path, _MIXED), "--json").stdout)
        output = tmp_path / "to-mend.xlsx"

        result = _invoke("import", "refusals", "--agency", tenant.slug, "-o", str(output), done["id"])
        again = _run("households", tenant, output, "--rows")

        assert result.stdout.splitlines() == [f"{output}: 1 refused row."]
        assert output.stat().st_mode & 0o077 == 0
        assert "Row 2 of “Rows to mend” refused, Pets, “purple”" in again.stdout


@pytest.mark.usefixtures("given")
class TestImportReturn:
    def test_takes_a_folder_and_tells_of_each_child(self, database: Database, tenant: Tenant, tmp_path: Path) -> None:
        folder = _return(tmp_path, Return([header(), header("C2"), header("C3", SEX="9")], [episode()], []))

        result = _run("ssda903", tenant, folder)
        again = _run("ssda903", tenant, folder, "--rows")

        assert (result.exit_code, again.exit_code) == (3, 3), result.output
        assert "C3 (row 4 of header.csv) refused" in result.stdout
        assert "    row 4 of header.csv, SEX, “9”: it is no code of SEX" in result.stdout
        assert "Children: 1 added, 0 changed, 0 unchanged, 1 not for adoption, 1 refused." in result.stdout
        assert "C1 (row 2 of header.csv) unchanged" in again.stdout
        assert "C2 (row 3 of header.csv) not for adoption" in again.stdout
        with database.transaction(tenant.scope) as session:
            assert count_groups(session) == 1

    def test_takes_files_handed_in_together_a_zip_and_xml(self, tenant: Tenant, tmp_path: Path) -> None:
        whole = Return()
        folder = _return(tmp_path, whole)
        (tmp_path / "return.zip").write_bytes(whole.packed())
        (tmp_path / "return.xml").write_bytes(whole.xml())

        by_files = _run("ssda903", tenant, folder / "header.csv", str(folder / "episodes.csv"), "--dry-run")
        by_zip = _run("ssda903", tenant, tmp_path / "return.zip", "--dry-run")
        by_xml = _run("ssda903", tenant, tmp_path / "return.xml", "--json")

        assert [each.exit_code for each in (by_files, by_zip, by_xml)] == [0, 0, 0], by_files.output
        assert "Note: There is no table AD1" in by_files.stdout
        assert "1 added" in by_zip.stdout
        said = json.loads(by_xml.stdout)
        assert (said["kind"], said["added"], said["not_for_adoption"]) == ("ssda903", 1, 0)

    def test_refuses_a_return_whole_and_an_empty_folder(self, tenant: Tenant, tmp_path: Path) -> None:
        folder = _return(tmp_path, Return())
        (folder / "episodes.csv").unlink()
        empty = tmp_path / "empty"
        empty.mkdir()

        lacking, none = _run("ssda903", tenant, folder), _run("ssda903", tenant, empty)

        assert (lacking.exit_code, none.exit_code) == (1, 1)
        assert "lacks the table Episodes" in lacking.stderr
        assert "There are no files" in none.stderr


def _return(directory: Path, whole: Return) -> Path:
    folder = directory / "return"
    folder.mkdir()
    for name, content in whole.files().items():
        (folder / name).write_bytes(content)
    return folder


def _run(kind: str, tenant: Tenant, file: Path, *options: str) -> Result:
    return _invoke("import", kind, "--agency", tenant.slug, str(file), *options)


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def _sheet(directory: Path, text: str) -> Path:
    file = directory / "sheet.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def tenant(factories: Factories) -> Tenant:
    """An agency with sheets to hand in; another stands beside it in the consortium."""
    return factories.two_tenants()[0]


@pytest.fixture
def given(
    monkeypatch: pytest.MonkeyPatch, migrated: DatabaseUrls, database: Database, valkey_url: str, tmp_path: Path
) -> Iterator[None]:
    """The session's servers, named by the environment, and a worker that does each job as soon as it is waited for."""
    variables = {
        "CONCORD_DATA_DIR": str(tmp_path / "unused"),
        "CONCORD_PORT": str(free_port()),
        "CONCORD_SCOPE_KEY": encode_key(SCOPE_KEY),
        "CONCORD_MASTER_KEY": encode_key(MASTER_KEY),
        "CONCORD_SECRET_KEY": encode_key(SCOPE_KEY),
        "DATABASE_MIGRATE_URL": migrated.migrate,
        "DATABASE_RELAY_URL": migrated.relay,
        "DATABASE_URL": migrated.app,
        "VALKEY_URL": valkey_url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def do_job(_database: Database, scope: Scope, job_id: UUID, **_words: Any) -> Job:
        assert JobRunner(database, HANDLERS).run(job_id)
        with database.transaction(scope) as session:
            return get_job(session, job_id)

    monkeypatch.setattr("concord.cli.import_run.wait_for_job", do_job)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
