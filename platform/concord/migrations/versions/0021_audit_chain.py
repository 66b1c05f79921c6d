"""Chain the audit by hash, keep signed anchors, say from where an act came; and let an agency's keys be changed.

An entry is chained later, by a program that is nobody's session: no scope with a person may add to a chain. Whatever
an entry does not say itself, the transaction's settings say: so triggers' entries tell as much as the program's.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ORIGINS = "'page', 'api', 'cli', 'job', 'schedule'"
OF_NO_AGENCY = "(SELECT scope_is_operator())"
OWN_CHAIN = f"({OWN} OR (agency_id IS NULL AND {OF_NO_AGENCY}))"
CHAINED = ("audit_chain", "audit_anchor", "audit_check")


def upgrade() -> None:
    """Create the chains, and say more in each entry."""
    _entries()
    _tables()
    _keys()
    for table in CHAINED:
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
        wall(table)
        may_read(table, OWN_CHAIN)
        # SQL that was slipped into somebody's session must not add to a chain, nor say that it was checked.
        may_write(table, f"{OWN_CHAIN} AND (SELECT scope_person()) IS NULL", verbs="INSERT")
        op.execute(f"GRANT SELECT ON {table} TO concord_app")


def _entries() -> None:
    op.execute(f"""
        ALTER TABLE audit_entry
            ADD COLUMN origin text CONSTRAINT audit_entry_origin_check CHECK (origin IN ({ORIGINS})),
            ADD COLUMN address text
    """)
    for column in ("origin", "address", "request_id"):
        op.execute(f"""
            ALTER TABLE audit_entry
            ALTER COLUMN {column} SET DEFAULT nullif(current_setting('concord.{column}', true), '')
        """)
    # The whole row: what a chain vouches for is every column.
    op.execute("GRANT SELECT ON audit_entry TO concord_app")
    may_read(
        "audit_entry",
        f"actor_agency_id IS NULL AND owner_agency_id IS NULL AND {OF_NO_AGENCY}",
        name="of_no_agency",
    )
    # An entry is found by its owner, and by its actor where that is another: one index more for few.
    op.execute("DROP INDEX audit_entry_owner_idx")
    for name, columns, only in (
        ("owner", "owner_agency_id, written_in, id", ""),
        ("other", "actor_agency_id, written_in, id", "WHERE actor_agency_id IS DISTINCT FROM owner_agency_id"),
        ("none", "written_in, id", "WHERE actor_agency_id IS NULL AND owner_agency_id IS NULL"),
    ):
        op.execute(f"CREATE INDEX audit_entry_{name}_idx ON audit_entry ({columns}) {only}")


def _tables() -> None:
    op.execute("""
        CREATE TABLE audit_chain (
            -- Null is the chain of what concerns no agency.
            agency_id uuid REFERENCES agency,
            position integer NOT NULL CHECK (position > 0),
            -- No foreign keys: what is gone from the audit is told by the check, and must not be hidden by a cascade.
            entry_id uuid NOT NULL,
            written_in xid8 NOT NULL,
            hash bytea NOT NULL CHECK (length(hash) = 32),
            -- By which list of the entry's columns the hash was reckoned.
            form integer NOT NULL CHECK (form > 0),
            CONSTRAINT audit_chain_position_key UNIQUE NULLS NOT DISTINCT (agency_id, position),
            CONSTRAINT audit_chain_entry_key UNIQUE NULLS NOT DISTINCT (agency_id, entry_id)
        )
    """)
    op.execute("""
        CREATE TABLE audit_anchor (
            id uuid PRIMARY KEY,
            agency_id uuid REFERENCES agency,
            position integer NOT NULL CHECK (position > 0),
            hash bytea NOT NULL CHECK (length(hash) = 32),
            at timestamptz NOT NULL,
            key_id text NOT NULL,
            signature bytea NOT NULL CHECK (length(signature) = 64)
        )
    """)
    op.execute("CREATE INDEX audit_anchor_agency_idx ON audit_anchor (agency_id, at)")
    op.execute("""
        CREATE TABLE audit_check (
            id uuid PRIMARY KEY,
            agency_id uuid REFERENCES agency,
            at timestamptz NOT NULL,
            checked integer NOT NULL CHECK (checked >= 0),
            pending integer NOT NULL CHECK (pending >= 0),
            anchored_at timestamptz,
            faults integer NOT NULL CHECK (faults >= 0),
            found jsonb NOT NULL
        )
    """)
    op.execute("CREATE INDEX audit_check_agency_idx ON audit_check (agency_id, at)")


def _keys() -> None:
    op.execute("""
        ALTER TABLE agency_key
        ADD COLUMN purpose text NOT NULL DEFAULT 'seal' CONSTRAINT agency_key_purpose_check
            CHECK (purpose IN ('seal', 'digest'))
    """)
    op.execute("DROP INDEX agency_key_present_idx")
    op.execute("CREATE UNIQUE INDEX agency_key_present_idx ON agency_key (agency_id, purpose) WHERE retired_at IS NULL")
    # Keys are changed by a command with the login that migrates, as this role; the application can only add one.
    op.execute("CREATE POLICY agency_key_make ON agency_key FOR INSERT TO concord_keys WITH CHECK (true)")
    op.execute("CREATE POLICY agency_key_drop ON agency_key FOR DELETE TO concord_keys USING (true)")
    op.execute("GRANT SELECT, INSERT, DELETE, UPDATE (retired_at) ON agency_key TO concord_keys")
