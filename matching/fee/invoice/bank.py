"""Where money goes: a payee's bank details, changed by two people and a delay, the old ones kept.

Fraud by a false change of bank details is why: whoever is to pay is told of each change before it takes effect, and can
ask by a way that they know. The day is set by the database (revision 0040).
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Uuid, column, exists, or_, select, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session

from matching.fee.debt_holder import DebtHolder
from matching.sealed_words import own_agency, own_person
from tenants import audit
from tenants.approval import require_two
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.own_key import seal_apart, unseal_apart
from tenants.permission import Verb, require

RECORD_KIND = "bank_details"
_SORT_CODE = re.compile(r"[0-9]{6}")
_ACCOUNT = re.compile(r"[0-9]{8}")
# By name: what stands on an invoice is read here.
_INVOICE = table("invoice", column("payee_agency_id", Uuid()), column("payer_agency_id", Uuid()), column("issued_at"))


class PayeeAccountChange(Base):
    """One set of bank details: asked for by one person, approved by another, in effect from a day on."""

    __tablename__ = "payee_account_change"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    takes_effect_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    sealed_key: Mapped[bytes]
    sealed: Mapped[bytes]

    @property
    def waits(self) -> bool:
        """Say whether it waits for a second person."""
        return self.approved_at is None and self.withdrawn_at is None


class BankInvalid(Invalid):
    """No bank account is written like that."""


class ChangeWaits(Conflict):
    """A change of bank details waits already."""


class ChangeUnknown(NotFound):
    """No change of bank details waits for this."""


@dataclass(frozen=True, slots=True)
class BankDetails:
    """A United Kingdom bank account."""

    name: str
    sort_code: str
    account_number: str

    @property
    def masked(self) -> str:
        """Return the account by its last four digits."""
        return f"account ending {self.account_number[-4:]}"

    @property
    def written(self) -> str:
        """Return the sort code as people write it: 12-34-56."""
        return "-".join(self.sort_code[each : each + 2] for each in (0, 2, 4))


def read_details(name: str, sort_code: str, account_number: str) -> BankDetails:
    """Return bank details as they were typed, without blanks and hyphens.

    :raises BankInvalid: when they cannot be.
    """
    code, number = ("".join(each for each in said if each not in " -") for said in (sort_code, account_number))
    if not name.strip() or len(name) > 70:
        raise BankInvalid("Enter the name of the account, as the bank has it.", about="name")
    if not _SORT_CODE.fullmatch(code):
        raise BankInvalid("A sort code has six digits, such as 12-34-56.", about="sort_code")
    # Building societies have shorter ones, which banks fill up with noughts in front.
    number = number.zfill(8) if 6 <= len(number) <= 8 else number
    if not _ACCOUNT.fullmatch(number):
        raise BankInvalid("An account number has 6 to 8 digits.", about="account_number")
    return BankDetails(name.strip(), code, number)


def ask_change(session: Session, details: BankDetails, *, now: datetime) -> PayeeAccountChange:
    """Ask that the scope's own agency be paid into another account; nothing changes before a second person agrees.

    :raises ChangeWaits: when one waits already.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    change_id = uuid4()
    key, sealed = seal_apart(session, json.dumps(asdict(details)).encode(), row_id=change_id)
    change = PayeeAccountChange(
        id=change_id,
        agency_id=own_agency(session),
        asked_by=own_person(session),
        asked_at=now,
        sealed_key=key,
        sealed=sealed,
    )
    try:
        with session.begin_nested():
            session.add(change)
            session.flush()
    except IntegrityError:
        raise ChangeWaits("A change of bank details waits for a second person. Take it back first.") from None
    audit.record(session, audit.Act.REQUEST, record_kind=RECORD_KIND, record_id=change_id, now=now)
    return change


