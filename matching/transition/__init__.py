"""How links move: one table of transitions, its guards and effects, and the verbs that take steps."""

from matching.transition.fact import StepFacts
from matching.transition.guard import Guard
from matching.transition.group_end import change_plan
from matching.transition.hold import lift_legal_hold, set_legal_hold
from matching.transition.lock import lock_link, lock_records
from matching.transition.table import TRANSITIONS, Effect, Taker, Transition, find_transition, transitions_from
from matching.transition.take import (
    consider,
    end_link,
    find_allowed,
    is_taker,
    missing,
    start_link,
    take,
)

__all__ = [
    "TRANSITIONS",
    "Effect",
    "Guard",
    "StepFacts",
    "Taker",
    "Transition",
    "change_plan",
    "consider",
    "end_link",
    "find_allowed",
    "find_transition",
    "is_taker",
    "lift_legal_hold",
    "lock_link",
    "lock_records",
    "missing",
    "set_legal_hold",
    "start_link",
    "take",
    "transitions_from",
]
