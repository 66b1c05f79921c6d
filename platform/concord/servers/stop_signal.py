"""The signals that ask a program to stop: what they do while it works, waits, and puts things away."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_Handler = Callable[[int, FrameType | None], object] | int


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program by an exception, as Ctrl-C does, so that it puts everything away."""
    with _handled(_end, STOP_SIGNALS[1:]):
        yield


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Finish what is in the block, whatever signal comes: use it for what is short and must be whole."""
    with _handled(signal.SIG_IGN, STOP_SIGNALS):
        yield


def wait_for_stop(*, while_true: Callable[[], bool] = lambda: True, every: float = 0.1) -> None:
    """Wait for one of the stop signals, or until ``while_true`` is not; both are looked at every so many seconds."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        # Nothing that takes a lock: an Event's, taken here while it is being waited for, would never be free again.
        asked.append(number)

    with _handled(note, STOP_SIGNALS):
        while not asked and while_true():
            time.sleep(every)


def work_until_stopped(work: Callable[[threading.Event], None]) -> None:
    """Do ``work`` in a thread of its own until one of the stop signals comes; it is told by the event.

    What the work raises is raised here.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as pool:
        working = pool.submit(work, stop)
        wait_for_stop(while_true=lambda: not working.done())
        stop.set()
        working.result()


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _handled(handler: _Handler, numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    # Python lets only the main thread choose; elsewhere signals do what they did.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
