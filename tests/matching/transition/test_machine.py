"""Two agencies, a decision maker and a coordinator act at random, beside a plain model of what must come of it.

The model knows nothing of the program: its table is written anew, by the guidance’s path of a match.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matching.availability_check import confirm_availability
from matching.document import Document
from matching.grant import DocumentGrant
from matching.household import Household, HouseholdIdentity, get_household
from matching.legal_hold import HoldKind, LegalHold, list_legal_holds
from matching.link import (
    Link,
    LinkDay,
    LinkOutcome,
    LinkPath,
    LinkStep,
    MatchDecision,
    StepName,
    decide_match,
    decisions_of,
    find_open_link,
    get_link,
    list_steps,
)
from matching.link_message import LinkMessage
from matching.link_note import LinkNote
from matching.meeting import arrange_meeting
from matching.panel.paper import PanelPaper
from matching.placement.placement import Placement, find_placement
from matching.placement.plan import Plan, set_plan
from matching.ranking.facts import LegalPosition
from matching.sibling_group import Child, ChildIdentity, get_group, list_waiting_groups
from matching.transition import StepFacts, change_plan, lift_legal_hold, set_legal_hold, start_link, take
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import DomainError
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, WITHOUT_PAPERS

CAP = 2
WAY = (
    *("interest", "considering", "shortlisted", "visiting", "linking_meeting", "panel", "matched", "introductions"),
    *("placed", "ordered"),
)
STEP_OF = {
    "interest": StepName.CONSIDER,
    "considering": StepName.SHORTLIST,
    "shortlisted": StepName.VISIT,
    "visiting": StepName.MEET,
    "linking_meeting": StepName.GO_TO_PANEL,
    "panel": StepName.MATCH,
    "matched": StepName.INTRODUCE,
    "introductions": StepName.PLACE,
    "placed": StepName.ORDER,
}
STEPS = (*STEP_OF.values(), StepName.DISRUPT, StepName.END, StepName.NAME_CARER, StepName.STEP_BACK)
OF_PEOPLE = (Link, LinkStep, LinkDay, MatchDecision, LinkNote, LinkMessage, Placement, PanelPaper, LegalHold)
"""What is told of links, and what is beyond the profile: never the consortium office's."""
IDENTITIES = (ChildIdentity, HouseholdIdentity, Document, DocumentGrant)
_POSITIONS = {True: LegalPosition.ORDER_GRANTED, False: LegalPosition.UNKNOWN}
NUMBERS = st.integers(0, 2)
SIDES = st.sampled_from(["children", "family"])


@dataclass
class Pair:
    """What the model knows of one link: its state, who began it, what was decided, what is agreed."""

    state: str
    starter: str
    carer: bool = False
    approved: bool | None = None
    decided: int = 0
    planned: bool = False
    steps: int = 1
    back: bool = False
    """Whether the last move took a step back: then there is no other to take back."""

    @property
    def place(self) -> int:
        """Return how far along the way it is; -1 once it is off it."""
        return WAY.index(self.state) if self.state in WAY else -1

    @property
    def open(self) -> bool:
        return 0 <= self.place < 9

    @property
    def exclusive(self) -> bool:
        return self.place >= 5


