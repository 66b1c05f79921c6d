"""Nobody gets at what is another agency's, by whatever address, form or id (the long form is in ``bench``)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from concord.migrations import upgrade
from concord.servers.login import DatabaseUrls, prepare
from concord.settings import libpq_url
from concord.web import create_app
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.servers import PASSWORDS, TestServers
from tests.site import make_settings
from tests.trespass import UNLIMITED, Grounds, make_grounds, trespass

REQUESTS = 2_000


@pytest.fixture(scope="module")
def urls(servers: TestServers) -> DatabaseUrls:
    urls = prepare(servers.database_urls.admin, PASSWORDS, database="concord_trespass")
    upgrade(urls.migrate, scope_key=SCOPE_KEY)
    return urls


@pytest.fixture(scope="module")
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(libpq_url(urls.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def grounds(urls: DatabaseUrls, admin: psycopg.Connection[Any], valkey_url: str) -> Iterator[Grounds]:
    database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    app = create_app(make_settings(database_url=urls.app, valkey_url=valkey_url, limits=UNLIMITED), database)
    yield make_grounds(app, database, admin)
    database.dispose()


class TestTrespass:
    def test_finds_no_way_in(self, grounds: Grounds) -> None:
        findings = trespass(grounds, requests=REQUESTS, chance=random.Random(7))  # noqa: S311 - the same each time

        assert findings.faults == []
        assert findings.requests >= REQUESTS
        assert {200, 303, 403, 404} <= set(findings.statuses)

    def test_notices_a_hole_in_the_wall(self, grounds: Grounds) -> None:
        (before,) = grounds.admin.execute(
            "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'sibling_group_read'"
        ).fetchall()
        grounds.admin.execute("ALTER POLICY sibling_group_read ON sibling_group USING (true)")
        try:
            findings = trespass(grounds, requests=REQUESTS // 10, chance=random.Random(9))  # noqa: S311 - the same
        finally:
            grounds.admin.execute(f"ALTER POLICY sibling_group_read ON sibling_group USING ({before[0]})")

        assert findings.faults

    def test_leaves_everything_as_it_was(self, grounds: Grounds) -> None:
        before = grounds.fingerprints()

        trespass(grounds, requests=REQUESTS // 10, chance=random.Random(8))  # noqa: S311 - the same each time

        assert grounds.fingerprints() == before
