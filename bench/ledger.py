"""Statements, aged debt, a month's close and its journal in a ledger of 1,000,000 postings, against the plain way.

Run ``python -m bench.ledger [--postings 1000000] [--agencies 20] [--json]``. One agency has a quarter of the ledger: a
statement of thousands of lines with another, and a month of its own with tens of thousands of postings. Each row is
what the application does, behind the wall, as a verb or as a page; beside it in the same run, taking turns, what the
same figures cost the database's owner in one statement of SQL that no policy holds. Seconds of the processor are those
of this process and of PostgreSQL together. Both ways must come to the same, and the exit code is 1 where they do not,
where a statement or its page takes 200 ms, or where a close takes a minute: by the clock at its fastest, or by the
processor where the clock ran on for what else the machine did.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Any
from uuid import UUID

import psycopg
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from bench.ledger_book import BUSY, fill_ledger
from concord.log import configure_logging
from concord.migrations import upgrade
from concord.settings import libpq_url
from concord.web import create_app
from matching.fee.journal.journal import write_journal
from matching.fee.journal.mapping import POSTED, Layout, get_mapping, keep_mapping
from matching.fee.ledger import close_month, kept_totals, open_months
from matching.fee.ledger.listing import Wanted, list_lines, sum_accounts
from matching.fee.statement.aged_debt import Direction, list_debts
from matching.fee.statement.movement import balances, lines
from matching.fee.statement.sent import list_sent
from matching.fee.statement.statement import agree_statement, draw_statement, get_statement, make_statement
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import ISSUER, Factories, Tenant
from tests.servers import CARELESS, test_servers
from tests.site import COOKIE, make_settings

STATEMENT_MS, CLOSE_SECONDS = 200, 60
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
UNTIL = NOW.date()
RUNS = 7
_LAYOUT = "The bench’s"
_SERVER = {**CARELESS, "shared_buffers": "512MB"}
Found = tuple[int, int]
"""Of how many it was, and what it came to in pence, where it comes to something."""
_OF_PAIR = """
    FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
    WHERE p.agency_id = %(own)s AND p.other_agency_id = %(other)s AND t.dated_on <= %(until)s
"""
_OWED = "coalesce(sum(p.pence) FILTER (WHERE p.account IN ('receivable', 'payable')), 0)"
_SUMS = f"SELECT t.payer_agency_id, t.kind, count(DISTINCT t.id), {_OWED} {_OF_PAIR} GROUP BY 1, 2"
_EACH = f"SELECT t.id, t.dated_on, t.narrative, {_OWED} {_OF_PAIR} GROUP BY t.id"
_DEBTS = """
    SELECT other_agency_id, sum(owed) FROM (
        SELECT p.other_agency_id, sum(p.pence) AS owed, min(t.dated_on) FILTER (WHERE t.kind = 'invoiced') AS since
        FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
        WHERE p.agency_id = %(own)s AND p.account IN ('receivable', 'payable') AND t.dated_on <= %(until)s
        GROUP BY p.other_agency_id, t.invoice_id HAVING sum(p.pence) <> 0) i
    GROUP BY 1, width_bucket(%(until)s::date - since, ARRAY[31, 61, 91])
"""
_AGREEMENTS = """
    SELECT count(*), sum(amount_pence) FROM fee_agreement WHERE %(own)s IN (payer_agency_id, payee_agency_id)
"""
_TOTALS = """
    SELECT p.account, sum(p.pence) FILTER (WHERE p.period_on < %(month)s),
        sum(p.pence) FILTER (WHERE p.period_on = %(month)s), count(*) FILTER (WHERE p.period_on = %(month)s)
    FROM posting p WHERE p.agency_id = %(own)s AND p.period_on <= %(month)s GROUP BY 1
"""
_JOURNAL = """
    SELECT t.dated_on, p.account, p.pence, t.narrative, f.reference
    FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
        LEFT JOIN fee_agreement f ON f.id = p.agreement_id
    WHERE p.agency_id = %(own)s AND p.period_on = %(month)s AND p.account NOT IN (
        'agreed_income', 'agreed_income_contra', 'agreed_cost', 'agreed_cost_contra')
    ORDER BY t.dated_on, t.id, p.account, p.id
"""


@dataclass(slots=True)
class Row:
    """What one thing took each time that it was done, in the application's way and in the plain one."""

    what: str
    most_ms: float | None
    count: int = 0
    """Of how many lines, postings or debts it was."""
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    plain_wall: list[float] = field(default_factory=list)
    plain_cpu: list[float] = field(default_factory=list)

    @property
    def is_slow(self) -> bool:
        """Say whether it takes longer than it may, what else the machine does left aside."""
        return self.most_ms is not None and min(*self.wall, mean(self.cpu)) >= self.most_ms

    def as_data(self) -> dict[str, Any]:
        """Return the figures: medians by the clock, means of the processor, in milliseconds."""
        return {
            "what": self.what,
            "count": self.count,
            "ms": round(median(self.wall), 1),
            "fastest_ms": round(min(self.wall), 1),
            "cpu_ms": round(mean(self.cpu), 1),
            "plain_ms": round(median(self.plain_wall), 1),
            "plain_cpu_ms": round(mean(self.plain_cpu), 1),
            "ratio": round(median(self.wall) / median(self.plain_wall), 2),
        }


