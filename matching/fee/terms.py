"""What an agreement comes to on a day: the price by tariffs and rules, and whether a swap leaves nothing to pay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.instalment import Share
from matching.fee.price import Payee, Price, is_for, price
from matching.fee.published import published
from matching.fee.rule import CountsFrom, FeeRules, read_rules
from matching.fee.tariff import PublishedTariff, in_london, kind_of, read_tariffs
from matching.fee.waiver import Waived, find_waiver
from matching.placement.placement import Placement, list_placed_children
from tenants.agency import get_agency
from tenants.database import scope_of
from tenants.permission import Verb, require


@dataclass(frozen=True, slots=True)
class Terms:
    """What a placement costs on a day, by which rules, and whether anything is paid."""

    on: date
    children: int
    rules: FeeRules
    price: Price
    waiver: Waived


def terms_of(session: Session, placement: Placement, *, today: date) -> Terms:
    """Return what a placement costs: on the day from which it counts, or as things stand before that day."""
    # Which rules hold is settled by the day as well; which day that is, by the rules.
    rules = read_rules(session, published().rules, on=_day(placement, CountsFrom.ADOPTIVE_START) or today)
    begun = placement.adoptive_start_on is not None
    on = (_day(placement, rules.counts_from) if begun else None) or placement.moving_in_on or today
    children = list_placed_children(session, [placement.link_id])[placement.link_id]
    return Terms(
        on=on,
        children=max(1, len(children)),
        rules=rules,
        price=price_on(session, placement, rules, children=max(1, len(children)), on=on, expected=not begun),
        waiver=find_waiver(session, placement, children, rules, on=on),
    )


def price_on(
    session: Session, placement: Placement, rules: FeeRules, *, children: int, on: date, expected: bool
) -> Price:
    """Return what placing so many children with the placement's family costs on a day."""
    payee = _payee(session, placement.household_agency_id)
    return price(read_tariffs(session, on=on), rules, payee, children=children, on=on, expected=expected)


def list_plans(session: Session, agreement: FeeAgreement, *, today: date) -> list[PublishedTariff]:
    """Return the tariffs as which a fee that the two agencies state may be paid: those of the payee on its day."""
    require(scope_of(session), Verb.READ_FEES)
    on = agreement.placed_on or today
    rules, payee = read_rules(session, published().rules, on=on), _payee(session, agreement.payee_agency_id)
    return [each for each in read_tariffs(session, on=on) if is_for(each, rules, payee)]


def take_terms(agreement: FeeAgreement, terms: Terms) -> None:
    """Write a price and a waiver into an agreement, with the words of both."""
    found = terms.price
    agreement.children = terms.children
    agreement.tariff_id, agreement.rate_words = found.tariff_id, found.words
    agreement.amount_pence, agreement.refusal, agreement.stated = found.pence, found.refusal, False
    agreement.plan = [each.as_data() for each in found.plan]
    agreement.continuing_pence = found.continuing_pence
    agreement.continuing_after_months = found.continuing_after_months
    take_waiver(agreement, terms.waiver)


def take_waiver(agreement: FeeAgreement, waiver: Waived) -> None:
    """Write into an agreement whether anything is paid."""
    agreement.waived, agreement.waiver_words = waiver.holds, waiver.words or None
    agreement.swap_group_id, agreement.leg_falls = waiver.swap_group_id, waiver.leg_falls


def shares_of(session: Session, agreement: FeeAgreement) -> tuple[Share, ...]:
    """Return in which shares an agreement is paid: its tariff's, or those that its parts are of its fee."""
    if agreement.tariff_id is not None:
        tariff = next((each for each in read_tariffs(session) if each.id == agreement.tariff_id), None)
        if tariff is not None:
            return tariff.terms.shares
    return tuple(
        Share(part.pence, agreement.amount_pence or 1, part.due, part.months) for part in agreement.instalments
    )


def kept_terms(agreement: FeeAgreement) -> dict[str, Any]:
    """Return what of an agreement's terms an addendum tells from one another."""
    return {
        "children": agreement.children,
        "amount_pence": agreement.amount_pence,
        "plan": list(agreement.plan),
        "continuing_pence": agreement.continuing_pence,
        "waived": agreement.waived,
    }


def _payee(session: Session, agency_id: UUID) -> Payee:
    agency = get_agency(session, agency_id)
    return Payee(agency.name, kind_of(agency), agency.nation, in_london(agency))


def _day(placement: Placement, counts_from: CountsFrom) -> date | None:
    return placement.moved_in_on if counts_from is CountsFrom.MOVING_IN else placement.adoptive_start_on
