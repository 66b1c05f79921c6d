"""Pairs ranked per second: the array engine against the plain definition, in the same run, on the same register.

Run ``python -m bench.ranking [--groups 5000] [--households 10000] [--plain 40] [--top 20] [--runs 5] [--json]``. The
plain definition ranks the first ``--plain`` groups, the engine all of them; the lists of those groups must be equal,
or the run stops. Survivors are the pairs that no gate bars: the ratio depends on how many there are.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

import numpy as np

from matching.need import Answer, NeedLevel, Tolerance, YesNo, need_catalogue
from matching.ranking import engine
from matching.ranking.engine import Ranking, rank_table, warm
from matching.ranking.facts import (
    ChildFacts,
    ContactKind,
    GroupFacts,
    HouseholdFacts,
    LegalPosition,
    Sex,
    SexApproved,
)
from matching.ranking.places import Places
from matching.ranking.plain import plain_rank
from matching.ranking.policy import default_policy
from matching.ranking.table import make_table

AS_OF = date(2026, 11, 23)
CODES = need_catalogue().codes()
Result = TypeVar("Result")
YES, NO, UNSAID = YesNo.YES, YesNo.NO, YesNo.UNKNOWN
CAN, DISCUSS, CANNOT, UNKNOWN = Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT, Answer.UNKNOWN
TOLERANCES = (
    Tolerance(CAN, CAN, CAN),
    Tolerance(CAN, CAN, DISCUSS),
    Tolerance(CAN, DISCUSS, CANNOT),
    Tolerance(DISCUSS, CANNOT, CANNOT),
    Tolerance(CANNOT, CANNOT, CANNOT),
    Tolerance(),
)
TOLERANCE_WEIGHTS = (38, 26, 14, 6, 4, 12)
HERITAGE = ("WBRI", "WOTH", "MWBC", "BAFR", "BCRB", "AIND", "APKN")


@dataclass(frozen=True)
class Measured:
    """One run's figures; seconds are medians."""

    machine: str
    processors: int
    groups: int
    households: int
    survivors_percent: float
    plain_pairs_per_second: int
    table_seconds: float
    rank_seconds: float
    rank_seconds_one_thread: float
    pairs_per_second: int
    ratio: float
    ratio_one_thread: float
    ratio_with_table: float
    lists_equal: int


def make_register(
    groups: int, households: int, draw: random.Random
) -> tuple[list[GroupFacts], list[HouseholdFacts], Places]:
    """Return a synthetic register: three in four groups one child, ages and needs spread as in a year's pool."""
    places = np.random.default_rng(draw.getrandbits(32))
    return (
        [make_group(f"G-{k:06}", draw) for k in range(groups)],
        [make_household(f"H-{k:06}", draw) for k in range(households)],
        Places(
            band=places.choice(np.arange(5, dtype=np.int8), (groups, households), p=[0.2, 0.3, 0.3, 0.17, 0.03]),
            exclusion=places.choice(np.arange(3, dtype=np.int8), (groups, households), p=[0.9, 0.07, 0.03]),
        ),
    )


def make_group(code: str, draw: random.Random) -> GroupFacts:
    """Return one synthetic sibling group."""
    size = draw.choices((1, 2, 3), (75, 21, 4))[0]
    oldest = draw.randint(2017, 2025)
    return GroupFacts(
        id=UUID(int=draw.getrandbits(128)),
        code=code,
        agency_id=UUID(int=1),
        children=tuple(make_child(oldest + k, draw) for k in range(size)),
        legal_position=draw.choices(tuple(LegalPosition), (10, 70, 8, 6, 3, 3))[0],
        early_permanence=draw.choices((NO, YES, UNSAID), (88, 8, 4))[0],
        contact={
            ContactKind.LETTERBOX: draw.choices((YES, NO), (85, 15))[0],
            ContactKind.DIRECT: draw.choices((YES, NO, UNSAID), (12, 80, 8))[0],
            ContactKind.SIBLINGS: draw.choices((YES, NO), (30, 70))[0],
        },
        must_be_youngest=draw.choices((NO, YES, UNSAID), (60, 35, 5))[0],
        must_be_only=draw.choices((NO, YES), (88, 12))[0],
        no_pets=draw.choices((NO, YES), (95, 5))[0],
        smoke_free=draw.choices((NO, YES), (40, 60))[0],
        experience_needed=draw.choices((NO, YES, UNSAID), (75, 15, 10))[0],
        training_needed=draw.choices((NO, YES, UNSAID), (55, 35, 10))[0],
        parent_at_home_needed=draw.choices((NO, YES, UNSAID), (40, 50, 10))[0],
        support_needed=draw.choices((NO, YES, UNSAID), (60, 30, 10))[0],
        adopters_hoped_for=draw.choices((None, 2, 1), (90, 7, 3))[0],
        heritage=frozenset(draw.sample(HERITAGE, 1)),
        waiting_since=date(2026, draw.randint(1, 11), 1),
    )


def make_child(year: int, draw: random.Random) -> ChildFacts:
    """Return one synthetic child: most needs none, a few of them graded, some not recorded."""
    levels = tuple(NeedLevel)
    return ChildFacts(
        birth_month=date(min(year, 2026), draw.randint(1, 11), 1),
        sex=draw.choice((Sex.FEMALE, Sex.MALE)),
        needs={code: draw.choices(levels, (70, 12, 9, 5, 4))[0] for code in CODES},
    )