@dataclass(frozen=True, slots=True)
class Bench:
    """A filled ledger, and who asks for what."""

    database: Database
    admin: psycopg.Connection[Any]
    own: Tenant
    other: Tenant
    client: FlaskClient

    def row(
        self,
        what: str,
        do: Callable[[Session], Found],
        sql: str,
        plain: Callable[[list[Any]], Found] | None = None,
        *,
        by: Tenant | None = None,
        runs: int = RUNS,
        most_ms: float | None = None,
    ) -> Row:
        """Do a thing so many times in a transaction of its own, in turns with what the figures cost in plain SQL.

        :param plain: makes of the SQL's rows what the thing returns; the two have to be the same.
        """
        row, scope = Row(what, most_ms), (by or self.own).scope
        values = {"own": self.own.id, "other": self.other.id, "until": UNTIL, "month": BUSY}
        for _ in range(runs):
            with self._timed(row.wall, row.cpu), self.database.transaction(scope) as session:
                found = do(session)
            with self._timed(row.plain_wall, row.plain_cpu):
                said = self.admin.execute(sql, values).fetchall()
            if plain and plain(said) != found:
                raise SystemExit(f"{what}: {found} by the application, {plain(said)} by the owner")
            row.count = found[0]
        return row

    def page(self, path: str, count: int = 0) -> Callable[[Session], Found]:
        """Return what opens a page of the site as the first agency’s person."""

        def opened(_: Session) -> Found:
            answer = self.client.get(path)
            if answer.status_code != 200:
                raise SystemExit(f"{path} answers {answer.status_code}")
            return count, 0

        return opened

    @contextmanager
    def _timed(self, wall: list[float], cpu: list[float]) -> Iterator[None]:
        used, began = self._cpu(), time.perf_counter()
        yield
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((self._cpu() - used) * 1000)

    def _cpu(self) -> float:
        """Return the seconds of the processor that this process and PostgreSQL have used."""
        server = _stat(self.admin.info.backend_pid)[1]
        below = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        # Of the server those of its processes that have ended, too.
        ticks = _stat(server)[11:15] + [each for pid in below for each in _stat(pid)[11:13]]
        return time.process_time() + sum(int(each) for each in ticks) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Fill the ledger, measure, print, and return 1 when a limit is passed."""
    asked = _asked()
    configure_logging(level=logging.WARNING)
    with _filled(asked) as bench:
        rows = []
        for row in _measure(bench):
            rows.append(row)
            print(json.dumps(row.as_data()) if asked.json else _line(row.as_data()), flush=True)
    slow = [row.what for row in rows if row.is_slow]
    if slow:
        print(f"Too slow: {', '.join(slow)}", file=sys.stderr)
    return 1 if slow else 0


@contextmanager
def _filled(asked: argparse.Namespace) -> Iterator[Bench]:
    with test_servers(_SERVER) as servers:
        urls = servers.database_urls
        upgrade(urls.migrate, scope_key=SCOPE_KEY)
        database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
        factories = Factories(database)
        consortium_id = factories.consortium()
        tenants = [factories.tenant(consortium_id) for _ in range(asked.agencies)]
        client = create_app(make_settings(database_url=urls.app, valkey_url=servers.valkey_url), database).test_client()
        with database.transaction(NOBODY) as session:
            token = sign_in(session, issuer=ISSUER, subject=tenants[0].subject, now=utc_now()).token
        client.set_cookie(COOKIE, token)
        with psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin:
            began = time.monotonic()
            fill_ledger(admin, consortium_id, tenants, postings=asked.postings)
            made = admin.execute("SELECT count(*) FROM posting").fetchone()
            own = admin.execute("SELECT count(*) FROM posting WHERE agency_id = %s", [tenants[0].id]).fetchone()
            assert made
            assert own
            words = f"{made[0]:,} postings of {asked.agencies} agencies, {own[0]:,} in the first one’s book"
            print(f"{words}, in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            yield Bench(database, admin, tenants[0], tenants[1], client)
        database.dispose()


def _measure(bench: Bench) -> Iterator[Row]:
    other, drawn_path = bench.other.id, f"/fees/statements/with/{bench.other.id}"

    def owed(rows: list[Any]) -> Found:
        return sum(row[2] for row in rows), int(sum(row[3] for row in rows))

    def lines_of_book(session: Session) -> Found:
        wanted = Wanted(other_agency_id=other)
        sums = sum_accounts(session, wanted)
        list_lines(session, wanted)
        return sum(each.postings for each in sums), sum(each.pence for each in sums)

    drawn = bench.row("statement", lambda session: _draw(session, bench), _SUMS, owed, most_ms=STATEMENT_MS)
    yield drawn
    for name, path in (("its page", drawn_path), ("its last page", f"{drawn_path}?page={drawn.count // 100}")):
        yield bench.row(name, bench.page(path, drawn.count), _SUMS, most_ms=STATEMENT_MS)
    yield bench.row("all its lines", lambda session: _every_line(session, bench), _EACH, lambda rows: (len(rows), 0))
    yield bench.row("ledger of the two", lines_of_book, _SUMS, most_ms=STATEMENT_MS)
    yield bench.row("aged debt", _debts, _DEBTS, lambda rows: (len({row[0] for row in rows}), _net(rows)))
    yield bench.row("the page of it", bench.page("/fees/statements"), _DEBTS)
    for name, path in (("agreements", "/fees/agreements"), ("orders", "/fees/suppliers"), ("what waits", "/fees")):
        yield bench.row(f"the page of {name}", bench.page(path), _AGREEMENTS)
    yield from _agreed(bench, drawn_path)
    yield from _closed(bench)


def _draw(session: Session, bench: Bench) -> Found:
    """Read all that a statement's page shows."""
    other = bench.other.id
    drawn = draw_statement(session, other, until_on=UNTIL, now=NOW)
    lines(session, drawn.chosen, most=100)
    balances(session, other)
    list_sent(session, other, until_on=UNTIL, now=NOW)
    signs = {bench.own.id: -1, other: 1}
    return drawn.line_count, sum(signs[side.payer_agency_id] * side.closing.owed for side in drawn.sides)


