"""Netting: two agencies that owe each other set off what is invoiced and not paid, the smaller against the larger.

One side's finance officer proposes it and the other's confirms it; both books are then posted, invoice by invoice, the
oldest first. Each side sees what is between the two of them, and nothing of what either owes anybody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, and_, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.invoice.invoice import (
    InvoiceKind,
    InvoiceRow,
    InvoiceState,
    Wanted,
    get_invoice,
    lines_of,
    list_invoices,
)
from matching.fee.ledger import TransactionKind, lock_agreement, mirrored, post
from matching.fee.remittance.remittance import lock_remittances
from matching.fee.signer import Signer
from matching.sealed_words import own_agency, own_person, tidy
from tenants import audit
from tenants.agency import get_agency
from tenants.approval import require_another, require_one_side
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Conflict, Invalid, NotFound
from tenants.permission import Verb, require
from tenants.person import get_person

RECORD_KIND = "netting"


@dataclass(frozen=True, slots=True)
class Claim:
    """What is owed of one invoice still, in pence."""

    invoice_id: UUID
    number: str
    payer_agency_id: UUID
    pence: int


@dataclass(frozen=True, slots=True)
class SetOff:
    """What could be set off with one agency: what each owes, and the part of which invoices it would settle."""

    other_agency_id: UUID
    to_us: int
    by_us: int
    legs: tuple[Claim, ...]

    @property
    def pence(self) -> int:
        """Return what each side pays by it."""
        return min(self.to_us, self.by_us)

    @property
    def left(self) -> int:
        """Return what is owed to us after it; less than nothing where we owe it."""
        return self.to_us - self.by_us


class Netting(Base):
    """What one side proposed to set off, and what the other said."""

    __tablename__ = "netting"

    id: Mapped[Id]
    consortium_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    """Who proposed it."""
    other_agency_id: Mapped[UUID]
    until_on: Mapped[date]
    pence: Mapped[int] = mapped_column(BigInteger)
    """What each side pays the other by it."""
    legs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """``[{"invoice", "number", "payer", "pence"}]``."""
    made_at: Mapped[datetime]
    made_by: Mapped[UUID]
    made_name: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    confirmed_name: Mapped[str | None]
    declined_at: Mapped[datetime | None]
    declined_by: Mapped[UUID | None]
    declined_name: Mapped[str | None]
    declined_reason: Mapped[str | None]

    @property
    def is_open(self) -> bool:
        """Say whether it waits for the other side."""
        return self.confirmed_at is None and self.declined_at is None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Return the part of each invoice that it settles."""
        return tuple(
            Claim(UUID(each["invoice"]), each["number"], UUID(each["payer"]), each["pence"]) for each in self.legs
        )


class NettingUnknown(NotFound):
    """The scope's agency is on no such netting."""


class NettingInvalid(Invalid):
    """There is nothing to set off."""


class NettingWaits(Conflict):
    """One waits already between the two, or this one waits no more."""


class NettingStale(Conflict):
    """An invoice was paid, credited or disputed since it was proposed."""


def set_off(ours: Sequence[Claim], theirs: Sequence[Claim]) -> tuple[Claim, ...]:
    """Return the part of each claim, in the order given, by which both sides settle the same and one of them all."""
    pence = min(sum(each.pence for each in ours), sum(each.pence for each in theirs))
    return (*_first(ours, pence), *_first(theirs, pence))


def list_set_offs(session: Session, *, until_on: date, on: date) -> list[SetOff]:
    """Return what could be set off with each agency, of the invoices until a day; those in dispute are left out.

    By the scope's own book, in the order of the agencies' names.
    """
    require(scope_of(session), Verb.READ_FEES)
    to_us, by_us = (_claims(session, received=received, until_on=until_on, on=on) for received in (False, True))
    found = []
    for other_id in to_us.keys() & by_us.keys():
        ours, theirs = to_us[other_id], by_us[other_id]
        legs = set_off(ours, theirs)
        found.append(SetOff(other_id, sum(each.pence for each in ours), sum(each.pence for each in theirs), legs))
    return sorted(found, key=lambda each: (get_agency(session, each.other_agency_id).name, each.other_agency_id))


