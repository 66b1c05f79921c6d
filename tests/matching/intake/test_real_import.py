from __future__ import annotations

import pytest

from matching.household import count_households
from matching.intake.column import SheetKind
from matching.intake.import_run import ImportRun, request_import
from matching.intake.import_work import perform_import
from matching.intake.real_import import NothingToImport, import_for_real, worth_importing
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant, transaction
from tests.matching.intake.writing import csv_file, headings_of


class TestImportForReal:
    def test_takes_the_very_file_that_was_checked(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        checked = run_of(database, us, sheet("D-1", "06/01/2025"))

        with transaction(database, us) as session:
            real = import_for_real(session, checked, now=NOW)
            perform_import(session, real, progress=lambda *_told: None, now=NOW)
            assert (real.dry_run, real.digest, real.added) == (False, checked.digest, 1)
            assert count_households(session) == 1
        with transaction(database, them) as session:
            assert count_households(session, own_agency=them.id) == 0

    def test_refuses_a_check_that_found_nothing_to_save(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        all_refused = run_of(database, us, sheet("D-1", "nonsense"))
        unreadable = run_of(database, us, b"nothing like a sheet")
        real = run_of(database, us, sheet("D-1", "06/01/2025"), dry_run=False)
        unfinished = ImportRun(dry_run=True, finished_at=None)

        for run in (all_refused, unreadable, real, unfinished):
            assert not worth_importing(run)
            with transaction(database, us) as session, pytest.raises(NothingToImport):
                import_for_real(session, run, now=NOW)


def sheet(reference: str, approved_on: str) -> bytes:
    """Return a sheet of one household."""
    headings = headings_of(SheetKind.HOUSEHOLDS)
    row = {"Reference": reference, "Adopter 1 name": "Alder Example", "Approved on": approved_on, "Status": "waiting"}
    return csv_file([headings, [row.get(heading) for heading in headings]])


def run_of(database: Database, tenant: Tenant, content: bytes, *, dry_run: bool = True) -> ImportRun:
    """Return an import that has ended."""
    with transaction(database, tenant) as session:
        run = request_import(
            session, kind=SheetKind.HOUSEHOLDS, filename="a.csv", content=content, dry_run=dry_run, now=NOW
        )
        return perform_import(session, run, progress=lambda *_told: None, now=NOW)
