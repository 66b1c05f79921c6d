"""Find records by words: what they say is kept as words, and searched by functions with rights of their own.

The words are of the summary and the anonymous profile alone. No login reads them: ``find_households`` and
``find_groups`` answer ids, of what the scope may see. ``pg_trgm`` finds words that are spelt alike; it is of those
extensions that the owner of a database may add, and stands in a schema of its own.
"""

from __future__ import annotations

from alembic import op

from concord.migrations import search_functions as functions
from concord.migrations.search_functions import GROUP, HOUSEHOLD
from concord.migrations.wall import OWN, give_function, may_read, wall

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

SEARCH = "concord_search"
ALL = "SELECT, INSERT, UPDATE, DELETE"

# What the words are made of, and what says who may see whose.
READ = {
    "household": "id, agency_id, code, heritage, religions, languages, cultures",
    "household_profile": "household_id, agency_id, text",
    "household_tolerance": "household_id, agency_id, need, low, medium, high",
    "sibling_group": "id, agency_id, code, heritage, religions, languages, cultures",
    "sibling_group_profile": "sibling_group_id, agency_id, text",
    "child": "id, agency_id, sibling_group_id",
    "child_need": "child_id, agency_id, need, level",
    "pool_entry": "consortium_id, agency_id, household_id, sibling_group_id, stage, held",
    "consortium_member": "consortium_id, agency_id, joined_on, left_on",
}
# What is read by the entries of its record in the pool.
POOLED = {
    "household": (HOUSEHOLD, "id"),
    "household_tolerance": (HOUSEHOLD, "household_id"),
    "household_profile": (HOUSEHOLD, "household_id"),
    "sibling_group": (GROUP, "id"),
    "child": (GROUP, "sibling_group_id"),
    "sibling_group_profile": (GROUP, "sibling_group_id"),
}
HERE = "(SELECT scope_consortium())"
SHARED = (
    "p.stage <> 'in_house' AND NOT p.held "
    f"AND (p.consortium_id = {HERE} OR (p.stage = 'national' AND {HERE} IS NOT NULL))"
)
TRIGGERS = (
    (HOUSEHOLD, "household", ("INSERT", "UPDATE")),
    (HOUSEHOLD, "household_profile", ("INSERT", "UPDATE", "DELETE")),
    (HOUSEHOLD, "household_tolerance", ("INSERT", "UPDATE", "DELETE")),
    (GROUP, "sibling_group", ("INSERT", "UPDATE")),
    (GROUP, "sibling_group_profile", ("INSERT", "UPDATE", "DELETE")),
    (GROUP, "child", ("DELETE",)),
    (GROUP, "child_need", ("INSERT", "UPDATE", "DELETE")),
)


def upgrade() -> None:
    """Create the tables of words, what keeps them, and what searches them; the upgrade itself fills them."""
    _extension()
    _tables()
    for table, columns in READ.items():
        may_read(table, "true", role=SEARCH, name="search")
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO {SEARCH}")
    _functions()
    _triggers()
    _pooled()


def _pooled() -> None:
    # A record's entries in any consortium, by the record: a search asks it of each that holds the words.
    op.execute("CREATE INDEX pool_entry_of_household_idx ON pool_entry (household_id) WHERE household_id IS NOT NULL")
    op.execute(
        "CREATE INDEX pool_entry_of_group_idx ON pool_entry (sibling_group_id) WHERE sibling_group_id IS NOT NULL"
    )
    # The rule of revision 0020, asked of each row: for a few of them it is looked up, for many all entries are hashed
    # as before. As a list, all were read for a single row, and beyond what memory holds for every row anew.
    for table, (kind, column) in POOLED.items():
        op.execute(f"DROP POLICY {table}_read ON {table}")
        entry = f"SELECT FROM pool_entry p WHERE p.{kind.key} = {table}.{column} AND {SHARED}"
        may_read(table, f"{OWN} OR EXISTS ({entry})")


def _extension() -> None:
    # By the login, whose the database is.
    op.execute("RESET ROLE")
    op.execute("CREATE SCHEMA trigram")
    op.execute("CREATE EXTENSION pg_trgm SCHEMA trigram")
    op.execute(f"GRANT USAGE ON SCHEMA trigram TO concord_owner, concord_app, {SEARCH}")
    op.execute("SET LOCAL ROLE concord_owner")