def propose_netting(session: Session, other_agency_id: UUID, *, until_on: date, now: datetime) -> Netting:
    """Propose what could be set off with another agency, and agree to it for the scope's side in one's own name.

    :raises NettingInvalid: when nothing can be set off, or for a day that is yet to come.
    :raises NettingWaits: while one between the two waits.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    own, person_id = own_agency(session), own_person(session)
    require_one_side(session, agencies=(own, other_agency_id), on=now.date())
    if until_on > now.date():
        raise NettingInvalid("Netting takes the invoices until today or a day before it.")
    _lock(session, own, other_agency_id)
    if any(each.is_open for each in _between(session, own, other_agency_id)):
        raise NettingWaits("A netting with this agency waits. Confirm or decline it first.")
    offered = list_set_offs(session, until_on=until_on, on=now.date())
    chosen = next((each for each in offered if each.other_agency_id == other_agency_id), None)
    if chosen is None:
        raise NettingInvalid("Nothing can be set off with this agency: one of the two owes the other nothing.")
    consortium_id = scope_of(session).consortium_id
    assert consortium_id is not None  # noqa: S101 - without one no invoice is found
    netting = Netting(
        id=uuid4(),
        consortium_id=consortium_id,
        agency_id=own,
        other_agency_id=other_agency_id,
        until_on=until_on,
        pence=chosen.pence,
        legs=[_as_data(each) for each in chosen.legs],
        made_at=now,
        made_by=person_id,
        made_name=get_person(session, person_id).name,
    )
    session.add(netting)
    session.flush()
    audit.record(session, audit.Act.ADD, record_kind=RECORD_KIND, record_id=netting.id, now=now)
    return netting


def confirm_netting(session: Session, netting: Netting, *, now: datetime) -> None:
    """Confirm a netting for the side that was asked, and post it in both books, invoice by invoice.

    :raises NettingWaits: when it waits no more, or not for the scope's agency.
    :raises NettingStale: when less is owed of one of the invoices by now, or it is in dispute.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    _lock(session, netting.agency_id, netting.other_agency_id)
    session.refresh(netting)
    if not netting.is_open or netting.other_agency_id != own_agency(session):
        raise NettingWaits("This netting doesn’t wait for your agency.")
    agencies = (netting.agency_id, netting.other_agency_id)
    person_id = require_another(session, first_person_id=netting.made_by, on=now.date(), agencies=agencies)
    _require_owed(session, netting, on=now.date())
    netting.confirmed_name = get_person(session, person_id).name
    netting.confirmed_at, netting.confirmed_by = now, person_id
    session.flush()
    for claim in netting.claims:
        _post(session, netting, claim, now=now)
    audit.record(session, audit.Act.CONFIRM, record_kind=RECORD_KIND, record_id=netting.id, now=now)


def decline_netting(session: Session, netting: Netting, *, reason: str, now: datetime) -> None:
    """Decline a netting, or take one's own back, with a reason: nothing is posted.

    :raises NettingWaits: when it waits no more.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    said, person_id = tidy(reason, what="why it is declined"), own_person(session)
    _lock(session, netting.agency_id, netting.other_agency_id)
    session.refresh(netting)
    if not netting.is_open:
        raise NettingWaits("This netting was confirmed or declined already.")
    netting.declined_name = get_person(session, person_id).name
    netting.declined_at, netting.declined_by, netting.declined_reason = now, person_id, said
    session.flush()
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=netting.id, now=now)


def get_netting(session: Session, netting_id: UUID) -> Netting:
    """Return a netting that the scope's agency is on.

    :raises NettingUnknown: when there is none.
    """
    require(scope_of(session), Verb.READ_FEES)
    found = session.get(Netting, netting_id)
    if found is None:
        raise NettingUnknown("Your agency is on no such netting.")
    return found


def list_nettings(session: Session) -> list[Netting]:
    """Return the nettings of the scope's agency, the latest first."""
    require(scope_of(session), Verb.READ_FEES)
    return list(session.scalars(select(Netting).order_by(Netting.made_at.desc(), Netting.id)))


