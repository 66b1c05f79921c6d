"""The ledger of adopters' agreement: who agreed to what, how and when, and what of it they withdrew.

Agreement is not the lawful basis. Sharing during matching rests on the agency's public task (Adoption Agencies
Regulations 2005, regulation 42(2)); a missing or withdrawn agreement is shown, and changes nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.household import Household, HouseholdUnknown, get_household
from matching.pool import Stage, share, sharing_of
from matching.sealed_words import open_words, own_agency, own_person, seal_words, tidy
from tenants import audit
from tenants.base import Base, Id, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require


class AgreedTo(StrEnum):
    """What adopters may agree to."""

    POOL_SHARING = "pool_sharing"
    PROFILE = "profile"
    DOCUMENTS = "documents"
    CONTACT = "contact"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {
            "pool_sharing": "Being shared with the pool",
            "profile": "Their anonymous profile",
            "documents": "Reports being read by other agencies",
            "contact": "Being contacted by other agencies",
        }[self]


class AgreedHow(StrEnum):
    """How they said so."""

    SIGNED_FORM = "signed_form"
    EMAIL = "email"
    ORAL = "oral"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"signed_form": "Signed form", "email": "E-mail", "oral": "Orally"}[self]


class AfterWithdrawal(StrEnum):
    """What the worker does about sharing when an agreement is withdrawn."""

    GO_ON = "go_on"
    HOLD_BACK = "hold_back"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"go_on": "Sharing goes on, as the law allows", "hold_back": "Held back from this pool"}[self]


class AgreementEntry(Base):
    """One line of the ledger: an agreement, or the withdrawal of one."""

    __tablename__ = "agreement_entry"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    household_id: Mapped[UUID]
    agreed_to: Mapped[AgreedTo] = mapped_column(Word(AgreedTo))
    said_on: Mapped[date]
    how: Mapped[AgreedHow] = mapped_column(Word(AgreedHow))
    sealed: Mapped[bytes]
    withdraws_id: Mapped[UUID | None]
    after: Mapped[AfterWithdrawal | None] = mapped_column(Word(AfterWithdrawal))
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class AgreementSaid:
    """A line of the ledger opened: who said it and, of a withdrawal, why sharing goes on or not."""

    entry: AgreementEntry
    who: str
    reason: str | None
    withdrawn: bool


class AgreementInvalid(Invalid):
    """The day cannot be, or it is not said what becomes of sharing."""


class AgreementUnknown(NotFound):
    """No such agreement is in this ledger."""


class AgreementWithdrawn(Conflict):
    """It was withdrawn already, or is itself a withdrawal."""


def record_agreement(
    session: Session,
    household: Household,
    *,
    agreed_to: AgreedTo,
    who: str,
    said_on: date,
    how: AgreedHow,
    now: datetime,
) -> AgreementEntry:
    """Record what adopters of one's own agency's household agreed to.

    :raises NotAllowed: when the scope's roles do not keep the ledger.
    :raises HouseholdUnknown: when the household is another agency's.
    :raises AgreementInvalid: when the day is yet to come.
    :raises WordsMissing: when it is not said who agreed.
    """
    require(scope_of(session), Verb.KEEP_AGREEMENTS)
    words = {"who": tidy(who, what="who agreed"), "reason": None}
    return _add(session, household, agreed_to=agreed_to, words=words, said_on=said_on, how=how, now=now)


def withdraw_agreement(
    session: Session,
    entry: AgreementEntry,
    *,
    who: str,
    said_on: date,
    how: AgreedHow,
    after: AfterWithdrawal,
    reason: str,
    now: datetime,
) -> AgreementEntry:
    """Record that an agreement is withdrawn, and what the worker does about sharing, with a reason.

    Holding back is done at once, in the scope's consortium; going on changes nothing.

    :raises AgreementWithdrawn: when it was withdrawn already.
    :raises AgreementInvalid: when the day is before the agreement's or yet to come.
    :raises WordsMissing: when it is not said who, or why.
    """
    require(scope_of(session), Verb.KEEP_AGREEMENTS)
    household = own_household(session, entry.household_id)
    if entry.withdraws_id is not None or _withdrawal_of(session, entry) is not None:
        raise AgreementWithdrawn("It was withdrawn already.")
    if said_on < entry.said_on:
        raise AgreementInvalid(f"It was agreed on {entry.said_on:%d/%m/%Y}; it cannot be withdrawn before that.")
    words = {
        "who": tidy(who, what="who withdrew it"),
        "reason": tidy(reason, what="why sharing goes on or is held back"),
    }
    made = _add(
        session,
        household,
        agreed_to=entry.agreed_to,
        words=words,
        said_on=said_on,
        how=how,
        withdraws_id=entry.id,
        after=after,
        now=now,
    )
    if after is AfterWithdrawal.HOLD_BACK:
        _hold_back(session, household, on=now.date())
    return made


def read_ledger(session: Session, household: Household, *, now: datetime) -> list[AgreementSaid]:
    """Return the ledger of one's own agency's household, the newest first, and put the look on record.

    :raises HouseholdUnknown: when the household is another agency's.
    """
    require(scope_of(session), Verb.READ_AGREEMENTS)
    own_household(session, household.id)
    query = select(AgreementEntry).where(AgreementEntry.household_id == household.id)
    entries = list(
        session.scalars(
            query.order_by(AgreementEntry.said_on.desc(), AgreementEntry.recorded_at.desc(), AgreementEntry.id)
        )
    )
    withdrawn = {entry.withdraws_id for entry in entries}
    audit.record(
        session,
        audit.Act.READ,
        record_kind="household",
        record_id=household.id,
        level=audit.Level.IDENTITY,
        reason="agreements",
        now=now,
    )
    return [_said(session, entry, withdrawn=entry.id in withdrawn) for entry in entries]


def standing_agreements(ledger: list[AgreementSaid]) -> frozenset[AgreedTo]:
    """Return what of a ledger stands: agreed to, and not withdrawn since."""
    return frozenset(said.entry.agreed_to for said in ledger if said.entry.withdraws_id is None and not said.withdrawn)


def get_agreement(session: Session, household: Household, entry_id: UUID) -> AgreementEntry:
    """Return a line of a household's ledger.

    :raises AgreementUnknown: when there is none.
    """
    entry = session.get(AgreementEntry, entry_id)
    if entry is None or entry.household_id != household.id:
        raise AgreementUnknown("There is no such agreement of this household.")
    return entry


def own_household(session: Session, household_id: UUID) -> Household:
    """Return one's own agency's household.

    :raises HouseholdUnknown: when there is none, or it is another agency's.
    """
    household = get_household(session, household_id)
    if household.agency_id != scope_of(session).agency_id:
        raise HouseholdUnknown("There is no such household in your view of the pool.")
    return household


def _add(
    session: Session,
    household: Household,
    *,
    agreed_to: AgreedTo,
    words: Mapping[str, str | None],
    said_on: date,
    how: AgreedHow,
    now: datetime,
    withdraws_id: UUID | None = None,
    after: AfterWithdrawal | None = None,
) -> AgreementEntry:
    own_household(session, household.id)
    if not date(2000, 1, 1) <= said_on <= now.date():
        raise AgreementInvalid("Enter the day on which they said so: not after today, and not before 2000.")
    entry_id = uuid4()
    entry = AgreementEntry(
        id=entry_id,
        agency_id=own_agency(session),
        household_id=household.id,
        agreed_to=agreed_to,
        said_on=said_on,
        how=how,
        sealed=seal_words(session, words, row_id=entry_id, now=now),
        withdraws_id=withdraws_id,
        after=after,
        recorded_by=own_person(session),
        recorded_at=now,
    )
    session.add(entry)
    session.flush()
    reason = f"agreement {'withdrawn' if withdraws_id else 'recorded'}: {agreed_to.value}"
    audit.record(session, audit.Act.CHANGE, record_kind="household", record_id=household.id, reason=reason, now=now)
    return entry


def _withdrawal_of(session: Session, entry: AgreementEntry) -> UUID | None:
    return session.scalar(select(AgreementEntry.id).where(AgreementEntry.withdraws_id == entry.id))


def _hold_back(session: Session, household: Household, *, on: date) -> None:
    present = sharing_of(session, [household.id]).get(household.id)
    stage = present.stage if present else Stage.IN_HOUSE
    share(session, stage=stage, on=on, household_id=household.id, held=True, reason="Agreement withdrawn")


def _said(session: Session, entry: AgreementEntry, *, withdrawn: bool) -> AgreementSaid:
    words = open_words(session, entry.sealed, row_id=entry.id)
    return AgreementSaid(entry, who=words["who"] or "", reason=words["reason"], withdrawn=withdrawn)
