"""What should stand in the ledger of one agreement, by its plan and what was told of it, and by nothing else.

What was invoiced stands: a credit note or a refund alone takes it back. Everything else follows the events: a part is
due on its day; a waiver, or a disruption by whose rule unpaid parts fall away, ends what was not invoiced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import count, takewhile
from typing import Any

from matching.fee.event import FeeEventKind
from matching.fee.instalment import Due, Instalment
from matching.fee.ledger.kind import TransactionKind
from matching.working_day import add_months

CHARGED = "charged"
_MOST_MONTHS = 1200
_MONTHLY = "due/month-"
"""How the keys of what each further month costs begin: no part of what was agreed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What of an agreement moves money."""

    instalments: tuple[Instalment, ...]
    waived: bool = False
    """A swap group's rule made it a swap, from the start."""
    withdrawn: bool = False
    continuing_pence: int | None = None
    """What each further month costs after ``continuing_after_months`` without an order."""
    continuing_after_months: int | None = None
    falls_away: bool = True
    """What becomes of unpaid parts when a placement disrupts before the order."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it was told."""

    kind: FeeEventKind
    key: str
    happened_on: date
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """A transaction that should stand."""

    kind: TransactionKind
    key: str
    """What makes it one among the agreement's."""
    pence: int
    dated_on: date
    words: str
    event_key: str
    """The event behind it."""
    due_key: str | None = None
    foreseen: bool = True
    vat_pence: int = 0
    """What of ``pence`` is VAT."""


@dataclass(frozen=True, slots=True)
class _Phase:
    """From when on the parts not invoiced are waived, charged after all, or fallen away."""

    kind: TransactionKind
    on: date
    event_key: str
    kept: frozenset[str] = frozenset()
    """What it leaves as it is, by due key."""
    about: frozenset[str] | None = None
    """Of which parts alone it is; ``None`` of all."""

    def is_of(self, key: str) -> bool:
        """Say whether it changed what becomes of a part that is not invoiced."""
        return key not in self.kept and (self.about is None or key in self.about)


def expected(plan: Plan, events: Sequence[Told], invoiced: Mapping[str, int], on: date) -> list[Expected]:
    """Return every transaction that should stand on a day.

    :param events: in the order in which they were told; of two of a kind the later holds.
    :param invoiced: by due key, the pence of each part that was invoiced in whole or in part.
    """
    last = {event.kind: event for event in events}
    signed = last.get(FeeEventKind.AGREEMENT_SIGNED)
    if signed is None or plan.withdrawn or FeeEventKind.WITHDRAWN in last:
        return []
    parts = tuple(
        # More was agreed since than was invoiced: the rest is due. Less takes a credit note.
        replace(part, pence=max(invoiced.get(due_key(part.position), 0), part.pence))
        for part in _amended(plan, events)
    )
    phases = _phases(plan, parts, events, last)
    agreed = Expected(
        TransactionKind.AGREED,
        "agreed",
        sum(part.pence for part in parts),
        _agreed_on(events),
        "The whole fee, as agreed",
        signed.key,
    )
    found = [agreed, *_ended(parts, phases, invoiced), *_due(parts, phases, last, invoiced, on)]
    found += _continuing(plan, phases, last, invoiced, on)
    found += [_refund(event) for event in events if event.kind is FeeEventKind.REFUND]
    return [each for each in found if each.pence > 0 and each.dated_on <= on]


def _agreed_on(events: Sequence[Told]) -> date:
    """Return the day of signing, or of what came before it: no month is to show less agreed than has fallen due."""
    return min(event.happened_on for event in events)


def due_key(position: int | str) -> str:
    """Return the name of a part of a fee in the ledger."""
    return f"due/{position}"


def month_key(months: int) -> str:
    """Return the name of the event that so many months have passed since the placement began."""
    return f"months/{months}"


def months_passed(plan: Plan, events: Sequence[Told], on: date) -> list[tuple[int, date]]:
    """Return the months after the placement on which something falls due by time alone, with the day, until a day."""
    foreseen = expected(plan, events, {}, on)
    keys = {each.event_key: each.dated_on for each in foreseen if each.event_key.startswith("months/")}
    return sorted((int(key.removeprefix("months/")), day) for key, day in keys.items())


