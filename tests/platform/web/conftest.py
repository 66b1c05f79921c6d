"""The site on the session's servers, and visitors to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from concord.servers.login import DatabaseUrls
from concord.web import create_app
from tenants.database import Database
from tests.factories import Tenant
from tests.site import Visitor, make_settings


@pytest.fixture(scope="session")
def site(migrated: DatabaseUrls, database: Database, valkey_url: str) -> Flask:
    """The application, with a real database and queue store and no provider."""
    return create_app(make_settings(database_url=migrated.app, valkey_url=valkey_url), database)


@pytest.fixture
def visitor(site: Flask) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(site)


@pytest.fixture
def visit_as(site: Flask, database: Database) -> Callable[[Tenant], Visitor]:
    """Sign somebody in: ``visit_as(tenant).get("/home")``."""
    return lambda tenant: Visitor(site).sign_in(database, tenant)
