"""The monitoring report: measures, stages, who waits longest, the funnel and why links end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from matching.household import HouseholdStatus, households
from matching.link import WAY, LinkOutcome
from matching.monitoring.consortium import NEAREST, NOTHING, Kind, Told, read_consortium
from matching.monitoring.figure import FEW, NONE, Cell, Figure, told_or
from matching.monitoring.journey import list_journeys
from matching.monitoring.member import member_lines
from matching.monitoring.quarter import Quarter, quarter_of, quarters_before
from matching.monitoring.scorecard import Journey, Measure, Period, days_of, periods, score, threshold
from matching.monitoring.spread import METHOD, Spread, spread_of
from matching.monitoring.stage import Course, Stage, Timed, list_courses, time_stages
from matching.placement.tally import PlacedFacts, list_placed
from matching.register import agency_names
from matching.sibling_group import list_waiting_groups
from matching.summary import days_waiting
from tenants import audit
from tenants.agency import AgencyKind, get_agency
from tenants.database import scope_of
from tenants.error import NotFound
from tenants.permission import Verb, require

LONGEST = 20
"""How many who wait are listed."""
_TOLD = (
    f"The consortium’s counts are to the nearest {NEAREST}, its days from ten links or more at the long end. What "
    "comes from fewer than five links of others, or from one other agency alone, is not told."
)
_NOT_COUNTED = "Sealed adoptions are in it from the match on: what went before them is no longer held."


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that monitoring tells on a day; ``own`` names the agency whose own figures it has, if it has any."""

    on: date
    own: str | None
    begins: date
    ends: date
    figures: tuple[Figure, ...]
    trends: tuple[Figure, ...]

    def figure(self, name: str, *, trend: bool = False) -> Figure:
        """Return a figure, or a trend, by its name.

        :raises FigureUnknown: when there is none of that name.
        """
        found = next((each for each in (self.trends if trend else self.figures) if each.name == name), None)
        if found is None:
            raise FigureUnknown("There is no such figure. Choose one on the monitoring page.")
        return found


class FigureUnknown(NotFound):
    """No figure has that name."""


@dataclass(frozen=True, slots=True)
class _Facts:
    own: bool
    courses: list[Course]
    placed: list[PlacedFacts]
    timed: list[Timed]
    journeys: list[Journey]
    consortium: dict[Kind, Told]
    quarters: list[Quarter]
    on: date

    def within(self, day: date | None) -> bool:
        return day is not None and self.quarters[0].begins <= day < self.quarters[-1].ends

    def told(self, kind: str, label: str, quarter: Quarter | None = None) -> Told:
        return self.consortium.get(Kind(kind, label, quarter.begins if quarter else None), NOTHING)


def read_report(session: Session, *, now: datetime) -> Report:
    """Return the report of the scope's agency and its consortium, and put the look on record.

    :raises NotAllowed: when the scope's roles do not let it read monitoring.
    """
    scope = scope_of(session)
    require(scope, Verb.READ_MONITORING)
    facts = _gather(session, on=now.date())
    audit.record(session, audit.Act.READ, record_kind="monitoring", level=audit.Level.COUNT, now=now)
    measures = tuple(_measure(facts, each) for each in Measure) if facts.own else ()
    return Report(
        on=facts.on,
        own=agency_names(session).get(scope.agency_id) if facts.own and scope.agency_id else None,
        begins=facts.quarters[0].begins,
        ends=facts.quarters[-1].ends,
        figures=(
            *measures,
            *(() if facts.own else (_members(session, facts),)),
            _stages(facts),
            _waiting_groups(session, facts),
            _waiting_households(session, facts),
            _funnel(facts),
            _endings(facts),
        ),
        trends=(
            *(_measure_trend(facts, each) for each in _trending(facts)),
            *(_stage_trend(facts, each) for each in Stage),
        ),
    )


def _gather(session: Session, *, on: date) -> _Facts:
    scope = scope_of(session)
    office = scope.agency_id is not None and (get_agency(session, scope.agency_id).kind is AgencyKind.CONSORTIUM_OFFICE)
    placed = [] if office else list_placed(session)
    courses = [] if office else list_courses(session)
    return _Facts(
        own=not office,
        courses=courses,
        placed=placed,
        timed=time_stages(courses, placed),
        journeys=[] if office else list_journeys(session, placed),
        consortium=read_consortium(session),
        quarters=quarters_before(on),
        on=on,
    )


