from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis.strategies import text as text_of_any_kind
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tenants.agency import get_agency
from tenants.audit import Act, list_entries_of
from tenants.colleague import leave
from tenants.database import Database
from tenants.identity_provider import (
    NotTried,
    ProviderInvalid,
    ProviderState,
    ProviderUnknown,
    WouldLockOut,
    add_provider,
    check_issuer,
    close_default,
    count_without_account,
    get_provider,
    list_providers,
    list_role_rules,
    mark_of,
    set_role_rules,
    switch_off,
    switch_on,
)
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in import NotAppointed, Vouched, act_for, find_session, sign_in
from tenants.sign_in_way import TrialFailed, find_connections, list_ways, take_trial
from tests.factories import ISSUER, LONG_AGO, NOW, Factories, Tenant

SECRET = "a-secret-of-the-council"


class TestAddProvider:
    def test_keeps_the_secret_sealed_and_opens_it_to_nobody_alone(
        self, database: Database, council: Tenant, database_urls: DatabaseUrls
    ) -> None:
        provider_id = added(database, council)

        with database.transaction(NOBODY) as session:
            (found,) = find_connections(session, provider_id=provider_id)
        with psycopg.connect(libpq_url(database_urls.admin)) as admin:
            rows = admin.execute("SELECT s::text FROM identity_provider_secret s").fetchall()
        assert found.secret == SECRET
        assert SECRET not in repr(found)
        assert SECRET.encode().hex() not in str(rows)

    def test_hides_the_secret_from_the_agency_itself(self, database: Database, council: Tenant) -> None:
        added(database, council)

        with database.transaction(council.scope) as session:
            assert find_connections(session, mark="0" * 16) == []
            with pytest.raises(DBAPIError):
                session.execute(text("SELECT sealed FROM identity_provider_secret"))

    @pytest.mark.parametrize("fact", ["name", "client_id", "secret"])
    @pytest.mark.parametrize("value", ["", "  ", "a\nb", "\0"])
    def test_refuses_blanks(self, database: Database, council: Tenant, fact: str, value: str) -> None:
        with pytest.raises(ProviderInvalid):
            added(database, council, **{fact: value})

    def test_is_on_record(self, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)

        with database.transaction(council.scope) as session:
            entries = list_entries_of(session, provider_id)
        assert {(each.act, each.record_kind) for each in entries} == {
            (Act.ADD, "identity_provider"),
            (Act.ADD, "identity_provider_secret"),
        }


class TestCheckIssuer:
    def test_drops_a_final_slash(self) -> None:
        assert check_issuer(" https://id.example/tenant/ ") == "https://id.example/tenant"

    @pytest.mark.parametrize(
        "issuer",
        [
            *("", "id.example", "https://", "https://u:p@id.example", "https://id.example?x=1", "https://id.example#x"),
            *(
                "javascript:alert(1)",
                "https://id.example:x",
                "https://id exa.mple",
                "https://ïd.example",
                "https://a\nb",
            ),
        ],
    )
    def test_refuses_what_is_no_plain_address(self, issuer: str) -> None:
        with pytest.raises(ProviderInvalid):
            check_issuer(issuer)

    @given(text_of_any_kind(max_size=40))
    def test_survives_anything(self, issuer: str) -> None:
        with suppress(ProviderInvalid):
            assert check_issuer(f"https://{issuer}").startswith("https://")


class TestGetProvider:
    def test_finds_none_of_another_agency(self, database: Database, council: Tenant, other: Tenant) -> None:
        provider_id = added(database, council)

        with database.transaction(other.scope) as session:
            said = []
            for asked in (provider_id, uuid4()):
                with pytest.raises(ProviderUnknown) as refusal:
                    get_provider(session, asked)
                said.append(str(refusal.value))
            assert list_providers(session) == []
        assert said[0] == said[1]


