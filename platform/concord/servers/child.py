"""A child process: how it is started, how it ends with us, and how it is stopped."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from concord.servers.account import Account

_PR_SET_PDEATHSIG = 1
# Looked up here: between fork and exec there should be as little work as can be.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

Before = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A program to keep running. ``stop_signals`` are sent one after the other until it ends, then SIGKILL."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    account: Account | None = None
    directory: Path = Path("/")
    log: Path | None = None
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGTERM)
    before_start: Before | None = None


def spawn(child: Child) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; on Linux it is told to stop when the thread that called this ends.

    A session of its own keeps Ctrl-C from reaching it: whoever watches it stops it, in order.
    """
    if child.before_start is not None:
        child.before_start()
    with contextlib.ExitStack() as stack:
        # A file, never a pipe: a server that outlives us must not hang, or die, on a pipe that nobody reads.
        output = stack.enter_context(child.log.open("ab")) if child.log else None
        return subprocess.Popen(  # noqa: S603 - our own programs, no shell
            child.command,
            env=child.environment,
            cwd=child.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # Runs after the change of account, which would clear the setting.
            preexec_fn=_ends_with_parent(os.getpid(), child.stop_signals[0]),
            **(child.account.switch() if child.account else {}),
        )


def send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the child, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def sweep(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the child's process group."""
    # macOS answers EPERM for a group that holds only the dead.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _ends_with_parent(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    if _PRCTL is None:
        return None

    def ask_kernel() -> None:
        _PRCTL(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_kernel
