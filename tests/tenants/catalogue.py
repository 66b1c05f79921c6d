"""What the database's own catalogue says of tables, policies, rights and functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

# Tables that hold nothing of any tenant, each with its reason.
WITHOUT_WALL = {
    "alembic_version": "which migration the database has",
    "outward_code": "published places of Great Britain",
    "zone": "what may be said of every two zones of published places",
    "search_term": "what this release calls needs and origins",
    "scope_key": "the key's pads, which only the function that verifies scopes may read",
}

LOGINS = ("concord_app", "concord_relay")


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of row-level security, with its conditions as the database writes them."""

    name: str
    table: str
    verb: str
    roles: tuple[str, ...]
    using: str | None
    check: str | None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """One foreign key: from which table and columns to which table."""

    name: str
    table: str
    target: str
    columns: tuple[str, ...]


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Return every table of the application, by name."""
    return _words(
        connection,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'f') "
        "ORDER BY relname",
    )


def walled_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Return every table that must be walled, by name."""
    return [table for table in tables(connection) if table not in WITHOUT_WALL]


def columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Return a table's columns in their order."""
    return _words(
        connection,
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "ORDER BY attnum",
        table,
    )


def columns_open_to(connection: psycopg.Connection[Any], role: str, table: str, verb: str) -> list[str]:
    """Return the columns in which ``role`` may SELECT, INSERT or UPDATE, in their order."""
    return _words(
        connection,
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND has_column_privilege(%s, attrelid, attnum, %s) ORDER BY attnum",
        table,
        role,
        verb,
    )


def may_select(connection: psycopg.Connection[Any], table: str) -> bool:
    """Say whether whoever is connected may read anything of a table."""
    row = connection.execute("SELECT has_any_column_privilege(%s, 'SELECT')", (table,)).fetchone()
    return bool(row and row[0])


def may_delete(connection: psycopg.Connection[Any], role: str, table: str) -> bool:
    """Say whether ``role`` may DELETE from a table."""
    return bool(_words(connection, "SELECT 1 WHERE has_table_privilege(%s, %s, 'DELETE')", role, table))


def policies(connection: psycopg.Connection[Any]) -> list[Policy]:
    """Return every policy, by table and name."""
    rows = connection.execute(
        "SELECT policyname, tablename, cmd, roles::text[], qual, with_check FROM pg_policies "
        "WHERE schemaname = 'public' ORDER BY tablename, policyname"
    )
    return [Policy(name, table, verb, tuple(roles), using, check) for name, table, verb, roles, using, check in rows]


def foreign_keys(connection: psycopg.Connection[Any]) -> list[ForeignKey]:
    """Return every foreign key, by table and name."""
    rows = connection.execute(
        "SELECT c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text, array_agg(a.attname::text) "
        "FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) "
        "WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace "
        "GROUP BY c.oid, c.conname, c.conrelid, c.confrelid ORDER BY 2, 1"
    )
    return [ForeignKey(name, table, target, tuple(columns)) for name, table, target, columns in rows]


def indexes(connection: psycopg.Connection[Any], *, unique: bool = False) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return table, name and columns of every index, or of the unique ones."""
    rows = connection.execute(
        "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, array_agg(a.attname::text) "
        "FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[]) "
        "WHERE t.relnamespace = 'public'::regnamespace AND (i.indisunique OR NOT %s) "
        "GROUP BY i.indrelid, i.indexrelid ORDER BY 1, 2",
        (unique,),
    )
    return [(table, name, tuple(columns)) for table, name, columns in rows]


def _words(connection: psycopg.Connection[Any], query: str, *values: object) -> list[str]:
    return [row[0] for row in connection.execute(query, values)]
