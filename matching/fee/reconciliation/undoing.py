"""Debits that undo an earlier credit: a payment returned, recalled or paid by mistake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from rapidfuzz import fuzz

from matching.fee.reconciliation.fact import Confidence, EarlierCredit, Kind, Proposal, WaitingLine
from matching.fee.reconciliation.reference import compact

WITHIN: Final = timedelta(days=92)
"""How long after a credit a debit is taken for its undoing. Chosen here: the longest that a return is heard of."""
_ALIKE: Final = 70
_MARKED: Final = 30
_EXACT: Final = 30
_SAME_WORDS: Final = 30
_WORDS: Final = ("RETURN", "RECALL", "REVERS", "UNPAID", "REFUND", "CORRECT", "ERROR")


def undoing(line: WaitingLine, earlier: Sequence[EarlierCredit]) -> Proposal:
    """Return which earlier credit a debit undoes; never sure, for money that leaves is looked at one by one."""
    same = [
        each
        for each in earlier
        if each.pence == -line.pence and timedelta(0) <= line.dated_on - each.dated_on <= WITHIN
    ]
    marked = line.undoes or any(word in f"{line.reference} {line.payer}".upper() for word in _WORDS)
    scored = sorted(
        ((_points(line, each, marked), _likeness(line, each), each) for each in same),
        key=lambda found: (-found[0], -found[1], -found[2].dated_on.toordinal(), str(found[2].line_id)),
    )
    if not scored or scored[0][0] <= _EXACT:
        return Proposal(line.id)
    points, _, credit = scored[0]
    reasons = [f"A credit of {credit.dated_on:%d/%m/%Y} is of exactly this amount."]
    if marked:
        reasons.append("The bank marks it as the return of a payment.")
    if _alike(line, credit):
        reasons.append("Name or reference are alike.")
    doubts = ["Other credits are of this amount too."] if len(scored) > 1 else []
    return Proposal(
        line.id,
        kind=Kind.UNDOES,
        confidence=Confidence.LIKELY if points >= _EXACT + _SAME_WORDS else Confidence.POSSIBLE,
        points=min(89, points),
        undone_line_id=credit.line_id,
        reasons=tuple(reasons),
        doubts=tuple(doubts),
    )


def _points(line: WaitingLine, credit: EarlierCredit, marked: bool) -> int:
    return _EXACT + (_MARKED if marked else 0) + (_SAME_WORDS if _alike(line, credit) else 0)


def _alike(line: WaitingLine, credit: EarlierCredit) -> bool:
    return _likeness(line, credit) > _ALIKE


def _likeness(line: WaitingLine, credit: EarlierCredit) -> float:
    """Return how alike the references or the names are, whichever is more, from 0 to 100."""
    pairs = ((line.reference, credit.reference), (line.payer, credit.payer))
    squeezed = [(compact(one), compact(other)) for one, other in pairs]
    told = [pair for pair in squeezed if min(map(len, pair)) >= 5]
    return sum(fuzz.partial_ratio(*pair) for pair in told) / len(told) if told else 0.0
