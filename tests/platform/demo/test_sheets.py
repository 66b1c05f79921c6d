from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from concord.demo import DemoPlan, DemoShape, DemoSheet, InvalidDemo, write_demo
from concord.demo.chance import shared_out
from concord.demo.child import FORENAMES as CHILD_FORENAMES
from concord.demo.child import GROUP_SIZES
from concord.demo.consortium import AGENCIES, list_people
from concord.demo.household import FORENAMES as ADOPTER_FORENAMES
from concord.demo.household import NEVER_USED
from concord.demo.need import DISABILITIES
from concord.demo.sheet_shape import is_asked_about
from concord.demo.sheets import RETURNED_BY
from matching.intake.alike import heading_likeness
from matching.intake.child_row import ChildRow, GroupRow, groups_in
from matching.intake.column import SheetKind, columns_of
from matching.intake.household_row import HouseholdRow, households_in
from matching.intake.laid_sheet import lay_out
from matching.intake.mapping import BookMapping, SheetMapping, correct, doubts_of
from matching.intake.proposal import propose
from matching.intake.reading import read_book
from matching.intake.row import RowCells, RowProblem
from matching.intake.sheet import Book, CellValue, Sheet
from matching.intake.ssda903.intake import ReturnIntake, read_return
from matching.intake.ssda903.verdict import Fate
from matching.need import NeedLevel, YesNo
from matching.place import outward_code_of
from matching.ranking.facts import LegalPosition
from tests.matching.intake.reading_rows import cells_of, read_groups, read_households, sheet_below

AS_OF = date(2026, 11, 23)
SEEDS = (7, 2026)
WHITE = {"WBRI", "WIRI", "WOTH", "WIRT", "WROM"}

T = TypeVar("T")
Demo = tuple[DemoPlan, dict[str, list[HouseholdRow]], dict[str, list[GroupRow]]]


