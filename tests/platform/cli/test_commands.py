"""The command line as an operator meets it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner, Result

from concord.cli import COMMANDS, main
from concord.migrations import current_head
from concord.servers.login import DatabaseUrls
from concord.servers.port import LOOPBACK, free_port
from concord.settings import encode_key
from tests.conftest import SCOPE_KEY


class TestMain:
    def test_every_command_of_the_list_has_help(self) -> None:
        for name in COMMANDS:
            assert _run(name, "--help").exit_code == 0, name
        assert all(name in _run("--help").stdout for name in COMMANDS)

    def test_what_is_refused_is_one_line_and_exit_code_1(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONCORD_PORT", "0")

        result = _run("db", "upgrade")

        assert result.exit_code == 1
        assert result.stderr == "concord: CONCORD_PORT must be a port from 1 to 65535.\n"

    @pytest.mark.usefixtures("given")
    def test_a_database_that_is_away_is_one_line_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        url = f"postgresql://concord_migrate:x@{LOOPBACK}:{free_port()}/concord"
        monkeypatch.setenv("DATABASE_MIGRATE_URL", url)

        result = _run("db", "upgrade")

        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert "concord doctor" in result.stderr

    def test_what_nobody_foresaw_tells_nothing_of_a_person(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(COMMANDS, "break", (f"{__name__}:broken", "Break."))

        result = _run("break")

        assert result.exit_code == 1
        assert result.stdout == ""
        assert "Rowan" not in result.stderr
        logged, said = result.stderr.splitlines()
        assert json.loads(logged)["error"] == "ValueError"
        assert said.startswith("concord: Something went wrong")

    def test_a_wrong_word_is_clicks_own_to_explain(self) -> None:
        assert _run("rank", "--no-such").exit_code == 2
        assert _run("no-such").exit_code == 2


@click.command()
def broken() -> None:
    """Fail as a database does, quoting a row."""
    raise ValueError("Failing row contains (Rowan, 03/05/2023)")


@pytest.mark.usefixtures("given")
class TestDb:
    def test_it_prepares_and_upgrades_a_server_of_ones_own(self) -> None:
        assert _run("db", "prepare").exit_code == 0
        upgraded = _run("db", "upgrade")

        assert upgraded.exit_code == 0
        assert current_head() in upgraded.stdout

    def test_upgrading_needs_no_more_than_it_uses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DATABASE_URL", "DATABASE_RELAY_URL", "CONCORD_MASTER_KEY", "CONCORD_SECRET_KEY", "VALKEY_URL"):
            monkeypatch.delenv(name)

        assert _run("db", "upgrade").exit_code == 0

    def test_it_says_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DATABASE_MIGRATE_URL")

        assert "DATABASE_MIGRATE_URL" in _run("db", "upgrade").stderr
        assert "DATABASE_MIGRATE_URL" in _run("db", "prepare").stderr


@pytest.mark.usefixtures("given", "migrated")
class TestDoctor:
    def test_all_is_well(self) -> None:
        result = _run("doctor", "--json")

        said = json.loads(result.stdout)
        assert result.exit_code == 0, said
        assert said["good"] is True
        assert {"postgresql", "login for the site", "migrations", "search by words", "valkey", "keys"} <= {
            finding["subject"] for finding in said["findings"]
        }

    def test_a_login_that_looks_past_the_wall_is_wrong(
        self, monkeypatch: pytest.MonkeyPatch, database_urls: DatabaseUrls
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", database_urls.admin)

        result = _run("doctor")

        assert result.exit_code == 1
        assert "WRONG  login for the site: postgres looks past row-level security" in result.stdout
        assert "ALTER ROLE postgres NOSUPERUSER" in result.stdout

    def test_servers_that_are_away_are_wrong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VALKEY_URL", f"redis://:hidden@{LOOPBACK}:{free_port()}/0")
        monkeypatch.setenv("DATABASE_URL", f"postgresql://concord_app:hidden@{LOOPBACK}:{free_port()}/concord")

        result = _run("doctor")

        assert result.exit_code == 1
        assert "WRONG  valkey:" in result.stdout
        assert "WRONG  postgresql:" in result.stdout
        assert "WRONG  migrations:" in result.stdout
        assert "hidden" not in result.stdout


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, database_urls: DatabaseUrls, valkey_url: str, tmp_path: Path) -> None:
    """Servers of one's own, named by the environment."""
    # The session's own: upgrading with another would shut every other test out.
    key = encode_key(SCOPE_KEY)
    variables = {
        "CONCORD_DATA_DIR": str(tmp_path / "unused"),
        "CONCORD_PORT": str(free_port()),
        "CONCORD_SCOPE_KEY": key,
        "CONCORD_MASTER_KEY": key,
        "CONCORD_SECRET_KEY": key,
        "DATABASE_ADMIN_URL": database_urls.admin,
        "DATABASE_MIGRATE_URL": database_urls.migrate,
        "DATABASE_RELAY_URL": database_urls.relay,
        "DATABASE_URL": database_urls.app,
        "VALKEY_URL": valkey_url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in os.environ:
        if name.startswith(("CONCORD_", "DATABASE_", "VALKEY_")):
            monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
