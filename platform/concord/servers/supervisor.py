"""A supervisor: keeps named child processes running, and stops them all."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from concord.servers.child import Child, send, spawn, sweep
from concord.servers.stop_signal import unhurried
from tenants.error import Conflict

POLL_SECONDS = 0.1
FIRST_DELAY_SECONDS = 0.25
LONGEST_DELAY_SECONDS = 30.0
SETTLED_SECONDS = 10.0
SIGNAL_SECONDS = 3.0

_log = structlog.get_logger("concord.supervisor")


class ChildNameTaken(Conflict):
    """A child of this name is already supervised."""


@dataclass(slots=True)
class _Watched:
    child: Child
    process: subprocess.Popen[bytes] | None
    started: float
    crashes: int = 0
    due: float = 0.0


class Supervisor:
    """Starts children, restarts those that crash after a delay that grows, and stops all of them in reverse order.

    Use it as a context manager: leaving it stops every child. Start children from a thread that lives as long as
    they should, for the kernel ends a child with the thread that started it.
    """

    def __init__(
        self,
        *,
        first_delay: float = FIRST_DELAY_SECONDS,
        longest_delay: float = LONGEST_DELAY_SECONDS,
        signal_seconds: float = SIGNAL_SECONDS,
    ) -> None:
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._signal_seconds = signal_seconds
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, child: Child) -> None:
        """Start a child and watch it from now on.

        :raises ChildNameTaken: when one of this name is watched already.
        """
        with self._lock:
            if child.name in self._watched:
                raise ChildNameTaken(f"A program called {child.name} is already running here.")
            self._watched[child.name] = _Watched(child, spawn(child), time.monotonic())
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
                self._thread.start()
        _log.debug("child started", child=child.name, pid=self.pid(child.name))

    def pid(self, name: str) -> int | None:
        """Return the process id of a child, or ``None`` while it is between two lives."""
        with self._lock:
            process = self._watched[name].process
            return process.pid if process and process.poll() is None else None

    def crashes(self, name: str) -> int:
        """Return how often a child has ended by itself since it last ran for a good while."""
        with self._lock:
            return self._watched[name].crashes

    def stop(self) -> None:
        """Stop every child, the latest first, and wait until none is left."""
        with self._lock:
            order = [(w.child, w.process) for w in reversed(self._watched.values()) if w.process is not None]
            self._watched.clear()
        with unhurried():
            _stop_all(order, self._signal_seconds)
        # Only now: children that this thread restarted would have ended with it, at the kernel's word.
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None
        self._stopping.clear()

    def _watch(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            with self._lock:
                for watched in list(self._watched.values()):
                    self._tend(watched, time.monotonic())

    def _tend(self, watched: _Watched, now: float) -> None:
        if watched.process is None:
            if now >= watched.due:
                self._restart(watched, now)
        elif (status := watched.process.poll()) is not None:
            self._note_crash(watched, status, now)

    def _note_crash(self, watched: _Watched, status: int, now: float) -> None:
        if watched.process is not None:
            sweep(watched.process)
        settled = now - watched.started > SETTLED_SECONDS
        watched.process = None
        watched.crashes = 1 if settled else watched.crashes + 1
        delay = min(self._first_delay * 2 ** min(watched.crashes - 1, 16), self._longest_delay)
        watched.due = now + delay
        _log.warning("child ended", child=watched.child.name, status=status, restart_seconds=delay)

    def _restart(self, watched: _Watched, now: float) -> None:
        watched.started = now
        try:
            watched.process = spawn(watched.child)
        # The thread must outlive any reason why a start can fail: it is tried again after a longer delay.
        except Exception as error:
            watched.crashes += 1
            watched.due = now + min(self._first_delay * 2 ** min(watched.crashes, 16), self._longest_delay)
            _log.warning("child not started", child=watched.child.name, error=type(error).__name__)


def _stop_all(order: list[tuple[Child, subprocess.Popen[bytes]]], signal_seconds: float) -> None:
    rounds = max((len(child.stop_signals) for child, _ in order), default=0)
    left = order
    for index in range(rounds):
        for child, process in left:
            send(process, child.stop_signals[min(index, len(child.stop_signals) - 1)])
        left = _wait(left, signal_seconds)
        if not left:
            break
    for child, process in order:
        if process.poll() is None:
            _log.warning("child killed", child=child.name)
        sweep(process)
        process.wait()


def _wait(
    running: list[tuple[Child, subprocess.Popen[bytes]]], seconds: float
) -> list[tuple[Child, subprocess.Popen[bytes]]]:
    deadline = time.monotonic() + seconds
    while running and time.monotonic() < deadline:
        running = [(child, process) for child, process in running if process.poll() is None]
        if running:
            time.sleep(0.01)
    return running
