"""Databases of their own, for tests that what others wrote would disturb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from concord.migrations import upgrade
from concord.servers.login import MIGRATE, DatabaseUrls, prepare
from concord.settings import libpq_url
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories
from tests.servers import PASSWORDS, TestServers

_PATTERN = "concord_pattern"
"""The database that is migrated once, and copied for each that is asked for: nobody else ever connects to it."""


def make_database(servers: TestServers, name: str) -> DatabaseUrls:
    """Make an empty database with every migration applied, and return its addresses."""
    with psycopg.connect(libpq_url(servers.database_urls.admin), autocommit=True) as admin:
        if admin.execute("SELECT FROM pg_database WHERE datname = %s", [_PATTERN]).fetchone() is None:
            upgrade(prepare(servers.database_urls.admin, PASSWORDS, database=_PATTERN).migrate, scope_key=SCOPE_KEY)
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*map(sql.Identifier, (name, MIGRATE, _PATTERN)))
        )
    return prepare(servers.database_urls.admin, PASSWORDS, database=name)


@contextmanager
def opened(urls: DatabaseUrls) -> Iterator[Database]:
    """Open a database as the application does, for the block."""
    database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    yield database
    database.dispose()


def own_fixtures(name: str) -> tuple[object, object, object]:
    """Return ``migrated``, ``database`` and ``factories`` for a module whose tests have such a database among them."""

    @pytest.fixture(scope="module")
    def migrated(servers: TestServers) -> DatabaseUrls:
        return make_database(servers, name)

    @pytest.fixture(scope="module")
    def database(migrated: DatabaseUrls) -> Iterator[Database]:
        with opened(migrated) as database:
            yield database

    @pytest.fixture(scope="module")
    def factories(database: Database) -> Factories:
        return Factories(database)

    return migrated, database, factories
