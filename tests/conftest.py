"""What every test may ask for."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import structlog

from concord.migrations import upgrade
from concord.servers.login import DatabaseUrls
from tenants.database import Database
from tests.compiled import share_templates
from tests.factories import Factories
from tests.servers import TestServers, test_servers

SCOPE_KEY = b"scope-key-for-tests-of-32-bytes!"
MASTER_KEY = b"master-key-for-tests-of-32-bytes"


def pytest_collection_finish() -> None:
    """Look no more for garbage among the thousands of tests, which stay to the end, and less often among the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 10, 20)


@pytest.fixture(scope="session", autouse=True)
def templates() -> Iterator[None]:
    """Let no template be compiled twice."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        share_templates(monkeypatch)
        yield


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """Write tracebacks into the log as Python does: to draw one takes half a second."""
    structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    """Real servers, for the whole session."""
    with test_servers() as running:
        yield running


@pytest.fixture(scope="session")
def database_urls(servers: TestServers) -> DatabaseUrls:
    """Addresses of an empty database: ``admin``, ``migrate``, ``app``, ``relay``."""
    return servers.database_urls


@pytest.fixture(scope="session")
def migrated(database_urls: DatabaseUrls) -> DatabaseUrls:
    """Addresses of the database with every migration applied."""
    upgrade(database_urls.migrate, scope_key=SCOPE_KEY)
    return database_urls


@pytest.fixture(scope="session")
def database(migrated: DatabaseUrls) -> Iterator[Database]:
    """The migrated database, as the application opens it."""
    database = Database(migrated.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def factories(database: Database) -> Factories:
    """What makes tenants and records; each test makes a consortium of its own."""
    return Factories(database)


@pytest.fixture(scope="session")
def valkey_url(servers: TestServers) -> str:
    """The address of the session's Valkey."""
    return servers.valkey_url
