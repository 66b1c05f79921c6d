"""Imports in tests: handed in and taken at once, and every row of the register as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from matching.intake.column import SheetKind
from matching.intake.image import parts_of
from matching.intake.import_run import ImportRun, get_import, read_report, request_import
from matching.intake.import_work import perform_import
from matching.intake.outcome import RowOutcome
from matching.intake.sheet import CellValue
from matching.intake.undo import undo_import
from tenants.database import Database
from tests.factories import NOW, Tenant
from tests.matching.intake.writing import csv_file

State = dict[str, list[str]]
"""Every row of the register that an agency sees, as the database writes it, by table."""


def tell_nobody(_done: int, _total: int, _note: str) -> None:
    """Hear how far an import is, and do nothing."""


def ask_for(database: Database, tenant: Tenant, content: bytes, **facts: Any) -> ImportRun:
    facts = {"kind": SheetKind.HOUSEHOLDS, "dry_run": False, "now": NOW, "filename": "sheet", **facts}
    with database.transaction(tenant.scope) as session:
        return request_import(session, content=content, **facts)


def perform(database: Database, tenant: Tenant, run_id: UUID, *, now: datetime = NOW) -> ImportRun:
    with database.transaction(tenant.scope) as session:
        return perform_import(session, get_import(session, run_id), progress=tell_nobody, now=now)


def take(database: Database, tenant: Tenant, content: bytes, **facts: Any) -> ImportRun:
    run = ask_for(database, tenant, content, **facts)
    return perform(database, tenant, run.id, now=facts.get("now", NOW))


def undo(database: Database, tenant: Tenant, run: ImportRun, *, now: datetime = NOW) -> ImportRun:
    with database.transaction(tenant.scope) as session:
        return undo_import(session, get_import(session, run.id), asked_at=now, progress=tell_nobody, now=now)


def report_of(database: Database, tenant: Tenant, run: ImportRun) -> list[RowOutcome]:
    with database.transaction(tenant.scope) as session:
        return read_report(session, get_import(session, run.id), now=NOW)


def counts_of(run: ImportRun) -> tuple[int, int, int, int]:
    """Return how many rows were added, changed, unchanged and refused."""
    return run.added, run.changed, run.unchanged, run.refused


def state_of(database: Database, tenant: Tenant) -> State:
    tables = {part.table.name for kind in (SheetKind.HOUSEHOLDS, SheetKind.CHILDREN) for part in parts_of(kind)}
    with database.transaction(tenant.scope) as session:
        return {
            table: sorted(session.scalars(text(f"SELECT t::text FROM {table} t")).all()) for table in sorted(tables)
        }


def sheet(headings: Sequence[str], *lines: Sequence[CellValue]) -> bytes:
    return csv_file([list(headings), *lines])