class TestSwitchOn:
    def test_wants_a_trial(self, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)

        with database.transaction(council.scope) as session, pytest.raises(NotTried):
            switch_on(session, get_provider(session, provider_id))
        with database.transaction(council.scope) as session, pytest.raises(DBAPIError):
            # The database holds to it too.
            session.execute(text("UPDATE identity_provider SET state = 'on' WHERE id = :id"), {"id": provider_id})

    def test_takes_the_place_of_what_led_to_the_same_issuer(self, database: Database, council: Tenant) -> None:
        first, second = (on(database, council, issuer="https://same.example") for _ in range(2))

        assert (state(database, council, first), state(database, council, second)) == ("off", "on")

    def test_leaves_another_issuer_on(self, database: Database, council: Tenant) -> None:
        first, second = on(database, council), on(database, council)

        assert (state(database, council, first), state(database, council, second)) == ("on", "on")

    def test_lists_the_way_for_nobody_alone(self, database: Database, council: Tenant) -> None:
        provider_id = on(database, council)

        with database.transaction(NOBODY) as session:
            assert provider_id in {way.id for way in list_ways(session)}
        with database.transaction(council.scope) as session:
            assert list_ways(session) == []


class TestSwitchOff:
    def test_locks_nobody_out_by_accident(self, database: Database, council: Tenant) -> None:
        provider_id = on(database, council)

        with database.transaction(council.scope) as session, pytest.raises(WouldLockOut):
            switch_off(session, get_provider(session, provider_id), default_issuer="https://default.example")
        assert state(database, council, provider_id) == "on"

    def test_lets_go_who_has_another_way_in(self, database: Database, council: Tenant) -> None:
        first, second = on(database, council), on(database, council)

        with database.transaction(council.scope) as session:
            switch_off(session, get_provider(session, first), default_issuer=None)
        # By the site's own service, which knows this person.
        with database.transaction(council.scope) as session:
            switch_off(session, get_provider(session, second), default_issuer=ISSUER)

        assert state(database, council, second) == "off"

    def test_may_be_done_on_the_host(self, database: Database, council: Tenant) -> None:
        provider_id = on(database, council)

        with database.transaction(replace(council.scope, person_id=None)) as session:
            switch_off(session, get_provider(session, provider_id), default_issuer=None)

        assert state(database, council, provider_id) == "off"


class TestCloseDefault:
    def test_wants_the_service_on(self, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)

        with database.transaction(council.scope) as session, pytest.raises(NotTried):
            close_default(session, get_provider(session, provider_id))

    def test_wants_an_account_there(self, database: Database, council: Tenant, other: Tenant) -> None:
        provider_id = on(database, council)
        colleague = replace(council.scope, person_id=other.scope.person_id)

        with database.transaction(colleague) as session, pytest.raises(WouldLockOut):
            close_default(session, get_provider(session, provider_id))


class TestCountWithoutAccount:
    def test_counts_the_agencys_own_people(self, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)

        with database.transaction(council.scope) as session:
            before = count_without_account(session, get_provider(session, provider_id), now=NOW)
        tried(database, council, provider_id)
        with database.transaction(council.scope) as session:
            after = count_without_account(session, get_provider(session, provider_id), now=NOW)

        assert (before, after) == (1, 0)


