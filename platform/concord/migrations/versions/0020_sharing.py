"""Share in stages that the schedule moves, shut people out of records, and let glass be broken with a reason.

A bar is a restrictive policy, beside those that say who sees what: whatever else lets a person see a record, a bar does
not. ``scope_barred()`` answers which ids the scope's person is barred from, those of a group's children and of a
record's links and reports included; it runs with rights of its own, for a person must not read the bars against them,
and a policy that asked the table of bars could not guard that table itself.
"""

from __future__ import annotations

from alembic import op

from concord.migrations import sharing_functions as functions
from concord.migrations.wall import OWN, bar, give_function, may_read, may_write, wall

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ONE_RECORD = "CHECK (num_nonnulls(household_id, sibling_group_id) = 1)"
OWN_RECORD = (
    "FOREIGN KEY (household_id, agency_id) REFERENCES household (id, agency_id) ON DELETE CASCADE, "
    "FOREIGN KEY (sibling_group_id, agency_id) REFERENCES sibling_group (id, agency_id) ON DELETE CASCADE"
)
MEMBER = "FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)"
STAGES = "'in_house', 'consortium', 'national'"
WAYS = "'person', 'import', 'schedule'"
ME = "(SELECT scope_person())"
HERE = "(SELECT scope_consortium())"
# Of the scope's consortium, or of any where it is shared nationally; for who acts in no consortium there is no pool.
SHARED = (
    "p.stage <> 'in_house' AND NOT p.held "
    f"AND (p.consortium_id = {HERE} OR (p.stage = 'national' AND {HERE} IS NOT NULL))"
)
POOLED_HOUSEHOLDS = f"SELECT p.household_id FROM pool_entry p WHERE p.household_id IS NOT NULL AND {SHARED}"
POOLED_GROUPS = f"SELECT p.sibling_group_id FROM pool_entry p WHERE p.sibling_group_id IS NOT NULL AND {SHARED}"

# Each table of which a row is about one record, and where the row says which.
BARRED = {
    "household": "id",
    "household_tolerance": "household_id",
    "household_profile": "household_id",
    "household_identity": "household_id",
    "household_place": "household_id",
    "sibling_group": "id",
    "sibling_group_profile": "sibling_group_id",
    "sibling_group_identity": "sibling_group_id",
    "sibling_group_place": "sibling_group_id",
    "exclusion_area": "sibling_group_id",
    "child": "sibling_group_id",
    "child_need": "child_id",
    "child_identity": "child_id",
    "pool_entry": "coalesce(household_id, sibling_group_id)",
    "sharing_move": "coalesce(household_id, sibling_group_id)",
    "record_bar": "coalesce(household_id, sibling_group_id)",
    "glass": "coalesce(household_id, sibling_group_id)",
    "import_image": "record_id",
    "document": "id",
    "document_version": "document_id",
    "link": "id",
    "link_step": "link_id",
    "document_grant": "link_id",
    "document_undertaking": "grant_id",
}


def upgrade() -> None:
    """Create the tables, widen what is shared nationally, and put the bars before every table of records."""
    _timing()
    _moves()
    _record_bars()
    _glass()
    _national()
    _put_up_bars()
    _packs()
    _functions()


def _timing() -> None:
    op.execute("""
        ALTER TABLE consortium
            -- Null: not by itself. A group is pooled when its family-finder says so.
            ADD COLUMN group_in_house_days integer CHECK (group_in_house_days >= 0),
            ADD COLUMN household_national_days integer CHECK (household_national_days >= 0),
            ADD COLUMN group_national_days integer CHECK (group_national_days >= 0)
    """)
    op.execute(f"""
        CREATE TABLE agency_timing (
            consortium_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            household_in_house_days integer CHECK (household_in_house_days >= 0),
            group_in_house_days integer CHECK (group_in_house_days >= 0),
            household_national_days integer CHECK (household_national_days >= 0),
            group_national_days integer CHECK (group_national_days >= 0),
            set_at timestamptz NOT NULL,
            PRIMARY KEY (consortium_id, agency_id),
            {MEMBER}
        )
    """)
    op.execute("CREATE INDEX agency_timing_agency_idx ON agency_timing (agency_id)")
    wall("agency_timing")
    may_read("agency_timing", OWN)
    may_write("agency_timing", OWN, verbs="INSERT, UPDATE")
    op.execute("GRANT SELECT ON agency_timing TO concord_app")


