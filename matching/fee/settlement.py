"""Settle an agreement: bring the ledger to what should stand, by its plan and its events.

One function for every event and for the daily run. What stands already is left; what is missing is posted; what should
not stand any more is reversed. Settled again, or taken up after it was killed anywhere, it comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from matching.fee.agreement import AgreementState, FeeAddendum, FeeAgreement
from matching.fee.event import FeeEvent, FeeEventKind, add_event, events_of, events_of_each
from matching.fee.instalment import read_plan
from matching.fee.ledger import (
    LedgerTransaction,
    TransactionKind,
    lock_agreement,
    mirrored,
    parts_to_invoice,
    parts_to_invoice_each,
    post,
)
from matching.fee.obligation import Expected, Plan, Told, expected, month_key, months_passed
from matching.fee.rule import OnDisruption
from matching.fee.signer import Signer
from tenants.database import scope_of
from tenants.error import Forbidden

RUN_JOB = "fee_run"
"""Settle the agreements by which an agency is paid, once a day."""
SETTLED = (
    TransactionKind.AGREED,
    TransactionKind.DUE,
    TransactionKind.WAIVED,
    TransactionKind.REVIVED,
    TransactionKind.FALLEN_AWAY,
    TransactionKind.REFUNDED,
)
_NEW_DAYS = 40


class NotThePayee(Forbidden):
    """An agreement is settled in the book of the agency that is paid."""


def settle(session: Session, agreement_id: UUID, *, on: date, now: datetime) -> int:
    """Bring an agreement's transactions to what should stand on a day, in the payee's scope; return how many it took.

    :raises NotThePayee: when the scope's agency is not paid by it.
    """
    lock_agreement(session, agreement_id)
    # Shared, so that it is not handed over to another agency meanwhile.
    agreement = session.get(FeeAgreement, agreement_id, populate_existing=True, with_for_update={"read": True})
    if agreement is None or agreement.payee_agency_id != scope_of(session).agency_id:
        raise NotThePayee("Your agency is paid by no such agreement.")
    if agreement.payer_agency_id == agreement.payee_agency_id:
        return 0  # The two have become one: nobody owes anything.
    plan = plan_of(agreement)
    events = _with_months(session, agreement, plan, on=on, now=now)
    standing = _standing(session, agreement)
    invoiced = invoiced_parts(session, agreement.id, standing.values())
    if _sums(standing.values()) == _sums(expected(plan, _told(events), invoiced, on)):
        return 0
    taken, changes = 0, _changes(session, agreement, events)
    for seen, day in _steps(session, agreement, events, on=on):
        # As if each had been settled when it was told: no month between two is left with what neither of them says.
        standing = _standing(session, agreement)
        latest = max([day, *(each.dated_on for each in standing.values())])
        wanted = expected(_plan_at(plan, changes, seen), _told(seen), invoiced, min(on, latest))
        taken += _Settling(session, agreement, seen, now).bring(standing, {each.key: each for each in wanted})
    return taken


def _sums(some: Iterable[LedgerTransaction | Expected]) -> dict[str, int]:
    return {_base(each) if isinstance(each, LedgerTransaction) else each.key: each.pence for each in some}


def _steps(
    session: Session, agreement: FeeAgreement, events: list[FeeEvent], *, on: date
) -> list[tuple[list[FeeEvent], date]]:
    """Return the events up to each that is not settled yet, with the day on which the next was told.

    What was told before a withdrawal is settled with it: nothing of it was ever in the books.
    """
    query = select(LedgerTransaction.event_id).where(LedgerTransaction.agreement_id == agreement.id)
    settled = set(session.scalars(query))
    first = max((n + 1 for n, event in enumerate(events) if event.id in settled), default=0)
    first = max([first, *(n for n, event in enumerate(events) if event.kind is FeeEventKind.WITHDRAWN)])
    waiting = [n for n in range(first, len(events)) if events[n].kind is not FeeEventKind.MONTHS]
    months = [event for event in events if event.kind is FeeEventKind.MONTHS]
    steps = [
        (
            [*(event for event in events[: n + 1] if event not in months), *months],
            min(on, events[after].recorded_at.date()),
        )
        for n, after in pairwise(waiting)
    ]
    return [*steps, (events, on)]


def _changes(
    session: Session, agreement: FeeAgreement, events: Sequence[FeeEvent]
) -> list[tuple[FeeEvent, dict[str, Any]]]:
    """Return the events with which the plan itself was written anew, and its terms before and after each."""
    addenda = session.scalars(select(FeeAddendum).where(FeeAddendum.agreement_id == agreement.id))
    written = {each.event_key: each.changes for each in addenda}
    return [(event, written[event.key]) for event in events if event.key in written]


def _plan_at(plan: Plan, changes: Sequence[tuple[FeeEvent, dict[str, Any]]], seen: Sequence[FeeEvent]) -> Plan:
    """Return the plan as it was when so much had been told."""
    after = [terms["after"] for event, terms in changes if event in seen]
    if len(after) == len(changes):
        return plan
    terms = after[-1] if after else changes[0][1]["before"]
    return replace(
        plan,
        instalments=read_plan(terms["plan"]),
        waived=terms["waived"],
        continuing_pence=terms["continuing_pence"],
    )


def list_to_settle(session: Session, *, now: datetime) -> list[UUID]:
    """Return the agreements by which the scope's agency is paid and that may have come to something since."""
    scope = scope_of(session)
    new = exists().where(
        FeeEvent.agreement_id == FeeAgreement.id, FeeEvent.recorded_at > now - timedelta(days=_NEW_DAYS)
    )
    query = (
        select(FeeAgreement.id)
        .where(
            FeeAgreement.payee_agency_id == scope.agency_id,
            FeeAgreement.consortium_id == scope.consortium_id,
            or_(FeeAgreement.state.in_((AgreementState.SIGNED, AgreementState.IN_FORCE)), new),
        )
        .order_by(FeeAgreement.reference)
    )
    return list(session.scalars(query))


