"""Cursors: a place in a list, signed, and good only for the list, the filters and the agency that it was given for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import g, request
from itsdangerous import BadSignature, URLSafeSerializer

from concord.api.parts import current_parts
from concord.api.refusal import CursorInvalid

_NOT_FILTERS = frozenset({"cursor", "limit"})


def write_cursor(place: Sequence[object] | None) -> str | None:
    """Return the cursor of a place in the list that is asked for, or ``None`` where the list has ended."""
    return None if place is None else _serializer().dumps([_list(), [_plain(value) for value in place]])


def read_cursor(cursor: str | None) -> list[Any] | None:
    """Return the place of a cursor; without one, ``None``: the start.

    :raises CursorInvalid: when it was not given out for this list.
    """
    if cursor is None:
        return None
    try:
        asked, place = _serializer().loads(cursor)
    except (BadSignature, ValueError):
        raise CursorInvalid from None
    if asked != _list():
        raise CursorInvalid
    return list(place)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_parts().cursor_key, salt="concord api cursor")


def _list() -> str:
    """Name the list: its address and filters, and for whom it is."""
    filters = sorted((name, value) for name, value in request.args.items(multi=True) if name not in _NOT_FILTERS)
    said = json.dumps([request.path, filters, str(g.caller.agency_id), str(g.caller.consortium_id)])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    if isinstance(value, date):  # a moment is one too
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
