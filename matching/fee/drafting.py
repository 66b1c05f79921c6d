"""Agreements drawn up by a match, priced anew, and frozen on the day from which the fee counts.

Nothing here keeps a match or a placement from being made: what cannot be priced is drafted without an amount, and says
what to do about it.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

from dateutil.relativedelta import relativedelta
from sqlalchemy.orm import Session

from matching.code import new_code
from matching.fee.addendum import draft_rate_addendum
from matching.fee.agreement import (
    OVER,
    RECORD_KIND,
    AgreementInvalid,
    AgreementState,
    FeeAgreement,
    NotYourSide,
    find_agreement_of,
    lock_agreement_row,
    side_of,
)
from matching.fee.event import FeeEventKind, record_event
from matching.fee.instalment import Due, Share, split
from matching.fee.money import say_pounds
from matching.fee.payer import payer_of
from matching.fee.published import published
from matching.fee.rule import read_rules
from matching.fee.tariff import MOST_PENCE
from matching.fee.terms import Terms, kept_terms, list_plans, take_terms, take_waiver, terms_of
from matching.placement.placement import Placement, get_placement
from tenants import audit
from tenants.database import scope_of
from tenants.permission import Verb, require

IN_FULL = (Share(1, 1, Due.PLACEMENT),)


def draft_agreement(session: Session, placement: Placement, *, now: datetime) -> FeeAgreement | None:
    """Draft what a placement between two agencies costs, in the scope of the children's; ``None`` within one agency.

    One that stands already is returned as it is.
    """
    if placement.group_agency_id == placement.household_agency_id:
        return None
    found = find_agreement_of(session, placement.link_id)
    if found is not None:
        return found
    terms = terms_of(session, placement, today=now.date())
    scope = scope_of(session)
    payer_id = payer_of(session, placement.group_agency_id, on=terms.on)
    # A regional agency that approved the family itself pays itself nothing: the council does.
    agreement = FeeAgreement(
        id=uuid4(),
        consortium_id=placement.consortium_id,
        reference=new_code("FA"),
        link_id=placement.link_id,
        authority_agency_id=placement.group_agency_id,
        payer_agency_id=placement.group_agency_id if payer_id == placement.household_agency_id else payer_id,
        payee_agency_id=placement.household_agency_id,
        counts_from=terms.rules.counts_from,
        disruption=terms.rules.disruption,
        state=AgreementState.DRAFTED,
        version=1,
        addenda=0,
        drafted_at=now,
        drafted_by=scope.person_id,
        matched_on=placement.matched_on,
    )
    take_terms(agreement, terms)
    session.add(agreement)
    session.flush()
    note(session, agreement, audit.Act.ADD, "drafted", now=now)
    return agreement


def draft_missing(session: Session, placement: Placement, *, now: datetime) -> FeeAgreement:
    """Draft the agreement of a placement that has none, by its children's agency's finance officer.

    :raises NotYourSide: when the scope's agency is not the children's.
    :raises AgreementInvalid: when family and children are of one agency.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    if scope_of(session).agency_id != placement.group_agency_id:
        raise NotYourSide("The children’s agency drafts the agreement. Ask its finance officer.")
    agreement = draft_agreement(session, placement, now=now)
    if agreement is None:
        raise AgreementInvalid("Children and family are of one agency, so nothing is paid.")
    if placement.adoptive_start_on is not None and agreement.placed_on is None:
        begin(session, agreement, placement, now=now)
        _catch_up(session, agreement, placement, now=now)
    return agreement


