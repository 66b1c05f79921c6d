"""Invoices that a test is about to post, written past the wall and all else: how one comes about is not tried there."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from tenants.cipher import Cipher
from tests.conftest import MASTER_KEY
from tests.factories import NOW, Tenant

_INSERT = """
    INSERT INTO invoice (id, consortium_id, payer_agency_id, payee_agency_id, kind, number, issued_on, due_on,
        vat_category, vat_rate, net_pence, vat_pence, gross_pence, transaction_id, issued_at, sealed_key, sealed)
    VALUES (%(id)s, %(consortium)s, %(payer)s, %(payee)s, 'invoice', %(number)s, %(on)s, %(due)s, 'exempt', 0,
        %(pence)s, 0, %(pence)s, gen_random_uuid(), %(at)s, %(key)s, '')
"""


def write_invoice(
    admin: psycopg.Connection[Any],
    payer: Tenant,
    payee: Tenant,
    pence: int,
    on: date,
    *,
    number: str | None = None,
) -> UUID:
    """Write an invoice without lines or VAT, with a month to pay, and return its id; nothing is posted by it."""
    made = uuid4()
    # Whoever changes the master key goes through all that was sealed under it.
    sealed_key = Cipher(MASTER_KEY).wrap(os.urandom(32), key_id=made)
    days = {"on": on, "due": on + timedelta(days=30), "at": NOW}
    about = {"id": made, "number": number or made.hex[:30], "key": sealed_key, **days}
    parties = {"consortium": payer.scope.consortium_id, "payer": payer.id, "payee": payee.id, "pence": abs(pence)}
    with admin.transaction():
        # No trigger asks for its lines, and no key for its transaction.
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute(_INSERT, about | parties)
    return made
