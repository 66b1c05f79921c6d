from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.small_number import LEAST_COUNT, hidden_of, is_small, told, with_others
from tests.matching.figure_census import counting_functions, pool_figures

OWN = "of the scope's own agency alone"
LISTED = "of rows that whoever reads it can open one by one, by the same database session"
FIT = "held to matching.small_number"
NO_COUNT = "no count of records: a day, a place on a list, points, a version, a setting"

CENSUS = {
    **dict.fromkeys(
        (
            *(
                "bar.count_bars",
                "document_opening.list_kept",
                "intake.undo._hides_some",
                "rectification.count_of_record",
            ),
            *("retention.due._youngest_births", "sharing._elsewhere", "worklist.household_work"),
            *("availability_check.HouseholdCheck.considered_for", "availability_check.HouseholdCheck.lists"),
            *("pack_content.Check.lists", "pack_content.Count.own", "worklist.GroupWork.waiting"),
            *("worklist.HouseholdWork.waiting", "worklist.WaitingGroup.families", "link_list.list_links"),
            *("rectification.seen_by", "audit.count_entries_of", "audit_search.count_entries"),
            *("notice.list_notices", "sealing.reading.list_records"),
            *("fee.remittance.line.count_waiting", "fee.remittance.remittance.count_asking"),
            *("fee.remittance.taken_back.count_leaving", "fee.remittance.taken_back.count_lines"),
            *("fee.ledger.listing.sum_accounts", "fee.ledger.period.totals_of"),
            *("fee.agreement.read_agreement_page", "fee.invoice.invoice.read_invoice_page"),
            *("fee.statement.statement.count_to_agree", "fee.invoice.dispute._count"),
            *("fee.waiting.count_addenda", "fee.waiting.count_payers"),
        ),
        OWN,
    ),
    **dict.fromkeys(
        (
            *(
                "household.count_households",
                "sibling_group.count_groups",
                "register.count_rows",
                "group_search._children",
            ),
            *("worklist.pool_work", "worklist.PoolWork.groups", "worklist.PoolWork.households"),
            *("family_finding.FoundFamilies.families", "family_finding.FoundFamilies.free"),
            *("family_finding.FoundFamilies.households", "family_finding.ExplainedFamily.families"),
            *("family_finding.FoundGroups.groups", "family_finding.FoundGroups.waiting"),
            *("ranking.near_miss.NearMiss.count", "ranking.engine.GateCount.asked", "ranking.engine.GateCount.failed"),
            *("ranking.engine.GateCount.passed", "pack_content.PackGroup.families_in_all"),
            *("pack_content.PackHousehold.fits_in_all", "pack_content.PackHousehold.lists"),
            *("pack_content.WaitingGroup.children", "ranking_run.FamilyList.families"),
            # An agency is told of its own legs alone; the office sees each.
            *("swap.opportunity.Opportunities.groups", "swap.opportunity.Opportunities.planned"),
            "swap.opportunity.Opportunities.with_pairs",
            *("pool_view.PoolView.groups", "pool_view.PoolView.households", "pack_content.AssignedBy.groups"),
        ),
        LISTED,
    ),
    **dict.fromkeys(
        (
            *("monitoring.consortium.Told.links", "monitoring.consortium.Told.median"),
            "monitoring.consortium.Told.ninetieth",
            *("fee.report.office_saving.AgencySavings.spared", "fee.report.office_saving.AgencySavings.earned"),
            *("fee.report.office_saving.YearOverAgencies.spared", "fee.report.office_saving.YearOverAgencies.earned"),
            *("fee.report.office_saving.Cell.agreements", "fee.report.office_saving.Cell.pence"),
            *("pack_content.Count.all", "pack_content.Figures.never", "pack_content.Named.lists"),
            *("pack_content.Seen.groups", "pack_content.Seen.unseen", "pack_content.Supply.groups"),
            *("pack_content.Supply.households", "pool_view.Concentration.never", "pool_view.EquityRow.groups"),
            *("pool_view.EquityRow.unseen", "pool_view.FrequentFamily.lists"),
        ),
        FIT,
    ),
    **dict.fromkeys(
        (
            *("family_finding.ExplainedFamily.position", "family_finding.FoundFamily.position"),
            *("family_finding.FoundGroup.days", "family_finding.FoundGroup.position", "pack_assembly._Reader.cap"),
            *("pack_content.Compared.version", "pack_content.Figures.top", "pack_content.PackContent.confirm_days"),
            *("pack_content.PackContent.version", "pack_content.PackFamily.points", "pack_content.PackFamily.position"),
            *("pack_content.PackGroup.waiting_days", "pack_content.WaitingGroup.days"),
            *("pack_content.WaitingGroup.order_days", "pack_content.WaitingGroup.shobpa_days"),
            *("pack_content.WholePool.share", "pool_view.Concentration.share", "pool_view.PoolPair.days"),
            *("pool_view.PoolPair.points", "pool_view.PoolPair.position", "pool_view.PoolPairs.days"),
            *("pool_view.PoolPairs.points", "pool_view.UnseenGroup.days", "ranking.assignment.AssignedPair.group"),
            *("ranking.assignment.Assignment.days", "ranking_run.Pairing.position", "ranking_run.Pool.household_cap"),
            *("worklist.EarlierPacks.agencies", "worklist.EarlierPacks.earlier", "worklist.EarlierPacks.newer"),
            *("worklist.MeetingWork.days", "worklist.WaitingGroup.days", "ranking.engine.RankedGroup.group"),
            *("ranking.engine.RankedFamily.household", "ranking.engine.RankedFamily.need_questions"),
            *("ranking.engine.RankedFamily.points", "ranking.engine.RankedFamily.position"),
            *("ranking.engine.RankedFamily.questions", "ranking.engine.RankedGroup.need_questions"),
            *("ranking.engine.RankedGroup.points", "ranking.engine.RankedGroup.position"),
            *("ranking.engine.RankedGroup.questions", "swap.opportunity.Opportunities.points"),
            *("swap.opportunity.OpportunityLeg.below_best", "swap.opportunity.OpportunityLeg.points"),
            "swap.opportunity.OpportunityLeg.position",
            *("fee.report.office_saving.Cell.year", "fee.report.office_saving.YearOverAgencies.year"),
        ),
        NO_COUNT,
    ),
}
"""Every figure that could tell of other agencies' records, and why it may be told. A new one needs its line: where it
is about rows that its reader cannot open one by one, or stands in a paper, reckon it by ``matching.small_number``."""

COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 12)).map(Counter)


class TestCensus:
    def test_holds_each_figure_that_could_tell_of_others(self) -> None:
        found = counting_functions() | pool_figures()

        assert dict.fromkeys(found - set(CENSUS), "say in CENSUS why it may be told") == {}
        assert set(CENSUS) - found == set()


class TestTold:
    @pytest.mark.parametrize(("count", "said"), [(0, 0), (1, None), (4, None), (5, 5), (99, 99)])
    def test_leaves_out_what_is_of_a_few(self, count: int, said: int | None) -> None:
        assert told(count) == said
        assert is_small(count) is (said is None)


class TestHiddenOf:
    @given(COUNTS)
    def test_leaves_no_hidden_count_to_follow_from_the_total(self, counts: Counter[str]) -> None:
        hidden = hidden_of(counts)

        left = sum(counts[label] for label in hidden)
        assert not [label for label in set(counts) - hidden if is_small(counts[label])]
        assert not hidden or hidden == set(counts) or (len(hidden) > 1 and left >= LEAST_COUNT)

    @given(COUNTS)
    def test_hides_nothing_where_nothing_is_small(self, counts: Counter[str]) -> None:
        large = Counter({label: count + LEAST_COUNT for label, count in counts.items()})

        assert hidden_of(large) == set()

    def test_takes_the_least_of_the_others(self) -> None:
        assert hidden_of(Counter(a=3, b=20, c=9)) == {"a", "c"}
        assert hidden_of(Counter(a=1, b=1, c=9, d=30)) == {"a", "b", "c"}

    def test_takes_one_more_where_each_could_only_be_one(self) -> None:
        ones = dict.fromkeys("abcde", 1)

        assert hidden_of(Counter({**ones, "f": 9, "g": 30})) == {*ones, "f"}
        assert hidden_of(Counter({**ones, "e": 2, "f": 9})) == set(ones)
        assert hidden_of(Counter(a=9, b=30), also={"a"}) == {"a", "b"}
        assert with_others(set(), Counter(a=9)) == set()
