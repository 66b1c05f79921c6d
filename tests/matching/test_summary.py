from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.intake.cell import ETHNIC_CODES
from matching.need import Answer, NeedLevel, YesNo, need_catalogue
from matching.ranking.facts import ChildFacts, ContactKind, GroupFacts, HouseholdFacts, LegalPosition, Sex, SexApproved
from matching.summary import (
    HERITAGE_WORDS,
    answer_words,
    contact_words,
    count_words,
    days_waiting,
    describe_age,
    describe_approval,
    describe_child,
    describe_children,
    describe_contact_plan,
    describe_days,
    describe_heritage,
    describe_home,
    describe_home_asked,
    describe_household,
    join_words,
    legal_position_words,
    level_words,
    needs_by_level,
    needs_of,
    yes_no_words,
)

TODAY = date(2026, 11, 23)


class TestDescribeAge:
    @pytest.mark.parametrize(
        ("born", "words"),
        [
            (None, "age not recorded"),
            (date(2027, 3, 1), "due in March 2027"),
            (date(2026, 11, 1), "under a month"),
            (date(2026, 10, 1), "1 month"),
            (date(2025, 5, 1), "18 months"),
            (date(2024, 12, 1), "23 months"),
            (date(2024, 11, 1), "2"),
            (date(2020, 12, 1), "5"),
            (date(2020, 11, 1), "6"),
        ],
    )
    def test_is_said_as_people_do(self, born: date | None, words: str) -> None:
        assert describe_age(born, TODAY) == words

    @given(st.dates(), st.dates())
    def test_is_never_negative_nor_empty(self, born: date, today: date) -> None:
        words = describe_age(born, today)

        assert words
        assert "-" not in words


class TestDescribeChildren:
    def test_says_girl_and_boy_youngest_first(self) -> None:
        children = [child(date(2021, 6, 1), Sex.MALE), child(date(2023, 6, 1), Sex.FEMALE)]

        assert describe_children(children, TODAY) == "Two children: a girl of 3 and a boy of 5"

    def test_says_a_single_child(self) -> None:
        assert describe_children([child(date(2025, 5, 1), Sex.FEMALE)], TODAY) == "One child: a girl of 18 months"

    def test_says_twins_together(self) -> None:
        born = date(2023, 6, 1)
        children = [child(born, Sex.FEMALE), child(date(2020, 6, 1), Sex.MALE), child(born, Sex.FEMALE)]

        assert describe_children(children, TODAY) == "Three children: two girls of 3 and a boy of 6"

    def test_puts_who_is_not_yet_born_first_and_an_unknown_age_last(self) -> None:
        children = [child(None, Sex.UNKNOWN), child(date(2024, 1, 1), Sex.MALE), child(date(2027, 3, 1), Sex.UNKNOWN)]

        assert describe_children(children, TODAY) == (
            "Three children: an unborn child due in March 2027, a boy of 2 and a child, age not recorded"
        )

    def test_says_the_sex_of_an_unborn_child_where_it_is_recorded(self) -> None:
        assert describe_child(child(date(2027, 3, 1), Sex.FEMALE), TODAY) == "an unborn child (girl) due in March 2027"

    def test_says_that_none_is_recorded(self) -> None:
        assert describe_children([], TODAY) == "No child recorded"

    @given(st.lists(st.tuples(st.none() | st.dates(), st.sampled_from(Sex)), max_size=14), st.dates())
    def test_does_not_depend_on_the_order(self, facts: list[tuple[date | None, Sex]], today: date) -> None:
        children = [child(born, sex) for born, sex in facts]

        assert describe_children(children, today) == describe_children(children[::-1], today)


