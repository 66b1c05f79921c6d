"""Children are kept running, and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from concord.servers.child import Child
from concord.servers.supervisor import ChildNameTaken, Supervisor

FIRST_DELAY = 0.05


class TestStart:
    def test_a_crashed_child_is_started_again_later_and_later(self, supervisor: Supervisor, tmp_path: Path) -> None:
        lives = tmp_path / "lives"

        supervisor.start(_shell(f"date +%s.%N >> {lives}; exit 3"))
        _wait_for(lambda: lives.exists() and len(lives.read_text().split()) >= 4)

        times = [float(word) for word in lives.read_text().split()]
        # A busy machine makes a pause longer, never shorter than the delay within it.
        pauses = [later - earlier for earlier, later in pairwise(times[:4])]
        assert all(pause >= FIRST_DELAY * 2**n for n, pause in enumerate(pauses))
        assert supervisor.crashes("child") >= 3

    def test_a_killed_child_has_a_new_process(self, supervisor: Supervisor) -> None:
        supervisor.start(_shell("sleep 60"))
        first = supervisor.pid("child")
        assert first is not None

        os.kill(first, signal.SIGKILL)

        _wait_for(lambda: supervisor.pid("child") not in {None, first})

    def test_a_name_is_used_once(self, supervisor: Supervisor) -> None:
        supervisor.start(_shell("sleep 60"))

        with pytest.raises(ChildNameTaken, match="child"):
            supervisor.start(_shell("sleep 60"))

    def test_a_child_that_cannot_be_started_again_is_tried_until_it_can(
        self, supervisor: Supervisor, tmp_path: Path
    ) -> None:
        program = tmp_path / "program"
        program.write_text("#!/bin/sh\nsleep 60\n")
        program.chmod(0o755)
        supervisor.start(Child(name="child", command=(str(program),)))
        first = supervisor.pid("child")
        assert first is not None

        program.chmod(0o644)
        os.kill(first, signal.SIGKILL)
        _wait_for(lambda: supervisor.crashes("child") >= 2)
        program.chmod(0o755)

        _wait_for(lambda: supervisor.pid("child") is not None)


class TestStop:
    def test_each_is_asked_to_end(self, supervisor: Supervisor, tmp_path: Path) -> None:
        ended, ready = tmp_path / "ended", tmp_path / "ready"
        for name in ("first", "second"):
            supervisor.start(
                _shell(f"trap 'echo {name} >> {ended}; exit' TERM; echo >> {ready}; while :; do sleep 0.01; done", name)
            )
            _wait_for(lambda: ready.exists())
            time.sleep(0.1)

        supervisor.stop()

        assert sorted(ended.read_text().split()) == ["first", "second"]

    def test_one_that_will_not_hear_is_killed_with_its_own_children(self, tmp_path: Path) -> None:
        supervisor, grandchild = Supervisor(signal_seconds=0.2), tmp_path / "grandchild"
        supervisor.start(_shell(f"trap '' TERM; sleep 60 & echo $! > {grandchild}; while :; do sleep 1; done"))
        _wait_for(lambda: grandchild.exists() and grandchild.read_text().strip() != "")
        pid = supervisor.pid("child")
        started = time.monotonic()

        supervisor.stop()

        assert time.monotonic() - started < 5
        assert pid is not None
        assert not _runs(pid)
        _wait_for(lambda: not _runs(int(grandchild.read_text())))

    def test_stopping_twice_is_no_harm(self, supervisor: Supervisor) -> None:
        supervisor.start(_shell("sleep 60"))

        supervisor.stop()
        supervisor.stop()


# Only Linux tells a child that its parent is gone.
if sys.platform == "linux":

    class TestKilled:
        def test_children_end_with_a_supervisor_that_is_killed(self, tmp_path: Path) -> None:
            written = tmp_path / "pid"
            script = (
                "import time; from pathlib import Path\n"
                "from concord.servers.child import Child; from concord.servers.supervisor import Supervisor\n"
                "supervisor = Supervisor(); supervisor.start(Child(name='child', command=('/bin/sleep', '60')))\n"
                f"Path({str(written)!r}).write_text(str(supervisor.pid('child'))); time.sleep(60)\n"
            )
            program = subprocess.Popen([sys.executable, "-c", script])
            _wait_for(lambda: written.exists() and written.read_text() != "")
            child = int(written.read_text())
            assert _runs(child)

            program.kill()
            program.wait()

            _wait_for(lambda: not _runs(child))


def _shell(script: str, name: str = "child") -> Child:
    return Child(name=name, command=("/bin/sh", "-c", script))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait_for(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(first_delay=FIRST_DELAY, longest_delay=1.0) as supervisor:
        yield supervisor
