from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta
from typing import Any

import pytest

from matching.document_opening import Reader
from matching.link import LinkMoved, LinkState, NotYet, StepName, get_link
from matching.placement.adopters_copy import (
    CopyGiven,
    CopyNotNow,
    CopyUnknown,
    NotTheFamilysAgency,
    find_copy,
    give_copy,
    read_copy,
    read_par_copy,
)
from matching.placement.disruption import hold_disruption_review, plan_disruption_review
from matching.placement.introduction import MeetingUnknown, list_meetings, plan_meeting, take_out_meeting, weeks_of
from matching.placement.note import add_note, list_notes
from matching.placement.placement import (
    Court,
    EndedBy,
    NotTheChildrensAgency,
    PlacementInvalid,
    PlacementUnknown,
    get_placement,
    list_placed_children,
    list_placements,
)
from matching.placement.plan import Plan, plan_of, set_plan
from matching.placement.review import list_reviews, next_reviews, record_review
from matching.placement.tally import list_placed
from matching.sealed_words import WordsMissing
from tenants import audit
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, transaction
from tests.matching.placement.stage import (
    MOVED_IN,
    TODAY,
    agree_plan,
    decide,
    make_matched,
    make_ordered,
    make_placed,
    step,
)
from tests.matching.report_factory import make_link, make_par

DAY = timedelta(days=1)
MEETING: dict[str, Any] = {
    "day": TODAY,
    "starts_at": time(10),
    "ends_at": time(12),
    "words": "At the foster carers’ home",
}


