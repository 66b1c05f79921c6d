"""Nobody gets at what is another agency's, by whatever address, form or id (the long form is in ``bench``)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from concord.web import create_app
from tests.own_database import make_database, opened
from tests.servers import TestServers
from tests.site import make_settings
from tests.trespass import EXPECTED, UNLIMITED, Grounds, make_grounds, trespass

REQUESTS = 2_000


@pytest.fixture(scope="module")
def urls(servers: TestServers) -> DatabaseUrls:
    return make_database(servers, "concord_trespass")


@pytest.fixture(scope="module")
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(libpq_url(urls.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def grounds(urls: DatabaseUrls, admin: psycopg.Connection[Any], valkey_url: str) -> Iterator[Grounds]:
    with opened(urls) as database:
        app = create_app(make_settings(database_url=urls.app, valkey_url=valkey_url, limits=UNLIMITED), database)
        yield make_grounds(app, database, admin)


class TestTrespass:
    def test_finds_no_way_in(self, grounds: Grounds) -> None:
        findings = trespass(grounds, requests=REQUESTS, chance=random.Random(7))  # noqa: S311 - the same each time

        assert findings.faults == []
        assert findings.requests >= REQUESTS
        assert {200, 303, 403, 404, 422} <= set(findings.statuses)
        assert findings.unreached(grounds.app) == []
        assert findings.came >= EXPECTED

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
