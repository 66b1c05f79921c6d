"""How links move: one table of transitions, its guards and effects, and the verbs that take steps."""

from matching.transition import guard
from matching.transition.day import SAYABLE, note_day, sayable_days
from matching.transition.fact import StepFacts
from matching.transition.group_end import change_plan, look_for_family
from matching.transition.guard import Guard
from matching.transition.hold import lift_legal_hold, set_legal_hold
from matching.transition.lock import lock_link, lock_records
from matching.transition.table import TRANSITIONS, Effect, Taker, Transition, day_of, find_transition, transitions_from
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
    "SAYABLE",
    "TRANSITIONS",
    "Effect",
    "Guard",
    "StepFacts",
    "Taker",
    "Transition",
    "change_plan",
    "consider",
    "day_of",
    "end_link",
    "find_allowed",
    "find_transition",
    "guard",
    "is_taker",
    "lift_legal_hold",
    "lock_link",
    "lock_records",
    "look_for_family",
    "missing",
    "note_day",
    "sayable_days",
    "set_legal_hold",
    "start_link",
    "take",
    "transitions_from",
]
