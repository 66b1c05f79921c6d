"""A connection past the wall, and a payer with a payee, for tests of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tests.factories import Factories, Tenant


@pytest.fixture(scope="module")
def pair(factories: Factories) -> tuple[Tenant, Tenant]:
    """A payer and a payee."""
    return factories.two_tenants()


@pytest.fixture(scope="module")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A connection that no wall stops."""
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection
