"""An agency's word on one leg that a swap group's plan or rings show: an ordinary link, or a decline.

Apart from what shows them: starting a link may come to cost something in time, and no list of legs reads what.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from matching.decline import decline
from matching.household import get_household
from matching.sibling_group import get_group
from matching.swap.group import SwapGroup, SwapGroupInvalid, list_members
from matching.transition import start_link
from tenants.database import scope_of
from tenants.permission import Verb, require


def answer_leg(
    session: Session,
    group: SwapGroup,
    *,
    sibling_group_id: UUID,
    household_id: UUID,
    confirm: bool,
    reason: str,
    now: datetime,
) -> None:
    """Confirm one's own leg, which starts an ordinary link, or decline it, which sets the pair apart; with a reason.

    Nothing else is touched: no other leg, link or placement hears of it.

    :raises SwapGroupInvalid: when the two are not of two members.
    :raises NotYourStep: when neither is the scope's own agency's, on confirming.
    :raises NotOurs: the same, on declining.
    :raises LinkAlreadyOpen: when the two have an open link.
    :raises DeclinedAlready: when the agency has declined the pair.
    :raises LinkInvalid: when no reason is given.
    """
    require(scope_of(session), Verb.READ_OPPORTUNITIES)
    children, family = get_group(session, sibling_group_id), get_household(session, household_id)
    members = {member.agency_id for member, _ in list_members(session, group) if member.agreed_on}
    if children.agency_id == family.agency_id or not {children.agency_id, family.agency_id} <= members:
        raise SwapGroupInvalid("The children and the family are not of two members of this swap group.")
    if confirm:
        start_link(session, group=children, household=family, reason=reason, now=now)
    else:
        decline(session, group=children, household=family, reason=reason, now=now)