def _every_line(session: Session, bench: Bench) -> Found:
    chosen = draw_statement(session, bench.other.id, until_on=UNTIL, now=NOW).chosen
    return len(lines(session, chosen)), 0


def _debts(session: Session) -> Found:
    found = list_debts(session, until_on=UNTIL)
    net = sum(each.owed * (1 if each.direction is Direction.TO_US else -1) for each in found)
    return len({each.other_agency_id for each in found}), net


def _net(rows: list[Any]) -> int:
    return int(sum(row[1] for row in rows))


def _agreed(bench: Bench, drawn_path: str) -> Iterator[Row]:
    """Draw a statement up, let the other side agree to it, and look at it and at what comes after it."""
    made: list[UUID] = []

    def make(session: Session) -> Found:
        statement = make_statement(session, bench.other.id, until_on=UNTIL, now=NOW)
        made.append(statement.id)
        return statement.content["lines"], 0

    def agree(session: Session) -> Found:
        statement = get_statement(session, made[0])
        agree_statement(session, statement, now=NOW)
        return statement.content["lines"], 0

    def counted(rows: list[Any]) -> Found:
        return len(rows), 0

    yield bench.row("drawing it up", make, _EACH, counted, runs=1)
    yield bench.row("agreeing to it", agree, _EACH, counted, by=bench.other, runs=1)
    # As the server does by itself within a minute.
    bench.admin.execute("VACUUM (ANALYZE) fee_statement, fee_statement_line")
    yield bench.row("the page of it agreed", bench.page(f"/fees/statements/{made[0]}"), _SUMS, most_ms=STATEMENT_MS)
    yield bench.row("the page of the next", bench.page(drawn_path), _SUMS, most_ms=STATEMENT_MS)


def _closed(bench: Bench) -> Iterator[Row]:
    """Close every month up to the busy one, and take that one's journal."""

    def close(session: Session) -> Found:
        totals = kept_totals(close_month(session, BUSY, now=NOW))
        return sum(each.postings for each in totals), sum(each.carried for each in totals)

    def totals(rows: list[Any]) -> Found:
        return sum(row[3] for row in rows), int(sum((row[1] or 0) + (row[2] or 0) for row in rows))

    def journal(session: Session) -> Found:
        mapping = get_mapping(session, _LAYOUT)
        return write_journal(session, io.BytesIO(), mapping, month=BUSY, now=NOW).count, 0

    with bench.database.transaction(bench.own.scope) as session:
        keep_mapping(session, _LAYOUT, Layout(codes={each: f"{each[:9]}" for each in POSTED}), now=NOW)
        earlier = [month for month in open_months(session) if month < BUSY]
    for month in earlier:
        with bench.database.transaction(bench.own.scope) as session:
            close_month(session, month, now=NOW)
    yield bench.row("page of the month to close", bench.page("/fees/periods"), _TOTALS)
    yield bench.row("closing a month", close, _TOTALS, totals, runs=1, most_ms=CLOSE_SECONDS * 1000)
    yield bench.row("journal of that month", journal, _JOURNAL, lambda rows: (len(rows), 0), runs=3)


def _stat(pid: int | str) -> list[str]:
    """Return what the system says of a process after its name; nothings for one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 40


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['what']:<27} of {row['count']:>6,}: {row['ms']:>7.1f} ms, at its fastest {row['fastest_ms']:>7.1f} ms, "
        f"processor {row['cpu_ms']:>7.1f} ms; plain {row['plain_ms']:>7.1f} ms, "
        f"processor {row['plain_cpu_ms']:>7.1f} ms; ratio {row['ratio']:.2f}"
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postings", type=int, default=1_000_000)
    parser.add_argument("--agencies", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="one line a row")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