def _moves() -> None:
    op.execute(f"""
        ALTER TABLE pool_entry
            ADD COLUMN way text NOT NULL DEFAULT 'import' CONSTRAINT pool_entry_way_check CHECK (way IN ({WAYS})),
            -- A person said that it stays at its stage, whatever the timing says.
            ADD COLUMN kept boolean NOT NULL DEFAULT false
    """)
    op.execute("CREATE INDEX pool_entry_national_idx ON pool_entry (agency_id) WHERE stage = 'national' AND NOT held")
    # History: it outlives the record, and so names it without a key.
    op.execute(f"""
        CREATE TABLE sharing_move (
            id uuid PRIMARY KEY,
            at timestamptz NOT NULL,
            consortium_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            household_id uuid,
            sibling_group_id uuid,
            stage text NOT NULL CHECK (stage IN ({STAGES})),
            held boolean NOT NULL,
            kept boolean NOT NULL,
            reason text,
            way text NOT NULL CHECK (way IN ({WAYS})),
            person_id uuid,
            {ONE_RECORD},
            {MEMBER}
        )
    """)
    op.execute("CREATE INDEX sharing_move_household_idx ON sharing_move (agency_id, household_id, at)")
    op.execute("CREATE INDEX sharing_move_group_idx ON sharing_move (agency_id, sibling_group_id, at)")
    op.execute("""
        CREATE TRIGGER sharing_move_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sharing_move
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    wall("sharing_move")
    may_read("sharing_move", OWN)
    may_write("sharing_move", OWN, verbs="INSERT")
    op.execute("GRANT SELECT ON sharing_move TO concord_app")
    for verb, before in (("insert", ""), ("update", " OLD TABLE AS before")):
        op.execute(functions.KEEP_MOVES.format(verb=verb, join=functions.CHANGED if before else ""))
        op.execute(f"""
            CREATE TRIGGER pool_entry_move_{verb} AFTER {verb.upper()} ON pool_entry
            REFERENCING{before} NEW TABLE AS entry FOR EACH STATEMENT EXECUTE FUNCTION keep_moves_on_{verb}()
        """)


def _record_bars() -> None:
    op.execute(f"""
        CREATE TABLE record_bar (
            id uuid PRIMARY KEY,
            -- Whose the record is; the person may be anyone's.
            agency_id uuid NOT NULL REFERENCES agency,
            household_id uuid,
            sibling_group_id uuid,
            person_id uuid,
            -- For somebody of another agency: whoever signs in with it, now or later; so naming one tells nothing.
            email text CHECK (email = lower(email)),
            own_word boolean NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            set_by uuid,
            set_at timestamptz NOT NULL,
            lifted_by uuid,
            lifted_at timestamptz,
            lifted_reason text,
            {ONE_RECORD},
            CHECK (num_nonnulls(person_id, email) = 1),
            CHECK ((lifted_at IS NULL) = (lifted_reason IS NULL)),
            {OWN_RECORD}
        )
    """)
    op.execute("CREATE INDEX record_bar_agency_idx ON record_bar (agency_id)")
    op.execute("CREATE INDEX record_bar_person_idx ON record_bar (person_id) WHERE lifted_at IS NULL")
    op.execute("CREATE INDEX record_bar_email_idx ON record_bar (email) WHERE lifted_at IS NULL")
    wall("record_bar")
    may_read("record_bar", OWN)
    # Besides its own agency, a person who sees a record may shut themselves out of it.
    seen = "(household_id IN (SELECT h.id FROM household h) OR sibling_group_id IN (SELECT g.id FROM sibling_group g))"
    may_write("record_bar", f"{OWN} OR (own_word AND person_id = {ME} AND {seen})", verbs="INSERT")
    may_write("record_bar", OWN, verbs="UPDATE", columns="lifted_by, lifted_at, lifted_reason")
    op.execute("GRANT SELECT ON record_bar TO concord_app")


def _glass() -> None:
    op.execute("""
        ALTER TABLE agency ADD COLUMN glass_hours integer NOT NULL DEFAULT 4 CHECK (glass_hours BETWEEN 1 AND 72)
    """)
    op.execute(f"""
        CREATE TABLE glass (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL,
            household_id uuid,
            sibling_group_id uuid,
            person_id uuid NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            broken_at timestamptz NOT NULL,
            ends_at timestamptz NOT NULL CHECK (ends_at > broken_at),
            CONSTRAINT glass_owner_key UNIQUE (id, agency_id),
            {ONE_RECORD},
            {OWN_RECORD}
        )
    """)
    op.execute("CREATE INDEX glass_agency_idx ON glass (agency_id, broken_at)")
    op.execute("""
        CREATE TABLE glass_judgement (
            glass_id uuid NOT NULL,
            person_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            justified boolean NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            judged_at timestamptz NOT NULL,
            PRIMARY KEY (glass_id, person_id, agency_id),
            FOREIGN KEY (glass_id, agency_id) REFERENCES glass (id, agency_id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX glass_judgement_agency_idx ON glass_judgement (agency_id)")
    for table in ("glass", "glass_judgement"):
        wall(table)
        may_read(table, OWN)
        # In one's own name only, and never changed.
        may_write(table, f"{OWN} AND person_id = {ME}", verbs="INSERT")
    op.execute("GRANT SELECT ON glass, glass_judgement TO concord_app")


def _national() -> None:
    op.execute(functions.PRESENT_MEMBERS)
    give_function("present_members()", "concord_place")
    op.execute("DROP POLICY pool_entry_read ON pool_entry")
    may_read(
        "pool_entry",
        f"{OWN} OR (stage <> 'in_house' AND NOT held AND (consortium_id = {HERE} OR "
        f"(stage = 'national' AND {HERE} IS NOT NULL)) AND (consortium_id, agency_id) IN "
        "(SELECT m.consortium_id, m.agency_id FROM present_members() m))",
    )
    for tables, column, pooled in (
        (("household",), "id", POOLED_HOUSEHOLDS),
        (("household_tolerance", "household_profile"), "household_id", POOLED_HOUSEHOLDS),
        (("sibling_group",), "id", POOLED_GROUPS),
        (("child", "sibling_group_profile"), "sibling_group_id", POOLED_GROUPS),
    ):
        for table in tables:
            op.execute(f"DROP POLICY {table}_read ON {table}")
            may_read(table, f"{OWN} OR {column} IN ({pooled})")
    # Whose a record is that is shared nationally.
    may_read(
        "agency",
        "id IN (SELECT p.agency_id FROM pool_entry p WHERE p.stage = 'national' AND NOT p.held "
        f"AND {HERE} IS NOT NULL)",
        name="read_national",
    )


def _put_up_bars() -> None:
    may_read("record_bar", "true", role="concord_place", name="place")
    may_read("person", "true", role="concord_place", name="place")
    for table in ("child", "link", "document", "document_grant"):
        may_read(table, "true", role="concord_place", name="place")
    op.execute("GRANT SELECT (id, household_id, sibling_group_id) ON link, document TO concord_place")
    op.execute("GRANT SELECT (id, link_id) ON document_grant TO concord_place")
    for table in ("household_identity", "sibling_group_identity", "child_identity"):
        may_read(table, "true", role="concord_place", name="place")
    op.execute("GRANT SELECT ON record_bar TO concord_place")
    op.execute("GRANT SELECT (id, email) ON person TO concord_place")
    op.execute("GRANT SELECT (id, sibling_group_id) ON child TO concord_place")
    op.execute("GRANT SELECT (household_id, agency_id, reference) ON household_identity TO concord_place")
    op.execute("GRANT SELECT (sibling_group_id, agency_id, reference) ON sibling_group_identity TO concord_place")
    op.execute("GRANT SELECT (child_id, agency_id, reference) ON child_identity TO concord_place")
    for statement in (
        functions.BARS,
        functions.BARRED,
        functions.BARRED_SINCE,
        functions.BARRED_CODES,
        functions.BARRED_REFERENCES,
    ):
        op.execute(statement)
    op.execute("GRANT SELECT (code) ON household, sibling_group TO concord_place")
    give_function("scope_bars()", "concord_place", to="concord_place")
    give_function("scope_barred()", "concord_place")
    give_function("scope_barred_since()", "concord_place")
    give_function("scope_barred_codes()", "concord_place")
    give_function("barred_references(text[])", "concord_place")
    for table, column in BARRED.items():
        bar(table, f"{column} <> ALL ((SELECT scope_barred())::uuid[])")
    bar("import_row", "record_id IS NULL OR record_id <> ALL ((SELECT scope_barred())::uuid[])")
    bar("ranking_line", "ARRAY[household_id, sibling_group_id] && (SELECT scope_barred()) IS NOT TRUE")
    codes = "<> ALL ((SELECT scope_barred_codes())::text[])"
    bar("sibling_placement", f"sibling_group_id <> ALL ((SELECT scope_barred())::uuid[]) AND household_code {codes}")
    bar("meeting_action", f"about IS NULL OR about {codes}")


def _packs() -> None:
    # Somebody who is barred from a record has packs of their own, made with their own rights after the bar was set.
    op.execute("ALTER TABLE pack ADD COLUMN reader_id uuid")
    bar(
        "pack_file",
        "(SELECT scope_barred_since()) IS NULL OR pack_id IN (SELECT p.id FROM pack p "
        f"WHERE p.reader_id = {ME} AND p.requested_at >= (SELECT scope_barred_since()))",
    )


def _functions() -> None:
    op.execute("SET LOCAL ROLE concord_place")
    op.execute("DROP FUNCTION pair_places(uuid[], uuid[])")
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute(functions.PAIR_PLACES)
    give_function("pair_places(uuid[], uuid[])", "concord_place")
    op.execute(functions.SHARERS)
    give_function("sharing_members(date)", "concord_work")
    may_read("consortium_member", "true", role="concord_work", name="work")
    op.execute("GRANT SELECT (consortium_id, agency_id, joined_on, left_on) ON consortium_member TO concord_work")
    op.execute("GRANT SELECT (key) ON job TO concord_work")
