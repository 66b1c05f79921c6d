"""A ranking policy: the weights, gates and bands a consortium has agreed, as plain data with a version.

What each number is for, and the guidance behind it, is in ``docs/policy.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import cast

from matching.ranking.criterion import ADDITIONS, GATES, SCORED
from matching.ranking.standing import BANDS, Band, Standing
from tenants.error import Invalid

ALWAYS_GATES: frozenset[str] = frozenset({"exclusion", "early_permanence", "needs"})
"""Gates no policy may open: a child's safety, the law on fostering, and what a household has said it cannot do."""

MOST_ADDITION = 5
LEAST_NEEDS = 20
WHOLE = 100
_CREDITED = (
    Standing.MET,
    Standing.MOSTLY,
    Standing.PARTLY,
    Standing.LITTLE,
    Standing.DISCUSS,
    Standing.UNKNOWN,
)
_FIELDS = ("name", "weights", "additions", "gates", "credit", "bands", "age_margin_months")


class PolicyInvalid(Invalid):
    """The policy breaks a rule that no consortium may change."""


@dataclass(frozen=True, slots=True)
class BandRule:
    """What a pair needs for a band: at least these points, at most these open questions."""

    points: int
    questions: int
    need_questions: int


@dataclass(frozen=True)
class RankingPolicy:
    """Weights that make a hundred, additions on top, gates, credit per standing in hundredths, bands best first."""

    name: str
    weights: Mapping[str, int]
    additions: Mapping[str, int]
    gates: Mapping[str, bool]
    credit: Mapping[str, int]
    bands: Mapping[Band, BandRule]
    age_margin_months: int

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise PolicyInvalid(f"Ranking policy {self.name!r}: {problem}")

    def to_data(self) -> dict[str, object]:
        """Return the policy as plain data that :func:`policy_from_data` takes back."""
        return {
            "name": self.name,
            "weights": dict(self.weights),
            "additions": dict(self.additions),
            "gates": dict(self.gates),
            "credit": dict(self.credit),
            "bands": {
                band.value: {"points": r.points, "questions": r.questions, "need_questions": r.need_questions}
                for band, r in self.bands.items()
            },
            "age_margin_months": self.age_margin_months,
        }

    @cached_property
    def version(self) -> str:
        """Return the digest of everything that can move a ranking; the name cannot."""
        data = self.to_data()
        del data["name"]
        return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:12]

    def weight(self, criterion: str) -> int:
        """Return the most points a criterion can give; nothing for one that only gates."""
        return self.weights.get(criterion, self.additions.get(criterion, 0))

    def credit_of(self, standing: Standing) -> int:
        """Return the hundredths of a weight that a standing earns."""
        return self.credit.get(standing.name.lower(), 0)

    def bars(self, criterion: str) -> bool:
        """Return whether failing a criterion takes a household off the list."""
        return self.gates.get(criterion, False)

    def band(self, *, points: int, questions: int, need_questions: int) -> Band:
        """Return the best band whose points and open questions the pair meets."""
        for band, rule in self.bands.items():
            if points >= rule.points and questions <= rule.questions and need_questions <= rule.need_questions:
                return band
        return Band.EXPLORE


def _problems(policy: RankingPolicy) -> tuple[str, ...]:
    """Return what is wrong, in words that say what to change."""
    checks = (
        (set(policy.weights) == set(SCORED), f"give a weight to each of {', '.join(SCORED)} and to nothing else."),
        (set(policy.additions) == set(ADDITIONS), f"additions are {', '.join(ADDITIONS)}, each perhaps nothing."),
        (
            set(policy.gates) == set(GATES),
            f"say true or false for each gate of {', '.join(GATES)}; {', '.join(ADDITIONS)} can be no gate.",
        ),
        (set(policy.credit) == {s.name.lower() for s in _CREDITED}, "give credit for each standing."),
        (
            tuple(policy.bands) == BANDS[:-1],
            "bands are strong, good and possible, in that order; the rest is to explore.",
        ),
        (min(policy.weights.values(), default=0) >= 0, "a weight cannot be below nothing."),
        (sum(policy.weights.values()) == WHOLE, f"the weights add up to {sum(policy.weights.values())}, not to 100."),
        (policy.weights.get("needs", 0) >= LEAST_NEEDS, f"needs must weigh at least {LEAST_NEEDS}."),
        (
            all(0 <= weight <= MOST_ADDITION for weight in policy.additions.values()),
            f"an addition is from 0 to {MOST_ADDITION} points.",
        ),
        (
            all(policy.gates.get(gate, False) for gate in ALWAYS_GATES),
            f"the gates {', '.join(sorted(ALWAYS_GATES))} cannot be opened.",
        ),
        (
            _credit_in_order(policy.credit),
            "credit must be from 0 to 100, whole when met, and no higher for a lesser fit.",
        ),
        (_bands_in_order(policy.bands), "a better band must ask for no fewer points and leave no more questions."),
        (_strong_is_settled(policy.bands), "a strong fit leaves no question about needs open."),
        (0 <= policy.age_margin_months <= 24, "the age margin is from 0 to 24 months."),
    )
    return tuple(problem for holds, problem in checks if not holds)