class TestWriteDemo:
    def test_gives_the_same_bytes_for_the_same_seed(self, tmp_path: Path) -> None:
        first = write_demo(tmp_path / "a", seed=3, as_of=AS_OF, households=40, groups=40)
        second = write_demo(tmp_path / "b", seed=3, as_of=AS_OF, households=40, groups=40)
        assert [each.path.name for each in first.sheets] == [each.path.name for each in second.sheets]
        assert contents(first) == contents(second)

    def test_gives_other_people_for_another_seed(self, tmp_path: Path) -> None:
        first = write_demo(tmp_path / "a", seed=3, as_of=AS_OF, households=40, groups=40)
        second = write_demo(tmp_path / "b", seed=4, as_of=AS_OF, households=40, groups=40)
        assert not set(contents(first)) & set(contents(second))

    @pytest.mark.parametrize("seed", SEEDS)
    def test_writes_sheets_that_the_importer_takes_whole(self, demos: dict[int, Demo], seed: int) -> None:
        plan, households, groups = demos[seed]
        returned = len(read_returned(plan).taken)
        assert sum(map(len, households.values())) == plan.households == 140
        assert sum(map(len, groups.values())) + returned == plan.groups == 300
        assert sum(len(group.children) for each in groups.values() for group in each) + returned == plan.children

    def test_writes_three_shapes_of_both_kinds_in_files_of_every_sort(self, demos: dict[int, Demo]) -> None:
        plan, _, _ = demos[7]
        shapes = Counter((sheet.kind, sheet.shape) for sheet in plan.sheets if sheet.shape)
        assert len(shapes) == 6
        assert min(shapes.values()) >= 4
        files = {(sheet.shape, sheet.path.suffix) for sheet in plan.sheets}
        assert {(DemoShape.DOCUMENTED, ".csv"), (DemoShape.DOCUMENTED, ".xlsx"), (DemoShape.COUNCIL, ".xlsx")} <= files
        assert {(DemoShape.OLDER, ".csv"), (DemoShape.OLDER, ".ods"), (None, ".zip")} <= files

    @pytest.mark.parametrize("seed", SEEDS)
    def test_says_the_same_of_every_household_whichever_shape(self, demos: dict[int, Demo], seed: int) -> None:
        plan, households, _ = demos[seed]
        for slug, read in households.items():
            true = read_households(facts_of(plan, slug, SheetKind.HOUSEHOLDS), today=plan.as_of).rows
            assert [bare_household(row) for row in read] == [
                bare_household(row, named=read[0].reference[:4] != "KEY-") for row in true
            ]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_says_the_same_of_every_group_whichever_shape(self, demos: dict[int, Demo], seed: int) -> None:
        plan, _, groups = demos[seed]
        for slug, read in groups.items():
            true = read_groups(facts_of(plan, slug, SheetKind.CHILDREN), today=plan.as_of).groups
            assert [bare_group(group) for group in read] == [bare_group(group) for group in true]

    def test_asks_only_where_a_person_must_tell(self, demos: dict[int, Demo]) -> None:
        plan, _, _ = demos[7]
        agencies = {agency.slug: agency for agency in AGENCIES}
        for sheet in plan.sheets:
            if sheet.kind is not SheetKind.SSDA903:
                asked = bool(doubts_of(opened(sheet)[1]))
                assert asked is is_asked_about(agencies[sheet.agency_slug], sheet.kind), sheet.path.name

    def test_proposes_what_the_agency_means(self, demos: dict[int, Demo]) -> None:
        plan, _, _ = demos[7]
        for sheet in plan.sheets:
            for choice in sheet.choices:
                columns = main_sheet(opened(sheet)[1], sheet).columns
                assert {each.index: each.column for each in columns} == choice.columns

    def test_the_return_says_how_many_are_refused(self, demos: dict[int, Demo]) -> None:
        plan, _, _ = demos[7]
        sheet = next(each for each in plan.sheets if each.kind is SheetKind.SSDA903)
        fates = Counter(child.fate for child in read_returned(plan).children)
        assert sheet.agency_slug == RETURNED_BY
        assert (sum(fates.values()), fates[Fate.REFUSED]) == (sheet.rows, sheet.refused)
        assert fates[Fate.TAKEN] > 0
        assert not [each for each in plan.sheets if (each.agency_slug, each.kind) == (RETURNED_BY, SheetKind.CHILDREN)]

    def test_leaves_one_sheet_with_a_question_and_one_with_rows_to_mend(self, demos: dict[int, Demo]) -> None:
        plan, _, _ = demos[7]
        mend, question = plan.left
        assert doubts_of(opened(question)[1])
        book, mapping = opened(mend)
        intake = households_in(*rows_of(book, mapping), today=plan.as_of)
        assert doubts_of(mapping) == ()
        assert len({problem.row for problem in intake.problems}) == mend.refused == 3
        assert len(intake.rows) == mend.rows - mend.refused
        known = {household.reference for household in every(demos[7][1])}
        assert not known & {row.reference for row in intake.rows}

    def test_fills_every_documented_heading(self, demos: dict[int, Demo]) -> None:
        plan, _, _ = demos[7]
        for sheet in plan.sheets:
            if sheet.shape is DemoShape.DOCUMENTED:
                read = opened(sheet)[0].sheets[0]
                assert read.headings == tuple(column.heading for column in columns_of(sheet.kind))
                assert len(read.rows) == sheet.rows

    def test_voluntary_agencies_have_no_children(self, demos: dict[int, Demo]) -> None:
        plan, _, _ = demos[7]
        voluntary = {agency.slug for agency in AGENCIES if agency.kind == "voluntary_agency"}
        assert {sheet.kind for sheet in plan.sheets if sheet.agency_slug in voluntary} == {SheetKind.HOUSEHOLDS}

    def test_knows_no_future_but_a_due_date(self, demos: dict[int, Demo]) -> None:
        _, _, groups = demos[7]
        for group in every(groups):
            for day in (group.shobpa_on, group.placement_order_on, group.waiting_since):
                assert day is None or day <= AS_OF
            assert all((child.born_on or AS_OF) <= AS_OF < (child.due_on or date.max) for child in group.children)

    @pytest.mark.parametrize(("households", "groups"), [(0, 0), (1, 0), (0, 1), (3, 2)])
    def test_makes_small_ones(self, tmp_path: Path, households: int, groups: int) -> None:
        plan = write_demo(tmp_path, seed=1, as_of=AS_OF, households=households, groups=groups)
        _, read, found = read_back(plan)
        assert (len(every(read)), len(every(found)) + len(read_returned(plan).taken)) == (households, groups)

    def test_makes_large_ones(self, tmp_path: Path) -> None:
        plan = write_demo(tmp_path, seed=1, as_of=AS_OF, households=1_500, groups=600)
        written = sum(sheet.rows for sheet in plan.sheets if sheet.kind is not SheetKind.SSDA903)
        assert written + len(read_returned(plan).taken) == 1_500 + plan.children

    @pytest.mark.parametrize("as_of", [date(2024, 2, 29), date(2026, 1, 1), date(2040, 12, 31)])
    def test_is_sound_on_any_day(self, tmp_path: Path, as_of: date) -> None:
        plan = write_demo(tmp_path, seed=1, as_of=as_of, households=40, groups=60)
        read_back(plan)

    def test_refuses_an_unknown_scenario_and_names_the_known(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidDemo, match="choose one of shortage"):
            write_demo(tmp_path, seed=1, as_of=AS_OF, scenario="plenty")

    def test_refuses_negative_numbers(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidDemo, match="negative"):
            write_demo(tmp_path, seed=1, as_of=AS_OF, households=-1)


