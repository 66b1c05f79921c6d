"""How long a statement of a counterparty and the closing of a month take in a ledger of 1,000,000 postings.

Run ``python -m bench.ledger [--postings 1000000] [--agencies 20] [--json]``. The postings are made by sets through the
real tables, triggers and constraints; what is measured is read and closed as the application does, behind the wall.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import psycopg

from concord.migrations import upgrade
from concord.settings import libpq_url
from matching.fee.ledger import Account, balances_of, close_month
from matching.fee.ledger.listing import Wanted, list_lines, sum_accounts
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories, Tenant
from tests.servers import test_servers

FIRST = date(2024, 1, 1)
_MOST_AT_ONCE = 16_000
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
# One transaction of four postings: the payee's book and the payer's.
_HEADS = """
    INSERT INTO ledger_transaction (id, consortium_id, payer_agency_id, payee_agency_id, kind, key, pence, dated_on,
        narrative, posted_at)
    SELECT gen_random_uuid(), %(consortium)s, p.payer, p.payee, 'paid', 'bench/' || n, 100 + n %% 5000,
        date '2024-01-01' + (n %% 730)::integer, 'A bench payment', now()
    FROM generate_series(%(from)s::bigint, %(to)s::bigint) AS n
    CROSS JOIN LATERAL (SELECT (%(ids)s::uuid[])[1 + n %% %(many)s] AS payer,
        (%(ids)s::uuid[])[1 + (n %% %(many)s + 1 + (n / %(many)s) %% (%(many)s - 1)) %% %(many)s] AS payee) AS p
"""
_POSTINGS = """
    INSERT INTO posting (id, transaction_id, agency_id, other_agency_id, account, pence, period_on)
    SELECT gen_random_uuid(), t.id, l.agency, l.other, l.account, l.pence, FIRST
    FROM ledger_transaction t
    CROSS JOIN LATERAL (VALUES
        (t.payee_agency_id, t.payer_agency_id, 'cash', t.pence),
        (t.payee_agency_id, t.payer_agency_id, 'receivable', -t.pence),
        (t.payer_agency_id, t.payee_agency_id, 'payable', t.pence),
        (t.payer_agency_id, t.payee_agency_id, 'cash', -t.pence)) AS l (agency, other, account, pence)
    WHERE t.written_in = pg_current_xact_id()
""".replace("FIRST", f"date '{FIRST}'")


def main() -> int:
    """Fill the ledger, measure, print, and return 1 when a limit is passed."""
    asked = _asked()
    with test_servers() as servers:
        urls = servers.database_urls
        upgrade(urls.migrate, scope_key=SCOPE_KEY)
        database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        factories = Factories(database)
        consortium_id = factories.consortium()
        tenants = [factories.tenant(consortium_id) for _ in range(asked.agencies)]
        with psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin:
            filled = _timed(lambda: _fill(admin, consortium_id, tenants, asked.postings))
            admin.execute("ANALYZE")
        found = {"postings": asked.postings, "agencies": asked.agencies, "fill_s": round(filled[0], 1)}
        found |= _measure(database, tenants)
        database.dispose()
    print(json.dumps(found, indent=2) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0 if found["statement_ms"] < 200 and found["close_s"] < 60 else 1


def _fill(admin: psycopg.Connection[Any], consortium_id: UUID, tenants: list[Tenant], postings: int) -> None:
    ids, start, step = [tenant.id for tenant in tenants], 0, 250
    while start < postings // 4:
        until = min(start + step, postings // 4)
        with admin.transaction():
            facts = {"consortium": consortium_id, "ids": ids, "many": len(ids), "from": start, "to": until - 1}
            admin.execute(_HEADS, facts)
            admin.execute(_POSTINGS)
        # As the server does by itself, so that plans made for an empty table do not stay.
        if step < _MOST_AT_ONCE:
            admin.execute("ANALYZE ledger_transaction, posting")
        start, step = until, min(step * 4, _MOST_AT_ONCE)


def _measure(database: Database, tenants: list[Tenant]) -> dict[str, Any]:
    own, other = tenants[0], tenants[1]
    wanted = Wanted(other_agency_id=other.id)

    def statement() -> int:
        with database.transaction(own.scope) as session:
            balances_of(session, other_agency_id=other.id)
            sum_accounts(session, wanted)
            return len(list_lines(session, wanted))

    def book() -> int:
        with database.transaction(own.scope) as session:
            return len(sum_accounts(session, Wanted())) + len(list_lines(session, Wanted(month=FIRST)))

    def close() -> int:
        with database.transaction(own.scope) as session:
            return close_month(session, FIRST, now=NOW).totals[Account.CASH]["postings"]  # type: ignore[no-any-return]

    times = sorted(_timed(statement) for _ in range(7))
    closed = _timed(close)
    return {
        "statement_lines": times[0][1],
        "statement_ms": round(times[len(times) // 2][0] * 1000, 1),
        "whole_book_ms": round(_timed(book)[0] * 1000, 1),
        "close_postings": closed[1],
        "close_s": round(closed[0], 2),
    }


def _timed(what: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.monotonic()
    found = what()
    return time.monotonic() - begun, found


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postings", type=int, default=1_000_000)
    parser.add_argument("--agencies", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
