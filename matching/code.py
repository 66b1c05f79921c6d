"""Codes by which the pool names records: random, so that they say nothing."""

from __future__ import annotations

import secrets

# Crockford's base 32: no I, L, O or U, so that a code read out aloud is written down right.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 6


def new_code(prefix: str) -> str:
    """Return a fresh code such as ``H-7K2M4P``: 30 random bits after the prefix."""
    return f"{prefix}-" + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def is_code(text: str, *, prefix: str) -> bool:
    """Return whether a text is a code as it is kept, of records with this prefix."""
    head, _, tail = text.partition("-")
    return head == prefix and len(tail) == _LENGTH and set(tail) <= set(_ALPHABET)


def comparable(text: str) -> str:
    """Return a text that the database can compare: what no text there can hold becomes a question mark."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def read_code(text: str) -> str:
    """Return a code as it is kept, from how a person may have typed it."""
    head, _, tail = text.strip().upper().partition("-")
    return f"{head}-{tail.replace('O', '0').replace('I', '1').replace('L', '1')}" if tail else head
