"""Imports of sheets: the file as it came, sealed, and what became of each of its rows."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of imports."""
    op.execute("""
        CREATE TABLE import_run (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            consortium_id uuid NOT NULL,
            person_id uuid,
            kind text NOT NULL CHECK (kind IN ('households', 'children')),
            filename text NOT NULL,
            digest bytea NOT NULL CHECK (length(digest) = 32),
            sealed bytea NOT NULL,
            dry_run boolean NOT NULL,
            job_id uuid NOT NULL,
            requested_at timestamptz NOT NULL,
            finished_at timestamptz,
            -- Why the whole file was refused, in words; then no row was looked at.
            refusal text,
            -- What the reader of the file had to assume.
            notes text[] NOT NULL DEFAULT '{}',
            added integer NOT NULL DEFAULT 0,
            changed integer NOT NULL DEFAULT 0,
            unchanged integer NOT NULL DEFAULT 0,
            refused integer NOT NULL DEFAULT 0,
            CONSTRAINT import_run_owner_key UNIQUE (id, agency_id),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX import_run_agency_idx ON import_run (agency_id, requested_at)")
    op.execute("""
        CREATE TABLE import_row (
            id uuid PRIMARY KEY,
            import_run_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            row_number integer NOT NULL CHECK (row_number >= 1),
            outcome text NOT NULL CHECK (outcome IN ('added', 'changed', 'unchanged', 'refused')),
            record_id uuid,
            -- Which headings made a difference; headings only, never what stood under them.
            changed_columns text[] NOT NULL DEFAULT '{}',
            -- Of a refused row: column, value and reason of each problem, sealed, for values may be personal.
            sealed_problems bytea,
            CONSTRAINT import_row_number_key UNIQUE (import_run_id, row_number, agency_id),
            FOREIGN KEY (import_run_id, agency_id) REFERENCES import_run (id, agency_id) ON DELETE CASCADE,
            CHECK ((outcome = 'refused') = (sealed_problems IS NOT NULL))
        )
    """)
    for table in ("import_run", "import_row"):
        wall(table)
        may_read(table, OWN)
    may_write("import_run", OWN, verbs="INSERT, UPDATE")
    may_write("import_row", OWN, verbs="INSERT, DELETE")
    op.execute("GRANT SELECT ON import_run, import_row TO concord_app")
