"""Handing over: an agency's work, all of it or some of its records, becomes another's on a day that both agree to.

One person of each side says their word. On the day a job of the receiving agency moves the rows, in one transaction;
then both sides sign that what came is what went, row for row. An agency that hands over everything is merged into the
other: its people become that one's, and it is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.dialects.postgresql import UUID as UUID_COLUMN
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants import audit
from tenants.agency import Agency, AgencyKind
from tenants.approval import require_another, require_one_side
from tenants.base import Base, Id
from tenants.consortium import list_consortia_of
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.job import Job
from tenants.permission import Verb, require
from tenants.person import get_person
from tenants.scope import Scope

HAND_OVER_JOB = "hand_over"
_AGREE = text("SELECT agree_to_hand_over(:hand_over)")
_WITHDRAW = text("SELECT withdraw_hand_over(:hand_over)")
_PREVIEW = text("SELECT preview_hand_over(:hand_over)")
_SIDE = text("SELECT side_in_hand_over(:hand_over)")
_SIGN = text("SELECT sign_hand_over(:hand_over, :name)")


class HandOverKind(StrEnum):
    """Which records are handed over, where it is not everything."""

    HOUSEHOLD = "household"
    GROUP = "sibling_group"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"household": "Adopter households", "sibling_group": "Sibling groups"}[self.value]


class HandOver(Base):
    """One plan to hand over, what came of it, and who signed for it."""

    __tablename__ = "hand_over"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    """Whose work it is until then."""
    receiver_id: Mapped[UUID]
    whole: Mapped[bool]
    """Everything, its people too: the agency is merged into the other, and over."""
    kinds: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    record_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(UUID_COLUMN(as_uuid=True)))
    """Which records; ``None`` for all of those kinds."""
    takes_effect_on: Mapped[date]
    reason: Mapped[str]
    proposed_at: Mapped[datetime]
    given_by: Mapped[UUID | None]
    given_at: Mapped[datetime | None]
    taken_by: Mapped[UUID | None]
    taken_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    moved_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(UUID_COLUMN(as_uuid=True)), deferred=True)
    settled: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    """What had to give way first, each with what stood before and after."""
    counts: Mapped[dict[str, Any] | None]
    lines: Mapped[bytes | None] = mapped_column(deferred=True)
    giver_signed_by: Mapped[UUID | None]
    giver_signed_name: Mapped[str | None]
    giver_signed_at: Mapped[datetime | None]
    receiver_signed_by: Mapped[UUID | None]
    receiver_signed_name: Mapped[str | None]
    receiver_signed_at: Mapped[datetime | None]

    def state(self, *, on: date) -> str:
        """Return where it stands on a day, in words."""
        if self.withdrawn_at is not None:
            return "Withdrawn"
        if self.done_at is not None:
            return "Done" if self.giver_signed_at and self.receiver_signed_at else "Done, to be signed"
        if self.given_at is None or self.taken_at is None:
            return "Lapsed" if self.takes_effect_on < on else "Proposed"
        return "To be done" if self.takes_effect_on <= on else "Agreed"

    def agreed_by(self, agency_id: UUID) -> datetime | None:
        """Return when the side of ``agency_id`` agreed."""
        return self.given_at if agency_id == self.agency_id else self.taken_at


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of handing over now: what stands against it, or how many rows of which table would move."""

    hindrances: tuple[str, ...]
    counts: dict[str, int]
    settled: dict[str, int]
    """How often what would have to give way."""


class HandOverUnknown(NotFound):
    """There is no such plan."""


class HandOverInvalid(Invalid):
    """A plan lacks its reason, its records, or a day that is still to come."""


class HandOverOver(Conflict):
    """The plan is agreed to, withdrawn, past or done already, or another one stands."""


class NotYoursToHandOver(Forbidden):
    """Only one of the two agencies, or the operator, may propose it."""


class NameWrong(Invalid):
    """What was typed is not the name of whoever signs."""


class NotYoursToSign(Forbidden):
    """The person was of both agencies, or of neither, or their side has signed."""


def propose_hand_over(
    session: Session,
    giver: Agency,
    *,
    receiver: Agency,
    takes_effect_on: date,
    reason: str,
    kinds: Collection[HandOverKind] = (),
    record_ids: Iterable[UUID] | None = None,
    now: datetime,
) -> HandOver:
    """Propose that an agency hands over to another: everything, or with ``kinds`` the records of those kinds.

    Whoever proposes it as one of the two has said that side's word with it; the operator has none to say.

    :param record_ids: which records of those kinds; all when not given.
    :raises NotAllowed: when the scope's roles do not let it.
    :raises NotYoursToHandOver: when it is of neither agency nor the operator, or another's records are chosen.
    :raises BothSides: when the person holds roles in both.
    :raises HandOverInvalid: when they cannot, the day is past, or no reason is given.
    :raises HandOverOver: when a plan of these two stands already.
    """
    scope = _deciding(session)
    _require_party(scope, giver, receiver, chosen=record_ids is not None)
    _check(session, giver, receiver, takes_effect_on=takes_effect_on, reason=reason, on=now.date())
    person = None if scope.operator else require_one_side(session, agencies={giver.id, receiver.id}, on=now.date())
    made = HandOver(
        agency_id=giver.id,
        receiver_id=receiver.id,
        whole=not kinds,
        kinds=sorted({HandOverKind(kind).value for kind in kinds}),
        record_ids=None if record_ids is None else sorted(set(record_ids)),
        takes_effect_on=takes_effect_on,
        reason=reason.strip(),
        proposed_at=now,
    )
    if person is not None and scope.agency_id == giver.id:
        made.given_by, made.given_at = person, now
    elif person is not None:
        made.taken_by, made.taken_at = person, now
    return _keep(session, made, now=now)


