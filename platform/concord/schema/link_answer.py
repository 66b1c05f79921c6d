"""What the shapes of links and placements dump, gathered for the API and the command line alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from matching.link import Link, get_link, list_steps
from matching.link_course import ClockLine, read_course
from matching.link_stretch import LinkLine, line_of
from matching.placement.placement import Placement
from matching.placement.plan import plan_of
from matching.placement.review import list_reviews
from matching.register import agency_names

_LINK = ("id", "consortium_id", "version", "state", "open", "path", "started_at", "changed_at", "outcome", "feedback")
_STEP = ("version", "step", "from_state", "to_state", "at", "person_name", "person_roles", "reason", "override")
_PLACEMENT = ("matched_on", "moved_in_on", "adoptive_start_on", "ordered_on", "court", "disrupted_on", "ended_by")


def link_card(line: LinkLine) -> dict[str, Any]:
    """Return a link as a list tells it."""
    return {**{name: getattr(line.link, name) for name in _LINK}, **_sides(line)}


def link_answer(session: Session, link: Link, *, now: datetime) -> dict[str, Any]:
    """Return a link with its way so far and what comes next, as far as the scope may know."""
    steps, names = list_steps(session, link), agency_names(session)
    course = read_course(session, link, steps=steps, now=now)
    return {
        **link_card(line_of(session, link)),
        "held": course.held,
        "steps": [
            {**{name: getattr(each, name) for name in _STEP}, "agency": names.get(each.agency_id, "")}
            for each in reversed(steps)
        ],
        "days": [{"kind": kind, "day": day} for kind, day in sorted(course.days.items())],
        "next_steps": course.steps,
        "clocks": [_clock(line) for line in course.clocks],
        "decision": course.decision,
    }


def placement_card(line: LinkLine, placement: Placement) -> dict[str, Any]:
    """Return a placement as a list tells it."""
    return {
        "link_id": placement.link_id,
        "version": placement.version,
        "state": line.link.state,
        **_sides(line),
        **{name: getattr(placement, name) for name in _PLACEMENT},
    }


def placement_answer(session: Session, placement: Placement) -> dict[str, Any]:
    """Return a placement with its plan and its reviews."""
    line = line_of(session, get_link(session, placement.link_id))
    return {
        **placement_card(line, placement),
        "plan": plan_of(placement),
        "reviews": list_reviews(session, placement),
    }


def _sides(line: LinkLine) -> dict[str, Any]:
    return {
        "group": {"id": line.link.sibling_group_id, "code": line.group, "agency": line.group_agency},
        "household": {"id": line.link.household_id, "code": line.household, "agency": line.household_agency},
        "sides": list(line.sides),
    }


def _clock(line: ClockLine) -> dict[str, Any]:
    reading = line.reading
    return {
        "name": reading.clock.name.value,
        "title": reading.clock.name.label,
        "due_on": reading.due_on,
        "stopped_on": reading.stopped_on,
        "state": reading.state,
        "own": line.own,
    }
