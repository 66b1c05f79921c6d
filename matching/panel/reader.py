"""Who reads the papers of a match before panel: an adviser or the decision maker, by name and for that match alone.

A worker of the children's agency names them. A name opens the match's papers and nothing else, once the person has
undertaken to keep them confidential, and until four weeks after the decision; what it opens is the database's to say.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.link import RECORD_KIND, WAY, Link, LinkState, NotYourStep, find_decision, get_link
from matching.undertaking import report_rules
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require
from tenants.person import Person, list_people
from tenants.role import Role

READING_DAYS = 28
"""How long after the decision the papers stay open to those who were named."""
PREPARED = frozenset(WAY[2:6])
"""From the shortlist to the panel: while papers are put together."""
READ = PREPARED | {LinkState.MATCHED, LinkState.INTRODUCTIONS}
"""Where the papers of a match are read: later nobody is named for anything."""


class PanelRole(StrEnum):
    """As what somebody is named: each is a role that they hold in their agency."""

    PANEL_ADVISER = "panel_adviser"
    MEDICAL_ADVISER = "medical_adviser"
    LEGAL_ADVISER = "legal_adviser"
    DECISION_MAKER = "decision_maker"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return Role(self.value).label


class PanelReader(Base):
    """One person, named for one match in one role."""

    __tablename__ = "panel_reader"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    person_id: Mapped[UUID]
    person_name: Mapped[str]
    role: Mapped[PanelRole] = mapped_column(Word(PanelRole))
    named_by: Mapped[UUID]
    named_name: Mapped[str]
    named_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_name: Mapped[str | None]


class PanelUndertaking(Base):
    """What a reader promised before they opened anything: which wording, and when."""

    __tablename__ = "panel_undertaking"

    reader_id: Mapped[UUID] = mapped_column(primary_key=True)
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    person_id: Mapped[UUID]
    wording: Mapped[int]
    undertaken_at: Mapped[datetime]


class ReaderUnknown(NotFound):
    """The person is not named for such a match, or no longer."""


class ReaderInvalid(Invalid):
    """The person does not hold the role, or the wording is not the one in force."""


class ReaderNamed(Conflict):
    """The person is named already, or the name has been taken back."""


class PapersNotNow(Conflict):
    """The link is not between the shortlist and the panel."""


def name_reader(session: Session, link: Link, *, person_id: UUID, role: PanelRole, now: datetime) -> PanelReader:
    """Name somebody of the children's agency who reads the papers of a match, in a role that they hold.

    :raises NotAllowed: when the scope's roles do not let it; NotYourStep when the children are another agency's.
    :raises PapersNotNow: when the link is not between the shortlist and the panel.
    :raises ReaderInvalid: when the person does not hold the role; ReaderNamed when they are named in it already.
    """
    require(scope_of(session), Verb.KEEP_PANEL)
    require_prepared(session, link)
    require_childrens_agency(session, link)
    candidates = list_candidates(session, link, now=now)
    person = next((each for each, held in candidates if each.id == person_id and held is role), None)
    if person is None:
        raise ReaderInvalid("Choose somebody of your agency who holds the role.")
    actor = acting_person(session)
    reader: PanelReader | None = session.scalar(
        insert(PanelReader)
        .values(
            id=uuid4(),
            link_id=link.id,
            group_agency_id=link.group_agency_id,
            household_agency_id=link.household_agency_id,
            person_id=person_id,
            person_name=person.name,
            role=role,
            named_by=actor.person_id,
            named_name=actor.name,
            named_at=now,
        )
        # Two workers may name them at once.
        .on_conflict_do_nothing()
        .returning(PanelReader)
    )
    if reader is None:
        raise ReaderNamed(f"{person.name} is named for this match already.")
    _record(session, reader, audit.Act.GRANT, now=now)
    return reader


def end_reader(session: Session, reader: PanelReader, *, now: datetime) -> None:
    """Take a name back: from then on the person reads nothing more of the match.

    :raises NotAllowed: when the scope's roles do not let it; NotYourStep when the children are another agency's.
    :raises ReaderNamed: when somebody was first.
    """
    require(scope_of(session), Verb.KEEP_PANEL)
    require_childrens_agency(session, get_link(session, reader.link_id))
    query = select(PanelReader).where(PanelReader.id == reader.id, PanelReader.ended_at.is_(None))
    locked = session.scalar(query.with_for_update(key_share=True).execution_options(populate_existing=True))
    if locked is None:
        raise ReaderNamed("The name has been taken back already.")
    actor = acting_person(session)
    reader.ended_at, reader.ended_by, reader.ended_name = now, actor.person_id, actor.name
    session.flush()
    _record(session, reader, audit.Act.REVOKE, now=now)


def undertake_panel(session: Session, reader: PanelReader, *, wording: int, now: datetime) -> None:
    """Promise, in one's own name, to keep the papers confidential; promised already, it stands.

    :raises ReaderInvalid: when the wording is not the one in force.
    """
    if wording != report_rules().present.version:
        raise ReaderInvalid("The wording has changed since you opened the page. Read it again, then confirm.")
    made = session.scalar(
        insert(PanelUndertaking)
        .values(
            reader_id=reader.id,
            link_id=reader.link_id,
            group_agency_id=reader.group_agency_id,
            household_agency_id=reader.household_agency_id,
            person_id=reader.person_id,
            wording=wording,
            undertaken_at=now,
        )
        .on_conflict_do_nothing()
        .returning(PanelUndertaking.reader_id)
    )
    if made is not None:
        _record(session, reader, audit.Act.UNDERTAKE, now=now)


def get_own_reader(session: Session, reader_id: UUID, *, now: datetime) -> tuple[PanelReader, Link]:
    """Return the scope's own person's name for a match, while it opens anything, with the link.

    :raises ReaderUnknown: when there is none.
    """
    found = next((each for each in list_own_readers(session, now=now) if each[0].id == reader_id), None)
    if found is None:
        raise ReaderUnknown("You are not named for such a match, or no longer.")
    return found


def list_own_readers(session: Session, *, now: datetime) -> list[tuple[PanelReader, Link]]:
    """Return for which matches the scope's own person is named, the first named first, while it opens anything."""
    scope = scope_of(session)
    query = (
        select(PanelReader, Link)
        .join(Link, Link.id == PanelReader.link_id)
        .where(
            PanelReader.person_id == scope.person_id,
            PanelReader.group_agency_id == scope.agency_id,
            PanelReader.ended_at.is_(None),
            PanelReader.role.in_([role for role in PanelRole if Role(role.value) in scope.roles]),
            Link.consortium_id == scope.consortium_id,
            Link.state.in_(READ),
        )
        .order_by(PanelReader.named_at, PanelReader.id)
    )
    found = session.execute(query.execution_options(populate_existing=True))
    return [(reader, link) for reader, link in found if _still_open(session, link, now=now)]


