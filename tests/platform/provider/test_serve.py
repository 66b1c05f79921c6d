from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from concord.servers.port import free_port

PATIENCE_SECONDS = 60


class TestConcordProvider:
    def test_answers_until_it_is_told_to_stop(self, people_path: Path) -> None:
        port = free_port()
        process = start(people_path, demo=True, port=port)
        try:
            metadata = ask(f"http://127.0.0.1:{port}/.well-known/openid-configuration", process)
        finally:
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=PATIENCE_SECONDS)

        assert metadata["issuer"] == f"http://127.0.0.1:{port}"
        assert process.returncode == 0, told

    def test_refuses_outside_demo_mode(self, people_path: Path) -> None:
        process = start(people_path, demo=False, port=free_port())

        _, told = process.communicate(timeout=PATIENCE_SECONDS)

        assert process.returncode == 1
        assert "runs only in demo mode" in told


def start(people_path: Path, *, demo: bool, port: int) -> subprocess.Popen[str]:
    key = "k" * 43 + "="
    environment = {
        **os.environ,
        "CONCORD_DATA_DIR": str(people_path.parent),
        "CONCORD_DEMO": "1" if demo else "0",
        "CONCORD_PROVIDER_PORT": str(port),
        "CONCORD_SECRET_KEY": key,
        "CONCORD_SCOPE_KEY": key,
        "CONCORD_MASTER_KEY": key,
        "DATABASE_URL": "postgresql+psycopg://a:b@127.0.0.1:1/c",
        "VALKEY_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-m", "concord", "provider"]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(url: str, process: subprocess.Popen[str]) -> dict[str, str]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            answer: dict[str, str] = requests.get(url, timeout=5).json()
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return answer
    pytest.fail("The provider does not answer.")
