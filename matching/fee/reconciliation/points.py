"""What speaks for and against a proposal, in points and in words: the one table by which certainty is reckoned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from matching.fee.money import pounds
from matching.fee.reconciliation.fact import Kind, KnownInvoice, WaitingLine

SURE: Final = 90
LIKELY: Final = 60
POSSIBLE: Final = 30
"""From how many points a proposal is each; below the last there is none."""
POINTS: Final = {
    "whole": 50,
    "other_key": 45,
    "nearly": 35,
    "some": 35,
    "exact": 30,
    "one_of_several_sums": 20,
    "part": 10,
    "over": 0,
    "payer": 15,
    "payer_before": 20,
    "other_payer": -35,
    "before_issue": -20,
    "names_others": -30,
    "settled": -25,
    "held_exact": 30,
    "held_part": 10,
    "held_named": 25,
    "says_back": 30,
}
_OLDEST: Final = timedelta(days=1)


def amount_points(
    pence: int, owed: int, reasons: list[str], doubts: list[str], *, several: bool, only: bool, together: bool
) -> int:
    """Return the points of a line’s amount against what invoices come to, in pence, and say them."""
    if together:
        reasons.append("With another line of the same payer it pays one invoice to the penny.")
        return POINTS["one_of_several_sums"]
    if pence == owed and only:
        reasons.append(f"{pounds(pence)} is exactly what {'they come to' if several else 'is owed'}.")
        return POINTS["exact"]
    if pence == owed:
        reasons.append(f"{pounds(pence)} is exactly what {'they come to' if several else 'is owed'}.")
        doubts.append("Other open invoices come to the same; these are the oldest.")
        return POINTS["one_of_several_sums"]
    if pence < owed:
        doubts.append(f"It is {pounds(owed - pence)} less than {'they come to' if several else 'is owed'}.")
        return POINTS["part"]
    doubts.append(f"It is {pounds(pence - owed)} more than {'they come to' if several else 'is owed'}.")
    return POINTS["over"]


def day_points(line: WaitingLine, invoices: Sequence[KnownInvoice], doubts: list[str]) -> int:
    """Return the points of a line’s day against the invoices’ own, and say them."""
    if line.dated_on < min(each.issued_on for each in invoices) - _OLDEST:
        doubts.append("It was paid before the invoice was issued.")
        return POINTS["before_issue"]
    return 0


def kind_of(pence: int, owed: int, invoices: int) -> Kind:
    """Return what a line makes of so many invoices that come to so much."""
    if pence > owed:
        return Kind.OVER
    if pence < owed:
        return Kind.PART
    return Kind.WHOLE if invoices == 1 else Kind.SEVERAL
