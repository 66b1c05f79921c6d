"""``concord demo`` as somebody runs it who has just cloned the project: a process of its own, on an empty folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from concord.servers.port import free_port
from tests.platform.cli.test_docs import example
from tests.servers import short_directory

SMALL = ("--exit", "--json", "--households", "12", "--groups", "15")


class TestDemo:
    def test_it_is_made_once_and_survives_being_stopped(self, folder: Path) -> None:
        """One folder through all of it, for each start costs seconds."""
        with _demo(folder) as broken_off:
            _wait_for_line(broken_off, "import …")
            time.sleep(0.5)
            began = time.monotonic()
            broken_off.send_signal(signal.SIGINT)
            broken_off.wait(60)
            assert time.monotonic() - began < 30
        assert _left_of(folder) == []

        made = _make(folder)
        files = {kind: Path(path) for kind, path in made["pack"].items()}
        assert set(made) == {"agencies", "households", "groups", "rankings", "seconds", "pack"}
        assert list(made["seconds"]) == list(example("demo")["seconds"])
        assert (made["agencies"], made["households"], made["groups"]) == (19, 12, 15)
        assert made["rankings"] == 15
        assert files["pdf"].read_bytes().startswith(b"%PDF-")
        assert files["xlsx"].read_bytes().startswith(b"PK")
        assert _left_of(folder) == []

        before = {kind: path.read_bytes() for kind, path in files.items()}
        again = _make(folder)
        assert {**again, "seconds": {}} == {**made, "seconds": {}}
        assert {kind: path.read_bytes() for kind, path in files.items()} == before
        assert _left_of(folder) == []


def _make(folder: Path) -> dict[str, Any]:
    with _demo(folder) as process:
        said, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    # Nothing but its steps: who runs it reads this.
    assert [line for line in errors.splitlines() if line.startswith("{")] == []
    made: dict[str, Any] = json.loads(said)
    return made


@contextmanager
def _demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONCORD_", "DATABASE_"))}
    given = {**kept, "CONCORD_PORT": str(free_port()), "CONCORD_PROVIDER_PORT": str(free_port())}
    line = [sys.executable, "-P", "-m", "concord", "--data-dir", str(folder), "demo", *SMALL]
    with subprocess.Popen(line, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _wait_for_line(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended before “{words}”")


def _left_of(folder: Path) -> list[str]:
    """Return the processes that name the folder, in their command or their environment."""
    listed = subprocess.run(["ps", "axeww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder in which servers can keep their data."""
    with short_directory() as path:
        yield path / "demo"
