"""``concord person``: invited, listed, appointed, moved and seen out by the operator."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from click.testing import Result

from tenants.base import utc_now
from tenants.database import Database
from tenants.invitation import list_invitations
from tenants.person import find_person_by_identity
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR
from tenants.sign_in import find_session, sign_in
from tests.factories import ISSUER, Factories, Tenant
from tests.platform.cli.run import answer, refusal, run

pytestmark = pytest.mark.usefixtures("on_servers")
PROVIDER = "https://sign-in.example.org"


class TestInvite:
    def test_lets_whom_the_provider_is_known_to_name_sign_in(self, database: Database, factories: Factories) -> None:
        tenant, _ = factories.two_tenants()
        subject = uuid4().hex

        said = invite(tenant.slug, subject, "--role", "family_finder", "--role", "manager")

        assert said.exit_code == 0, said.output
        with database.transaction(NOBODY) as session:
            assert sign_in(session, issuer=PROVIDER, subject=subject, now=utc_now()).token

    def test_invites_by_address_otherwise(self, database: Database, factories: Factories) -> None:
        tenant, other = factories.two_tenants()

        given = ("--name", "Alder Sample", "--email", "Alder@Example.org", "--agency", tenant.slug)
        said = run("person", "invite", *given, "--role", "manager")

        day = (utc_now() + timedelta(days=14)).strftime("%Y-%m-%d")
        assert said.stdout == (
            f"Alder Sample is invited to {tenant.slug}. No e-mail is sent: tell them to sign in by {day} with the "
            "account whose address is alder@example.org.\n"
        )
        with database.transaction(OPERATOR) as session:
            (invited,) = list_invitations(session, agency_id=tenant.id)
            assert list_invitations(session, agency_id=other.id) == []
        assert invited.role_set == {Role.MANAGER}
        assert invited.invited_by is None

    def test_wants_issuer_and_subject_or_neither(self) -> None:
        given = ("--name", "Alder Sample", "--email", "alder@example.org", "--agency", "any", "--role", "manager")

        assert run("person", "invite", *given, "--subject", "alder").exit_code == 2

    def test_is_to_no_agency_that_is_not_there(self, database: Database) -> None:
        subject = uuid4().hex

        assert invite("no-such", subject, "--role", "family_finder").exit_code == 1

        with database.transaction(OPERATOR) as session:
            assert find_person_by_identity(session, issuer=PROVIDER, subject=subject) is None


class TestList:
    def test_shows_an_agencys_people_and_whom_it_invited(self, factories: Factories) -> None:
        tenant, other = factories.two_tenants()
        given = ("--name", "Alder Sample", "--email", "alder@example.org", "--agency", tenant.slug)
        run("person", "invite", *given, "--role", "manager")

        listed = answer("person", "list", "--agency", tenant.slug)
        text = run("person", "list", "--agency", tenant.slug).stdout

        assert [each["email"] for each in listed] == [address_of(tenant), "alder@example.org"]
        assert listed[0]["roles"] == sorted(tenant.scope.roles)
        assert listed[1]["since"] is None
        assert "Alder Sample: manager (invited, until " in text
        assert other.slug not in text


class TestAppoint:
    def test_gives_somebody_known_another_role(self, factories: Factories) -> None:
        tenant, other = factories.two_tenants()

        said = run("person", "appoint", "--email", address_of(tenant), "--agency", other.slug, "--role", "manager")

        assert said.exit_code == 0, said.output
        listed = {each["email"]: each["roles"] for each in answer("person", "list", "--agency", other.slug)}
        assert listed[address_of(tenant)] == ["manager"]

    def test_knows_nobody_by_a_strange_address(self, factories: Factories) -> None:
        tenant, _ = factories.two_tenants()

        said = refusal("person", "appoint", "--email", "no@such.org", "--agency", tenant.slug, "--role", "manager")

        assert "Nobody is known here under no@such.org." in said


class TestLeave:
    def test_ends_roles_and_sign_ins(self, database: Database, factories: Factories) -> None:
        tenant, _ = factories.two_tenants()
        finder = factories.colleague(tenant, roles=frozenset({Role.FAMILY_FINDER}))
        with database.transaction(NOBODY) as session:
            token = sign_in(session, issuer=ISSUER, subject=finder.subject, now=utc_now()).token

        said = run("person", "leave", "--email", address_of(finder), "--agency", tenant.slug)

        assert "1 sign-in ended." in said.stdout, said.output
        with database.transaction(NOBODY) as session:
            assert find_session(session, token=token, now=utc_now()) is None
        emails = {each["email"] for each in answer("person", "list", "--agency", tenant.slug)}
        assert emails == {address_of(tenant)}

    def test_keeps_an_administrator(self, factories: Factories) -> None:
        tenant, _ = factories.two_tenants()

        said = refusal("person", "leave", "--email", address_of(tenant), "--agency", tenant.slug)

        assert "Nobody else could manage the people" in said


class TestMove:
    def test_is_both_or_neither(self, factories: Factories) -> None:
        here, there = factories.two_tenants()
        finder = factories.colleague(here, roles=frozenset({Role.FAMILY_FINDER}))
        given = ("--email", address_of(finder), "--from", here.slug, "--role", "manager")

        refusal("person", "move", *given, "--to", "no-such")
        assert address_of(finder) in {each["email"] for each in answer("person", "list", "--agency", here.slug)}
        run("person", "move", *given, "--to", there.slug)

        left, came = (answer("person", "list", "--agency", slug) for slug in (here.slug, there.slug))
        assert address_of(finder) not in {each["email"] for each in left}
        assert {each["email"]: each["roles"] for each in came}[address_of(finder)] == ["manager"]

    def test_to_another_account_is_an_invitation(self, factories: Factories) -> None:
        here, there = factories.two_tenants()
        finder = factories.colleague(here, roles=frozenset({Role.FAMILY_FINDER}))
        given = ("--email", address_of(finder), "--from", here.slug, "--role", "manager", "--to", there.slug)

        said = run("person", "move", *given, "--as", "new@example.org")

        assert said.exit_code == 0, said.output
        (invited,) = [each for each in answer("person", "list", "--agency", there.slug) if each["invited_until"]]
        assert (invited["email"], invited["roles"]) == ("new@example.org", ["manager"])


def address_of(tenant: Tenant) -> str:
    return f"{tenant.subject}@example.org"


def invite(agency: str, subject: str, *roles: str) -> Result:
    given = ("--name", "Sam Sample", "--email", f"{subject}@example.org", "--issuer", PROVIDER, "--subject", subject)
    return run("person", "invite", *given, "--agency", agency, *roles)
