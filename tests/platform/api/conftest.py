"""The site, and programs that ask its API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from concord.limits import Limits
from concord.servers.login import DatabaseUrls
from concord.web import create_app
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.platform.api.program import Program
from tests.site import make_settings

NO_LIMITS = Limits(**dict.fromkeys(Limits.__dataclass_fields__, "1000000 per minute"))


@pytest.fixture(scope="session")
def api_site(migrated: DatabaseUrls, database: Database, valkey_url: str) -> Flask:
    """The application with limits that no test meets."""
    settings = make_settings(database_url=migrated.app, valkey_url=valkey_url, limits=NO_LIMITS)
    return create_app(settings, database)


@pytest.fixture
def program_of(api_site: Flask, database: Database) -> Callable[..., Program]:
    """Make a program: ``program_of(tenant, "groups.read")``; with every scope where none is named."""
    return lambda tenant, *scopes: Program(api_site, database, tenant, *scopes)


@pytest.fixture
def two_tenants(factories: Factories) -> tuple[Tenant, Tenant]:
    """Two councils of one consortium."""
    return factories.two_tenants()
