"""A ledger of any size, made by sets through the real tables, triggers and constraints; one agency has most of it.

Each agreement is agreed, falls due, is invoiced and is paid, as far as that has come by the last day; a few are never
invoiced, and some never paid.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from tests.factories import Tenant

FIRST, BUSY, LAST = date(2023, 11, 1), date(2026, 10, 1), date(2026, 11, 22)
"""The first day of all, the first agency's busy month, and the last day on which anything comes to pass."""
POSTINGS_EACH = 19.65
"""Of an agreement, in both books: 20 where all of it came to pass."""
_SHARES = ((0.15, "busy"), (0.06, "pair"), (0.20, "big"))
"""Of all agreements: of the first agency in its busy month; of the first two; of the first; the rest are anybody's."""
_USUAL, _IN_A_MONTH = (-60, 0, 10, 40), (0, 1, 3, 15)
"""Days from the placement to what is agreed, due, invoiced and paid."""
_FIRST_BATCH, _MOST_AT_ONCE = 250, 4_000
_AGREEMENT_COLUMNS = (
    "id, consortium_id, reference, authority_agency_id, payer_agency_id, payee_agency_id, children, rate_words, "
    "amount_pence, waived, plan, counts_from, disruption, state, version, drafted_at, matched_on, placed_on, "
    "payer_signed_by, payer_signed_name, payer_signed_at, payee_signed_by, payee_signed_name, payee_signed_at"
)
_HEADS = """
    INSERT INTO ledger_transaction (id, consortium_id, payer_agency_id, payee_agency_id, agreement_id, invoice_id, kind,
        key, pence, dated_on, narrative, posted_at)
    SELECT gen_random_uuid(), f.consortium_id, f.payer_agency_id, f.payee_agency_id, f.id,
        CASE WHEN s.kind IN ('invoiced', 'paid') THEN f.id END, s.kind, s.kind || '/' || f.id, f.amount_pence,
        s.dated_on, s.words || ' ' || f.reference, now()
    FROM unnest(%(ids)s::uuid[], %(agreed)s::date[], %(due)s::date[], %(invoiced)s::date[], %(paid)s::date[])
        AS d (id, agreed, due, invoiced, paid)
    JOIN fee_agreement f ON f.id = d.id
    CROSS JOIN LATERAL (VALUES ('agreed', d.agreed, 'Fee agreed,'), ('due', d.due, 'Due,'),
        ('invoiced', d.invoiced, 'Invoiced,'), ('paid', d.paid, 'Paid,')) AS s (kind, dated_on, words)
    WHERE s.dated_on <= %(last)s
"""
_POSTINGS = """
    INSERT INTO posting (id, transaction_id, agency_id, other_agency_id, account, pence, period_on, agreement_id,
        due_key)
    SELECT gen_random_uuid(), t.id, b.agency, b.other, b.account, b.sign * t.pence, t.dated_on, t.agreement_id, 'due/1'
    FROM ledger_transaction t
    JOIN (VALUES
        ('agreed', 'agreed_income_contra', 'agreed_cost_contra', 1), ('agreed', 'agreed_income', 'agreed_cost', -1),
        ('due', 'agreed_income', 'agreed_cost', 1), ('due', 'agreed_income_contra', 'agreed_cost_contra', -1),
        ('due', 'to_invoice', 'to_be_invoiced', 1), ('due', 'fee_income', 'fee_cost', -1),
        ('invoiced', 'receivable', 'payable', 1), ('invoiced', 'to_invoice', 'to_be_invoiced', -1),
        ('paid', 'cash', 'cash', 1), ('paid', 'receivable', 'payable', -1)) AS l (kind, payees, payers, sign)
        ON l.kind = t.kind
    CROSS JOIN LATERAL (VALUES (t.payee_agency_id, t.payer_agency_id, l.payees, l.sign),
        (t.payer_agency_id, t.payee_agency_id, l.payers, -l.sign)) AS b (agency, other, account, sign)
    WHERE t.written_in = pg_current_xact_id()
"""