def price_again(session: Session, agreement: FeeAgreement, *, version: int, now: datetime) -> FeeAgreement:
    """Price an agreement that is not frozen by the tariffs as they are now; what changes is to be signed anew.

    :raises NotYourSide: when the scope's agency has not the children: it alone sees what the price is made of.
    :raises AgreementMoved: when somebody was first; AgreementInvalid when it is frozen, signed, over or sealed.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    if scope_of(session).agency_id != agreement.authority_agency_id:
        raise NotYourSide("The children’s agency prices the agreement again. Ask its finance officer.")
    lock_agreement_row(session, agreement, version=version)
    _require_open(agreement)
    if agreement.link_id is None or (agreement.is_signed and agreement.placed_on is None):
        raise AgreementInvalid("What both have signed is priced again on the day the children move in.")
    placement = get_placement(session, agreement.link_id)
    if agreement.placed_on is not None:
        _freeze(session, agreement, terms_of(session, placement, today=now.date()), now=now)
    else:
        _take_unsigned(agreement, terms_of(session, placement, today=now.date()))
    _changed(session, agreement, "priced again", now=now)
    return agreement


def state_fee(
    session: Session,
    agreement: FeeAgreement,
    *,
    pence: int,
    reason: str,
    version: int,
    now: datetime,
    as_tariff_id: UUID | None = None,
) -> FeeAgreement:
    """State the fee that the two agencies have settled between themselves; both sign it, which makes it hold.

    :param as_tariff_id: the payee's tariff whose parts and monthly charge it takes; in full at placement without one.
    :raises NotYourSide: when the scope's agency is neither of the two.
    :raises AgreementMoved: when somebody was first.
    :raises AgreementInvalid: when both have signed, it is over, or the amount cannot be.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    side_of(session, agreement)
    lock_agreement_row(session, agreement, version=version)
    _require_open(agreement)
    words = reason.strip()
    if agreement.is_signed:
        raise AgreementInvalid("Both have signed. Change it by an addendum.")
    if not 1 <= pence <= MOST_PENCE:
        raise AgreementInvalid("Give an amount up to £1,000,000.", about="amount")
    if not words or len(words) > 500:
        raise AgreementInvalid("Say in at most 500 letters what it rests on.", about="reason")
    paid_as = next((each for each in list_plans(session, agreement, today=now.date()) if each.id == as_tariff_id), None)
    if as_tariff_id is not None and paid_as is None:
        raise AgreementInvalid("That tariff doesn’t hold for the payee on that day. Choose again.", about="plan")
    rules = read_rules(session, published().rules, on=agreement.placed_on or now.date())
    agreement.tariff_id, agreement.stated = None, True
    agreement.rate_words = f"Settled between the two agencies, not by a tariff: {say_pounds(pence)}. {words}"
    agreement.amount_pence, agreement.refusal = pence, None
    agreement.plan = [each.as_data() for each in split(pence, paid_as.terms.shares if paid_as else IN_FULL)]
    agreement.continuing_pence = paid_as.terms.continuing_pence if paid_as else None
    agreement.continuing_after_months = paid_as.terms.continuing_after_months if paid_as else None
    agreement.disruption = rules.disruption
    clear_signatures(agreement)
    _changed(session, agreement, "fee stated", now=now)
    return agreement


def begin(session: Session, agreement: FeeAgreement, placement: Placement, *, now: datetime) -> None:
    """Keep the day from which the fee counts, and its rate for good."""
    lock_agreement_row(session, agreement)
    terms = terms_of(session, placement, today=now.date())
    agreement.matched_on, agreement.placed_on = placement.matched_on, terms.on
    if agreement.stated:
        if agreement.is_signed:
            agreement.frozen_at = now
        else:
            # It may be stated anew until both have signed it, which keeps it.
            take_waiver(agreement, terms.waiver)
    else:
        _freeze(session, agreement, terms, now=now)
    if agreement.is_signed:
        agreement.state = AgreementState.IN_FORCE
    _changed(session, agreement, "placed", now=now)
    record_event(session, agreement, FeeEventKind.PLACED, key="placed", happened_on=terms.on, now=now)
    if agreement.waived:
        record_event(session, agreement, FeeEventKind.LEG_CONFIRMED, key="leg_confirmed", happened_on=terms.on, now=now)


def order(session: Session, agreement: FeeAgreement, *, on: date, now: datetime) -> None:
    """Keep the day of the adoption order."""
    lock_agreement_row(session, agreement)
    agreement.ordered_on = on
    end_if_over(agreement, on=now.date())
    _changed(session, agreement, "ordered", now=now)
    record_event(session, agreement, FeeEventKind.ORDERED, key="ordered", happened_on=on, now=now)