@pytest.mark.parametrize("seed", SEEDS)
class TestCalibration:
    def test_group_sizes(self, demos: dict[int, Demo], seed: int) -> None:
        groups = every(demos[seed][2])
        sizes = Counter(len(group.children) for group in groups)
        assert sizes == dict(zip(GROUP_SIZES, shared_out(len(groups), list(GROUP_SIZES.values())), strict=True))

    def test_age_of_waiting_children(self, demos: dict[int, Demo], seed: int) -> None:
        ages = [(AS_OF - born).days / 365.25 for born in births(demos[seed])]
        assert 0.23 <= sum(age >= 5 for age in ages) / len(ages) <= 0.33

    def test_minority_heritage(self, demos: dict[int, Demo], seed: int) -> None:
        groups = every(demos[seed][2])
        minority = [group for group in groups if {child.heritage for child in group.children} - WHITE - {None}]
        assert 0.17 <= len(minority) / len(groups) <= 0.2

    def test_disabled_children(self, demos: dict[int, Demo], seed: int) -> None:
        children = [child for group in every(demos[seed][2]) for child in group.children]
        disabled = [
            child
            for child in children
            if {child.needs.get(code) for code in DISABILITIES} & {NeedLevel.MEDIUM, NeedLevel.HIGH}
        ]
        assert 0.03 <= len(disabled) / len(children) <= 0.05

    def test_long_waits(self, demos: dict[int, Demo], seed: int) -> None:
        waits = [(AS_OF - group.waiting_since).days for group in every(demos[seed][2]) if group.waiting_since]
        assert 0.09 <= sum(days >= 548 for days in waits) / len(waits) <= 0.2

    def test_how_busy_families_are(self, demos: dict[int, Demo], seed: int) -> None:
        waiting = [each for each in every(demos[seed][1]) if each.status == "waiting"]
        considered = Counter(each.considered_for for each in waiting)
        assert set(considered) == {0, 1, 2, 3, None}
        assert 0.4 <= considered[0] / len(waiting) <= 0.7
        assert {each.considered_for for each in every(demos[seed][1]) if each.status != "waiting"} <= {None}
        assert all((each.availability_confirmed_on is None) is (each.considered_for is None) for each in waiting)

    def test_what_families_bring_and_groups_ask(self, demos: dict[int, Demo], seed: int) -> None:
        for name in ("experience", "training", "parent_at_home", "support_nearby"):
            assert {getattr(each, name) for each in every(demos[seed][1])} == set(YesNo)
        for name in ("experience_needed", "training_needed", "parent_at_home_needed", "support_needed"):
            assert {getattr(each, name) for each in every(demos[seed][2])} == set(YesNo)
        households, groups = every(demos[seed][1]), every(demos[seed][2])
        assert {each.adopters for each in households} == {1, 2, None}
        assert {each.adopters_hoped_for for each in groups} == {1, 2, None}
        assert 0.04 <= sum((each.available_from or AS_OF) > AS_OF for each in households) / len(households) <= 0.25

    def test_most_have_an_order(self, demos: dict[int, Demo], seed: int) -> None:
        positions = Counter(group.legal_position for group in every(demos[seed][2]))
        assert 0.55 <= positions[LegalPosition.ORDER_GRANTED] / positions.total() <= 0.75
        assert set(positions) == set(LegalPosition)

    def test_most_of_the_pool_is_shared_and_a_little_is_not(self, demos: dict[int, Demo], seed: int) -> None:
        for records in (every(demos[seed][1]), every(demos[seed][2])):
            stages = Counter(record.sharing for record in records)
            assert stages["consortium"] / len(records) > 0.8
            assert stages["in_house"] > 0
            assert stages["hold"] > 0

    def test_some_children_are_not_yet_born(self, demos: dict[int, Demo], seed: int) -> None:
        unborn = [child for group in every(demos[seed][2]) for child in group.children if child.due_on]
        assert 1 <= len(unborn) <= 9