def _credit_in_order(credit: Mapping[str, int]) -> bool:
    values = [credit.get(name, -1) for name in ("unknown", "little", "partly", "mostly", "met")]
    return (
        values == sorted(values)
        and values[0] >= 0
        and values[-1] == WHOLE
        and values[0] <= credit.get("discuss", -1) <= WHOLE
    )


def _bands_in_order(bands: Mapping[Band, BandRule]) -> bool:
    rules = list(bands.values())
    return all(
        better.points >= worse.points
        and better.questions <= worse.questions
        and better.need_questions <= worse.need_questions
        for better, worse in pairwise(rules)
    )


def _strong_is_settled(bands: Mapping[Band, BandRule]) -> bool:
    return Band.STRONG not in bands or bands[Band.STRONG].need_questions == 0


def policy_from_data(data: Mapping[str, object]) -> RankingPolicy:
    """Return the policy that plain data describes.

    :raises PolicyInvalid: when a part is missing, strange, or breaks a rule no consortium may change.
    """
    if set(data) != set(_FIELDS):
        raise PolicyInvalid(f"Ranking policy: give exactly {', '.join(_FIELDS)}.")
    if not isinstance(data["name"], str):
        raise PolicyInvalid("Ranking policy: name must be text.")
    return RankingPolicy(
        name=data["name"],
        weights=_numbers(data["weights"], "weights"),
        additions=_numbers(data["additions"], "additions"),
        gates=_switches(data["gates"]),
        credit=_numbers(data["credit"], "credit"),
        bands=_bands(data["bands"]),
        age_margin_months=_number(data["age_margin_months"], "age_margin_months"),
    )


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise PolicyInvalid(f"Ranking policy: {name} must be a table of names.")
    return cast("Mapping[str, object]", value)


def _number(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise PolicyInvalid(f"Ranking policy: {name} must be a whole number.")
    return value


def _numbers(value: object, name: str) -> Mapping[str, int]:
    table = {key: _number(item, f"{name}.{key}") for key, item in _mapping(value, name).items()}
    return MappingProxyType(table)


def _switches(value: object) -> Mapping[str, bool]:
    switches = {}
    for key, item in _mapping(value, "gates").items():
        if not isinstance(item, bool):
            raise PolicyInvalid(f"Ranking policy: gates.{key} must be true or false.")
        switches[key] = item
    return MappingProxyType(switches)


def _bands(value: object) -> Mapping[Band, BandRule]:
    given = _mapping(value, "bands")
    if set(given) != {band.value for band in BANDS[:-1]}:
        raise PolicyInvalid("Ranking policy: give the bands strong, good and possible; the rest is to explore.")
    rules = {}
    for band in BANDS[:-1]:
        rule = _numbers(given[band.value], f"bands.{band.value}")
        if set(rule) != {"points", "questions", "need_questions"}:
            raise PolicyInvalid(f"Ranking policy: bands.{band.value} takes points, questions and need_questions.")
        rules[band] = BandRule(rule["points"], rule["questions"], rule["need_questions"])
    return MappingProxyType(rules)


@cache
def default_policy() -> RankingPolicy:
    """Return the policy that this release ships."""
    return policy_from_data(json.loads(files("matching").joinpath("data/policy-default.json").read_bytes()))
