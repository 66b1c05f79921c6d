"""The lines that wait, the oldest first, each with what it most likely is; and what of it a person may settle."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from matching.fee.debt_holder import heirs_of
from matching.fee.ledger import LedgerTransaction
from matching.fee.reconciliation.fact import EarlierCredit, Facts, Kind, KnownInvoice, Payer, Proposal, WaitingLine
from matching.fee.reconciliation.held_ahead import list_held
from matching.fee.reconciliation.matcher import propose
from matching.fee.reconciliation.owed import list_others, list_owed
from matching.fee.reconciliation.paid_back import find_paid_back
from matching.fee.reconciliation.payment import Payment, PaymentAllocation, list_allocations, live_payments
from matching.fee.reconciliation.undoing import WITHIN
from matching.fee.remittance.line import LineState, LineWords, RemittanceLine, get_line, list_lines, words_of
from matching.fee.remittance.remittance import Remittance, get_remittance
from matching.fee.remittance.taken_back import reason_of
from matching.sealed_words import own_agency
from tenants import audit
from tenants.database import scope_of
from tenants.permission import Verb, require

RECORD_KIND = "remittance_line"
_TO_COME = "The bank’s file gives it a day that is still to come. It can be matched from that day on."


@dataclass(frozen=True, slots=True)
class QueuedLine:
    """A line that waits: its words, its age in days, and what it most likely is.

    The age is below nothing where the bank gives it a day that is still to come.
    """

    line: RemittanceLine
    words: LineWords
    age: int
    proposal: Proposal

    @property
    def mark(self) -> str:
        """Return what tells whether the proposal is still the one that a person saw."""
        return mark_of(self.proposal)


@dataclass(frozen=True, slots=True)
class MatchingQueue:
    """All lines that wait, and what their proposals speak of."""

    lines: tuple[QueuedLine, ...]
    invoices: dict[UUID, KnownInvoice]
    payers: dict[UUID, Payer]
    undone: dict[UUID, RemittanceLine]

    @property
    def sure(self) -> tuple[QueuedLine, ...]:
        """Return those above the line from which many may be confirmed at once."""
        return tuple(each for each in self.lines if each.proposal.sure)

    def open_of(self, payer_id: UUID | None) -> list[KnownInvoice]:
        """Return the open invoices of a payer, or of all."""
        return [each for each in self.invoices.values() if each.outstanding > 0 and payer_id in (None, each.payer_id)]


@dataclass(frozen=True, slots=True)
class FoundLine:
    """One line: how it waits, or what was made of it and why."""

    line: RemittanceLine
    words: LineWords
    queue: MatchingQueue
    queued: QueuedLine | None
    payments: tuple[Payment, ...]
    allocations: tuple[PaymentAllocation, ...]
    paid_back: LedgerTransaction | None
    held: dict[UUID, int]
    """What of it may be paid back by a debit, by payer."""
    reason: str | None
    file: Remittance


def read_queue(session: Session, *, now: datetime) -> MatchingQueue:
    """Return the lines of the scope's agency that wait, and the debits that may undo a credit; the look is on record.

    :raises NotAllowed: when the scope's roles do not include keeping fees.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    queue = draw_queue(session, now=now)
    audit.record(
        session,
        audit.Act.READ,
        record_kind=RECORD_KIND,
        record_id=own_agency(session),
        level=audit.Level.IDENTITY,
        now=now,
    )
    return queue


