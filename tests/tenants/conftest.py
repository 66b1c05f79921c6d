"""A migrated database with two consortia and a row in every walled table, for the tests of the wall itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tenants.database import Database
from tests.own_database import make_database, opened
from tests.servers import TestServers
from tests.tenants.world import World, make_world


@pytest.fixture(scope="session")
def wall_urls(servers: TestServers) -> DatabaseUrls:
    """Addresses of the wall's own database: what is broken in it on purpose harms no other test."""
    return make_database(servers, "concord_wall")


@pytest.fixture(scope="session")
def admin(wall_urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection, which sees every row and may become any role."""
    with psycopg.connect(libpq_url(wall_urls.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def wall(wall_urls: DatabaseUrls) -> Iterator[Database]:
    """The wall's own database, as the application opens it."""
    with opened(wall_urls) as database:
        yield database


@pytest.fixture(scope="session")
def world(wall: Database, admin: psycopg.Connection[Any]) -> World:
    """Its tenants, with a row in every table."""
    return make_world(wall, admin)
