"""Who is shut out of a record because they know the family: for them it is not there, whatever they open.

The database holds the bar (migration 0020): lists, counts, rankings, exports and jobs that a person asks for leave the
record out without being told to. A person may be barred by name, where they are of the record's own agency, or by the
e-mail address with which they sign in, now or later: so naming one never tells whether Concord knows them.

A program (``tenants.api_client``) answers its whole agency: it is shut out of what anybody of that agency is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, insert, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household
from matching.sharing import Record, given_reason, own_record
from matching.sibling_group import SiblingGroup
from tenants import audit
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require
from tenants.person import Person, list_people

SHUT_OUT = (
    "you are shut out of the record with this reference, because you know the family, or for a program because "
    "somebody of its agency does; expected somebody else to import this row"
)
"""Why a row of a sheet is refused that names a record from which its importer is barred."""
_EMAIL = re.compile(r"[^@\s\x00]+@[^@\s\x00]+\.[^@\s\x00]+")
_LONGEST_EMAIL = 254


class RecordBar(Base):
    """One person, or one e-mail address, is shut out of one record until the bar is lifted."""

    __tablename__ = "record_bar"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    """Whose the record is."""
    household_id: Mapped[UUID | None]
    sibling_group_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    email: Mapped[str | None]
    own_word: Mapped[bool]
    """The person said themselves that they know the family."""
    reason: Mapped[str]
    set_by: Mapped[UUID | None]
    set_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None]
    lifted_at: Mapped[datetime | None]
    lifted_reason: Mapped[str | None] = mapped_column()


class BarInvalid(Invalid):
    """Somebody was to be shut out in a way that cannot be kept."""


class BarUnknown(NotFound):
    """No such bar is on a record of this agency."""


class BarLifted(Conflict):
    """The bar has been lifted already."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar in words; ``code`` names its record."""

    id: UUID
    kind: str
    record_id: UUID
    code: str
    who: str
    own_word: bool
    reason: str
    set_by: str
    set_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lifted_reason: str | None


def bar_person(session: Session, record: Record, *, person_id: UUID, reason: str, now: datetime) -> None:
    """Shut one of the agency's own people out of one of its records.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises NotFound: when the record is another agency's.
    :raises BarInvalid: when the person is none of the agency's.
    """
    _require_guard(session, record)
    if person_id not in {person.id for person in people_to_bar(session, now=now)}:
        raise BarInvalid("Choose one of your agency’s people.")
    _bar(session, record, person_id=person_id, email=None, own_word=False, reason=given_reason(reason), now=now)


def bar_email(session: Session, record: Record, *, email: str, reason: str, now: datetime) -> None:
    """Shut whoever signs in with an e-mail address out of one of the agency's records, now or later.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises NotFound: when the record is another agency's.
    :raises BarInvalid: when it is no e-mail address.
    """
    _require_guard(session, record)
    address = email.strip().lower()
    if not _EMAIL.fullmatch(address) or len(address) > _LONGEST_EMAIL:
        raise BarInvalid("Enter an e-mail address, like sam.sample@example.org.")
    _bar(session, record, person_id=None, email=address, own_word=False, reason=given_reason(reason), now=now)


def bar_oneself(session: Session, record: Record, *, reason: str, now: datetime) -> None:
    """Shut the scope's person out of a record that they see, at once; they cannot lift it themselves.

    :raises BarInvalid: when nobody in person asks.
    """
    person_id = scope_of(session).person_id
    if person_id is None:
        raise BarInvalid("Only a person who signed in can say that they know a family.")
    _bar(session, record, person_id=person_id, email=None, own_word=True, reason=given_reason(reason), now=now)
    # It is not there any more: nothing of it may be left to read in this session either.
    session.expunge_all()


def lift_bar(session: Session, bar_id: UUID, *, reason: str, now: datetime) -> None:
    """Let a person see a record again.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises BarUnknown: when there is no such bar, or it is on a record from which the scope's person is barred too.
    :raises BarLifted: when it has been lifted already.
    """
    scope = scope_of(session)
    require(scope, Verb.LIFT_BARS)
    words = given_reason(reason)
    bar = session.scalar(select(RecordBar).where(RecordBar.id == bar_id).with_for_update(key_share=True))
    if bar is None or bar.agency_id != scope.agency_id:
        raise BarUnknown("There is no such bar in your agency.")
    if bar.lifted_at is not None:
        raise BarLifted("The bar has been lifted already.")
    bar.lifted_at, bar.lifted_by, bar.lifted_reason = now, scope.person_id, words
    session.flush()
    _record(session, _kind(bar), bar.household_id or bar.sibling_group_id, bar.agency_id, f"lifted: {words}", now=now)