def plan_of(agreement: FeeAgreement) -> Plan:
    """Return what of an agreement moves money."""
    return Plan(
        instalments=agreement.instalments,
        waived=agreement.waived,
        withdrawn=agreement.state is AgreementState.WITHDRAWN,
        continuing_pence=agreement.continuing_pence,
        continuing_after_months=agreement.continuing_after_months,
        falls_away=agreement.disruption is OnDisruption.FALL_AWAY,
    )


def foresee(session: Session, agreement: FeeAgreement, *, until_on: date) -> list[Expected]:
    """Return what would stand on a later day if nothing but time came to pass, for either side."""
    return foresee_each(session, [agreement], until_on=until_on)[agreement.id]


def foresee_each(session: Session, agreements: Sequence[FeeAgreement], *, until_on: date) -> dict[UUID, list[Expected]]:
    """Return the same of many agreements, by their ids, in as many questions as for one."""
    ids = [agreement.id for agreement in agreements]
    events, waiting = events_of_each(session, ids), parts_to_invoice_each(session, ids)
    standing = _standing_each(session, agreements)
    return {
        each.id: expected(
            plan_of(each), _told(events[each.id]), _invoiced(standing[each.id].values(), waiting[each.id]), until_on
        )
        for each in agreements
    }


def invoiced_of(session: Session, agreement: FeeAgreement) -> dict[str, int]:
    """Return how many pence of each part were invoiced and not credited, by its due key, for either side."""
    return invoiced_parts(session, agreement.id, _standing(session, agreement).values())


def invoiced_parts(session: Session, agreement_id: UUID, standing: Iterable[LedgerTransaction]) -> dict[str, int]:
    """Return the same, where what stands of the agreement is known."""
    return _invoiced(standing, parts_to_invoice(session, agreement_id))


def _invoiced(standing: Iterable[LedgerTransaction], waiting: dict[str, int]) -> dict[str, int]:
    dues = {_base(each): each.pence for each in standing if each.kind is TransactionKind.DUE}
    return {key: pence - waiting.get(key, 0) for key, pence in dues.items() if waiting.get(key, 0) != pence}


