"""For a group with few families, or a family with few groups: which single change would bring more, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from matching.ranking.criterion import GATES
from matching.ranking.criterion.need import NeedLine
from matching.ranking.criterion.where import ExclusionLine
from matching.ranking.facts import GroupFacts, HouseholdFacts, PairPlace
from matching.ranking.places import EXCLUSION_CODES, Places
from matching.ranking.policy import RankingPolicy
from matching.ranking.standing import Standing
from matching.ranking.table import Table, make_table

_TALK = "talk it through with the household’s worker"
_REVIEW = "ask the household’s worker whether it could be looked at again"
_CHANGES = {
    "exclusion": "the exclusion areas: look at them again",
    "early_permanence": "approval as foster carers: ask the household’s worker whether it could be sought",
    "age": f"the ages approved: {_REVIEW}",
    "size": f"the number of children approved: {_REVIEW}",
    "sex": f"the sex approved: {_REVIEW}",
    "legal": f"the legal position: {_TALK}, or wait until it is settled",
    "contact:letterbox": f"letterbox contact: {_TALK}",
    "contact:direct": f"direct contact: {_TALK}",
    "contact:siblings": f"contact with brothers and sisters: {_TALK}",
    "home:youngest": "having to be the youngest in the home: look at the plan again",
    "home:only": "having to be the only child in the home: look at the plan again",
    "pets": "having no pets in the home: look at the plan again",
    "smoking": "needing a smoke-free home: look at the plan again",
    "readiness:experience": "experience with children: look at the plan again",
    "readiness:training": "training in therapeutic parenting: ask the household’s worker whether it could be done",
    "readiness:parent_at_home": "a parent at home through the first year: ask the household’s worker what they plan",
    "readiness:support": "support nearby: ask the household’s worker who could help",
}


@dataclass(frozen=True, slots=True)
class NearMiss:
    """One change, and how many households, or groups, nothing else keeps off the list."""

    code: str
    gate: str
    count: int
    words: str


def near_misses(
    group: GroupFacts,
    households: Sequence[HouseholdFacts],
    places: Places,
    policy: RankingPolicy,
    as_of: date,
) -> tuple[NearMiss, ...]:
    """Return the single changes that would bring more families, most families first; ``places`` is [1, H].

    :raises PlacesInvalid: when the places do not fit.
    :raises RegisterInvalid: when two households have one code.
    """
    places.check(1, len(households))
    table = make_table((group,), households, policy=policy, as_of=as_of)
    return _near_misses(table, places, ("family", "families"))


def near_misses_of_household(
    groups: Sequence[GroupFacts],
    household: HouseholdFacts,
    places: Places,
    policy: RankingPolicy,
    as_of: date,
) -> tuple[NearMiss, ...]:
    """Return the single changes that would open more groups to a household, most first; ``places`` is [G, 1].

    :raises PlacesInvalid: when the places do not fit.
    :raises RegisterInvalid: when two groups have one code.
    """
    places.check(len(groups), 1)
    table = make_table(groups, (household,), policy=policy, as_of=as_of)
    return _near_misses(table, places, ("group", "groups"))


def _near_misses(table: Table, places: Places, nouns: tuple[str, str]) -> tuple[NearMiss, ...]:
    codes, failed = _failed(table, places)
    alone = failed.sum(axis=0) == 1
    found = [_near_miss(code, int((failed[k] & alone).sum()), table, nouns) for k, code in enumerate(codes)]
    by_gate = {gate: k for k, gate in enumerate(GATES)}
    return tuple(sorted((m for m in found if m.count), key=lambda m: (-m.count, by_gate[m.gate], m.code)))


def _failed(table: Table, places: Places) -> tuple[list[str], np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    """Return each line that bars, and a matrix [lines, G x H] of which pairs it bars, group by group."""
    groups, households = len(table.groups), len(table.households)
    exclusion = ExclusionLine()
    cannot = [exclusion.judge(PairPlace(exclusion=code)) is Standing.CANNOT for code in EXCLUSION_CODES]
    rows = {"exclusion": np.array(cannot, dtype=np.bool_)[places.exclusion]}
    entries = table.entries
    asking = np.repeat(np.arange(groups), np.diff(table.starts))
    for k in np.flatnonzero(entries["bars"]).tolist():
        line = int(entries["column"][k])
        standing = table.cells[int(entries["offset"][k]) + table.codes[:, line].astype(np.int64)]
        row = rows.setdefault(table.lines[line][1].code, np.zeros((groups, households), dtype=np.bool_))
        row[asking[k]] |= standing == Standing.CANNOT
    return list(rows), np.array(list(rows.values()), dtype=np.bool_).reshape(len(rows), groups * households)


def _near_miss(code: str, count: int, table: Table, nouns: tuple[str, str]) -> NearMiss:
    more = f"One more {nouns[0]}" if count == 1 else f"{count} more {nouns[1]}"
    kind = code.partition(":")[0]
    if kind == "need":
        title = next(line.need.title for _, line in table.lines if isinstance(line, NeedLine) and line.code == code)
        change = f"{title}: {_TALK}"
    else:
        change = _CHANGES[code]
    gate = {"need": "needs"}.get(kind, kind)
    return NearMiss(code=code, gate=gate, count=count, words=f"{more} would come in but for {change}.")
