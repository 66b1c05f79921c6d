from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from concord.web.words import answers, band_tag, day, iso_day, moment, sentence, unanswered, verdict_tag
from matching.need import Answer, Tolerance, need_catalogue
from matching.ranking.facts import HouseholdFacts
from matching.ranking.standing import Band, Verdict


class TestDay:
    def test_is_written_out(self) -> None:
        assert day(date(2026, 3, 2)) == iso_day("2026-03-02") == "2 March 2026"
        assert day(None) == iso_day(None) == "Not recorded"


class TestMoment:
    def test_is_by_the_clock_on_the_wall(self) -> None:
        assert moment(datetime(2026, 1, 5, 23, 30, tzinfo=UTC)) == "5 January 2026 at 23:30"
        assert moment(datetime(2026, 7, 5, 23, 30, tzinfo=UTC)) == "6 July 2026 at 00:30"
        assert moment(None) == "Not yet"


class TestTags:
    def test_say_each_band_and_verdict_in_words_of_its_own(self) -> None:
        assert len({band_tag(band)["text"] for band in Band}) == len(Band)
        assert len({verdict_tag(verdict)["text"] for verdict in Verdict}) == len(Verdict)

    def test_say_that_an_opened_gate_rules_nobody_out(self) -> None:
        assert verdict_tag(Verdict.FAIL, bars=False)["text"] == "Counts against"
        assert verdict_tag(Verdict.PASS, bars=False) == verdict_tag(Verdict.PASS)


class TestAnswers:
    def test_lose_no_need(self) -> None:
        tolerance = Tolerance(high=Answer.CANNOT)
        facts = HouseholdFacts(
            id=UUID(int=1), code="H-000001", agency_id=UUID(int=2), tolerances={"neglect": tolerance}
        )

        said, unsaid = answers(facts), unanswered(facts)

        assert [(need.code, answer) for need, answer in said] == [("neglect", tolerance)]
        assert len(said) + len(unsaid) == len(need_catalogue().needs)


class TestSentence:
    def test_begins_large_and_leaves_the_rest(self) -> None:
        assert [sentence(words) for words in ("", "no SHOBPA", "éclair")] == ["", "No SHOBPA", "Éclair"]
