"""Records as the documented sheet says them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings

from matching.intake.child_row import GroupRow
from matching.intake.column import SheetKind, columns_of
from matching.intake.household_row import HouseholdRow
from matching.intake.saying import say_child, say_group, say_household
from matching.intake.sheet import Sheet
from tests.matching.intake.reading_rows import read_groups, read_households, sheet_below
from tests.matching.intake.strategies import TODAY, group_rows, household_rows


class TestSayHousehold:
    @given(household_rows())
    @settings(max_examples=150)
    def test_say_household_is_read_as_the_same_household(self, row: HouseholdRow) -> None:
        read = read_households(_sheet([say_household(row)]), today=TODAY)
        assert (read.problems, [replace(each, given=row.given) for each in read.rows]) == ((), [row])

    def test_say_household_has_every_documented_column_but_those_that_stand_for_two(self) -> None:
        columns = columns_of(SheetKind.HOUSEHOLDS)
        said = say_household(HouseholdRow(number=2, reference="ADP-1"))
        assert list(said) == [column.heading for column in columns if not column.spreads]
        assert {heading for heading, text in said.items() if text} == {"Reference"}

    def test_say_household_writes_as_the_documented_sheet_does(self) -> None:
        row = HouseholdRow(
            number=2,
            reference="ADP-1",
            status="on_hold",
            age_from_months=18,
            age_to_months=59,
            youngest_at_home=date(2019, 3, 1),
            sharing="in_house",
        )
        said = say_household(row)
        assert [said[heading] for heading in ("Status", "Youngest age", "Oldest age", "Youngest at home born")] == [
            *("on hold", "18 months", "4", "03/2019")
        ]
        assert said["Sharing"] == "in-house"


class TestSayGroupAndChild:
    @given(group_rows())
    @settings(max_examples=150)
    def test_say_group_and_say_child_are_read_as_the_same_group(self, group: GroupRow) -> None:
        rows = [{**say_group(group), **say_child(child)} for child in group.children]
        read = read_groups(_sheet(rows), today=TODAY)
        assert (read.problems, [_given(each, group) for each in read.groups]) == ((), [group])

    @given(group_rows())
    @settings(max_examples=10)
    def test_say_group_and_say_child_share_no_heading(self, group: GroupRow) -> None:
        assert not say_group(group).keys() & say_child(group.children[0]).keys()


def _given(read: GroupRow, group: GroupRow) -> GroupRow:
    children = tuple(
        replace(each, given=child.given) for each, child in zip(read.children, group.children, strict=True)
    )
    return replace(read, given=group.given, children=children)


def _sheet(rows: list[dict[str, str]]) -> Sheet:
    return sheet_below(list(rows[0]), [[text or None for text in row.values()] for row in rows])
