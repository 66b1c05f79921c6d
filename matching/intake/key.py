"""How a row is known from one sheet to the next: by the agency's own reference, or by columns that stand in for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final

from matching.intake.column import Column, SheetKind, columns_of

REFERENCES: Final = {SheetKind.HOUSEHOLDS: "Reference", SheetKind.CHILDREN: "Child reference"}
"""The heading of the agency's own reference."""
NAMES: Final = {
    SheetKind.HOUSEHOLDS: "the adopters’ names and their postcode",
    SheetKind.CHILDREN: "the children’s names and dates of birth",
}
"""What stands in for it, in words."""

Digest = Callable[[bytes], bytes]
"""Stands for a text without saying anything of it: an HMAC under the agency's key."""

_STAND_INS: Final = {
    SheetKind.HOUSEHOLDS: (("Adopters", "Adopter 1 name"), ("Postcode", "Email", "Telephone", "Address")),
    SheetKind.CHILDREN: (("Child name", "Forename"), ("Surname", "Child name"), ("Born",)),
}
_CHARACTERS: Final = 16


def words_of(kind: SheetKind) -> str:
    """Return what a sheet of a kind has rows for, in words."""
    return {SheetKind.HOUSEHOLDS: "adopter households", SheetKind.CHILDREN: "children"}[kind]


def keys_among(kind: SheetKind, headings: Collection[str]) -> tuple[str, ...]:
    """Return the columns that are to know a row of a sheet without references; none when it has too few."""
    found = [next((name for name in names if name in headings), None) for names in _STAND_INS[kind]]
    return tuple(dict.fromkeys(name for name in found if name)) if all(found) else ()


def stand_ins(kind: SheetKind) -> tuple[str, ...]:
    """Return the headings by which a row may be known where no column holds references."""
    return tuple(dict.fromkeys(name for names in _STAND_INS[kind] for name in names))


def key_columns(kind: SheetKind, headings: Sequence[str]) -> tuple[Column, ...]:
    """Return the documented columns of key headings."""
    return tuple(column for column in columns_of(kind) if column.heading in headings)


def derived_reference(kind: SheetKind, values: Mapping[str, Any], digest: Digest) -> str:
    """Return a reference made of the fields that know a row.

    The same values give the same reference in every sheet of the agency, whatever their case and spaces; nothing of
    them can be read from it.
    """
    said = [f"{name}={_plain(values[name])}" for name in sorted(values) if values[name] is not None]
    return f"KEY-{_text(digest(chr(31).join([kind.value, *said]).encode()))}"


def lone_group_reference(child_reference: str, digest: Digest) -> str:
    """Return the reference of the group of a child whose sheet says nothing of siblings."""
    return f"KEY-{_text(digest(chr(31).join(['group', child_reference]).encode()))}"


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return "".join(character for character in str(value).casefold() if character.isalnum())


def _text(digest: bytes) -> str:
    return base64.b32encode(digest).decode()[:_CHARACTERS]