def count_to_confirm(session: Session) -> int:
    """Count the nettings that wait for the scope's agency to confirm or decline."""
    waits = (Netting.confirmed_at.is_(None), Netting.declined_at.is_(None))
    query = select(func.count()).where(Netting.other_agency_id == scope_of(session).agency_id, *waits)
    return session.scalar(query) or 0


def _first(claims: Sequence[Claim], pence: int) -> list[Claim]:
    """Return the part of each claim, in order, that ``pence`` settles."""
    parts = []
    for each in claims:
        part = min(each.pence, pence)
        if part:
            parts.append(Claim(each.invoice_id, each.number, each.payer_agency_id, part))
        pence -= part
    return parts


def _claims(session: Session, *, received: bool, until_on: date, on: date) -> dict[UUID, list[Claim]]:
    """Return what is owed of the invoices of one direction by the other agency, the oldest invoice first."""
    rows = [row for row in list_invoices(session, Wanted(received=received), on=on) if _is_open(session, row)]
    found: dict[UUID, list[Claim]] = {}
    for row in sorted(rows, key=lambda row: (row.invoice.issued_on, row.invoice.number, row.invoice.id)):
        invoice = row.invoice
        if invoice.issued_on <= until_on:
            other_id = invoice.payee_agency_id if received else invoice.payer_agency_id
            claim = Claim(invoice.id, invoice.number, invoice.payer_agency_id, row.outstanding)
            found.setdefault(other_id, []).append(claim)
    return found


def _is_open(session: Session, row: InvoiceRow) -> bool:
    return (
        row.invoice.kind is InvoiceKind.INVOICE
        and row.invoice.consortium_id == scope_of(session).consortium_id
        and row.outstanding > 0
        and row.state is not InvoiceState.DISPUTED
    )


def _require_owed(session: Session, netting: Netting, *, on: date) -> None:
    """Refuse where an invoice is not owed as far any more, while nobody else pays or credits one.

    :raises NettingStale: then.
    """
    agreements = {
        line.agreement_id
        for claim in netting.claims
        for line in lines_of(session, get_invoice(session, claim.invoice_id))
    }
    for agreement_id in sorted(agreements):
        lock_agreement(session, agreement_id)
    other_id = netting.agency_id
    owed = {
        each.invoice_id: each.pence
        for received in (False, True)
        for each in _claims(session, received=received, until_on=on, on=on).get(other_id, [])
    }
    for claim in netting.claims:
        if owed.get(claim.invoice_id, 0) < claim.pence:
            raise NettingStale(
                f"Less is owed of invoice {claim.number} by now, or it is in dispute. Decline this netting and propose "
                "another."
            )


def _post(session: Session, netting: Netting, claim: Claim, *, now: datetime) -> None:
    payer = claim.payer_agency_id
    payee = netting.other_agency_id if payer == netting.agency_id else netting.agency_id
    post(
        session,
        consortium_id=netting.consortium_id,
        payer_agency_id=payer,
        payee_agency_id=payee,
        kind=TransactionKind.NETTED,
        key=f"netting/{netting.id}/{claim.invoice_id}",
        dated_on=now.date(),
        entries=mirrored(TransactionKind.NETTED, claim.pence, payer, payee),
        narrative=f"Set off against invoice {claim.number}",
        now=now,
        invoice_id=claim.invoice_id,
        approved_by=Signer(netting.made_by, netting.made_name),
    )


def _between(session: Session, own: UUID, other: UUID) -> list[Netting]:
    pairs = or_(
        and_(Netting.agency_id == own, Netting.other_agency_id == other),
        and_(Netting.agency_id == other, Netting.other_agency_id == own),
    )
    return list(session.scalars(select(Netting).where(pairs)))


def _lock(session: Session, *agency_ids: UUID) -> None:
    """Let nobody settle lines of either's bank files, or another netting, until this transaction ends."""
    for agency_id in sorted(agency_ids):
        lock_remittances(session, agency_id)


def _as_data(claim: Claim) -> dict[str, Any]:
    return {
        "invoice": str(claim.invoice_id),
        "number": claim.number,
        "payer": str(claim.payer_agency_id),
        "pence": claim.pence,
    }
