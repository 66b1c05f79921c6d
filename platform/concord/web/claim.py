"""What a provider's claims say, read without trusting their form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tenants.sign_in_way import Connection


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """Return the address that the provider says it has verified, or ``None``."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return None
    email = email.strip().lower()
    return email if email.isprintable() and email.count("@") == 1 and all(email.split("@")) else None


def role_values(connection: Connection | None, claims: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the values that roles follow from: none where the claim is missing, ``None`` where it is not told."""
    if connection is None:
        return None
    if connection.roles_claim is None:
        return ()
    # Microsoft's provider leaves a long list out and names where to fetch it: that is not an empty list.
    if connection.roles_claim in (claims.get("_claim_names") or {}):
        return None
    found = dig(claims, connection.roles_claim)
    values = found if isinstance(found, list) else [found]
    return tuple(value for value in values if text_of(value))


def dig(claims: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - whatever the provider put there
    """Return what a claim holds, named outright or by a path with full stops."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def took_second_step(acr_values: Sequence[str], claims: Mapping[str, Any]) -> bool:
    """Say whether the provider vouches for a second step: by the classes asked for, else by method (RFC 8176)."""
    if acr_values:
        return claims.get("acr") in acr_values
    methods = claims.get("amr")
    return isinstance(methods, list) and "mfa" in methods


def within(moment: object, earliest: float, latest: float = float("inf")) -> bool:
    """Say whether a claim is a moment, in seconds since the epoch, between two others."""
    return isinstance(moment, (int, float)) and not isinstance(moment, bool) and earliest <= moment <= latest


def text_of(value: object) -> str | None:
    """Return a claim that is a text with something in it, and nothing that cannot be kept, or ``None``."""
    return value if isinstance(value, str) and value and "\0" not in value else None
