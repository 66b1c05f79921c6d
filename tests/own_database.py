"""Databases of their own, for tests that what others wrote would disturb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from concord.migrations import upgrade
from concord.servers.login import DatabaseUrls, prepare
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.servers import PASSWORDS, TestServers


def make_database(servers: TestServers, name: str) -> DatabaseUrls:
    """Make an empty database with every migration applied, and return its addresses."""
    urls = prepare(servers.database_urls.admin, PASSWORDS, database=name)
    upgrade(urls.migrate, scope_key=SCOPE_KEY)
    return urls


@contextmanager
def opened(urls: DatabaseUrls) -> Iterator[Database]:
    """Open a database as the application does, for the block."""
    database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    yield database
    database.dispose()
