"""A demonstration is set up once, and never among the records of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from concord.demo import DemoPlan, write_demo
from concord.demo.stage import (
    HandedIn,
    NotADemonstrations,
    RowsRefused,
    Stage,
    answer_questions,
    ask_imports,
    check_imports,
    count_register,
    set_stage,
)
from matching.intake.column import SheetKind
from matching.intake.import_run import ImportRun, get_import, list_imports
from matching.intake.import_work import perform_import
from tenants.agency import list_agencies
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import Factories


class TestSetStage:
    def test_keeps_out_of_a_database_with_a_consortium_of_somebodys_own(
        self, database: Database, factories: Factories, tmp_path: Path
    ) -> None:
        plan = write_demo(tmp_path, seed=7, as_of=date(2026, 11, 23), households=1, groups=1)
        factories.two_tenants()
        with database.transaction(OPERATOR) as session:
            before = {agency.id for agency in list_agencies(session)}

        with pytest.raises(NotADemonstrations, match="a data folder of its own"):
            set_stage(database, plan, issuer="http://127.0.0.1:1")

        with database.transaction(OPERATOR) as session:
            assert {agency.id for agency in list_agencies(session)} == before


class TestAskImports:
    def test_every_sheet_is_taken_whichever_its_shape_and_none_twice(
        self, database: Database, plan: DemoPlan, stage: Stage
    ) -> None:
        handed = ask_imports(database, plan, stage)
        runs = perform(database, handed)
        with pytest.raises(RowsRefused, match="Say what the columns hold"):
            check_imports(database, handed)
        assert {run.filename for run in runs if run.needs_mapping} == {
            "somerset-households.xlsx",
            plan.left[1].path.name,
        }

        again = answer_questions(database, handed)
        perform(database, again)
        check_imports(database, [*handed[len(plan.sheets) :], *again])

        households = sum(sheet.rows for sheet in plan.sheets if sheet.kind is SheetKind.HOUSEHOLDS)
        groups = {
            row["Group reference"]
            for (slug, kind), rows in plan.facts.items()
            if kind is SheetKind.CHILDREN and slug in SLUGS
            for row in rows
        }
        returned = next(run for run in runs if run.kind is SheetKind.SSDA903)
        assert count_register(database, stage) == (households, len(groups) + returned.added)

        before = imports(database, stage)
        repeated = ask_imports(database, plan, stage)
        check_imports(database, repeated)
        assert answer_questions(database, repeated) == []
        assert imports(database, stage) == before

    def test_two_sheets_are_left_as_they_are(self, database: Database, plan: DemoPlan, stage: Stage) -> None:
        plan = replace(plan, sheets=())
        handed = ask_imports(database, plan, stage)
        mend, question = perform(database, handed)
        assert answer_questions(database, handed) == []
        check_imports(database, handed)
        assert (mend.dry_run, mend.added, mend.refused) == (True, 5, 3)
        assert (question.dry_run, question.needs_mapping, question.added) == (True, True, 0)
        assert count_register(database, stage) == (0, 0)


SLUGS = ("devon", "dorset", "somerset", "torbay")


def perform(database: Database, handed: Sequence[HandedIn]) -> list[ImportRun]:
    runs = []
    for each in handed:
        with database.transaction(each.scope) as session:
            run = get_import(session, each.import_run_id)
            runs.append(perform_import(session, run, progress=lambda *_told: None, now=utc_now()))
    return runs


def imports(database: Database, stage: Stage) -> set[tuple[str, str]]:
    found = set()
    for slug, scope in stage.scopes.items():
        with database.transaction(scope) as session:
            found |= {(slug, str(run.id)) for run in list_imports(session)}
    return found


@pytest.fixture
def plan(tmp_path: Path) -> DemoPlan:
    """A demonstration's plan, of four agencies: between them they have every shape, a question and the return."""
    plan = write_demo(tmp_path, seed=7, as_of=utc_now().date(), households=20, groups=30)
    return replace(plan, sheets=tuple(sheet for sheet in plan.sheets if sheet.agency_slug in SLUGS))


@pytest.fixture
def stage(factories: Factories) -> Stage:
    """Four councils of one consortium in the place of the demonstration's, which would have the database to itself."""
    consortium_id = factories.consortium()
    return Stage({slug: factories.tenant(consortium_id).scope for slug in SLUGS})
