"""Many rows in one statement.

Each statement verifies its scope once, signature and all; row by row that would cost more than the rows themselves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Session

from tenants.base import Base

Values = dict[str, Any]
"""One row: its values by column name."""


def add_rows(session: Session, model: type[Base], rows: Sequence[Values]) -> None:
    """Insert rows that all name the same columns, past the ORM: the session does not hold them."""
    if rows:
        given = given_rows(model, rows)
        names = list(rows[0])
        session.execute(insert(table_of(model)).from_select(names, select(*given.c), include_defaults=False))


def change_rows(session: Session, model: type[Base], rows: Sequence[Values]) -> None:
    """Update rows that all name the same columns, each by the primary key among them, past the ORM."""
    if not rows:
        return
    table, given = table_of(model), given_rows(model, rows)
    keys = [key.name for key in table.primary_key]
    statement = update(table).values({name: given.c[name] for name in rows[0] if name not in keys})
    session.execute(statement.where(*(table.c[key] == given.c[key] for key in keys)))


def given_rows(model: type[Base], rows: Sequence[Values]) -> TableValuedAlias:
    """Return rows as something to select from, typed as the columns of the model's table are."""
    table = table_of(model)
    # The database reads the texts by the types of the table itself: one parameter, whatever the columns.
    content = cast(bindparam("given", json.dumps(rows, default=_as_text), type_=Text, unique=True), JSON)
    records = func.json_populate_recordset(literal_column(f"NULL::{table.name}"), content)
    return records.table_valued(*(column(name, table.c[name].type) for name in rows[0]), name="given")


def table_of(model: type[Base]) -> Table:
    """Return the table that a model maps."""
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} maps no table")
    return table


def _as_text(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"no text for {type(value).__name__}")
