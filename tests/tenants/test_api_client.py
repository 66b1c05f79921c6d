from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm.exc import StaleDataError

from tenants import audit
from tenants.api_client import (
    LONGEST_DAYS,
    OVERLAP_DAYS,
    ClientInvalid,
    ClientOver,
    ClientUnknown,
    NewSecret,
    add_client,
    end_client,
    get_client,
    list_clients,
    list_secrets,
    rotate_secret,
)
from tenants.api_scope import ScopeUnknown
from tenants.api_token import find_credentials
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tenants.scope import NOBODY
from tests.factories import NOW, Factories, Tenant

DAY = timedelta(days=1)


def add(database: Database, tenant: Tenant, name: str = "Case system", days: int = 30) -> NewSecret:
    with database.transaction(tenant.scope) as session:
        return add_client(session, name=name, scopes=["groups.read", "rankings"], days=days, now=NOW)


def opens(database: Database, made: NewSecret, secret: str, *, after: timedelta = timedelta()) -> bool:
    with database.transaction(NOBODY) as session:
        found = find_credentials(session, made.client.id, now=NOW + after)
    return found is not None and found.matches(secret)


class TestAddClient:
    def test_shows_the_secret_once_and_keeps_its_digest(self, database: Database, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]

        made = add(database, tenant)

        assert made.secret.startswith("ccs_")
        assert made.client.scopes == ["groups.read", "rankings"]
        assert opens(database, made, made.secret)
        assert not opens(database, made, made.secret + "x")

    def test_is_for_whoever_administers_the_agency_in_the_database_too(
        self, database: Database, factories: Factories
    ) -> None:
        """SQL that was slipped into a colleague's session could otherwise open a door that stays open."""
        tenant = factories.two_tenants()[0]
        made = add(database, tenant)
        finder = factories.colleague(tenant, roles=frozenset({Role.FAMILY_FINDER}))
        pretending = replace(tenant, scope=replace(finder.scope, roles=tenant.scope.roles))

        with pytest.raises(ProgrammingError):
            add(database, pretending)
        with pytest.raises(StaleDataError), database.transaction(pretending.scope) as session:
            rotate_secret(session, get_client(session, made.client.id), now=NOW)

    def test_hides_the_digest_from_every_login(self, database: Database, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]
        add(database, tenant)

        with pytest.raises(ProgrammingError), database.transaction(tenant.scope) as session:
            session.execute(text("SELECT digest FROM api_client_secret"))

    def test_is_for_administrators(self, database: Database, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]
        manager = tenant.acting_as(Role.MANAGER)

        with pytest.raises(NotAllowed), database.transaction(manager) as session:
            add_client(session, name="Case system", scopes=["groups.read"], now=NOW)

    @pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b"])
    def test_refuses_names_that_nobody_can_read(self, database: Database, factories: Factories, name: str) -> None:
        with pytest.raises(ClientInvalid), database.transaction(factories.two_tenants()[0].scope) as session:
            add_client(session, name=name, scopes=["groups.read"], now=NOW)

    @pytest.mark.parametrize("days", [0, -1, LONGEST_DAYS + 1])
    def test_refuses_days_without_end(self, database: Database, factories: Factories, days: int) -> None:
        with pytest.raises(ClientInvalid), database.transaction(factories.two_tenants()[0].scope) as session:
            add_client(session, name="Case system", scopes=["groups.read"], days=days, now=NOW)

    @pytest.mark.parametrize("scopes", [[], ["everything"], ["groups.read", ""]])
    def test_refuses_scopes_that_there_are_none_of(
        self, database: Database, factories: Factories, scopes: list[str]
    ) -> None:
        with pytest.raises(ScopeUnknown), database.transaction(factories.two_tenants()[0].scope) as session:
            add_client(session, name="Case system", scopes=scopes, now=NOW)


class TestGetClient:
    def test_finds_no_other_agencys(self, database: Database, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        made = add(database, theirs)

        with database.transaction(ours.scope) as session:
            with pytest.raises(ClientUnknown) as anothers:
                get_client(session, made.client.id)
            with pytest.raises(ClientUnknown) as nobodys:
                get_client(session, uuid4())

        assert str(anothers.value) == str(nobodys.value)


class TestListClients:
    def test_lists_ones_own_by_name(self, database: Database, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        for name in ("Returns", "Case system"):
            add(database, ours, name)
        add(database, theirs, "Theirs")

        with database.transaction(ours.scope) as session:
            assert [client.name for client in list_clients(session)] == ["Case system", "Returns"]


class TestRotateSecret:
    def test_lets_the_one_before_go_on_for_the_overlap(self, database: Database, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]
        made = add(database, tenant)

        with database.transaction(tenant.scope) as session:
            after = rotate_secret(session, get_client(session, made.client.id), now=NOW)

        almost, over = timedelta(days=OVERLAP_DAYS, seconds=-1), timedelta(days=OVERLAP_DAYS)
        assert [opens(database, made, made.secret, after=each) for each in (almost, over)] == [True, False]
        assert [opens(database, made, after.secret, after=each) for each in (almost, over)] == [True, True]

    def test_leaves_at_most_two(self, database: Database, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]
        made = add(database, tenant)

        with database.transaction(tenant.scope) as session:
            client = get_client(session, made.client.id)
            second = rotate_secret(session, client, now=NOW + DAY)
            third = rotate_secret(session, client, now=NOW + 2 * DAY)
            assert len(list_secrets(session, client, now=NOW + 2 * DAY)) == 2

        found = [opens(database, made, each.secret, after=2 * DAY) for each in (made, second, third)]
        assert found == [False, True, True]

    def test_can_end_the_one_before_at_once(self, database: Database, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]
        made = add(database, tenant)

        with database.transaction(tenant.scope) as session:
            rotate_secret(session, get_client(session, made.client.id), overlap_days=0, now=NOW)

        assert not opens(database, made, made.secret)

    def test_refuses_a_client_whose_time_is_over(self, database: Database, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]
        made = add(database, tenant, days=1)

        with pytest.raises(ClientOver), database.transaction(tenant.scope) as session:
            rotate_secret(session, get_client(session, made.client.id), now=NOW + DAY)


class TestEndClient:
    def test_shuts_it_out_once_and_for_all(self, database: Database, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]
        made = add(database, tenant)

        with database.transaction(tenant.scope) as session:
            end_client(session, get_client(session, made.client.id), now=NOW)
            with pytest.raises(ClientOver):
                end_client(session, get_client(session, made.client.id), now=NOW)
            acts = [entry.act for entry in audit.list_entries_of(session, made.client.id)]

        assert not opens(database, made, made.secret)
        assert sorted(acts) == ["add", "revoke"]

    def test_cannot_be_undone_by_sql(self, database: Database, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        made = add(database, theirs)

        with database.transaction(ours.scope) as session:
            ended = session.execute(text("UPDATE api_client SET ended_at = now() WHERE true"))

        assert ended.rowcount == 0  # type: ignore[attr-defined]
        assert opens(database, made, made.secret)
