"""What households and groups have in common when sheets become records: writing many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from matching.code import new_code
from matching.household import Household
from matching.intake.column import SheetKind, columns_of
from matching.intake.outcome import Change
from matching.sibling_group import SiblingGroup
from tenants.base import Base
from tenants.bulk import Values, add_rows, given_rows
from tenants.error import Conflict

_TRIES: Final = 10


class NoCodeLeft(Conflict):
    """No free code was found for a new record."""


def add_coded_rows(
    session: Session, model: type[Household] | type[SiblingGroup], rows: Sequence[Values], *, prefix: str
) -> None:
    """Insert many records, each with a fresh code of the whole pool.

    A code may be another agency's already, which this scope cannot see: the database alone can tell, and a row
    that met one is tried again with another.

    :raises NoCodeLeft: when ten fresh codes in a row were taken.
    """
    left = list(rows)
    for _ in range(_TRIES):
        if not left:
            return
        given = given_rows(model, [{**row, "code": new_code(prefix)} for row in left])
        statement = insert(model).from_select([*left[0], "code"], select(*given.c), include_defaults=False)
        taken = set(session.scalars(statement.on_conflict_do_nothing(index_elements=["code"]).returning(model.id)))
        left = [row for row in left if row["id"] not in taken]
    if left:
        raise NoCodeLeft("No free codes were found for new records. Import again.")


def replace_rows(
    session: Session,
    model: type[Base],
    key: InstrumentedAttribute[UUID],
    ids: Sequence[UUID],
    rows: Sequence[Values],
) -> None:
    """Put ``rows`` in the place of every row of a table whose ``key`` is among ``ids``."""
    if ids:
        session.execute(delete(model).where(key.in_(ids)).execution_options(synchronize_session=False))
    add_rows(session, model, rows)


def changes_between(before: Mapping[str, str], after: Mapping[str, str], *, kind: SheetKind) -> tuple[Change, ...]:
    """Return what differs between two records as a sheet says them, in the documented order of the headings."""
    return tuple(
        Change(column.heading, said, says)
        for column in columns_of(kind)
        if (said := before.get(column.heading, "")) != (says := after.get(column.heading, ""))
    )
