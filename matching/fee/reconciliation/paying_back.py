"""Debits that pay back what is held ahead for a payer: more than was owed, sent back by another sum than it came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from matching.fee.money import pounds
from matching.fee.reconciliation.fact import Confidence, Kind, Proposal, WaitingLine
from matching.fee.reconciliation.points import LIKELY, POINTS, POSSIBLE, SURE
from matching.fee.reconciliation.reference import Mention, words_of

_WORDS: Final = ("REFUND", "REPAY", "RETURN", "OVERPA", "PAID TWICE", "DUPLICATE", "PAID BACK", "PAYBACK")


@dataclass(frozen=True, slots=True)
class Said:
    """What a debit says: whose name it bears, under which they have paid before, and whose invoices it names."""

    line: WaitingLine
    payer_id: UUID | None
    payer_before: bool
    mentions: Mapping[UUID, Sequence[Mention]]
    """By payer."""


def paying_back(said: Said, held: Mapping[UUID, int], names: Mapping[UUID, str]) -> Proposal:
    """Return to whom a debit pays back how much is held; never sure, for money that leaves is looked at one by one.

    :param held: what is held for each payer, in pence; nobody is paid back more.
    """
    meant = {*said.mentions, *filter(None, (said.payer_id,))}
    fits = sorted(each for each in meant if 0 < -said.line.pence <= held.get(each, 0))
    scored = [_score(said, payer_id, held[payer_id], names) for payer_id in fits]
    kept = [each for each in scored if each.points >= POSSIBLE]
    return min(kept, key=lambda each: -each.points, default=Proposal(said.line.id))


def _score(said: Said, payer_id: UUID, held: int, names: Mapping[UUID, str]) -> Proposal:
    reasons, doubts, pence = [], [], -said.line.pence
    name = names.get(payer_id, "the payer")
    if pence == held:
        reasons.append(f"{pounds(pence)} is exactly what is held for {name}.")
    else:
        reasons.append(f"{pounds(held)} is held for {name}.")
    points = POINTS["held_exact" if pence == held else "held_part"]
    if any(word in f"{said.line.reference} {said.line.payer}".upper() for word in _WORDS):
        reasons.append("It says that it pays something back.")
        points += POINTS["says_back"]
    else:
        doubts.append("Nothing on it says that it pays something back.")
    if payer_id in said.mentions:
        reasons.append(f"It names {words_of(said.mentions[payer_id])}.")
        points += POINTS["held_named"]
    if said.payer_id == payer_id:
        points += POINTS["payer_before" if said.payer_before else "payer"]
        reasons.append(f"{name} has paid under this name before." if said.payer_before else f"The name is {name}’s.")
    elif said.payer_id is not None:
        points += POINTS["other_payer"]
        doubts.append("It went to another agency.")
    else:
        doubts.append("The bank’s name for who was paid is no agency’s that is known.")
    return Proposal(
        said.line.id,
        kind=Kind.PAID_BACK,
        confidence=Confidence.LIKELY if points >= LIKELY else Confidence.POSSIBLE,
        points=max(0, min(SURE - 1, points)),
        payer_id=payer_id,
        reasons=tuple(reasons),
        doubts=tuple(doubts),
    )
