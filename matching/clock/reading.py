"""How clocks stand on a day: running, kept or missed. Nothing of it is stored; it follows from days and decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.clock.mark import MarkKind, marks_of
from matching.clock.rule import Clock, ClockName, Event, Subject, clocks_for
from matching.household import Household
from matching.link import DayKind, Link, LinkState, MatchDecision, days_of, decisions_of
from matching.sibling_group import SiblingGroup
from tenants.agency import Agency, Nation
from tenants.error import NotFound

_SOON = timedelta(days=7)
Days = Mapping[Event | DayKind, date]


class ClockUnknown(NotFound):
    """No such clock runs there."""


class ClockState(StrEnum):
    """How a clock stands."""

    RUNNING = "running"
    SOON = "soon"
    KEPT = "kept"
    MISSED = "missed"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"running": "Running", "soon": "Due soon", "kept": "Kept", "missed": "Missed"}[self]


@dataclass(frozen=True, slots=True)
class Reading:
    """One clock of one link, group or household on a day; ``agency_id`` is whose it is."""

    clock: Clock
    subject_id: UUID
    agency_id: UUID
    started_on: date
    due_on: date
    stopped_on: date | None
    state: ClockState

    @property
    def missed(self) -> bool:
        """Say whether it asks for a reason."""
        return self.state is ClockState.MISSED

    @property
    def goes_on(self) -> bool:
        """Say whether what is timed has not been done yet."""
        return self.stopped_on is None


def read_clocks(
    clocks: Iterable[Clock], days: Days, *, subject_id: UUID, agency_id: UUID, nation: Nation, on: date
) -> list[Reading]:
    """Return how those of ``clocks`` stand on a day that have started, the soonest due first."""
    readings = []
    for clock in clocks:
        start, stop = days.get(clock.runs_from), days.get(clock.runs_until)
        if start is not None:
            due = clock.due(start, nation)
            readings.append(Reading(clock, subject_id, agency_id, start, due, stop, _state(due, stop, on=on)))
    return sorted(readings, key=lambda reading: (reading.due_on, reading.clock.name))


def find_reading(readings: Sequence[Reading], name: ClockName) -> Reading:
    """Return the clock of a name among readings.

    :raises ClockUnknown: when there is none.
    """
    found = next((reading for reading in readings if reading.clock.name is name), None)
    if found is None:
        raise ClockUnknown("No such time runs here. Go back and load the page again.")
    return found


def clocks_of_links(session: Session, links: Sequence[Link], *, on: date) -> dict[UUID, list[Reading]]:
    """Return the clocks of links, which are their children's agencies'; of a link that has ended those that stopped."""
    days, decisions, nations = days_of(session, links), decisions_of(session, links), _nations(session)
    found: dict[UUID, list[Reading]] = {}
    for link in links:
        nation = nations.get(link.group_agency_id)
        known: dict[Event | DayKind, date] = _decided(decisions.get(link.id, []))
        known |= {kind: day for kind, day in days[link.id].items()}  # noqa: C416 - the keys’ type widens
        readings = (
            read_clocks(
                clocks_for(nation, Subject.LINK),
                known,
                subject_id=link.id,
                agency_id=link.group_agency_id,
                nation=nation,
                on=on,
            )
            if nation
            else []
        )
        found[link.id] = [each for each in readings if link.open or not each.goes_on]
    return found


def clocks_of_groups(session: Session, groups: Sequence[SiblingGroup], *, on: date) -> dict[UUID, list[Reading]]:
    """Return the clocks of sibling groups, as far as the scope knows what stops them."""
    ids = [group.id for group in groups]
    marks, nations = marks_of(session, ids), _nations(session)
    approved = _approved_on(session, ids)
    found: dict[UUID, list[Reading]] = {}
    for group in groups:
        said, nation = marks.get(group.id, {}), nations.get(group.agency_id)
        days = _known(
            {
                Event.SHOBPA: group.shobpa_on,
                Event.MATCH_APPROVED: approved.get(group.id),
                Event.REFERRED: said.get(MarkKind.REFERRED),
            }
        )
        # The shorter time takes the longer one's place.
        other = ClockName.MATCH if MarkKind.RELINQUISHED in said else ClockName.MATCH_RELINQUISHED
        clocks = [each for each in clocks_for(nation, Subject.GROUP) if each.name is not other] if nation else []
        if nation:
            found[group.id] = read_clocks(
                clocks, days, subject_id=group.id, agency_id=group.agency_id, nation=nation, on=on
            )
    return found


def clocks_of_household(session: Session, household: Household, *, on: date) -> list[Reading]:
    """Return the clocks of a household."""
    return clocks_of_households(session, [household], on=on).get(household.id, [])


def clocks_of_households(session: Session, households: Sequence[Household], *, on: date) -> dict[UUID, list[Reading]]:
    """Return the clocks of households."""
    marks, nations = marks_of(session, [each.id for each in households]), _nations(session)
    found: dict[UUID, list[Reading]] = {}
    for each in households:
        said, nation = marks.get(each.id, {}), nations.get(each.agency_id)
        days = _known({Event.APPROVAL: each.approved_on, Event.REFERRED: said.get(MarkKind.REFERRED)})
        if nation:
            clocks = clocks_for(nation, Subject.HOUSEHOLD)
            found[each.id] = read_clocks(
                clocks, days, subject_id=each.id, agency_id=each.agency_id, nation=nation, on=on
            )
    return found


def _state(due: date, stop: date | None, *, on: date) -> ClockState:
    if (stop or on) > due:
        return ClockState.MISSED
    if stop is not None:
        return ClockState.KEPT
    return ClockState.SOON if due - on <= _SOON else ClockState.RUNNING


def _known(days: Mapping[Event, date | None]) -> dict[Event | DayKind, date]:
    return {event: day for event, day in days.items() if day is not None}


def _decided(decisions: Sequence[MatchDecision]) -> dict[Event | DayKind, date]:
    return {Event.DECISION: decisions[-1].decided_on} if decisions else {}


def _nations(session: Session) -> dict[UUID, Nation]:
    return dict(session.execute(select(Agency.id, Agency.nation)).all())


def _approved_on(session: Session, group_ids: Sequence[UUID]) -> dict[UUID, date]:
    """Return when the match of each group was approved, where it stands."""
    query = (
        select(Link.sibling_group_id, MatchDecision.decided_on, MatchDecision.approved, Link.id)
        .join(MatchDecision, MatchDecision.link_id == Link.id)
        .where(Link.sibling_group_id.in_(group_ids), Link.state != LinkState.ENDED)
        .order_by(Link.id, MatchDecision.number)
    )
    last = {link_id: (group_id, day, approved) for group_id, day, approved, link_id in session.execute(query)}
    return {group_id: day for group_id, day, approved in last.values() if approved}
