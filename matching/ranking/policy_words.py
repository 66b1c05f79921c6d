"""A ranking policy in words: each of its numbers with what it is for, as ``docs/policy.md`` says it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from matching.need import need_catalogue
from matching.ranking.criterion import criteria
from matching.ranking.policy import ALWAYS_GATES, RankingPolicy
from matching.ranking.standing import Band


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One number or switch of a policy: what it is called, what it is set to, and what it is for."""

    title: str
    setting: str
    words: str


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """What belongs together in a policy."""

    title: str
    about: str
    heading: str
    lines: tuple[PolicyLine, ...]


def describe_policy(policy: RankingPolicy) -> tuple[PolicyTable, ...]:
    """Return a policy as people read it: what bars, what weighs, what adds, and what each result and band takes."""
    return (
        PolicyTable(
            "What can keep a family off a list",
            "Each of these passes, fails, or is a question to ask. Unknown is never yes and never no: it bars nobody.",
            "Bars",
            _lines("gate", policy.gates, lambda code: _gate(policy, code)),
        ),
        PolicyTable(
            "What weighs",
            "The weights make 100. What a group does not ask earns its whole weight, for every family alike.",
            "Most points",
            _lines("weight", policy.weights, lambda code: str(policy.weights[code])),
        ),
        PolicyTable(
            "What may add",
            "On top of the weights, up to 100 in all. These never bar and never take away.",
            "Most points",
            _lines("addition", policy.additions, lambda code: str(policy.additions[code])),
        ),
        PolicyTable(
            "What each result earns",
            "A share of the weight in hundredths, rounded down to a whole point.",
            "Hundredths",
            _lines("credit", policy.credit, lambda code: str(policy.credit[code]), titles=_CREDIT),
        ),
        PolicyTable(
            "What each band takes",
            "At least so many points, and at most so many open questions, of which at most so many about needs.",
            "Points, questions, about needs",
            _lines("band", policy.bands, lambda code: _band(policy, code), titles=_BANDS),
        ),
    )


_CREDIT = {
    "met": "Met",
    "mostly": "Mostly",
    "partly": "Partly",
    "little": "A little",
    "discuss": "To discuss",
    "unknown": "Not known",
}
_BANDS = {"strong": "Strong fit", "good": "Good fit", "possible": "Possible fit"}


@cache
def policy_words() -> dict[tuple[str, str], str]:
    """Return what each part of a policy is for, by part (gate, weight, addition, credit, band) and code."""
    content = files("matching").joinpath("data/policy-words.csv").read_text("utf-8")
    return {(row["part"], row["code"]): row["words"] for row in csv.DictReader(content.splitlines())}


def _lines(
    part: str, codes: Iterable[str], setting: Callable[[str], str], *, titles: dict[str, str] | None = None
) -> tuple[PolicyLine, ...]:
    called, words = _criterion_titles() if titles is None else titles, policy_words()
    return tuple(PolicyLine(called[code], setting(code), words[part, code]) for code in codes)


@cache
def _criterion_titles() -> dict[str, str]:
    return {each.code: each.title for each in criteria(need_catalogue(), age_margin_months=0)}


def _gate(policy: RankingPolicy, code: str) -> str:
    if code in ALWAYS_GATES:
        return "Always"
    return "Yes" if policy.bars(code) else "No; it counts against"


def _band(policy: RankingPolicy, code: str) -> str:
    rule = policy.bands[Band(code)]
    return f"{rule.points}, {rule.questions}, {rule.need_questions}"
