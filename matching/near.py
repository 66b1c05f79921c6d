"""Which households are how far from one of one's own groups: coarse bands, as a ranking tells them, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.household import Household
from matching.household_search import HouseholdFilter
from matching.probing import ask_places
from matching.ranking.facts import DistanceBand
from matching.ranking.places import BAND_CODES
from matching.ranking_run import record_look
from matching.sibling_group import GroupUnknown, SiblingGroup, facts_of, list_waiting_groups
from matching.summary import describe_children
from tenants.database import scope_of

_BANDS = text("SELECT bands FROM pair_places(:groups, :households)")


def list_own_groups(session: Session, *, as_of: date) -> list[tuple[str, str]]:
    """Return the code and the children of each of the scope's agency's waiting groups, longest waiting first."""
    own = scope_of(session).agency_id
    found = [] if own is None else list_waiting_groups(session, own_agency=own)
    return [
        (group.code, describe_children(facts.children, as_of))
        for group, facts in zip(found, facts_of(session, found), strict=True)
    ]


def narrow_by_distance(
    session: Session, wanted: HouseholdFilter, *, code: str, bands: Sequence[DistanceBand], now: datetime
) -> HouseholdFilter:
    """Return the filter narrowed to households in these bands from a group of the scope's own agency.

    The comparison is counted and put on record as a ranking's is.

    :raises GroupUnknown: when the agency has no group of that code.
    :raises AskedTooOften: when the agency has compared more places in a day than anyone's work needs.
    """
    scope = scope_of(session)
    group = session.scalar(
        select(SiblingGroup).where(SiblingGroup.code == code, SiblingGroup.agency_id == scope.agency_id)
    )
    if group is None:
        raise GroupUnknown("There is no such sibling group in your agency.")
    households = list(session.scalars(select(Household).order_by(Household.id)))
    ask_places(session, [group], households, now=now)
    record_look(session, "sibling_group", group.id, group.agency_id, now=now)
    ids = [household.id for household in households]
    found = session.execute(_BANDS, {"groups": [group.id], "households": ids}).one_or_none() if ids else None
    by_band = [(BAND_CODES[band], each) for band, each in zip(found.bands if found else (), ids, strict=True)]
    return replace(
        wanted,
        within=frozenset(each for band, each in by_band if band in bands),
        unplaced=frozenset(each for band, each in by_band if band is DistanceBand.UNKNOWN),
    )
