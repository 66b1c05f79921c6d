"""The servers for one command: those that the environment names, those that run already, or our own."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from concord.servers import postgres, valkey
from concord.servers.data_directory import DataDirectory, DataDirectoryInUse, open_data_directory
from concord.servers.login import APP, MIGRATE, RELAY, DatabaseUrls, prepare, urls_for
from concord.servers.port import LOOPBACK, free_port
from concord.servers.secret import Secrets, kept_secrets
from concord.servers.stop_signal import ended_by_signals
from concord.servers.supervisor import Supervisor
from concord.settings import Deployment, Settings, complete, decode_key, require_keys
from tenants.error import Conflict

PORTS = "ports.json"
JOIN_SECONDS = 30.0


class NothingToJoin(Conflict):
    """Another program holds the data directory, but doesn't run the servers that are needed."""


@dataclass(frozen=True, slots=True)
class _Ports:
    """Where the servers listen, or last did; ``pid`` is whose they are while they are up."""

    pid: int | None = None
    postgres: int | None = None
    valkey: int | None = None


@contextlib.contextmanager
def running_servers(settings: Settings, *, join: bool = True) -> Iterator[Deployment]:
    """Give a deployment whose servers are up until the block ends.

    Addresses in the environment win, each kind for itself. What they leave open is embedded: joined, when another
    program of this data directory has it up (it must then stay as long as we do), else started here, and stopped
    at the end. SIGTERM and SIGHUP then end the block as Ctrl-C does.

    :raises SettingMissing: when the environment gives a database but not the keys.
    :raises DataDirectoryInUse: when another program runs them and ``join`` is off.
    :raises ServerFailed: when a server doesn't come up.
    """
    if settings.has_database:
        require_keys(settings)
        if settings.valkey_url:
            yield complete(settings)
            return
    data = open_data_directory(settings.data_dir)
    with contextlib.ExitStack() as stack:
        if not _hold(stack, data, settings, join=join):
            yield _joined(data, settings)
            return
        stack.enter_context(ended_by_signals())
        supervisor = stack.enter_context(Supervisor())
        # Left before the supervisor stops: from then on nobody should join.
        yield stack.enter_context(_started(supervisor, data, settings))


def running_elsewhere(settings: Settings) -> int | None:
    """Return the process that has this data directory's servers up, if one does."""
    data = open_data_directory(settings.data_dir)
    pid = data.holder()
    return pid if pid is not None and _read_ports(data).pid == pid else None


def _hold(stack: contextlib.ExitStack, data: DataDirectory, settings: Settings, *, join: bool) -> bool:
    """Hold the data directory; or, when another program does, wait until it can be joined and return ``False``."""
    deadline = time.monotonic() + JOIN_SECONDS
    while True:
        try:
            stack.enter_context(data.held())
        except DataDirectoryInUse:
            # It may be on its way up, and can then be joined; or on its way down, and will let go.
            if not join or time.monotonic() > deadline:
                raise
            if _can_join(data, settings):
                return False
            time.sleep(0.1)
        else:
            return True


def _can_join(data: DataDirectory, settings: Settings) -> bool:
    """Say whether the holder's servers answer; what it says of itself is believed only if it still lives."""
    ports = _read_ports(data)
    if ports.pid is None or ports.pid != data.holder():
        return False
    if (not settings.has_database and ports.postgres is None) or (not settings.valkey_url and ports.valkey is None):
        raise NothingToJoin(
            f"Concord runs on {data.path} (process {ports.pid}) with other servers than this command needs. "
            "Give both the same DATABASE_URL and VALKEY_URL, or choose another place with --data-dir."
        )
    secrets = kept_secrets(data)
    # What the environment names is the caller's own affair, as it is when nobody is joined.
    return (settings.has_database or postgres.answers(_admin_url(secrets, ports.postgres or 0))) and (
        bool(settings.valkey_url) or valkey.answers(ports.valkey or 0, secrets.valkey)
    )


def _joined(data: DataDirectory, settings: Settings) -> Deployment:
    secrets, ports = kept_secrets(data), _read_ports(data)
    urls = urls_for(_admin_url(secrets, ports.postgres), _passwords(secrets)) if ports.postgres else None
    return _deployment(settings, secrets, urls, valkey.url_for(ports.valkey or 0, secrets.valkey))


@contextlib.contextmanager
def _started(supervisor: Supervisor, data: DataDirectory, settings: Settings) -> Iterator[Deployment]:
    secrets, ports = kept_secrets(data), replace(_read_ports(data), pid=None)
    urls = None
    if not settings.has_database:
        ports = replace(ports, postgres=free_port(ports.postgres))
        port = ports.postgres or 0
        admin = postgres.start_postgres(supervisor, data, port=port, password=secrets.superuser)
        urls = prepare(admin, _passwords(secrets))
    if not settings.valkey_url:
        ports = replace(ports, valkey=free_port(ports.valkey))
        valkey.start_valkey(supervisor, data, port=ports.valkey or 0, password=secrets.valkey)
    _keep_ports(data, replace(ports, pid=os.getpid()))
    try:
        yield _deployment(settings, secrets, urls, valkey.url_for(ports.valkey or 0, secrets.valkey))
    finally:
        _keep_ports(data, ports)


def _deployment(settings: Settings, secrets: Secrets, urls: DatabaseUrls | None, valkey_url: str) -> Deployment:
    if urls is not None:
        settings = replace(
            settings,
            database_url=urls.app,
            database_migrate_url=urls.migrate,
            database_relay_url=urls.relay,
            scope_key=settings.scope_key or decode_key(secrets.scope_key),
            master_key=settings.master_key or decode_key(secrets.master_key),
            secret_key=settings.secret_key or secrets.secret_key,
            audit_key=settings.audit_key or decode_key(secrets.audit_key),
        )
    return complete(replace(settings, valkey_url=settings.valkey_url or valkey_url))


def _passwords(secrets: Secrets) -> dict[str, str]:
    return {MIGRATE: secrets.migrate, APP: secrets.app, RELAY: secrets.relay}


def _admin_url(secrets: Secrets, port: int) -> str:
    return f"postgresql://{postgres.SUPERUSER}:{secrets.superuser}@{LOOPBACK}:{port}/postgres"


def _read_ports(data: DataDirectory) -> _Ports:
    kept = {name: value for name, value in data.read(PORTS).items() if isinstance(value, int)}
    return _Ports(kept.get("pid"), kept.get("postgres"), kept.get("valkey"))


def _keep_ports(data: DataDirectory, ports: _Ports) -> None:
    data.keep(PORTS, {"pid": ports.pid, "postgres": ports.postgres, "valkey": ports.valkey})
