"""Ranking runs, and the snapshots from which each can be made again exactly.

A run is history: its lines name groups and households of other agencies by id without a foreign key, because it
outlives them and must not hold them.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of recorded rankings."""
    op.execute("""
        CREATE TABLE ranking_snapshot (
            agency_id uuid NOT NULL REFERENCES agency,
            digest bytea NOT NULL CHECK (length(digest) = 32),
            row_id uuid NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (agency_id, digest)
        )
    """)
    op.execute("""
        CREATE TABLE ranking_run (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            consortium_id uuid NOT NULL,
            person_id uuid,
            made_at timestamptz NOT NULL,
            as_of date NOT NULL,
            policy_version text NOT NULL,
            catalogue_version text NOT NULL,
            places_version text NOT NULL,
            code_version text NOT NULL,
            snapshot_digest bytea NOT NULL,
            groups integer NOT NULL CHECK (groups >= 0),
            households integer NOT NULL CHECK (households >= 0),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            CONSTRAINT ranking_run_owner_key UNIQUE (id, agency_id),
            FOREIGN KEY (agency_id, snapshot_digest) REFERENCES ranking_snapshot (agency_id, digest)
        )
    """)
    op.execute("""
        CREATE TABLE ranking_line (
            ranking_run_id uuid NOT NULL,
            sibling_group_id uuid NOT NULL,
            position integer NOT NULL CHECK (position >= 1),
            agency_id uuid NOT NULL,
            household_id uuid NOT NULL,
            points integer NOT NULL CHECK (points BETWEEN 0 AND 100),
            PRIMARY KEY (ranking_run_id, sibling_group_id, position, agency_id),
            FOREIGN KEY (ranking_run_id, agency_id) REFERENCES ranking_run (id, agency_id) ON DELETE CASCADE
        )
    """)
    for table in ("ranking_snapshot", "ranking_run", "ranking_line"):
        wall(table)
        may_read(table, OWN)
        may_write(table, OWN, verbs="INSERT")
    op.execute("GRANT SELECT ON ranking_snapshot, ranking_run, ranking_line TO concord_app")
