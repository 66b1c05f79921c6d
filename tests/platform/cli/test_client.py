from __future__ import annotations

from uuid import uuid4

import pytest

from tenants.api_token import find_credentials
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tests.factories import Factories, Tenant
from tests.platform.cli.run import answer, refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")


@pytest.fixture
def two(factories: Factories) -> tuple[Tenant, Tenant]:
    return factories.two_tenants()


class TestClient:
    def test_is_added_listed_rotated_and_ended(self, two: tuple[Tenant, Tenant], database: Database) -> None:
        ours, theirs = two
        agency = ("--agency", ours.slug)

        made = answer("client", "add", "Case system", *agency, "--scope", "groups.read", "--days", "30")
        (listed,) = answer("client", "list", *agency)
        rotated = answer("client", "rotate", made["id"], *agency, "--overlap-days", "0")

        assert listed == {name: value for name, value in made.items() if name != "secret"}
        assert answer("client", "list", "--agency", theirs.slug) == []
        with database.transaction(NOBODY) as session:
            found = find_credentials(session, rotated["id"], now=utc_now())
        assert found
        assert [found.matches(each["secret"]) for each in (made, rotated)] == [False, True]

        assert run("client", "end", made["id"], *agency).exit_code == 0
        assert refusal("client", "end", made["id"], *agency) == "concord: “Case system” was ended before."

    def test_of_another_agency_is_as_one_that_is_not_there(self, two: tuple[Tenant, Tenant]) -> None:
        ours, theirs = two
        made = answer("client", "add", "Case system", "--agency", theirs.slug, "--scope", "groups.read")

        refused = {refusal("client", "end", each, "--agency", ours.slug) for each in (made["id"], str(uuid4()))}

        assert refused == {"concord: There is no such API client in your agency."}
