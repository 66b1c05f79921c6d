"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concord.servers.login import DatabaseUrls
from tests.servers import TestServers, test_servers


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
def valkey_url(servers: TestServers) -> str:
    """The address of the session's Valkey."""
    return servers.valkey_url
