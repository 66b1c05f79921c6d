"""A register as arrays: each rule run once over the distinct values, and each record as a row of small codes.

Kept per pool, policy and day, a table ranks again in milliseconds. Shapes: G groups, H households, L lines,
R distinct asked values over all lines, W words of 64 households.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.need import NeedCatalogue, need_catalogue
from matching.ranking.criterion import GATES, SCORED, criteria
from matching.ranking.criterion.base import Criterion, Line
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.ranking.policy import RankingPolicy
from matching.ranking.standing import Standing
from tenants.error import Invalid

Ints = NDArray[Any]
_MOST_ANSWERS = np.iinfo(np.uint16).max
_MOST_LINES = 200


class RegisterInvalid(Invalid):
    """The facts cannot be ranked as they are."""


@dataclass(frozen=True)
class Table:
    """The arrays the compiled loop reads; ``entries`` are what groups ask, one row per asked value, in order."""

    policy: RankingPolicy
    as_of: date
    groups: tuple[str, ...]
    households: tuple[str, ...]
    lines: tuple[tuple[Criterion, Line[Any, Any]], ...]
    cells: NDArray[np.int8]
    """Standings, one block of [asked value, offered value] per line, end to end."""
    codes: NDArray[np.uint16]
    """[H, L]: which offered value a household has."""
    row_line: NDArray[np.int32]
    row_offset: NDArray[np.int32]
    fail_bits: NDArray[np.uint64]
    ask_bits: NDArray[np.uint64]
    valid: NDArray[np.uint64]
    starts: NDArray[np.int32]
    entries: dict[str, Ints]
    base: NDArray[np.int64]
    """[G]: points for what a group does not ask."""
    order: NDArray[np.int64]
    """[H]: the place in the tie-break, longest waiting first, then by code."""
    group_order: NDArray[np.int64]
    """[G]: the same for groups, for lists of groups."""


def make_table(
    groups: Sequence[GroupFacts],
    households: Sequence[HouseholdFacts],
    *,
    policy: RankingPolicy,
    as_of: date,
    catalogue: NeedCatalogue | None = None,
) -> Table:
    """Return the arrays of a register under a policy on a day.

    :raises RegisterInvalid: when two records have one code, or there are more distinct values than codes.
    """
    headings = criteria(catalogue or need_catalogue(), age_margin_months=policy.age_margin_months)
    lines = tuple((heading, line) for heading in headings for line in heading.lines)
    if len(lines) > _MOST_LINES:
        raise RegisterInvalid(f"The need catalogue has too many needs to rank: at most {_MOST_LINES} lines.")
    _one_code_each("group", [group.code for group in groups])
    _one_code_each("household", [household.code for household in households])
    values = _Values.collect(lines, groups, households, as_of)
    fail_bits, ask_bits, valid = values.bitmaps(len(households))
    starts, entries, base = _entries(headings, values, len(groups), policy)
    return Table(
        policy=policy,
        as_of=as_of,
        groups=tuple(group.code for group in groups),
        households=tuple(household.code for household in households),
        lines=lines,
        cells=values.cells,
        codes=values.codes,
        row_line=values.row_line,
        row_offset=values.row_offset,
        fail_bits=fail_bits,
        ask_bits=ask_bits,
        valid=valid,
        starts=starts,
        entries=entries,
        base=base,
        order=_order([(household.approved_on, household.code) for household in households]),
        group_order=_order([(group.waiting_since, group.code) for group in groups]),
    )


def _one_code_each(kind: str, codes: list[str]) -> None:
    if len(set(codes)) != len(codes):
        twice = sorted({code for code in codes if codes.count(code) > 1})
        raise RegisterInvalid(f"The {kind} code {twice[0]} is given twice: give each {kind} once.")


def _order(waiting: Sequence[tuple[date | None, str]]) -> NDArray[np.int64]:
    """Return each record's place when sorted by the day it began to wait, those without one last, then by code."""
    ordered = sorted(range(len(waiting)), key=lambda k: (waiting[k][0] or date.max, waiting[k][1]))
    order = np.empty(len(waiting), dtype=np.int64)
    order[ordered] = np.arange(len(waiting))
    return order


