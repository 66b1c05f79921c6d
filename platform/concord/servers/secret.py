"""The passwords and keys of embedded servers: made once, kept in the data directory."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field, fields

from concord.servers.data_directory import DataDirectory, DataDirectoryUnusable
from concord.settings import KEY_BYTES, encode_key

SECRETS = "secrets.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Passwords of the embedded servers' logins, and the four keys, as text."""

    superuser: str = field(repr=False)
    migrate: str = field(repr=False)
    app: str = field(repr=False)
    relay: str = field(repr=False)
    valkey: str = field(repr=False)
    scope_key: str = field(repr=False)
    master_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    audit_key: str = field(repr=False)


_KEYS = ("scope_key", "master_key", "secret_key", "audit_key")


def kept_secrets(data: DataDirectory) -> Secrets:
    """Return the secrets of a data directory, making them at its first use.

    :raises DataDirectoryUnusable: when they are lost but the data they protect is not, or when some are missing.
    """
    kept = data.read(SECRETS)
    if not kept:
        return _first_secrets(data)
    if "audit_key" not in kept:
        # The audit was not signed when this directory was made: nothing can depend on that key yet.
        kept = {**kept, "audit_key": _new_key()}
        data.keep(SECRETS, kept)
    try:
        return Secrets(**{item.name: _text(kept[item.name]) for item in fields(Secrets)})
    except (KeyError, ValueError):
        raise DataDirectoryUnusable(f"{data.path / SECRETS} is incomplete. Put it back from a backup.") from None


def _first_secrets(data: DataDirectory) -> Secrets:
    if (data.servers / "postgres").exists():
        # New ones would shut us out of the data for good, and look as if all were well until then.
        raise DataDirectoryUnusable(
            f"{data.path / SECRETS} is gone, but the database it opens is not. Put it back from a backup, "
            f"or move {data.servers} away to begin with an empty database."
        )
    made = {item.name: secrets.token_urlsafe(24) for item in fields(Secrets)}
    first = Secrets(**{**made, **{name: _new_key() for name in _KEYS}})
    data.keep(SECRETS, asdict(first))
    return first


def _new_key() -> str:
    return encode_key(secrets.token_bytes(KEY_BYTES))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value
