"""``concord export`` as an operator meets it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from matching.export import export_headings
from matching.intake.column import SHEETS, SheetKind
from tests.factories import Factories
from tests.platform.cli.run import refusal, run


@pytest.mark.usefixtures("on_servers")
class TestExport:
    @pytest.mark.parametrize("kind", SHEETS)
    def test_writes_ones_own_records_to_a_file_of_its_owners_alone(
        self, kind: SheetKind, factories: Factories, tmp_path: Path
    ) -> None:
        us, them = factories.two_tenants()
        for tenant in (us, them):
            factories.household(tenant)
            factories.group(tenant)
        file = tmp_path / "own.csv"

        result = run("export", kind.value, "--agency", us.slug, "-o", str(file))

        assert (result.exit_code, result.stdout) == (0, f"{file}: 1 row.\n")
        rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
        assert tuple(rows[0]) == export_headings(kind)
        assert len(rows) == 2
        assert file.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(("name", "options"), [("own.xlsx", ()), ("own", ()), ("own.csv", ("--format", "xlsx"))])
    def test_writes_a_workbook_unless_the_name_says_csv(
        self, name: str, options: tuple[str, ...], factories: Factories, tmp_path: Path
    ) -> None:
        us, _ = factories.two_tenants()
        file = tmp_path / name

        assert run("export", "households", "--agency", us.slug, "-o", str(file), *options).exit_code == 0
        assert file.read_bytes()[:2] == b"PK"

    def test_narrows_who_may_read_a_file_that_was_there(self, factories: Factories, tmp_path: Path) -> None:
        us, _ = factories.two_tenants()
        file = tmp_path / "own.csv"
        file.write_text("old")
        file.chmod(0o644)

        run("export", "households", "--agency", us.slug, "-o", str(file))

        assert file.stat().st_mode & 0o777 == 0o600

    def test_knows_no_agency_that_is_not_there(self, tmp_path: Path) -> None:
        line = refusal("export", "children", "--agency", "atlantis", "-o", str(tmp_path / "own.csv"))

        assert "There is no agency called “atlantis”" in line
        assert not (tmp_path / "own.csv").exists()
