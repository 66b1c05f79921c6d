"""Bring a database to the shape that this release expects, and say which shape it has."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from matching.place import list_outward_codes
from tenants.scope import hmac_pads


def upgrade(migrate_url: str, *, scope_key: bytes) -> None:
    """Create or upgrade everything: roles, tables, policies, the scope key and the table of outward codes.

    Safe to run at any time and by several programs at once; all of it is one transaction.
    """
    engine = create_engine(migrate_url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            # Held for the whole upgrade: two programs that start together must not both migrate.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('concord.migrate'))"))
            _keep_roles(connection)
            connection.execute(text("SET LOCAL ROLE concord_owner"))
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            with as_file(files(__name__)) as directory:
                config = Config()
                config.set_main_option("script_location", str(directory))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            _keep_outward_codes(connection)
            _keep_scope_key(connection, scope_key)
    finally:
        engine.dispose()


def current_head() -> str:
    """Return the revision that this release expects."""
    with as_file(files(__name__)) as directory:
        config = Config()
        config.set_main_option("script_location", str(directory))
        head = ScriptDirectory.from_config(config).get_current_head()
    if head is None:
        raise RuntimeError("this release carries no migrations")
    return head


def database_revision(url: str) -> str | None:
    """Return the revision that a database has, or ``None`` when it has none; any login role may ask."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def _keep_roles(connection: Connection) -> None:
    # The driver itself runs it: several statements at once, and its per cent signs are no placeholders.
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection was closed under the upgrade")
    driver.execute((files(__name__) / "roles.sql").read_text(encoding="utf-8"))


def _keep_outward_codes(connection: Connection) -> None:
    statement = text(
        "INSERT INTO outward_code (code, easting, northing, extent_m) VALUES (:code, :easting, :northing, :extent_m) "
        "ON CONFLICT (code) DO UPDATE SET easting = excluded.easting, northing = excluded.northing, "
        "extent_m = excluded.extent_m WHERE outward_code IS DISTINCT FROM excluded"
    )
    connection.execute(
        statement,
        [
            {"code": place.code, "easting": place.easting, "northing": place.northing, "extent_m": place.extent_m}
            for place in list_outward_codes()
        ],
    )


def _keep_scope_key(connection: Connection, scope_key: bytes) -> None:
    inner, outer = hmac_pads(scope_key)
    connection.execute(text("SET LOCAL ROLE concord_scope"))
    # One key is in force: the one this program was given. Changing it shuts out whoever still signs with the old.
    connection.execute(text("DELETE FROM scope_key WHERE inner_pad <> :inner"), {"inner": inner})
    connection.execute(
        text("INSERT INTO scope_key (inner_pad, outer_pad) VALUES (:inner, :outer) ON CONFLICT DO NOTHING"),
        {"inner": inner, "outer": outer},
    )
    connection.execute(text("RESET ROLE"))
