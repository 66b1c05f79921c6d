"""Imports of any sheet: how its columns were understood, what each row would change, and how to take it back."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen runs and rows, and create the tables of shapes and of images."""
    _runs()
    _rows()
    _shapes()
    _images()
    _packs()


def _runs() -> None:
    op.execute("ALTER TABLE import_run DROP CONSTRAINT import_run_kind_check")
    op.execute(
        "ALTER TABLE import_run ADD CONSTRAINT import_run_kind_check "
        "CHECK (kind IN ('households', 'children', 'ssda903'))"
    )
    op.execute("""
        ALTER TABLE import_run
            ADD COLUMN not_for_adoption integer NOT NULL DEFAULT 0,
            -- A person is to say what the columns hold; then no row was looked at.
            ADD COLUMN needs_mapping boolean NOT NULL DEFAULT false,
            -- What each column was taken for, sealed: headings and examples may be personal.
            ADD COLUMN sealed_mapping bytea,
            -- The check that an import for real follows.
            ADD COLUMN checked_run_id uuid,
            -- The import found other than its check did: it took nothing, and is a check itself now.
            ADD COLUMN overtaken boolean NOT NULL DEFAULT false,
            -- What was decided of every row, as an HMAC under the agency's key: two checks that decide alike are alike.
            ADD COLUMN decision bytea CHECK (length(decision) = 32),
            ADD COLUMN undo_job_id uuid,
            ADD COLUMN undone_at timestamptz,
            ADD COLUMN undone_by uuid,
            ADD FOREIGN KEY (checked_run_id, agency_id) REFERENCES import_run (id, agency_id),
            ADD CONSTRAINT import_run_undone_check CHECK (undone_at IS NULL OR NOT dry_run)
    """)


def _rows() -> None:
    op.execute("""
        ALTER TABLE import_row
            DROP CONSTRAINT import_row_outcome_check,
            DROP CONSTRAINT import_row_check,
            DROP CONSTRAINT import_row_number_key,
            -- The worksheet's name; blank for CSV.
            ADD COLUMN sheet text NOT NULL DEFAULT '',
            -- The row's own reference and each change, before and after, sealed.
            ADD COLUMN sealed_changes bytea,
            ADD CONSTRAINT import_row_outcome_check
                CHECK (outcome IN ('added', 'changed', 'unchanged', 'refused', 'not_for_adoption')),
            ADD CONSTRAINT import_row_problems_check
                CHECK ((outcome IN ('refused', 'not_for_adoption')) = (sealed_problems IS NOT NULL)),
            ADD CONSTRAINT import_row_number_key UNIQUE (import_run_id, sheet, row_number, agency_id)
    """)


def _shapes() -> None:
    op.execute("""
        CREATE TABLE import_shape (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            kind text NOT NULL CHECK (kind IN ('households', 'children', 'ssda903')),
            -- The headings in their order, as an HMAC under the agency's key.
            shape bytea NOT NULL CHECK (length(shape) = 32),
            sealed bytea NOT NULL,
            person_id uuid,
            remembered_at timestamptz NOT NULL,
            CONSTRAINT import_shape_key UNIQUE (agency_id, kind, shape)
        )
    """)
    wall("import_shape")
    may_read("import_shape", OWN)
    may_write("import_shape", OWN)
    op.execute("GRANT SELECT ON import_shape TO concord_app")


def _images() -> None:
    op.execute("""
        CREATE TABLE import_image (
            id uuid PRIMARY KEY,
            import_run_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            record_id uuid NOT NULL,
            -- The record's rows as they stood before, sealed; none when the import added it.
            sealed_before bytea,
            -- SHA-256 of its rows as the import left them: another value now says that something came after.
            digest_after bytea NOT NULL CHECK (length(digest_after) = 32),
            CONSTRAINT import_image_record_key UNIQUE (import_run_id, record_id, agency_id),
            FOREIGN KEY (import_run_id, agency_id) REFERENCES import_run (id, agency_id) ON DELETE CASCADE
        )
    """)
    wall("import_image")
    may_read("import_image", OWN)
    may_write("import_image", OWN, verbs="INSERT, DELETE")
    op.execute("GRANT SELECT ON import_image TO concord_app")


def _packs() -> None:
    op.execute(_PACKED)
    may_read("pool_entry", "true", role="concord_work", name="work")
    op.execute("GRANT SELECT ON pool_entry TO concord_work")
    op.execute("GRANT SELECT (consortium_id, agency_id, built_at) ON pack TO concord_work")
    give_function("packed_since(uuid[], timestamptz)", "concord_work")


# Whether a pack built since may show one of the scope's agency's records: its own packs do, others' once it is pooled.
# A neighbour's pack is behind the wall, so the database answers for it: yes or no, and nothing of whose.
_PACKED = """
    CREATE FUNCTION packed_since(records uuid[], since timestamptz)
    RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT EXISTS (
            SELECT FROM pool_entry e
            JOIN pack p ON p.consortium_id = e.consortium_id AND p.built_at >= since
                AND (p.agency_id = e.agency_id OR (e.stage <> 'in_house' AND NOT e.held))
            WHERE e.agency_id = scope_agency() AND coalesce(e.household_id, e.sibling_group_id) = ANY (records)
        )
    $$
"""
