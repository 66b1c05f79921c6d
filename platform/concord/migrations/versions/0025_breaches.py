"""Keep the record of breaches of personal data: entries that are added to it, and never changed."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create breaches and their entries."""
    op.execute("""
        CREATE TABLE breach (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            number integer NOT NULL CHECK (number >= 1),
            found_at timestamptz NOT NULL,
            opened_by uuid NOT NULL,
            opened_at timestamptz NOT NULL,
            CONSTRAINT breach_number_key UNIQUE (agency_id, number),
            CONSTRAINT breach_owner_key UNIQUE (id, agency_id)
        )
    """)
    op.execute("""
        CREATE TABLE breach_entry (
            id uuid PRIMARY KEY,
            breach_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('what_happened', 'concerned', 'risk', 'ico_told', 'ico_not_told',
                'people_told', 'learnt', 'closed')),
            sealed bytea NOT NULL,
            written_by uuid NOT NULL,
            written_at timestamptz NOT NULL,
            FOREIGN KEY (breach_id, agency_id) REFERENCES breach (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX breach_entry_breach_idx ON breach_entry (breach_id, agency_id, written_at)")
    for table in ("breach", "breach_entry"):
        wall(table)
        may_read(table, OWN)
        # Added to, and never changed.
        may_write(table, OWN, verbs="INSERT")
    op.execute("GRANT SELECT ON breach, breach_entry TO concord_app")
