"""Returns on a real database: what the register holds afterwards, for two councils."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from matching import sibling_group as groups
from matching.intake.column import SheetKind
from matching.intake.import_run import ImportNotForAgency, ImportRun, get_import, read_report, request_import
from matching.intake.import_work import perform_import
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.real_import import import_for_real
from matching.intake.ssda903.package import pack_return
from matching.intake.ssda903.table import Table
from matching.intake.undo import undo_import
from matching.ranking.facts import LegalPosition, Sex
from tenants.agency import AgencyKind
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant
from tests.matching.intake.ssda903.returns import DATA, Return, decision, episode, header
from tests.matching.intake.writing import csv_file

_ADDED, _CHANGED, _UNCHANGED, _REFUSED = Outcome.ADDED, Outcome.CHANGED, Outcome.UNCHANGED, Outcome.REFUSED
_NOT = Outcome.NOT_FOR_ADOPTION


class TestTakeReturn:
    def test_adds_each_child_as_a_group_of_its_own(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        run = _import(database, devon, Return([header(), header("C2")], [episode(), episode("C2", LS="C2")]))

        assert _outcomes(database, devon, run) == [("C1", _ADDED), ("C2", _NOT)]
        assert (run.added, run.refused, run.not_for_adoption, run.refusal) == (1, 0, 1, None)
        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "C1")
            [child] = groups.list_children(session, [group.id])[group.id]
            _, [(reference, name)] = groups.read_identity(session, group, now=NOW)
            place = session.get(groups.GroupPlace, group.id)
        assert (group.legal_position, group.status) == (LegalPosition.ORDER_GRANTED, groups.GroupStatus.WAITING)
        assert (group.shobpa_on, group.placement_order_on) == (date(2024, 9, 2), date(2024, 11, 18))
        assert (reference, name.born_on, name.ethnicity) == ("C1", "2022-06-21", "WBRI")
        assert (child.sex, place and place.outward_code, group.heritage) == (Sex.FEMALE, "EX4", ["WBRI"])
        assert group.waiting_since is None
        with database.transaction(dorset.scope) as session:
            assert groups.count_groups(session) == 0
            assert session.scalar(select(func.count()).select_from(ImportRun)) == 0

    def test_takes_xml_as_it_takes_csv(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        whole = Return([header(), header("C2", SEX="9")], [episode()])

        by_csv = _import(database, devon, whole)
        by_xml = _import_bytes(database, dorset, whole.xml(), filename="return.xml")

        assert _outcomes(database, devon, by_csv) == _outcomes(database, dorset, by_xml)
        [_, refused] = _report(database, dorset, by_xml)
        assert [(each.sheet, each.row, each.column, each.value) for each in refused.problems] == [
            ("return.xml", 2, "SEX", "9")
        ]

    def test_tells_every_child_again_and_changes_nothing(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        whole = Return([header(), header("C2")], [episode(), episode("C2", PLACE="A6")])
        _import(database, devon, whole)

        again = _import(database, devon, whole)

        assert _outcomes(database, devon, again) == [("C1", _UNCHANGED), ("C2", _UNCHANGED)]

    def test_writes_nothing_in_a_dry_run_and_the_same_in_the_import_that_follows(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        checked = _import(database, devon, Return([header(), header("C2")], [episode()]), dry_run=True)
        with database.transaction(devon.scope) as session:
            assert groups.count_groups(session) == 0
            real = import_for_real(session, get_import(session, checked.id), now=NOW)
            done = perform_import(session, real, progress=_ignore, now=NOW)
            assert (done.dry_run, done.overtaken, done.added, done.not_for_adoption) == (False, False, 1, 1)
            assert groups.count_groups(session) == 1

    def test_changes_only_what_the_return_says_of_a_child_wherever_it_stands(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        _import_sheet(
            database,
            devon,
            ("G1", "C1", "Fictia", "female", "01/02/2024", "yes", "MWBC"),
            ("G1", "C2", "Moss", "male", "01/02/2024", "yes", "WBRI"),
        )

        run = _import(database, devon, Return([header(ETHNIC="")], [episode(HOME_POST="")]))

        [row] = _report(database, devon, run)
        assert (row.outcome, row.reference) == (_CHANGED, "C1")
        assert {change.heading: (change.before, change.after) for change in row.changed} == {
            "Born": ("", "21/06/2022"),
            "Legal position": ("", "order granted"),
            "SHOBPA decision on": ("01/02/2024", "02/09/2024"),
            "Placement order on": ("", "18/11/2024"),
        }
        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "G1")
            assert groups.count_groups(session) == 1
            reference, names = groups.read_identity(session, group, now=NOW)
            assert [(own, name.forename, name.ethnicity) for own, name in names] == [
                ("C1", "Fictia", "MWBC"),
                ("C2", "Moss", "WBRI"),
            ]
            assert (reference, group.must_be_only.value) == ("G1", "yes")

    def test_leaves_a_group_as_it_is_where_brothers_and_sisters_are_told_differently(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        _import_sheet(database, devon, ("G1", "C1", "", "", "", "", ""), ("G1", "C2", "", "", "", "", ""))
        other = episode("C2", DECOM="01/12/2024")

        run = _import(
            database, devon, Return([header(), header("C2")], [episode(), other], [decision(), decision("C2")])
        )

        first, second = _report(database, devon, run)
        assert (first.outcome, second.outcome) == (_CHANGED, _CHANGED)
        assert "differently of brothers and sisters" in first.remarks[-1].reason
        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "G1")
            assert (group.placement_order_on, group.shobpa_on) == (None, date(2024, 9, 2))

    def test_counts_a_child_that_was_due_as_born(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        lines = [["Group reference", "Child reference", "Due"], ["G1", "C1", "01/02/2027"]]
        _import_bytes(database, devon, csv_file(lines), kind=SheetKind.CHILDREN)

        run = _import(database, devon, Return())

        assert _outcomes(database, devon, run) == [("C1", _CHANGED)]
        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "G1")
            [child] = groups.list_children(session, [group.id])[group.id]
            assert (child.unborn, child.birth_month) == (False, date(2022, 6, 1))

    def test_knows_an_appeal_for_an_order_granted(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        lines = [["Group reference", "Child reference", "Legal position"], ["G1", "C1", "appeal"]]
        _import_bytes(database, devon, csv_file(lines), kind=SheetKind.CHILDREN)

        _import(database, devon, Return())

        with database.transaction(devon.scope) as session:
            assert groups.get_group_by_reference(session, "G1").legal_position is LegalPosition.APPEAL

    def test_never_puts_a_child_into_a_group_that_happens_to_bear_its_number(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        _import_sheet(database, devon, ("C1", "OTHER", "", "", "", "", ""))

        assert _outcomes(database, devon, _import(database, devon, Return())) == [("C1", _ADDED)]

        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "SSDA903 C1")
            assert len(groups.list_children(session, [group.id])[group.id]) == 1
        assert _outcomes(database, devon, _import(database, devon, Return())) == [("C1", _UNCHANGED)]

    def test_puts_a_child_who_has_moved_in_on_hold_and_says_so(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        run = _import(database, devon, Return(episodes=[episode(PLACE="A6")]))

        [row] = _report(database, devon, run)
        assert "with adopters since 18/11/2024" in row.remarks[0].reason
        assert _status(database, devon) is groups.GroupStatus.ON_HOLD

    def test_puts_a_recorded_group_on_hold_but_never_back(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        _import(database, devon, Return())

        held = _import(database, devon, Return(episodes=[episode(PLACE="A6")]))

        [row] = _report(database, devon, held)
        assert [(each.heading, each.before, each.after) for each in row.changed] == [("Status", "waiting", "on hold")]
        assert _outcomes(database, devon, _import(database, devon, Return())) == [("C1", _UNCHANGED)]
        assert _status(database, devon) is groups.GroupStatus.ON_HOLD

    def test_points_at_the_group_of_a_child_who_is_no_longer_for_adoption(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        _import(database, devon, Return())
        reversal = decision(DATE_PLACED_CEASED="06/01/2025", REASON_PLACED_CEASED="RD2")

        run = _import(database, devon, Return(decisions=[reversal]))
        elsewhere = _import(database, dorset, Return(decisions=[reversal]))

        [row] = _report(database, devon, run)
        assert (row.outcome, row.record_id is not None) == (_NOT, True)
        assert "in group C1: withdraw" in row.problems[-1].reason
        assert _status(database, devon) is groups.GroupStatus.WAITING
        [row] = _report(database, dorset, elsewhere)
        assert (row.outcome, row.record_id, len(row.problems)) == (_NOT, None, 1)

    def test_keeps_the_remarks_of_children_who_are_taken(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = _import(database, devon, Return(episodes=[episode(HOME_POST="EG19 7TT")], decisions=[]))
        [row] = _report(database, devon, run)
        assert (row.outcome, [each.column for each in row.remarks]) == (_ADDED, ["DATE_PLACED", "HOME_POST"])

    def test_refuses_a_return_that_cannot_be_read_whole(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        files = Return().files()
        del files["episodes.csv"]

        run = _import_bytes(database, devon, pack_return(files))

        assert run.refusal is not None
        assert f"lacks the table {Table.EPISODES}" in run.refusal
        assert _report(database, devon, run) == []

    def test_refuses_an_agency_that_has_no_children(self, database: Database, factories: Factories) -> None:
        society = factories.tenant(factories.consortium(), kind=AgencyKind.VOLUNTARY_AGENCY)
        with pytest.raises(ImportNotForAgency):
            _import(database, society, Return())

    def test_is_taken_back_whole(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        _import_sheet(database, devon, ("G1", "C1", "Fictia", "female", "01/02/2024", "yes", "MWBC"))
        run = _import(database, devon, Return([header(), header("C2")], [episode(PLACE="A6"), episode("C2")]))
        theirs = _import(database, dorset, Return())
        assert (run.changed, run.added, theirs.added) == (1, 1, 1)

        with database.transaction(devon.scope) as session:
            undone = undo_import(session, get_import(session, run.id), asked_at=NOW, progress=_ignore, now=NOW)

        assert undone.undone_at == NOW
        with database.transaction(devon.scope) as session:
            group = groups.get_group_by_reference(session, "G1")
            assert groups.count_groups(session, own_agency=devon.id) == 1
            assert (group.status, group.shobpa_on) == (groups.GroupStatus.WAITING, date(2024, 2, 1))
            assert group.placement_order_on is None
        with database.transaction(dorset.scope) as session:
            assert groups.count_groups(session, own_agency=dorset.id) == 1

    def test_takes_more_children_than_one_statement_names(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        numbers = [f"C{number}" for number in range(1_003)]
        whole = Return([header(each) for each in numbers], [episode(numbers[-1])], [])
        run = _import(database, devon, whole)
        assert (run.added, run.not_for_adoption) == (1, 1_002)
        assert _import(database, devon, whole).unchanged == 1


if DATA is not None:

    class TestTakeALargeReturn:
        def test_takes_it_whole_and_again_for_unchanged(self, database: Database, factories: Factories) -> None:
            assert DATA is not None
            devon, dorset = factories.two_tenants()
            content = pack_return({path.name: path.read_bytes() for path in DATA.iterdir()})

            first, again = (_import_bytes(database, devon, content) for _ in range(2))

            assert (first.refusal, first.changed, first.unchanged) == (None, 0, 0)
            assert first.added == again.unchanged > 0
            assert first.added + first.refused + first.not_for_adoption == len(_report(database, devon, first)) == 2_928
            with database.transaction(dorset.scope) as session:
                assert groups.count_groups(session) == 0


def _import(database: Database, tenant: Tenant, whole: Return, **facts: Any) -> ImportRun:
    return _import_bytes(database, tenant, whole.packed(), **facts)


def _import_bytes(database: Database, tenant: Tenant, content: bytes, **facts: Any) -> ImportRun:
    facts = {"kind": SheetKind.SSDA903, "filename": "return.zip", "dry_run": False, **facts}
    with database.transaction(tenant.scope) as session:
        run = request_import(session, content=content, now=NOW, **facts)
    with database.transaction(tenant.scope) as session:
        return perform_import(session, get_import(session, run.id), progress=_ignore, now=NOW)


def _import_sheet(database: Database, tenant: Tenant, *lines: tuple[str, ...]) -> None:
    headings = ["Group reference", "Child reference", "Forename", "Sex", "SHOBPA decision on", "Must be only child"]
    content = csv_file([[*headings, "Heritage"], *lines])
    run = _import_bytes(database, tenant, content, kind=SheetKind.CHILDREN, filename="sheet.csv")
    assert run.added == len(lines), (run.refusal, run.notes)


def _report(database: Database, tenant: Tenant, run: ImportRun) -> list[RowOutcome]:
    with database.transaction(tenant.scope) as session:
        return read_report(session, get_import(session, run.id), now=NOW)


def _outcomes(database: Database, tenant: Tenant, run: ImportRun) -> list[tuple[str | None, Outcome]]:
    return [(each.reference, each.outcome) for each in _report(database, tenant, run)]


def _status(database: Database, tenant: Tenant) -> groups.GroupStatus:
    with database.transaction(tenant.scope) as session:
        return session.scalars(select(groups.SiblingGroup.status)).one()


def _ignore(*_told: object) -> None:
    pass