@pytest.mark.parametrize("seed", SEEDS)
class TestAnonymity:
    def test_no_profile_holds_a_name(self, demos: dict[int, Demo], seed: int) -> None:
        names = {*CHILD_FORENAMES, *ADOPTER_FORENAMES, "Example", "Sample"}
        names |= {word for person in list_people() for word in person.name.split()}
        found = re.compile(r"\b(" + "|".join(map(re.escape, sorted(names))) + r")\b")
        assert [text for text in profiles(demos[seed]) if found.search(text)] == []

    def test_no_profile_holds_a_place_a_school_or_a_figure(self, demos: dict[int, Demo], seed: int) -> None:
        plain = {"North", "South", "East", "Action", "Children", "Families", "Society", "Help", "Isles", "Forces"}
        words = {word for agency in AGENCIES for word in re.findall(r"[A-Z]\w+", agency.name)} - plain
        found = re.compile(r"\b(" + "|".join(sorted(words)) + r"|School|Academy|Nursery)\b|\d|\b[A-Z]{1,2}\d")
        assert [text for text in profiles(demos[seed]) if found.search(text)] == []

    def test_every_record_has_a_profile(self, demos: dict[int, Demo], seed: int) -> None:
        assert min(map(len, profiles(demos[seed]))) > 80

    def test_every_person_is_plainly_synthetic(self, demos: dict[int, Demo], seed: int) -> None:
        for household in every(demos[seed][1]):
            assert re.fullmatch(r"[A-Z][a-z]+ Example-\d{4}", household.adopter_1_name or "")
        for child in (child for group in every(demos[seed][2]) for child in group.children):
            assert child.due_on or re.fullmatch(r"Sample-\d{4}", child.surname or "")

    def test_no_address_telephone_or_postcode_can_be_real(self, demos: dict[int, Demo], seed: int) -> None:
        for household in every(demos[seed][1]):
            assert (household.email or "").endswith(".example.net")
            assert (household.telephone or "").replace(" ", "").startswith("01632960")
            assert set((household.postcode or "")[-2:]) <= set(NEVER_USED)

    def test_homes_are_where_the_agency_works(self, demos: dict[int, Demo], seed: int) -> None:
        _, households, groups = demos[seed]
        for agency in AGENCIES:
            codes = set(agency.outward_codes)
            assert {outward_code_of(each.postcode or "") for each in households.get(agency.slug, [])} <= codes
            assert {each.home_outward_code for each in groups.get(agency.slug, [])} <= codes | {None}


