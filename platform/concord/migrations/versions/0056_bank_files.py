"""Let a bank’s file that was the wrong one be taken back: in one step, and so that it can be handed in again.

Its lines that nobody settled go with it. They stay on record, and the same line of another file, or of this one once
more, is a new one.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

ME = "taken_back_by IS NOT DISTINCT FROM (SELECT scope_person())"
NAMED_SO = "taken_back_name IS NOT DISTINCT FROM (SELECT scope_person_name())"


def upgrade() -> None:
    """Add the state, who took a file back and why, and which lines of earlier files a file had too."""
    op.execute("""
        ALTER TABLE remittance
            DROP CONSTRAINT remittance_state_check,
            DROP CONSTRAINT remittance_check1,
            DROP CONSTRAINT remittance_file_key,
            ADD CONSTRAINT remittance_state_check
                CHECK (state IN ('reading', 'asking', 'refused', 'taken', 'taken_back')),
            ADD CONSTRAINT remittance_finished_check
                CHECK (state = 'taken_back' OR (state IN ('refused', 'taken')) = (finished_at IS NOT NULL)),
            -- Lines of earlier files that this one had too: they stay as long as one of their files does.
            ADD known_lines uuid[] NOT NULL DEFAULT '{}',
            ADD taken_back_at timestamptz,
            -- A command has nobody.
            ADD taken_back_by uuid,
            ADD taken_back_name text,
            ADD sealed_reason bytea,
            ADD CONSTRAINT remittance_taken_back_check CHECK ((state = 'taken_back') = (taken_back_at IS NOT NULL)
                AND (taken_back_at IS NULL) = (sealed_reason IS NULL)
                AND (taken_back_by IS NULL) = (taken_back_name IS NULL)
                AND (taken_back_by IS NULL OR taken_back_at IS NOT NULL))
    """)
    op.execute("""
        CREATE UNIQUE INDEX remittance_file_key ON remittance (agency_id, purpose, sha256)
        WHERE state <> 'taken_back'
    """)
    op.execute("""
        ALTER TABLE remittance_line
            DROP CONSTRAINT remittance_line_state_check,
            DROP CONSTRAINT remittance_line_fingerprint_key,
            ADD CONSTRAINT remittance_line_state_check CHECK (state IN
                ('waiting', 'matched', 'paid_back', 'set_aside', 'reversed', 'not_receipt', 'advice', 'taken_back'))
    """)
    op.execute("""
        CREATE UNIQUE INDEX remittance_line_fingerprint_key ON remittance_line (agency_id, fingerprint)
        WHERE state <> 'taken_back'
    """)
    op.execute(
        "GRANT UPDATE (known_lines, taken_back_at, taken_back_by, taken_back_name, sealed_reason) "
        "ON remittance TO concord_app"
    )
    # A trigger that took the name would copy a file of 20 MB. What was taken back stays so.
    op.execute(f"""
        ALTER POLICY remittance_update ON remittance USING ({OWN} AND taken_back_at IS NULL)
            WITH CHECK ({OWN} AND (taken_back_at IS NULL OR {ME} AND {NAMED_SO}))
    """)
    op.execute(f"""
        ALTER POLICY remittance_insert ON remittance
            WITH CHECK ({OWN} AND imported_by IS NOT DISTINCT FROM (SELECT scope_person()) AND taken_back_at IS NULL)
    """)
