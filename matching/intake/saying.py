"""Records as the documented sheet would say them: the exact inverse of reading one."""

from __future__ import annotations

from typing import Any

from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.column import Column, SheetKind, columns_of
from matching.intake.household_row import HouseholdRow

Said = dict[str, str]
"""The text under each documented heading; the empty text for what is not known."""


def say_household(row: HouseholdRow) -> Said:
    """Return a household, column by column."""
    return {column.heading: _said(column, row) for column in columns_of(SheetKind.HOUSEHOLDS) if not column.spreads}


def say_group(group: GroupRow) -> Said:
    """Return what a sibling group has as one, its reference first."""
    columns = [column for column in columns_of(SheetKind.CHILDREN) if column.of_group and not column.spreads]
    return {"Group reference": group.reference, **{column.heading: _said(column, group) for column in columns}}


def say_child(child: ChildRow) -> Said:
    """Return a child by itself, without what its group has as one."""
    columns = (column for column in columns_of(SheetKind.CHILDREN) if not column.of_group and not column.spreads)
    return {column.heading: _said(column, child) for column in columns if column.field != "group_reference"}


def _said(column: Column, row: Any) -> str:  # noqa: ANN401 - either kind of row
    return column.say(row.needs.get(column.field) if column.of_need else getattr(row, column.field))
