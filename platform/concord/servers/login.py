"""The logins that Concord uses on PostgreSQL, and the database they meet in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

import psycopg
from psycopg import sql

from concord.settings import DRIVER, SettingInvalid, SettingMissing, Settings, libpq_url
from tenants.error import Conflict

MIGRATE, APP, RELAY = "concord_migrate", "concord_app", "concord_relay"
LOGINS = (MIGRATE, APP, RELAY)
DATABASE = "concord"
LEAST_VERSION = 17

_PLAIN = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOREPLICATION"
# The first migration makes the roles that can't log in, so its login must be able to.
_FIRST = {MIGRATE: f"{_PLAIN} CREATEROLE", APP: f"{_PLAIN} NOCREATEROLE", RELAY: f"{_PLAIN} NOCREATEROLE"}


class LoginTooPowerful(Conflict):
    """A login could look past row-level security."""


class ServerTooOld(Conflict):
    """The server is older than the oldest version that Concord works with."""


class ExtensionMissing(Conflict):
    """The server was installed without an extension that Concord needs."""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Addresses of one database for each login, and for the administrator, as SQLAlchemy reads them."""

    admin: str = field(repr=False)
    migrate: str = field(repr=False)
    app: str = field(repr=False)
    relay: str = field(repr=False)


def prepare(admin_url: str, passwords: Mapping[str, str], *, database: str = DATABASE) -> DatabaseUrls:
    """Make the logins and the database, or put right those that are there; doing it again changes nothing.

    ``admin_url`` is of a superuser, or of a login with CREATEROLE and CREATEDB. ``passwords`` are by login. The
    database belongs to ``concord_migrate``, and only the three logins may connect to it.

    :raises ServerTooOld: before PostgreSQL 17.
    :raises ExtensionMissing: when the server cannot find words that are spelt alike.
    :raises LoginTooPowerful: when a login that is there is a superuser or has BYPASSRLS.
    """
    with psycopg.connect(libpq_url(admin_url), autocommit=True, connect_timeout=10) as connection:
        _require_version(connection)
        _require_extension(connection)
        for login in LOGINS:
            _put_login(connection, login, passwords[login])
        _put_database(connection, database)
    return urls_for(admin_url, passwords, database=database)


def urls_for(admin_url: str, passwords: Mapping[str, str], *, database: str = DATABASE) -> DatabaseUrls:
    """Return the addresses of ``database`` on the administrator's server."""
    parts = urlsplit(libpq_url(admin_url))
    place = parts.netloc.rpartition("@")[2]
    admin = parts._replace(path=f"/{quote(database, safe='')}").geturl().replace("postgresql://", f"{DRIVER}://", 1)

    def url(login: str) -> str:
        query = f"?{parts.query}" if parts.query else ""
        return f"{DRIVER}://{login}:{quote(passwords[login], safe='')}@{place}/{quote(database, safe='')}{query}"

    return DatabaseUrls(admin=admin, migrate=url(MIGRATE), app=url(APP), relay=url(RELAY))


def prepare_from(settings: Settings) -> DatabaseUrls:
    """Prepare a real server from the addresses that the environment gives: passwords and database are theirs.

    :raises SettingMissing: when an address is absent.
    :raises SettingInvalid: when an address has another login's name, no password, or another database.
    """
    given = {
        MIGRATE: ("DATABASE_MIGRATE_URL", settings.database_migrate_url),
        APP: ("DATABASE_URL", settings.database_url),
        RELAY: ("DATABASE_RELAY_URL", settings.database_relay_url),
    }
    missing = [name for name, url in given.values() if not url]
    if not settings.database_admin_url:
        missing.insert(0, "DATABASE_ADMIN_URL")
    if missing or settings.database_admin_url is None:
        raise SettingMissing(f"Set {', '.join(missing)}: the logins and their passwords are taken from the addresses.")
    passwords = {login: _password(name, url or "", login) for login, (name, url) in given.items()}
    databases = {unquote(urlsplit(url or "").path.strip("/")) for _, url in given.values()}
    if len(databases) != 1 or not (database := databases.pop()):
        raise SettingInvalid("DATABASE_URL, DATABASE_MIGRATE_URL and DATABASE_RELAY_URL must name the same database.")
    return prepare(settings.database_admin_url, passwords, database=database)


def _password(name: str, url: str, login: str) -> str:
    parts = urlsplit(url)
    if parts.username != login or not parts.password:
        raise SettingInvalid(
            f"{name} must log in as {login}, with a password: {DRIVER}://{login}:password@host/concord."
        )
    return unquote(parts.password)


def _require_version(connection: psycopg.Connection) -> None:
    version = connection.info.server_version // 10000
    if version < LEAST_VERSION:
        raise ServerTooOld(f"The database is PostgreSQL {version}; Concord needs {LEAST_VERSION} or later.")


def _require_extension(connection: psycopg.Connection) -> None:
    # The first migrations add it, as the database's owner may; it only has to be there.
    if connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'").fetchone() is None:
        raise ExtensionMissing(
            "The database server lacks the extension pg_trgm. It comes with PostgreSQL’s contrib package: install that "
            "on the server, for instance “postgresql-contrib”, and run this again."
        )


def _put_login(connection: psycopg.Connection, login: str, password: str) -> None:
    role = sql.Identifier(login)
    found = connection.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [login]).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE ROLE {} " + _FIRST[login]).format(role))
    elif found[0]:
        raise LoginTooPowerful(
            f"The login {login} is a superuser or has BYPASSRLS, and would see every agency's rows. "
            f"As the administrator: ALTER ROLE {login} NOSUPERUSER NOBYPASSRLS."
        )
    # Only a hash travels and can be logged, never the password.
    verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(verifier)))


def _put_database(connection: psycopg.Connection, database: str) -> None:
    name, owner = sql.Identifier(database), sql.Identifier(MIGRATE)
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        if not _is_superuser(connection):
            # To give a thing to a role one must be able to act as that role.
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
        make = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin"
        connection.execute(sql.SQL(make + " BUILTIN_LOCALE 'C.UTF-8'").format(name, owner))
    logins = sql.SQL(", ").join(map(sql.Identifier, LOGINS))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, logins))


def _is_superuser(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(found and found[0])