class TestSetRoleRules:
    def test_replaces_what_was_said(self, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)

        for value in ("old", "new"):
            with database.transaction(council.scope) as session:
                provider = get_provider(session, provider_id)
                set_role_rules(session, provider, claim="groups", rules=[(value, Role.MANAGER)] * 2)

        with database.transaction(council.scope) as session:
            rules = list_role_rules(session, get_provider(session, provider_id))
        assert [(rule.claim_value, rule.role) for rule in rules] == [("new", Role.MANAGER)]

    def test_keeps_who_made_what_stays_as_it_was(self, database: Database, council: Tenant) -> None:
        provider_id, host = added(database, council), replace(council.scope, person_id=None)
        steps = (("groups", host, ["a"]), ("groups", council.scope, ["a", "b"]), ("nickname", council.scope, ["a"]))
        said = []

        for claim, scope, values in steps:
            with database.transaction(scope) as session:
                provider = get_provider(session, provider_id)
                set_role_rules(session, provider, claim=claim, rules=[(each, Role.MANAGER) for each in values])
                said.append([rule.set_by for rule in list_role_rules(session, provider)])

        me = council.scope.person_id
        assert said == [[None], [None, me], [me]]

    def test_is_for_whoever_administers_the_agency(
        self, database: Database, council: Tenant, factories: Factories
    ) -> None:
        """SQL that was slipped into a colleague's session could otherwise make them an administrator."""
        provider_id = added(database, council)
        colleague = factories.colleague(council, roles=frozenset({Role.FAMILY_FINDER, Role.MANAGER}))

        with pytest.raises(StaleDataError), database.transaction(colleague.scope) as session:
            set_role_rules(session, get_provider(session, provider_id), claim="sub", rules=[])
        rule = {"provider": provider_id, "agency": council.id, "person": colleague.scope.person_id}
        insert = text("INSERT INTO identity_provider_role VALUES (:provider, :agency, 'me', 'manager', :person)")
        with pytest.raises(DBAPIError), database.transaction(colleague.scope) as session:
            session.execute(insert, rule)
        with pytest.raises(DBAPIError):
            added(database, colleague)

    @pytest.mark.parametrize(
        ("claim", "rule"),
        [
            (None, ("a", Role.MANAGER)),
            ("groups", ("", Role.MANAGER)),
            ("groups", ("a", Role.OPERATOR)),
            # A role of the consortium's office alone.
            ("groups", ("a", Role.COORDINATOR)),
        ],
    )
    def test_refuses_what_cannot_be(
        self, database: Database, council: Tenant, claim: str | None, rule: tuple[str, Role]
    ) -> None:
        provider_id = added(database, council)

        with database.transaction(council.scope) as session, pytest.raises(ProviderInvalid):
            set_role_rules(session, get_provider(session, provider_id), claim=claim, rules=[rule])


class TestTakeTrial:
    def test_refuses_the_account_of_somebody_else(self, database: Database, council: Tenant, other: Tenant) -> None:
        issuer = f"https://{uuid4().hex}.example"
        theirs, ours = added(database, other, issuer=issuer), added(database, council, issuer=issuer)
        tried(database, other, theirs, subject="theirs")

        with pytest.raises(TrialFailed):
            tried(database, council, ours, subject="theirs")
        assert state(database, council, ours) == "draft"

    def test_is_for_the_agencys_own_people(self, database: Database, council: Tenant, other: Tenant) -> None:
        with pytest.raises(TrialFailed):
            tried(database, other, added(database, council))

    def test_is_for_nobodys_scope(self, database: Database, council: Tenant) -> None:
        provider_id = added(database, council)

        with pytest.raises(DBAPIError):
            tried(database, council, provider_id, scope=council.scope)


class TestSharedIssuer:
    """Two agencies whose people are with one provider, known there by the same subjects."""

    def test_vouches_by_each_agencys_own_service_for_that_agency_alone(
        self, database: Database, council: Tenant, other: Tenant
    ) -> None:
        issuer, subject = f"https://{uuid4().hex}.example", uuid4().hex
        # The one calls anything a second step; the other asks for a real one.
        lax = added(database, council, issuer=issuer, acr_values=["any"])
        tried(database, council, lax, subject=subject)
        strict = on(database, other, issuer=issuer, second_step=True, acr_values=["strong"])
        appointed(database, council, to=other)
        with database.transaction(council.scope) as session:
            switch_on(session, get_provider(session, lax))

        with database.transaction(NOBODY) as session:
            vouched = Vouched(provider_id=lax, second_step=True)
            token = sign_in(session, issuer=issuer, subject=subject, now=NOW, vouched=vouched).token
            there = find_session(session, token=token, now=NOW)
            with pytest.raises(NotAppointed):
                act_for(session, token=token, agency_id=other.id, consortium_id=None, now=NOW)

        assert there is not None
        assert there.agency_id == council.id
        assert state(database, other, strict) == "on"


