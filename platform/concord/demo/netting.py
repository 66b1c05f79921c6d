"""The demonstration's netting: three agencies of the swap group owe one another in a ring, and one hasn't confirmed.

Of the placements that they pay for nothing is invoiced but here, so that what else is invoiced stays as it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from concord.demo.cast import Cast, acting
from concord.demo.invoice import open_account
from concord.demo.link import LINKS, SWAP_GROUP, DemoLink, lead_links
from matching.fee.invoice.issuing import credit_invoice, issue_invoice, list_due, open_lines
from matching.fee.netting import NettingInvalid, confirm_netting, get_netting, list_nettings, propose_group_netting
from matching.link import LinkState
from matching.swap.group import find_swap_group
from tenants.database import Database
from tenants.role import Role

RING = (
    DemoLink(
        "cornwall", "devon", LinkState.PLACED, 34, "They took part in the group for adopters of older children.", False
    ),
    DemoLink("devon", "somerset", LinkState.PLACED, 33, "Their own children are grown, and they have the time.", False),
    DemoLink("somerset", "cornwall", LinkState.PLACED, 32, "They know the school, and it is near.", False),
)
"""Whose children are with whose families: each pays the next."""
LAST = "cornwall"
"""Whose finance officer has still to confirm."""
_INVOICED, _PROPOSED = timedelta(days=12), timedelta(days=2)
_LATER = 250_000
"""What of the last one's is asked for later, in pence, so that something is left to pay."""


def netting_made(database: Database, cast: Cast) -> bool:
    """Say whether the last thing to be made of the demonstration's fees is there."""
    with acting(database, cast(LAST, Role.FINANCE_OFFICER)) as session:
        return bool(list_nettings(session))


def make_netting(database: Database, cast: Cast, *, now: datetime) -> bool:
    """Place the ring's children, invoice, and net what all but the last confirm; say whether there was anything."""
    lead_links(database, cast, RING, besides=LINKS, signer=Role.MANAGER, now=now)
    for plan in RING:
        with acting(database, cast(plan.family, Role.FINANCE_OFFICER)) as session:
            payer_id = cast(plan.children, Role.FINANCE_OFFICER).agency_id
            _invoice(session, payer_id, later=_LATER if plan.children == LAST else 0, now=now)
    first, *others = (plan.family for plan in RING if plan.family != LAST)
    at = now - _PROPOSED
    try:
        with acting(database, cast(first, Role.FINANCE_OFFICER)) as session:
            group = find_swap_group(session, SWAP_GROUP)
            netting_id = propose_group_netting(session, group, until_on=at.date(), now=at).id
    except NettingInvalid:
        return False
    for slug in others:
        with acting(database, cast(slug, Role.FINANCE_OFFICER)) as session:
            confirm_netting(session, get_netting(session, netting_id), now=at)
    return True


def _invoice(session: Session, payer_id: UUID | None, *, later: int, now: datetime) -> None:
    open_account(session, now=now)
    marks = [each.mark for each in list_due(session, payer_id) if each.pence > 0]
    if payer_id is not None and marks:
        invoice = issue_invoice(session, payer_id, marks, now=now - _INVOICED)
        line, at = open_lines(session, invoice)[0][0], now - _INVOICED + timedelta(days=1)
        if later:
            credit_invoice(session, invoice, {line.id: later}, reason="A part is asked for later, as agreed.", now=at)