def _members(session: Session, facts: _Facts) -> Figure:
    waiting = session.scalars(households(status=HouseholdStatus.WAITING)).all()
    return member_lines(list_waiting_groups(session), waiting, agency_names(session), on=facts.on)


def _trending(facts: _Facts) -> tuple[Measure, ...]:
    """Return the measures that there is a trend of: the day of entering care is each agency's own."""
    return tuple(Measure) if facts.own else (Measure.A2,)


def _measure(facts: _Facts, measure: Measure) -> Figure:
    rows = [_score_row(facts, measure, period) for period in periods(facts.on)]
    _, source = threshold(measure, on=facts.on)
    return Figure(
        name=measure.value,
        title=measure.label,
        note=f"Your agency’s children, each counted in the three years in which the time ended. {source}.",
        headings=(
            "Three years",
            "Children",
            "Not known",
            "Average",
            "Threshold",
            "Under it",
            "Median",
            "90th percentile",
        ),
        rows=tuple(rows),
        drawn=(3, 4),
        unit="days",
    )


def _score_row(facts: _Facts, measure: Measure, period: Period) -> tuple[Cell, ...]:
    found = score(facts.journeys, measure, period)
    begins, ends = period.begins_on, period.ends_on
    spread = found.spread
    words = f"{begins.day} {begins:%B %Y} to {ends.day} {ends:%B %Y}"
    return (
        *(words, spread.count + found.unknown, found.unknown, told_or(spread.average, NONE), found.threshold),
        *(found.within, told_or(spread.median, NONE), told_or(spread.ninetieth, NONE)),
    )


def _stages(facts: _Facts) -> Figure:
    days = {stage: [t.days for t in facts.timed if t.stage is stage and facts.within(t.left_on)] for stage in Stage}
    return _compared(
        facts,
        name="stages",
        title="Days at each stage",
        note=f"Links that left the stage in these three years. {METHOD} {_NOT_COUNTED}",
        first="Stage",
        rows=[(stage.label, spread_of(days[stage]), facts.told("stage", stage)) for stage in Stage],
    )


def _stage_trend(facts: _Facts, stage: Stage) -> Figure:
    def spread(quarter: Quarter) -> Spread:
        return spread_of(
            each.days for each in facts.timed if each.stage is stage and quarter_of(each.left_on) == quarter
        )

    return _trend(facts, name=stage.value, title=stage.label, kind="stage", spread=spread)


def _measure_trend(facts: _Facts, measure: Measure) -> Figure:
    def spread(quarter: Quarter) -> Spread:
        days = (
            days_of(each, measure)
            for each in facts.journeys
            if (end := each.between(measure)[1]) is not None and quarter_of(end) == quarter
        )
        return spread_of(each for each in days if each is not None)

    return _trend(facts, name=measure.value, title=measure.label, kind="measure", spread=spread)


def _trend(facts: _Facts, *, name: str, title: str, kind: str, spread: Callable[[Quarter], Spread]) -> Figure:
    return _compared(
        facts,
        name=name,
        title=title,
        note=f"By the quarter in which it ended. {METHOD}",
        first="Quarter",
        rows=[(each.label, spread(each), facts.told(kind, name, each)) for each in facts.quarters],
        shared=name != Measure.A10,
        counted="Children" if kind == "measure" else "Links",
    )


def _compared(
    facts: _Facts,
    *,
    name: str,
    title: str,
    note: str,
    first: str,
    rows: Sequence[tuple[str, Spread, Told]],
    shared: bool = True,
    counted: str = "Links",
) -> Figure:
    """Return a table of days with columns of one's own and of the consortium, as far as there are any."""
    own = (counted, "Median", "90th percentile") if facts.own else ()
    all_of = (f"Consortium’s {counted.lower()}", "Consortium’s median", "Consortium’s 90th percentile")
    lines = [
        (
            label,
            *((spread.count, told_or(spread.median, NONE), told_or(spread.ninetieth, NONE)) if facts.own else ()),
            *(_told_row(told) if shared else ()),
        )
        for label, spread, told in rows
    ]
    return Figure(
        name=name,
        title=title,
        note=f"{note} {_TOLD}" if shared else f"{note} The consortium has none: the day of entering care is sealed.",
        headings=(first, *own, *(all_of if shared else ())),
        rows=tuple(lines),
        drawn=tuple(column for column, there in ((2, facts.own), (5 if facts.own else 2, shared)) if there),
        unit="days",
    )


