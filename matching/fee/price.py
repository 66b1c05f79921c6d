"""What a placement costs by tariffs and rules over plain facts, saying in words which chose the rate and why.

Where no tariff holds, or the one that does has no figure, it refuses to price and says what to do: a figure is never
worked out from another year's, another agency's or another number of children's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from matching.fee.instalment import Instalment, split
from matching.fee.money import say_pounds
from matching.fee.rule import CountsFrom, FeeRules, Pricing
from matching.fee.tariff import PayeeKind, PublishedTariff, in_force
from tenants.agency import Nation


@dataclass(frozen=True, slots=True)
class Payee:
    """What of whoever is paid a tariff asks for."""

    name: str
    kind: PayeeKind
    nation: Nation
    london: bool


@dataclass(frozen=True, slots=True)
class Price:
    """What a placement costs; without an amount it has a refusal, which says why and what to do."""

    words: str
    pence: int | None = None
    tariff_id: UUID | None = None
    plan: tuple[Instalment, ...] = ()
    continuing_pence: int | None = None
    continuing_after_months: int | None = None
    refusal: str | None = None


def price(
    tariffs: Iterable[PublishedTariff], rules: FeeRules, payee: Payee, *, children: int, on: date, expected: bool
) -> Price:
    """Return what placing so many children on a day costs.

    :param expected: the day has not come: the words say that the rate of the day itself will count.
    """
    holding = [each for each in tariffs if in_force(each.terms, on) and is_for(each, rules, payee)]
    when = _when(rules, on, expected=expected)
    whose = _whose(rules, payee)
    if not holding:
        refusal = (
            f"No tariff of {whose} holds on {_day(on)}. Ask the consortium’s office to add it with its source, "
            "or agree the fee between the two agencies."
        )
        return Price(f"{when} No tariff of {whose} holds on that day.", refusal=refusal)
    # Rates of London's own before a supplement; the payee's own kind before one for any.
    best = min(holding, key=lambda each: (not each.terms.london, each.terms.payee_kind is PayeeKind.ANY))
    terms = best.terms
    said = f"{when} That day is in “{terms.name}” ({_period(best)}), the tariff of {whose}."
    pence = terms.rates.get(children)
    of = f"{children} child{'' if children == 1 else 'ren'} placed together"
    if pence is None:
        refusal = (
            f"“{terms.name}” has no figure for {of}, and no figure is made up from others. Ask the consortium’s office "
            "whether one has been published, or agree the fee between the two agencies."
        )
        return Price(f"{said} It has no figure for {of}.", tariff_id=None, refusal=refusal)
    said += f" For {of}: {say_pounds(pence)}."
    if payee.london and not terms.london and rules.pricing is Pricing.TARIFF:
        if terms.london_percent is None:
            refusal = (
                f"{payee.name} is in London, and “{terms.name}” doesn’t say what is paid there. Ask the consortium’s "
                "office to add it, or agree the fee between the two agencies."
            )
            return Price(f"{said} {payee.name} is in London, for which it has no figure.", refusal=refusal)
        pence = with_percent(pence, terms.london_percent)
        said += (
            f" {payee.name} is in London, which the tariff pays {terms.london_percent} per cent more: "
            f"{say_pounds(pence)}."
        )
    return Price(
        words=said,
        pence=pence,
        tariff_id=best.id,
        plan=split(pence, terms.shares),
        continuing_pence=terms.continuing_pence,
        continuing_after_months=terms.continuing_after_months,
    )


def with_percent(pence: int, percent: int) -> int:
    """Return an amount and so many per cent on top, to the nearest penny, a half up."""
    return (pence * (100 + percent) + 50) // 100


def is_for(tariff: PublishedTariff, rules: FeeRules, payee: Payee) -> bool:
    """Say whether a payee is paid by a tariff."""
    terms = tariff.terms
    if terms.nation is not None and terms.nation is not payee.nation:
        return False
    if terms.london and not payee.london:
        return False
    if rules.pricing is Pricing.STANDARD:
        return terms.payee_kind is PayeeKind.STANDARD
    return terms.payee_kind in (payee.kind, PayeeKind.ANY)


def _whose(rules: FeeRules, payee: Payee) -> str:
    if rules.pricing is Pricing.STANDARD:
        return "the consortium’s standard fee"
    kind = "voluntary agencies" if payee.kind is PayeeKind.VOLUNTARY else "councils and regional agencies"
    return f"{kind} in {say_nation(payee.nation)}"


def say_nation(nation: Nation) -> str:
    """Return a nation's name."""
    return nation.value.replace("_", " ").title()


def _when(rules: FeeRules, on: date, *, expected: bool) -> str:
    what = "the day the placement for adoption begins"
    if rules.counts_from is CountsFrom.MOVING_IN:
        what = "the day the children move in, as fostered first"
    day = f"expected on {_day(on)}" if expected else f"{_day(on)}"
    return f"The rate is that of {what}: {day}."


def _period(tariff: PublishedTariff) -> str:
    begins, ends = tariff.terms.begins_on, tariff.terms.ends_on
    return f"{_day(begins)} to {_day(ends)}" if ends else f"since {_day(begins)}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
