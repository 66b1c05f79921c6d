"""An administrator gives their agency a sign-in service of its own, and comes in by it: in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from concord.servers.port import free_port
from concord.web import create_app
from tenants.base import utc_now
from tenants.database import Database
from tenants.identity_provider import get_provider, list_providers, mark_of, switch_off
from tenants.role import Role
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.browser import Visit
from tests.factories import ISSUER, Factories, Tenant
from tests.oidc.real import CLIENT_ID, SECRET, RealProvider, started
from tests.site import COOKIE, make_settings, port_of, running


class TestAdministrator:
    def test_adds_tries_and_comes_in_by_the_agencys_own_service(self, visit: Visit, hall: Hall) -> None:
        tab = visit.tab
        tab.context.add_cookies([{"name": COOKIE, "value": hall.token, "url": hall.url}])
        tab.goto(f"{hall.url}/agency/sign-in")
        visit.look("providers-none", "How your people sign in")

        tab.get_by_label("E-mail domain").fill("nonsense")
        tab.get_by_role("button", name="Add", exact=True).click()
        visit.look("providers-refused", "How your people sign in")
        tab.get_by_label("E-mail domain").fill(f"{hall.mark}.a-rather-long-name-of-a-council.example")
        tab.get_by_role("button", name="Add", exact=True).click()
        tab.get_by_text("To be confirmed").wait_for()

        tab.get_by_role("button", name="Add a sign-in service").click()
        visit.look("provider-new", "Add a sign-in service")
        tab.get_by_role("button", name="Keep, and go on to try it").click()
        visit.look("provider-refused", "Add a sign-in service")
        tab.get_by_label("What your people call it").fill("Council account")
        tab.get_by_label("Issuer").fill(hall.provider.issuer)
        tab.get_by_label("Client id").fill(CLIENT_ID)
        tab.get_by_label("Client secret").fill(SECRET)
        tab.get_by_label("Yes").check()
        tab.get_by_label("Classes of sign-in").fill("second-step")
        tab.get_by_role("button", name="Keep, and go on to try it").click()
        visit.look("provider-draft", "Council account")

        tab.get_by_role("link", name="Change which values").click()
        tab.get_by_label("Claim").fill("groups")
        tab.get_by_label("Values and roles").fill("finders = Family finder")
        visit.look("provider-roles", "Roles by claim")
        tab.get_by_role("button", name="Save").click()

        tab.get_by_role("button", name="Try this sign-in").click()
        tab.get_by_role("link", name="Sign in as known").click()
        visit.look("provider-tried", "Council account")
        tab.get_by_role("button", name="Switch it on").click()
        visit.look("provider-on", "Council account")
        tab.get_by_role("button", name="Sign out").click()
        tab.get_by_role("heading", level=1, name="You have signed out").wait_for()

        tab.goto(f"{hall.url}/sign-in")
        visit.look("sign-in", "Find your sign-in service")
        # Known there still, for nobody said “sign out” on its page: the provider asks nothing more.
        tab.get_by_role("link", name=hall.tenant.name).click()
        home = visit.look("home-by-own", "Your work")
        assert f"Acting for {hall.tenant.name}" in home.text
        tab.goto(f"{hall.url}/agency/sign-in")
        visit.look("providers", "How your people sign in")
        # Signing out leads on to the agency's own provider, which the page's policy lets it.
        tab.get_by_role("button", name="Sign out").click()
        tab.wait_for_url(f"{hall.provider.issuer}/session/end**")


@dataclass(frozen=True)
class Hall:
    """A council whose own provider is running, and a token of its administrator's."""

    url: str
    mark: str
    tenant: Tenant
    provider: RealProvider
    token: str


@pytest.fixture
def hall(database: Database, factories: Factories, tmp_path: Path) -> Iterator[Hall]:
    url = f"http://127.0.0.1:{free_port()}"
    tenant = factories.tenant(factories.consortium(), roles=frozenset({Role.ADMINISTRATOR}))
    provider = RealProvider(url, tmp_path / "accounts.json")
    provider.tell(known={"groups": ["finders"], "email": "known@council.example", "email_verified": True})
    mark = mark_of(tenant.id, provider.issuer)
    provider.paths = (f"/sign-in/answer/{mark}", f"/back-channel-logout/{mark}")
    app = create_app(make_settings(site_url=url, demo=True), database)
    with database.transaction(NOBODY) as session:
        token = sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token
    with running(app, port=port_of(url)), started(provider):
        yield Hall(url, uuid4().hex[:8], tenant, provider, token)
    with database.transaction(replace(tenant.scope, person_id=None)) as session:
        for each in list_providers(session):
            switch_off(session, get_provider(session, each.id), default_issuer=None)