@dataclass(frozen=True, slots=True)
class Made:
    """One agreement to be, and when each part of it comes to pass; a day after the last for never."""

    id: UUID
    payer_agency_id: UUID
    payee_agency_id: UUID
    pence: int
    placed_on: date
    agreed: date
    due: date
    invoiced: date
    paid: date


def fill_ledger(
    admin: psycopg.Connection[Any], consortium_id: UUID, tenants: Sequence[Tenant], *, postings: int
) -> None:
    """Post about so many postings between the tenants; the same number makes the same book but for its ids."""
    chance, ids = random.Random(6), [tenant.id for tenant in tenants]  # noqa: S311
    made = list(_agreements(chance, ids, round(postings / POSTINGS_EACH)))
    # Postings are made as the days go by, and lie so on the disk.
    made.sort(key=lambda each: each.placed_on)
    _copy_agreements(admin, consortium_id, made)
    start, size = 0, _FIRST_BATCH
    while start < len(made):
        batch = made[start : start + size]
        with admin.transaction():
            days = {each: [getattr(one, each) for one in batch] for each in ("agreed", "due", "invoiced", "paid")}
            admin.execute(_HEADS, {"ids": [one.id for one in batch], "last": LAST, **days})
            admin.execute(_POSTINGS)
        # As the server does by itself, so that plans made for an empty table do not stay.
        if size < _MOST_AT_ONCE:
            admin.execute("ANALYZE ledger_transaction, posting, fee_agreement")
        start, size = start + len(batch), min(size * 4, _MOST_AT_ONCE)
    admin.execute("VACUUM (ANALYZE) ledger_transaction, posting, fee_agreement")


def _agreements(chance: random.Random, ids: Sequence[UUID], count: int) -> Iterator[Made]:
    span, never = (LAST - FIRST).days, LAST + timedelta(days=1)
    for _ in range(count):
        drawn = chance.random()
        share, of = 0.0, "any"
        for part, name in _SHARES:
            share += part
            if drawn < share:
                of = name
                break
        first = ids[0] if of != "any" else chance.choice(ids)
        other = ids[1] if of == "pair" else chance.choice([each for each in ids if each != first])
        payer, payee = (first, other) if chance.random() < 0.5 else (other, first)
        placed, steps = FIRST + timedelta(days=chance.randrange(span)), _USUAL
        if of == "busy":
            placed, steps = BUSY + timedelta(days=chance.randrange(14)), _IN_A_MONTH
        agreed, due, invoiced, paid = (max(FIRST, placed + timedelta(days=step)) for step in steps)
        if chance.random() < 0.04:
            paid = never
            invoiced = never if chance.random() < 0.25 else invoiced
        pence = chance.choice((2_700_000, 4_300_000, 6_000_000, 3_924_500)) + chance.randrange(100)
        yield Made(uuid4(), payer, payee, pence, placed, agreed, due, invoiced, paid)


def _copy_agreements(admin: psycopg.Connection[Any], consortium_id: UUID, made: Sequence[Made]) -> None:
    with admin.cursor() as cursor, cursor.copy(f"COPY fee_agreement ({_AGREEMENT_COLUMNS}) FROM STDIN") as copy:
        for number, each in enumerate(made):
            parties = (each.payer_agency_id, each.payer_agency_id, each.payee_agency_id)
            plan = f'[{{"position": 1, "pence": {each.pence}, "due": "placement", "months": null}}]'
            said = (1, "The bench’s", each.pence, False, plan, "adoptive_start", "fall_away")
            # What is paid is over; an agreement under way is looked at day by day.
            days = ("ended" if each.paid <= LAST else "in_force", 1, each.agreed, each.agreed, each.placed_on)
            payers, payees = ((uuid4(), f"The bench’s {side}", each.agreed) for side in ("payer", "payee"))
            row = (each.id, consortium_id, f"FA-{number:06X}", *parties, *said, *days, *payers, *payees)
            copy.write_row(row)
