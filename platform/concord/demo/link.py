"""The demonstration's links: children and families of different agencies, each as far on the way as the plan says.

Every step is taken by the invented person whose it is, on a day of the past. Who and how far is the plan's; which group
and family is found in the ranking, so that each is a link that somebody might make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from concord.demo.cast import Cast, acting
from concord.demo.fee import keep_tariffs, limits_set, set_limits, sign_fee
from matching.household import get_household, list_waiting_households
from matching.link import WAY, DayKind, Link, LinkOutcome, LinkState, LinkStep, StepName, decide_match, get_link
from matching.panel.paper import Finding, write_minutes
from matching.panel.reader import PanelRole, name_reader
from matching.placement.placement import get_placement
from matching.placement.plan import Plan, set_plan
from matching.pool import PoolEntry, Stage
from matching.ranking_run import open_pool
from matching.sibling_group import SiblingGroup, get_group, list_children, list_waiting_groups
from matching.swap.group import Terms, agree, list_swap_groups, make_swap_group
from matching.swap.rule import SwapRule
from matching.transition import StepFacts, end_link, note_day, start_link, take
from tenants.database import Database, scope_of
from tenants.role import Role

SWAP_GROUP = "Swaps of children under three"
SHOWN = "devon"
"""The agency whose last thing to be made says that all was."""
SWAPPERS = ("cornwall", "devon", "somerset")
_STEP_DAYS = 9
_MINUTED = 8
"""How many days after a link goes to panel the minutes are written, before the decision."""
_UNDER_THREE, _OVER_THREE = timedelta(days=1_050), timedelta(days=1_130)
_AHEAD = {LinkState.VISITING: 5, LinkState.PANEL: 6, LinkState.INTRODUCTIONS: 2}
"""How many days before they are the days of a step are arranged."""
_STEPS = {
    LinkState.CONSIDERING: (StepName.CONSIDER, "The family would like to hear more about the children."),
    LinkState.SHORTLISTED: (StepName.SHORTLIST, "One of the families who fit best, after reading their profile."),
    LinkState.VISITING: (StepName.VISIT, "Both workers think that it is time to meet."),
    LinkState.LINKING_MEETING: (StepName.MEET, "The visit went well on both sides."),
    LinkState.PANEL: (StepName.GO_TO_PANEL, "The linking meeting agreed to go forward with this family."),
    LinkState.MATCHED: (StepName.MATCH, "The decision maker has approved the match."),
    LinkState.INTRODUCTIONS: (StepName.INTRODUCE, "The plan is agreed, and the family has prepared."),
    LinkState.PLACED: (StepName.PLACE, "Introductions went well, and the midpoint review agreed."),
}
_OVERRIDES = {LinkState.PANEL: "The papers are ready, and are put before panel in the days to come."}


@dataclass(frozen=True, slots=True)
class DemoLink:
    """Whose children, whose family, how far the link has come, and how many days ago it came there."""

    children: str
    family: str
    state: LinkState
    ago: int
    reason: str
    under_three: bool | None = None
    """Whether every child was under three on moving in, or one was older; where it does not matter, ``None``."""

    @property
    def way(self) -> tuple[LinkState, ...]:
        """Return the states that it goes through before it ends, the first first."""
        return WAY[: 2 if self.state is LinkState.ENDED else WAY.index(self.state) + 1]

    def at(self, now: datetime, state: LinkState) -> datetime:
        """Return when it came to one of these states."""
        return now - timedelta(days=self.ago + _STEP_DAYS * (len(self.way) - 1 - WAY.index(state)))


S = LinkState
LINKS = (
    DemoLink("devon", "somerset", S.PLACED, 40, "They have room for a little one, and live near the sea.", True),
    DemoLink("somerset", "cornwall", S.PLACED, 55, "They have raised school-age children before.", False),
    DemoLink("gloucestershire", "devon", S.MATCHED, 6, "They know this kind of start in life from their own work."),
    DemoLink("devon", "dorset", S.PANEL, 10, "They ask for just such children, and have family close by."),
    DemoLink("devon", "cornwall", S.VISITING, 2, "They can keep up what the children love doing."),
    DemoLink("devon", "gloucestershire", S.SHORTLISTED, 4, "They have a parent at home, as the plan asks."),
    DemoLink("devon", "families-for-children", S.CONSIDERING, 5, "Their preparation covered what the children need."),
    DemoLink("devon", "wiltshire", S.INTEREST, 2, "They may well fit; more would have to be asked."),
    DemoLink("bristol", "devon", S.INTEREST, 1, "The first family on the children’s list."),
    DemoLink("devon", "bristol", S.ENDED, 9, "Their worker spoke of them at the last meeting."),
)


def make_links(database: Database, cast: Cast, *, office: str, now: datetime) -> int:
    """Make tariffs and the swap group, then the links that are not there yet; return how many were made or led on.

    A pair that the pool does not have is left out. Once the last thing is there, a limit, nothing more is made.
    """
    if limits_set(database, cast, SHOWN):
        return 0
    keep_tariffs(database, cast, office=office, now=now)
    with acting(database, cast(office, Role.COORDINATOR)) as session:
        made_before = bool(list_swap_groups(session))
    if not made_before:
        _make_swap_group(database, cast, office, now=now)
    made = lead_links(database, cast, LINKS, now=now)
    set_limits(database, cast, SHOWN, now=now)
    return made


def lead_links(
    database: Database,
    cast: Cast,
    plans: Sequence[DemoLink],
    *,
    now: datetime,
    besides: Sequence[DemoLink] = (),
    signer: Role = Role.FINANCE_OFFICER,
) -> int:
    """Make the links that are not there yet, and lead each on as far as its plan says; return how many there are.

    :param besides: links whose children and families are none of these.
    :param signer: who signs the fee agreement on each side.
    """
    made, taken = 0, set[UUID]()
    for plan in (*besides, *plans):
        with acting(database, cast(plan.children, Role.FAMILY_FINDER)) as session:
            link = _find(session, plan)
            if link is None and plan in plans:
                link = _start(session, plan, cast, taken, now=now)
            link_id = link.id if link else None
            taken |= {link.sibling_group_id, link.household_id} if link else set()
        if link_id is not None and plan in plans:
            _lead(database, cast, plan, link_id, signer=signer, now=now)
            made += 1
    return made


def _find(session: Session, plan: DemoLink) -> Link | None:
    begun = select(LinkStep.link_id).where(LinkStep.step == StepName.START, LinkStep.reason == plan.reason)
    return session.scalar(select(Link).where(Link.id.in_(begun)).limit(1))


def _start(session: Session, plan: DemoLink, cast: Cast, taken: set[UUID], *, now: datetime) -> Link | None:
    family_agency = cast(plan.family, Role.ADOPTERS_WORKER).agency_id
    groups = _list_groups(session, plan, taken, now=now)
    households = [
        each for each in list_waiting_households(session) if each.agency_id == family_agency and each.id not in taken
    ]
    if not (groups and households):
        return None
    ranking = open_pool(session, as_of=now.date(), of_groups=groups, of_households=households).rank(1)
    for place, group in enumerate(groups):
        for family in ranking.families_of(place):
            household = get_household(session, households[family.household].id)
            began = plan.at(now, LinkState.INTEREST)
            return start_link(
                session, group=get_group(session, group.id), household=household, reason=plan.reason, now=began
            )
    return None


def _list_groups(session: Session, plan: DemoLink, taken: set[UUID], *, now: datetime) -> list[SiblingGroup]:
    """Return the children's agency's groups that both sides see, with an order as early as the link asks."""
    began, moved = plan.at(now, LinkState.INTEREST).date(), plan.at(now, plan.way[-1]).date()
    shared = set(
        session.scalars(
            select(PoolEntry.sibling_group_id).where(PoolEntry.stage != Stage.IN_HOUSE, PoolEntry.held.is_(False))
        )
    )
    own = list_waiting_groups(session, own_agency=scope_of(session).agency_id)
    ready = [
        each
        for each in own
        if each.id in shared - taken
        and (each.shobpa_on or date.max) <= began
        and (each.placement_order_on or date.max) <= began
    ]
    children = list_children(session, [each.id for each in ready])
    return [each for each in ready if _fits(plan, [child.birth_month for child in children[each.id]], moved)]


def _fits(plan: DemoLink, born: list[date | None], moved: date) -> bool:
    if plan.under_three is None:
        return True
    ages = [moved - month for month in born if month is not None]
    if len(ages) < len(born):
        return False
    return max(ages) < _UNDER_THREE if plan.under_three else max(ages) > _OVER_THREE


def _lead(database: Database, cast: Cast, plan: DemoLink, link_id: UUID, *, signer: Role, now: datetime) -> None:
    finder = cast(plan.children, Role.FAMILY_FINDER)
    worker = cast(plan.family, Role.ADOPTERS_WORKER)
    with acting(database, finder) as session:
        state = get_link(session, link_id).state
    if state not in plan.way:
        return
    for target in plan.way[plan.way.index(state) + 1 :]:
        if target is LinkState.MATCHED:
            with acting(database, cast(plan.children, Role.DECISION_MAKER)) as session:
                _decide(session, get_link(session, link_id), at=plan.at(now, target) - timedelta(days=1))
        with acting(database, worker if target is LinkState.CONSIDERING else finder) as session:
            _take(session, get_link(session, link_id), target, at=plan.at(now, target))
            if target is LinkState.PANEL:
                held = plan.at(now, target) + timedelta(days=_MINUTED)
                _put_before_panel(session, get_link(session, link_id), cast, plan, at=held)
        if target is LinkState.MATCHED:
            # Of a match that has come no further, the children's agency has still to sign.
            sides = (plan.family, plan.children) if plan.state is LinkState.PLACED else (plan.family,)
            for slug in sides:
                sign_fee(database, cast(slug, signer), link_id, at=plan.at(now, target) + timedelta(days=2))
    if plan.state is LinkState.ENDED:
        with acting(database, worker) as session:
            _end(session, get_link(session, link_id), at=now - timedelta(days=plan.ago - 1))


def _take(session: Session, link: Link, target: LinkState, *, at: datetime) -> None:
    name, reason = _STEPS[target]
    day = _on_weekday(at.date() + timedelta(days=_AHEAD[target])) if target in _AHEAD else at.date()
    take(
        session,
        link,
        name,
        version=link.version,
        facts=StepFacts(reason, day=day, override=_OVERRIDES.get(target)),
        now=at,
    )
    if target is LinkState.LINKING_MEETING:
        note_day(session, link, kind=DayKind.REPORT_GIVEN, day=at.date(), now=at)
    if target is LinkState.MATCHED:
        note_day(session, link, kind=DayKind.TOLD_ORALLY, day=at.date(), now=at)
        note_day(session, link, kind=DayKind.TOLD_IN_WRITING, day=at.date(), now=at)
        _agree_plan(session, link, at=at + timedelta(days=3))


def _put_before_panel(session: Session, link: Link, cast: Cast, plan: DemoLink, *, at: datetime) -> None:
    """Name the decision maker to read the papers, and keep what the panel recommended."""
    decider = cast(plan.children, Role.DECISION_MAKER).person_id
    if decider is not None:
        name_reader(session, link, person_id=decider, role=PanelRole.DECISION_MAKER, now=at)
    words = "The panel heard both workers and the family. It recommends the match: their strengths meet what is asked."
    write_minutes(session, link, finding=Finding.RECOMMENDED, words=words, now=at)
    note_day(session, link, kind=DayKind.MINUTES_FINAL, day=at.date(), now=at)


def _decide(session: Session, link: Link, *, at: datetime) -> None:
    reason = "Having read the minutes and the papers: the family can meet the children’s needs for life."
    decide_match(session, link, approved=True, decided_on=at.date(), reason=reason, now=at)


def _agree_plan(session: Session, link: Link, *, at: datetime) -> None:
    placement, day = get_placement(session, link.id), at.date()
    plan = Plan(
        plan_meeting_on=day - timedelta(days=2),
        plan_sent_on=day - timedelta(days=1),
        plan_agreed_on=day,
        introductions_on=_on_weekday(day + timedelta(days=7)),
        midpoint_review_on=_on_weekday(day + timedelta(days=10)),
        moving_in_on=_on_weekday(day + timedelta(days=14)),
    )
    set_plan(session, placement, plan, version=placement.version, now=at)


def _end(session: Session, link: Link, *, at: datetime) -> None:
    end_link(
        session,
        link,
        outcome=LinkOutcome.FAMILY_WITHDREW,
        feedback="The profile said little of the nights, which is what the family asked about first.",
        version=link.version,
        reason="They thank you, and feel that they are not the right family.",
        now=at,
    )


def _make_swap_group(database: Database, cast: Cast, office: str, *, now: datetime) -> None:
    made, agreed = now - timedelta(days=200), now - timedelta(days=180)
    with acting(database, cast(office, Role.COORDINATOR)) as session:
        terms = Terms(SWAP_GROUP, SwapRule(begins_on=made.date().replace(day=1), ends_on=None))
        members = {cast(slug, Role.MANAGER).agency_id for slug in SWAPPERS}
        make_swap_group(session, terms, agency_ids={each for each in members if each is not None}, now=made)
    for slug in SWAPPERS:
        with acting(database, cast(slug, Role.MANAGER)) as session:
            group = next(each for each in list_swap_groups(session) if each.name == SWAP_GROUP)
            agree(session, group, now=agreed)


def _on_weekday(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)
