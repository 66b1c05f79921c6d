"""A queue that is empty and a ledger in which nothing is open, for the tests of the workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from workers.queue import JobQueue


@pytest.fixture(scope="session")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection, which sees every row."""
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def relay_url(migrated: DatabaseUrls) -> str:
    """The relay's address."""
    return libpq_url(migrated.relay)


@pytest.fixture
def queue(valkey_url: str, admin: psycopg.Connection[Any]) -> Iterator[JobQueue]:
    """The queue, empty; jobs that other tests left open are closed, so that no relay sends them."""
    admin.execute("UPDATE job SET state = 'cancelled', finished_at = now() WHERE state IN ('waiting', 'running')")
    queue = JobQueue(valkey_url)
    queue.connection.flushall()
    yield queue
    queue.connection.flushall()
    queue.close()
