"""Matching meetings of a consortium, and each agency's pack for one."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"


def upgrade() -> None:
    """Create meetings, packs and their files."""
    op.execute("""
        CREATE TABLE meeting (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            title text NOT NULL,
            held_on date NOT NULL,
            place text NOT NULL,
            agenda text[] NOT NULL CHECK (cardinality(agenda) > 0),
            arranged_at timestamptz NOT NULL,
            CONSTRAINT meeting_consortium_key UNIQUE (id, consortium_id),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX meeting_consortium_idx ON meeting (consortium_id, held_on)")
    op.execute("CREATE INDEX meeting_agency_idx ON meeting (agency_id)")
    op.execute("""
        CREATE TABLE pack (
            id uuid PRIMARY KEY,
            meeting_id uuid NOT NULL,
            consortium_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            version integer NOT NULL CHECK (version >= 1),
            as_of date NOT NULL,
            job_id uuid NOT NULL,
            requested_by uuid,
            requested_at timestamptz NOT NULL,
            built_at timestamptz,
            ranking_run_id uuid,
            digest bytea,
            CONSTRAINT pack_version_key UNIQUE (meeting_id, version, agency_id),
            CONSTRAINT pack_owner_key UNIQUE (id, agency_id),
            FOREIGN KEY (meeting_id, consortium_id) REFERENCES meeting (id, consortium_id),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (job_id, agency_id) REFERENCES job (id, agency_id),
            FOREIGN KEY (ranking_run_id, agency_id) REFERENCES ranking_run (id, agency_id),
            CHECK ((built_at IS NULL) = (digest IS NULL))
        )
    """)
    op.execute("""
        CREATE TABLE pack_file (
            id uuid PRIMARY KEY,
            pack_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            format text NOT NULL CHECK (format IN ('pdf', 'xlsx')),
            digest bytea NOT NULL CHECK (length(digest) = 32),
            size integer NOT NULL CHECK (size > 0),
            sealed bytea NOT NULL CHECK (length(sealed) <= 53000000),
            CONSTRAINT pack_file_format_key UNIQUE (pack_id, format, agency_id),
            FOREIGN KEY (pack_id, agency_id) REFERENCES pack (id, agency_id)
        )
    """)
    for table in ("meeting", "pack", "pack_file"):
        wall(table)
    may_read("meeting", OURS)
    # A meeting is the consortium office's to arrange.
    may_write(
        "meeting",
        f"{OWN} AND {OURS} AND agency_id IN (SELECT a.id FROM agency a WHERE a.kind = 'consortium_office')",
        verbs="INSERT, UPDATE",
    )
    may_read("pack", f"{OWN} OR meeting_id IN (SELECT m.id FROM meeting m WHERE m.agency_id = (SELECT scope_agency()))")
    may_write("pack", OWN, verbs="INSERT")
    # Frozen once it is built.
    may_write("pack", OWN, only=f"{OWN} AND built_at IS NULL", verbs="UPDATE")
    may_read("pack_file", OWN)
    may_write("pack_file", OWN, verbs="INSERT")
    op.execute("GRANT SELECT ON meeting, pack, pack_file TO concord_app")