class _Settling:
    """One settling of one agreement."""

    def __init__(self, session: Session, agreement: FeeAgreement, events: list[FeeEvent], now: datetime) -> None:
        self._session, self._agreement, self._now = session, agreement, now
        self._events = {event.key: event for event in events}
        told = [event for event in events if event.kind is not FeeEventKind.MONTHS]
        self._last = told[-1] if told else None
        self._versions: dict[str, int] = {}
        self._agreed_on = self._reversed_on = date.min

    def bring(self, standing: dict[str, LedgerTransaction], wanted: dict[str, Expected]) -> int:
        """Reverse what should not stand and post what is missing; return how many transactions that took."""
        self._versions = _versions(self._session, self._agreement)
        taken = 0
        for key, transaction in standing.items():
            if key not in wanted or wanted[key].pence != transaction.pence:
                self._reversed_on = max(self._reversed_on, self._reverse(key, transaction).dated_on)
                taken += 1
        for key, each in wanted.items():
            stands = standing.get(key)
            if stands is None or stands.pence != each.pence:
                stands = self._post(each)
                taken += 1
            if each.kind is TransactionKind.AGREED:
                self._agreed_on = stands.dated_on
        return taken

    def _post(self, each: Expected) -> LedgerTransaction:
        event = self._events.get(each.event_key)
        version = self._versions.get(each.key, 0) + 1
        day = max(each.dated_on, self._last.happened_on) if version > 1 and self._last else each.dated_on
        if each.foreseen:
            # What is told late of a day before that is not taken from what was not agreed yet.
            day = max(day, self._agreed_on)
        if each.kind in (TransactionKind.WAIVED, TransactionKind.FALLEN_AWAY):
            # Nor does what was due end before it was reversed.
            day = max(day, self._reversed_on)
        facts = event.facts if event and event.kind in _DECIDED else {}
        return self._write(
            each.kind,
            _versioned(each.key, version),
            each.pence,
            day,
            f"{each.words}: {self._agreement.reference}",
            event=event,
            due_key=each.due_key,
            foreseen=each.foreseen,
            vat_pence=each.vat_pence,
            reason=facts.get("reason"),
            made_by=_signer(facts, "asked") or _recorder(event),
            approved_by=_signer(facts, "decided"),
        )

    def _reverse(self, key: str, transaction: LedgerTransaction) -> LedgerTransaction:
        event = self._last
        told = next((each for each in self._events.values() if each.id == transaction.event_id), None)
        return self._write(
            transaction.kind,
            f"{_versioned(key, self._versions[key])}/reversed",
            -transaction.pence,
            max(transaction.dated_on, event.happened_on) if event else transaction.dated_on,
            f"Reversal: {transaction.narrative}",
            event=event,
            due_key=key if transaction.kind is TransactionKind.DUE else None,
            foreseen="/month-" not in key,
            vat_pence=-int(told.facts.get("vat_pence", 0)) if told else 0,
            reason=f"{event.kind.label}, {event.happened_on}" if event else "It should not stand",
            made_by=_recorder(event),
            reverses_id=transaction.id,
        )

    def _write(
        self,
        kind: TransactionKind,
        key: str,
        pence: int,
        day: date,
        narrative: str,
        *,
        event: FeeEvent | None,
        due_key: str | None,
        foreseen: bool,
        vat_pence: int,
        reason: str | None,
        made_by: Signer | None,
        approved_by: Signer | None = None,
        reverses_id: UUID | None = None,
    ) -> LedgerTransaction:
        agreement = self._agreement
        parties = (agreement.payer_agency_id, agreement.payee_agency_id)
        return post(
            self._session,
            consortium_id=agreement.consortium_id,
            payer_agency_id=agreement.payer_agency_id,
            payee_agency_id=agreement.payee_agency_id,
            kind=kind if reverses_id is None else TransactionKind.REVERSAL,
            key=f"{agreement.reference}/{key}",
            dated_on=day,
            # What is reversed is its opposite between whoever the parties are by now.
            entries=mirrored(
                kind,
                pence - vat_pence,
                *parties,
                vat_pence=vat_pence,
                agreement_id=agreement.id,
                due_key=due_key,
                foreseen=foreseen,
            ),
            narrative=narrative,
            now=self._now,
            agreement_id=agreement.id,
            event_id=event.id if event else None,
            reverses_id=reverses_id,
            reason=reason,
            made_by=made_by,
            approved_by=approved_by,
            pence=abs(pence),
        )