def _amended(plan: Plan, events: Sequence[Told]) -> tuple[Instalment, ...]:
    """Return the parts, with the amounts of the last override or addendum: what was invoiced by then stood."""
    amounts: Mapping[str, int] = {}
    for event in events:
        if event.kind in (FeeEventKind.OVERRIDE, FeeEventKind.ADDENDUM):
            amounts = event.facts.get("amounts", {})
    return tuple(replace(part, pence=amounts.get(str(part.position), part.pence)) for part in plan.instalments)


def _phases(
    plan: Plan, parts: Sequence[Instalment], events: Sequence[Told], last: Mapping[FeeEventKind, Told]
) -> list[_Phase]:
    phases: list[_Phase] = []
    signed, disrupted, fallen = last[FeeEventKind.AGREEMENT_SIGNED], _disrupted(last), False
    if plan.waived:
        phases.append(_Phase(TransactionKind.WAIVED, _agreed_on(events), signed.key))
    for event in events:
        standing = phases[-1].kind if phases else TransactionKind.REVIVED
        by_rule = bool(phases) and phases[-1].event_key == signed.key
        # What the phase before left as it was.
        about = None if standing is TransactionKind.REVIVED else phases[-1].kept
        # What is told late does not end what came after it.
        on = max(event.happened_on, phases[-1].on) if phases else event.happened_on
        fallen, fell = fallen or event is disrupted, any(each.kind is TransactionKind.FALLEN_AWAY for each in phases)
        if event.kind is FeeEventKind.WAIVER:
            kept = frozenset(
                key for key in event.facts.get("kept", ()) if about is None or key in about or key.startswith(_MONTHLY)
            )
            phases.append(_Phase(TransactionKind.WAIVED, on, event.key, kept, about))
        elif standing is TransactionKind.WAIVED and not fell and _revives(event, by_rule=by_rule):
            phases.append(_Phase(TransactionKind.REVIVED, on, event.key, phases[-1].kept))
            if fallen and disrupted and plan.falls_away:
                phases.append(_charged_until(disrupted, parts, last, on=on))
        elif event is disrupted and plan.falls_away and not by_rule:
            phases.append(_Phase(TransactionKind.FALLEN_AWAY, on, event.key, about=about))
    return phases


def _charged_until(
    disrupted: Told, parts: Sequence[Instalment], last: Mapping[FeeEventKind, Told], *, on: date
) -> _Phase:
    """Return what falls away of a fee that is charged after all since its placement disrupted: what wasn't due then.

    Had it been no swap, what was due by that day would have been invoiced, and stood.
    """
    days = {due_key(part.position): _day_of(part, last) for part in parts}
    due = frozenset(key for key, day in days.items() if day and day[0] <= disrupted.happened_on)
    return _Phase(TransactionKind.FALLEN_AWAY, max(on, disrupted.happened_on), disrupted.key, due)


def _revives(event: Told, *, by_rule: bool) -> bool:
    """Say whether an event charges after all what was waived: by the rule alone, or by two people.

    What two people waived stands whatever becomes of a swap, until two people agree another fee.
    """
    charged = event.kind is FeeEventKind.LEG_FALLEN and event.facts.get("rule") == CHARGED
    fallen = charged or event.kind is FeeEventKind.LEG_UNBALANCED
    return event.kind is FeeEventKind.OVERRIDE or (by_rule and fallen)


def _disrupted(last: Mapping[FeeEventKind, Told]) -> Told | None:
    """Return the disruption, unless an order was made before it: then the fee is earned."""
    event, ordered = last.get(FeeEventKind.DISRUPTED), last.get(FeeEventKind.ORDERED)
    return None if event and ordered and ordered.happened_on <= event.happened_on else event


