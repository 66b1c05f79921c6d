"""The one table of transitions: from where, to where, who may, what must hold, and what it brings about.

A guard or an effect of another module is hung on its row here. Nothing else moves a link.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from matching.fee import effect as fee
from matching.link import BEFORE_PLACED, WAY, DayKind, Link, LinkState, StepName
from matching.panel.guard import papers_ready
from matching.placement import effect as placement
from matching.transition import back, effect, guard
from matching.transition.fact import StepFacts
from matching.transition.guard import Guard
from matching.transition.settle import look_again, look_for_nobody
from tenants.permission import Verb

Effect = Callable[[Session, Link, StepFacts, datetime], None]


class Taker(StrEnum):
    """Which side of a link may take a step."""

    EITHER = "either side"
    OTHER = "the side that did not start it"
    CHILDREN = "the children’s agency"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. Without a ``target`` the link stays at its state, and the step is a line of its history."""

    step: StepName
    sources: Set[LinkState]
    target: LinkState | None
    taker: Taker
    verb: Verb
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    day: DayKind | None = None
    """The day that whoever takes the step says."""


def _only(state: LinkState) -> frozenset[LinkState]:
    return frozenset({state})


S, T = StepName, Taker
_INTEREST, _CONSIDERING, _SHORTLISTED, _VISITING, _MEETING, _PANEL, _MATCHED, _INTRODUCED, _PLACED = map(_only, WAY[:9])
_OPEN_TO_ALL = (guard.both_shared, guard.neither_withdrawn)
_STILL_LOOKING = (*_OPEN_TO_ALL, guard.neither_matched)
_STILL_WANTED = (guard.neither_withdrawn, guard.match_approved)
_MAY_MOVE_IN = (guard.order_or_consent, guard.no_legal_hold, guard.all_born, placement.plan_agreed)
_MAY_FOSTER = frozenset(WAY[1:5])
_KEEP = Verb.KEEP_LINKS

