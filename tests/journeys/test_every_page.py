"""Every page that people of an agency can reach is open to everyone: tried with axe, on the smallest screen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.settings import libpq_url
from concord.web import create_app
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.browser import Visit
from tests.factories import ISSUER, Tenant
from tests.own_database import make_database, opened
from tests.servers import TestServers
from tests.site import COOKIE, Visitor, make_settings, port_of, running
from tests.tenants.world import World, make_world
from tests.trespass import UNLIMITED, one_of_each


@pytest.fixture
def urls(servers: TestServers) -> DatabaseUrls:
    return make_database(servers, "concord_pages")


@pytest.fixture
def database(urls: DatabaseUrls) -> Iterator[Database]:
    with opened(urls) as database:
        yield database


@pytest.fixture
def world(urls: DatabaseUrls, database: Database) -> World:
    with psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin:
        return make_world(database, admin)


_NOT_OURS = frozenset({"api_docs.page"})
"""The API's description is drawn by Swagger UI, with its own markup."""


class TestEveryPage:
    def test_is_open_to_everyone(
        self, visit: Visit, urls: DatabaseUrls, database: Database, world: World, valkey_url: str
    ) -> None:
        given = partial(make_settings, database_url=urls.app, valkey_url=valkey_url, limits=UNLIMITED)
        near = create_app(given(), database)
        url = f"http://127.0.0.1:{free_port()}"
        looked = set(_NOT_OURS)

        with running(create_app(given(site_url=url), database), port=port_of(url)):
            for tenant in (world.agency, world.office):
                visit.tab.context.add_cookies([{"name": COOKIE, "value": token_of(database, tenant), "url": url}])
                for route, path in one_of_each(near, Visitor(near).sign_in(database, tenant)).items():
                    if route not in looked:
                        visit.tab.goto(f"{url}{path}")
                        visit.check_narrow(route)
                        looked.add(route)

        visit.check_quiet(url)
        assert {"home.page", "groups.show", "households.show", "agency.index", "meetings.show"} <= looked


def token_of(database: Database, tenant: Tenant) -> str:
    with database.transaction(NOBODY) as session:
        return sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token