@dataclass
class Model:
    """One group, three families of the other agency, and what is on record of the children."""

    shobpa: bool = True
    order: bool = True
    held: bool = False
    unborn: bool = False
    withdrawn: bool = False
    group: str = "waiting"
    households: list[str] = field(default_factory=lambda: ["waiting"] * 3)
    """What each record says of whether it looks for a match."""
    pairs: dict[int, list[Pair]] = field(default_factory=lambda: {0: [], 1: [], 2: []})

    def last(self, number: int) -> Pair | None:
        return self.pairs[number][-1] if self.pairs[number] else None

    def others(self, number: int) -> list[Pair]:
        mine = self.last(number)
        return [pair for pairs in self.pairs.values() for pair in pairs if pair is not mine]

    def may(self, number: int, side: str, step: StepName) -> str | None:
        """Return the state that a step leads to, or nothing where it must be refused."""
        pair = self.last(number)
        if pair is None or not pair.open:
            return None
        target, holds, whose = self._row(number, pair, step)
        return target if holds and whose in ("either", side) else None

    def _row(self, number: int, pair: Pair, step: StepName) -> tuple[str, bool, str]:
        wanted = not self.withdrawn
        alone = not any(other.exclusive for other in self.others(number))
        # Children with a family look for no other; after a disruption, or an end, they do again.
        looking = wanted and not any(6 <= other.place <= 9 for other in self.others(number))
        ready = wanted and pair.approved is True
        move_in = ready and self.order and not self.held and not self.unborn and pair.planned
        considered = sum(1 <= other.place <= 7 for other in self.others(number))
        other_side = "family" if pair.starter == "children" else "children"
        rows: dict[tuple[str, StepName], tuple[str, bool, str]] = {
            ("interest", StepName.CONSIDER): ("considering", looking and considered < CAP, other_side),
            ("considering", StepName.SHORTLIST): ("shortlisted", looking, "children"),
            ("shortlisted", StepName.VISIT): ("visiting", looking and not pair.carer, "children"),
            ("shortlisted", StepName.MEET): ("linking_meeting", looking and pair.carer, "children"),
            ("visiting", StepName.MEET): ("linking_meeting", looking, "children"),
            ("linking_meeting", StepName.GO_TO_PANEL): ("panel", wanted and self.shobpa and alone, "children"),
            ("panel", StepName.MATCH): ("matched", ready and self.shobpa and alone, "children"),
            ("matched", StepName.INTRODUCE): ("introductions", ready and not pair.carer, "children"),
            ("matched", StepName.PLACE): ("placed", move_in and pair.carer, "children"),
            ("introductions", StepName.PLACE): ("placed", move_in, "children"),
            ("placed", StepName.ORDER): ("ordered", True, "children"),
            ("placed", StepName.DISRUPT): ("disrupted", True, "children"),
            ("considering", StepName.STEP_BACK): ("interest", not pair.back, other_side),
            ("shortlisted", StepName.STEP_BACK): ("considering", not pair.back, "children"),
            ("visiting", StepName.STEP_BACK): ("shortlisted", not pair.back, "children"),
            ("linking_meeting", StepName.STEP_BACK): ("visiting", not (pair.back or pair.carer), "children"),
            ("panel", StepName.STEP_BACK): ("linking_meeting", not (pair.back or pair.decided), "children"),
            ("introductions", StepName.STEP_BACK): ("matched", not pair.back, "children"),
        }
        if step is StepName.END:
            return "ended", pair.place <= 7, "either"
        if step is StepName.NAME_CARER:
            # Who fosters the children already is named before anybody visits.
            possible = 1 <= pair.place <= 4 and not pair.carer and looking and not self.unborn
            return pair.state, possible, "children"
        return rows.get((pair.state, step), ("", False, "either"))

    def move(self, number: int, pair: Pair, step: StepName, target: str) -> None:
        """Take a link on, or back, with what it means for its two records."""
        matched = 6 <= pair.place <= 8
        if target != pair.state:
            pair.back = step is StepName.STEP_BACK
        if step is StepName.MATCH:
            self.group, self.households[number] = "matched", "matched"
        elif matched and target in ("ended", "disrupted"):
            if self.group == "matched":
                self.group = "waiting" if target == "ended" else "on_hold"
            if self.households[number] == "matched":
                self.households[number] = "on_hold"
        pair.state, pair.steps = target, pair.steps + 1
        pair.carer = pair.carer or step is StepName.NAME_CARER


class TestMachine:
    def test_does_what_the_model_says_whoever_acts_and_in_whatever_order(
        self, factories: Factories, database: Database
    ) -> None:
        class Machine(_Machine):
            pass

        Machine.factories, Machine.database = factories, database
        few = settings(
            max_examples=6,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        )
        run_state_machine_as_test(Machine, settings=few)

    def test_can_come_all_the_way(self, factories: Factories, database: Database) -> None:
        """The model would agree with a program that refused everything; so one way is walked to its end."""
        machine = _Machine
        machine.factories, machine.database = factories, database
        walked = machine()
        walked.begin()
        walked.start(0, "family")
        for _ in range(4):
            walked.go_on(0)
        walked.go_on(0)
        walked.decide(0, approved=True)
        walked.go_on(0)
        walked.agree(0)
        for _ in range(3):
            walked.go_on(0)
            walked.agrees()

        assert walked.model.last(0) == Pair("ordered", "family", approved=True, decided=1, planned=True, steps=len(WAY))


