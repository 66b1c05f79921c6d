"""A migrated database with two consortia and a row in every walled table, for the tests of the wall itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from concord.migrations import upgrade
from concord.servers.login import DatabaseUrls, prepare
from concord.settings import libpq_url
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.servers import PASSWORDS, TestServers
from tests.tenants.world import World, make_world


@pytest.fixture(scope="session")
def wall_urls(servers: TestServers) -> DatabaseUrls:
    """Addresses of the wall's own database: what is broken in it on purpose harms no other test."""
    urls = prepare(servers.database_urls.admin, PASSWORDS, database="concord_wall")
    upgrade(urls.migrate, scope_key=SCOPE_KEY)
    return urls


@pytest.fixture(scope="session")
def admin(wall_urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection, which sees every row and may become any role."""
    with psycopg.connect(libpq_url(wall_urls.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def wall(wall_urls: DatabaseUrls) -> Iterator[Database]:
    """The wall's own database, as the application opens it."""
    database = Database(wall_urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def world(wall: Database, admin: psycopg.Connection[Any]) -> World:
    """Its tenants, with a row in every table."""
    return make_world(wall, admin)
