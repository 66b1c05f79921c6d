"""Breaking glass: who a record of one's own agency is about, opened for some hours with a reason, and told at once.

It opens no other agency's record, and no record from which the person is barred: the database refuses both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household
from matching.sharing import Record, given_reason, own_record
from matching.sibling_group import SiblingGroup
from tenants import audit
from tenants.agency import get_agency
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.permission import Verb, may, require
from tenants.person import Person


class Glass(Base):
    """Glass broken by one person on one record of their agency, until its hours are over."""

    __tablename__ = "glass"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    household_id: Mapped[UUID | None]
    sibling_group_id: Mapped[UUID | None]
    person_id: Mapped[UUID]
    reason: Mapped[str]
    broken_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class GlassJudgement(Base):
    """What one of those who were told made of it: justified or not, and why."""

    __tablename__ = "glass_judgement"

    glass_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    justified: Mapped[bool]
    reason: Mapped[str]
    judged_at: Mapped[datetime]


class GlassUnknown(NotFound):
    """No such breaking of glass is on a record of this agency."""


class GlassInvalid(Invalid):
    """Glass cannot be broken without a person."""


class GlassWhole(Forbidden):
    """The person has not broken glass on the record, or its hours are over."""


class AlreadyJudged(Conflict):
    """The person has said already what they make of it, or it is their own doing."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody made of a breaking of glass."""

    who: str
    justified: bool
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """A breaking of glass in words, with what was made of it, first said first."""

    id: UUID
    kind: str
    record_id: UUID
    code: str
    who: str
    own: bool
    """The reader did it themselves."""
    reason: str
    broken_at: datetime
    ends_at: datetime
    judgements: tuple[Judgement, ...]


def break_glass(session: Session, record: Record, *, reason: str, now: datetime) -> Glass:
    """Open who one of the agency's records is about to the scope's person, for the agency's hours.

    :raises NotAllowed: when the scope's roles do not let it, or open it without breaking glass.
    :raises NotFound: when the record is another agency's.
    :raises GlassInvalid: when nobody in person asks.
    """
    scope = scope_of(session)
    require(scope, Verb.BREAK_GLASS)
    own_record(session, record)
    words = given_reason(reason)
    if scope.person_id is None or scope.agency_id is None:
        raise GlassInvalid("Only a person who signed in can break glass.")
    household = isinstance(record, Household)
    glass = Glass(
        agency_id=scope.agency_id,
        household_id=record.id if household else None,
        sibling_group_id=None if household else record.id,
        person_id=scope.person_id,
        reason=words,
        broken_at=now,
        ends_at=now + timedelta(hours=get_agency(session, scope.agency_id).glass_hours),
    )
    session.add(glass)
    session.flush()
    audit.record(
        session,
        audit.Act.BREAK_GLASS,
        record_kind="household" if household else "sibling_group",
        record_id=record.id,
        owner_agency_id=record.agency_id,
        level=audit.Level.IDENTITY,
        reason=words,
        now=now,
    )
    return glass


def require_broken(session: Session, record: Record, *, now: datetime) -> Glass:
    """Return the glass that the scope's person has broken on a record and whose hours are not over.

    :raises GlassWhole: when there is none.
    """
    query = (
        select(Glass)
        .where(
            _of(record),
            Glass.person_id == scope_of(session).person_id,
            Glass.agency_id == scope_of(session).agency_id,
            Glass.broken_at <= now,
            Glass.ends_at > now,
        )
        .order_by(Glass.ends_at.desc(), Glass.id)
        .limit(1)
    )
    glass = session.scalar(query)
    if glass is None:
        raise GlassWhole(
            "Say first why you need to know who this record is about. The hours of an earlier time may be over."
        )
    return glass