class TestPlacement:
    def test_begins_with_the_match_and_goes_as_far_as_the_order(self, factories: Factories, database: Database) -> None:
        pairing = make_ordered(factories, database)

        for tenant in (pairing.children, pairing.family):
            with transaction(database, tenant) as session:
                placement = get_placement(session, pairing.link_id)
                assert placement.matched_on == TODAY - timedelta(days=120)
                assert placement.moved_in_on == placement.adoptive_start_on == MOVED_IN
                assert (placement.ordered_on, placement.court) == (TODAY - timedelta(days=2), Court.FAMILY_COURT)
                assert list_placements(session, moved_in=True) == [placement]

    def test_keeps_ages_in_months_and_no_birth_date(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)

        with transaction(database, pairing.family) as session:
            (child,) = list_placed_children(session, [pairing.link_id])[pairing.link_id]
            # Born on 17 May 2023, as the factory says.
            born = date(2023, 5, 17)
            whole = (MOVED_IN.year - born.year) * 12 + MOVED_IN.month - born.month - (MOVED_IN.day < born.day)
            assert child.months_moved_in == child.months_adoptive == whole
            assert child.months_matched is not None
            (facts,) = list_placed(session)
            assert (facts.moved_in_on, facts.group_agency_id) == (MOVED_IN, pairing.children.id)
            assert [ages.moved_in for ages in facts.ages] == [whole]

    def test_is_nobodys_but_the_two(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        assert pairing.children.scope.consortium_id is not None
        neighbour = factories.tenant(pairing.children.scope.consortium_id)

        with transaction(database, neighbour) as session:
            assert list_placements(session) == []
            with pytest.raises(PlacementUnknown):
                get_placement(session, pairing.link_id)

    def test_waits_for_an_agreed_plan_before_moving_in(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        step(database, pairing.children, pairing, StepName.INTRODUCE, day=TODAY)

        with pytest.raises(NotYet, match="plan has not been agreed"):
            step(database, pairing.children, pairing, StepName.PLACE, day=TODAY)
        agree_plan(database, pairing)
        step(database, pairing.children, pairing, StepName.PLACE, day=TODAY)

    def test_waits_for_the_decision_on_the_match(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        agree_plan(database, pairing)
        step(database, pairing.children, pairing, StepName.INTRODUCE, day=TODAY - timedelta(days=110))

        with pytest.raises(NotYet, match="before that"):
            step(database, pairing.children, pairing, StepName.PLACE, day=TODAY - timedelta(days=121))
        step(database, pairing.children, pairing, StepName.PLACE, day=TODAY - timedelta(days=120))

    def test_of_foster_carers_becomes_adoptive_where_the_children_live(
        self, factories: Factories, database: Database
    ) -> None:
        fostered_on, pairing = TODAY - timedelta(days=300), make_link(factories, database)
        step(database, pairing.children, pairing, StepName.NAME_CARER, day=fostered_on)
        step(database, pairing.children, pairing, StepName.SHORTLIST)
        for name in (StepName.MEET, StepName.GO_TO_PANEL):
            step(database, pairing.children, pairing, name, day=TODAY)
        decide(database, pairing)
        step(database, pairing.children, pairing, StepName.MATCH)
        agree_plan(database, pairing)

        with pytest.raises(NotYet, match="fostered"):
            step(database, pairing.children, pairing, StepName.PLACE, day=fostered_on - timedelta(days=1))
        step(database, pairing.children, pairing, StepName.PLACE, day=TODAY)

        with transaction(database, pairing.family) as session:
            placement = get_placement(session, pairing.link_id)
            assert (placement.moved_in_on, placement.adoptive_start_on) == (fostered_on, TODAY)

    def test_does_not_end_before_it_began(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)

        for name in (StepName.ORDER, StepName.DISRUPT):
            with pytest.raises(NotYet, match="cannot be before"):
                step(database, pairing.children, pairing, name, day=MOVED_IN - DAY)
        with transaction(database, pairing.children) as session:
            assert get_link(session, pairing.link_id).state is LinkState.PLACED
            assert not get_placement(session, pairing.link_id).over


class TestSetPlan:
    def test_is_seen_by_both_and_set_by_the_childrens_agency(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        plan = Plan(plan_meeting_on=TODAY, introductions_on=TODAY, moving_in_on=TODAY + timedelta(days=9))

        with transaction(database, pairing.children) as session:
            set_plan(session, get_placement(session, pairing.link_id), plan, version=1, now=utc_now())
        with transaction(database, pairing.family) as session:
            placement = get_placement(session, pairing.link_id)
            assert (plan_of(placement), placement.version) == (plan, 2)
            with pytest.raises(NotTheChildrensAgency):
                set_plan(session, placement, plan, version=2, now=utc_now())

    def test_lets_one_of_two_who_change_it_at_once_win(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)

        def attempt(days: int) -> str:
            plan = Plan(plan_meeting_on=TODAY + timedelta(days=days))
            try:
                with transaction(database, pairing.children) as session:
                    set_plan(session, get_placement(session, pairing.link_id), plan, version=1, now=utc_now())
            except LinkMoved:
                return "second"
            return "first"

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(attempt, range(4))) == ["first", *["second"] * 3]

    def test_refuses_days_that_cannot_be(self, factories: Factories, database: Database) -> None:
        pairing, tomorrow, yesterday = make_matched(factories, database), TODAY + DAY, TODAY - DAY

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            for plan in (
                Plan(plan_sent_on=tomorrow),
                Plan(plan_agreed_on=tomorrow),
                Plan(midpoint_held_on=tomorrow),
                Plan(plan_sent_on=TODAY, plan_agreed_on=yesterday),
                Plan(introductions_on=TODAY, moving_in_on=yesterday),
                Plan(introductions_on=TODAY, midpoint_review_on=yesterday),
                Plan(moving_in_on=date(9999, 12, 31)),
            ):
                with pytest.raises(PlacementInvalid):
                    set_plan(session, placement, plan, version=1, now=utc_now())

    def test_leaves_what_is_over(self, factories: Factories, database: Database) -> None:
        pairing = make_ordered(factories, database)

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            with pytest.raises(PlacementInvalid, match="over"):
                set_plan(session, placement, Plan(), version=placement.version, now=utc_now())
            with pytest.raises(PlacementInvalid, match="over"):
                plan_meeting(session, placement, **MEETING, now=utc_now())


class TestIntroductions:
    def test_are_read_by_both_and_lie_sealed(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            plan_meeting(session, placement, **MEETING, now=utc_now())
            other = {**MEETING, "day": TODAY + timedelta(days=15), "ends_at": None, "words": "Bath time"}
            plan_meeting(session, placement, **other, now=utc_now())

        with transaction(database, pairing.family) as session:
            placement = get_placement(session, pairing.link_id)
            first, last = list_meetings(session, placement)
            assert (first.words, last.words) == ("At the foster carers’ home", "Bath time")
            weeks = weeks_of([first, last])
            assert [len(week) for week in weeks] == [7, 7]
            assert all(week[0][0].weekday() == 0 for week in weeks)
            with pytest.raises(NotTheChildrensAgency):
                take_out_meeting(session, placement, first.id, now=utc_now())

    def test_are_taken_out_once(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            meeting_id = plan_meeting(session, placement, **MEETING, now=utc_now())
            take_out_meeting(session, placement, meeting_id, now=utc_now())
            assert list_meetings(session, placement) == []
            with pytest.raises(MeetingUnknown):
                take_out_meeting(session, placement, meeting_id, now=utc_now())

    def test_refuse_what_cannot_be(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        odd: list[tuple[dict[str, Any], type[Exception]]] = [
            ({"ends_at": time(9)}, PlacementInvalid),
            ({"day": date(9999, 12, 31)}, PlacementInvalid),
            ({"words": " \0 "}, WordsMissing),
        ]

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            for facts, refusal in odd:
                with pytest.raises(refusal):
                    plan_meeting(session, placement, **{**MEETING, **facts}, now=utc_now())


class TestNotes:
    def test_are_the_childrens_agencys_own(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)
        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            add_note(session, placement, words="Rowan likes the dog.", now=utc_now())
            assert [note.words for note in list_notes(session, placement)] == ["Rowan likes the dog."]

        with transaction(database, pairing.family) as session:
            placement = get_placement(session, pairing.link_id)
            assert list_notes(session, placement) == []
            with pytest.raises(NotTheChildrensAgency):
                add_note(session, placement, words="Ours", now=utc_now())


class TestReviews:
    def test_are_due_from_the_placement_and_recorded_in_turn(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)
        due = MOVED_IN + timedelta(days=28)

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            (first,) = list_reviews(session, placement)
            assert (first.due_on, first.wants_reason(TODAY)) == (due, True)
            record_review(session, placement, number=1, held_on=due, why="", now=utc_now())
            with pytest.raises(PlacementInvalid):
                record_review(session, placement, number=1, held_on=due, why="", now=utc_now())
            with pytest.raises(PlacementInvalid):
                record_review(session, placement, number=3, held_on=TODAY, why="", now=utc_now())
        with transaction(database, pairing.family) as session:
            placement = get_placement(session, pairing.link_id)
            assert next_reviews(session, [placement])[pairing.link_id].number == 2
            with pytest.raises(NotTheChildrensAgency):
                record_review(session, placement, number=2, held_on=TODAY, why="", now=utc_now())

    def test_want_a_reason_when_late_or_not_held(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)
        late = MOVED_IN + timedelta(days=29)

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            for held_on in (None, late):
                with pytest.raises(WordsMissing):
                    record_review(session, placement, number=1, held_on=held_on, why=" ", now=utc_now())
            record_review(session, placement, number=1, held_on=None, why="Snow", now=utc_now())
            # It may still be held, and is late then.
            record_review(session, placement, number=1, held_on=late, why="Snow", now=utc_now())
            first, second = list_reviews(session, placement)
            assert (first.held_on, first.why, first.missed(TODAY)) == (late, "Snow", True)
            assert second.due_on > late + timedelta(days=88)

    def test_are_not_held_before_the_placement_nor_after_today(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            for held_on in (MOVED_IN - DAY, TODAY + DAY):
                with pytest.raises(PlacementInvalid):
                    record_review(session, placement, number=1, held_on=held_on, why="Late", now=utc_now())


class TestDisruption:
    def test_is_reviewed_within_its_window_or_with_a_reason(self, factories: Factories, database: Database) -> None:
        pairing, disrupted_on = make_placed(factories, database), TODAY - timedelta(days=40)
        step(database, pairing.children, pairing, StepName.DISRUPT, day=disrupted_on, ended_by="together")

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            assert (placement.disrupted_on, placement.ended_by) == (disrupted_on, EndedBy.TOGETHER)
            version, now = placement.version, utc_now()
            plan_disruption_review(session, placement, day=TODAY, version=version, now=now)
            early: dict[str, Any] = {"day": disrupted_on + timedelta(days=27), "version": version + 1, "now": now}
            with pytest.raises(WordsMissing):
                hold_disruption_review(session, placement, why="", **early)
            hold_disruption_review(session, placement, why="All could come", **early)
            assert placement.disruption_review_why == "All could come"
            last: dict[str, Any] = {"day": disrupted_on + timedelta(days=28), "version": version + 2, "now": now}
            hold_disruption_review(session, placement, why="", **last)
            assert placement.disruption_review_why is None

    def test_is_needed_for_its_review(self, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)

        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            with pytest.raises(PlacementInvalid):
                plan_disruption_review(session, placement, day=TODAY, version=placement.version, now=utc_now())


def _stamp(content: bytes, reader: Reader) -> bytes:
    return content + f", {reader.name}".encode()


class TestAdoptersCopy:
    def test_is_given_by_the_family_side_and_opened_by_the_other(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_matched(factories, database)
        make_par(database, pairing.family, pairing.household_id, b"%PDF-their-report")

        with transaction(database, pairing.children) as session, pytest.raises(CopyUnknown):
            read_copy(session, get_placement(session, pairing.link_id), now=utc_now())
        with transaction(database, pairing.family) as session:
            placement = get_placement(session, pairing.link_id)
            give_copy(session, placement, now=utc_now())
            with pytest.raises(CopyGiven):
                give_copy(session, placement, now=utc_now())
            with pytest.raises(NotTheChildrensAgency):
                read_copy(session, placement, now=utc_now())
        with transaction(database, pairing.children) as session:
            placement = get_placement(session, pairing.link_id)
            facts = find_copy(session, placement)
            assert facts is not None
            assert facts.with_par
            assert read_copy(session, placement, now=utc_now())["adopters"] == ["Alder Example"]
            marked = read_par_copy(session, placement, stamp=_stamp, now=utc_now())
            assert marked == f"%PDF-their-report, Sam Sample {pairing.children.slug}".encode()
            entries = audit.list_entries_of(session, pairing.link_id)
            looks = [each for each in entries if each.record_kind == "placement" and each.act is audit.Act.READ]
            assert [each.owner_agency_id for each in looks] == [pairing.family.id] * 2

    def test_is_given_by_no_other_side_nor_before_the_match_nor_after_the_end(
        self, factories: Factories, database: Database
    ) -> None:
        pairing = make_placed(factories, database)
        with transaction(database, pairing.children) as session, pytest.raises(NotTheFamilysAgency):
            give_copy(session, get_placement(session, pairing.link_id), now=utc_now())
        step(database, pairing.children, pairing, StepName.DISRUPT, day=TODAY)

        with transaction(database, pairing.family) as session, pytest.raises(CopyNotNow):
            give_copy(session, get_placement(session, pairing.link_id), now=utc_now())

    def test_is_for_people_who_may_open_reports(self, factories: Factories, database: Database) -> None:
        pairing = make_matched(factories, database)

        with database.transaction(pairing.children.acting_as(Role.FINANCE_OFFICER)) as session:
            placement = get_placement(session, pairing.link_id)
            with pytest.raises(NotAllowed):
                read_copy(session, placement, now=utc_now())