def agree_to_hand_over(session: Session, hand_over: HandOver, *, now: datetime) -> None:
    """Agree for the scope's own side, in one's own name; once both have, it is done on its day.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises BothSides: when the person, or who agreed for the other side, holds roles in both agencies.
    :raises SamePerson: when the same person agreed for the other side.
    :raises HandOverOver: when this side has agreed, or it is withdrawn, past or done.
    """
    scope = _deciding(session)
    session.refresh(hand_over)
    if scope.agency_id is None or hand_over.state(on=now.date()) != "Proposed" or hand_over.agreed_by(scope.agency_id):
        raise HandOverOver("Your side has agreed to this already, or it is withdrawn or past.")
    agencies, on = {hand_over.agency_id, hand_over.receiver_id}, now.date()
    other = hand_over.taken_by if scope.agency_id == hand_over.agency_id else hand_over.given_by
    if other is None:
        require_one_side(session, agencies=agencies, on=on)
    else:
        require_another(session, first_person_id=other, agencies=agencies, on=on)
    _call(session, _AGREE, hand_over)
    session.refresh(hand_over)
    _record(session, audit.Act.APPROVE, hand_over, now=now)


def withdraw_hand_over(session: Session, hand_over: HandOver, *, now: datetime) -> None:
    """Take a plan back before it is done, whichever side one is on.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises HandOverOver: when it is withdrawn or done already.
    """
    _deciding(session)
    session.refresh(hand_over)
    if hand_over.withdrawn_at is not None or hand_over.done_at is not None:
        raise HandOverOver("This is withdrawn or done already.")
    _call(session, _WITHDRAW, hand_over)
    session.refresh(hand_over)
    _record(session, audit.Act.REVOKE, hand_over, now=now)


def preview_hand_over(session: Session, hand_over: HandOver) -> Preview:
    """Try a plan out without doing it, and return what would come of it now.

    What would have to give way is told once both have agreed: it tells of what the other has.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises NotYoursToHandOver: when the agency whose work it is has not agreed yet, and one is the other.
    :raises HandOverOver: when it is withdrawn or done.
    """
    scope = _deciding(session)
    if hand_over.withdrawn_at is not None or hand_over.done_at is not None:
        raise HandOverOver("This is withdrawn or done already.")
    if scope.agency_id == hand_over.receiver_id and hand_over.given_at is None:
        raise NotYoursToHandOver("What would come is told once the agency whose work it is has agreed.")
    said = _call(session, _PREVIEW, hand_over)
    hindrances = tuple(hindrance_words(each) for each in said["hindrances"])
    return Preview(hindrances, dict(said["counts"]), dict(said["settled"]))


def sign_hand_over(session: Session, hand_over: HandOver, *, name: str, now: datetime) -> None:
    """Sign the reconciliation for one's side by typing one's own name.

    :raises NotAllowed: when the scope's roles do not let it.
    :raises NotYoursToSign: when the person signs for neither side, or their side has signed.
    :raises NameWrong: when it is not the person's name.
    """
    scope = _deciding(session)
    session.refresh(hand_over)
    side = side_of(session, hand_over)
    signed = {"giver": hand_over.giver_signed_at, "receiver": hand_over.receiver_signed_at}
    if scope.person_id is None or side is None or signed[side]:
        raise NotYoursToSign(
            "Your side has signed this, or you were of both agencies, and nobody signs for both. Ask a colleague who "
            "worked for one of them alone."
        )
    own = get_person(session, scope.person_id).name
    if " ".join(name.split()).casefold() != " ".join(own.split()).casefold():
        raise NameWrong(f"Enter your name as it stands here: {own}.")
    _call(session, _SIGN, hand_over, name=own)
    session.refresh(hand_over)
    _record(session, audit.Act.SIGN, hand_over, now=now)


def side_of(session: Session, hand_over: HandOver) -> str | None:
    """Return for which side the scope's person may sign, “giver” or “receiver”; ``None`` for neither."""
    found = session.execute(_SIDE, {"hand_over": hand_over.id}).scalar_one_or_none()
    return None if found is None else str(found)


