"""What changed in a month, for one agency: each number with the list behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.clock.reading import Reading, clocks_of_groups, clocks_of_household, clocks_of_links
from matching.clock.rule import Subject, clocks_for
from matching.household import Household
from matching.link import Link, LinkState, LinkStep, of_side
from matching.monitoring.figure import Figure
from matching.placement.tally import list_placed
from matching.sibling_group import SiblingGroup, list_children
from tenants import audit
from tenants.agency import get_agency
from tenants.database import scope_of
from tenants.error import Invalid
from tenants.permission import Verb, require


class Change(StrEnum):
    """What is counted in a month."""

    CHILDREN = "children"
    FAMILIES = "families"
    STARTED = "started"
    ENDED = "ended"
    MATCHED = "matched"
    PLACED = "placed"
    ORDERED = "ordered"
    DISRUPTED = "disrupted"
    MISSED = "missed"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return _LABELS[self]


_LABELS = {
    Change.CHILDREN: "New children",
    Change.FAMILIES: "New families",
    Change.STARTED: "Links started",
    Change.ENDED: "Links ended",
    Change.MATCHED: "Matches",
    Change.PLACED: "Placements",
    Change.ORDERED: "Adoption orders",
    Change.DISRUPTED: "Disruptions",
    Change.MISSED: "Times missed",
}


class About(StrEnum):
    """What a line leads to."""

    GROUP = "group"
    HOUSEHOLD = "household"
    LINK = "link"


class Line(NamedTuple):
    """One thing of a month: on which day, in words, and what it is about; nothing for what is sealed."""

    day: date
    words: str
    about: About | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Month:
    """A month of an agency, by its first day, with the lines of each kind, the first day first."""

    begins: date
    lines: dict[Change, tuple[Line, ...]]

    @property
    def ends(self) -> date:
        """Return the first day after it."""
        return _after(self.begins)

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return f"{self.begins:%B %Y}"

    def counts(self) -> Figure:
        """Return how many there are of each kind."""
        return Figure(
            name="month",
            title=f"What changed in {self.label}",
            note="",
            headings=("What", "How many"),
            rows=tuple((change.label, len(self.lines[change])) for change in Change),
            drawn=(1,),
            unit="in the month",
        )

    def listed(self) -> Figure:
        """Return every line, as a sheet has them."""
        return Figure(
            name="month",
            title=f"What changed in {self.label}",
            note="",
            headings=("What", "Day", "Which"),
            rows=tuple((c.label, line.day.isoformat(), line.words) for c in Change for line in self.lines[c]),
        )


class MonthInvalid(Invalid):
    """No such month can be asked for."""


def month_named(name: str | None, *, on: date) -> date:
    """Return the first day of a month named as ``2026-11``, or of the one in which a day lies where none is named.

    :raises MonthInvalid: when it is no month, or lies ahead.
    """
    if name is None:
        return on.replace(day=1)
    try:
        begins = date.fromisoformat(f"{name}-01")
    except ValueError:
        raise MonthInvalid("Name a month as in 2026-11.") from None
    if begins > on or begins.year < _FIRST_YEAR:
        raise MonthInvalid("Choose this month or one before it.")
    return begins


def read_month(session: Session, begins: date, *, now: datetime) -> Month:
    """Return what changed for the scope's agency in a month, and put the look on record.

    :raises NotAllowed: when the scope's roles do not let it read monitoring.
    """
    require(scope_of(session), Verb.READ_MONITORING)
    audit.record(session, audit.Act.READ, record_kind="monitoring", level=audit.Level.SUMMARY, now=now)
    ends = _after(begins)
    links = _links(session)
    found: dict[Change, list[Line]] = {change: [] for change in Change}
    found[Change.CHILDREN] = _children(session, begins, ends)
    found[Change.FAMILIES] = _families(session, begins, ends)
    for change, line in _steps(session, links, begins, ends):
        found[change].append(line)
    for change, line in _placements(session, links):
        found[change].append(line)
    found[Change.MISSED] = _missed(session, links, on=now.date())
    return Month(begins, {c: tuple(sorted(x for x in lines if begins <= x.day < ends)) for c, lines in found.items()})


_FIRST_YEAR = 2000


def _after(begins: date) -> date:
    return date(begins.year + begins.month // 12, begins.month % 12 + 1, 1)


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _children(session: Session, begins: date, ends: date) -> list[Line]:
    query = select(SiblingGroup).where(
        SiblingGroup.agency_id == scope_of(session).agency_id,
        SiblingGroup.added_at >= _moment(begins),
        SiblingGroup.added_at < _moment(ends),
    )
    groups = list(session.scalars(query))
    children = list_children(session, [group.id for group in groups])
    return [
        Line(_day(group.added_at), f"{group.code}, child {number}", About.GROUP, group.id)
        for group in groups
        for number, _ in enumerate(children.get(group.id, ()), start=1)
    ]


def _families(session: Session, begins: date, ends: date) -> list[Line]:
    query = select(Household).where(
        Household.agency_id == scope_of(session).agency_id,
        Household.added_at >= _moment(begins),
        Household.added_at < _moment(ends),
    )
    return [Line(_day(each.added_at), each.code, About.HOUSEHOLD, each.id) for each in session.scalars(query)]


def _links(session: Session) -> dict[UUID, tuple[Link, str]]:
    """Return the agency's links of the consortium with the codes of both, by id."""
    scope = scope_of(session)
    query = (
        select(Link, SiblingGroup.code, Household.code)
        .outerjoin(SiblingGroup, SiblingGroup.id == Link.sibling_group_id)
        .outerjoin(Household, Household.id == Link.household_id)
        .where(of_side(scope.agency_id, "all"), Link.consortium_id == scope.consortium_id)
    )
    return {
        link.id: (link, f"{group or 'a group'} and {household or 'a household'}")
        for link, group, household in session.execute(query)
    }


