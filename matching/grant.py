"""Grants: who of the other side of a link may read its reports, by name and until when.

A row begins as somebody's request, or as the owner's offer, and is decided by the owner alone. What a grant opens is
the database's to say, by its own clock; here is who asks, decides, takes back and undertakes.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.actor import acting_person
from matching.document import ReportKind
from matching.link import CPR_OPEN, PAR_OPEN, Link, LinkStep, get_link, list_steps, written
from matching.report_stage import check_stage
from matching.undertaking import report_rules
from tenants import audit
from tenants.approval import require_another
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.permission import Verb, require


class GrantState(StrEnum):
    """How a request or grant stands on a day."""

    ASKED = "asked"
    GRANTED = "granted"
    DECLINED = "declined"
    REVOKED = "revoked"
    OVER = "over"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "asked": "Waits for an answer",
            "granted": "May read",
            "declined": "Declined",
            "revoked": "Taken back",
            "over": "Over",
        }[self]


class DocumentGrant(Base):
    """One person's leave to read the reports of one kind of one link, or their request for it."""

    __tablename__ = "document_grant"

    id: Mapped[Id]
    link_id: Mapped[UUID]
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    kind: Mapped[ReportKind] = mapped_column(Word(ReportKind))
    person_id: Mapped[UUID]
    """Who is to read."""
    person_name: Mapped[str]
    person_roles: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    asked_at: Mapped[datetime | None]
    """When they asked; an offer was not asked for."""
    reason: Mapped[str]
    """Why they ask, or why it is offered."""
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_name: Mapped[str | None]
    ends_on: Mapped[date | None]
    """The last day on which it opens anything."""
    declined: Mapped[str | None]
    """Why it was declined."""
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]
    revoked_reason: Mapped[str | None]

    @property
    def owner_id(self) -> UUID:
        """Return the agency whose report it is."""
        return self.household_agency_id if self.kind is ReportKind.PAR else self.group_agency_id

    @property
    def reader_agency_id(self) -> UUID:
        """Return the agency whose person is to read."""
        return self.group_agency_id if self.kind is ReportKind.PAR else self.household_agency_id

    def state(self, on: date) -> GrantState:
        """Return how it stands on a day."""
        if self.revoked_at is not None:
            return GrantState.REVOKED
        if self.declined is not None:
            return GrantState.DECLINED
        if self.ends_on is None:
            return GrantState.ASKED
        return GrantState.GRANTED if self.ends_on >= on else GrantState.OVER


class DocumentUndertaking(Base):
    """What a person promised before they opened anything under a grant: which wording, and when."""

    __tablename__ = "document_undertaking"

    grant_id: Mapped[UUID] = mapped_column(primary_key=True)
    group_agency_id: Mapped[UUID]
    household_agency_id: Mapped[UUID]
    person_id: Mapped[UUID]
    wording: Mapped[int]
    undertaken_at: Mapped[datetime]


class GrantUnknown(NotFound):
    """No such grant or request concerns this scope."""


class GrantInvalid(Invalid):
    """A grant was described in a way that cannot be kept."""


class GrantDecided(Conflict):
    """It has been decided or taken back already, or the person has asked before."""


class NotTheirs(Forbidden):
    """The report is one's own agency's, or the decision is the other's."""


def ask(session: Session, link: Link, *, kind: ReportKind, reason: str, now: datetime) -> DocumentGrant:
    """Ask the other side for its reports of a kind, in one's own name.

    :raises NotAllowed: when the scope's roles do not let it read reports.
    :raises NotTheirs: when the report would be one's own agency's.
    :raises NotConsidered: when the link is not at the report’s stage.
    :raises GrantDecided: when the person has asked already and waits, or may read already.
    """
    scope = scope_of(session)
    require(scope, Verb.READ_REPORTS)
    check_stage(link, kind)
    request = _row(link, kind, reason=written(reason, "why you need to read it"))
    if request.reader_agency_id != scope.agency_id or request.owner_id == scope.agency_id:
        raise NotTheirs("Your own agency keeps this report. Open it on the record’s page.")
    actor = acting_person(session)
    if any(each.person_id == actor.person_id and each.kind is kind for each in _live(session, link, on=now.date())):
        raise GrantDecided(f"You have asked for the {kind.label} already, or may read it.")
    request.person_id, request.person_name, request.person_roles = actor.person_id, actor.name, list(actor.roles)
    request.asked_at = now
    _add(session, request)
    _record(session, request, audit.Act.REQUEST, words="asked", now=now)
    return request


