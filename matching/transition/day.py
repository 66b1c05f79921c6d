"""Say or move a day of a link: a visit, a panel, when the adopters were told. Either side says it, and both read it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from matching.link import DayKind, Link, LinkDay, LinkState, NotYet, say_day
from matching.transition.lock import lock_link
from tenants.database import scope_of
from tenants.permission import Verb, require

_PANEL, _MATCHED, _MEETING = LinkState.PANEL, LinkState.MATCHED, LinkState.LINKING_MEETING
_AFTER_DECISION = frozenset({_PANEL, _MATCHED, LinkState.INTRODUCTIONS})
SAYABLE = {
    DayKind.VISIT: frozenset({LinkState.VISITING, _MEETING}),
    DayKind.LINKING_MEETING: frozenset({_MEETING}),
    DayKind.PANEL: frozenset({_PANEL}),
    DayKind.REPORT_GIVEN: frozenset({_MEETING, _PANEL}),
    DayKind.MINUTES_FINAL: frozenset({_PANEL, _MATCHED}),
    DayKind.TOLD_ORALLY: _AFTER_DECISION,
    DayKind.TOLD_IN_WRITING: _AFTER_DECISION,
}
"""At which states a day of a kind is said by itself; the other kinds are said with their step."""


def sayable_days(link: Link) -> list[DayKind]:
    """Return the kinds of day that may be said of a link at its state."""
    return [kind for kind, states in SAYABLE.items() if link.state in states]


def note_day(session: Session, link: Link, *, kind: DayKind, day: date, now: datetime) -> LinkDay:
    """Say a day of a link, or another than was said before.

    :raises NotAllowed: when the scope's roles do not let it keep links.
    :raises NotYet: when the link's state has no such day.
    :raises LinkMoved: when somebody took a step meanwhile.
    :raises LinkInvalid: when what was done is said to lie ahead.
    """
    require(scope_of(session), Verb.KEEP_LINKS)
    lock_link(session, link, link.version)
    if kind not in sayable_days(link):
        raise NotYet(f"A link at “{link.state.label}” has no such day: {kind.label.lower()}.")
    return say_day(session, link, kind=kind, day=day, now=now)