class TestDescribeHousehold:
    def test_says_what_it_is_approved_for_and_who_is_at_home(self) -> None:
        facts = household(
            fewest_children=1,
            most_children=2,
            age_from_months=0,
            age_to_months=83,
            sex_approved=SexApproved.ANY,
            children_at_home=0,
            pets=YesNo.NO,
            smokers=YesNo.NO,
            early_permanence_approved=YesNo.YES,
        )

        assert describe_household(facts, TODAY) == (
            "Approved for one or two children aged 0 to 6; approved for early permanence; no children at home; "
            "no pets; nobody smokes"
        )

    def test_takes_what_is_unknown_for_neither_yes_nor_no(self) -> None:
        words = describe_household(household(), TODAY)

        assert words == "Approved for children (number and ages not recorded); children at home not recorded"

    @pytest.mark.parametrize(
        ("summary", "words"),
        [
            ({"fewest_children": 1, "most_children": 1, "sex_approved": SexApproved.FEMALE}, "one girl"),
            ({"fewest_children": 1, "most_children": 3, "sex_approved": SexApproved.MALE}, "one to three boys"),
            ({"fewest_children": 2}, "two children or more"),
            ({"most_children": 3}, "up to three children"),
            ({"most_children": 14}, "up to 14 children"),
        ],
    )
    def test_says_how_many(self, summary: dict[str, Any], words: str) -> None:
        assert describe_approval(household(**summary)) == f"{words} (ages not recorded)"

    @pytest.mark.parametrize(
        ("lowest", "highest", "words"),
        [
            (0, 59, "aged 0 to 4"),
            (24, 35, "aged 2"),
            (None, 59, "aged up to 4"),
            (36, None, "aged 3 or older"),
            (6, 30, "aged 6 months to 30 months"),
        ],
    )
    def test_says_how_old(self, lowest: int | None, highest: int | None, words: str) -> None:
        facts = household(age_from_months=lowest, age_to_months=highest, most_children=1, fewest_children=1)

        assert describe_approval(facts) == f"one child {words}"

    def test_says_that_nobody_knows_how_many(self) -> None:
        facts = household(age_from_months=0, age_to_months=59, sex_approved=SexApproved.FEMALE)

        assert describe_approval(facts) == "girls aged 0 to 4 (number not recorded)"

    @pytest.mark.parametrize(
        ("count", "youngest", "words"),
        [
            (0, None, "no children at home"),
            (1, date(2022, 6, 1), "one child at home, aged 4"),
            (2, date(2022, 6, 1), "two children at home, the youngest aged 4"),
            (2, None, "two children at home"),
            (None, date(2022, 6, 1), "children at home, the youngest aged 4"),
            (1, date(2027, 2, 1), "one child at home, due in February 2027"),
            (None, None, "children at home not recorded"),
        ],
    )
    def test_says_who_is_at_home(self, count: int | None, youngest: date | None, words: str) -> None:
        assert describe_home(household(children_at_home=count, youngest_at_home=youngest), TODAY) == words


class TestDaysWaiting:
    def test_counts_calendar_days(self) -> None:
        assert days_waiting(date(2025, 11, 23), TODAY) == 365

    def test_is_unknown_where_nobody_has_said(self) -> None:
        assert days_waiting(None, TODAY) is None
        assert describe_days(None) == "Not recorded"

    def test_is_not_below_nought(self) -> None:
        assert days_waiting(date(2027, 1, 1), TODAY) == 0

    def test_is_said_in_words(self) -> None:
        assert [describe_days(days) for days in (0, 1, 1412)] == ["0 days", "1 day", "1,412 days"]


class TestNeedsOf:
    def test_tells_each_level_and_how_many_children_have_it(self) -> None:
        children = [
            child(None, Sex.MALE, needs={"neglect": NeedLevel.LOW, "behaviour": NeedLevel.NONE}),
            child(None, Sex.MALE, needs={"neglect": NeedLevel.HIGH, "behaviour": NeedLevel.NONE}),
        ]

        found = [
            (level, count) for need, level, count in needs_of(children, need_catalogue()) if need.code == "neglect"
        ]

        assert found == [(NeedLevel.HIGH, 1), (NeedLevel.LOW, 1)]
        assert "behaviour" not in {need.code for need, _, _ in needs_of(children, need_catalogue())}

    def test_tells_what_is_unknown_of_one_child_though_another_has_it(self) -> None:
        children = [child(None, Sex.MALE, needs={"neglect": NeedLevel.HIGH}), child(None, Sex.MALE, needs={})]

        found = [
            (level, count) for need, level, count in needs_of(children, need_catalogue()) if need.code == "neglect"
        ]

        assert found == [(NeedLevel.HIGH, 1), (NeedLevel.UNKNOWN, 1)]

    def test_takes_what_was_never_recorded_for_unknown_and_not_for_none(self) -> None:
        recorded = dict.fromkeys(need_catalogue().codes(), NeedLevel.NONE)
        children = [child(None, Sex.MALE, needs=recorded), child(None, Sex.MALE, needs={})]

        found = needs_of(children, need_catalogue())

        assert [need.code for need, _, _ in found] == list(need_catalogue().codes())
        assert {(level, count) for _, level, count in found} == {(NeedLevel.UNKNOWN, 1)}

    def test_is_empty_for_nobody(self) -> None:
        assert needs_of([], need_catalogue()) == ()


