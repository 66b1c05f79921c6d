"""What waits for a finance officer: one table that each part of fees adds rows to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from matching.fee.exception import count_undecided
from matching.fee.invoice.dispute import count_to_answer
from matching.fee.invoice.issuing import count_due
from matching.fee.invoice.reminder import count_reminded, count_unapproved
from matching.fee.invoice.supplier import count_without_order
from matching.fee.ledger import count_to_close
from matching.fee.netting import count_to_confirm
from matching.fee.netting_leg import count_overdue_legs
from matching.fee.remittance.line import count_waiting
from matching.fee.remittance.remittance import count_asking
from matching.fee.signing_limit import count_asked
from matching.fee.statement.statement import count_to_agree
from matching.fee.waiting import (
    count_addenda,
    count_missing,
    count_payers,
    count_running_out,
    count_to_sign,
    count_unpriced,
    count_unsettled,
)
from matching.meeting import is_office
from tenants.permission import Verb, may
from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class Wait:
    """One kind of thing that waits: how it is said of one and of many, where it is done, whose it is, how many."""

    one: str
    many: str
    endpoint: str
    verb: Verb
    count: Callable[[Session, datetime], int]
    hint: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """What the page's address takes, such as a filter."""
    office: bool = False
    """It waits for the consortium's office alone."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a kind wait now."""

    wait: Wait
    count: int


WAITS: tuple[Wait, ...] = (
    Wait(
        "agreement to sign",
        "agreements to sign",
        "fee_agreements.index",
        Verb.SIGN_FEES,
        count_to_sign,
        values={"waiting": "sign"},
    ),
    Wait(
        "addendum to sign",
        "addenda to sign",
        "fee_agreements.index",
        Verb.SIGN_FEES,
        count_addenda,
        hint="The rate of the day was another than expected, or something else changed.",
        values={"waiting": "sign"},
    ),
    Wait(
        "agreement without an amount",
        "agreements without an amount",
        "fee_agreements.index",
        Verb.KEEP_FEES,
        count_unpriced,
        hint="No published tariff has a figure for it. Each page says what to do.",
        values={"state": "drafted"},
    ),
    Wait(
        "placement without an agreement",
        "placements without an agreement",
        "fee_agreements.index",
        Verb.KEEP_FEES,
        count_missing,
    ),
    Wait(
        "agency asks yours to pay for its children",
        "agencies ask yours to pay for their children",
        "fee_payers.index",
        Verb.APPROVE_FEES,
        count_payers,
    ),
    Wait(
        "tariff to be followed by the next",
        "tariffs to be followed by the next",
        "fee_tariffs.index",
        Verb.KEEP_TARIFFS,
        count_running_out,
        office=True,
    ),
    Wait(
        "agreement that the daily run could not settle",
        "agreements that the daily run could not settle",
        "fee_agreements.index",
        Verb.KEEP_FEES,
        count_unsettled,
        hint="What is due of it is posted once that is put right. Tell whoever runs this service.",
        values={"waiting": "settling"},
    ),
    Wait(
        "sum due to be invoiced",
        "sums due to be invoiced",
        "invoices.new",
        Verb.KEEP_FEES,
        lambda session, _: count_due(session),
    ),
    Wait(
        "invoice to approve",
        "invoices to approve",
        "invoices.index",
        Verb.KEEP_FEES,
        lambda session, now: count_unapproved(session, on=now.date()),
        values={"side": "received"},
    ),
    Wait(
        "invoice that you were reminded of",
        "invoices that you were reminded of",
        "invoices.index",
        Verb.KEEP_FEES,
        lambda session, now: count_reminded(session, on=now.date()),
        values={"side": "received", "state": "overdue"},
    ),
    Wait(
        "dispute to answer",
        "disputes to answer",
        "invoices.index",
        Verb.KEEP_FEES,
        lambda session, _: count_to_answer(session, received=False),
        values={"state": "disputed"},
    ),
    Wait(
        "answer to a dispute of yours",
        "answers to disputes of yours",
        "invoices.index",
        Verb.KEEP_FEES,
        lambda session, _: count_to_answer(session, received=True),
        hint="Say whether the invoice stands, or go on.",
        values={"side": "received", "state": "disputed"},
    ),
    Wait(
        "agreement without a purchase order",
        "agreements without a purchase order",
        "payee_accounts.suppliers",
        Verb.KEEP_FEES,
        lambda session, _: count_without_order(session),
        hint="An order made early is paid sooner. No placement waits for it.",
    ),
    Wait(
        "bank file waits for somebody to say what its columns hold",
        "bank files wait for somebody to say what their columns hold",
        "remittances.index",
        Verb.KEEP_FEES,
        lambda session, _: count_asking(session),
    ),
    Wait(
        "bank line to match",
        "bank lines to match",
        "fee_matching.index",
        Verb.KEEP_FEES,
        lambda session, _: count_waiting(session),
    ),
    Wait(
        "statement to agree",
        "statements to agree",
        "fee_statements.index",
        Verb.KEEP_FEES,
        lambda session, _: count_to_agree(session),
    ),
    Wait(
        "netting to confirm",
        "nettings to confirm",
        "fee_netting.index",
        Verb.KEEP_FEES,
        lambda session, now: count_to_confirm(session, on=now.date()),
        values={"_anchor": "nettings"},
    ),
    Wait(
        "payment after a netting that is overdue",
        "payments after nettings that are overdue",
        "fee_netting.index",
        Verb.KEEP_FEES,
        lambda session, now: count_overdue_legs(session, on=now.date()),
        values={"_anchor": "nettings"},
    ),
    Wait(
        "waiver, other fee or refund to decide",
        "waivers, other fees and refunds to decide",
        "fee_agreements.index",
        Verb.APPROVE_FEES,
        lambda session, _: count_undecided(session),
        values={"waiting": "decide"},
    ),
    Wait(
        "higher signing limit to agree to",
        "higher signing limits to agree to",
        "fee_payers.index",
        Verb.APPROVE_FEES,
        lambda session, _: count_asked(session),
    ),
    Wait(
        "month to close",
        "months to close",
        "fee_ledger.periods",
        Verb.KEEP_FEES,
        count_to_close,
    ),
)
"""In the order in which a finance officer does them: sign, raise, match, settle disputes, close."""


def list_waiting(session: Session, scope: Scope, *, now: datetime) -> list[Waiting]:
    """Return what waits for the scope's agency that its roles let it do, leaving out what there is none of."""
    office = is_office(session)
    mine = [each for each in WAITS if may(scope, each.verb) and (office or not each.office)]
    counted = [Waiting(each, each.count(session, now)) for each in mine]
    return [each for each in counted if each.count]