_DECIDED = (FeeEventKind.WAIVER, FeeEventKind.OVERRIDE, FeeEventKind.REFUND)


def _with_months(session: Session, agreement: FeeAgreement, plan: Plan, *, on: date, now: datetime) -> list[FeeEvent]:
    """Return an agreement's events, those that time alone brought told first."""
    events = events_of(session, agreement.id)
    keys = {event.key for event in events}
    missing = [(n, day) for n, day in months_passed(plan, _told(events), on) if month_key(n) not in keys]
    for months, day in missing:
        facts = {"months": months}
        kind = FeeEventKind.MONTHS
        add_event(session, agreement, kind, key=month_key(months), happened_on=day, facts=facts, now=now)
    return events_of(session, agreement.id) if missing else events


def _told(events: Sequence[FeeEvent]) -> list[Told]:
    return [Told(event.kind, event.key, event.happened_on, event.facts) for event in events]


def _standing(session: Session, agreement: FeeAgreement) -> dict[str, LedgerTransaction]:
    """Return what was settled of an agreement and not reversed, by its key among the agreement's."""
    return _standing_each(session, [agreement])[agreement.id]


def _standing_each(session: Session, agreements: Sequence[FeeAgreement]) -> dict[UUID, dict[str, LedgerTransaction]]:
    """Return the same of many agreements, by their ids."""
    references = {agreement.id: agreement.reference for agreement in agreements}
    of_these = LedgerTransaction.agreement_id.in_(references)
    reversal = select(LedgerTransaction.reverses_id).where(of_these, LedgerTransaction.reverses_id.is_not(None))
    query = (
        select(LedgerTransaction)
        .where(of_these, LedgerTransaction.kind.in_(SETTLED), LedgerTransaction.id.not_in(reversal))
        .order_by(LedgerTransaction.posted_at, LedgerTransaction.key)
    )
    found: dict[UUID, dict[str, LedgerTransaction]] = {agreement_id: {} for agreement_id in references}
    for each in session.scalars(query):
        if each.agreement_id and each.key.startswith(f"{references[each.agreement_id]}/"):
            found[each.agreement_id][_base(each)] = each
    return found


def _versions(session: Session, agreement: FeeAgreement) -> dict[str, int]:
    """Return how many times each was posted so far."""
    versions: dict[str, int] = {}
    for each in session.scalars(_settled(agreement)):
        versions[_base(each)] = versions.get(_base(each), 0) + 1
    return versions


def _settled(agreement: FeeAgreement) -> Select[LedgerTransaction]:
    return (
        select(LedgerTransaction)
        .where(
            LedgerTransaction.agreement_id == agreement.id,
            LedgerTransaction.kind.in_(SETTLED),
            LedgerTransaction.key.startswith(f"{agreement.reference}/", autoescape=True),
        )
        .order_by(LedgerTransaction.posted_at, LedgerTransaction.key)
    )


def _base(transaction: LedgerTransaction) -> str:
    return transaction.key.partition("/")[2].partition("#")[0]


def _versioned(key: str, version: int) -> str:
    return key if version == 1 else f"{key}#{version}"


def _signer(facts: dict[str, str], word: str) -> Signer | None:
    by = facts.get(f"{word}_by")
    return Signer(UUID(by), facts[f"{word}_name"]) if by else None


def _recorder(event: FeeEvent | None) -> Signer | None:
    by = event.recorded_by if event else None
    return Signer(by, event.recorded_name or "") if event and by else None
