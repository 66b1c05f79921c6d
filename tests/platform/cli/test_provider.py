"""``concord provider`` and ``concord domain``: agencies' sign-in services and e-mail domains, kept by the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import Vouched, find_session, sign_in
from tests.factories import Factories, Tenant
from tests.platform.cli.run import answer, refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")
SECRET = "a-secret-of-the-council"


class TestProvider:
    def test_goes_from_added_to_on_and_off(
        self, database: Database, council: Tenant, secret_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issuer = f"https://{uuid4().hex}.example"
        monkeypatch.setattr("concord.cli.provider.checked_address", lambda _: None)
        said = add(council, issuer, secret_file)
        assert said.exit_code == 0, said.output
        assert "/back-channel-logout/" in said.stdout
        (listed,) = answer("provider", "list", "--agency", council.slug)
        at = ("--agency", council.slug, listed["id"])

        assert "Try this sign-in first" in refusal("provider", "on", *at)
        run("provider", "roles", *at, "--claim", "groups", "--role", "finders", "family_finder")
        vouched = run("provider", "vouch", *at, "--email", f"{council.slug}@example.org", "--subject", "first")
        assert vouched.exit_code == 0, vouched.output
        assert run("provider", "on", *at).exit_code == 0
        with database.transaction(NOBODY) as session:
            facts = Vouched(provider_id=listed["id"], claims=("finders",))
            token = sign_in(session, issuer=issuer, subject="first", now=utc_now(), vouched=facts).token
            assert find_session(session, token=token, now=utc_now())
        assert run("provider", "alone", *at).exit_code == 0
        (listed,) = answer("provider", "list", "--agency", council.slug)
        assert (listed["state"], listed["only_way_in"]) == ("on", True)
        assert run("provider", "beside", *at).exit_code == 0
        assert run("provider", "off", *at).exit_code == 0
        assert SECRET not in run("provider", "list", "--agency", council.slug).output

    def test_refuses_an_address_of_this_network(self, council: Tenant, secret_file: Path) -> None:
        said = add(council, "https://127.0.0.1", secret_file)

        assert said.exit_code == 2
        assert "not on the public internet" in said.output

    def test_is_of_one_agency(
        self, council: Tenant, factories: Factories, secret_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("concord.cli.provider.checked_address", lambda _: None)
        other = factories.tenant(factories.consortium())
        add(council, f"https://{uuid4().hex}.example", secret_file)
        (listed,) = answer("provider", "list", "--agency", council.slug)

        assert "no such sign-in service" in refusal("provider", "off", "--agency", other.slug, listed["id"])
        assert answer("provider", "list", "--agency", other.slug) == []

    def test_knows_the_roles(self, council: Tenant) -> None:
        said = run("provider", "roles", "--agency", council.slug, str(uuid4()), "--role", "admins", "operator")

        assert said.exit_code == 2
        assert "operator is no role" in said.output


class TestDomain:
    def test_is_named_confirmed_and_removed(self, council: Tenant) -> None:
        name = f"{uuid4().hex}.example"
        at = (name, "--agency", council.slug)

        assert run("domain", "add", *at).exit_code == 0
        assert answer("domain", "list", "--agency", council.slug) == [{"domain": name, "confirmed": False}]
        assert run("domain", "confirm", *at).exit_code == 0
        assert run("domain", "list", "--agency", council.slug).stdout == f"{name}  confirmed\n"
        assert run("domain", "remove", *at).exit_code == 0
        assert "has not named" in refusal("domain", "confirm", *at)


def add(tenant: Tenant, issuer: str, secret_file: Path) -> Any:
    given = ("--name", "Council account", "--client-id", "concord", "--scope", "groups", "--issuer", issuer)
    return run("provider", "add", "--agency", tenant.slug, "--secret-file", str(secret_file), *given)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n", encoding="utf-8")
    return path


@pytest.fixture
def council(factories: Factories) -> Tenant:
    return factories.tenant(factories.consortium())