class TestDescribeContactPlan:
    def test_says_what_is_planned_and_what_nobody_has_decided(self) -> None:
        facts = group(contact={ContactKind.LETTERBOX: YesNo.YES, ContactKind.DIRECT: YesNo.NO})

        assert describe_contact_plan(facts) == "Letterbox contact; not recorded: contact with brothers and sisters"

    def test_says_that_none_is_planned(self) -> None:
        facts = group(contact=dict.fromkeys(ContactKind, YesNo.NO))

        assert describe_contact_plan(facts) == "No contact planned"

    def test_never_takes_silence_for_no(self) -> None:
        assert describe_contact_plan(group()).startswith("Not recorded: letterbox contact, direct contact and")


class TestDescribeHomeAsked:
    def test_says_what_is_asked(self) -> None:
        facts = group(must_be_youngest=YesNo.YES, must_be_only=YesNo.NO, no_pets=YesNo.YES, smoke_free=YesNo.UNKNOWN)

        assert describe_home_asked(facts) == "Must be the youngest child and no pets; not recorded: smoke-free"


class TestNeedsByLevel:
    def test_loses_no_need(self) -> None:
        found = needs_by_level(child(None, Sex.MALE, needs={"neglect": NeedLevel.HIGH}), need_catalogue())

        assert found[0] == (NeedLevel.HIGH, ("Neglect",))
        assert [level for level, _ in found] == [NeedLevel.HIGH, NeedLevel.UNKNOWN]
        assert sum(len(titles) for _, titles in found) == len(need_catalogue().needs)


class TestWords:
    def test_are_there_for_every_value(self) -> None:
        assert len({legal_position_words(position) for position in LegalPosition}) == len(LegalPosition)
        assert [level_words(level) for level in NeedLevel] == ["none", "low", "medium", "high", "unknown"]
        assert len({answer_words(answer) for answer in Answer}) == len(Answer)
        assert [yes_no_words(fact) for fact in YesNo] == ["Yes", "No", "Not recorded"]
        assert len({contact_words(kind) for kind in ContactKind}) == len(ContactKind)
        assert set(HERITAGE_WORDS) == set(ETHNIC_CODES)

    def test_name_heritage_in_the_published_order(self) -> None:
        assert describe_heritage(["MWBC", "WBRI"]) == "White British and White and Black Caribbean"

    def test_show_a_code_that_is_not_published_as_it_is(self) -> None:
        assert describe_heritage(["ZZZZ"]) == "ZZZZ"
        assert describe_heritage([]) == "Not recorded"

    @pytest.mark.parametrize(("words", "joined"), [([], ""), (["a"], "a"), (["a", "b"], "a and b")])
    def test_are_joined_as_in_a_sentence(self, words: list[str], joined: str) -> None:
        assert join_words(words) == joined
        assert join_words(["a", "b", "c"]) == "a, b and c"

    def test_count_in_words_up_to_ten(self) -> None:
        assert [count_words(count, "child", "children") for count in (0, 1, 10, 11, 1200)] == [
            "no children",
            "one child",
            "ten children",
            "11 children",
            "1,200 children",
        ]


def child(born: date | None, sex: Sex, *, needs: dict[str, NeedLevel] | None = None) -> ChildFacts:
    return ChildFacts(birth_month=born, sex=sex, needs=needs or {})


def group(**summary: Any) -> GroupFacts:
    return GroupFacts(id=UUID(int=1), code="G-000001", agency_id=UUID(int=2), children=(), **summary)


def household(**summary: Any) -> HouseholdFacts:
    return HouseholdFacts(id=UUID(int=1), code="H-000001", agency_id=UUID(int=2), **summary)
