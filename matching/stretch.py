"""A stretch of a long list: the records that come after a place in it.

A place is what the order reads of the last record shown, and not how many came before: whatever is added or taken away
meanwhile, nobody who was there throughout is shown twice or left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, UnaryExpression, and_, false, or_
from sqlalchemy.orm import Session
from sqlalchemy.sql import operators

from tenants.error import Invalid

LONGEST = 200
"""How many records one stretch has at most."""

Place = tuple[Any, ...]
"""What each part of the order reads of a record: texts, numbers, days, moments, ids, or ``None``."""

_Record = TypeVar("_Record")
_Shown = TypeVar("_Shown")


@dataclass(frozen=True, slots=True)
class Stretch(Generic[_Shown]):
    """Some of a list in its order; ``end`` is the place of the last one, or ``None`` where nothing comes after."""

    shown: tuple[_Shown, ...]
    end: Place | None


class PlaceInvalid(Invalid):
    """The place is none in a list of this order."""


@dataclass(frozen=True, slots=True)
class _Key:
    """One part of an order."""

    value: ColumnElement[Any]
    falling: bool

    def beyond(self, place: object) -> ColumnElement[bool]:
        """Return that a record comes after this value, by this part alone; what is not said comes last."""
        if place is None:
            return false()
        after = self.value < place if self.falling else self.value > place
        return or_(after, self.value.is_(None))

    def same(self, place: object) -> ColumnElement[bool]:
        return self.value.is_(None) if place is None else self.value == place

    def read(self, place: object) -> object:
        """Return a value as its column's type has it, be it as it was read or as JSON has made a text of it."""
        kind = self.value.type.python_type
        if place is None or type(place) is kind:
            return place
        if isinstance(place, str) and kind in (date, datetime):
            return kind.fromisoformat(place)
        if isinstance(place, str) and kind is UUID:
            return UUID(place)
        raise ValueError


def read_stretch(
    session: Session,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    *,
    after: Sequence[object] | None,
    limit: int,
) -> Stretch[Any]:
    """Return at most ``limit`` records of a query, in its order, which ends in something unique, after a place.

    What is not recorded stands last in either direction.

    :raises PlaceInvalid: when the place is none of this order's.
    """
    keys = [_key(each) for each in order]
    if after is not None:
        query = query.where(_after(keys, _read(keys, after)))
    wanted = query.add_columns(*(key.value for key in keys)).order_by(*order).limit(min(limit, LONGEST) + 1)
    rows = list(session.execute(wanted))
    shown = rows[: min(limit, LONGEST)]
    return Stretch(
        shown=tuple(row[0] for row in shown), end=tuple(shown[-1][1:]) if len(rows) > len(shown) and shown else None
    )


def _read(keys: list[_Key], place: Sequence[object]) -> Place:
    try:
        return tuple(key.read(value) for key, value in zip(keys, place, strict=True))
    except ValueError:
        raise PlaceInvalid("This is no place in the list. Begin again from its start.") from None


def _after(keys: list[_Key], place: Place) -> ColumnElement[bool]:
    return or_(*_cases(keys, place))


def _cases(keys: list[_Key], place: Place) -> Iterator[ColumnElement[bool]]:
    for depth, key in enumerate(keys):
        alike = (before.same(value) for before, value in zip(keys[:depth], place[:depth], strict=True))
        yield and_(*alike, key.beyond(place[depth]))


def _key(part: ColumnElement[Any]) -> _Key:
    falling = False
    while isinstance(part, UnaryExpression) and part.modifier is not None:
        falling = falling or part.modifier is operators.desc_op
        part = part.element
    return _Key(part, falling)