def offer(
    session: Session, link: Link, *, kind: ReportKind, person_id: UUID, reason: str, ends_on: date, now: datetime
) -> DocumentGrant:
    """Let somebody who has taken part in the link on the other side read one's own agency's reports of a kind.

    :raises NotAllowed: when the scope's roles do not let it grant.
    :raises NotTheirs: when the reports are not one's own agency's.
    :raises GrantInvalid: when the person has taken no part, or the day cannot be.
    """
    check_stage(link, kind)
    grant_row = _row(link, kind, reason=written(reason, "why you offer it"))
    _require_owner(session, grant_row)
    _check_day(ends_on, on=now.date())
    taker = next((each for each in list_takers(session, link) if each.person_id == person_id), None)
    if taker is None:
        raise GrantInvalid("Choose somebody of the other agency who has taken part in this link.")
    if any(each.person_id == person_id and each.kind is kind for each in _live(session, link, on=now.date())):
        raise GrantDecided(f"{taker.person_name} has asked for it or may read it already. Decide on that instead.")
    _require_another(session, grant_row, person_id, now=now)
    grant_row.person_id, grant_row.person_name, grant_row.person_roles = (
        person_id,
        taker.person_name,
        taker.person_roles,
    )
    _decide(session, grant_row, now=now)
    grant_row.ends_on = ends_on
    _add(session, grant_row)
    _record(session, grant_row, audit.Act.GRANT, words=f"offered until {ends_on.isoformat()}", now=now)
    return grant_row


def grant(session: Session, request: DocumentGrant, *, ends_on: date, now: datetime) -> DocumentGrant:
    """Let who asked read until the end of a day; said of a grant that stands, it moves that day.

    :raises NotTheirs: when the reports are not one's own agency's.
    :raises GrantDecided: when it was declined or taken back.
    :raises SamePerson: when they asked themselves; BothSides when either holds roles in both agencies.
    :raises GrantInvalid: when the day has passed or lies too far ahead.
    """
    _require_owner(session, request)
    _check_day(ends_on, on=now.date())
    _lock(session, request)
    check_stage(get_link(session, request.link_id), request.kind)
    _require_another(session, request, request.person_id, now=now)
    _decide(session, request, now=now)
    request.ends_on = ends_on
    session.flush()
    _record(session, request, audit.Act.GRANT, words=f"until {ends_on.isoformat()}", now=now)
    return request


def decline(session: Session, request: DocumentGrant, *, reason: str, now: datetime) -> DocumentGrant:
    """Decline a request, with a reason that who asked reads.

    :raises NotTheirs: when the reports are not one's own agency's.
    :raises GrantDecided: when it was decided already.
    """
    _require_owner(session, request)
    words = written(reason, "why not")
    _lock(session, request)
    if request.decided_at is not None:
        raise GrantDecided("It was granted in the meantime. Take the grant back instead.")
    _decide(session, request, now=now)
    request.declined = words
    session.flush()
    _record(session, request, audit.Act.REFUSE, words="declined", now=now)
    return request


def revoke(session: Session, found: DocumentGrant, *, reason: str, now: datetime) -> DocumentGrant:
    """Take a grant back at once.

    :raises NotTheirs: when the reports are not one's own agency's.
    :raises GrantDecided: when nothing was granted, or it was taken back already.
    """
    _require_owner(session, found)
    words = written(reason, "why you take it back")
    _lock(session, found)
    if found.ends_on is None:
        raise GrantDecided("Nothing has been granted. Decline the request instead.")
    found.revoked_at, found.revoked_by, found.revoked_reason = now, scope_of(session).person_id, words
    session.flush()
    _record(session, found, audit.Act.REVOKE, words="taken back", now=now)
    return found


def undertake(session: Session, found: DocumentGrant, *, wording: int, now: datetime) -> DocumentUndertaking:
    """Promise, in one's own name, to keep what a grant opens confidential; promised already, it stands.

    :raises GrantUnknown: when the grant is another's or opens nothing now.
    :raises GrantInvalid: when the wording is not the one in force.
    """
    if all(each.id != found.id for each, _ in list_own_grants(session, on=now.date())):
        raise GrantUnknown("You have no such leave to read a report now.")
    if wording != report_rules().present.version:
        raise GrantInvalid("The wording has changed since you opened the page. Read it again, then confirm.")
    undertaking = session.get(DocumentUndertaking, found.id)
    if undertaking is not None:
        return undertaking
    undertaking = DocumentUndertaking(
        grant_id=found.id,
        group_agency_id=found.group_agency_id,
        household_agency_id=found.household_agency_id,
        person_id=found.person_id,
        wording=wording,
        undertaken_at=now,
    )
    session.add(undertaking)
    session.flush()
    _record(session, found, audit.Act.UNDERTAKE, words=f"wording {wording}", now=now)
    return undertaking


def find_undertaking(session: Session, found: DocumentGrant) -> DocumentUndertaking | None:
    """Return what was promised under a grant, if anything was."""
    return session.get(DocumentUndertaking, found.id)


