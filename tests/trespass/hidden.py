"""What is hidden from a scope: the telling words of the rows that it does not see; and a word for each row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from tenants.scope import Scope
from tests.factories import Tenant
from tests.tenants import catalogue
from tests.tenants.world import acting
from tests.trespass.answer import telling
from tests.trespass.attempt import ID

SEALED = frozenset({"Hiddenadopter", "Hiddenchild"})
"""Names that are sealed in the owners' rows, so that no row tells them as it stands."""
_MARKED = {
    "api_client": ("name",),
    "child_identity": ("reference",),
    "clock_reason": ("reason",),
    "consortium": ("name",),
    "decline": ("reason",),
    "decline_feedback": ("feedback",),
    "departure": ("reason",),
    "document_grant": ("reason", "person_name", "decided_name"),
    "glass": ("reason",),
    "glass_judgement": ("reason",),
    "household_identity": ("reference",),
    "household_profile": ("text",),
    "identity_provider": ("name",),
    "import_run": ("filename",),
    "invitation": ("name",),
    "legal_hold": ("reason",),
    "link_step": ("reason", "person_name"),
    "match_decision": ("reason", "person_name"),
    "meeting": ("title", "place"),
    "meeting_action": ("what",),
    "panel_reader": ("person_name",),
    "person": ("name",),
    "pool_entry": ("reason",),
    "record_bar": ("reason",),
    "retention_item": ("why",),
    "retention_rule": ("basis",),
    "sharing_move": ("reason",),
    "sibling_decision": ("reason", "decided_by"),
    "sibling_group_identity": ("reference",),
    "sibling_group_profile": ("text",),
}
"""Where a row says something in words that are nobody else's business by themselves."""

_READERS = "SELECT r::text FROM link l, link_readers(l.id) r"
"""Whom the two sides of a link may name to each other: who of the other side reads it."""

Told = dict[str, dict[str, frozenset[str]]]
"""By table and by a row's own mark, the telling words of each row that anybody owns."""


def mark_rows(admin: psycopg.Connection[Any]) -> None:
    """Give each row of everybody's a word that no other has, as nobody at the site could."""
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        for table, columns in _MARKED.items():
            for column in columns:
                query = sql.SQL("UPDATE {} SET {} = {} || ' Hidden' || substr(md5(random()::text), 1, 12)")
                name = sql.Identifier(column)
                admin.execute(query.format(sql.Identifier(table), name, name))


def told_of_rows(admin: psycopg.Connection[Any]) -> Told:
    """Return the telling words of each row."""
    return {
        table: {mark: telling(text) for mark, text in _rows(admin, table)} for table in catalogue.walled_tables(admin)
    }


def hidden_from(admin: psycopg.Connection[Any], scope: Scope, told: Told) -> frozenset[str]:
    """Return the telling words of the rows that a scope does not see, but for those of rows that it does."""
    hidden: set[str] = set(SEALED)
    with acting(admin, scope):
        seen = {word for (row,) in admin.execute(_READERS) for word in telling(row)}
    for table, rows in told.items():
        visible = _visible(admin, scope, table)
        for mark, words in rows.items():
            (seen if mark in visible else hidden).update(words)
    return frozenset(hidden - seen)


def ids_of(admin: psycopg.Connection[Any], tenant: Tenant) -> dict[str, list[str]]:
    """Return the ids of an agency's rows by table, and under no name every other id in them."""
    found: dict[str, list[str]] = {"": []}
    for table in catalogue.walled_tables(admin):
        query = sql.SQL("SELECT to_jsonb(t) FROM {} t ORDER BY t::text").format(sql.Identifier(table))
        for (row,) in admin.execute(query).fetchall():
            if str(tenant.id) in row.values():
                for name, value in row.items():
                    if isinstance(value, str) and ID.fullmatch(value):
                        found.setdefault(table if name == "id" else "", []).append(value)
    return found


def _rows(admin: psycopg.Connection[Any], table: str) -> Iterator[tuple[str, str]]:
    query = sql.SQL("SELECT ctid::text, t::text FROM {} t").format(sql.Identifier(table))
    yield from admin.execute(query).fetchall()


def _visible(admin: psycopg.Connection[Any], scope: Scope, table: str) -> frozenset[str]:
    query = sql.SQL("SELECT ctid::text FROM {}").format(sql.Identifier(table))
    with acting(admin, scope):
        try:
            with admin.transaction():
                return frozenset(row[0] for row in admin.execute(query))
        except psycopg.errors.InsufficientPrivilege:
            return frozenset()
