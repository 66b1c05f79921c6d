"""Let the audit say that a record was exported."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ACTS = (
    "'read', 'add', 'change', 'remove', 'share', 'rank', 'import', 'build', 'download', 'export', 'sign_in', "
    "'sign_out', 'refuse'"
)


def upgrade() -> None:
    """Allow the word."""
    op.execute("ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_act_check")
    op.execute(f"ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_act_check CHECK (act IN ({ACTS}))")
