"""The compiled loop: gates by bitmaps, then points for the households that are left. Whole numbers only.

It knows nothing of adoption. It looks results up that the criteria's own rules gave (see ``table.py``), so there is
no rule here that could differ from theirs. It holds no lock while it runs, so blocks of groups run side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Ints = NDArray[Any]

INSERT_MOST = 64
"""Up to here a short list is kept in order by insertion, which beats sorting every survivor."""


def compiled(function: Function) -> Function:
    """Compile a function on first use and keep the machine code where the installation or the user can write.

    A read-only installation with no writable home has nowhere to keep it: then it is compiled once per process.
    """
    try:
        made = numba.njit(nogil=True, cache=True, boundscheck=False)(function)
    except RuntimeError:
        made = numba.njit(nogil=True, boundscheck=False)(function)
    return made  # type: ignore[return-value]  # numba's dispatcher is callable as the function is


@compiled
def _ones(word: np.uint64) -> int:
    """Return how many bits are set; LLVM makes one instruction of this."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))  # type: ignore[return-value]


@compiled
def rank_block(  # noqa: C901 - one loop nest, kept whole for the compiler
    first: int,
    last: int,
    starts: Ints,
    rows: Ints,
    offset: Ints,
    column: Ints,
    gate: Ints,
    bars: Ints,
    ends_line: Ints,
    weight: Ints,
    share: Ints,
    is_need: Ints,
    base: Ints,
    cells: Ints,
    codes: Ints,
    fail_bits: Ints,
    ask_bits: Ints,
    valid: Ints,
    band: Ints,
    exclusion: Ints,
    distance_weight: int,
    distance_standing: Ints,
    exclusion_standing: Ints,
    credit: Ints,
    order: Ints,
    best: Ints,
    families: Ints,
    fails: Ints,
    asks: Ints,
) -> None:
    """Fill ``best`` [groups, top] with sort keys, best first, and count each gate's fails and asks, for some groups.

    A key holds, from its highest bits: points 7, questions left of 255 8, order left 32, need questions 8; so that
    comparing two keys is comparing two pairs, and no two keys of a group are equal.
    """
    words = valid.shape[0]
    households = codes.shape[0]
    top = best.shape[1]
    free = np.empty(words, np.uint64)
    failed = np.empty(words, np.uint64)
    asked = np.empty(words, np.uint64)
    found = np.empty(households if top > INSERT_MOST else 0, np.int64)
    for g in range(first, last):
        start, end = starts[g], starts[g + 1]
        free[:] = valid
        i = start
        while i < end:
            this = gate[i]
            if this < 0:
                i += 1
                continue
            failed[:] = np.uint64(0)
            asked[:] = np.uint64(0)
            barring = bars[i]
            while i < end and gate[i] == this:
                row = rows[i]
                for w in range(words):
                    failed[w] |= fail_bits[row, w]
                    asked[w] |= ask_bits[row, w]
                i += 1
            fail_count = 0
            ask_count = 0
            for w in range(words):
                fail_count += _ones(failed[w])
                ask_count += _ones(asked[w] & ~failed[w])
                if barring:
                    free[w] &= ~failed[w]
            fails[g, this] = fail_count
            asks[g, this] = ask_count
        fail_count = 0
        ask_count = 0
        for h in range(households):
            s = exclusion_standing[exclusion[g, h]]
            fail_count += s == 0
            ask_count += (s == 1) | (s == 2)
        fails[g, 0] = fail_count
        asks[g, 0] = ask_count
        survivors = 0
        kept = 0
        for w in range(words):
            word = free[w]
            while word:
                lowest = word & (~word + np.uint64(1))
                h = w * 64 + _ones(lowest - np.uint64(1))
                word ^= lowest
                s = exclusion_standing[exclusion[g, h]]
                if s == 0:
                    continue
                questions = int((s == 1) | (s == 2))
                s = distance_standing[band[g, h]]
                questions += int((s == 1) | (s == 2))
                points = base[g] + distance_weight * credit[s] // 100
                need_questions = 0
                standing = 7
                earned = 0
                for i in range(start, end):
                    standing = min(standing, int(cells[offset[i] + codes[h, column[i]]]))
                    ends = ends_line[i]
                    if ends:
                        question = int((standing == 1) | (standing == 2))
                        questions += question
                        need_questions += question & is_need[i]
                        earned += credit[standing]
                        standing = 7
                        if ends == 2:
                            if weight[i]:
                                points += weight[i] * earned // share[i]
                            earned = 0
                points = min(points, 100)
                key = (points << 48) | ((255 - questions) << 40) | ((0xFFFFFFFF - order[h]) << 8) | need_questions
                survivors += 1
                if top > INSERT_MOST:
                    found[survivors - 1] = key
                elif top > 0 and (kept < top or key > best[g, top - 1]):
                    at = kept if kept < top else top - 1
                    while at > 0 and best[g, at - 1] < key:
                        best[g, at] = best[g, at - 1]
                        at -= 1
                    best[g, at] = key
                    kept = min(kept + 1, top)
        families[g] = survivors
        if top > INSERT_MOST:
            found[:survivors].sort()
            for k in range(min(survivors, top)):
                best[g, k] = found[survivors - 1 - k]
