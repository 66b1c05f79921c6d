"""One embedded PostgreSQL and one Valkey for a whole test session (and for each worker of pytest-xdist)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from concord.servers.data_directory import open_data_directory
from concord.servers.login import APP, MIGRATE, RELAY, DatabaseUrls, prepare
from concord.servers.port import free_port
from concord.servers.postgres import start_postgres
from concord.servers.supervisor import Supervisor
from concord.servers.valkey import start_valkey

# Nobody needs a test's rows after a power cut.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
PASSWORDS = {MIGRATE: "migrate-for-tests", APP: "app-for-tests", RELAY: "relay-for-tests"}


@dataclass(frozen=True, slots=True)
class TestServers:
    """Where the session's servers listen."""

    __test__ = False

    database_urls: DatabaseUrls
    valkey_url: str
    supervisor: Supervisor
    """Keeps ``postgres`` and ``valkey`` running: one that is killed is started again."""
    directory: Path
    """Where both keep what they write."""


@contextmanager
def short_directory() -> Iterator[Path]:
    """Make a directory that an unprivileged account can pass through, unlike pytest's own, and remove it at the end."""
    path = Path(tempfile.mkdtemp(prefix="concord-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def test_servers(options: Mapping[str, str] = CARELESS) -> Iterator[TestServers]:  # noqa: PT028 - no test
    """Start both servers in a directory of their own, PostgreSQL with ``options``; stop them at the end."""
    with short_directory() as path, Supervisor() as supervisor:
        data = open_data_directory(path / "data")
        with data.held():
            admin = start_postgres(supervisor, data, port=free_port(), password="superuser-for-tests", options=options)
            valkey_url = start_valkey(supervisor, data, port=free_port(), password="valkey-for-tests")
            yield TestServers(prepare(admin, PASSWORDS), valkey_url, supervisor, path)


test_servers.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test by its name
