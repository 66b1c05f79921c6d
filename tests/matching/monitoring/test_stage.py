from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from matching.link import LinkState
from matching.monitoring.stage import Course, Move, Stage, Timed, list_courses, time_stages
from matching.placement.tally import PlacedFacts
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.report_factory import make_link

HERE, ONE = uuid4(), uuid4()


def course(*moves: tuple[LinkState, date]) -> Course:
    at = tuple(Move(state, datetime(day.year, day.month, day.day, 12, tzinfo=UTC)) for state, day in moves)
    return Course(uuid4(), moves[0][1], None, at)


def placed(
    *,
    matched: date | None = date(2026, 1, 5),
    moved_in: date = date(2026, 2, 28),
    adoptive: date | None = date(2026, 2, 28),
    ordered: date | None = None,
) -> PlacedFacts:
    return PlacedFacts(uuid4(), HERE, ONE, ONE, matched, moved_in, adoptive, ordered, None, ())


class TestTimeStages:
    def test_takes_a_stage_from_its_state_to_the_next(self) -> None:
        found = time_stages(
            [course((LinkState.INTEREST, date(2024, 2, 28)), (LinkState.CONSIDERING, date(2024, 3, 1)))], []
        )

        assert found == [Timed(Stage.INTEREST, date(2024, 3, 1), 2)]

    def test_leaves_out_what_goes_on(self) -> None:
        assert time_stages([course((LinkState.VISITING, date(2026, 1, 1)))], []) == []

    def test_takes_what_follows_the_match_from_the_days_of_the_placement(self) -> None:
        steps = course((LinkState.MATCHED, date(2026, 1, 9)), (LinkState.PLACED, date(2026, 3, 9)))

        assert time_stages([steps], [placed()]) == [Timed(Stage.MATCHED, date(2026, 2, 28), 54)]

    def test_early_permanence_counts_to_the_adoptive_placement(self) -> None:
        found = time_stages([], [placed(moved_in=date(2025, 6, 1), ordered=date(2026, 8, 28))])

        assert [(each.stage, each.days) for each in found] == [(Stage.MATCHED, 54), (Stage.PLACED, 181)]

    @pytest.mark.parametrize("matched", [None, date(2026, 3, 1)])
    def test_guesses_nothing(self, matched: date | None) -> None:
        assert time_stages([], [placed(matched=matched)]) == []


class TestCourse:
    def test_ends_on_the_day_it_ended(self) -> None:
        ended = course((LinkState.INTEREST, date(2026, 1, 1)), (LinkState.ENDED, date(2026, 1, 9)))

        assert ended.ended_on == date(2026, 1, 9)
        assert ended.reached == {LinkState.INTEREST, LinkState.ENDED}
        assert course((LinkState.INTEREST, date(2026, 1, 1))).ended_on is None


class TestListCourses:
    def test_are_of_the_links_on_whose_sides_the_agency_is(self, factories: Factories, database: Database) -> None:
        pairing, elsewhere = make_link(factories, database), make_link(factories, database)

        with transaction(database, pairing.family) as session:
            (found,) = list_courses(session)
        with transaction(database, elsewhere.children) as session:
            (other,) = list_courses(session)

        assert found.link_id == pairing.link_id
        assert [move.state for move in found.moves] == [LinkState.INTEREST, LinkState.CONSIDERING]
        assert other.link_id == elsewhere.link_id
