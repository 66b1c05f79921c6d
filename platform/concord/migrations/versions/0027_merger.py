"""Let an agency hand over to another, whole or in part: rows move, and both sides sign for them, row for row.

Two sides agree, each by one person; a job of the receiver's does it on the day, in one transaction. The functions take
nothing but what both have agreed to; which tables move is in the register (``tenants/custody.py``), from which each
upgrade makes the statements.
"""

from __future__ import annotations

from alembic import op

from concord.migrations import hand_over_functions as functions
from concord.migrations import hand_over_settling as settling
from concord.migrations.wall import give_function, may_read, may_write, wall

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

MOVER = "concord_custody"
ME = "(SELECT scope_person())"
HERE = "(SELECT scope_agency())"
NO_WORD = "given_by IS NULL AND given_at IS NULL AND taken_by IS NULL AND taken_at IS NULL"
PROPOSED = (
    "id, agency_id, receiver_id, whole, kinds, record_ids, takes_effect_on, reason, proposed_at, "
    "given_by, given_at, taken_by, taken_at"
)
WRITTEN = (
    "id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id, act, record_kind, record_id, level, "
    "reason"
)
# What the functions read and write besides the tables whose rows move.
READS = ("agency", "agency_delegation", "consortium", "consortium_member", "invitation", "retention_item", "link")
CHANGES = {
    "agency": "closed_on, successor_id",
    "agency_delegation": "ended_at",
    "api_client": "ended_at",
    "api_client_secret": "ends_at",
    "api_token": "ended_at",
    "appointment": "ends_on",
    "consortium_member": "left_on",
    "email_domain": "confirmed_at, confirmed_by",
    "invitation": "withdrawn_at",
    "job": "state, finished_at, worker, lease_until, reason",
    "sign_in_session": "ended_at",
}
OF_MOVING = {
    "household_identity": "reference",
    "sibling_group_identity": "reference",
    "child_identity": "reference",
    "document_grant": "revoked_at, revoked_reason",
    "retention_hold": "moved_at",
    "identity_provider": "state, closes_default, second_step",
}


def upgrade() -> None:
    """Create the table, let go of what two sides of one agency would break, and make the functions."""
    _table()
    _sides_that_become_one()
    _rights()
    _functions()
    _what_came_before()


def _table() -> None:
    op.execute("""
        CREATE TABLE hand_over (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            receiver_id uuid NOT NULL REFERENCES agency CHECK (receiver_id <> agency_id),
            -- Everything, its people too, so that the agency is over; or the records of some kinds.
            whole boolean NOT NULL,
            kinds text[] NOT NULL CHECK (kinds <@ ARRAY['household', 'sibling_group']),
            -- None: all of those kinds.
            record_ids uuid[],
            takes_effect_on date NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            proposed_at timestamptz NOT NULL,
            given_by uuid,
            given_at timestamptz,
            taken_by uuid,
            taken_at timestamptz,
            withdrawn_by uuid,
            withdrawn_at timestamptz,
            -- The one transaction in which it is done.
            done_in xid8,
            done_at timestamptz,
            moved_ids uuid[],
            settled jsonb,
            counts jsonb,
            -- Each row that moved, with what stands for its content before and after: CSV, compressed.
            lines bytea,
            giver_signed_by uuid,
            giver_signed_name text,
            giver_signed_at timestamptz,
            receiver_signed_by uuid,
            receiver_signed_name text,
            receiver_signed_at timestamptz,
            CHECK (whole = (cardinality(kinds) = 0)),
            CHECK (record_ids IS NULL OR NOT whole),
            CHECK (given_by <> taken_by),
            CHECK (giver_signed_by <> receiver_signed_by),
            CHECK ((lines IS NULL) = (counts IS NULL))
        )
    """)
    op.execute("CREATE INDEX hand_over_agency_idx ON hand_over (agency_id)")
    op.execute("CREATE INDEX hand_over_receiver_idx ON hand_over (receiver_id)")
    wall("hand_over")
    may_read("hand_over", f"(SELECT scope_is_operator()) OR {HERE} IN (agency_id, receiver_id)")
    # Whoever proposes has said their own side's word with it; the operator has none to say. Only an agency itself
    # names records of its own.
    may_write(
        "hand_over",
        f"((SELECT scope_is_operator()) AND {NO_WORD}) "
        f"OR (agency_id = {HERE} AND given_by = {ME} AND taken_by IS NULL AND taken_at IS NULL) "
        f"OR (receiver_id = {HERE} AND taken_by = {ME} AND given_by IS NULL AND given_at IS NULL "
        "AND record_ids IS NULL)",
        verbs="INSERT",
        columns=PROPOSED,
    )
    op.execute("GRANT SELECT ON hand_over TO concord_app")
    # Whoever acts in no consortium sees their agency's actions of all: what is taken out or handed over is everything.
    here = "(SELECT scope_consortium())"
    op.execute("DROP POLICY meeting_action_read ON meeting_action")
    may_read("meeting_action", f"(consortium_id = {here} OR {here} IS NULL) AND {HERE} IN (agency_id, office_id)")
    parties = "SELECT u.id FROM hand_over h CROSS JOIN LATERAL unnest(ARRAY[h.agency_id, h.receiver_id]) AS u (id)"
    may_read("agency", f"id IN ({parties})", name="read_hand_over")