# fmt: off
TRANSITIONS: tuple[Transition, ...] = (
    #          what          from           to                         who         by which right
    Transition(S.CONSIDER,    _INTEREST,     LinkState.CONSIDERING,     T.OTHER,    _KEEP,
               (*_STILL_LOOKING, guard.two_people, guard.group_below_cap)),
    Transition(S.SHORTLIST,   _CONSIDERING,  LinkState.SHORTLISTED,     T.CHILDREN, _KEEP, _STILL_LOOKING),
    Transition(S.VISIT,       _SHORTLISTED,  LinkState.VISITING,        T.CHILDREN, _KEEP,
               (*_STILL_LOOKING, guard.lives_elsewhere), day=DayKind.VISIT),
    Transition(S.MEET,        _VISITING,     LinkState.LINKING_MEETING, T.CHILDREN, _KEEP,
               _STILL_LOOKING, day=DayKind.LINKING_MEETING),
    # Who fosters the children knows them: no visit.
    Transition(S.MEET,        _SHORTLISTED,  LinkState.LINKING_MEETING, T.CHILDREN, _KEEP,
               (*_STILL_LOOKING, guard.lives_there), day=DayKind.LINKING_MEETING),
    Transition(S.GO_TO_PANEL, _MEETING,      LinkState.PANEL,           T.CHILDREN, _KEEP,
               (*_OPEN_TO_ALL, guard.shobpa_decided, guard.only_family, papers_ready), day=DayKind.PANEL),
    Transition(S.MATCH,       _PANEL,        LinkState.MATCHED,         T.CHILDREN, _KEEP,
               (*_STILL_WANTED, guard.shobpa_decided, guard.only_family),
               (placement.begin, look_for_nobody, fee.draft)),
    Transition(S.INTRODUCE,   _MATCHED,      LinkState.INTRODUCTIONS,   T.CHILDREN, _KEEP,
               (*_STILL_WANTED, guard.lives_elsewhere), (placement.introduce,), DayKind.INTRODUCTIONS),
    Transition(S.PLACE,       _INTRODUCED,   LinkState.PLACED,          T.CHILDREN, _KEEP,
               (*_STILL_WANTED, *_MAY_MOVE_IN), (placement.move_in, fee.freeze), DayKind.MOVED_IN),
    # Who lives there already is not introduced: the placement becomes an adoptive one.
    Transition(S.PLACE,       _MATCHED,      LinkState.PLACED,          T.CHILDREN, _KEEP,
               (*_STILL_WANTED, guard.lives_there, *_MAY_MOVE_IN), (placement.move_in, fee.freeze), DayKind.MOVED_IN),
    Transition(S.ORDER,       _PLACED,       LinkState.ORDERED,         T.CHILDREN, _KEEP,
               effects=(placement.make_order, fee.make_order), day=DayKind.ORDERED),
    Transition(S.DISRUPT,     _PLACED,       LinkState.DISRUPTED,       T.CHILDREN, _KEEP,
               effects=(placement.disrupt, look_again, fee.fall), day=DayKind.DISRUPTED),
    Transition(S.END,         BEFORE_PLACED, LinkState.ENDED,           T.EITHER,   _KEEP,
               effects=(look_again, fee.end, effect.keep_outcome)),
    # The wrong button: whose the step was takes it back, while nothing has come of it.
    Transition(S.STEP_BACK,   _CONSIDERING,  LinkState.INTEREST,        T.OTHER,    _KEEP,
               (back.one_step, back.no_report_asked), (back.take_back,)),
    Transition(S.STEP_BACK,   _SHORTLISTED,  LinkState.CONSIDERING,     T.CHILDREN, _KEEP,
               (back.one_step,), (back.take_back,)),
    Transition(S.STEP_BACK,   _VISITING,     LinkState.SHORTLISTED,     T.CHILDREN, _KEEP,
               (back.one_step,), (back.take_back,)),
    Transition(S.STEP_BACK,   _MEETING,      LinkState.VISITING,        T.CHILDREN, _KEEP,
               (back.one_step, guard.lives_elsewhere, back.no_report_asked), (back.take_back,)),
    Transition(S.STEP_BACK,   _PANEL,        LinkState.LINKING_MEETING, T.CHILDREN, _KEEP,
               (back.one_step, back.undecided), (back.take_back,)),
    Transition(S.STEP_BACK,   _INTRODUCED,   LinkState.MATCHED,         T.CHILDREN, _KEEP,
               (back.one_step, back.nothing_planned), (back.take_back,)),
    # What is recorded at a state, and leaves it as it is.
    Transition(S.FOSTER,      _MAY_FOSTER,   None,                      T.CHILDREN, _KEEP,
               (*_STILL_LOOKING, guard.lives_elsewhere, guard.early_permanence_agreed, guard.no_legal_hold,
                guard.all_born), (effect.take_early_path,), DayKind.FOSTERED),
    Transition(S.NAME_CARER,  _MAY_FOSTER,   None,                      T.CHILDREN, _KEEP,
               (*_STILL_LOOKING, guard.lives_elsewhere, guard.all_born), (effect.take_carers_path,), DayKind.FOSTERED),
    Transition(S.HOLD,        BEFORE_PLACED, None,                      T.CHILDREN, Verb.KEEP_LEGAL_HOLDS),
    Transition(S.RELEASE,     BEFORE_PLACED, None,                      T.CHILDREN, Verb.KEEP_LEGAL_HOLDS),
)
# fmt: on


def find_transition(state: LinkState, step: StepName) -> Transition | None:
    """Return the table's row for a step from a state, if there is one."""
    return next((each for each in TRANSITIONS if each.step is step and state in each.sources), None)


def day_of(step: StepName) -> DayKind | None:
    """Return the day that a step asks for, wherever it is taken from."""
    return next((each.day for each in TRANSITIONS if each.step is step), None)


def transitions_from(state: LinkState) -> list[Transition]:
    """Return the table's rows that lead on from a state, in the table's order."""
    return [each for each in TRANSITIONS if state in each.sources]
