"""The logins: as powerful as they need to be, and no more."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from concord.servers.login import (
    APP,
    LOGINS,
    MIGRATE,
    RELAY,
    DatabaseUrls,
    LoginTooPowerful,
    prepare,
    prepare_from,
    urls_for,
)
from concord.settings import SettingInvalid, SettingMissing, Settings, libpq_url
from tests.servers import PASSWORDS


class TestPrepare:
    def test_each_login_gets_in_and_is_no_more_than_it_should_be(self, database_urls: DatabaseUrls) -> None:
        for url, login in ((database_urls.migrate, MIGRATE), (database_urls.app, APP), (database_urls.relay, RELAY)):
            with psycopg.connect(libpq_url(url)) as connection:
                row = connection.execute(
                    "SELECT current_user, rolsuper, rolbypassrls, rolcreatedb, rolreplication, rolcreaterole "
                    "FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
            assert row == (login, False, False, False, False, login == MIGRATE)

    def test_doing_it_again_changes_nothing(self, database_urls: DatabaseUrls) -> None:
        again = prepare(database_urls.admin, PASSWORDS)

        assert again == database_urls
        psycopg.connect(libpq_url(again.app)).close()

    def test_the_database_is_the_migrating_logins_and_closed_to_others(self, database_urls: DatabaseUrls) -> None:
        with psycopg.connect(libpq_url(database_urls.admin)) as connection:
            row = connection.execute(
                "SELECT pg_get_userbyid(datdba), datlocprovider, datlocale, datacl::text FROM pg_database "
                "WHERE datname = current_database()"
            ).fetchone()

        assert row is not None
        assert row[:3] == (MIGRATE, "b", "C.UTF-8")
        # A grant to everybody is written with no name before the sign.
        assert "{=" not in row[3]
        assert ",=" not in row[3]

    def test_a_login_that_could_look_past_the_wall_is_refused(
        self, database_urls: DatabaseUrls, admin: psycopg.Connection
    ) -> None:
        admin.execute("ALTER ROLE concord_relay BYPASSRLS")
        try:
            with pytest.raises(LoginTooPowerful, match="ALTER ROLE concord_relay"):
                prepare(database_urls.admin, PASSWORDS)
        finally:
            admin.execute("ALTER ROLE concord_relay NOBYPASSRLS")

    def test_a_second_database_with_an_awkward_name(
        self, database_urls: DatabaseUrls, admin: psycopg.Connection
    ) -> None:
        name = 'con"cord 2/ŵ'
        try:
            urls = prepare(database_urls.admin, PASSWORDS, database=name)
            with psycopg.connect(libpq_url(urls.app)) as connection:
                assert connection.execute("SELECT current_database()").fetchone() == (name,)
        finally:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))

    def test_an_administrator_who_is_no_superuser_is_enough(
        self, database_urls: DatabaseUrls, admin: psycopg.Connection
    ) -> None:
        admin.execute("CREATE ROLE steward LOGIN CREATEROLE CREATEDB PASSWORD 'steward'")
        for login in LOGINS:
            admin.execute(sql.SQL("GRANT {} TO steward WITH ADMIN OPTION").format(sql.Identifier(login)))
        url = database_urls.admin.replace("postgres:superuser-for-tests@", "steward:steward@")
        try:
            urls = prepare(url.rpartition("/")[0] + "/postgres", PASSWORDS, database="stewarded")
            psycopg.connect(libpq_url(urls.relay)).close()
        finally:
            admin.execute("DROP DATABASE IF EXISTS stewarded")
            admin.execute("DROP OWNED BY steward")
            admin.execute("DROP ROLE steward")


class TestUrlsFor:
    def test_a_password_is_quoted(self) -> None:
        urls = urls_for("postgresql://a:b@h:1/postgres?sslmode=require", dict.fromkeys(LOGINS, "p@/:?#"))

        assert urls.app == "postgresql+psycopg://concord_app:p%40%2F%3A%3F%23@h:1/concord?sslmode=require"
        assert "p@/" not in repr(urls)


class TestPrepareFrom:
    def test_passwords_and_database_come_from_the_addresses(self, database_urls: DatabaseUrls) -> None:
        assert prepare_from(_settings(database_urls)) == database_urls

    def test_every_missing_address_is_named(self) -> None:
        with pytest.raises(
            SettingMissing, match="DATABASE_ADMIN_URL, DATABASE_MIGRATE_URL, DATABASE_URL, DATABASE_RELAY_URL"
        ):
            prepare_from(Settings())

    def test_another_logins_address_is_refused(self, database_urls: DatabaseUrls) -> None:
        urls = DatabaseUrls(database_urls.admin, database_urls.migrate, database_urls.relay, database_urls.relay)

        with pytest.raises(SettingInvalid, match="DATABASE_URL must log in as concord_app"):
            prepare_from(_settings(urls))

    def test_two_databases_are_refused(self, database_urls: DatabaseUrls) -> None:
        urls = DatabaseUrls(database_urls.admin, database_urls.migrate + "2", database_urls.app, database_urls.relay)

        with pytest.raises(SettingInvalid, match="the same database"):
            prepare_from(_settings(urls))


def _settings(urls: DatabaseUrls) -> Settings:
    return Settings(
        database_admin_url=urls.admin,
        database_migrate_url=urls.migrate,
        database_url=urls.app,
        database_relay_url=urls.relay,
    )


@pytest.fixture
def admin(database_urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(libpq_url(database_urls.admin), autocommit=True) as connection:
        yield connection
