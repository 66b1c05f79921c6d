"""Actions of matching meetings: what was agreed, who does it by when, and what came of it.

An action is seen by the agency that is to act and by the consortium office, and stays on the packs of the meetings to
come until it is closed. It names records by their pool codes alone.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import HouseholdUnknown, get_household_by_reference
from matching.meeting import Meeting, find_previous_meeting
from matching.pool import Stage, sharing_of
from matching.sibling_group import GroupUnknown, get_group_by_reference
from tenants import audit
from tenants.agency import Agency
from tenants.base import Base, Id
from tenants.consortium import list_members
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound

MOST_CHARACTERS = 1_000


class MeetingAction(Base):
    """One thing that a meeting left an agency to do; without ``done_on`` it is open."""

    __tablename__ = "meeting_action"

    id: Mapped[Id]
    meeting_id: Mapped[UUID]
    consortium_id: Mapped[UUID]
    office_id: Mapped[UUID]
    """The consortium office that arranged the meeting."""
    agency_id: Mapped[UUID]
    """The agency that is to act."""
    what: Mapped[str]
    about: Mapped[str | None]
    """The pool code of the group or household that it concerns."""
    person: Mapped[str | None]
    """Who of the agency sees to it: a colleague's name, never a child's or an adopter's."""
    due_on: Mapped[date]
    done_on: Mapped[date | None] = mapped_column(default=None)
    outcome: Mapped[str | None] = mapped_column(default=None)
    set_at: Mapped[datetime]


class ActionUnknown(NotFound):
    """No such action concerns this scope's agency."""


class ActionInvalid(Invalid):
    """An action was described in a way that cannot be kept."""


class ActionAboutUnknown(ActionInvalid):
    """An action names a record that the meeting cannot be told of."""


class ActionOfAnother(Forbidden):
    """Only the consortium office may leave an action to another agency."""


class ActionClosed(Conflict):
    """The action has been closed already."""


def set_action(
    session: Session,
    meeting: Meeting,
    *,
    what: str,
    agency_id: UUID,
    due_on: date,
    now: datetime,
    about: str | None = None,
    person: str | None = None,
) -> MeetingAction:
    """Leave an action to an agency: one's own, or as the office any member's.

    ``about`` names a group or a household by its pool code or one's own reference; the code is what is kept.

    :raises ActionOfAnother: when an agency that is not the office names another.
    :raises ActionAboutUnknown: when ``about`` names nothing that the consortium sees.
    :raises ActionInvalid: when it says nothing or too much, is due in the past, or names no member.
    """
    scope = scope_of(session)
    if scope.agency_id not in (agency_id, meeting.agency_id):
        raise ActionOfAnother("Set actions for your own agency. The consortium office sets those of the others.")
    words = _words(what, "what is to be done")
    if due_on < now.date():
        raise ActionInvalid(f"{due_on:%d/%m/%Y} has passed. Choose today or a later day.")
    if agency_id not in {agency.id for agency in who_may_act(session, meeting, on=now.date())}:
        raise ActionInvalid("Choose an agency that belongs to the consortium.")
    action = MeetingAction(
        meeting_id=meeting.id,
        consortium_id=meeting.consortium_id,
        office_id=meeting.agency_id,
        agency_id=agency_id,
        what=words,
        about=_code(session, about) if about and about.strip() else None,
        person=(person or "").strip() or None,
        due_on=due_on,
        set_at=now,
    )
    session.add(action)
    session.flush()
    _record(session, action, audit.Act.ADD, now=now)
    return action


def close_action(
    session: Session, action: MeetingAction, *, outcome: str, now: datetime, done_on: date | None = None
) -> MeetingAction:
    """Close an action with what came of it, today unless another day is given.

    :raises ActionClosed: when it has been closed already.
    :raises ActionInvalid: when no outcome is given, or a day that lies ahead or before the action was set.
    """
    day = done_on or now.date()
    # Locked and read again: two people may close it at once.
    session.refresh(action, with_for_update={"key_share": True})
    if action.done_on is not None:
        raise ActionClosed(f"The action was closed on {action.done_on:%d/%m/%Y}: {action.outcome}")
    words = _words(outcome, "what came of it")
    if not action.set_at.date() <= day <= now.date():
        raise ActionInvalid(f"Choose a day from {action.set_at:%d/%m/%Y}, when the action was set, to today.")
    action.done_on, action.outcome = day, words
    session.flush()
    _record(session, action, audit.Act.CHANGE, now=now)
    return action


def get_action(session: Session, action_id: UUID) -> MeetingAction:
    """Return an action that this scope's agency is to do, or that it set as the office.

    :raises ActionUnknown: when there is none.
    """
    action = session.get(MeetingAction, action_id)
    if action is None:
        raise ActionUnknown("There is no such action for your agency.")
    return action


def list_actions(session: Session, meeting: Meeting) -> list[MeetingAction]:
    """Return what a meeting itself left to do, as far as it concerns this scope, soonest due first."""
    return _list(session, MeetingAction.meeting_id == meeting.id)


def list_carried_actions(session: Session, meeting: Meeting) -> list[MeetingAction]:
    """Return what earlier meetings left to do and is open, or was closed since the one before; soonest due first."""
    earlier = select(Meeting.id).where(
        Meeting.consortium_id == meeting.consortium_id, Meeting.held_on < meeting.held_on
    )
    previous = find_previous_meeting(session, meeting)
    since = date.min if previous is None else previous.held_on
    return _list(
        session,
        MeetingAction.meeting_id.in_(earlier),
        or_(MeetingAction.done_on.is_(None), MeetingAction.done_on >= since),
    )


def list_open_actions(session: Session) -> list[MeetingAction]:
    """Return every open action that this scope may see, soonest due first."""
    return _list(session, MeetingAction.done_on.is_(None))


def who_may_act(session: Session, meeting: Meeting, *, on: date) -> list[Agency]:
    """Return the agencies to which this scope may leave an action: its own, or as the office every member."""
    members = list_members(session, meeting.consortium_id, on=on)
    own = scope_of(session).agency_id
    return [agency for agency in members if own in (agency.id, meeting.agency_id)]


def _list(session: Session, *conditions: ColumnElement[bool]) -> list[MeetingAction]:
    query = select(MeetingAction).where(*conditions)
    return list(session.scalars(query.order_by(MeetingAction.due_on, MeetingAction.set_at, MeetingAction.id)))


def _words(text: str, asked: str) -> str:
    words = text.strip()
    if not words or len(words) > MOST_CHARACTERS:
        raise ActionInvalid(f"Say {asked}, in at most {MOST_CHARACTERS:,} characters.")
    return words


def _code(session: Session, reference: str) -> str:
    """Return the pool code of a record that the whole consortium may know of."""
    for find, unknown in ((get_group_by_reference, GroupUnknown), (get_household_by_reference, HouseholdUnknown)):
        try:
            record = find(session, reference.strip())
        except unknown:
            continue
        entry = sharing_of(session, [record.id], anywhere=True).get(record.id)
        if entry is not None and not entry.held and entry.stage is not Stage.IN_HOUSE:
            return record.code
        raise ActionAboutUnknown(
            f"{record.code} is not shared with the consortium. Leave the box empty, or share the record first."
        )
    raise ActionAboutUnknown(f"There is no group or household “{reference.strip()}” in your view of the pool.")


def _record(session: Session, action: MeetingAction, act: audit.Act, *, now: datetime) -> None:
    audit.record(
        session, act, record_kind="meeting_action", record_id=action.id, owner_agency_id=action.agency_id, now=now
    )
