"""The pool as a whole is one scope's view of it, and tells no small count."""

from __future__ import annotations

from datetime import date

import pytest

from matching.need import NeedLevel
from matching.pool import Stage
from matching.pool_view import EquityRow, EquityTable, equity_tables, view_pool
from matching.ranking.facts import GroupFacts, Sex
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, transaction
from tests.matching.ranking.registers import AS_OF, a_child, a_group


class TestViewPool:
    def test_gives_groups_a_family_each_of_what_the_scope_sees(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        ours, theirs = factories.group(us), factories.group(them)
        homes = {factories.household(us), factories.household(them)}
        factories.household(them, stage=Stage.IN_HOUSE)
        factories.group(them, stage=Stage.IN_HOUSE)

        with transaction(database, us) as session:
            view = view_pool(session, as_of=TODAY, now=NOW)

        assert (view.groups, view.households) == (2, 2)
        for found in (view.best, view.in_turn):
            assert {pair.group.id for pair in found.pairs} == {ours, theirs}
            assert {pair.household.id for pair in found.pairs} == homes
            assert found.points == sum(pair.points for pair in found.pairs)
        assert view.unseen == ()
        assert view.concentration.frequent == ()

    def test_names_groups_that_nobody_is_listed_for(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        alone = factories.group(them, children=((date(2012, 1, 1), Sex.MALE),))
        factories.household(us)

        with transaction(database, us) as session:
            view = view_pool(session, as_of=TODAY, now=NOW)

        assert [(each.group.id, each.children) for each in view.unseen] == [(alone, "One child: a boy of 14")]
        assert view.best.pairs == ()
        assert view.concentration.never is None

    def test_shows_another_consortium_nothing(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        stranger, _ = factories.two_tenants()
        factories.group(us)
        factories.household(us)

        with transaction(database, stranger) as session:
            view = view_pool(session, as_of=TODAY, now=NOW)

        assert (view.groups, view.households, view.best.pairs, view.concentration.share) == (0, 0, (), None)

    def test_counts_who_is_among_the_first_five(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        for _ in range(5):
            factories.group(us)
        named = {factories.household(them) for _ in range(5)}
        for _ in range(5):
            factories.household(them, early_permanence_approved="no", most_children=4, approved_on=TODAY)

        with transaction(database, us) as session:
            seen = view_pool(session, as_of=TODAY, now=NOW).concentration

        assert {(each.household.id, each.lists) for each in seen.frequent} == {(each, 5) for each in named}
        assert (seen.never, seen.share) == (5, 100)

    def test_puts_the_look_on_record(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()

        with transaction(database, us) as session:
            view_pool(session, as_of=TODAY, now=NOW)
            (entry,) = session.query(AuditEntry).where(AuditEntry.record_kind == "pool")

        assert (entry.act, entry.owner_agency_id) == (Act.RANK, us.id)


class TestEquityTables:
    def test_counts_groups_and_those_with_nobody_listed(self) -> None:
        counted = [(a_group(code=f"G-{k}"), 0 if k < 5 else 3) for k in range(12)]

        table = tables(counted)["Children to be placed together"]

        assert table.rows == (
            EquityRow("One child", 12, 5),
            EquityRow("Two children", 0, 0),
            EquityRow("Three or more", 0, 0),
        )

    @pytest.mark.parametrize(
        ("singles", "unseen", "told"),
        [(12, 0, (12, 0)), (12, 4, (12, None)), (12, 8, (12, None)), (12, 12, (12, 12)), (4, 0, (None, None))],
    )
    def test_tells_no_count_under_five_nor_its_complement(
        self, singles: int, unseen: int, told: tuple[int | None, int | None]
    ) -> None:
        counted = [(a_group(code=f"G-{k}"), 0 if k < unseen else 3) for k in range(singles)]

        (row, *_) = tables(counted)["Children to be placed together"].rows

        assert (row.groups, row.unseen) == told

    def test_hides_a_second_count_where_the_total_would_give_the_first_away(self) -> None:
        counted = [(a_group(code=f"G-{k}"), 1) for k in range(20)]
        counted += [(a_group(a_child(), a_child(), code=f"P-{k}"), 1) for k in range(9)]
        counted += [(a_group(a_child(), a_child(), a_child(), code=f"T-{k}"), 1) for k in range(2)]

        rows = tables(counted)["Children to be placed together"].rows

        assert [row.groups for row in rows] == [20, None, None]

    def test_hides_a_third_count_where_two_are_as_few_as_their_sum_tells(self) -> None:
        counted = [(a_group(code=f"G-{k}"), 1) for k in range(20)]
        counted += [(a_group(a_child(), a_child(), code="P-1"), 1)]
        counted += [(a_group(a_child(), a_child(), a_child(), code="T-1"), 1)]

        rows = tables(counted)["Children to be placed together"].rows

        assert [row.groups for row in rows] == [None, None, None]

    def test_hides_a_second_count_of_who_is_unseen_too(self) -> None:
        counted = [(a_group(code=f"G-{k}"), 0 if k < 3 else 1) for k in range(20)]
        counted += [(a_group(a_child(), a_child(), code=f"P-{k}"), 0) for k in range(9)]
        counted += [(a_group(a_child(), a_child(), a_child(), code=f"T-{k}"), 0) for k in range(11)]

        rows = tables(counted)["Children to be placed together"].rows

        assert [(row.groups, row.unseen) for row in rows] == [(20, None), (9, None), (11, 11)]

    @pytest.mark.parametrize(
        ("title", "group", "label"),
        [
            ("Age of the oldest child", a_group(a_child(born=date(2026, 1, 1))), "Under 2"),
            (
                "Age of the oldest child",
                a_group(a_child(born=date(2026, 1, 1)), a_child(born=date(2019, 1, 1))),
                "5 and over",
            ),
            ("Age of the oldest child", a_group(a_child(born=None)), "Not recorded"),
            ("Heritage", a_group(heritage=frozenset({"WBRI"})), "White British"),
            ("Heritage", a_group(heritage=frozenset({"WBRI", "WIRI"})), "Other White backgrounds"),
            ("Heritage", a_group(heritage=frozenset({"WBRI", "BCRB"})), "Black, Asian, mixed and other backgrounds"),
            ("Heritage", a_group(heritage=frozenset({"REFU"})), "Not recorded"),
            ("Disability", a_group(a_child(learning_disability=NeedLevel.LOW)), "A child with a disability"),
            ("Disability", a_group(a_child(learning_disability=NeedLevel.UNKNOWN)), "Not recorded"),
        ],
    )
    def test_knows_the_kinds(self, title: str, group: GroupFacts, label: str) -> None:
        rows = tables([(group, 1)] * 6)[title].rows

        assert {row.label: row.groups for row in rows if row.groups} == {label: 6}


def tables(counted: list[tuple[GroupFacts, int]]) -> dict[str, EquityTable]:
    groups, families = [group for group, _ in counted], [count for _, count in counted]
    return {table.title: table for table in equity_tables(groups, families, as_of=AS_OF)}