def get_hand_over(session: Session, hand_over_id: UUID) -> HandOver:
    """Return a plan that concerns the scope's own agency.

    :raises HandOverUnknown: when there is none.
    """
    found = session.get(HandOver, hand_over_id)
    if found is None:
        raise HandOverUnknown("There is no such plan of your agency to hand over or take over.")
    return found


def list_hand_overs(session: Session) -> list[HandOver]:
    """Return the plans that concern the scope's own agency, newest first."""
    return list(session.scalars(select(HandOver).order_by(HandOver.proposed_at.desc(), HandOver.id)))


def find_job_of(session: Session, hand_over: HandOver) -> Job | None:
    """Return the job that does it, or did; it is the receiving agency's, and the other sees none."""
    return session.scalar(select(Job).where(Job.kind == HAND_OVER_JOB, Job.key == str(hand_over.id)))


def list_waiting(session: Session, *, on: date) -> list[HandOver]:
    """Return what waits for the scope's own agency: plans that its side has not agreed to, what is to be signed."""
    own = scope_of(session).agency_id
    return [
        each
        for each in list_hand_overs(session)
        if (each.state(on=on) == "Proposed" and own is not None and not each.agreed_by(own))
        or each.state(on=on) == "Done, to be signed"
    ]


def hindrance_words(said: dict[str, Any]) -> str:
    """Return what stands against handing over, and what to do about it."""
    about = said.get("about") or ""
    return {
        "closed": f"{about} is closed already.",
        "office": f"{about} is a consortium’s office: it has no records, and without it nobody arranges the meetings.",
        "children": f"{about} is a voluntary agency, and children are a council’s. Hand over households alone.",
        "not_member": f"Whoever takes over is not in {about}, where these records are shared. It has to join first.",
        "destruction": "A destruction of records has been asked for. Decide on it first.",
        "hold": "A hold stands on a whole class of records, and would not go with single ones. Hold those by code, and "
        "then lift it.",
        "bound": "Something of these records belongs to others too, which would stay. Hand them over together.",
        "busy": "Somebody is saving one of these records just now. Try it again in a moment.",
        "nothing": "There is no such record to hand over.",
        "before": "Whoever takes over is itself to be merged into another by that day.",
    }[said["what"]]


def _call(session: Session, function: TextClause, hand_over: HandOver, **facts: str) -> Any:  # noqa: ANN401 - its answer
    try:
        return session.execute(function, {"hand_over": hand_over.id, **facts}).scalar_one()
    except ProgrammingError as error:
        # It was looked at before: somebody has done something to it since.
        raise HandOverOver("Somebody was there at the same moment. Look at the plan again.") from error


def _deciding(session: Session) -> Scope:
    scope = scope_of(session)
    if not scope.operator:
        require(scope, Verb.DECIDE_LIFE)
    return scope


def _require_party(scope: Scope, giver: Agency, receiver: Agency, *, chosen: bool) -> None:
    if not scope.operator and scope.agency_id not in {giver.id, receiver.id}:
        raise NotYoursToHandOver("Only one of the two agencies may propose that one hands over to the other.")
    if chosen and scope.agency_id != giver.id:
        raise NotYoursToHandOver("Only the agency whose records they are chooses among them.")


def _check(session: Session, giver: Agency, receiver: Agency, *, takes_effect_on: date, reason: str, on: date) -> None:
    if giver.id == receiver.id:
        raise HandOverInvalid("An agency cannot hand over to itself.")
    if AgencyKind.CONSORTIUM_OFFICE in {giver.kind, receiver.kind}:
        raise HandOverInvalid("A consortium’s office has no records to hand over or to take over.")
    shared = {each.id for each in list_consortia_of(session, giver, on=on)}
    if not shared & {each.id for each in list_consortia_of(session, receiver, on=on)}:
        raise HandOverInvalid(f"{receiver.name} is in no consortium with {giver.name}. It has to join first.")
    if takes_effect_on < on:
        raise HandOverInvalid("Choose today or a day to come.")
    if not reason.strip():
        raise HandOverInvalid("Say why.")
    for each in list_hand_overs(session):
        stands = each.state(on=on) in {"Proposed", "Agreed", "To be done"}
        if stands and (each.agency_id, each.receiver_id) == (giver.id, receiver.id):
            raise HandOverOver(f"There is a plan for {each.takes_effect_on:%d/%m/%Y} already. Withdraw that first.")


def _keep(session: Session, made: HandOver, *, now: datetime) -> HandOver:
    columns = [column.key for column in HandOver.__table__.columns]
    values = {name: value for name, value in vars(made).items() if name in columns}
    hand_over_id = session.execute(insert(HandOver).returning(HandOver.id), values).scalar_one()
    found = get_hand_over(session, hand_over_id)
    _record(session, audit.Act.REQUEST, found, now=now)
    return found


def _record(session: Session, act: audit.Act, hand_over: HandOver, *, now: datetime) -> None:
    audit.record(
        session, act, record_kind="hand_over", record_id=hand_over.id, owner_agency_id=hand_over.agency_id, now=now
    )