def _steps(
    session: Session, links: dict[UUID, tuple[Link, str]], begins: date, ends: date
) -> list[tuple[Change, Line]]:
    query = select(LinkStep).where(
        LinkStep.link_id.in_(list(links)), LinkStep.at >= _moment(begins), LinkStep.at < _moment(ends)
    )
    found = []
    for step in session.scalars(query):
        link, codes = links[step.link_id]
        if step.from_state is None:
            found.append((Change.STARTED, Line(_day(step.at), codes, About.LINK, link.id)))
        elif step.to_state is LinkState.ENDED and link.outcome:
            words = f"{codes}: {link.outcome.label}"
            found.append((Change.ENDED, Line(_day(step.at), words, About.LINK, link.id)))
        elif step.to_state is LinkState.MATCHED and step.from_state is not LinkState.MATCHED:
            found.append((Change.MATCHED, Line(_day(step.at), codes, About.LINK, link.id)))
    return found


def _placements(session: Session, links: dict[UUID, tuple[Link, str]]) -> list[tuple[Change, Line]]:
    found = []
    for placed in list_placed(session):
        known = links.get(placed.id)
        words = known[1] if known else "A sealed adoption"
        about, link_id = (About.LINK, placed.id) if known else (None, None)
        for change, day in (
            (Change.PLACED, placed.moved_in_on),
            (Change.ORDERED, placed.ordered_on),
            (Change.DISRUPTED, placed.disrupted_on),
        ):
            if day is not None:
                found.append((change, Line(day, words, about, link_id)))
    return found


def _missed(session: Session, links: dict[UUID, tuple[Link, str]], *, on: date) -> list[Line]:
    """Return the agency's own clocks that were missed, by the day on which they were due."""
    own = scope_of(session).agency_id
    groups = list(session.scalars(select(SiblingGroup).where(SiblingGroup.agency_id == own)))
    families = list(session.scalars(select(Household).where(Household.agency_id == own))) if _timed(session) else []
    by_links = clocks_of_links(session, [link for link, _ in links.values()], on=on)
    by_groups = clocks_of_groups(session, groups, on=on)
    found = [
        *(_line(each, links[each.subject_id][1], About.LINK) for read in by_links.values() for each in read),
        *(_line(each, group.code, About.GROUP) for group in groups for each in by_groups.get(group.id, ())),
        *(
            _line(each, family.code, About.HOUSEHOLD)
            for family in families
            for each in clocks_of_household(session, family, on=on)
        ),
    ]
    return [line for reading, line in found if reading.missed and reading.agency_id == own]


def _timed(session: Session) -> bool:
    """Say whether the agency's nation times what is done for households; England has no such time."""
    own = scope_of(session).agency_id
    return own is not None and bool(clocks_for(get_agency(session, own).nation, Subject.HOUSEHOLD))


def _line(reading: Reading, codes: str, about: About) -> tuple[Reading, Line]:
    return reading, Line(reading.due_on, f"{codes}: {reading.clock.name.label}", about, reading.subject_id)