def _sides_that_become_one() -> None:
    op.execute("ALTER TABLE document_grant DROP CONSTRAINT document_grant_check")
    op.execute("""
        ALTER TABLE document_grant ADD CONSTRAINT document_grant_check
        CHECK (group_agency_id <> household_agency_id OR revoked_at IS NOT NULL OR declined IS NOT NULL)
    """)
    # A hold that came with another agency's records stands beside one's own on the same class.
    op.execute("ALTER TABLE retention_hold ADD COLUMN moved_at timestamptz")
    op.execute("DROP INDEX retention_hold_standing_idx")
    op.execute(
        "CREATE UNIQUE INDEX retention_hold_standing_idx ON retention_hold "
        "(agency_id, coalesce(record_id::text, record_class)) WHERE lifted_at IS NULL AND moved_at IS NULL"
    )


def _rights() -> None:
    op.execute("SET LOCAL ROLE concord_scope")
    op.execute(f"GRANT EXECUTE ON FUNCTION scope_claims() TO {MOVER}")
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute(f"CREATE POLICY hand_over_custody ON hand_over FOR ALL TO {MOVER} USING (true)")
    op.execute(f"GRANT SELECT, UPDATE ON hand_over TO {MOVER}")
    for table in sorted({*READS, *CHANGES}):
        # Those whose rows move get theirs from the register.
        if table != "link":
            may_read(table, "true", role=MOVER, name="custody")
        columns = "" if table not in {"sign_in_session", "job", "api_client_secret", "api_token"} else _READ[table]
        op.execute(f"GRANT SELECT {columns} ON {table} TO {MOVER}")
    for table, columns in CHANGES.items():
        op.execute(f"CREATE POLICY {table}_custody_update ON {table} FOR UPDATE TO {MOVER} USING (true)")
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO {MOVER}")
    for table, columns in OF_MOVING.items():
        op.execute(f"GRANT SELECT, UPDATE ({columns}) ON {table} TO {MOVER}")
    op.execute(f"GRANT SELECT (id, agency_id) ON household, sibling_group TO {MOVER}")
    op.execute(f"GRANT SELECT (id, agency_id, sibling_group_id) ON child TO {MOVER}")
    op.execute(f"GRANT SELECT (agency_id, consortium_id, household_id, sibling_group_id) ON pool_entry TO {MOVER}")
    for table in ("appointment", "email_domain"):
        op.execute(f"CREATE POLICY {table}_custody_insert ON {table} FOR INSERT TO {MOVER} WITH CHECK (true)")
        op.execute(f"GRANT INSERT ON {table} TO {MOVER}")
    # The tables' own triggers put each change on record; none of the pool's entries changes its stage.
    op.execute(f"CREATE POLICY audit_entry_custody ON audit_entry FOR INSERT TO {MOVER} WITH CHECK (true)")
    op.execute(f"GRANT INSERT ({WRITTEN}) ON audit_entry TO {MOVER}")
    op.execute(f"GRANT INSERT ON sharing_move TO {MOVER}")


_READ = {
    "api_client_secret": "(agency_id, ends_at)",
    "api_token": "(agency_id, ended_at)",
    "job": "(id, agency_id, kind, key, state)",
    "sign_in_session": "(agency_id, ended_at)",
}


def _functions() -> None:
    for statement in (*settling.HELPERS, *functions.FUNCTIONS):
        op.execute(statement)
    for signature in settling.SIGNATURES:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {MOVER}")
    for signature in functions.SIGNATURES:
        give_function(signature, MOVER)


def _what_came_before() -> None:
    """Let what was written of a record before it came go on being read by those who now keep it."""
    may_read(
        "audit_entry",
        "owner_agency_id = ANY ((SELECT scope_predecessors())::uuid[]) "
        "OR actor_agency_id = ANY ((SELECT scope_predecessors())::uuid[]) "
        "OR record_id = ANY ((SELECT scope_taken_over())::uuid[])",
        name="of_predecessors",
    )