def make_household(code: str, draw: random.Random) -> HouseholdFacts:
    """Return one synthetic adopter household."""
    at_home = draw.choices((0, 1, 2, None), (70, 20, 7, 3))[0]
    contact = (CAN, DISCUSS, CANNOT, UNKNOWN)
    return HouseholdFacts(
        id=UUID(int=draw.getrandbits(128)),
        code=code,
        agency_id=UUID(int=2),
        age_from_months=12 * draw.choice((0, 0, 0, 1, 2)),
        age_to_months=12 * draw.randint(3, 9) - 1,
        fewest_children=1,
        most_children=draw.choices((1, 2, 3), (60, 33, 7))[0],
        sex_approved=draw.choices(tuple(SexApproved), (85, 7, 5, 3))[0],
        tolerances={code: draw.choices(TOLERANCES, TOLERANCE_WEIGHTS)[0] for code in CODES},
        legal={
            position: draw.choices(contact, (50, 25, 15, 10))[0]
            for position in (LegalPosition.ORDER_APPLIED, LegalPosition.CONTESTED, LegalPosition.APPEAL)
        },
        early_permanence_approved=draw.choices((NO, YES, UNSAID), (70, 25, 5))[0],
        contact={kind: draw.choices(contact, (60, 25, 8, 7))[0] for kind in ContactKind},
        children_at_home=at_home,
        youngest_at_home=date(draw.randint(2010, 2024), 5, 1) if at_home else None,
        pets=draw.choices((NO, YES, UNSAID), (50, 45, 5))[0],
        smokers=draw.choices((NO, YES, UNSAID), (92, 4, 4))[0],
        adopters=draw.choices((2, 1, None), (82, 14, 4))[0],
        experience=draw.choices((NO, YES, UNSAID), (40, 50, 10))[0],
        training=draw.choices((NO, YES, UNSAID), (20, 65, 15))[0],
        parent_at_home=draw.choices((NO, YES, UNSAID), (10, 75, 15))[0],
        support_nearby=draw.choices((NO, YES, UNSAID), (15, 70, 15))[0],
        available_from=draw.choices((date(2026, 6, 1), date(2027, 2, 1), date(2027, 9, 1), None), (70, 12, 6, 12))[0],
        heritage=frozenset(draw.sample(HERITAGE, 1)),
        approved_on=date(2026, draw.randint(1, 11), draw.randint(1, 28)),
    )


def measure(*, groups: int, households: int, plain: int, top: int, runs: int) -> Measured:
    """Return the figures of one run, having checked that both ways give the same lists."""
    some, homes, places = make_register(groups, households, random.Random(2026))  # noqa: S311 - synthetic people
    policy = default_policy()
    plain = min(plain, groups)
    few = Places(places.band[:plain], places.exclusion[:plain])
    warm()
    table_seconds, table = timed(runs, lambda: make_table(some, homes, policy=policy, as_of=AS_OF))
    rank_seconds, ranking = timed(runs, lambda: rank_table(table, places, top=top))
    processors = engine._processors()
    engine._processors = lambda: 1
    one_thread, _ = timed(runs, lambda: rank_table(table, places, top=top))
    engine._processors = lambda: processors
    plain_seconds, expected = timed(1, lambda: plain_rank(some[:plain], homes, few, policy, AS_OF, top))
    assert expected == first_lists(ranking, plain), "the engine and the plain definition differ"
    pairs = groups * households
    per_second = plain * households / plain_seconds
    return Measured(
        machine=f"{platform.machine()} {processor_name()}, Python {platform.python_version()}",
        processors=processors,
        groups=groups,
        households=households,
        survivors_percent=round(100 * int(ranking.families.sum()) / pairs, 2),
        plain_pairs_per_second=round(per_second),
        table_seconds=round(table_seconds, 4),
        rank_seconds=round(rank_seconds, 4),
        rank_seconds_one_thread=round(one_thread, 4),
        pairs_per_second=round(pairs / rank_seconds),
        ratio=round(pairs / rank_seconds / per_second, 1),
        ratio_one_thread=round(pairs / one_thread / per_second, 1),
        ratio_with_table=round(pairs / (rank_seconds + table_seconds) / per_second, 1),
        lists_equal=plain,
    )


def timed(runs: int, work: Callable[[], Result]) -> tuple[float, Result]:
    """Return the median seconds of some runs, and the last result."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def first_lists(ranking: Ranking, groups: int) -> list[list[tuple[str, int, int, int]]]:
    """Return the first groups' lists as the plain definition writes them."""
    return [[(f.code, f.points, f.questions, f.need_questions) for f in ranking.families_of(g)] for g in range(groups)]


def processor_name() -> str:
    """Return the processor's name where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or os.name


def main() -> None:
    """Print one run's figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=5000)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--plain", type=int, default=40, help="groups the plain definition ranks too")
    parser.add_argument("--top", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON line")
    given = parser.parse_args()
    measured = measure(
        groups=given.groups, households=given.households, plain=given.plain, top=given.top, runs=given.runs
    )
    if given.json:
        print(json.dumps(asdict(measured)))
        return
    for name, value in asdict(measured).items():
        print(f"{name.replace('_', ' '):>24}  {value}")


if __name__ == "__main__":
    main()