def contents(plan: DemoPlan) -> list[bytes]:
    return [sheet.path.read_bytes() for sheet in (*plan.sheets, *plan.left)]


def read_back(plan: DemoPlan) -> Demo:
    households: dict[str, list[HouseholdRow]] = {}
    groups: dict[str, list[GroupRow]] = {}
    for sheet in plan.sheets:
        if sheet.kind is SheetKind.SSDA903:
            continue
        book, proposed = opened(sheet)
        mapping = correct(proposed, sheet.choices) if doubts_of(proposed) else proposed
        cells, problems = rows_of(book, mapping)
        if sheet.kind is SheetKind.HOUSEHOLDS:
            taken = households_in(cells, problems, today=plan.as_of)
            assert taken.problems == ()
            households[sheet.agency_slug] = list(taken.rows)
        else:
            layouts = [each.layout for each in lay_out(book, mapping)]
            found = groups_in(cells, problems, layouts=layouts, today=plan.as_of)
            assert found.problems == ()
            groups[sheet.agency_slug] = list(found.groups)
    return plan, households, groups


def opened(sheet: DemoSheet) -> tuple[Book, BookMapping]:
    return opened_once(sheet.path, sheet.kind)


@cache
def opened_once(path: Path, kind: SheetKind) -> tuple[Book, BookMapping]:
    book = read_book(path.read_bytes(), filename=path.name, likeness=heading_likeness(kind))
    return book, propose(book, kind, {})


def main_sheet(mapping: BookMapping, sheet: DemoSheet) -> SheetMapping:
    titles = {"", *(choice.title for choice in sheet.choices)}
    return next(each for each in mapping.sheets if each.title in titles)


def rows_of(book: Book, mapping: BookMapping) -> tuple[tuple[RowCells, ...], tuple[RowProblem, ...]]:
    read = cells_of(lay_out(book, mapping))
    return read.cells, read.problems


def read_returned(plan: DemoPlan) -> ReturnIntake:
    returned = [sheet.path.read_bytes() for sheet in plan.sheets if sheet.kind is SheetKind.SSDA903]
    if not returned:
        return ReturnIntake((), ())
    return read_return(returned[0], filename="return.zip", today=plan.as_of)


def facts_of(plan: DemoPlan, slug: str, kind: SheetKind) -> Sheet:
    headings = [column.heading for column in columns_of(kind) if column.heading]
    lines: list[list[CellValue]] = [[row.get(heading) for heading in headings] for row in plan.facts[slug, kind]]
    return sheet_below(headings, lines)


def bare_household(row: HouseholdRow, *, named: bool = True) -> HouseholdRow:
    """Return a household without where it stands, and without a reference that its sheet cannot say."""
    named = named and not row.reference.startswith("KEY-")
    return replace(row, number=0, sheet="", given=frozenset(), reference=row.reference if named else "")


def bare_group(group: GroupRow) -> GroupRow:
    return replace(group, given=frozenset(), children=tuple(bare_child(child) for child in group.children))


def bare_child(child: ChildRow) -> ChildRow:
    return replace(child, number=0, sheet="", given=frozenset())


def every(by_agency: dict[str, list[T]]) -> list[T]:
    return [record for records in by_agency.values() for record in records]


def births(demo: Demo) -> list[date]:
    return [child.born_on for group in every(demo[2]) for child in group.children if child.born_on]


def profiles(demo: Demo) -> list[str]:
    return [each.profile or "" for each in every(demo[1])] + [each.profile or "" for each in every(demo[2])]


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Demo]:
    found = {}
    for seed in SEEDS:
        found[seed] = read_back(write_demo(tmp_path_factory.mktemp(f"demo{seed}"), seed=seed, as_of=AS_OF))
    return found
