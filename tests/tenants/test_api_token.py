from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tenants import audit
from tenants.api_client import NewSecret, add_client, end_client, get_client
from tenants.api_token import TOKEN_MINUTES, Caller, ClientGone, end_token, find_caller, find_credentials, start_token
from tenants.database import Database
from tenants.permission import Verb, may
from tenants.scope import NOBODY, OPERATOR
from tests.factories import NOW, Factories, Tenant

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def tenant(factories: Factories) -> Tenant:
    return factories.two_tenants()[0]


@pytest.fixture
def made(database: Database, tenant: Tenant) -> NewSecret:
    with database.transaction(tenant.scope) as session:
        return add_client(session, name="Case system", scopes=["groups.read", "pool.read"], days=2, now=NOW)


def start(database: Database, made: NewSecret, *scopes: str, after: timedelta = timedelta()) -> str:
    with database.transaction(NOBODY) as session:
        return start_token(session, made.client.id, scopes=scopes or ("groups.read",), now=NOW + after)


def caller_of(database: Database, token: str, *, after: timedelta = timedelta()) -> Caller | None:
    with database.transaction(NOBODY) as session:
        return find_caller(session, token=token, now=NOW + after)


class TestStartToken:
    def test_opens_what_was_asked_for_and_no_more(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        caller = caller_of(database, start(database, made, "groups.read"))

        assert caller
        assert (caller.agency_id, caller.scope.person_id, caller.scope.roles) == (tenant.id, None, frozenset())
        assert may(caller.scope, Verb.READ_GROUPS)
        assert not may(caller.scope, Verb.READ_POOL_VIEW)

    def test_refuses_what_the_client_may_not_do(self, database: Database, made: NewSecret) -> None:
        with pytest.raises(ClientGone):
            start(database, made, "groups.read", "identity.read")

    def test_is_put_on_record_under_the_clients_name(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        start(database, made)

        with database.transaction(tenant.scope) as session:
            entries = audit.list_entries_of(session, made.client.id)
        found = [entry for entry in entries if entry.act is audit.Act.SIGN_IN]
        assert [(entry.actor_client_id, entry.actor_person_id) for entry in found] == [(made.client.id, None)]

    def test_is_for_nobodys_scope_alone(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        with pytest.raises(ProgrammingError), database.transaction(tenant.scope) as session:
            start_token(session, made.client.id, scopes=["groups.read"], now=NOW)


class TestFindCaller:
    def test_ends_with_its_minutes(self, database: Database, made: NewSecret) -> None:
        token = start(database, made)

        ends = timedelta(minutes=TOKEN_MINUTES)
        assert caller_of(database, token, after=ends - timedelta(seconds=1))
        assert caller_of(database, token, after=ends) is None

    def test_ends_with_its_clients_time(self, database: Database, made: NewSecret) -> None:
        token = start(database, made, after=2 * DAY - MINUTE)

        assert caller_of(database, token, after=2 * DAY - MINUTE)
        assert caller_of(database, token, after=2 * DAY) is None

    def test_ends_with_its_client(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        token = start(database, made)

        with database.transaction(tenant.scope) as session:
            end_client(session, get_client(session, made.client.id), now=NOW)

        assert caller_of(database, token) is None
        with pytest.raises(ClientGone):
            start(database, made)

    def test_ends_when_the_agency_leaves(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        token = start(database, made)

        with database.transaction(OPERATOR) as session:
            session.execute(
                text("UPDATE consortium_member SET left_on = :day WHERE agency_id = :agency"),
                {"day": NOW.date(), "agency": tenant.id},
            )

        assert caller_of(database, token) is None

    def test_notes_the_last_use(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        token = start(database, made)

        seen = []
        for after in (timedelta(seconds=30), 2 * MINUTE):
            assert caller_of(database, token, after=after)
            with database.transaction(tenant.scope) as session:
                seen.append(get_client(session, made.client.id).last_used_at)

        assert seen == [NOW, NOW + 2 * MINUTE]

    @pytest.mark.parametrize("token", ["", "x", "cct_" + "A" * 43, "\N{SNOWMAN}", "'; DROP TABLE api_token; --"])
    def test_knows_no_invented_token(self, database: Database, token: str) -> None:
        assert caller_of(database, token) is None

    def test_says_nothing_in_another_scope(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        token = start(database, made)

        with database.transaction(tenant.scope) as session:
            assert find_caller(session, token=token, now=NOW) is None
            assert find_credentials(session, made.client.id, now=NOW) is None


class TestEndToken:
    def test_ends_its_own_alone(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        token = start(database, made)
        with database.transaction(tenant.scope) as session:
            other = add_client(session, name="Other", scopes=["groups.read"], now=NOW)

        with database.transaction(NOBODY) as session:
            end_token(session, other.client.id, token=token, now=NOW)
        assert caller_of(database, token)
        with database.transaction(NOBODY) as session:
            end_token(session, made.client.id, token=token, now=NOW)
        assert caller_of(database, token) is None


class TestAuditOfClients:
    """The database lets nobody write in the name of a client that is not their agency's, nor a person in one's."""

    def test_names_the_client(self, database: Database, made: NewSecret) -> None:
        caller = caller_of(database, start(database, made))
        assert caller
        record_id = uuid4()

        with database.transaction(caller.scope) as session:
            audit.record(session, audit.Act.READ, record_kind="household", record_id=record_id, now=NOW)
            (entry,) = audit.list_entries_of(session, record_id)

        assert (entry.actor_client_id, entry.actor_agency_id) == (made.client.id, caller.agency_id)

    def test_lets_no_person_write_in_a_clients_name(self, database: Database, tenant: Tenant, made: NewSecret) -> None:
        forged = replace(tenant.scope, client_id=made.client.id)

        with pytest.raises(ProgrammingError), database.transaction(forged) as session:
            audit.record(session, audit.Act.READ, record_kind="household", now=NOW)

    def test_lets_no_agency_write_in_anothers_clients_name(
        self, database: Database, made: NewSecret, factories: Factories
    ) -> None:
        other = factories.two_tenants()[0]
        forged = replace(other.scope, person_id=None, client_id=made.client.id)

        with pytest.raises(ProgrammingError), database.transaction(forged) as session:
            audit.record(session, audit.Act.READ, record_kind="household", now=NOW)
