"""What Concord is built and run with: make targets, locks, the wheel, the image and the compose file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from concord.cli import main
from concord.settings import read_settings

ROOT = Path(__file__).parents[1]
LOCKS = ["bootstrap.lock", "dev.lock", "runtime.lock"]
NODE_LOCKS = ["platform/concord/web/assets/package-lock.json", "tests/oidc/package-lock.json"]
SCRIPTS = {"scripts/bootstrap": "sh", "scripts/browser": "sh", "scripts/oidc-provider": "sh", ".ci/run": "bash"}


class TestLocks:
    @pytest.mark.parametrize("name", LOCKS)
    def test_pin_every_package_with_hashes(self, name: str) -> None:
        pins = _pins(name)

        assert pins
        assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []

    @pytest.mark.parametrize("name", LOCKS)
    def test_hold_no_address_and_no_setting(self, name: str) -> None:
        text = (ROOT / "requirements" / name).read_text("utf-8")

        assert "://" not in text
        assert re.findall(r"^-", text, re.MULTILINE) == []

    def test_agree_with_one_another(self) -> None:
        versions = [dict(pin.split()[0].split("==") for pin in _pins(name)) for name in LOCKS]

        for lock in (versions[0], versions[2]):
            assert {name: version for name, version in lock.items() if versions[1].get(name) != version} == {}

    def test_pin_what_the_project_asks_for(self) -> None:
        project = (ROOT / "pyproject.toml").read_text("utf-8")
        listed = re.findall(r'^    "([a-z0-9-]+)', project.split("dependencies = [")[1].split("]\n")[0], re.MULTILINE)

        pinned = {pin.split("==")[0] for pin in _pins("runtime.lock")}

        assert listed
        assert set(listed) <= pinned


class TestNodeLocks:
    @pytest.mark.parametrize("lock", NODE_LOCKS)
    def test_pin_with_digests_and_no_address(self, lock: str) -> None:
        packages: dict[str, dict[str, Any]] = json.loads((ROOT / lock).read_text("utf-8"))["packages"]
        fetched = {name: package for name, package in packages.items() if name}

        assert [name for name, package in fetched.items() if "integrity" not in package] == []
        assert [name for name, package in fetched.items() if "resolved" in package] == []


class TestMakefile:
    def test_helps_with_every_target(self) -> None:
        phony = _makefile_line(".PHONY:").split()

        run = _run("make", "help")

        assert [line.split()[0] for line in run.splitlines()] == phony

    def test_ends_the_tests_with_the_words_of_pytest(self) -> None:
        plan = _run("make", "--dry-run", "test")

        assert "/pytest" in plan.strip().splitlines()[-1]

    def test_makes_sure_of_what_ci_checks(self) -> None:
        plan = _run("make", "--dry-run", "sure")

        for tool in ("ruff format --check", "ruff check", "mypy", "lint-imports", "pytest"):
            assert tool in plan, tool


class TestScripts:
    @pytest.mark.parametrize("script", SCRIPTS)
    def test_can_be_run_and_parsed(self, script: str) -> None:
        assert os.access(ROOT / script, os.X_OK)
        _run(SCRIPTS[script], "-n", script)

    @pytest.mark.parametrize("script", SCRIPTS)
    def test_stop_at_the_first_failure(self, script: str) -> None:
        assert re.search(r"^set -eu", (ROOT / script).read_text("utf-8"), re.MULTILINE)

    def test_ci_looks_for_the_stray_package_before_anything_else(self) -> None:
        script = (ROOT / ".ci/run").read_text("utf-8")

        assert script.index("test ! -e platform/__init__.py") < script.index("make ")

    def test_bootstrap_says_when_the_named_python_will_not_do(self, tmp_path: Path) -> None:
        environment = {**os.environ, "PYTHON": "/bin/false", "VENV": str(tmp_path / "venv")}

        run = subprocess.run(
            ["scripts/bootstrap", "runtime"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

        assert run.returncode == 1
        assert run.stderr.startswith("No Python of 3.11 or later was found at /bin/false.")
        assert not (tmp_path / "venv").exists()

    def test_browser_says_when_the_named_one_does_not_run(self) -> None:
        environment = {**os.environ, "CONCORD_CHROMIUM": "/no/such/chromium"}

        run = subprocess.run(
            ["scripts/browser"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

        assert run.returncode == 1
        assert "CONCORD_CHROMIUM is /no/such/chromium" in run.stderr
        assert run.stdout == ""

    def test_browser_prints_nothing_but_a_path(self) -> None:
        environment = {**os.environ, "CONCORD_CHROMIUM": sys.executable}

        run = subprocess.run(["scripts/browser"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

        assert run.stdout == f"{sys.executable}\n"


class TestWheel:
    def test_holds_every_file_of_the_packages(self, wheel_files: set[str]) -> None:
        tracked = _run("git", "ls-files", "tenants", "matching", "workers", "platform/concord").splitlines()
        wanted = {name.removeprefix("platform/") for name in tracked if (ROOT / name).is_file()}

        assert sorted(name for name in wanted - wheel_files if not name.startswith("concord/web/assets/")) == []

    def test_holds_nothing_else(self, wheel_files: set[str]) -> None:
        tops = {name.split("/")[0] for name in wheel_files}

        assert tops == {"tenants", "matching", "workers", "concord", "concord-0.1.0.dist-info"}
        assert [name for name in wheel_files if "node_modules" in name or name.endswith(".pyc")] == []

    def test_carries_the_licence_and_the_command(self, wheel_files: set[str]) -> None:
        assert "concord-0.1.0.dist-info/licenses/LICENSE" in wheel_files
        assert "concord-0.1.0.dist-info/entry_points.txt" in wheel_files


class TestDockerfile:
    def test_builds_in_one_stage_and_runs_in_another(self) -> None:
        assert [words for name, words in _dockerfile() if name == "FROM"] == [
            "python:${PYTHON}-slim AS build",
            "python:${PYTHON}-slim AS runtime",
        ]

    def test_runs_as_a_numbered_user_and_checks_its_health(self) -> None:
        runtime = _last_stage()

        assert [words for name, words in runtime if name == "USER"] == ["10001:10001"]
        assert [name for name, words in runtime if name == "HEALTHCHECK" and "/health/live" in words]

    def test_installs_only_what_has_a_hash(self) -> None:
        installs = [line for _, words in _dockerfile() for line in words.split("&&") if "pip install" in line]

        assert len(installs) == 3
        assert all("--require-hashes" in line or "--no-deps /wheel/" in line for line in installs)

    def test_takes_only_the_environment_from_the_build(self) -> None:
        assert [words for name, words in _last_stage() if name == "COPY"] == ["--from=build /opt/concord /opt/concord"]

    def test_copies_only_what_reaches_the_builder(self) -> None:
        let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
        copied = [words.split()[:-1] for name, words in _dockerfile() if name == "COPY" and "--from" not in words]

        for source in (source for sources in copied for source in sources):
            assert (ROOT / source).exists()
            assert any(Path(source).match(pattern) for pattern in let_in), source

    def test_starts_a_command_that_there_is(self) -> None:
        commands = dict(_last_stage())

        assert commands["ENTRYPOINT"] == '["concord"]'
        _parse_command(yaml.safe_load(commands["CMD"]))


class TestCompose:
    def test_has_every_part(self) -> None:
        assert set(_compose()["services"]) == {
            "database",
            "queue",
            "prepare",
            "migrate",
            "web",
            "worker",
            "relay",
            "schedule",
        }

    def test_runs_the_servers_of_the_right_versions(self) -> None:
        services = _compose()["services"]

        assert services["database"]["image"] == "postgres:18"
        assert services["queue"]["image"] == "valkey/valkey:9"

    def test_runs_commands_that_there_are(self) -> None:
        for service in _ours():
            _parse_command(service["command"])

    def test_publishes_on_loopback_alone(self) -> None:
        ports = [port for service in _compose()["services"].values() for port in service.get("ports", [])]

        assert ports == ["127.0.0.1:8000:8000"]

    def test_waits_for_the_migrations(self) -> None:
        services = _compose()["services"]

        for name in ("web", "worker", "relay", "schedule"):
            assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
            assert services[name]["restart"] == "unless-stopped"

    def test_gives_each_part_only_its_own_secrets(self) -> None:
        services = _compose()["services"]
        holders = {
            secret: {name for name, service in services.items() if secret in service.get("secrets", [])}
            for secret in _compose()["secrets"]
        }

        assert holders["admin_url"] == {"prepare"}
        assert holders["migrate_url"] == {"prepare", "migrate"}
        assert holders["master_key"] == {"web", "worker", "schedule"}
        assert holders["audit_key"] == {"schedule"}
        assert holders["database_owner"] == {"database"}
        assert all(holders.values())

    def test_has_each_secret_in_a_file_and_none_in_an_environment(self) -> None:
        for service in _compose()["services"].values():
            files = {
                value.removeprefix("/run/secrets/")
                for value in service.get("environment", {}).values()
                if value.startswith("/run/secrets/")
            }
            assert files <= set(service.get("secrets", []))
        said = [value for service in _ours() for value in service["environment"].values()]
        assert {value for value in said if not value.startswith("/run/secrets/")} == {
            "${CONCORD_SITE_URL:?set it in .env}",
            "${CONCORD_OIDC_ISSUER:?set it in .env}",
            "${CONCORD_PROXIES:?set it in .env}",
        }

    def test_asks_for_every_setting_and_holds_none(self) -> None:
        text = (ROOT / "compose.yaml").read_text("utf-8")
        asked = set(re.findall(r"\$\{([A-Z_]+):\?", text))
        example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / "compose.env.example").read_text("utf-8"), re.MULTILINE))

        assert asked == set(example)
        assert set(example.values()) == {""}
        assert re.findall(r"\$\{[A-Z_]+(?!:\?)[:}]", text) == []

    def test_hardens_every_part_of_ours(self) -> None:
        for service in _ours():
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]


class TestSbom:
    def test_lists_every_package_that_is_run_and_no_index(self, tmp_path: Path) -> None:
        ready, file = f"{sys.prefix}/.development-ready", tmp_path / "sbom" / "concord.cdx.json"

        _run("make", "--no-print-directory", "-o", ready, f"VENV={sys.prefix}", f"SBOM={file}", "sbom")

        said = json.loads(file.read_text("utf-8"))
        assert said["bomFormat"] == "CycloneDX"
        assert said["metadata"]["component"]["name"] == "concord"
        listed = {f"{each['name']}=={each['version']}" for each in said["components"]}
        assert listed == {pin.split()[0] for pin in _pins("runtime.lock")}
        links = [link["url"] for each in said["components"] for link in each.get("externalReferences", [])]
        assert not [link for link in links if "://" in link]


class TestComposeSecrets:
    def test_are_made_once_as_the_settings_read_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "scripts").mkdir()
        script = tmp_path / "scripts" / "compose-secrets"
        script.write_bytes((ROOT / "scripts" / "compose-secrets").read_bytes())
        folder = tmp_path / "secrets"

        outputs = [_run("sh", str(script)) for _ in range(2)]
        (folder / "oidc_client_secret").write_text("from-the-provider")

        assert outputs == ["", ""]
        files = {path.name for path in folder.iterdir() if path.is_file()}
        assert files == set(_compose()["secrets"])
        assert folder.stat().st_mode & 0o777 == 0o700
        for service in _ours():
            for name, value in service["environment"].items():
                if name.endswith("_FILE"):
                    monkeypatch.setenv(name, str(folder / value.removeprefix("/run/secrets/")))
        settings = read_settings()
        assert settings.audit_key is not None
        assert settings.database_url is not None
        assert settings.database_url.endswith("@database:5432/concord")
        assert len({settings.scope_key, settings.master_key, settings.audit_key}) == 3


def _run(*command: str) -> str:
    # A make that runs these tests must not pass its own flags on to the make that they run.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def _makefile_line(start: str) -> str:
    lines = (ROOT / "Makefile").read_text("utf-8").splitlines()
    return next(line.removeprefix(start) for line in lines if line.startswith(start))


def _pins(name: str) -> list[str]:
    text = (ROOT / "requirements" / name).read_text("utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def _dockerfile() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    instructions = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(name, " ".join(words.split())) for name, words in instructions]


def _last_stage() -> list[tuple[str, str]]:
    instructions = _dockerfile()
    last = max(index for index, (name, _) in enumerate(instructions) if name == "FROM")
    return instructions[last:]


def _compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return document


def _ours() -> list[dict[str, Any]]:
    return [service for service in _compose()["services"].values() if service["image"] == "concord"]


def _parse_command(words: list[str]) -> None:
    """Let click parse the words as the program would, without running them."""
    command: click.Command = main
    context = click.Context(command)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
        if not isinstance(command, click.Group):
            command.make_context(str(name), list(words), parent=context)


@pytest.fixture(scope="module")
def wheel_files(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder))
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return set(wheel.namelist())
