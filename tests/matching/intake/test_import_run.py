"""Imports on a real database: what becomes of every row, for two agencies at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from matching import household as households
from matching import sibling_group as groups
from matching.intake.column import SheetKind
from matching.intake.household_row import HouseholdRow
from matching.intake.import_row import ImportRow
from matching.intake.import_run import (
    ImportNotFinished,
    ImportNotForAgency,
    ImportRun,
    ImportUnknown,
    get_import,
    list_imports,
    read_report,
    request_import,
)
from matching.intake.import_work import perform_import
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.sheet import CellValue, UnreadableSheet
from matching.intake.taking import RowsLost
from matching.need import Answer, NeedLevel, Tolerance, YesNo
from matching.pool import PoolEntry, Stage
from tenants import audit
from tenants.agency import AgencyKind, get_agency
from tenants.consortium import get_consortium, join
from tenants.database import Database
from tenants.job import cancel_job, get_job
from tenants.permission import NotAllowed
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.intake.strategies import group_rows, household_rows
from tests.matching.intake.writing import csv_file, group_lines, headings_of, household_line, xlsx_file

_slow = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
_ADDED, _CHANGED, _UNCHANGED, _REFUSED = Outcome.ADDED, Outcome.CHANGED, Outcome.UNCHANGED, Outcome.REFUSED


class TestRequestImport:
    def test_keeps_the_file_sealed_and_asks_for_a_job(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        content = _households(Reference="ADP-1")

        run = _request(database, devon, content)

        with database.transaction(devon.scope) as session:
            job = get_job(session, run.job_id)
            sealed = session.scalars(select(ImportRun.sealed).where(ImportRun.id == run.id)).one()
        assert (job.kind, job.payload) == ("import", {"import_run_id": str(run.id)})
        assert b"ADP-1" not in (sealed or b"ADP-1")
        with database.transaction(dorset.scope) as session:
            assert list_imports(session) == []
            with pytest.raises(ImportUnknown):
                get_import(session, run.id)

    def test_is_one_import_when_asked_twice_at_once(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        content = _households(Reference="ADP-1")

        first, second = _request(database, devon, content), _request(database, devon, content)

        assert first.id == second.id
        assert _request(database, devon, content, dry_run=True).id != first.id
        assert _request(database, dorset, content).id != first.id

    def test_is_another_import_in_another_consortium(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        second = factories.consortium()
        with database.transaction(OPERATOR) as session:
            join(session, get_consortium(session, second), agency=get_agency(session, devon.id), joined_on=TODAY)
        content = _households(Reference="ADP-1")

        first = _request(database, devon, content)
        there = _request(database, replace(devon, scope=replace(devon.scope, consortium_id=second)), content)

        assert (first.consortium_id, there.consortium_id) == (devon.scope.consortium_id, second)

    def test_is_a_new_import_once_the_first_has_ended_or_been_cancelled(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        content = _households(Reference="ADP-1")
        cancelled = _request(database, devon, content)
        with database.transaction(devon.scope) as session:
            cancel_job(session, get_job(session, cancelled.job_id), now=NOW)

        run = _import(database, devon, content)

        assert run.id != cancelled.id
        assert _request(database, devon, content).id not in {run.id, cancelled.id}

    def test_refuses_children_of_an_agency_that_has_none(self, database: Database, factories: Factories) -> None:
        society = factories.tenant(factories.consortium(), kind=AgencyKind.VOLUNTARY_AGENCY)
        with pytest.raises(ImportNotForAgency, match="keeps no children"):
            _request(database, society, _children(("G1", "C1", {})), kind=SheetKind.CHILDREN)

    def test_refuses_a_role_that_may_not(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        worker = replace(devon, scope=devon.acting_as(Role.ADOPTERS_WORKER))
        with pytest.raises(NotAllowed):
            _request(database, worker, _children(("G1", "C1", {})), kind=SheetKind.CHILDREN)
        assert _request(database, worker, _households(Reference="A"))

    def test_refuses_a_scope_without_a_consortium(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        nowhere = replace(devon, scope=replace(devon.scope, consortium_id=None))
        with pytest.raises(ImportNotForAgency):
            _request(database, nowhere, _households(Reference="A"))

    @pytest.mark.parametrize("content", [b"", b"x" * (20 * 1024 * 1024 + 1)])
    def test_refuses_a_file_too_large_to_keep(self, database: Database, factories: Factories, content: bytes) -> None:
        devon, _ = factories.two_tenants()
        with pytest.raises(UnreadableSheet):
            _request(database, devon, content)

    def test_keeps_only_the_name_of_a_file(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            run = request_import(
                session,
                kind=SheetKind.HOUSEHOLDS,
                filename="C:\\Users\\me\\sheet\x00\n.csv",
                content=b"Reference",
                dry_run=False,
                now=NOW,
            )
        assert run.filename == "sheet.csv"


class TestPerformImportOfHouseholds:
    def test_adds_every_level_of_a_household(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        _import(database, devon, _households(**_FULL))

        with database.transaction(devon.scope) as session:
            household = households.get_household_by_reference(session, "ADP-1")
            reference, identity = households.read_identity(session, household, now=NOW)
            place = session.get(households.HouseholdPlace, household.id)
            assert (household.age_from_months, household.age_to_months) == (0, 59)
            assert (household.pets, household.smokers) == (YesNo.YES, YesNo.UNKNOWN)
            assert household.languages == ["English", "Polish"]
            assert (reference, identity.adopters) == ("ADP-1", ("Alder Example", "Birch Example"))
            assert identity.postcode == "EX4 4QJ"
            assert place is not None
            assert place.outward_code == "EX4"
            assert households.read_profile(session, household, now=NOW) == "Calm.\nTwo dogs."
            assert households.list_tolerances(session, [household.id])[household.id] == {
                "neglect": Tolerance(low=Answer.CAN_MEET, medium=Answer.WOULD_DISCUSS)
            }
        with database.transaction(dorset.scope) as session:
            seen = households.list_waiting_households(session)
            assert [each.id for each in seen] == [household.id]
            assert session.get(households.HouseholdIdentity, household.id) is None

    def test_takes_the_same_file_again_for_unchanged(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        content = _households(**_FULL)
        first = _import(database, devon, content)
        before = _entries(database, devon)

        second = _import(database, devon, content)

        assert (_counts(first), _counts(second)) == ((1, 0, 0, 0), (0, 0, 1, 0))
        assert _entries(database, devon) == before

    def test_changes_what_differs_and_names_the_columns(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _import(database, devon, _households(**_FULL))

        run = _import(
            database,
            devon,
            _households(**_FULL | {"Pets": "no", "Telephone": "01632 960009", "Need: Neglect": None, "Profile": None}),
        )

        [row] = _report(database, devon, run)
        assert (row.outcome, _headings(row)) == (_CHANGED, ("Telephone", "Pets", "Profile", "Need: Neglect"))
        with database.transaction(devon.scope) as session:
            household = households.get_household_by_reference(session, "ADP-1")
            _, identity = households.read_identity(session, household, now=NOW)
            assert (household.pets, identity.telephone) == (YesNo.NO, "01632 960009")
            assert households.list_tolerances(session, [household.id]) == {}
            assert households.read_profile(session, household, now=NOW) is None
            assert household.code.startswith("H-")

    def test_leaves_alone_what_the_sheet_has_no_column_for(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _import(database, devon, _households(**_FULL))

        run = _import(database, devon, _households(Reference="ADP-1", Pets="no"))

        [row] = _report(database, devon, run)
        assert _headings(row) == ("Pets",)
        with database.transaction(devon.scope) as session:
            household = households.get_household_by_reference(session, "ADP-1")
            _, identity = households.read_identity(session, household, now=NOW)
            assert identity.address == "1 Sample Street"
            assert "neglect" in households.list_tolerances(session, [household.id])[household.id]

    def test_refuses_a_change_that_contradicts_what_is_recorded(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _import(database, devon, _households(**_FULL))

        run = _import(database, devon, _households(**{"Reference": "ADP-1", "Youngest age": "6"}))

        [row] = _report(database, devon, run)
        assert row.outcome is _REFUSED
        assert [(problem.column, problem.value) for problem in row.problems] == [("Oldest age", "4")]

    def test_reports_each_row_with_its_column_value_and_reason(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        _import(database, devon, _sheet(["A", "waiting", "yes"]))

        run = _import(
            database,
            devon,
            _sheet(["A", "waiting", "yes"], ["B", "waiting", "no"], ["C", "waiting", "mauve"], ["A2", "gone", "no"]),
        )

        assert _counts(run) == (1, 0, 1, 2)
        report = _report(database, devon, run)
        assert [(row.row, row.outcome) for row in report] == [
            (2, _UNCHANGED),
            (3, _ADDED),
            (4, _REFUSED),
            (5, _REFUSED),
        ]
        [problem] = report[2].problems
        assert (problem.row, problem.column, problem.value) == (4, "Pets", "mauve")
        assert problem.reason.startswith("expected yes or no")
        with database.transaction(dorset.scope) as session:
            assert session.scalar(select(func.count()).select_from(ImportRow)) == 0

    def test_never_keeps_a_refused_value_readable(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = _import(database, devon, _households(Reference="A", Email="alder example at home"))
        with database.transaction(devon.scope) as session:
            [row] = session.scalars(select(ImportRow).where(ImportRow.import_run_id == run.id)).all()
            assert row.sealed_problems is not None
            assert b"alder" not in row.sealed_problems

    def test_makes_own_rows_of_another_agencys_references(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        _import(database, devon, _households(**_FULL))

        run = _import(database, dorset, _households(**_FULL | {"Pets": "no", "Profile": "Another family."}))

        assert _counts(run) == (1, 0, 0, 0)
        with database.transaction(devon.scope) as session:
            own = households.get_household_by_reference(session, "ADP-1")
            assert (own.agency_id, own.pets) == (devon.id, YesNo.YES)
            assert households.read_profile(session, own, now=NOW) == "Calm.\nTwo dogs."
        with database.transaction(dorset.scope) as session:
            assert households.get_household_by_reference(session, "ADP-1").agency_id == dorset.id

    @given(drawn=st.lists(household_rows(), min_size=1, max_size=4, unique_by=lambda row: row.reference))
    @_slow
    def test_takes_any_household_once_and_then_finds_it_unchanged(
        self, database: Database, factories: Factories, drawn: list[HouseholdRow]
    ) -> None:
        devon, _ = factories.two_tenants()
        lines: list[Sequence[CellValue]] = [headings_of(SheetKind.HOUSEHOLDS), *map(household_line, drawn)]

        first, second = (_import(database, devon, write(lines)) for write in (csv_file, xlsx_file))

        assert (_counts(first), _counts(second)) == ((len(drawn), 0, 0, 0), (0, 0, len(drawn), 0))


class TestSharing:
    @pytest.mark.parametrize(
        ("kind", "approved", "stage"),
        [
            (AgencyKind.LOCAL_AUTHORITY, TODAY - timedelta(days=89), Stage.IN_HOUSE),
            (AgencyKind.LOCAL_AUTHORITY, TODAY - timedelta(days=90), Stage.CONSORTIUM),
            (AgencyKind.LOCAL_AUTHORITY, None, Stage.IN_HOUSE),
            (AgencyKind.VOLUNTARY_AGENCY, TODAY, Stage.CONSORTIUM),
            (AgencyKind.VOLUNTARY_AGENCY, None, Stage.CONSORTIUM),
        ],
    )
    def test_follows_the_consortiums_timing_when_the_sheet_is_silent(
        self, database: Database, factories: Factories, kind: AgencyKind, approved: date | None, stage: Stage
    ) -> None:
        tenant = factories.tenant(factories.consortium(), kind=kind)
        _import(database, tenant, _households(**{"Reference": "A", "Approved on": approved}))
        assert _shared(database, tenant) == [(stage, False, None)]

    def test_does_as_the_row_says(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        sheet = [["Reference", "Status", "Sharing", "Sharing reason"]]
        sheet += [
            ["A", "waiting", "in-house", ""],
            ["B", "waiting", "consortium", "urgent"],
            ["C", "waiting", "hold", "ill"],
        ]
        _import(database, devon, csv_file(sheet))
        assert sorted(_shared(database, devon), key=str) == sorted(
            [(Stage.IN_HOUSE, False, None), (Stage.CONSORTIUM, False, "urgent"), (Stage.IN_HOUSE, True, "ill")], key=str
        )
        with database.transaction(dorset.scope) as session:
            assert households.count_households(session) == 1

    def test_holds_back_and_lets_go_again_as_a_change(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        _import(database, devon, _households(Reference="A", Sharing="consortium"))
        held = _import(database, devon, _households(**{"Reference": "A", "Sharing": "hold", "Sharing reason": "ill"}))
        with database.transaction(dorset.scope) as session:
            assert households.count_households(session) == 0
        assert _shared(database, devon) == [(Stage.CONSORTIUM, True, "ill")]

        free = _import(database, devon, _households(Reference="A", Sharing="consortium"))

        assert (_counts(held), _counts(free)) == ((0, 1, 0, 0), (0, 1, 0, 0))
        assert _shared(database, devon) == [(Stage.CONSORTIUM, False, None)]

    def test_leaves_sharing_as_it_stands_when_the_sheet_is_silent(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        _import(database, devon, _households(Reference="A", Sharing="consortium"))
        run = _import(database, devon, _households(Reference="A", Sharing=None, Pets="yes"))
        assert [_headings(row) for row in _report(database, devon, run)] == [("Pets",)]
        assert _shared(database, devon) == [(Stage.CONSORTIUM, False, None)]


class TestPerformImportOfChildren:
    def test_adds_every_level_of_a_group(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        _import_children(database, devon, ("G1", "C1", _GROUP | _CHILD), ("G1", "C2", {"Due": "01/02/2027"}))

        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "G1")
            first, second = groups.list_children(session, [group.id])[group.id]
            reference, names = groups.read_identity(session, group, now=NOW)
            areas = session.scalars(select(groups.ExclusionArea).order_by(groups.ExclusionArea.outward_code)).all()
            assert (group.status, group.no_pets, group.heritage) == (groups.GroupStatus.WAITING, YesNo.YES, ["WBRI"])
            assert (first.birth_month, first.unborn, second.birth_month, second.unborn) == (
                date(2022, 6, 1),
                False,
                date(2027, 2, 1),
                True,
            )
            assert groups.list_needs(session, [first.id]) == {first.id: {"neglect": NeedLevel.MEDIUM}}
            assert reference == "G1"
            assert [(own, name.forename, name.born_on) for own, name in names] == [
                ("C1", "Fictia", "2022-06-21"),
                ("C2", None, None),
            ]
            assert [(area.outward_code, area.miles) for area in areas] == [("EX1", 5), ("PL4", 10)]
        with database.transaction(dorset.scope) as session:
            assert groups.count_groups(session) == 1
            assert session.scalar(select(func.count()).select_from(groups.ChildIdentity)) == 0
            assert session.scalar(select(func.count()).select_from(groups.ExclusionArea)) == 0

    def test_keeps_a_new_group_in_house_when_the_sheet_is_silent(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        _import_children(database, devon, ("G1", "C1", {}))
        with database.transaction(dorset.scope) as session:
            assert groups.count_groups(session) == 0

    def test_reports_a_groups_change_on_its_first_row_and_a_childs_on_its_own(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        _import_children(
            database, devon, ("G1", "C1", {"No pets": "yes", "Sex": "female"}), ("G1", "C2", {"Sex": "male"})
        )

        run = _import_children(
            database,
            devon,
            ("G1", "C1", {"No pets": "no", "Sex": "female"}),
            ("G1", "C2", {"Sex": "male"}),
            ("G1", "C3", {"Sex": "male"}),
            ("G1", "C4", {"Sex": "male"}),
        )

        assert [(row.outcome, _headings(row)) for row in _report(database, devon, run)] == [
            (_CHANGED, ("No pets",)),
            (_UNCHANGED, ()),
            (_ADDED, ()),
            (_ADDED, ()),
        ]
        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "G1")
            positions = [child.position for child in groups.list_children(session, [group.id])[group.id]]
            assert positions == [0, 1, 2, 3]

    def test_leaves_a_child_that_the_sheet_does_not_name(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _import_children(database, devon, ("G1", "C1", {"Heritage": "WBRI"}), ("G1", "C2", {"Heritage": "MWBC"}))

        run = _import_children(database, devon, ("G1", "C2", {"Heritage": "AIND"}))

        assert _counts(run) == (0, 1, 0, 0)
        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "G1")
            assert len(groups.list_children(session, [group.id])[group.id]) == 2
            assert group.heritage == ["AIND", "WBRI"]

    def test_refuses_a_child_that_another_group_has_and_its_siblings(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        _import_children(database, devon, ("G1", "C1", {}))

        run = _import_children(database, devon, ("G2", "C1", {}), ("G2", "C2", {}))
        other = _import_children(database, dorset, ("G2", "C1", {}), ("G2", "C2", {}))

        assert (_counts(run), _counts(other)) == ((0, 0, 0, 2), (2, 0, 0, 0))
        report = _report(database, devon, run)
        assert "recorded in group G1" in report[0].problems[0].reason
        assert "row 2, of the same group" in report[1].problems[0].reason

    def test_refuses_a_group_that_would_grow_too_large(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _import_children(database, devon, *(("G1", f"C{number}", {}) for number in range(9)))
        run = _import_children(database, devon, ("G1", "C10", {}), ("G1", "C11", {}))
        assert _counts(run) == (0, 0, 0, 2)

    def test_changes_areas_needs_and_a_birth(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _import_children(
            database, devon, ("G1", "C1", {"Exclusion areas": "PL4 10", "Due": "01/02/2027", "Need: Neglect": "low"})
        )
        run = _import_children(
            database,
            devon,
            (
                "G1",
                "C1",
                {"Exclusion areas": "EX1 5", "Due": None, "Born": "01/11/2026", "Need: Neglect": "unknown"},
            ),
        )
        [row] = _report(database, devon, run)
        assert _headings(row) == ("Exclusion areas", "Born", "Due", "Need: Neglect")
        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "G1")
            [child] = groups.list_children(session, [group.id])[group.id]
            areas = session.scalars(select(groups.ExclusionArea.outward_code)).all()
            assert (child.unborn, child.birth_month, areas) == (False, date(2026, 11, 1), ["EX1"])
            assert groups.list_needs(session, [child.id]) == {}

    @given(drawn=st.tuples(group_rows(reference="G1"), group_rows(reference="G2")), repeat=st.booleans())
    @_slow
    def test_takes_any_group_once_and_then_finds_it_unchanged(
        self, database: Database, factories: Factories, drawn: tuple[Any, ...], repeat: bool
    ) -> None:
        devon, _ = factories.two_tenants()
        lines = [line for group in drawn for line in group_lines(group, repeat=repeat)]
        sheet: list[Sequence[CellValue]] = [headings_of(SheetKind.CHILDREN), *lines]

        first, second = (
            _import(database, devon, write(sheet), kind=SheetKind.CHILDREN) for write in (csv_file, xlsx_file)
        )

        assert (_counts(first), _counts(second)) == ((len(lines), 0, 0, 0), (0, 0, len(lines), 0))


class TestPerformImport:
    def test_a_dry_run_reports_the_same_and_keeps_nothing(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _import(database, devon, _sheet(["A", "waiting", "yes"]))
        before = _entries(database, devon)
        content = _sheet(["A", "waiting", "no"], ["B", "waiting", "no"], ["C", "", "no"])

        dry = _import(database, devon, content, dry_run=True)

        assert _counts(dry) == (1, 1, 0, 1)
        assert [row.record_id is None for row in _report(database, devon, dry)] == [False, True, True]
        assert _entries(database, devon) == before
        assert _counts(_import(database, devon, content)) == (1, 1, 0, 1)

    def test_refuses_an_unreadable_file_whole_and_says_why(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = _import(database, devon, csv_file([["Reference", "Status", "Ptes"], ["A", "waiting", "yes"]]))
        assert run.refusal is not None
        assert "column C (perhaps “Pets”)" in run.refusal
        assert (_counts(run), _report(database, devon, run)) == ((0, 0, 0, 0), [])

    def test_keeps_what_the_reader_assumed(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = _import(database, devon, "Reference,Status,Address\nA,waiting,Zoë Street\n".encode("cp1252"))
        assert "Windows-1252" in run.notes[0]

    def test_does_no_harm_when_performed_twice(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = _import(database, devon, _households(Reference="A"))
        with database.transaction(devon.scope) as session:
            again = perform_import(session, get_import(session, run.id), progress=_ignore, now=NOW)
        assert _counts(again) == (1, 0, 0, 0)
        assert len(_report(database, devon, run)) == 1

    @pytest.mark.parametrize("at", [0, 1, 2, 3])
    def test_leaves_nothing_when_it_is_stopped_anywhere(
        self, database: Database, factories: Factories, at: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("matching.intake.taking._BATCH", 2)
        devon, _ = factories.two_tenants()
        content = _sheet(*([f"R{number}", "waiting", "yes"] for number in range(6)))
        run = _request(database, devon, content)

        with pytest.raises(_Stopped), database.transaction(devon.scope) as session:
            perform_import(session, get_import(session, run.id), progress=_stop_at(at), now=NOW)

        with database.transaction(devon.scope) as session:
            assert households.count_households(session) == 0
            assert get_import(session, run.id).finished_at is None
            with pytest.raises(ImportNotFinished):
                read_report(session, get_import(session, run.id), now=NOW)
            done = perform_import(session, get_import(session, run.id), progress=_ignore, now=NOW)
        assert _counts(done) == (6, 0, 0, 0)

    def test_says_how_far_it_is(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("matching.intake.taking._BATCH", 2)
        devon, _ = factories.two_tenants()
        seen: list[tuple[int, int, str]] = []
        run = _request(database, devon, _sheet(*([f"R{number}", "waiting", "yes"] for number in range(5))))
        with database.transaction(devon.scope) as session:
            perform_import(session, get_import(session, run.id), progress=lambda *at: seen.append(at), now=NOW)
        assert seen == [
            (0, 0, "Reading the file"),
            (0, 10, "Reading rows"),
            (5, 10, "Saving rows"),
            (7, 10, "Saving rows"),
            (9, 10, "Saving rows"),
            (10, 10, "Saving rows"),
        ]

    def test_refuses_to_keep_anything_when_a_row_is_lost(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        devon, _ = factories.two_tenants()
        monkeypatch.setattr("matching.intake.taking.take_households", lambda *_, **__: [])
        run = _request(database, devon, _households(Reference="A"))
        with pytest.raises(RowsLost), database.transaction(devon.scope) as session:
            perform_import(session, get_import(session, run.id), progress=_ignore, now=NOW)

    def test_imports_of_one_agency_wait_for_each_other(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        runs = [_request(database, devon, _sheet(["A", "waiting", pets])) for pets in ("yes", "no", "")]
        threads = [threading.Thread(target=_perform, args=(database, devon, run.id)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with database.transaction(devon.scope) as session:
            finished = [get_import(session, run.id) for run in runs]
            assert sorted(run.added for run in finished) == [0, 0, 1]
            assert households.count_households(session) == 1

    def test_finds_another_code_when_one_is_taken(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        devon, dorset = factories.two_tenants()
        codes = iter(["H-TAKEN1", "H-TAKEN1", "H-FREE01", "H-FREE01", "H-FREE02"])
        monkeypatch.setattr("matching.intake.record.new_code", lambda _: next(codes) + devon.slug)
        _import(database, devon, _households(Reference="A", Sharing="in-house"))
        _import(database, dorset, _sheet(["A", "waiting", "yes"], ["B", "waiting", "yes"]))
        with database.transaction(dorset.scope) as session:
            found = session.scalars(select(households.Household.code)).all()
        assert sorted(code[:7] for code in found) == ["H-FREE0", "H-FREE0"]

    def test_is_on_record_once_for_each_record_written(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        run = _import(database, devon, _sheet(["A", "waiting", "yes"], ["B", "waiting", "no"]))
        with database.transaction(devon.scope) as session:
            entries = session.scalars(
                select(audit.AuditEntry).where(
                    audit.AuditEntry.record_kind == "household", audit.AuditEntry.act != audit.Act.SHARE
                )
            ).all()
            [whole] = audit.list_entries_of(session, run.id)
        assert [(entry.act, entry.owner_agency_id) for entry in entries] == [(audit.Act.ADD, devon.id)] * 2
        assert whole.act is audit.Act.IMPORT
        with database.transaction(dorset.scope) as session:
            assert audit.list_entries_of(session, run.id) == []


class TestListImports:
    def test_shows_the_newest_first_and_none_of_another_agencys(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        first = _request(database, devon, _households(Reference="A"))
        second = _request(database, devon, _households(Reference="B"), now=NOW + timedelta(seconds=1))
        _request(database, dorset, _households(Reference="A"))
        with database.transaction(devon.scope) as session:
            assert [run.id for run in list_imports(session)] == [second.id, first.id]


class TestReadReport:
    def test_puts_the_look_on_record(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = _import(database, devon, _households(Reference="A"))
        _report(database, devon, run)
        with database.transaction(devon.scope) as session:
            acts = [entry.act for entry in audit.list_entries_of(session, run.id)]
        assert acts.count(audit.Act.READ) == 1

    def test_shows_the_outcomes_asked_for(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = _import(database, devon, _sheet(["A", "waiting", "yes"], ["B", "gone", "no"]))
        with database.transaction(devon.scope) as session:
            report = read_report(session, get_import(session, run.id), now=NOW, outcomes=frozenset({_REFUSED}))
        assert [row.row for row in report] == [3]


class _Stopped(Exception):
    """Raised by a test in the middle of an import."""


def _stop_at(call: int) -> Any:
    calls = iter(range(100))

    def progress(_done: int, _total: int, _note: str) -> None:
        if next(calls) == call:
            raise _Stopped

    return progress


def _ignore(_done: int, _total: int, _note: str) -> None:
    pass


def _request(database: Database, tenant: Tenant, content: bytes, **facts: Any) -> ImportRun:
    facts = {"kind": SheetKind.HOUSEHOLDS, "dry_run": False, "now": NOW, **facts}
    with database.transaction(tenant.scope) as session:
        return request_import(session, filename="sheet", content=content, **facts)


def _import(database: Database, tenant: Tenant, content: bytes, **facts: Any) -> ImportRun:
    return _perform(database, tenant, _request(database, tenant, content, **facts).id)


def _perform(database: Database, tenant: Tenant, run_id: UUID) -> ImportRun:
    with database.transaction(tenant.scope) as session:
        return perform_import(session, get_import(session, run_id), progress=_ignore, now=NOW)


def _import_children(database: Database, tenant: Tenant, *rows: tuple[str, str, dict[str, Any]]) -> ImportRun:
    return _import(database, tenant, _children(*rows), kind=SheetKind.CHILDREN)


def _report(database: Database, tenant: Tenant, run: ImportRun) -> list[RowOutcome]:
    with database.transaction(tenant.scope) as session:
        return read_report(session, get_import(session, run.id), now=NOW)


def _headings(row: RowOutcome) -> tuple[str, ...]:
    return tuple(change.heading for change in row.changed)


def _counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.added, run.changed, run.unchanged, run.refused


def _entries(database: Database, tenant: Tenant) -> set[tuple[UUID | None, str]]:
    with database.transaction(tenant.scope) as session:
        query = select(audit.AuditEntry).where(audit.AuditEntry.act.in_([audit.Act.ADD, audit.Act.CHANGE]))
        return {(entry.id, entry.record_kind) for entry in session.scalars(query)}


def _shared(database: Database, tenant: Tenant) -> list[tuple[Stage, bool, str | None]]:
    with database.transaction(tenant.scope) as session:
        return [(entry.stage, entry.held, entry.reason) for entry in session.scalars(select(PoolEntry))]


def _households(**cells: Any) -> bytes:
    cells = {"Status": "waiting"} | cells
    return csv_file([list(cells), list(cells.values())])


def _sheet(*lines: Sequence[CellValue]) -> bytes:
    return csv_file([["Reference", "Status", "Pets"], *lines])


def _children(*rows: tuple[str, str, dict[str, Any]]) -> bytes:
    more = list(dict.fromkeys(heading for _, _, cells in rows for heading in cells))
    lines: list[list[CellValue]] = [["Group reference", "Child reference", *more]]
    lines += [[group, child, *(cells.get(heading) for heading in more)] for group, child, cells in rows]
    return csv_file(lines)


_FULL: dict[str, Any] = {
    "Reference": "ADP-1",
    "Adopter 1 name": "Alder Example",
    "Adopter 2 name": "Birch Example",
    "Address": "1 Sample Street",
    "Postcode": "ex44qj",
    "Telephone": "01632 960001",
    "Approved on": "06/01/2025",
    "Profile": "Calm.\nTwo dogs.",
    "Youngest age": "0",
    "Oldest age": "4",
    "Pets": "yes",
    "Languages": "polish; ENGLISH",
    "Sharing": "consortium",
    "Need: Neglect": "can meet low; would discuss medium",
}
_GROUP: dict[str, Any] = {
    "Legal position": "order granted",
    "No pets": "yes",
    "Home outward code": "EX4",
    "Exclusion areas": "PL4 10; EX1 5",
    "Profile": "Lively.",
    "Sharing": "consortium",
}
_CHILD: dict[str, Any] = {
    "Forename": "Fictia",
    "Surname": "Specimen",
    "Born": "21/06/2022",
    "Sex": "female",
    "Heritage": "WBRI",
    "Need: Neglect": "medium",
}
