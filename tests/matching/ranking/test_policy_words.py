from __future__ import annotations

import re
from pathlib import Path

import pytest

from matching.ranking.criterion import ADDITIONS, GATES, SCORED
from matching.ranking.policy import ALWAYS_GATES, default_policy
from matching.ranking.policy_words import describe_policy, policy_words

PAPER = Path(__file__).parents[3] / "docs/policy.md"


class TestPolicyWords:
    def test_speak_of_every_part_of_a_policy_and_of_nothing_else(self) -> None:
        policy = default_policy()

        assert set(policy_words()) == {
            *(("gate", code) for code in GATES),
            *(("weight", code) for code in SCORED),
            *(("addition", code) for code in ADDITIONS),
            *(("credit", code) for code in policy.credit),
            *(("band", code) for code in policy.bands),
        }

    @pytest.mark.parametrize(("part", "code"), sorted(policy_words()))
    def test_are_those_of_the_paper(self, part: str, code: str) -> None:
        paper = PAPER.read_text("utf-8").replace("’", "'")
        rows = re.findall(rf"^\| `{code}` \| [^|]+ \| (.+) \|$", paper, re.MULTILINE)

        assert policy_words()[part, code].replace("’", "'") in rows


class TestDescribePolicy:
    def test_says_what_each_number_is_set_to(self) -> None:
        policy = default_policy()

        tables = {table.title: table for table in describe_policy(policy)}

        gates = {line.title: line.setting for line in tables["What can keep a family off a list"].lines}
        assert list(gates.values()).count("Always") == len(ALWAYS_GATES)
        assert gates["Age"] == "Yes"
        weights = tables["What weighs"].lines
        assert sum(int(line.setting) for line in weights) == 100
        assert weights[0].title == "Needs"
        bands = {line.title: line.setting for line in tables["What each band takes"].lines}
        strong = next(iter(policy.bands.values()))
        assert bands["Strong fit"] == f"{strong.points}, {strong.questions}, 0"
        assert all(line.words for table in tables.values() for line in table.lines)