class TestClaims:
    def test_give_no_role_to_whoever_made_the_rule(
        self, database: Database, factories: Factories, council: Tenant
    ) -> None:
        administrator = factories.colleague(council, roles=frozenset({Role.ADMINISTRATOR}))
        provider_id = on(database, administrator)
        with database.transaction(administrator.scope) as session:
            rules = [("guards", Role.INFORMATION_GOVERNANCE)]
            set_role_rules(session, get_provider(session, provider_id), claim="groups", rules=rules)

        assert came_in(database, administrator, provider_id, "guards") == {Role.ADMINISTRATOR}

    def test_take_back_nobody_who_was_let_go(self, database: Database, factories: Factories, council: Tenant) -> None:
        leaver = factories.colleague(council, roles=frozenset({Role.FAMILY_FINDER}))
        provider_id = on(database, leaver, by=council)
        with database.transaction(replace(council.scope, person_id=None)) as session:
            rules = [("all", Role.FAMILY_FINDER), ("heads", Role.MANAGER)]
            set_role_rules(session, get_provider(session, provider_id), claim="groups", rules=rules)
        before = came_in(database, leaver, provider_id, "heads")
        assert leaver.scope.person_id
        with database.transaction(council.scope) as session:
            agency, person = get_agency(session, council.id), get_person(session, leaver.scope.person_id)
            leave(session, person, agency=agency, now=NOW)

        assert before == {Role.FAMILY_FINDER, Role.MANAGER}
        assert came_in(database, leaver, provider_id, "all") == set()


class TestMarkOf:
    def test_differs_by_agency_and_issuer(self) -> None:
        one, two = uuid4(), uuid4()

        marks = {
            mark_of(agency, issuer) for agency in (one, two) for issuer in ("https://a.example", "https://b.example")
        }

        assert len(marks) == 4
        assert {len(mark) for mark in marks} == {16}


def added(database: Database, tenant: Tenant, **facts: Any) -> UUID:
    known = {"name": "Account", "issuer": f"https://{uuid4().hex}.example", "client_id": "concord", "secret": SECRET}
    with database.transaction(tenant.scope) as session:
        return add_provider(session, **{**known, **facts}, now=NOW).id


def tried(
    database: Database, tenant: Tenant, provider_id: UUID, *, subject: str | None = None, scope: Scope = NOBODY
) -> None:
    person_id = tenant.scope.person_id
    assert person_id
    with database.transaction(scope) as session:
        take_trial(session, provider_id=provider_id, person_id=person_id, subject=subject or tenant.slug, now=NOW)


def on(database: Database, tenant: Tenant, *, by: Tenant | None = None, **facts: Any) -> UUID:
    provider_id = added(database, by or tenant, **facts)
    tried(database, tenant, provider_id, subject=tenant.subject)
    with database.transaction((by or tenant).scope) as session:
        switch_on(session, get_provider(session, provider_id))
    return provider_id


def appointed(database: Database, whom: Tenant, *, to: Tenant) -> None:
    assert whom.scope.person_id
    with database.transaction(OPERATOR) as session:
        person, agency = get_person(session, whom.scope.person_id), get_agency(session, to.id)
        appoint(session, person, agency=agency, role=Role.MANAGER, starts_on=LONG_AGO)


def came_in(database: Database, whom: Tenant, provider_id: UUID, *claims: str) -> set[Role]:
    """Return what somebody may do who comes in by a service with these values of the claim."""
    with database.transaction(NOBODY) as session:
        (found,) = find_connections(session, provider_id=provider_id)
        vouched = Vouched(provider_id=provider_id, claims=claims)
        token = sign_in(session, issuer=found.issuer, subject=whom.subject, now=NOW, vouched=vouched).token
        session_found = find_session(session, token=token, now=NOW)
    assert session_found is not None
    return set(session_found.roles)


def state(database: Database, tenant: Tenant, provider_id: UUID) -> ProviderState:
    with database.transaction(tenant.scope) as session:
        return get_provider(session, provider_id).state


@pytest.fixture
def council(factories: Factories) -> Tenant:
    return factories.tenant(factories.consortium())


@pytest.fixture
def other(factories: Factories) -> Tenant:
    return factories.tenant(factories.consortium())


@pytest.fixture(autouse=True, scope="module")
def tidied(database: Database) -> Any:
    """Leave no way in behind: other tests' sites would offer it."""
    yield
    with database.transaction(NOBODY) as session:
        ways = list_ways(session)
    for way in ways:
        with database.transaction(Scope(agency_id=way.agency_id)) as session:
            switch_off(session, get_provider(session, way.id), default_issuer=None)
