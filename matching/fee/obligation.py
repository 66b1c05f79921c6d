"""What should stand in the ledger of one agreement, by its plan and what was told of it, and by nothing else.

What was invoiced stands: a credit note or a refund alone takes it back. Everything else follows the events: a part is
due on its day; a waiver, or a disruption by whose rule unpaid parts fall away, ends what was not invoiced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    moved: Mapping[str, int]
    """The pence of each part that it ends, or charges after all, by due key; of no others."""
    left: Mapping[str, int]
    """The pence of each part that is charged from then on, by due key."""
    kept: Mapping[str, int | None] = field(default_factory=dict)
    """What a waiver leaves: how many pence of which due key, or all of it."""


def expected(plan: Plan, events: Sequence[Told], invoiced: Mapping[str, int], on: date) -> list[Expected]:
    """Return every transaction that should stand on a day.

    :param events: in the order in which they were told; of two of a kind the later holds.
    :param invoiced: by due key, how many pence of each part were invoiced and not credited, where that is any.
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
    phases = _phases(plan, parts, events, last, invoiced)
    agreed = Expected(
        TransactionKind.AGREED,
        "agreed",
        sum(part.pence for part in parts),
        _agreed_on(events),
        "The whole fee, as agreed",
        signed.key,
    )
    found = [agreed, *_ended(phases), *_due(parts, phases, last, invoiced, on)]
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


def kept_by(facts: Mapping[str, Any]) -> dict[str, int | None]:
    """Return what a waiver leaves by its facts: the pence of each due key, or ``None`` for all of it."""
    return {key: facts.get("in_part", {}).get(key) for key in facts.get("kept", ())}


def _phases(
    plan: Plan,
    parts: Sequence[Instalment],
    events: Sequence[Told],
    last: Mapping[FeeEventKind, Told],
    invoiced: Mapping[str, int],
) -> list[_Phase]:
    phases: list[_Phase] = []
    signed, disrupted, fallen = last[FeeEventKind.AGREEMENT_SIGNED], _disrupted(last), False
    whole = {due_key(part.position): part.pence for part in parts}
    if plan.waived:
        phases.append(_Phase(TransactionKind.WAIVED, _agreed_on(events), signed.key, whole, dict.fromkeys(whole, 0)))
    for event in events:
        standing = phases[-1].kind if phases else TransactionKind.REVIVED
        by_rule = bool(phases) and phases[-1].event_key == signed.key
        left = phases[-1].left if phases else whole
        # What is told late does not end what came after it.
        on = max(event.happened_on, phases[-1].on) if phases else event.happened_on
        fallen, fell = fallen or event is disrupted, any(each.kind is TransactionKind.FALLEN_AWAY for each in phases)
        if event.kind is FeeEventKind.WAIVER:
            kept = kept_by(event.facts)
            after = {key: _most(pence, kept[key]) if key in kept else 0 for key, pence in left.items()}
            phases.append(_Phase(TransactionKind.WAIVED, on, event.key, _less(left, after), after, kept))
        elif standing is TransactionKind.WAIVED and not fell and _revives(event, by_rule=by_rule):
            phases.append(_Phase(TransactionKind.REVIVED, on, event.key, _less(whole, left), whole))
            if fallen and disrupted and plan.falls_away:
                # Had it been no swap, what was due by that day would have been invoiced, and stood.
                due = _due_by(disrupted.happened_on, parts, last)
                day = max(on, disrupted.happened_on)
                phases.append(_fallen(whole, invoiced, day, disrupted.key, stands=due))
        elif event is disrupted and plan.falls_away and not by_rule:
            phases.append(_fallen(left, invoiced, on, event.key))
    return phases


def _fallen(
    left: Mapping[str, int],
    invoiced: Mapping[str, int],
    on: date,
    event_key: str,
    *,
    stands: frozenset[str] = frozenset(),
) -> _Phase:
    """Return that what was not invoiced falls away, but for the parts that stand."""
    after = {key: pence if key in stands else min(pence, invoiced.get(key, 0)) for key, pence in left.items()}
    return _Phase(TransactionKind.FALLEN_AWAY, on, event_key, _less(left, after), after)


def _less(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {key: pence - after[key] for key, pence in before.items() if pence != after[key]}


def _most(pence: int, most: int | None) -> int:
    return pence if most is None else min(pence, most)


def _due_by(day: date, parts: Sequence[Instalment], last: Mapping[FeeEventKind, Told]) -> frozenset[str]:
    """Return which parts were due by a day."""
    days = {due_key(part.position): _day_of(part, last) for part in parts}
    return frozenset(key for key, due in days.items() if due and due[0] <= day)


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


def _ended(phases: Sequence[_Phase]) -> list[Expected]:
    words = {
        TransactionKind.WAIVED: "Waived: what was not invoiced",
        TransactionKind.REVIVED: "Charged after all: what was waived",
        TransactionKind.FALLEN_AWAY: "Fallen away with the placement: what was not invoiced",
    }
    return [
        Expected(
            phase.kind,
            f"{phase.kind.value}/{phase.event_key}",
            sum(phase.moved.values()),
            phase.on,
            words[phase.kind],
            phase.event_key,
        )
        for phase in phases
    ]


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
        pence = max(phases[-1].left[key] if phases else part.pence, invoiced.get(key, 0))
        if key not in invoiced:
            if day is None:
                continue
            over = next((phase for phase in reversed(phases) if key in phase.moved), None)
            if over and over.kind is TransactionKind.REVIVED and over.on > day[0]:
                day = (over.on, over.event_key)
        when, event_key = day or (on, FeeEventKind.PLACED.value)
        words = f"Part {part.position}, due {part.words}"
        found.append(Expected(TransactionKind.DUE, key, pence, when, words, event_key, due_key=key))
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
        charged = 0 if over else _charged(phases, key, day, plan.continuing_pence)
        pence = max(charged, invoiced.get(key, 0))
        words = f"Month {months} after the placement began, without an order"
        found.append(
            Expected(TransactionKind.DUE, key, pence, day, words, month_key(months), due_key=key, foreseen=False)
        )
        if day > on:
            break
    return found


def _charged(phases: Sequence[_Phase], key: str, day: date, pence: int) -> int:
    """Return what of a month's charge no phase ended."""
    since = list(takewhile(lambda phase: phase.kind is not TransactionKind.REVIVED, reversed(phases)))
    waived = [phase for phase in since if phase.kind is TransactionKind.WAIVED]
    if waived:
        return min(_most(pence, phase.kept[key]) if key in phase.kept else 0 for phase in waived)
    before = [phase for phase in phases if phase.on <= day]
    return 0 if before and before[-1].kind is not TransactionKind.REVIVED else pence


def _refund(event: Told) -> Expected:
    vat = int(event.facts.get("vat_pence", 0))
    pence, day = int(event.facts["pence"]) + vat, event.happened_on
    return Expected(TransactionKind.REFUNDED, event.key, pence, day, "Paid back", event.key, vat_pence=vat)