def _tables() -> None:
    for kind in (HOUSEHOLD, GROUP):
        op.execute(f"""
            CREATE TABLE {kind.words} (
                {kind.key} uuid NOT NULL,
                agency_id uuid NOT NULL,
                words tsvector NOT NULL,
                PRIMARY KEY ({kind.key}, agency_id),
                FOREIGN KEY ({kind.key}, agency_id) REFERENCES {kind.record} (id, agency_id)
                    ON UPDATE CASCADE ON DELETE CASCADE
            )
        """)
        op.execute(f"CREATE INDEX {kind.words}_idx ON {kind.words} USING gin (words)")
        op.execute(f"CREATE INDEX {kind.words}_agency_idx ON {kind.words} (agency_id)")
    # Every word of them once or oftener, so that one spelt alike is found; doubted, where a record lost it.
    op.execute("""
        CREATE TABLE search_word (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            word text NOT NULL,
            doubted boolean NOT NULL
        )
    """)
    op.execute("CREATE INDEX search_word_idx ON search_word (word)")
    op.execute("CREATE INDEX search_word_doubted_idx ON search_word (word) WHERE doubted")
    op.execute("CREATE INDEX search_word_alike_idx ON search_word USING gin (word trigram.gin_trgm_ops)")
    for table in (HOUSEHOLD.words, GROUP.words, "search_word"):
        wall(table)
        op.execute(f"CREATE POLICY {table}_search ON {table} FOR ALL TO {SEARCH} USING (true) WITH CHECK (true)")
        op.execute(f"GRANT {ALL} ON {table} TO {SEARCH}")
    # The words of this release for needs and origins; no agency's.
    op.execute("""
        CREATE TABLE search_term (
            kind text NOT NULL CHECK (kind IN ('need', 'heritage')),
            code text NOT NULL,
            words text NOT NULL,
            PRIMARY KEY (kind, code)
        )
    """)
    op.execute(f"GRANT SELECT ON search_term TO {SEARCH}")


def _functions() -> None:
    for statement in (functions.LETTERS_SWAPPED, functions.SPELT_ALIKE, functions.STAND_IN, functions.WORDS_QUERY):
        op.execute(statement)
    for kind in (HOUSEHOLD, GROUP):
        op.execute(functions.find(kind))
        op.execute(functions.keep(kind))
        op.execute(functions.keep_on_change(kind))
    for statement in (functions.SEARCH_PLANS, functions.DOUBT_WORDS, functions.FORGET_WORDS, functions.REBUILD):
        op.execute(statement)
    op.execute("SET LOCAL ROLE concord_scope")
    op.execute(f"GRANT EXECUTE ON FUNCTION scope_claims() TO {SEARCH}")
    op.execute("SET LOCAL ROLE concord_place")
    op.execute(f"GRANT EXECUTE ON FUNCTION scope_barred() TO {SEARCH}")
    op.execute("SET LOCAL ROLE concord_owner")


def _triggers() -> None:
    for kind, table, verbs in TRIGGERS:
        for verb in verbs:
            op.execute(f"""
                CREATE TRIGGER {table}_words_{verb.lower()} AFTER {verb} ON {table}
                REFERENCING {"OLD" if verb == "DELETE" else "NEW"} TABLE AS entry
                FOR EACH STATEMENT EXECUTE FUNCTION keep_words_of_changed_{kind.many}()
            """)
    for kind in (HOUSEHOLD, GROUP):
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"""
                CREATE TRIGGER {kind.words}_doubt_{verb.lower()} AFTER {verb} ON {kind.words}
                REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION doubt_words()
            """)
    # Only now: whoever makes a trigger must be able to call its function.
    for kind in (HOUSEHOLD, GROUP):
        give_function(f"keep_words_of_changed_{kind.many}()", SEARCH, to=SEARCH)
        give_function(f"keep_words_of_{kind.many}(uuid[])", SEARCH, to=SEARCH)
        give_function(f"find_{kind.many}(text, boolean)", SEARCH)
    give_function("words_query(text, boolean)", SEARCH, to=SEARCH)
    give_function("doubt_words()", SEARCH, to=SEARCH)
    give_function("search_plans()", SEARCH)
    give_function("forget_words()", SEARCH)
    give_function("keep_words_of_all()", SEARCH, to="concord_owner")