def judge_glass(session: Session, glass_id: UUID, *, justified: bool, reason: str, now: datetime) -> None:
    """Say, as one of those who were told, whether breaking glass was justified, and why; the notice then goes.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises GlassUnknown: when there is no such breaking of glass.
    :raises AlreadyJudged: when the person has said so before, or it is their own doing.
    """
    scope = scope_of(session)
    require(scope, Verb.JUDGE_GLASS)
    words = given_reason(reason)
    glass = session.get(Glass, glass_id)
    if glass is None or glass.agency_id != scope.agency_id:
        raise GlassUnknown("There is no such breaking of glass in your agency.")
    if glass.person_id == scope.person_id:
        raise AlreadyJudged("You broke the glass yourself. Somebody else says whether it was justified.")
    values = {"glass_id": glass.id, "person_id": scope.person_id, "agency_id": glass.agency_id}
    said = session.execute(
        insert(GlassJudgement)
        .values(**values, justified=justified, reason=words, judged_at=now)
        .on_conflict_do_nothing()
        .returning(GlassJudgement.glass_id)
    )
    if said.first() is None:
        raise AlreadyJudged("You have said already what you make of it.")
    audit.record(
        session,
        audit.Act.APPROVE if justified else audit.Act.REFUSE,
        record_kind="glass",
        record_id=glass.id,
        reason=words,
        now=now,
    )


def list_to_judge(session: Session) -> list[BrokenGlass]:
    """Return each breaking of glass of which the scope's person is told and has said nothing yet, oldest first."""
    scope = scope_of(session)
    if scope.person_id is None or not may(scope, Verb.JUDGE_GLASS):
        return []
    judged = exists().where(GlassJudgement.glass_id == Glass.id, GlassJudgement.person_id == scope.person_id)
    query = select(Glass).where(Glass.agency_id == scope.agency_id, Glass.person_id != scope.person_id, ~judged)
    return _in_words(session, list(session.scalars(query.order_by(Glass.broken_at, Glass.id))))


def list_glass(session: Session) -> list[BrokenGlass]:
    """Return every breaking of glass in the scope's agency, newest first.

    :raises NotAllowed: when the scope's roles do not let it.
    """
    scope = scope_of(session)
    require(scope, Verb.READ_GLASS)
    query = select(Glass).where(Glass.agency_id == scope.agency_id).order_by(Glass.broken_at.desc(), Glass.id)
    return _in_words(session, list(session.scalars(query)))


def get_glass(session: Session, glass_id: UUID) -> BrokenGlass:
    """Return one breaking of glass in the scope's agency, for those who are told of it.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises GlassUnknown: when there is none.
    """
    scope = scope_of(session)
    require(scope, Verb.JUDGE_GLASS)
    found = session.scalars(select(Glass).where(Glass.id == glass_id, Glass.agency_id == scope.agency_id)).all()
    if not found:
        raise GlassUnknown("There is no such breaking of glass in your agency.")
    return _in_words(session, list(found))[0]


def _of(record: Record) -> ColumnElement[bool]:
    return or_(Glass.household_id == record.id, Glass.sibling_group_id == record.id)


def _in_words(session: Session, found: list[Glass]) -> list[BrokenGlass]:
    ids = [each.id for each in found]
    said = session.scalars(
        select(GlassJudgement)
        .where(GlassJudgement.glass_id.in_(ids))
        .order_by(GlassJudgement.judged_at, GlassJudgement.person_id)
    ).all()
    people = {each.person_id for each in found} | {each.person_id for each in said}
    names = dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())
    codes = _codes(session, found)
    return [
        BrokenGlass(
            id=each.id,
            kind="household" if each.household_id else "group",
            record_id=_record_id(each),
            code=codes.get(_record_id(each), ""),
            who=names.get(each.person_id, "Somebody who has left"),
            own=each.person_id == scope_of(session).person_id,
            reason=each.reason,
            broken_at=each.broken_at,
            ends_at=each.ends_at,
            judgements=tuple(
                Judgement(names.get(one.person_id, "Somebody who has left"), one.justified, one.reason, one.judged_at)
                for one in said
                if one.glass_id == each.id
            ),
        )
        for each in found
    ]


def _codes(session: Session, found: list[Glass]) -> dict[UUID, str]:
    ids = [_record_id(each) for each in found]
    codes: dict[UUID, str] = {}
    for model in (Household, SiblingGroup):
        codes |= dict(session.execute(select(model.id, model.code).where(model.id.in_(ids))).all())
    return codes


def _record_id(glass: Glass) -> UUID:
    return glass.household_id or glass.sibling_group_id  # type: ignore[return-value]