def _ended(parts: Sequence[Instalment], phases: Sequence[_Phase], invoiced: Mapping[str, int]) -> list[Expected]:
    words = {
        TransactionKind.WAIVED: "Waived: what was not invoiced",
        TransactionKind.REVIVED: "Charged after all: what was waived",
        TransactionKind.FALLEN_AWAY: "Fallen away with the placement: what was not invoiced",
    }
    found = []
    for phase in phases:
        kept = phase.kept | (invoiced.keys() if phase.kind is TransactionKind.FALLEN_AWAY else frozenset())
        keys = {due_key(part.position): part.pence for part in parts}
        pence = sum(part for each, part in keys.items() if each not in kept and phase.is_of(each))
        key = f"{phase.kind.value}/{phase.event_key}"
        found.append(Expected(phase.kind, key, pence, phase.on, words[phase.kind], phase.event_key))
    return found


def _due(
    parts: Sequence[Instalment],
    phases: Sequence[_Phase],
    last: Mapping[FeeEventKind, Told],
    invoiced: Mapping[str, int],
    on: date,
) -> list[Expected]:
    found = []
    for part in parts:
        key, day = due_key(part.position), _day_of(part, last)
        if key not in invoiced:
            over = next((phase for phase in reversed(phases) if phase.is_of(key)), None)
            if day is None or (over and over.kind is not TransactionKind.REVIVED):
                continue
            if over and over.on > day[0]:
                day = (over.on, over.event_key)
        when, event_key = day or (on, FeeEventKind.PLACED.value)
        words = f"Part {part.position}, due {part.words}"
        found.append(Expected(TransactionKind.DUE, key, part.pence, when, words, event_key, due_key=key))
    return found


def _day_of(part: Instalment, last: Mapping[FeeEventKind, Told]) -> tuple[date, str] | None:
    """Return the day on which a part is due by what is known, and the event that makes it so."""
    placed, ordered = last.get(FeeEventKind.PLACED), last.get(FeeEventKind.ORDERED)
    days = []
    if part.due is Due.PLACEMENT and placed:
        days.append((placed.happened_on, placed.key))
    if part.due in (Due.ORDER, Due.ORDER_OR_MONTHS) and ordered:
        days.append((ordered.happened_on, ordered.key))
    if part.months is not None and placed:
        days.append((add_months(placed.happened_on, part.months), month_key(part.months)))
    return min(days, default=None)


def _continuing(
    plan: Plan, phases: Sequence[_Phase], last: Mapping[FeeEventKind, Told], invoiced: Mapping[str, int], on: date
) -> list[Expected]:
    """Return the charge of each month that has passed without an order since the first so many.

    None is made for a month that ends on the day of the order, nor for one that a disruption cut short.
    """
    placed, ordered, disrupted = last.get(FeeEventKind.PLACED), last.get(FeeEventKind.ORDERED), _disrupted(last)
    if placed is None or plan.continuing_pence is None or plan.continuing_after_months is None:
        return []
    found = []
    for number in count(1):
        months = plan.continuing_after_months + number
        day, key = add_months(placed.happened_on, months), due_key(f"month-{months}")
        over = day > on or (ordered and day >= ordered.happened_on) or (disrupted and day > disrupted.happened_on)
        if (over and not any(each.startswith(_MONTHLY) for each in invoiced)) or number > _MOST_MONTHS:
            break
        if key in invoiced or not (over or _waived(phases, key, day)):
            pence = invoiced.get(key, plan.continuing_pence)
            words = f"Month {months} after the placement began, without an order"
            due = Expected(TransactionKind.DUE, key, pence, day, words, month_key(months), due_key=key, foreseen=False)
            found.append(due)
        if day > on:
            break
    return found


def _waived(phases: Sequence[_Phase], key: str, day: date) -> bool:
    since = list(takewhile(lambda phase: phase.kind is not TransactionKind.REVIVED, reversed(phases)))
    waived = [phase for phase in since if phase.kind is TransactionKind.WAIVED]
    if waived:
        return any(key not in phase.kept for phase in waived)
    before = [phase for phase in phases if phase.on <= day]
    return bool(before) and before[-1].kind is not TransactionKind.REVIVED


def _refund(event: Told) -> Expected:
    vat = int(event.facts.get("vat_pence", 0))
    pence, day = int(event.facts["pence"]) + vat, event.happened_on
    return Expected(TransactionKind.REFUNDED, event.key, pence, day, "Paid back", event.key, vat_pence=vat)