def _told_row(told: Told) -> tuple[Cell, ...]:
    if told.links == 0:
        return 0, NONE, NONE
    return tuple(told_or(each, FEW) for each in told)


def _waiting_groups(session: Session, facts: _Facts) -> Figure:
    own, names = scope_of(session).agency_id, agency_names(session)
    shown = list_waiting_groups(session, own_agency=own if facts.own else None)
    return Figure(
        name="waiting-groups",
        title="Sibling groups who wait longest",
        note=_waiting_note(len(shown), "groups", own=facts.own),
        headings=("Group", "Agency", "Days"),
        rows=tuple(
            (
                each.code,
                names.get(each.agency_id, "Another agency"),
                told_or(days_waiting(each.waiting_since, facts.on), "not known"),
            )
            for each in shown[:LONGEST]
        ),
        drawn=(2,),
        unit="days",
    )


def _waiting_households(session: Session, facts: _Facts) -> Figure:
    own, names = scope_of(session).agency_id, agency_names(session)
    query = households(own_agency=own if facts.own else None, status=HouseholdStatus.WAITING)
    shown = list(session.scalars(query))
    return Figure(
        name="waiting-households",
        title="Households who wait longest",
        note=f"{_waiting_note(len(shown), 'households', own=facts.own)} Days since their approval.",
        headings=("Household", "Agency", "Days"),
        rows=tuple(
            (
                each.code,
                names.get(each.agency_id, "Another agency"),
                told_or(days_waiting(each.approved_on, facts.on), "not known"),
            )
            for each in shown[:LONGEST]
        ),
        drawn=(2,),
        unit="days",
    )


def _waiting_note(number: int, what: str, *, own: bool) -> str:
    whose = "Your agency’s" if own else "Of what members share, the"
    return f"{whose} {what} that wait today: {number}, of whom the first {LONGEST} are listed."


def _funnel(facts: _Facts) -> Figure:
    years = [(facts.quarters[k].begins, facts.quarters[k + 3].ends) for k in (0, 4, 8)] if facts.own else []
    begun = [course for course in facts.courses if facts.within(course.started_on)]
    rows: list[tuple[Cell, ...]] = []
    for state in WAY:
        reached = [course for course in begun if state in course.reached]
        own = [sum(begins <= course.started_on < ends for course in reached) for begins, ends in years]
        told = told_or(facts.told("reached", state).links, FEW)
        rows.append((state.label, *own, *((len(reached),) if facts.own else ()), told))
    return Figure(
        name="funnel",
        title="From interest to adoption order",
        note=f"Links by when they began, and how many of them came to each state. {_TOLD}{_sealed(facts)}",
        headings=(
            "State",
            *(f"Begun in the year from {begins.day} {begins:%B %Y}" for begins, _ in years),
            *(("All three years",) if facts.own else ()),
            "Consortium, all three years",
        ),
        rows=tuple(rows),
        drawn=(4, 5) if facts.own else (1,),
    )


def _sealed(facts: _Facts) -> str:
    known = {course.link_id for course in facts.courses}
    number = sum(each.id not in known for each in facts.placed if facts.within(each.ordered_on))
    return f" Sealed adoptions are not in it: {number} with an order in these three years." if number else ""


def _endings(facts: _Facts) -> Figure:
    ended = Counter(course.outcome for course in facts.courses if facts.within(course.ended_on))
    return Figure(
        name="endings",
        title="Why links end",
        note=f"Links that ended before a placement in these three years. {_TOLD}",
        headings=("Why", *(("Links",) if facts.own else ()), "Consortium’s links"),
        rows=tuple(
            (
                each.label,
                *((ended[each],) if facts.own else ()),
                told_or(facts.told("ended", each).links, FEW),
            )
            for each in LinkOutcome
        ),
        drawn=(1, 2) if facts.own else (1,),
    )
