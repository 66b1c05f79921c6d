"""Actions that meetings leave to agencies, and how long packs and availability checks stand."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"
CONCERNED = f"({OWN} OR office_id = (SELECT scope_agency()))"
"""Who is to do it, and the office that arranged the meeting."""


def upgrade() -> None:
    """Create actions; give each pack a day on which it ends, and let what has ended be destroyed."""
    op.execute("""
        ALTER TABLE consortium
            ADD COLUMN pack_days integer NOT NULL DEFAULT 28 CHECK (pack_days >= 0),
            ADD COLUMN confirm_days integer NOT NULL DEFAULT 28 CHECK (confirm_days >= 1)
    """)
    _expiry()
    _actions()


def _expiry() -> None:
    op.execute("ALTER TABLE pack ADD COLUMN expires_on date")
    # The owner of the tables sees no row while the wall stands for it too; nobody else sees the tables meanwhile, for
    # the transaction holds them.
    for table in ("pack", "meeting"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE pack p SET expires_on = greatest(m.held_on, p.as_of) + 28 FROM meeting m WHERE m.id = p.meeting_id"
    )
    for table in ("pack", "meeting"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    # Refused, and the whole migration with it, should a pack have been left without its day.
    op.execute("ALTER TABLE pack ALTER COLUMN expires_on SET NOT NULL")
    # For the code before this one, which goes on asking for packs meanwhile.
    op.execute("ALTER TABLE pack ALTER COLUMN expires_on SET DEFAULT (now() AT TIME ZONE 'UTC')::date + 28")
    op.execute("CREATE INDEX pack_expires_idx ON pack (expires_on)")
    # By the database's own day, so that no mistake of the application's destroys what is still to be read.
    ended = "SELECT p.id FROM pack p WHERE p.expires_on < (now() AT TIME ZONE 'UTC')::date"
    may_write("pack_file", f"{OWN} AND pack_id IN ({ended})", verbs="DELETE")
    may_read("pack_file", "true", role="concord_work", name="work")
    op.execute("GRANT SELECT (id, consortium_id, agency_id, expires_on) ON pack TO concord_work")
    op.execute("GRANT SELECT (pack_id) ON pack_file TO concord_work")
    op.execute("""
        CREATE FUNCTION packs_past_their_end(before_day date)
        RETURNS TABLE (pack_id uuid, consortium_id uuid, agency_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT p.id, p.consortium_id, p.agency_id FROM pack p
            WHERE scope_is_nobody() AND p.expires_on < before_day
              AND EXISTS (SELECT FROM pack_file f WHERE f.pack_id = p.id)
            ORDER BY p.expires_on, p.id
        $$
    """)
    give_function("packs_past_their_end(date)", "concord_work")


def _actions() -> None:
    op.execute("ALTER TABLE meeting ADD CONSTRAINT meeting_office_key UNIQUE (id, consortium_id, agency_id)")
    op.execute("""
        CREATE TABLE meeting_action (
            id uuid PRIMARY KEY,
            meeting_id uuid NOT NULL,
            consortium_id uuid NOT NULL,
            -- The office that arranged the meeting, and the agency that is to act: both see the row, nobody else.
            office_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            what text NOT NULL CHECK (what <> ''),
            about text,
            person text,
            due_on date NOT NULL,
            done_on date,
            outcome text,
            set_at timestamptz NOT NULL,
            CHECK ((done_on IS NULL) = (outcome IS NULL)),
            FOREIGN KEY (meeting_id, consortium_id, office_id) REFERENCES meeting (id, consortium_id, agency_id),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX meeting_action_meeting_idx ON meeting_action (meeting_id)")
    op.execute("CREATE INDEX meeting_action_agency_idx ON meeting_action (agency_id, due_on)")
    wall("meeting_action")
    may_read("meeting_action", f"{OURS} AND {CONCERNED}")
    may_write("meeting_action", f"{OURS} AND {CONCERNED}", verbs="INSERT")
    # What was agreed stays as it was agreed: an action is closed, not rewritten.
    may_write("meeting_action", f"{OURS} AND {CONCERNED}", verbs="UPDATE", columns="done_on, outcome")
    op.execute("GRANT SELECT ON meeting_action TO concord_app")
