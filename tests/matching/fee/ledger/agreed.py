"""Agreements as they stand once both have signed, made past the verbs, with whatever plan a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4, uuid5

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import func, select

from matching.fee.agreement import FeeAgreement
from matching.fee.event import FeeEventKind, record_event
from matching.fee.ledger import Account, LedgerTransaction, Posting, TransactionKind, mirrored, post
from matching.fee.settlement import settle
from tenants.database import Database
from tests.factories import Tenant
from tests.matching.fee.sample_invoice import write_invoice

THIRDS = (("placement", None, 1_800_000), ("order_or_months", 12, 900_000))
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_INSERT = """
    INSERT INTO fee_agreement (id, consortium_id, reference, authority_agency_id, payer_agency_id, payee_agency_id,
        children, rate_words, amount_pence, waived, plan, continuing_pence, continuing_after_months, counts_from,
        disruption, state, version, drafted_at, placed_on, payer_signed_by, payer_signed_name, payer_signed_at,
        payee_signed_by, payee_signed_name, payee_signed_at)
    VALUES (%(id)s, %(consortium)s, %(reference)s, %(payer)s, %(payer)s, %(payee)s, 1, 'As a test says', %(pence)s,
        false, %(plan)s, %(continuing)s, %(after)s, 'moving_in', %(disruption)s, 'in_force', 1, now(), NULL,
        %(payer_person)s, 'Sam', now(), %(payee_person)s, 'Kit', now())
"""
_EXCEPTION = """
    INSERT INTO fee_exception (id, consortium_id, agreement_id, payer_agency_id, payee_agency_id, kind, pence, reason,
        agency_id, deciding_agency_id, asked_at, asked_by, asked_name, decided_at, decided_by, decided_name, approved)
    VALUES (%(id)s, %(consortium)s, %(agreement)s, %(payer)s, %(payee)s, %(kind)s, %(pence)s, 'A sample',
        %(asking)s, %(payee)s, now(), %(asker)s, 'Kit', now(), %(decider)s, 'Sam', true)
    ON CONFLICT DO NOTHING
"""
_SIGNED = "UPDATE fee_agreement SET payer_signed_at = %(at)s, payee_signed_at = %(at)s WHERE id = %(agreement)s"
_BECAME = {
    kind: f"UPDATE fee_agreement SET {kind.value}_on = %(on)s WHERE id = %(agreement)s"
    for kind in (FeeEventKind.PLACED, FeeEventKind.ORDERED, FeeEventKind.DISRUPTED)
} | {FeeEventKind.WITHDRAWN: "UPDATE fee_agreement SET state = 'withdrawn' WHERE id = %(agreement)s"}
_ADDENDUM = """
    WITH of_name AS (SELECT position FROM fee_addendum WHERE agreement_id = %(agreement)s AND reason = %(name)s),
    made AS (
        INSERT INTO fee_addendum (id, consortium_id, agreement_id, authority_agency_id, payer_agency_id,
            payee_agency_id, position, kind, changes, reason, drafted_name, drafted_at, payer_signed_by,
            payer_signed_name, payer_signed_at, payee_signed_by, payee_signed_name, payee_signed_at)
        SELECT gen_random_uuid(), f.consortium_id, f.id, f.authority_agency_id, f.payer_agency_id, f.payee_agency_id,
            (SELECT count(*) + 1 FROM fee_addendum a WHERE a.agreement_id = f.id), 'amendment',
            jsonb_build_object('before', t.terms, 'after', t.terms || jsonb_build_object('amount_pence',
                %(pence)s::bigint)), %(name)s, 'Sam', %(at)s, f.payer_signed_by, 'Sam', %(at)s, f.payee_signed_by,
            'Kit', %(at)s
        FROM fee_agreement f CROSS JOIN LATERAL (SELECT jsonb_build_object('plan', f.plan, 'waived', f.waived,
            'continuing_pence', f.continuing_pence) AS terms) AS t
        WHERE f.id = %(agreement)s AND NOT EXISTS (SELECT FROM of_name)
        RETURNING position
    )
    SELECT position FROM of_name UNION ALL SELECT position FROM made