def get_grant(session: Session, grant_id: UUID) -> DocumentGrant:
    """Return a grant or request of one of the scope's agency's links.

    :raises GrantUnknown: when there is none.
    """
    found = session.get(DocumentGrant, grant_id)
    if found is None:
        raise GrantUnknown("There is no such request or grant of your agency’s links.")
    return found


def list_own_grants(session: Session, *, on: date) -> list[tuple[DocumentGrant, Link]]:
    """Return what the scope's own person may read by leave of other agencies, the soonest to end first."""
    scope = scope_of(session)
    query = (
        select(DocumentGrant, Link)
        .join(Link, Link.id == DocumentGrant.link_id)
        .where(
            DocumentGrant.person_id == scope.person_id,
            DocumentGrant.ends_on >= on,
            DocumentGrant.revoked_at.is_(None),
            _at_its_stage(),
            Link.consortium_id == scope.consortium_id,
        )
        .order_by(DocumentGrant.ends_on, DocumentGrant.id)
    )
    return [(found, link) for found, link in session.execute(query) if found.reader_agency_id == scope.agency_id]


def list_grants(session: Session, link: Link) -> list[DocumentGrant]:
    """Return a link's requests and grants, the newest first."""
    query = select(DocumentGrant).where(DocumentGrant.link_id == link.id)
    found = session.scalars(query.execution_options(populate_existing=True))
    return sorted(found, key=lambda each: (each.asked_at or each.decided_at, each.id), reverse=True)


def list_takers(session: Session, link: Link) -> list[LinkStep]:
    """Return the last step of each person of the other side who has taken one, by their names."""
    own = scope_of(session).agency_id
    steps = [step for step in reversed(list_steps(session, link)) if step.agency_id != own and step.person_id]
    people = {step.person_id: step for step in steps}
    return sorted(people.values(), key=lambda step: (step.person_name, step.person_id))


def default_end(now: datetime) -> date:
    """Return the day on which a grant ends where nobody says otherwise."""
    return now.date() + timedelta(days=report_rules().grant_days)


def _live(session: Session, link: Link, *, on: date) -> list[DocumentGrant]:
    return [each for each in list_grants(session, link) if each.state(on) in {GrantState.ASKED, GrantState.GRANTED}]


def _row(link: Link, kind: ReportKind, *, reason: str) -> DocumentGrant:
    if link.group_agency_id == link.household_agency_id:
        raise NotTheirs("Both sides of this link are your agency, so nobody needs leave of another.")
    parties = {"group_agency_id": link.group_agency_id, "household_agency_id": link.household_agency_id}
    return DocumentGrant(link_id=link.id, kind=kind, reason=reason, **parties)


def _add(session: Session, row: DocumentGrant) -> None:
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        raise GrantDecided(f"{row.person_name} has asked for it already.") from None


def _at_its_stage() -> ColumnElement[bool]:
    return or_(
        (DocumentGrant.kind == ReportKind.PAR) & Link.state.in_(PAR_OPEN),
        (DocumentGrant.kind == ReportKind.CPR) & Link.state.in_(CPR_OPEN),
    )


def _check_day(ends_on: date, *, on: date) -> None:
    last = on + timedelta(days=report_rules().longest_grant_days)
    if not on <= ends_on <= last:
        raise GrantInvalid(f"Choose a day from today to {last.day} {last:%B %Y}. A grant can be given again.")


def _require_owner(session: Session, row: DocumentGrant) -> None:
    scope = scope_of(session)
    require(scope, Verb.KEEP_REPORTS)
    if row.owner_id != scope.agency_id:
        raise NotTheirs("The agency whose report it is decides who may read it.")


def _require_another(session: Session, row: DocumentGrant, reader_id: UUID, *, now: datetime) -> None:
    agencies = (row.group_agency_id, row.household_agency_id)
    require_another(session, first_person_id=reader_id, on=now.date(), agencies=agencies)


def _lock(session: Session, row: DocumentGrant) -> None:
    # What was declined or taken back cannot be locked, and so is not found: two people may decide at once.
    query = select(DocumentGrant).where(DocumentGrant.id == row.id).with_for_update(key_share=True)
    if session.scalar(query.execution_options(populate_existing=True)) is None:
        raise GrantDecided("It has been declined or taken back already, or the link is no longer considered.")


def _decide(session: Session, row: DocumentGrant, *, now: datetime) -> None:
    actor = acting_person(session)
    row.decided_at, row.decided_by, row.decided_name = now, actor.person_id, actor.name


def _record(session: Session, row: DocumentGrant, act: audit.Act, *, words: str, now: datetime) -> None:
    link = get_link(session, row.link_id)
    par = row.kind is ReportKind.PAR
    audit.record(
        session,
        act,
        record_kind="household" if par else "sibling_group",
        record_id=link.household_id if par else link.sibling_group_id,
        owner_agency_id=row.owner_id,
        level=audit.Level.REPORT,
        reason=f"{row.kind.label}, {words}, grant {row.id}",
        now=now,
    )
