"""Servers that an earlier, killed program left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import structlog

from tenants.error import Conflict

WAIT_SECONDS = 15.0

_log = structlog.get_logger("concord.servers")


class OrphanStays(Conflict):
    """A server left behind by an earlier program can't be stopped."""


def stop_orphan(pid_file: Path, *, serving: Path, stop_signal: signal.Signals) -> None:
    """Stop the server that ``pid_file`` names, if it is one and serves the data in ``serving``.

    Call it only while holding the data directory, so that nobody else can be looking after that server. A file that
    names a process of another kind is stale (the number was used again) and is removed.

    :raises OrphanStays: when the server does not end in time.
    """
    pid = _first_number(pid_file)
    if pid is None or not (command := _command(pid)):
        return
    if str(serving) not in command:
        pid_file.unlink(missing_ok=True)
        return
    _log.info("stopping a server left behind", pid=pid)
    for number, seconds in ((stop_signal, WAIT_SECONDS), (signal.SIGKILL, 2.0)):
        if _stop(pid, number, seconds):
            return
    raise OrphanStays(f"A server left behind by an earlier run (process {pid}) doesn't stop. End it, then try again.")


def _stop(pid: int, number: signal.Signals, seconds: float) -> bool:
    try:
        os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _command(pid):
                return True
            time.sleep(0.02)
    except ProcessLookupError:
        return True
    return False


def _first_number(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        number = int(path.read_text().splitlines()[0])
        return number if number > 1 else None
    return None


def _command(pid: int) -> str:
    """Return the command line of a process; empty when it is gone, or dead and not yet reaped."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return "" if "<defunct>" in listed.stdout else listed.stdout.strip()
