"""Proposals for bank lines: what each most likely pays, how certain that is, and why.

A proposal's points are the sum of what speaks for it and against it (``POINTS``), from 0 to 100, and every summand is
said in words. Points alone never make one sure: above that line lies only what is written whole, adds up to the penny,
comes from whoever owes it, and can be taken for nothing else. Lines are served in the order of how certain they are, so
that a vague one never takes an invoice from a clear one; what one line pays, the next no longer finds open.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from matching.fee.reconciliation.fact import Confidence, Facts, Kind, KnownInvoice, Proposal, Share, WaitingLine
from matching.fee.reconciliation.payer_name import find_payer
from matching.fee.reconciliation.paying_back import Said, paying_back
from matching.fee.reconciliation.points import LIKELY, POINTS, POSSIBLE, SURE, amount_points, day_points, kind_of
from matching.fee.reconciliation.reference import How, KeyBook, Mention, words_of
from matching.fee.reconciliation.subset import find_sum
from matching.fee.reconciliation.undoing import undoing

_SAYS_NOTHING: Final = ("Neither the reference nor the name says what it is.",)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a line says: the invoices that it names and who pays."""

    line: WaitingLine
    mentions: dict[UUID, Mention]
    payer_id: UUID | None
    payer_before: bool


@dataclass(frozen=True, slots=True)
class _Choice:
    """Invoices that a line may pay; ``only`` says that no other choice adds up to it."""

    invoices: tuple[KnownInvoice, ...]
    only: bool = True
    together: bool = False


def propose(facts: Facts) -> list[Proposal]:
    """Return a proposal for each line, in the lines' order; one of ``Kind.NOTHING`` where nothing is found."""
    matcher = _Matcher(facts)
    found = matcher.credits([line for line in facts.lines if line.pence > 0])
    debits = [line for line in facts.lines if line.pence < 0]
    undone = {line.id: undoing(line, facts.earlier) for line in debits}
    found |= undone | matcher.paid_back(debits, undone)
    for line in debits:
        credit_id = found[line.id].undone_line_id
        if credit_id in found:
            found[credit_id] = _doubted(found[credit_id], line)
    return [found[line.id] for line in facts.lines]


