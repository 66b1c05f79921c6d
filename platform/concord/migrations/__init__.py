"""Bring a database to the shape that this release expects, and say which shape it has."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from concord.migrations.custody import keep_custody
from concord.migrations.sealing import keep_sealing
from matching.need import need_catalogue
from matching.place import list_outward_codes
from matching.sealed_column import UNDER_AGENCY_KEYS, UNDER_MASTER_KEY
from matching.summary import HERITAGE_WORDS
from matching.zone import zone_of, zone_table
from tenants.scope import hmac_pads


def upgrade(migrate_url: str, *, scope_key: bytes) -> None:
    """Create or upgrade everything: roles, tables, policies, the scope key and the tables of places.

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
            _keep_zones(connection)
            _keep_search_terms(connection)
            _keep_resealing(connection)
            keep_custody(connection)
            keep_sealing(connection)
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
        "INSERT INTO outward_code (code, easting, northing, extent_m, zone) "
        "VALUES (:code, :easting, :northing, :extent_m, :zone) "
        "ON CONFLICT (code) DO UPDATE SET easting = excluded.easting, northing = excluded.northing, "
        "extent_m = excluded.extent_m, zone = excluded.zone WHERE outward_code IS DISTINCT FROM excluded"
    )
    connection.execute(
        statement,
        [
            {
                "code": place.code,
                "easting": place.easting,
                "northing": place.northing,
                "extent_m": place.extent_m,
                "zone": zone_of(place),
            }
            for place in list_outward_codes()
        ],
    )


def _keep_zones(connection: Connection) -> None:
    table = zone_table()
    rows = [
        {"number": row + 1, **{name: getattr(table, name)[row].tolist() for name in ("bands", "passes", "fails")}}
        for row in range(len(table.bands))
    ]
    connection.execute(text("DELETE FROM zone WHERE number > :last"), {"last": len(rows)})
    connection.execute(
        text(
            "INSERT INTO zone (number, bands, passes, fails) VALUES (:number, :bands, :passes, :fails) "
            "ON CONFLICT (number) DO UPDATE SET bands = excluded.bands, passes = excluded.passes, "
            "fails = excluded.fails WHERE zone IS DISTINCT FROM excluded"
        ),
        rows,
    )


def _keep_search_terms(connection: Connection) -> None:
    """Let records be found by this release's words for needs and origins; where they changed, keep all words anew."""
    terms = {("need", need.code): need.title for need in need_catalogue().needs}
    terms |= {("heritage", code): words for code, words in HERITAGE_WORDS.items()}
    known = {(kind, code): words for kind, code, words in connection.execute(text("SELECT * FROM search_term"))}
    if known == terms:
        return
    connection.execute(text("DELETE FROM search_term"))
    connection.execute(
        text("INSERT INTO search_term (kind, code, words) VALUES (:kind, :code, :words)"),
        [{"kind": kind, "code": code, "words": words} for (kind, code), words in sorted(terms.items())],
    )
    connection.execute(text("SELECT keep_words_of_all()"))


def _keep_resealing(connection: Connection) -> None:
    """Let the role that changes keys read and write every sealed column, and the ids they are bound to, alone."""
    known = set(connection.scalars(text("SELECT tablename FROM pg_policies WHERE policyname = 'change_keys_read'")))
    for each in (*UNDER_AGENCY_KEYS, *UNDER_MASTER_KEY):
        # What lies under the master key may be two agencies': no column names the one whose it is.
        owner = "agency_id, " if each in UNDER_AGENCY_KEYS else ""
        given = f"SELECT ({owner}{each.row}, {each.column}), UPDATE ({each.column})"
        connection.execute(text(f"GRANT {given} ON {each.table} TO concord_keys"))
        if each.table not in known:
            known.add(each.table)
            for name, verb in (("read", "SELECT"), ("update", "UPDATE")):
                policy = f"change_keys_{name} ON {each.table} FOR {verb} TO concord_keys USING (true)"
                connection.execute(text(f"CREATE POLICY {policy}"))


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