"""


@dataclass(frozen=True, slots=True)
class Agreed:
    """One agreement between a payer and a payee, with what tests do to it and read of it."""

    database: Database
    payer: Tenant
    payee: Tenant
    id: UUID
    reference: str
    admin: psycopg.Connection[Any]

    def waive(self, on: date, *, name: str = "waiver", at: datetime | None = None, **facts: Any) -> None:
        """Record a waiver as two people of the payee decided it; under the same name it is the same one."""
        self._decide(FeeEventKind.WAIVER, on, name=name, pence=None, facts=facts, at=at)

    def override(
        self, on: date, *, amounts: dict[str, int], name: str = "override", at: datetime | None = None
    ) -> None:
        """Record another fee as somebody of each agency agreed it, by position."""
        pence = sum(amounts.values())
        self._decide(FeeEventKind.OVERRIDE, on, name=name, pence=pence, facts={"amounts": amounts}, at=at)

    def refund(self, on: date, *, pence: int, vat_pence: int, name: str = "refund", at: datetime | None = None) -> None:
        """Record what two people of the payee pay back: what of the fee, and what of VAT."""
        facts = {"pence": pence, "vat_pence": vat_pence}
        self._decide(FeeEventKind.REFUND, on, name=name, pence=pence, facts=facts, at=at)

    def _decide(
        self,
        kind: FeeEventKind,
        on: date,
        *,
        name: str,
        pence: int | None,
        facts: dict[str, Any],
        at: datetime | None,
    ) -> None:
        decided = {
            "id": uuid5(self.id, name),
            "consortium": self.payer.scope.consortium_id,
            "agreement": self.id,
            "payer": self.payer.id,
            "payee": self.payee.id,
            "kind": kind.value,
            "pence": pence,
            "asking": self.payer.id if kind is FeeEventKind.OVERRIDE else self.payee.id,
            "asker": uuid5(self.id, "asker"),
            "decider": self.payee.scope.person_id,
        }
        self.admin.execute(_EXCEPTION, decided)
        facts |= {"asked_by": str(decided["asker"]), "asked_name": "Kit", "decided_by": str(decided["decider"])}
        facts |= {"decided_name": "Sam", "exception_id": str(decided["id"])}
        self.tell(kind, on, key=f"{kind.value}/{decided['id']}", by=self.payee, at=at, **facts)

    def tell(
        self,
        kind: FeeEventKind,
        on: date,
        *,
        key: str | None = None,
        by: Tenant | None = None,
        at: datetime | None = None,
        **facts: Any,
    ) -> None:
        """Record an event, as the payer does where nobody else is named; at noon of its day unless told later."""
        if kind is FeeEventKind.AGREEMENT_SIGNED:
            self.admin.execute(_SIGNED, {"at": noon(on), "agreement": self.id})
        if kind in _BECAME:
            self.admin.execute(_BECAME[kind], {"on": on, "agreement": self.id})
        if kind is FeeEventKind.ADDENDUM:
            key = self._amend(key or kind.value, facts["amounts"], on=on)
        with self.database.transaction((by or self.payer).scope) as session:
            agreement = session.get_one(FeeAgreement, self.id)
            now = at or noon(on)
            record_event(session, agreement, kind, key=key or kind.value, happened_on=on, now=now, facts=facts)

    def _amend(self, name: str, amounts: dict[str, int], *, on: date) -> str:
        """Write an addendum as both signed it, and return the key of its event; under one name it is the same."""
        said = {"name": name, "pence": sum(amounts.values()), "at": noon(on), "agreement": self.id}
        return f"addendum/{self.admin.execute(_ADDENDUM, said).fetchall()[0][0]}"

    def settle(self, on: date) -> int:
        """Settle it as of a day."""
        with self.database.transaction(self.payee.scope) as session:
            return settle(session, self.id, on=on, now=noon(on))

    def invoice(self, due_key: str, pence: int, on: date) -> UUID:
        """Post an invoice over one part, and return its id."""
        invoice_id = write_invoice(self.admin, self.payer, self.payee, pence, on)
        with self.database.transaction(self.payee.scope) as session:
            post(
                session,
                consortium_id=self.payer.scope.consortium_id or uuid4(),
                payer_agency_id=self.payer.id,
                payee_agency_id=self.payee.id,
                kind=TransactionKind.INVOICED,
                key=f"invoice/{invoice_id}",
                dated_on=on,
                entries=mirrored(
                    TransactionKind.INVOICED, pence, self.payer.id, self.payee.id, agreement_id=self.id, due_key=due_key
                ),
                narrative="An invoice",
                now=noon(on),
                invoice_id=invoice_id,
            )
        return invoice_id

    def balances(self, side: Tenant | None = None) -> dict[Account, int]:
        """Return what each account of a side's book comes to for this agreement, leaving out what is nothing."""
        with self.database.transaction((side or self.payee).scope) as session:
            total = func.sum(Posting.pence)
            query = select(Posting.account, total).where(Posting.agreement_id == self.id)
            rows = session.execute(query.group_by(Posting.account).having(total != 0))
            return {account: int(pence) for account, pence in rows}

    def posted(self) -> list[str]:
        """Return what was posted of it, in the order of days."""
        with self.database.transaction(self.payee.scope) as session:
            query = select(LedgerTransaction).where(LedgerTransaction.agreement_id == self.id)
            rows = session.scalars(query.order_by(LedgerTransaction.dated_on, LedgerTransaction.key)).all()
            return [row.key.partition("/")[2] for row in rows]


def noon(day: date) -> datetime:
    """Return the middle of a day."""
    return datetime.combine(day, time(12), UTC)


def agree(
    admin: psycopg.Connection[Any],
    database: Database,
    pair: tuple[Tenant, Tenant],
    *,
    parts: Sequence[tuple[str, int | None, int]] = THIRDS,
    continuing: tuple[int, int] | None = None,
    disruption: str = "fall_away",
) -> Agreed:
    """Make an agreement that both have signed, of parts ``(due, months, pence)``."""
    payer, payee = pair
    agreement_id = uuid4()
    number = agreement_id.int
    reference = "FA-" + "".join(LETTERS[number >> 5 * place & 31] for place in range(6))
    plan = [
        {"position": position, "pence": pence, "due": due, "months": months}
        for position, (due, months, pence) in enumerate(parts, start=1)
    ]
    admin.execute(
        _INSERT,
        {
            "id": agreement_id,
            "consortium": payer.scope.consortium_id,
            "reference": reference,
            "payer": payer.id,
            "payee": payee.id,
            "pence": sum(pence for _, _, pence in parts),
            "plan": Jsonb(plan),
            "continuing": continuing[0] if continuing else None,
            "after": continuing[1] if continuing else None,
            "disruption": disruption,
            "payer_person": payer.scope.person_id,
            "payee_person": payee.scope.person_id,
        },
    )
    return Agreed(database, payer, payee, agreement_id, reference, admin)