def approve_change(session: Session, change: PayeeAccountChange, *, now: datetime) -> PayeeAccountChange:
    """Agree to a change as the second person; it takes effect on the day that the database sets.

    :raises SamePerson: when it was the same person who asked; NobodyOfItsOwn when both act by delegation.
    :raises ChangeUnknown: when it is approved or taken back already.
    """
    require(scope_of(session), Verb.APPROVE_FEES)
    if not change.waits:
        raise ChangeUnknown("This change waits for nobody any more.")
    change.approved_by = require_two(session, first_person_id=change.asked_by, on=now.date())
    change.approved_at = now
    session.flush()
    session.refresh(change)
    audit.record(session, audit.Act.APPROVE, record_kind=RECORD_KIND, record_id=change.id, now=now)
    return change


def withdraw_change(session: Session, change: PayeeAccountChange, *, now: datetime) -> None:
    """Take a change back that has not taken effect yet.

    :raises ChangeUnknown: when it has, or was taken back already.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    over = change.takes_effect_at is not None and change.takes_effect_at <= now
    if over or change.withdrawn_at is not None:
        raise ChangeUnknown("This change is in effect, or was taken back. Ask for another.")
    change.withdrawn_by, change.withdrawn_at = own_person(session), now
    session.flush()
    audit.record(session, audit.Act.REVOKE, record_kind=RECORD_KIND, record_id=change.id, now=now)


def get_change(session: Session, change_id: UUID) -> PayeeAccountChange:
    """Return one of the scope's own agency's changes, locked.

    :raises ChangeUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    query = select(PayeeAccountChange).where(
        PayeeAccountChange.id == change_id, PayeeAccountChange.agency_id == own_agency(session)
    )
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise ChangeUnknown("There is no such change of bank details.")
    return found


def list_changes(session: Session, agency_id: UUID | None = None) -> list[PayeeAccountChange]:
    """Return an agency's bank details of all times that the scope may know of, the latest first."""
    require(scope_of(session), Verb.READ_FEES)
    change = PayeeAccountChange
    query = select(change).where(change.agency_id == (agency_id or own_agency(session)))
    return list(session.scalars(query.order_by(change.asked_at.desc(), change.id)))


def open_details(session: Session, change: PayeeAccountChange) -> BankDetails:
    """Return the bank details of a change."""
    require(scope_of(session), Verb.READ_FEES)
    return BankDetails(**json.loads(unseal_apart(session, change.sealed_key, change.sealed, row_id=change.id)))


def details_on(session: Session, *, now: datetime) -> BankDetails | None:
    """Return where the scope's own agency is paid now, or ``None`` where no details are in effect."""
    effective = [
        each
        for each in list_changes(session)
        if each.withdrawn_at is None and each.takes_effect_at is not None and each.takes_effect_at <= now
    ]
    latest = max(effective, key=lambda each: each.takes_effect_at or now, default=None)
    return open_details(session, latest) if latest else None


def list_since(session: Session, agency_id: UUID, *, at: datetime) -> list[PayeeAccountChange]:
    """Return the changes of an agency's bank details that took, or take, effect after a moment, the latest first."""
    found = list_changes(session, agency_id)
    return [each for each in found if each.withdrawn_at is None and each.takes_effect_at and each.takes_effect_at > at]


def list_told(session: Session, *, now: datetime) -> list[PayeeAccountChange]:
    """Return the changes of others whom the scope's agency pays that are to come or came in the last 60 days.

    Not what was in effect before the first invoice, issued or taken over: nobody was told of another account.
    """
    require(scope_of(session), Verb.READ_FEES)
    change, own = PayeeAccountChange, own_agency(session)
    before = exists().where(
        _INVOICE.c.payee_agency_id == change.agency_id,
        _INVOICE.c.payer_agency_id == own,
        _INVOICE.c.issued_at < change.takes_effect_at,
    )
    taken = exists().where(
        DebtHolder.payee_agency_id == change.agency_id,
        DebtHolder.payer_agency_id == own,
        DebtHolder.taken_at < change.takes_effect_at,
    )
    query = select(change).where(change.agency_id != own, or_(before, taken))
    found = session.scalars(query.order_by(change.takes_effect_at.desc(), change.id))
    return [each for each in found if each.takes_effect_at and (now - each.takes_effect_at).days < 60]
