"""What people see when a part that Concord stands on is away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concord.servers.port import free_port
from concord.web import create_app
from tests.browser import Visit
from tests.site import COOKIE, make_settings, port_of, running


class TestDatabaseAway:
    def test_is_told_to_whoever_is_signed_in(self, visit: Visit, stranded: str) -> None:
        visit.tab.context.add_cookies([{"name": COOKIE, "value": "a-token", "url": stranded}])

        visit.tab.goto(f"{stranded}/home")

        page = visit.look("database-away", "Sorry, the service is not available")
        assert "Concord’s database does not answer" in page.text
        visit.check_quiet(stranded)


class TestProviderAway:
    def test_is_told_to_whoever_would_sign_in(self, visit: Visit, stranded: str) -> None:
        visit.tab.goto(f"{stranded}/sign-in/with/default")

        page = visit.look("provider-away", "The sign-in service is not available")
        assert "Try again in a few minutes" in page.text


@pytest.fixture
def stranded() -> Iterator[str]:
    """The address of a site that has neither database nor provider."""
    url = f"http://127.0.0.1:{free_port()}"
    with running(create_app(make_settings(site_url=url)), port=port_of(url)):
        yield url
