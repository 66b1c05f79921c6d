"""How many bank lines of synthetic years are proposed right, and whether a wrong one is ever called sure.

Run ``python -m bench.reconciliation [--seeds 40] [--json]``. Each year is lived through month by month: proposals are
drawn from what was known then, and a person who is always right settles the lines. The rival, in the same run, takes a
line for the invoice whose number is its reference, else for the only open one of its amount.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from bench.remittance_year import Year, YearLine, facts_of, make_year
from matching.fee.reconciliation.fact import Confidence, EarlierCredit, Facts, Kind, Proposal, Share
from matching.fee.reconciliation.matcher import propose

WANTED = 0.95
"""The share of lines that is to be proposed right."""
Rule = Callable[[Facts], list[Proposal]]


@dataclass(slots=True)
class Score:
    """Lines by what was proposed for them."""

    lines: int = 0
    right: int = 0
    fee_lines: int = 0
    fee_right: int = 0
    sure: int = 0
    sure_wrong: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    of_noise: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    sure_wrong_lines: list[tuple[YearLine, Proposal]] = field(default_factory=list)
    wrong_lines: list[tuple[YearLine, Proposal]] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Add another year's."""
        for name in ("lines", "right", "fee_lines", "fee_right", "sure", "sure_wrong", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.wrong.update(other.wrong)
        self.of_noise.update(other.of_noise)
        self.sure_wrong_lines += other.sure_wrong_lines
        self.wrong_lines += other.wrong_lines


def score_year(year: Year, rule: Rule = propose) -> Score:
    """Live through a year by one rule and return what came of it."""
    score = Score()
    left = {each.id: each.outstanding for each in year.invoices}
    before: dict[str, set[UUID]] = {}
    earlier: list[EarlierCredit] = []
    for month, lines in enumerate(year.months):
        waiting = [replace(each.line, known_payers=frozenset(before.get(each.line.payer, ()))) for each in lines]
        came = [
            EarlierCredit(
                each.line.id, each.line.dated_on, each.line.pence, each.line.payer, each.line.reference, False
            )
            for each in lines
            if each.line.pence > 0
        ]
        facts = replace(facts_of(year, month, left=left, waiting=waiting), earlier=(*earlier, *came))
        start = time.perf_counter()
        proposals = rule(facts)
        score.seconds += time.perf_counter() - start
        _compare(score, lines, dict(zip((each.line.id for each in lines), proposals, strict=True)))
        earlier += came
        for each in lines:
            for share in each.shares:
                left[share.invoice_id] -= share.pence
            if each.payer_id and each.shares and each.line.payer:
                before.setdefault(each.line.payer, set()).add(each.payer_id)
            if each.undone is not None:
                # The payment came back: what it had paid is owed again, and is paid outside this year.
                continue
    return score


def rival(facts: Facts) -> list[Proposal]:
    """Return what equality alone proposes."""
    by_number = {each.number: each for each in facts.invoices if each.outstanding > 0}
    amounts = Counter(each.outstanding for each in facts.invoices)
    by_amount = {each.outstanding: each for each in facts.invoices if amounts[each.outstanding] == 1}
    found = []
    for line in facts.lines:
        invoice = by_number.get(line.reference) or by_amount.get(line.pence)
        if invoice is None or line.pence <= 0:
            found.append(Proposal(line.id))
            continue
        share = Share(invoice.id, min(line.pence, invoice.outstanding))
        sure = Confidence.SURE if line.pence == invoice.outstanding else Confidence.POSSIBLE
        found.append(Proposal(line.id, Kind.WHOLE, sure, 100, invoice.payer_id, (share,)))
    return found


def _compare(score: Score, lines: Sequence[YearLine], proposals: dict[UUID, Proposal]) -> None:
    truths = {each.line.id: each for each in lines}
    for each in lines:
        proposal = proposals[each.line.id]
        right = is_right(each, proposal)
        twin = truths.get(each.twin) if each.twin else next((t for t in lines if t.twin == each.line.id), None)
        if not right and twin is not None:
            # Of two alike either may be called the payment; the other is then the one too many.
            right = is_right(replace_truth(each, twin), proposal)
        score.lines += 1
        score.right += right
        score.of_noise[each.noise] += 1
        if each.shares or each.undone or each.twin:
            score.fee_lines += 1
            score.fee_right += right
        if not right:
            score.wrong[each.noise] += 1
            score.wrong_lines.append((each, proposal))
        if proposal.sure:
            score.sure += 1
            score.sure_wrong += not right
            if not right:
                score.sure_wrong_lines.append((each, proposal))


def is_right(truth: YearLine, proposal: Proposal) -> bool:
    """Say whether a proposal is exactly what the line pays: the same invoices, the same pence."""
    if truth.undone is not None:
        return proposal.undone_line_id == truth.undone
    return set(proposal.shares) == set(truth.shares) and proposal.undone_line_id is None


def replace_truth(one: YearLine, other: YearLine) -> YearLine:
    """Return one line with what the other pays."""
    return replace(one, shares=other.shares)


def main() -> None:
    """Score, print, and leave with 1 where the line is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="List what was proposed wrong.")
    options = parser.parse_args()
    ours, theirs = Score(), Score()
    worst = 1.0
    for seed in range(options.first, options.first + options.seeds):
        year = make_year(seed)
        score = score_year(year)
        ours.add(score)
        theirs.add(score_year(year, rival))
        worst = min(worst, score.right / score.lines)
    rows = {"concord": _row(ours) | {"worst_seed": round(worst, 4)}, "rival": _row(theirs)}
    if options.json:
        print(json.dumps({"seeds": options.seeds, **rows}))
    else:
        for name, row in rows.items():
            print(name, " ".join(f"{key}={value}" for key, value in row.items()))
        print("wrong of each kind:", {noise: f"{ours.wrong[noise]}/{all_}" for noise, all_ in ours.of_noise.items()})
    if options.wrong:
        for each, proposal in ours.wrong_lines if not ours.sure_wrong_lines else ours.sure_wrong_lines:
            print(each, proposal, sep="\n   ", end="\n\n")
    sys.exit(0 if ours.right >= WANTED * ours.lines and not ours.sure_wrong else 1)


def _row(score: Score) -> dict[str, float | int]:
    return {
        "lines": score.lines,
        "right": round(score.right / score.lines, 4),
        "right_of_fee_lines": round(score.fee_right / score.fee_lines, 4),
        "sure": round(score.sure / score.fee_lines, 4),
        "sure_wrong": score.sure_wrong,
        "seconds": round(score.seconds, 2),
    }


if __name__ == "__main__":
    main()