def get_bar(session: Session, bar_id: UUID) -> Bar:
    """Return one bar on a record of the scope's agency.

    :raises BarUnknown: when there is none.
    """
    found = [each for each in list_bars(session) if each.id == bar_id]
    if not found:
        raise BarUnknown("There is no such bar in your agency.")
    return found[0]


def list_bars(session: Session, record: Record | None = None) -> list[Bar]:
    """Return the bars on one record, or on all, of the scope's agency, those in force first, newest first."""
    query = (
        select(RecordBar, func.coalesce(Household.code, SiblingGroup.code))
        .outerjoin(Household, Household.id == RecordBar.household_id)
        .outerjoin(SiblingGroup, SiblingGroup.id == RecordBar.sibling_group_id)
        .where(RecordBar.agency_id == scope_of(session).agency_id)
        .order_by(RecordBar.lifted_at.is_not(None), RecordBar.set_at.desc(), RecordBar.id)
        .execution_options(populate_existing=True)
    )
    if record is not None:
        query = query.where(or_(RecordBar.household_id == record.id, RecordBar.sibling_group_id == record.id))
    found = session.execute(query).all()
    names = _names(session, [row for row, _ in found])
    return [_words(row, code or "", names) for row, code in found]


def count_bars(session: Session, record: Record) -> int:
    """Return how many bars are in force on one of the agency's own records."""
    query = select(func.count()).where(
        or_(RecordBar.household_id == record.id, RecordBar.sibling_group_id == record.id),
        RecordBar.lifted_at.is_(None),
    )
    return session.scalar(query) or 0


def people_to_bar(session: Session, *, now: datetime) -> list[Person]:
    """Return the scope's agency's people, by name."""
    agency_id = scope_of(session).agency_id
    if agency_id is None:
        return []
    return list(dict.fromkeys(person for person, _ in list_people(session, agency_id=agency_id, on=now.date())))


def barred_ids(session: Session) -> frozenset[UUID]:
    """Return the records from which the scope's person or program is barred, the children of groups among them."""
    return frozenset(session.scalar(text("SELECT scope_barred()")) or ())


def barred_references(session: Session, references: list[str]) -> frozenset[str]:
    """Return which of the agency's own references stand for records from which the scope's person is barred."""
    return frozenset(session.scalar(text("SELECT barred_references(:asked)"), {"asked": references}) or ())


def _require_guard(session: Session, record: Record) -> None:
    require(scope_of(session), Verb.SET_BARS)
    own_record(session, record)


def _bar(
    session: Session,
    record: Record,
    *,
    person_id: UUID | None,
    email: str | None,
    own_word: bool,
    reason: str,
    now: datetime,
) -> None:
    household = isinstance(record, Household)
    kind, record_id, agency_id = _kind_of(record), record.id, record.agency_id
    # Said first: once the bar stands, what is read back of it may be nothing.
    _record(session, kind, record_id, agency_id, reason, now=now)
    session.execute(
        insert(RecordBar).values(
            id=uuid4(),
            agency_id=agency_id,
            household_id=record_id if household else None,
            sibling_group_id=None if household else record_id,
            person_id=person_id,
            email=email,
            own_word=own_word,
            reason=reason,
            set_by=scope_of(session).person_id,
            set_at=now,
        )
    )


def _record(
    session: Session, kind: str, record_id: UUID | None, agency_id: UUID, reason: str, *, now: datetime
) -> None:
    audit.record(
        session,
        audit.Act.BAR,
        record_kind=kind,
        record_id=record_id,
        owner_agency_id=agency_id,
        reason=reason,
        now=now,
    )


def _kind_of(record: Record) -> str:
    return "household" if isinstance(record, Household) else "sibling_group"


def _kind(bar: RecordBar) -> str:
    return "household" if bar.household_id else "sibling_group"


def _names(session: Session, bars: list[RecordBar]) -> dict[UUID, str]:
    ids = {each for bar in bars for each in (bar.person_id, bar.set_by, bar.lifted_by) if each}
    return dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(ids))).all())


def _words(bar: RecordBar, code: str, names: dict[UUID, str]) -> Bar:
    def named(person_id: UUID | None) -> str:
        if person_id is None:
            return "A command on the server"
        return names.get(person_id, "Somebody of another agency, or who has left")

    return Bar(
        id=bar.id,
        kind="household" if bar.household_id else "group",
        record_id=bar.household_id or bar.sibling_group_id,  # type: ignore[arg-type]
        code=code,
        who=bar.email or named(bar.person_id),
        own_word=bar.own_word,
        reason=bar.reason,
        set_by=named(bar.set_by),
        set_at=bar.set_at,
        lifted_by=named(bar.lifted_by) if bar.lifted_at else None,
        lifted_at=bar.lifted_at,
        lifted_reason=bar.lifted_reason,
    )
