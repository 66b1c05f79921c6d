"""What the environment says, and the complete set of addresses and keys that a running Concord needs."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from environs import Env, EnvError

from tenants.error import Invalid

DATA_DIR = Path("~/.local/share/concord")
KEY_BYTES = 32
DRIVER = "postgresql+psycopg"


class SettingInvalid(Invalid):
    """A variable of the environment can't be read as what it should be."""


class SettingMissing(Invalid):
    """A variable is needed for what was asked, and the environment doesn't give it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says; ``None`` is left to the embedded servers, where they may stand in."""

    data_dir: Path = field(default_factory=DATA_DIR.expanduser)
    database_url: str | None = field(default=None, repr=False)
    database_migrate_url: str | None = field(default=None, repr=False)
    database_relay_url: str | None = field(default=None, repr=False)
    database_admin_url: str | None = field(default=None, repr=False)
    valkey_url: str | None = field(default=None, repr=False)
    scope_key: bytes | None = field(default=None, repr=False)
    master_key: bytes | None = field(default=None, repr=False)
    former_master_key: bytes | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    audit_key: bytes | None = field(default=None, repr=False)
    audit_public_keys: tuple[str, ...] = ()
    demo: bool = False
    port: int = 8000
    provider_port: int = 8001

    @property
    def has_database(self) -> bool:
        """Say whether the environment points at a PostgreSQL of its own, so that none is embedded."""
        return any((self.database_url, self.database_migrate_url, self.database_relay_url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The addresses and keys of servers that are up. Never print one: it holds every password."""

    data_dir: Path
    database_url: str = field(repr=False)
    valkey_url: str = field(repr=False)
    scope_key: bytes = field(repr=False)
    master_key: bytes = field(repr=False)
    secret_key: str = field(repr=False)
    audit_key: bytes | None = field(default=None, repr=False)
    """Signs the audit's anchors; only the schedule and whoever checks need it."""
    former_master_key: bytes | None = field(default=None, repr=False)
    """The master key before it was changed, while some keys are still sealed under it."""
    audit_public_keys: tuple[str, ...] = ()
    """The public parts of keys that signed anchors before."""
    demo: bool = False
    port: int = 8000
    provider_port: int = 8001
    given_migrate_url: str | None = field(default=None, repr=False)
    given_relay_url: str | None = field(default=None, repr=False)

    @property
    def migrate_url(self) -> str:
        """Return the address for the login that migrates.

        :raises SettingMissing: when the environment gives a database, but not this address of it.
        """
        return _required(self.given_migrate_url, "DATABASE_MIGRATE_URL")

    @property
    def relay_url(self) -> str:
        """Return the address for the login that relays the outbox.

        :raises SettingMissing: when the environment gives a database, but not this address of it.
        """
        return _required(self.given_relay_url, "DATABASE_RELAY_URL")

    def environment(self) -> dict[str, str]:
        """Return the variables that give a child process this same deployment."""
        variables = {
            "CONCORD_DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.database_url,
            "DATABASE_MIGRATE_URL": self.given_migrate_url,
            "DATABASE_RELAY_URL": self.given_relay_url,
            "VALKEY_URL": self.valkey_url,
            "CONCORD_SCOPE_KEY": encode_key(self.scope_key),
            "CONCORD_MASTER_KEY": encode_key(self.master_key),
            "CONCORD_MASTER_KEY_OLD": encode_key(self.former_master_key) if self.former_master_key else None,
            "CONCORD_SECRET_KEY": self.secret_key,
            "CONCORD_AUDIT_KEY": encode_key(self.audit_key) if self.audit_key else None,
            "CONCORD_AUDIT_PUBLIC_KEYS": " ".join(self.audit_public_keys) or None,
            "CONCORD_DEMO": "1" if self.demo else "0",
            "CONCORD_PORT": str(self.port),
            "CONCORD_PROVIDER_PORT": str(self.provider_port),
        }
        return {name: value for name, value in variables.items() if value is not None}


def read_settings(*, data_dir: Path | None = None) -> Settings:
    """Read the settings from the environment; ``data_dir`` wins over its variable.

    :raises SettingInvalid: naming the variable, what is wrong with it and what it should look like.
    """
    env = Env()
    try:
        return Settings(
            data_dir=(data_dir or env.path("CONCORD_DATA_DIR", DATA_DIR)).expanduser().absolute(),
            database_url=_database_url(env, "DATABASE_URL"),
            database_migrate_url=_database_url(env, "DATABASE_MIGRATE_URL"),
            database_relay_url=_database_url(env, "DATABASE_RELAY_URL"),
            database_admin_url=_database_url(env, "DATABASE_ADMIN_URL"),
            valkey_url=_valkey_url(env),
            scope_key=_key(env, "CONCORD_SCOPE_KEY"),
            master_key=_key(env, "CONCORD_MASTER_KEY"),
            former_master_key=_key(env, "CONCORD_MASTER_KEY_OLD"),
            secret_key=_secret_key(env),
            audit_key=_key(env, "CONCORD_AUDIT_KEY"),
            audit_public_keys=tuple((_text(env, "CONCORD_AUDIT_PUBLIC_KEYS") or "").split()),
            demo=env.bool("CONCORD_DEMO", False),
            port=_port(env, "CONCORD_PORT", 8000),
            provider_port=_port(env, "CONCORD_PROVIDER_PORT", 8001),
        )
    except EnvError as error:
        raise SettingInvalid(f"The environment can't be read: {error}.") from None


def read_deployment() -> Deployment:
    """Read a complete deployment from the environment: what a child of ``concord up``, or a container, is given.

    :raises SettingMissing: naming every variable that is absent.
    """
    return complete(read_settings())


def complete(settings: Settings) -> Deployment:
    """Turn settings that lack nothing into a deployment.

    :raises SettingMissing: naming every variable that is absent.
    """
    require_keys(settings)
    return Deployment(
        data_dir=settings.data_dir,
        database_url=_required(settings.database_url, "DATABASE_URL"),
        valkey_url=_required(settings.valkey_url, "VALKEY_URL"),
        scope_key=settings.scope_key or b"",
        master_key=settings.master_key or b"",
        former_master_key=settings.former_master_key,
        secret_key=settings.secret_key or "",
        audit_key=settings.audit_key,
        audit_public_keys=settings.audit_public_keys,
        demo=settings.demo,
        port=settings.port,
        provider_port=settings.provider_port,
        given_migrate_url=settings.database_migrate_url,
        given_relay_url=settings.database_relay_url,
    )


def require_keys(settings: Settings) -> None:
    """Refuse settings without the keys, which can't be made up for a database that may hold data already.

    :raises SettingMissing: naming every key that is absent, and how to make one.
    """
    keys = {
        "CONCORD_SCOPE_KEY": settings.scope_key,
        "CONCORD_MASTER_KEY": settings.master_key,
        "CONCORD_SECRET_KEY": settings.secret_key,
    }
    missing = [name for name, value in keys.items() if not value]
    if missing:
        raise SettingMissing(
            f"Set {' and '.join(missing)}: a database of your own needs keys of your own, the same on every host. "
            "Make each once with `openssl rand -base64 32`, and keep it safe."
        )


def encode_key(key: bytes) -> str:
    """Write a key as the environment carries it (base64)."""
    return base64.b64encode(key).decode()


def decode_key(text: str) -> bytes:
    """Read a key of 32 bytes written in hexadecimal or base64.

    :raises ValueError: when it is neither, or not 32 bytes long.
    """
    # 64 hexadecimal digits are also base64 (of 48 bytes), so hexadecimal is tried first.
    if len(text) == 2 * KEY_BYTES:
        return bytes.fromhex(text)
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("wrong length")
    return key


def secret_text(env: Env, name: str) -> str | None:
    """Return a secret, from its variable or from the file that the variable ``NAME_FILE`` names.

    :raises SettingInvalid: when both are set, or the file can't be read or is empty; it quotes neither.
    """
    given, path = _text(env, name), _text(env, f"{name}_FILE")
    if path is None:
        return given
    if given is not None:
        raise SettingInvalid(f"{name} and {name}_FILE are both set: keep one of them.")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise SettingInvalid(f"{name}_FILE names no file that can be read here.") from None
    if not text:
        raise SettingInvalid(f"{name}_FILE names an empty file.")
    return text


def libpq_url(url: str) -> str:
    """Return a database address without SQLAlchemy's driver, as psycopg and libpq read it."""
    return url.replace(f"{DRIVER}://", "postgresql://", 1)


def _required(value: str | None, name: str) -> str:
    if not value:
        raise SettingMissing(f"Set {name}: what was asked needs it, and the environment gives a database without it.")
    return value


def _text(env: Env, name: str) -> str | None:
    return (env.str(name, None) or "").strip() or None


def _database_url(env: Env, name: str) -> str | None:
    url = secret_text(env, name)
    if url is None:
        return None
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", DRIVER} or not _has_port_and_host(f"postgresql://{rest}"):
        raise SettingInvalid(f"{name} is not a database address: write {DRIVER}://login:password@host:5432/concord.")
    return f"{DRIVER}://{rest}"


def _valkey_url(env: Env) -> str | None:
    url = secret_text(env, "VALKEY_URL")
    if url is None:
        return None
    scheme, _, rest = url.partition("://")
    schemes = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss"}
    if scheme not in schemes or not _has_port_and_host(f"redis://{rest}"):
        raise SettingInvalid("VALKEY_URL is not a Valkey address: write redis://:password@host:6379/0.")
    # redis-py knows only the scheme's first name.
    return f"{schemes[scheme]}://{rest}"


def _has_port_and_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _key(env: Env, name: str) -> bytes | None:
    text = secret_text(env, name)
    if text is None:
        return None
    try:
        return decode_key(text)
    except (ValueError, binascii.Error):
        raise SettingInvalid(f"{name} must be 32 bytes in base64: make one with `openssl rand -base64 32`.") from None


def _secret_key(env: Env) -> str | None:
    text = secret_text(env, "CONCORD_SECRET_KEY")
    if text is not None and len(text) < KEY_BYTES:
        raise SettingInvalid("CONCORD_SECRET_KEY is too short: make one with `openssl rand -base64 32`.")
    return text


def _port(env: Env, name: str, default: int) -> int:
    port = env.int(name, default)
    if not 0 < port < 65536:
        raise SettingInvalid(f"{name} must be a port from 1 to 65535.")
    return port