class _Matcher:
    """The facts, looked up in the ways that proposals need, and what is still open of each invoice."""

    def __init__(self, facts: Facts) -> None:
        self._payers = {payer.id: payer for payer in facts.payers}
        self._invoices = {each.id: each for each in facts.invoices}
        self._left = {each.id: each.outstanding for each in facts.invoices}
        self._book = KeyBook(facts.invoices)
        self._open: dict[UUID, list[KnownInvoice]] = defaultdict(list)
        self._of_sum: dict[int, list[KnownInvoice]] = defaultdict(list)
        for invoice in sorted(facts.invoices, key=lambda each: (each.due_on, each.number, each.id)):
            if invoice.outstanding > 0:
                self._open[invoice.payer_id].append(invoice)
                self._of_sum[invoice.outstanding].append(invoice)
        self._waiting: dict[tuple[UUID | None, int], dict[UUID, WaitingLine]] = defaultdict(dict)
        self._held = facts.held
        self._names: dict[str, UUID | None] = {}
        self._named_by: Counter[UUID] = Counter()

    def credits(self, lines: Sequence[WaitingLine]) -> dict[UUID, Proposal]:
        """Return a proposal for each credit, the most certain served first."""
        readings = {line.id: self._read(line) for line in lines}
        for reading in readings.values():
            self._named_by.update(each for each, mention in reading.mentions.items() if mention.whole)
            self._waiting[reading.payer_id, reading.line.pence][reading.line.id] = reading.line
        waiting = {line.id: line for line in lines}
        queue: list[tuple[int, int, str, Proposal]] = []
        for line in lines:
            _push(queue, line, self._best(readings[line.id]))
        found: dict[UUID, Proposal] = {}
        while queue:
            _, _, _, proposal = heapq.heappop(queue)
            line = waiting[proposal.line_id]
            reading = readings[line.id]
            fresh = self._best(reading)
            if fresh.points < proposal.points:
                # Somebody more certain has taken what it counted on.
                _push(queue, line, fresh)
                continue
            for share in fresh.shares:
                self._take(self._invoices[share.invoice_id], share.pence)
            found[line.id] = fresh
            del self._waiting[reading.payer_id, line.pence][line.id]
        return found

    def paid_back(self, debits: Sequence[WaitingLine], undone: Mapping[UUID, Proposal]) -> dict[UUID, Proposal]:
        """Return a proposal for each debit that rather pays back what is held, the most certain first."""
        if not self._held:
            return {}
        said = [self._said(line) for line in debits]
        names, left = {each.id: each.names[0] for each in self._payers.values()}, dict(self._held)
        first = {each.line.id: paying_back(each, left, names).points for each in said}
        found: dict[UUID, Proposal] = {}
        for each in sorted(said, key=lambda one: (-first[one.line.id], one.line.dated_on, str(one.line.id))):
            proposal = paying_back(each, left, names)
            if proposal.payer_id is not None and proposal.points > undone[each.line.id].points:
                left[proposal.payer_id] += each.line.pence
                found[each.line.id] = proposal
        return found

    def _take(self, invoice: KnownInvoice, pence: int) -> None:
        self._of_sum[self._left[invoice.id]].remove(invoice)
        self._left[invoice.id] -= pence
        if self._left[invoice.id] > 0:
            self._of_sum[self._left[invoice.id]].append(invoice)
        else:
            self._open[invoice.payer_id].remove(invoice)

    # ── what a line says ──

    def _said(self, line: WaitingLine) -> Said:
        reading = self._read(line)
        mentions: dict[UUID, list[Mention]] = defaultdict(list)
        for invoice_id, mention in reading.mentions.items():
            if mention.whole:
                mentions[self._invoices[invoice_id].payer_id].append(mention)
        return Said(line, reading.payer_id, reading.payer_before, mentions)

    def _read(self, line: WaitingLine) -> _Reading:
        if line.payer not in self._names:
            self._names[line.payer] = find_payer(line.payer, tuple(self._payers.values()))
        before = line.known_payers & self._payers.keys()
        payer_id = next(iter(before)) if len(before) == 1 else self._names[line.payer]
        mentions = self._book.mentions(f"{line.reference} {line.payer}")
        if payer_id is None and not line.payer:
            # Many exports have one column for name and reference together.
            payer_id = find_payer(_letters(line.reference), tuple(self._payers.values()))
        for each in [each for each, mention in mentions.items() if mention.how is How.NUMBER]:
            for near in self._meant_instead(self._invoices[each], payer_id, line.pence):
                mentions.setdefault(near.id, Mention(How.SLIP, f"{near.words}, but for one slip"))
        return _Reading(line, mentions, payer_id, len(before) == 1)

    def _meant_instead(self, named: KnownInvoice, payer_id: UUID | None, pence: int) -> list[KnownInvoice]:
        """Return what may be meant by a number that is another invoice's: the payer's own, for exactly this amount.

        A settled invoice of the same payer for the same amount is more likely paid twice than mistyped.
        """
        fits = named.payer_id == payer_id and pence in (named.outstanding, named.outstanding or named.gross)
        if payer_id is None or fits:
            return []
        near = [self._invoices[each] for each in sorted(self._book.neighbours(named.number))]
        return [each for each in near if each.payer_id == payer_id and each.outstanding == pence]

    # ── what it may pay ──

    def _best(self, reading: _Reading) -> Proposal:
        if reading.payer_id is None and not reading.mentions and not self._of_sum.get(reading.line.pence):
            # Most of what a bank lists says nothing about fees at all.
            return Proposal(reading.line.id, doubts=_SAYS_NOTHING)
        choices = [*self._named_choices(reading), *self._sum_choices(reading)]
        if not any(choice.only for choice in choices) and not self._open_named(reading):
            choices += self._together(reading)
        scored = [self._score(reading, choice) for choice in choices]
        kept = [each for each in scored if each.points >= POSSIBLE]
        if not kept:
            return Proposal(reading.line.id, doubts=tuple(self._why_nothing(reading)))
        return min(kept, key=lambda each: (-each.points, len(each.shares), self._age(each)))

    def _named_choices(self, reading: _Reading) -> list[_Choice]:
        """Return the invoices that the line names: all of them, the clear ones, or those that add up to it."""
        named = self._open_named(reading)
        if not named:
            return []
        clearest = [each for each in named if reading.mentions[each.id].how is How.NUMBER]
        whole = [each for each in named if reading.mentions[each.id].whole]
        choices = [_Choice(tuple(each)) for each in (clearest, whole) if each and self._of_one_payer(each)]
        choices += [_Choice((each,)) for each in named]
        choices += self._adding_up(named, reading.line.pence)
        for certain in (clearest, whole):
            choices += self._topped_up(reading, certain)
        return choices

    def _topped_up(self, reading: _Reading, certain: list[KnownInvoice]) -> list[_Choice]:
        """Return what is named and what else of the same payer makes up the rest: references that were cut off."""
        left = reading.line.pence - sum(self._left[each.id] for each in certain)
        if not certain or left <= 0 or not self._of_one_payer(certain):
            return []
        others = [each for each in self._open[certain[0].payer_id] if each not in certain]
        hinted = [each for each in others if each.id in reading.mentions]
        for pool in (hinted, others):
            found = find_sum([self._left[each.id] for each in pool], left)
            if found is not None:
                return [_Choice((*certain, *(pool[place] for place in found.places)), only=found.only)]
        return []

    def _sum_choices(self, reading: _Reading) -> list[_Choice]:
        """Return what of the payer's open invoices adds up to the line, or of anybody's where one alone does."""
        if reading.payer_id is not None:
            return self._adding_up(self._open[reading.payer_id], reading.line.pence)
        if reading.mentions:
            return []
        exact = self._of_sum.get(reading.line.pence, [])
        return [_Choice(tuple(exact))] if len(exact) == 1 else []

    def _adding_up(self, invoices: Sequence[KnownInvoice], pence: int) -> list[_Choice]:
        exact = [each for each in invoices if self._left[each.id] == pence]
        if exact:
            return [_Choice((exact[0],), only=len(exact) == 1)]
        found = find_sum([self._left[each.id] for each in invoices], pence)
        return [] if found is None else [_Choice(tuple(invoices[place] for place in found.places), only=found.only)]

    def _together(self, reading: _Reading) -> list[_Choice]:
        """Return the invoice that this and another line of the same payer pay between them."""
        if reading.payer_id is None:
            return []
        made = [each for each in self._open[reading.payer_id] if self._has_rest(reading, self._left[each.id])]
        return [_Choice((made[0],), only=len(made) == 1, together=True)] if made else []

    def _has_rest(self, reading: _Reading, owed: int) -> bool:
        """Say whether another line of the same payer, of about the same time, is what this one leaves of a sum."""
        line = reading.line
        others = self._waiting.get((reading.payer_id, owed - line.pence), {}).values()
        return any(each.id != line.id and abs(each.dated_on - line.dated_on) <= timedelta(days=45) for each in others)

    # ── how certain that is ──

    def _score(self, reading: _Reading, choice: _Choice) -> Proposal:
        invoices, line = choice.invoices, reading.line
        owed = sum(self._left[each.id] for each in invoices)
        reasons: list[str] = []
        doubts: list[str] = []
        points = self._reference_points(reading, invoices, reasons, doubts)
        points += amount_points(
            line.pence,
            owed,
            reasons,
            doubts,
            several=len(invoices) > 1,
            only=choice.only,
            together=choice.together,
        )
        points += self._payer_points(reading, invoices, reasons, doubts)
        points += day_points(line, invoices, doubts)
        kind = kind_of(line.pence, owed, len(invoices))
        sure = kind in (Kind.WHOLE, Kind.SEVERAL) and points >= SURE and self._beyond_doubt(reading, choice, doubts)
        points = max(0, min(100, points if sure else min(points, SURE - 1)))
        return Proposal(
            line.id,
            kind=kind,
            confidence=Confidence.SURE if sure else Confidence.LIKELY if points >= LIKELY else Confidence.POSSIBLE,
            points=points,
            payer_id=invoices[0].payer_id,
            shares=tuple(self._shares(line.pence, invoices)),
            over=max(0, line.pence - owed),
            reasons=tuple(reasons),
            doubts=tuple(doubts),
        )

    def _reference_points(
        self, reading: _Reading, invoices: Sequence[KnownInvoice], reasons: list[str], doubts: list[str]
    ) -> int:
        said = [reading.mentions[each.id] for each in invoices if each.id in reading.mentions]
        points = 0
        if said:
            reasons.append(f"It names {words_of(said)}.")
        if len(said) == len(invoices):
            least = min(mention.how for mention in said)
            points = POINTS["whole" if least is How.NUMBER else "other_key" if least is How.OTHER_KEY else "nearly"]
        elif said:
            points = POINTS["some"]
            doubts.append("Not every one of these invoices is named.")
        else:
            doubts.append("It names none of these invoices.")
        others = [
            self._invoices[each]
            for each, mention in sorted(reading.mentions.items())
            if mention.how is How.NUMBER and self._invoices[each] not in invoices
        ]
        if any(self._left[each.id] > 0 for each in others):
            points += POINTS["names_others"]
            doubts.append("It names other open invoices too.")
        elif others and not any(mention.whole for mention in said):
            points += POINTS["settled"]
            doubts.append(_taken(others[0]))
        return points

    def _payer_points(
        self, reading: _Reading, invoices: Sequence[KnownInvoice], reasons: list[str], doubts: list[str]
    ) -> int:
        owing = self._payers.get(invoices[0].payer_id)
        name = owing.names[0] if owing else "the payer"
        if reading.payer_id is None:
            doubts.append("The bank’s name for who paid is no agency’s that is known.")
            return 0
        if reading.payer_id != invoices[0].payer_id:
            doubts.append(f"{self._payers[reading.payer_id].names[0]} paid it, and {name} owes it.")
            return POINTS["other_payer"]
        if reading.payer_before:
            reasons.append(f"{name} has paid under this name before.")
            return POINTS["payer_before"]
        reasons.append(f"The bank’s name for who paid is {name}’s.")
        return POINTS["payer"]

    def _beyond_doubt(self, reading: _Reading, choice: _Choice, doubts: list[str]) -> bool:
        """Say whether nothing else can be meant; what else can be is added to the doubts."""
        before = len(doubts)
        named = [reading.mentions.get(each.id) for each in choice.invoices]
        if reading.payer_id != choice.invoices[0].payer_id or not all(each and each.whole for each in named):
            return False
        for invoice in choice.invoices:
            mention = reading.mentions[invoice.id]
            if self._named_by[invoice.id] > 1:
                doubts.append(f"Another line names {invoice.words} too.")
            if len(mention.keys) < 2 and self._has_twin(invoice, choice):
                doubts.append(f"Another invoice’s number is one slip from {invoice.number}, for the same amount.")
            if mention.how is How.OTHER_KEY and self._shares_key(reading, invoice, choice):
                doubts.append("Another open invoice has the same agreement or purchase order.")
        return len(doubts) == before

    def _has_twin(self, invoice: KnownInvoice, choice: _Choice) -> bool:
        return any(
            self._invoices[each].outstanding == invoice.outstanding
            and self._invoices[each].payer_id == invoice.payer_id
            and self._invoices[each] not in choice.invoices
            for each in self._book.neighbours(invoice.number)
        )

    def _shares_key(self, reading: _Reading, invoice: KnownInvoice, choice: _Choice) -> bool:
        keys = reading.mentions[invoice.id].keys
        return any(
            mention.keys & keys and self._invoices[each].outstanding > 0 and self._invoices[each] not in choice.invoices
            for each, mention in reading.mentions.items()
        )

    # ── looking things up ──

    def _open_named(self, reading: _Reading) -> list[KnownInvoice]:
        named = [self._invoices[each] for each in reading.mentions if self._left[each] > 0]
        return sorted(named, key=lambda each: (each.due_on, each.number, each.id))

    def _of_one_payer(self, invoices: Sequence[KnownInvoice]) -> bool:
        return len({each.payer_id for each in invoices}) == 1

    def _shares(self, pence: int, invoices: Sequence[KnownInvoice]) -> Iterable[Share]:
        for invoice in invoices:
            share = min(pence, self._left[invoice.id])
            pence -= share
            if share > 0:
                yield Share(invoice.id, share)

    def _age(self, proposal: Proposal) -> tuple[object, ...]:
        invoice = self._invoices[proposal.shares[0].invoice_id]
        return invoice.due_on, invoice.number, str(invoice.id)

    def _why_nothing(self, reading: _Reading) -> Iterable[str]:
        settled = [self._invoices[each] for each, mention in reading.mentions.items() if mention.how is How.NUMBER]
        if settled:
            yield _taken(settled[0])
        elif reading.payer_id is None:
            yield from _SAYS_NOTHING
        else:
            yield f"{self._payers[reading.payer_id].names[0]} paid it, and nothing open adds up to it."


def _taken(invoice: KnownInvoice) -> str:
    """Say of an invoice that a line names, and of which nothing is left for it, what became of the rest."""
    what = "another line seems to pay" if invoice.outstanding > 0 else "is settled already"
    return f"It names {invoice.words}, which {what}: it may be paid twice."


def _doubted(proposal: Proposal, debit: WaitingLine) -> Proposal:
    """Return a credit's proposal once a debit seems to take it back: nothing of that is sure."""
    doubts = (*proposal.doubts, f"A debit of {debit.dated_on:%d/%m/%Y} seems to take it back.")
    certain = Confidence.LIKELY if proposal.sure else proposal.confidence
    return replace(proposal, confidence=certain, points=min(proposal.points, SURE - 1), doubts=doubts)


def _push(queue: list[tuple[int, int, str, Proposal]], line: WaitingLine, proposal: Proposal) -> None:
    heapq.heappush(queue, (-proposal.points, line.dated_on.toordinal(), str(line.id), proposal))


def _letters(text: str) -> str:
    return " ".join(word for word in text.split() if not any(letter.isdigit() for letter in word))