def read_line(session: Session, line_id: UUID, *, now: datetime) -> FoundLine:
    """Return one line with all that is known of it; the look is on record.

    :raises LineUnknown: when the scope's agency has none of that id.
    :raises NotAllowed: when the scope's roles do not include keeping fees.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    line = get_line(session, line_id)
    queue = draw_queue(session, now=now)
    audit.record(
        session, audit.Act.READ, record_kind=RECORD_KIND, record_id=line.id, level=audit.Level.IDENTITY, now=now
    )
    payments = live_payments(session, line.id)
    file = get_remittance(session, line.remittance_id)
    return FoundLine(
        line=line,
        words=words_of(session, line),
        queue=queue,
        queued=next((each for each in queue.lines if each.line.id == line.id), None),
        payments=tuple(payments),
        allocations=tuple(list_allocations(session, [each.id for each in payments])),
        paid_back=find_paid_back(session, line) if line.state is LineState.PAID_BACK else None,
        held={each: pence for each, pence in list_held(session).items() if 0 < -line.pence <= pence},
        reason=reason_of(session, file if line.state is LineState.TAKEN_BACK else line),
        file=file,
    )


def draw_queue(session: Session, *, now: datetime) -> MatchingQueue:
    """Return the same without a look on record: for whoever settles what was looked at."""
    waiting = list_lines(session, state=LineState.WAITING)
    undoing, undone = _undoing(session)
    held = {payer_id: pence for payer_id, pence in list_held(session).items() if pence > 0}
    debits = {line.id: line for line in [*undoing, *_may_pay_back(session, held, now=now)]}
    lines = sorted([*waiting, *debits.values()], key=lambda line: (line.dated_on, str(line.id)))
    words = {line.id: words_of(session, line) for line in lines}
    before = _paid_before(session)
    invoices, payers = list_owed(session, on=now.date()), list_others(session)
    facts = Facts(
        payers=payers,
        invoices=invoices,
        lines=tuple(_fact(line, words[line.id], before) for line in lines if line.dated_on <= now.date()),
        earlier=tuple(_earlier(session, line) for line in undone.values()),
        held=held,
    )
    found = {each.line_id: each for each in propose(facts)}
    proposals = [found.get(line.id) or Proposal(line.id, doubts=(_TO_COME,)) for line in lines]
    queued = [
        QueuedLine(line, words[line.id], (now.date() - line.dated_on).days, proposal)
        for line, proposal in zip(lines, proposals, strict=True)
        # A debit that undoes nothing and pays nothing back is no receipt, and nobody waits for it.
        if line.pence > 0 or proposal.kind is not Kind.NOTHING
    ]
    return MatchingQueue(
        tuple(queued), {each.id: each for each in invoices}, {each.id: each for each in payers}, undone
    )


def mark_of(proposal: Proposal) -> str:
    """Return what tells whether a proposal is still the one that a person saw."""
    said = [proposal.kind.value, str(proposal.payer_id), str(proposal.over), str(proposal.undone_line_id)]
    said += [f"{share.invoice_id}:{share.pence}" for share in proposal.shares]
    return hashlib.sha256("|".join(said).encode()).hexdigest()[:24]


def _fact(line: RemittanceLine, words: LineWords, before: dict[bytes, frozenset[UUID]]) -> WaitingLine:
    return WaitingLine(
        id=line.id,
        dated_on=line.dated_on,
        pence=line.pence,
        payer=words.payer,
        reference=words.reference,
        known_payers=before.get(line.payer_mark, frozenset()) if line.payer_mark else frozenset(),
        undoes=line.undoes,
    )


def _paid_before(session: Session) -> dict[bytes, frozenset[UUID]]:
    """Return whose invoices have been paid under each name; of an agency that is part of another now, that one's."""
    heirs = heirs_of(session)
    query = (
        select(RemittanceLine.payer_mark, Payment.payer_agency_id)
        .join(Payment, and_(Payment.line_id == RemittanceLine.id, Payment.taken_back_at.is_(None)))
        .where(RemittanceLine.state == LineState.MATCHED, RemittanceLine.payer_mark.is_not(None))
        .distinct()
    )
    found: dict[bytes, set[UUID]] = defaultdict(set)
    for mark, payer_id in session.execute(query):
        if mark is not None:
            found[mark].add(heirs.get(payer_id, payer_id))
    return {mark: frozenset(payers) for mark, payers in found.items()}


def _undoing(session: Session) -> tuple[Sequence[RemittanceLine], dict[UUID, RemittanceLine]]:
    """Return the debits that are of exactly an earlier credit's amount, and those credits."""
    debit, credit = aliased(RemittanceLine), aliased(RemittanceLine)
    query = (
        select(debit, credit)
        .join(
            credit,
            and_(
                credit.agency_id == debit.agency_id,
                credit.pence == -debit.pence,
                credit.dated_on <= debit.dated_on,
                credit.dated_on >= debit.dated_on - WITHIN,
                credit.state.in_([LineState.WAITING, LineState.MATCHED]),
            ),
        )
        .where(debit.state == LineState.NOT_RECEIPT, debit.pence < 0)
        .order_by(debit.dated_on, debit.id, credit.dated_on, credit.id)
    )
    debits: dict[UUID, RemittanceLine] = {}
    credits_: dict[UUID, RemittanceLine] = {}
    for one, other in session.execute(query):
        debits[one.id] = one
        credits_[other.id] = other
    return list(debits.values()), credits_


def _may_pay_back(session: Session, held: Mapping[UUID, int], *, now: datetime) -> Sequence[RemittanceLine]:
    """Return the late debits that are no more than is held for some payer."""
    if not held:
        return []
    query = select(RemittanceLine).where(
        RemittanceLine.state == LineState.NOT_RECEIPT,
        RemittanceLine.pence.between(-max(held.values()), -1),
        RemittanceLine.dated_on >= now.date() - WITHIN,
    )
    return session.scalars(query.order_by(RemittanceLine.dated_on, RemittanceLine.id)).all()


def _earlier(session: Session, line: RemittanceLine) -> EarlierCredit:
    words = words_of(session, line)
    return EarlierCredit(
        line.id, line.dated_on, line.pence, words.payer, words.reference, line.state is LineState.MATCHED
    )
