"""The programs beside the servers: how they are told what they need, and when it is plain that they don't come up."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from concord.servers import program
from concord.servers.child import Child
from concord.servers.program import CRASHES, ProgramFailed, job_programs, site_programs, start_jobs
from concord.servers.supervisor import Supervisor
from concord.settings import Deployment


class TestJobPrograms:
    def test_are_a_relay_and_workers(self) -> None:
        assert [child.name for child in job_programs(_DEPLOYMENT, workers=3)] == [
            "relay",
            "worker-1",
            "worker-2",
            "worker-3",
        ]

    def test_are_told_no_address_that_they_have_no_use_for(self) -> None:
        relay, worker = job_programs(_DEPLOYMENT, workers=1)

        for child in (relay, worker):
            assert not {"DATABASE_ADMIN_URL", "DATABASE_MIGRATE_URL"} & set(_environment(child))
        assert "DATABASE_RELAY_URL" in _environment(relay)
        assert "DATABASE_RELAY_URL" not in _environment(worker)

    def test_are_told_each_secret_once_and_on_no_command_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in (*_DEPLOYMENT.environment(), "DATABASE_ADMIN_URL", "CONCORD_OIDC_CLIENT_SECRET"):
            monkeypatch.setenv(f"{name}_FILE", "/run/secrets/one")
        deployment = replace(_DEPLOYMENT, audit_key=b"a" * 32, demo=True)

        for child in (*job_programs(deployment), *site_programs(deployment)):
            given = _environment(child)
            files = {name for name, value in given.items() if value == "/run/secrets/one"}
            assert files == {"CONCORD_OIDC_CLIENT_SECRET_FILE"}
            assert ("CONCORD_AUDIT_KEY" in given) == (child.name == "schedule")
            said = " ".join(child.command)
            assert not [value for name, value in given.items() if "KEY" in name and value in said]
            assert deployment.database_url not in said

    @pytest.mark.parametrize(("quiet", "demo", "level"), [(True, False, "WARNING"), (False, True, "WARNING")])
    def test_log_what_went_wrong_alone_where_somebody_reads_along(
        self, monkeypatch: pytest.MonkeyPatch, quiet: bool, demo: bool, level: str
    ) -> None:
        monkeypatch.delenv("CONCORD_LOG_LEVEL", raising=False)
        deployment = replace(_DEPLOYMENT, demo=demo)

        children = job_programs(deployment, quiet=quiet)

        assert {_environment(child)["CONCORD_LOG_LEVEL"] for child in children} == {level}
        assert "CONCORD_LOG_LEVEL" not in _environment(job_programs(_DEPLOYMENT)[0])

    def test_log_what_the_environment_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONCORD_LOG_LEVEL", "DEBUG")
        deployment = replace(_DEPLOYMENT, demo=True)

        children = (*job_programs(deployment, quiet=True), *site_programs(deployment))

        assert {_environment(child)["CONCORD_LOG_LEVEL"] for child in children} == {"DEBUG"}


class TestStartJobs:
    @pytest.mark.parametrize(
        ("broken", "named"),
        [({"relay"}, "The relay"), ({"worker-1", "worker-2"}, "The worker"), ({"worker-1"}, None), (set(), None)],
    )
    def test_checks_that_somebody_does_the_jobs(
        self, monkeypatch: pytest.MonkeyPatch, broken: set[str], named: str | None
    ) -> None:
        def make(_deployment: Deployment, command: str, name: str = "", *, quiet: bool = False) -> Child:
            assert quiet
            called = name or command
            line = "raise SystemExit(3)" if called in broken else "import time; time.sleep(60)"
            return Child(name=called, command=(sys.executable, "-S", "-c", line))

        monkeypatch.setattr(program, "_program", make)
        with Supervisor(first_delay=0.01, longest_delay=0.01) as supervisor:
            check = start_jobs(supervisor, _DEPLOYMENT)
            check()
            _wait_for_crashes(supervisor, broken)

            if named is None:
                check()
            else:
                with pytest.raises(ProgramFailed, match=f"{named} doesn't come up, so nobody does the jobs"):
                    check()


def _wait_for_crashes(supervisor: Supervisor, names: set[str]) -> None:
    deadline = time.monotonic() + 30
    while not all(supervisor.crashes(name) >= CRASHES for name in names):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _environment(child: Child) -> dict[str, str]:
    assert child.environment is not None
    return dict(child.environment)


_DEPLOYMENT = Deployment(
    data_dir=Path("/nowhere"),
    database_url="postgresql+psycopg://app@127.0.0.1:1/concord",
    given_migrate_url="postgresql+psycopg://migrate@127.0.0.1:1/concord",
    given_relay_url="postgresql+psycopg://relay@127.0.0.1:1/concord",
    valkey_url="redis://127.0.0.1:1/0",
    scope_key=bytes(32),
    master_key=bytes(32),
    secret_key="a-key-for-cookies-in-tests-only!",
)