def has_undertaken(session: Session, reader: PanelReader) -> bool:
    """Say whether a reader has promised to keep the papers confidential."""
    return session.get(PanelUndertaking, reader.id) is not None


def open_panels(session: Session) -> frozenset[UUID]:
    """Return the links whose papers the scope's person may read, as the database says."""
    return frozenset(session.scalar(select(func.scope_panels())) or ())


def get_reader(session: Session, link: Link, reader_id: UUID) -> PanelReader:
    """Return one of those who are or were named for a match.

    :raises ReaderUnknown: when there is none.
    """
    reader = session.get(PanelReader, reader_id)
    if reader is None or reader.link_id != link.id:
        raise ReaderUnknown("Nobody is named for this match by that.")
    return reader


def list_readers(session: Session, link: Link) -> list[PanelReader]:
    """Return who is named for a match, those of the panel before the decision maker, with whose name was taken back."""
    order, rows = list(PanelRole), session.scalars(select(PanelReader).where(PanelReader.link_id == link.id))
    return sorted(rows, key=lambda row: (order.index(row.role), row.named_at, row.id))


def list_candidates(session: Session, link: Link, *, now: datetime) -> list[tuple[Person, PanelRole]]:
    """Return who of the children's agency may be named, with each role that they hold, by name."""
    people = list_people(session, agency_id=link.group_agency_id, on=now.date())
    wanted = {Role(role.value): role for role in PanelRole}
    return [(person, wanted[role]) for person, role in people if role in wanted]


def require_prepared(session: Session, link: Link) -> None:
    """Pass while papers are put together.

    :raises PapersNotNow: before the shortlist, and once the link has gone on from the panel or has ended.
    """
    session.refresh(link)
    if link.state not in PREPARED:
        raise PapersNotNow(
            f"Papers are put together from the shortlist to the panel. This link is at “{link.state.label}”."
        )


def require_childrens_agency(session: Session, link: Link) -> None:
    """Pass for the children's agency, whose panel it is.

    :raises NotYourStep: otherwise.
    """
    if scope_of(session).agency_id != link.group_agency_id:
        raise NotYourStep("The children’s agency keeps its panel’s papers and says who reads them.")


def _still_open(session: Session, link: Link, *, now: datetime) -> bool:
    decision = find_decision(session, link)
    return decision is None or decision.at > now - timedelta(days=READING_DAYS)


def _record(session: Session, reader: PanelReader, act: audit.Act, *, now: datetime) -> None:
    audit.record(
        session,
        act,
        record_kind=RECORD_KIND,
        record_id=reader.link_id,
        owner_agency_id=reader.household_agency_id,
        level=audit.Level.REPORT,
        reason=f"panel papers, {reader.role.label.lower()}, name {reader.id}",
        now=now,
    )