class _Machine(RuleBasedStateMachine):
    factories: Factories
    database: Database

    @initialize()
    def begin(self) -> None:
        consortium_id = self.factories.consortium(group_cap=CAP)
        self.model = Model()
        self.sides = {name: self.factories.tenant(consortium_id) for name in ("children", "family")}
        kind, roles = AgencyKind.CONSORTIUM_OFFICE, frozenset({Role.COORDINATOR})
        self.office = self.factories.tenant(consortium_id, kind=kind, roles=roles)
        self.group_id = self.factories.group(self.sides["children"])
        self.households = [self.factories.household(self.sides["family"]) for _ in range(3)]
        self.links: dict[int, list[UUID]] = {0: [], 1: [], 2: []}

    @rule(number=NUMBERS, side=SIDES)
    def start(self, number: int, side: str) -> None:
        def act(session: Session) -> None:
            group, household = get_group(session, self.group_id), get_household(session, self.households[number])
            link = start_link(session, group=group, household=household, reason="They may fit.", now=utc_now())
            self.links[number].append(link.id)

        last = self.model.last(number)
        # What is over leaves the way free; what led to an order or a placement that stands is open or over too.
        possible = not self.model.withdrawn and not (last and last.open)
        if self._done(side, act, possible):
            self.model.pairs[number].append(Pair("interest", side))

    @precondition(lambda self: any(self.links.values()))
    @rule(number=NUMBERS, side=SIDES, step=st.sampled_from(STEPS))
    def act(self, number: int, side: str, step: StepName) -> None:
        self._step(number, side, step)

    @rule(number=NUMBERS)
    def go_on(self, number: int) -> None:
        """Take the next step of the way, by whom it belongs to: chance alone seldom comes far."""
        pair = self.model.last(number)
        if pair is not None and pair.open:
            step = StepName.PLACE if pair.carer and pair.state == "matched" else STEP_OF[pair.state]
            step = StepName.MEET if pair.carer and pair.state == "shortlisted" else step
            other = "family" if pair.starter == "children" else "children"
            self._step(number, other if pair.state == "interest" else "children", step)

    @precondition(lambda self: any(self.links.values()))
    @rule(number=NUMBERS, side=SIDES, step=st.sampled_from(STEPS))
    def act_on_an_older_page(self, number: int, side: str, step: StepName) -> None:
        def act(session: Session) -> None:
            link = get_link(session, self.links[number][-1])
            take(session, link, step, version=link.version - 1, facts=_facts(step), now=utc_now())

        if self.links[number]:
            assert not self._done(side, act, possible=False)

    @rule(number=NUMBERS, approved=st.booleans())
    def decide(self, number: int, approved: bool) -> None:
        pair = self.model.last(number)

        def act(session: Session) -> None:
            link = get_link(session, self.links[number][-1])
            facts: dict[str, Any] = {
                "decided_on": TODAY,
                "reason": "Their needs.",
                "earlier": pair.decided if pair else 0,
            }
            decide_match(session, link, approved=approved, now=utc_now(), **facts)

        if pair is None:
            return
        assert not self._done("family", act, possible=False)
        if self._done("children", act, pair.state == "panel"):
            pair.approved, pair.decided = approved, pair.decided + 1

    @rule(number=NUMBERS)
    def agree(self, number: int) -> None:
        """Agree the plan of a placement, where there is one."""
        pair = self.model.last(number)
        if pair is None or pair.state not in ("matched", "introductions"):
            return
        with transaction(self.database, self.sides["children"]) as session:
            placement = find_placement(session, self.links[number][-1])
            assert placement is not None
            plan = Plan(plan_meeting_on=TODAY, plan_sent_on=TODAY, plan_agreed_on=TODAY)
            set_plan(session, placement, plan, version=placement.version, now=utc_now())
        pair.planned = True

    @rule(shobpa=st.booleans(), order=st.booleans(), unborn=st.booleans())
    def record(self, shobpa: bool, order: bool, unborn: bool) -> None:
        """Put on record what a sheet would: the decision, the order, a birth."""
        with transaction(self.database, self.sides["children"]) as session:
            group = get_group(session, self.group_id)
            group.shobpa_on = TODAY if shobpa else None
            group.placement_order_on = TODAY if order else None
            group.legal_position = _POSITIONS[order]
            session.scalars(select(Child).where(Child.sibling_group_id == group.id)).one().unborn = unborn
        self.model.shobpa, self.model.order, self.model.unborn = shobpa, order, unborn

    @rule()
    def hold_or_lift(self) -> None:
        with transaction(self.database, self.sides["children"]) as session:
            group = get_group(session, self.group_id)
            if self.model.held:
                for hold in list_legal_holds(session, group.id, standing=True):
                    lift_legal_hold(session, hold, reason="Refused.", now=utc_now())
            else:
                set_legal_hold(session, group, kind=HoldKind.STAY, from_on=TODAY, reason="A stay.", now=utc_now())
        self.model.held = not self.model.held
        for pairs in self.model.pairs.values():
            for pair in pairs:
                pair.steps += 0 <= pair.place <= 7

    @precondition(lambda self: sum(map(len, self.links.values())) > 2)
    @rule(side=SIDES)
    def change_the_plan(self, side: str) -> None:
        def act(session: Session) -> None:
            change_plan(session, get_group(session, self.group_id), reason="Home.", feedback="Thanks.", now=utc_now())

        every = [pair for pairs in self.model.pairs.values() for pair in pairs]
        placed = any(pair.state == "placed" for pair in every)
        if self._done(side, act, side == "children" and not placed and not self.model.withdrawn):
            for number, pairs in self.model.pairs.items():
                for pair in pairs:
                    if pair.open:
                        self.model.move(number, pair, StepName.END, "ended")
            self.model.withdrawn, self.model.group = True, "withdrawn"

    @rule(number=NUMBERS, available=st.booleans())
    def say_whether_a_family_is_free(self, number: int, available: bool) -> None:
        """Its own worker says so; while its match stands nobody does."""
        matched = any(6 <= pair.place <= 9 for pair in self.model.pairs[number])

        def act(session: Session) -> None:
            household = get_household(session, self.households[number])
            confirm_availability(session, household, available=available, considered_for=0, now=utc_now())

        if self._done("family", act, not (available and matched)):
            self.model.households[number] = "waiting" if available else "on_hold"

    @rule(number=NUMBERS, step=st.sampled_from(STEPS), doing=st.sampled_from(["step", "start", "decide", "hold"]))
    def act_as_the_coordinator(self, number: int, step: StepName, doing: str) -> None:
        """The consortium office works beside the two agencies, and has no part in any of their links."""
        now, ids = utc_now(), [link_id for ids in self.links.values() for link_id in ids]

        def act(session: Session) -> None:
            group, household = get_group(session, self.group_id), get_household(session, self.households[number])
            if doing == "start":
                start_link(session, group=group, household=household, reason="They may fit.", now=now)
            elif doing == "hold":
                set_legal_hold(session, group, kind=HoldKind.STAY, from_on=TODAY, reason="A stay.", now=now)
            link = get_link(session, ids[-1] if ids else self.group_id)
            if doing == "decide":
                decide_match(session, link, approved=True, decided_on=TODAY, reason="Their needs.", now=now)
            take(session, link, step, version=link.version, facts=_facts(step), now=now)

        with pytest.raises(DomainError), transaction(self.database, self.office) as session:
            act(session)
        with transaction(self.database, self.office) as session:
            arrange_meeting(session, title="November", held_on=TODAY, place="Sample Hall", now=now)
            for model in (*OF_PEOPLE, *IDENTITIES):
                assert session.scalar(select(func.count()).select_from(model)) == 0

    @invariant()
    def agrees(self) -> None:
        """Hold what both agencies see against the model."""
        if not hasattr(self, "model"):
            return
        for side in self.sides.values():
            with transaction(self.database, side) as session:
                for number, ids in self.links.items():
                    for link_id, pair in zip(ids, self.model.pairs[number], strict=True):
                        self._agree_on(session, get_link(session, link_id), pair)
                self._agree_on_records(session)
                exclusive = [pair for pairs in self.model.pairs.values() for pair in pairs if pair.exclusive]
                assert len(exclusive) <= 1

    def _agree_on(self, session: Session, link: Link, pair: Pair) -> None:
        steps = list_steps(session, link)
        assert link.state.value == pair.state
        assert [step.version for step in steps] == list(range(link.version, 0, -1))
        assert link.version == pair.steps
        assert (link.path is LinkPath.FOSTER_CARER) is pair.carer
        assert (link.outcome is not None) is (link.feedback is not None) is (pair.state == "ended")
        assert len(decisions_of(session, [link]).get(link.id, [])) == pair.decided
        found = find_open_link(session, group_id=link.sibling_group_id, household_id=link.household_id)
        assert (found is not None and found.id == link.id) is pair.open

    def _agree_on_records(self, session: Session) -> None:
        """Hold what lists are made of against the model: who looks for a match, and nobody else, waits."""
        found = {each.id: each.status.value for each in session.scalars(select(Household))}
        assert [found[household_id] for household_id in self.households] == self.model.households
        waits = get_group(session, self.group_id)
        assert waits.status.value == self.model.group
        assert (self.group_id in {each.id for each in list_waiting_groups(session)}) is (self.model.group == "waiting")

    def _step(self, number: int, side: str, step: StepName) -> None:
        if not self.links[number]:
            return
        target = self.model.may(number, side, step)

        def act(session: Session) -> None:
            link = get_link(session, self.links[number][-1])
            take(session, link, step, version=link.version, facts=_facts(step), now=utc_now())

        if self._done(side, act, target is not None):
            pair = self.model.last(number)
            assert pair is not None
            assert target is not None
            self.model.move(number, pair, step, target)

    def _done(self, side: str, act: Callable[[Session], None], possible: bool) -> bool:
        tenant: Tenant = self.sides[side]
        if possible:
            with transaction(self.database, tenant) as session:
                act(session)
            return True
        with pytest.raises(DomainError), transaction(self.database, tenant) as session:
            act(session)
        return False


def _facts(step: StepName) -> StepFacts:
    passed = WITHOUT_PAPERS if step is StepName.GO_TO_PANEL else None
    return StepFacts("It is time.", day=TODAY, override=passed, outcome=LinkOutcome.OTHER, feedback="Thank you.")
