"""Files whose columns are not the documented ones: asked about, remembered, keyed; and checks that are overtaken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from matching.household import HouseholdIdentity, count_households
from matching.intake.child_row import GroupRow
from matching.intake.column import SheetKind, columns_of
from matching.intake.household_row import HouseholdRow
from matching.intake.import_run import ImportRun, choose_mapping, find_mapping, get_import, read_mapping
from matching.intake.mapping import BookMapping, How, MappingWrong, SheetChoice
from matching.intake.outcome import Outcome
from matching.intake.real_import import import_for_real
from matching.intake.shape import ImportShape
from matching.intake.sheet import CellValue
from matching.sibling_group import GroupIdentity
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant
from tests.matching.intake.importing import counts_of, perform, report_of, sheet, state_of, take
from tests.matching.intake.strategies import group_rows, household_rows
from tests.matching.intake.writing import group_lines, household_line, xlsx_file

_few = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))

_ODD = ["Our ref", "Worker", "Zebra crossing"]
_LINE = ["ADP-1", "Somebody Sample", "waiting"]


class TestNeedsMapping:
    def test_takes_nothing_and_says_which_columns_are_not_clear(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        run = take(database, devon, sheet(_ODD, _LINE))
        assert (run.needs_mapping, counts_of(run)) == (True, (0, 0, 0, 0))
        assert run.refusal is not None
        assert "Zebra" not in run.refusal
        with database.transaction(dorset.scope) as session:
            assert session.scalar(select(func.count()).select_from(ImportRun)) == 0

    def test_is_settled_by_a_person_and_remembered_for_its_shape(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        run = take(database, devon, sheet(_ODD, _LINE))
        checked = _choose(database, devon, run, {0: "Reference", 1: None, 2: "Status"})
        assert (checked.dry_run, counts_of(checked)) == (True, (1, 0, 0, 0))

        again = take(
            database, devon, sheet([" OUR ref.", "worker", "Zebra Crossing"], _LINE, ["ADP-2", None, "on hold"])
        )
        theirs = take(database, dorset, sheet(_ODD, _LINE))

        assert counts_of(again) == (2, 0, 0, 0)
        assert {each.how for each in _mapping(database, devon, again).sheets[0].columns} == {How.REMEMBERED}
        assert theirs.needs_mapping
        with database.transaction(dorset.scope) as session:
            assert session.scalars(select(ImportShape)).all() == []

    def test_asks_again_once_a_column_left_out_for_being_empty_is_filled(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        headings = ["Reference", "Status", "Wibble"]
        assert counts_of(take(database, devon, sheet(headings, ["A", "waiting", None]))) == (1, 0, 0, 0)
        assert take(database, devon, sheet(headings, ["A", "waiting", "yes"])).needs_mapping

    def test_remembers_nothing_for_sheets_of_another_kind(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, sheet(_ODD, _LINE))
        _choose(database, devon, run, {0: "Reference", 1: None, 2: "Status"})

        children = take(database, devon, sheet(_ODD, _LINE), kind=SheetKind.CHILDREN)

        assert children.needs_mapping
        assert How.REMEMBERED not in {each.how for each in _mapping(database, devon, children).sheets[0].columns}

    @pytest.mark.parametrize(
        ("columns", "keys"),
        [
            ({0: "Reference", 1: "Reference"}, ()),
            ({0: "Nonsense"}, ()),
            ({7: "Reference"}, ()),
            ({2: "Status"}, ()),
            ({2: "Status"}, ("Postcode",)),
        ],
    )
    def test_refuses_a_choice_that_cannot_be(
        self, database: Database, factories: Factories, columns: dict[int, str | None], keys: tuple[str, ...]
    ) -> None:
        devon, _ = factories.two_tenants()
        run = take(database, devon, sheet(_ODD, _LINE))
        with database.transaction(devon.scope) as session, pytest.raises(MappingWrong):
            choose_mapping(session, get_import(session, run.id), [SheetChoice("", True, columns, keys)], now=NOW)


class TestSeveralSheets:
    def test_reads_those_that_fit_and_names_the_others(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        content = xlsx_file(
            [["Reference", "Status"], ["A", "waiting"], ["B", "waiting"]],
            title="North",
            others={
                "South": [["Status", "Reference"], ["waiting", "C"], ["waiting", "A"]],
                "Rota": [["Monday", "Tuesday"], ["x", "y"], ["z", "w"]],
            },
        )
        run = take(database, devon, content)
        assert [(row.sheet, row.row, row.outcome) for row in report_of(database, devon, run)] == [
            ("North", 2, Outcome.REFUSED),
            ("North", 3, Outcome.ADDED),
            ("South", 2, Outcome.ADDED),
            ("South", 3, Outcome.REFUSED),
        ]
        [first, *_] = report_of(database, devon, run)
        assert first.problems[0].reason == "the same reference is on row 3 of “South”"
        assert "Sheet “Rota” was not read: 3 rows." in run.notes


class TestKeys:
    def test_know_a_household_without_a_reference_in_the_next_sheet_too(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        headings = ["Adopter 1 name", "Postcode", "Status", "Pets"]
        first = take(database, devon, sheet(headings, ["Alder Example", "EX4 4QJ", "waiting", "yes"]))
        second = take(database, devon, sheet(headings, ["ALDER  example", "ex44qj", "waiting", "no"]))
        take(database, dorset, sheet(headings, ["Alder Example", "EX4 4QJ", "waiting", "yes"]))

        assert (counts_of(first), counts_of(second)) == ((1, 0, 0, 0), (0, 1, 0, 0))
        ours, theirs = (_references(database, tenant) for tenant in (devon, dorset))
        assert ours != theirs
        assert ours[0].startswith("KEY-")
        assert any("no column holds your own reference" in note for note in first.notes)

    def test_refuse_rows_that_they_cannot_tell_apart(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        headings = ["Adopter 1 name", "Postcode", "Status"]
        line = ["Alder Example", "EX4 4QJ", "waiting"]
        run = take(database, devon, sheet(headings, line, line, ["Birch Example", None, "waiting"]))
        reasons = [row.problems[0].reason for row in report_of(database, devon, run)]
        assert reasons[:2] == [f"the same Adopter 1 name and Postcode are on row {row}" for row in (3, 2)]
        assert "this is needed to know whose row it is" in reasons[2]

    def test_make_each_child_a_group_unless_it_is_recorded_in_one(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        grouped = sheet(["Group reference", "Child reference"], ["G1", "C1"], ["G1", "C2"])
        take(database, devon, grouped, kind=SheetKind.CHILDREN)

        lone = sheet(["Child reference", "Sex"], ["C1", "female"], ["C3", "male"])
        run = take(database, devon, lone, kind=SheetKind.CHILDREN)

        assert counts_of(run) == (1, 1, 0, 0)
        assert any("no column says who are siblings" in note for note in run.notes)
        with database.transaction(devon.scope) as session:
            references = set(session.scalars(select(GroupIdentity.reference)))
        assert "G1" in references
        assert len(references) == 2


class TestOtherSheets:
    @given(st.lists(household_rows(), min_size=1, max_size=2, unique_by=lambda row: row.reference), st.data())
    @_few
    def test_take_the_same_households_as_the_documented_one(
        self, database: Database, factories: Factories, drawn: list[HouseholdRow], data: st.DataObject
    ) -> None:
        lines = [household_line(row) for row in drawn]
        _check_same(database, factories, SheetKind.HOUSEHOLDS, lines, data)

    @given(group_rows(), st.data())
    @_few
    def test_take_the_same_children_as_the_documented_one(
        self, database: Database, factories: Factories, drawn: GroupRow, data: st.DataObject
    ) -> None:
        group = replace(drawn, sibling_household=None)
        _check_same(database, factories, SheetKind.CHILDREN, group_lines(group), data)


class TestOvertaken:
    def test_takes_nothing_when_it_would_do_other_than_was_checked(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        headings = ["Reference", "Status", "Pets"]
        content = sheet(headings, ["A", "waiting", "yes"], ["B", "waiting", "no"])
        checked = take(database, devon, content, dry_run=True)
        take(database, devon, sheet(headings, ["A", "waiting", "no"]))
        before = state_of(database, devon)

        with database.transaction(devon.scope) as session:
            real = import_for_real(session, get_import(session, checked.id), now=NOW)
        done = perform(database, devon, real.id)

        assert (done.overtaken, done.dry_run, counts_of(done)) == (True, True, (1, 1, 0, 0))
        assert state_of(database, devon) == before
        assert done.notes[0].startswith("What would happen is no longer what the check said")
        with database.transaction(devon.scope) as session:
            saved = import_for_real(session, get_import(session, done.id), now=NOW)
        assert counts_of(perform(database, devon, saved.id)) == (1, 1, 0, 0)

    def test_does_just_what_was_checked_otherwise(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        content = sheet(["Reference", "Status"], ["A", "waiting"], ["A", "waiting"], ["B", "waiting"])
        checked = take(database, devon, content, dry_run=True)
        take(database, dorset, content)
        with database.transaction(devon.scope) as session:
            real = import_for_real(session, get_import(session, checked.id), now=NOW)
        done = perform(database, devon, real.id)
        assert (done.overtaken, counts_of(done)) == (False, counts_of(checked))
        with database.transaction(devon.scope) as session:
            assert count_households(session, own_agency=devon.id) == 1


class TestWarnings:
    def test_say_that_a_sheet_names_none_of_those_known(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        headings = ["Reference", "Status"]
        take(database, devon, sheet(headings, *([f"A{number}", "waiting"] for number in range(10))))
        new = [[f"B{number}", "waiting"] for number in range(10)]
        other = take(database, devon, sheet(headings, *new), dry_run=True)
        most = take(database, devon, sheet(headings, *([f"A{number}", "on hold"] for number in range(6))), dry_run=True)
        assert any("names none of the 10 households" in note for note in other.notes)
        assert any("would change 6 of the 10 households" in note for note in most.notes)


def _check_same(
    database: Database, factories: Factories, kind: SheetKind, lines: list[list[CellValue]], data: st.DataObject
) -> None:
    """Check that other names in another order say the same: taken second, nothing is changed."""
    devon, dorset = factories.two_tenants()
    columns = columns_of(kind)
    order = data.draw(st.permutations(range(len(columns))))
    names = [data.draw(st.sampled_from((columns[at].heading, *columns[at].other_names))) for at in order]
    documented = sheet([column.heading for column in columns], *lines)
    other = sheet(names, *([line[at] for at in order] for line in lines))

    first = take(database, devon, documented, kind=kind)
    before = state_of(database, devon)
    second = take(database, devon, other, kind=kind)
    after = state_of(database, devon)
    # Only now, for what is shared is seen by both.
    alone = take(database, dorset, other, kind=kind)

    assert counts_of(first) == counts_of(alone) == (len(lines), 0, 0, 0)
    assert counts_of(second) == (0, 0, len(lines), 0)
    assert after == before


def _choose(database: Database, tenant: Tenant, run: ImportRun, columns: dict[int, str | None]) -> ImportRun:
    with database.transaction(tenant.scope) as session:
        checked = choose_mapping(session, get_import(session, run.id), [SheetChoice("", True, columns)], now=NOW)
    return perform(database, tenant, checked.id)


def _mapping(database: Database, tenant: Tenant, run: ImportRun) -> BookMapping:
    with database.transaction(tenant.scope) as session:
        read_mapping(session, get_import(session, run.id), now=NOW)
        mapping = find_mapping(session, run)
    assert mapping is not None
    return mapping


def _references(database: Database, tenant: Tenant) -> list[str]:
    with database.transaction(tenant.scope) as session:
        return list(session.scalars(select(HouseholdIdentity.reference)))