@dataclass(frozen=True)
class _Values:
    """The distinct values of each line, the standings between them, and which record has which."""

    asked: list[list[tuple[int, ...]]]
    """Per line, per group: the rows asked."""
    cells: NDArray[np.int8]
    codes: NDArray[np.uint16]
    row_line: NDArray[np.int32]
    row_offset: NDArray[np.int32]

    @classmethod
    def collect(
        cls,
        lines: Sequence[tuple[Criterion, Line[Any, Any]]],
        groups: Sequence[GroupFacts],
        households: Sequence[HouseholdFacts],
        as_of: date,
    ) -> _Values:
        """Run each rule once over the distinct values on both sides."""
        codes = np.zeros((len(households), len(lines)), dtype=np.uint16)
        asked: list[list[tuple[int, ...]]] = []
        blocks: list[NDArray[np.int8]] = []
        row_line: list[int] = []
        row_offset: list[int] = []
        size = 0
        for at, (_, line) in enumerate(lines):
            offered: dict[Hashable, int] = {}
            for h, household in enumerate(households):
                codes[h, at] = offered.setdefault(line.offered(household, as_of), len(offered))
                if len(offered) > _MOST_ANSWERS:
                    raise RegisterInvalid("There are more distinct answers than can be ranked at once; rank fewer.")
            rows: dict[Hashable, int] = {}
            first = len(row_line)
            asked.append(
                [
                    tuple(sorted(first + rows.setdefault(value, len(rows)) for value in line.asked(group, as_of)))
                    for group in groups
                ]
            )
            block = np.array([[line.judge(a, o) for o in offered] for a in rows], dtype=np.int8).reshape(-1)
            row_line += [at] * len(rows)
            row_offset += [size + k * len(offered) for k in range(len(rows))]
            blocks.append(block)
            size += block.size
        return cls(
            asked=asked,
            cells=np.concatenate([*blocks, np.zeros(1, dtype=np.int8)]),
            codes=codes,
            row_line=np.array(row_line, dtype=np.int32),
            row_offset=np.array(row_offset, dtype=np.int32),
        )

    def bitmaps(self, households: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]:
        """Return one bit per household: who fails each row, who has a question there, and who there is at all."""
        words = (households + 63) // 64
        fail = np.zeros((len(self.row_line), words), dtype=np.uint64)
        ask = np.zeros_like(fail)
        for row, (line, offset) in enumerate(zip(self.row_line, self.row_offset, strict=True)):
            standing = self.cells[int(offset) + self.codes[:, line].astype(np.int64)]
            fail[row] = _packed(standing == Standing.CANNOT, words)
            ask[row] = _packed((standing == Standing.UNKNOWN) | (standing == Standing.DISCUSS), words)
        return fail, ask, _packed(np.ones(households, dtype=np.bool_), words)


def _packed(bits: NDArray[np.bool_], words: int) -> NDArray[np.uint64]:
    packed = np.zeros(words * 8, dtype=np.uint8)
    some = np.packbits(bits, bitorder="little")
    packed[: some.size] = some
    # Little-endian by name, so that bit k of word w is household 64w + k on every machine.
    return packed.view("<u8").astype(np.uint64)


def _entries(
    headings: Sequence[Criterion], values: _Values, groups: int, policy: RankingPolicy
) -> tuple[NDArray[np.int32], dict[str, Ints], NDArray[np.int64]]:
    """Return what each group asks, end to end, and the points for what it does not ask."""
    starts = np.zeros(groups + 1, dtype=np.int32)
    base = np.zeros(groups, dtype=np.int64)
    entries: list[tuple[int, int, int, int, int, int, int, int, int]] = []
    for g in range(groups):
        at = 0
        for heading in headings:
            asked = [values.asked[at + k][g] for k in range(len(heading.lines))]
            at += len(heading.lines)
            lines = [rows for rows in asked if rows]
            if heading.lines and not lines and heading.code in SCORED:
                base[g] += policy.weight(heading.code)
            gate = GATES.index(heading.code) if heading.gate else -1
            for k, rows in enumerate(lines):
                for n, row in enumerate(rows):
                    ends = 0 if n + 1 < len(rows) else 1 if k + 1 < len(lines) else 2
                    entries.append(
                        (
                            row,
                            int(values.row_offset[row]),
                            int(values.row_line[row]),
                            gate,
                            int(policy.bars(heading.code)),
                            ends,
                            policy.weight(heading.code),
                            100 * len(lines),
                            int(heading.code == "needs"),
                        )
                    )
        starts[g + 1] = len(entries)
    matrix = np.array(entries, dtype=np.int32).reshape(-1, 9)
    names = ("rows", "offset", "column", "gate", "bars", "ends_line", "weight", "share", "is_need")
    return starts, {name: np.ascontiguousarray(matrix[:, k]) for k, name in enumerate(names)}, base
