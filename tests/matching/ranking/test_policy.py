"""Tests of the policy: what a consortium may change, and that what is published is what is used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from matching.need import need_catalogue
from matching.ranking.criterion import ADDITIONS, GATES, SCORED, criteria
from matching.ranking.policy import ALWAYS_GATES, PolicyInvalid, default_policy, policy_from_data
from matching.ranking.standing import Band

PUBLISHED = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")


class TestDefaultPolicy:
    def test_weighs_a_hundred(self) -> None:
        assert sum(default_policy().weights.values()) == 100

    def test_names_every_criterion_and_no_other(self) -> None:
        headings = criteria(need_catalogue(), age_margin_months=6)

        assert tuple(heading.code for heading in headings if heading.gate) == GATES
        assert {heading.code for heading in headings} == {*GATES, *SCORED, *ADDITIONS}

    def test_is_what_the_page_publishes(self) -> None:
        policy = default_policy()

        assert table("Weights") == {code: str(weight) for code, weight in policy.weights.items()}
        assert table("Additions") == {code: str(weight) for code, weight in policy.additions.items()}
        assert table("Gates") == {code: published_gate(code) for code in policy.gates}
        assert table("Credit") == {code: str(credit) for code, credit in policy.credit.items()}
        assert table("Bands") == {
            band.value: f"{rule.points} / {rule.questions} / {rule.need_questions}"
            for band, rule in policy.bands.items()
        }
        assert f"last {policy.age_margin_months} months" in PUBLISHED
        assert f"version `{policy.version}`" in PUBLISHED


class TestPolicyFromData:
    def test_gives_back_the_same_policy(self) -> None:
        again = policy_from_data(default_policy().to_data())

        assert again == default_policy()
        assert again.version == default_policy().version

    @pytest.mark.parametrize(
        ("part", "change", "words"),
        [
            ("weights", {"needs": 41}, "add up to 101"),
            ("weights", {"needs": 10, "age": 41}, "at least 20"),
            ("weights", {"age": -12, "contact": 36}, "below nothing"),
            ("weights", {"fee": 0}, "nothing else"),
            ("weights", {"needs": True}, "whole number"),
            ("additions", {"heritage": 6}, "from 0 to 5"),
            ("additions", {"heritage": -1}, "from 0 to 5"),
            ("additions", {"adopters_age": 1}, "each perhaps nothing"),
            ("gates", {"heritage": True}, "can be no gate"),
            ("gates", {"religion": False}, "can be no gate"),
            ("gates", {"adopters": True}, "can be no gate"),
            ("gates", {"available": True}, "can be no gate"),
            ("gates", {"exclusion": False}, "cannot be opened"),
            ("gates", {"early_permanence": False}, "cannot be opened"),
            ("gates", {"needs": False}, "cannot be opened"),
            ("gates", {"pets": 1}, "true or false"),
            ("credit", {"unknown": 60}, "no higher for a lesser fit"),
            ("credit", {"met": 90}, "no higher for a lesser fit"),
            ("credit", {"discuss": 10}, "no higher for a lesser fit"),
            ("credit", {"cannot": 0}, "each standing"),
            ("bands", {"strong": {"points": 80, "questions": 2, "need_questions": 1}}, "no question about needs"),
            ("bands", {"strong": {"points": 60, "questions": 2, "need_questions": 0}}, "no fewer points"),
            ("bands", {"strong": {"points": 80}}, "takes points"),
            ("bands", {"explore": {}}, "the rest is to explore"),
        ],
    )
    def test_refuses_what_no_consortium_may_change(self, part: str, change: dict[str, Any], words: str) -> None:
        data: dict[str, Any] = default_policy().to_data()

        with pytest.raises(PolicyInvalid, match=words):
            policy_from_data({**data, part: {**data[part], **change}})

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {**default_policy().to_data(), "cost": 1},
            {**default_policy().to_data(), "name": 3},
            {**default_policy().to_data(), "weights": []},
            {**default_policy().to_data(), "age_margin_months": 25},
            {**default_policy().to_data(), "age_margin_months": "6"},
        ],
    )
    def test_refuses_what_is_no_policy(self, data: dict[str, object]) -> None:
        with pytest.raises(PolicyInvalid):
            policy_from_data(data)

    def test_lets_an_addition_weigh_nothing(self) -> None:
        data = default_policy().to_data()

        policy = policy_from_data({**data, "additions": dict.fromkeys(ADDITIONS, 0)})

        assert policy.weight("heritage") == 0


class TestVersion:
    def test_moves_with_a_number_and_not_with_the_name(self) -> None:
        data = default_policy().to_data()

        assert policy_from_data({**data, "name": "Another"}).version == default_policy().version
        assert policy_from_data({**data, "age_margin_months": 7}).version != default_policy().version


class TestBand:
    @pytest.mark.parametrize(
        ("points", "questions", "need_questions", "band"),
        [
            (100, 0, 0, Band.STRONG),
            (100, 1, 1, Band.GOOD),
            (80, 4, 0, Band.STRONG),
            (80, 5, 0, Band.GOOD),
            (79, 0, 0, Band.GOOD),
            (100, 9, 0, Band.POSSIBLE),
            (64, 0, 0, Band.POSSIBLE),
            (49, 0, 0, Band.EXPLORE),
            (100, 22, 22, Band.EXPLORE),
        ],
    )
    def test_reads_points_and_open_questions(
        self, points: int, questions: int, need_questions: int, band: Band
    ) -> None:
        policy = default_policy()

        assert policy.band(points=points, questions=questions, need_questions=need_questions) is band


def table(heading: str) -> dict[str, str]:
    """Return a table of the page: its first column's code against its second."""
    section = PUBLISHED.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", section, re.MULTILINE))


def published_gate(code: str) -> str:
    if code in ALWAYS_GATES:
        return "always"
    return "on" if default_policy().gates[code] else "off"
