"""Search everything that a database holds for a way from one record to another.

Rows are joined wherever they say the same id, code, name or reference, in the open or sealed under any key that still
exists; only an adoption record stays shut. What everybody shares, such as agencies and people, joins nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from tenants.custody import REGISTER, open_rows
from tenants.database import Database
from tests.factories import Tenant

SHUT = {"adoption_record", "identity_provider_secret"}
"""What nobody opens: adoption records, and secrets of sign-in services, which are of no record."""
HUBS = ("agency", "consortium", "person", "person_identity", "agency_key", "meeting")
"""Tables whose ids stand in rows of everyone's."""
NOBODY = "00000000-0000-0000-0000-000000000000"
"""Stands where no person acted."""
_WORD = re.compile(
    # Ids, codes, and the numbers of requests, by which a line of a log and a line of the audit know one another.
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[GHA]-[0-9A-Z]{6}\b|(?<=\")[0-9a-f]{16}(?=\")"
)


def read_all(admin: psycopg.Connection[Any], database: Database, tenants: Iterable[Tenant]) -> list[tuple[str, str]]:
    """Return every row of the database as text, with its table; sealed values opened with the keys there are."""
    found = []
    tables = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    for (table,) in tables:
        query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(table))
        found += [(table, row) for (row,) in admin.execute(query)]
    for tenant in tenants:
        with database.transaction(tenant.scope) as session:
            for holding in REGISTER:
                if holding.sealed and holding.table not in SHUT:
                    for row in open_rows(session, holding):
                        files = " ".join(content.decode("latin-1") for content in row.files.values())
                        found.append((holding.table, f"{row.values} {files}"))
    return found


def tokens_of(row: str, words: Iterable[str]) -> set[str]:
    """Return the ids, codes and numbers of requests that a row holds, and which of ``words``."""
    return {*_WORD.findall(row), *(word for word in words if word in row)}


def reached_from(
    start: Iterable[str], rows: Iterable[tuple[str, str]], *, words: Iterable[str], hubs: Iterable[str]
) -> dict[str, tuple[str, str]]:
    """Return whatever can be reached from ``start`` from row to row, and by which table from what."""
    known, left_out = list(words), set(hubs)
    holding: defaultdict[str, list[tuple[str, set[str]]]] = defaultdict(list)
    for table, row in rows:
        tokens = tokens_of(row, known) - left_out
        for token in tokens:
            holding[token].append((table, tokens))
    reached = dict.fromkeys(start, ("", ""))
    waiting = list(reached)
    while waiting:
        token = waiting.pop()
        for table, tokens in holding[token]:
            for other in tokens - reached.keys():
                reached[other] = (table, token)
                waiting.append(other)
    return reached


def hub_ids(admin: psycopg.Connection[Any]) -> set[str]:
    """Return the ids that stand in rows of everyone's."""
    found = {NOBODY}
    for table in HUBS:
        query = sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(table))
        for (row,) in admin.execute(query):
            found.update(_WORD.findall(row))
    return found


def way_to(token: str, reached: dict[str, tuple[str, str]]) -> list[str]:
    """Return the way by which something was reached, for who has to mend it."""
    way = [token]
    while token in reached and reached[token][1]:
        table, token = reached[token]
        way += [f"({table})", token]
    return way
