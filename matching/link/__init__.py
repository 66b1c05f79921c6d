"""Links: one sibling group and one household looked at together by their two agencies, from interest to outcome.

A link is seen by exactly these two agencies. It opens no more of either record than the pool does; reports are granted
by name on top. How it moves is in :mod:`matching.transition`.
"""

from matching.link.day import LinkDay, days_of, say_day
from matching.link.decision import MatchDecision, decide_match, decisions_of, find_decision
from matching.link.record import (
    MOST_CHARACTERS,
    RECORD_KIND,
    CapReached,
    Link,
    LinkAlreadyOpen,
    LinkInvalid,
    LinkMoved,
    LinkUnknown,
    NoSuchStep,
    NotYet,
    NotYourStep,
    find_open_link,
    get_link,
    is_open,
    list_open_links_of,
    newest_first,
    of_side,
    written,
)
from matching.link.state import (
    BEFORE_PLACED,
    CONSIDERED,
    CPR_OPEN,
    FINAL,
    PAR_OPEN,
    WAY,
    DayKind,
    LinkOutcome,
    LinkPath,
    LinkState,
    StepName,
)
from matching.link.step import LinkStep, list_steps, note_step

__all__ = [
    "BEFORE_PLACED",
    "CONSIDERED",
    "CPR_OPEN",
    "FINAL",
    "MOST_CHARACTERS",
    "PAR_OPEN",
    "RECORD_KIND",
    "WAY",
    "CapReached",
    "DayKind",
    "Link",
    "LinkAlreadyOpen",
    "LinkDay",
    "LinkInvalid",
    "LinkMoved",
    "LinkOutcome",
    "LinkPath",
    "LinkState",
    "LinkStep",
    "LinkUnknown",
    "MatchDecision",
    "NoSuchStep",
    "NotYet",
    "NotYourStep",
    "StepName",
    "days_of",
    "decide_match",
    "decisions_of",
    "find_decision",
    "find_open_link",
    "get_link",
    "is_open",
    "list_open_links_of",
    "list_steps",
    "newest_first",
    "note_step",
    "of_side",
    "say_day",
    "written",
]