def disrupt(session: Session, agreement: FeeAgreement, *, on: date, now: datetime) -> None:
    """Keep the day on which the placement disrupted."""
    lock_agreement_row(session, agreement)
    agreement.disrupted_on = on
    end_if_over(agreement, on=now.date())
    _changed(session, agreement, "disrupted", now=now)
    record_event(session, agreement, FeeEventKind.DISRUPTED, key="disrupted", happened_on=on, now=now)


def withdraw(session: Session, agreement: FeeAgreement, *, now: datetime) -> None:
    """End an agreement whose link ended before the children were placed."""
    lock_agreement_row(session, agreement)
    agreement.state = AgreementState.WITHDRAWN
    _changed(session, agreement, "withdrawn", now=now)
    if agreement.is_signed:
        record_event(session, agreement, FeeEventKind.WITHDRAWN, key="withdrawn", happened_on=now.date(), now=now)


def note(session: Session, agreement: FeeAgreement, act: audit.Act, what: str, *, now: datetime) -> None:
    """Put on record for all agencies of an agreement what was done to it."""
    own = scope_of(session).agency_id
    others = sorted(agreement.agencies - {own})
    records = [(agreement.id, each) for each in others]
    audit.record_each(session, act, record_kind=RECORD_KIND, records=records, reason=what, now=now)


def clear_signatures(agreement: FeeAgreement) -> None:
    """Ask for both signatures anew."""
    for side in ("payer", "payee"):
        for what in ("by", "name", "at"):
            setattr(agreement, f"{side}_signed_{what}", None)


def end_if_over(agreement: FeeAgreement, *, on: date) -> bool:
    """End a signed agreement of which nothing more can fall due, and say whether it did."""
    if agreement.state is not AgreementState.IN_FORCE or not _is_over(agreement, on):
        return False
    agreement.state = AgreementState.ENDED
    return True


def _is_over(agreement: FeeAgreement, on: date) -> bool:
    if agreement.placed_on is None or (agreement.ordered_on is None and agreement.disrupted_on is None):
        return False
    if agreement.fell_away:
        return True
    for part in agreement.instalments:
        by_order = part.due in (Due.ORDER, Due.ORDER_OR_MONTHS) and agreement.ordered_on is not None
        months = part.months is not None and on >= agreement.placed_on + relativedelta(months=part.months)
        if not (part.due is Due.PLACEMENT or by_order or months):
            # Without an order now, what waits for one alone never falls due.
            return part.due is Due.ORDER and agreement.disrupted_on is not None
    return True


def _freeze(session: Session, agreement: FeeAgreement, terms: Terms, *, now: datetime) -> None:
    if not agreement.is_signed:
        _take_unsigned(agreement, terms)
        agreement.frozen_at = now if agreement.amount_pence is not None else None
        return
    if terms.price.pence is None and not terms.waiver.holds:
        # What both signed stands until there is a figure for the day.
        return
    before = kept_terms(agreement)
    take_terms(agreement, terms)
    agreement.frozen_at = now if agreement.amount_pence is not None else None
    after = kept_terms(agreement)
    if after != before:
        words = " ".join(filter(None, (agreement.rate_words, agreement.waiver_words)))
        addendum = draft_rate_addendum(session, agreement, before=before, after=after, reason=words, now=now)
        agreement.addenda = addendum.position


def _take_unsigned(agreement: FeeAgreement, terms: Terms) -> None:
    before = kept_terms(agreement)
    take_terms(agreement, terms)
    if kept_terms(agreement) != before:
        clear_signatures(agreement)


def _catch_up(session: Session, agreement: FeeAgreement, placement: Placement, *, now: datetime) -> None:
    if placement.ordered_on is not None:
        order(session, agreement, on=placement.ordered_on, now=now)
    if placement.disrupted_on is not None:
        disrupt(session, agreement, on=placement.disrupted_on, now=now)


def _require_open(agreement: FeeAgreement) -> None:
    if agreement.state in OVER or agreement.frozen_at is not None:
        raise AgreementInvalid("Its rate was kept for good, or it is over. Change it by an addendum.")


def _changed(session: Session, agreement: FeeAgreement, what: str, *, now: datetime) -> None:
    agreement.version += 1
    session.flush()
    note(session, agreement, audit.Act.CHANGE, what, now=now)
