"""What could be netted, by the scope's own book, before anybody asks for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from sqlalchemy import func
from sqlalchemy.orm import Session

from matching.fee.debt_holder import list_last
from matching.fee.invoice.invoice import Invoice, InvoiceKind, InvoiceState, standing
from matching.fee.netting import DRAW, present_members
from matching.sealed_words import own_agency
from matching.swap.group import SwapGroup, list_members, list_swap_groups
from tenants.agency import get_agency
from tenants.database import scope_of
from tenants.permission import Verb, require


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be netted, by the scope's own book: with one other agency, or with the members of a swap group."""

    agency_ids: tuple[UUID, ...]
    """The others."""
    to_us: int
    by_us: int
    swap_group: SwapGroup | None = None

    @property
    def left(self) -> int:
        """Return what is owed to us on the whole; less than nothing where we owe it."""
        return self.to_us - self.by_us


def list_offers(session: Session, *, until_on: date, on: date) -> list[Offer]:
    """Return what could be netted of the invoices until a day, by the scope's own book; those in dispute left out.

    With each agency that owes and is owed, in the order of their names; then with each swap group of three or more
    with whose members anything is open, where somebody would pay less by it.
    """
    require(scope_of(session), Verb.READ_FEES)
    to_us, by_us = (_owed(session, received=received, until_on=until_on, on=on) for received in (False, True))
    present = present_members(session, on=on)
    pairs = [Offer((other,), to_us[other], by_us[other]) for other in to_us.keys() & by_us.keys() & present]
    groups = []
    for group in list_swap_groups(session):
        others = _others(session, group, present)
        to_them, by_them = (sum(owed.get(each, 0) for each in others) for owed in (by_us, to_us))
        if len(others) > 1 and (to_them or by_them) and _would_net(session, group, others, until_on=until_on, on=on):
            groups.append(Offer(others, by_them, to_them, group))
    return [*sorted(pairs, key=lambda each: (get_agency(session, each.agency_ids[0]).name, each.agency_ids)), *groups]


def _would_net(session: Session, group: SwapGroup, others: Collection[UUID], *, until_on: date, on: date) -> bool:
    """Say whether a netting would be drawn up: it is, and is taken back. Nothing more of what others owe is told."""
    if scope_of(session).person_id is None or until_on > on:
        return True
    among, at = [own_agency(session), *others], datetime.combine(on, datetime.min.time(), UTC)
    facts = {"id": uuid4(), "among": among, "swap_group": group.id, "until": until_on, "now": at, "maker": "–"}
    trial = session.begin_nested()
    try:
        return bool(session.scalar(DRAW, facts))
    finally:
        trial.rollback()


def _others(session: Session, group: SwapGroup, present: Collection[UUID]) -> tuple[UUID, ...]:
    members = {member.agency_id for member, _ in list_members(session, group) if member.agreed_on} & set(present)
    own = own_agency(session)
    return tuple(sorted(members - {own})) if own in members else ()


def _owed(session: Session, *, received: bool, until_on: date, on: date) -> dict[UUID, int]:
    """Return what is owed of the invoices of one direction, in pence, by the other agency.

    What was handed over is netted with nobody: it is not between whom it names any more.
    """
    require(scope_of(session), Verb.READ_FEES)
    ours, other = Invoice.payee_agency_id, Invoice.payer_agency_id
    if received:
        ours, other = other, ours
    stands = standing(session, on=on)
    query = stands.query.with_only_columns(other, func.sum(stands.owed)).where(
        ours == own_agency(session),
        Invoice.consortium_id == scope_of(session).consortium_id,
        Invoice.kind == InvoiceKind.INVOICE,
        Invoice.issued_on <= until_on,
        Invoice.id.not_in(list_last(session)),
        stands.owed > 0,
        stands.state != InvoiceState.DISPUTED.value,
    )
    return {other_id: int(pence) for other_id, pence in session.execute(query.group_by(other))}
