"""For a group with few families: which single change would bring more, and how many."""

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
    """One change, and how many households nothing else keeps off the list."""

    code: str
    gate: str
    families: int
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
    codes, failed = _failed(table, places)
    alone = failed.sum(axis=0) == 1
    found = [_near_miss(code, int((failed[k] & alone).sum()), table) for k, code in enumerate(codes) if failed.shape[1]]
    by_gate = {gate: k for k, gate in enumerate(GATES)}
    return tuple(sorted((m for m in found if m.families), key=lambda m: (-m.families, by_gate[m.gate], m.code)))


def _failed(table: Table, places: Places) -> tuple[list[str], np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    """Return each line that bars, and a matrix [lines, H] of which households it bars."""
    exclusion = ExclusionLine()
    cannot = [exclusion.judge(PairPlace(exclusion=code)) is Standing.CANNOT for code in EXCLUSION_CODES]
    rows = {"exclusion": np.array(cannot, dtype=np.bool_)[places.exclusion[0]]}
    entries = table.entries
    for k in np.flatnonzero(entries["bars"]).tolist():
        line = int(entries["column"][k])
        standing = table.cells[int(entries["offset"][k]) + table.codes[:, line].astype(np.int64)]
        code = table.lines[line][1].code
        barred = standing == Standing.CANNOT
        rows[code] = rows[code] | barred if code in rows else barred
    return list(rows), np.array(list(rows.values()), dtype=np.bool_).reshape(len(rows), len(table.households))


def _near_miss(code: str, families: int, table: Table) -> NearMiss:
    more = "One more family" if families == 1 else f"{families} more families"
    kind = code.partition(":")[0]
    if kind == "need":
        title = next(line.need.title for _, line in table.lines if isinstance(line, NeedLine) and line.code == code)
        change = f"{title}: {_TALK}"
    else:
        change = _CHANGES[code]
    gate = {"need": "needs"}.get(kind, kind)
    return NearMiss(code=code, gate=gate, families=families, words=f"{more} would come in but for {change}.")
