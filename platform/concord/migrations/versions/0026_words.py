"""Let the audit say more of what people do."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ACTS = (
    "'read', 'add', 'change', 'remove', 'share', 'rank', 'import', 'build', 'download', 'export', 'sign_in', "
    "'sign_out', 'refuse', 'invite', 'request', 'grant', 'revoke', 'undertake', 'bar', 'break_glass', 'hold', "
    "'release', 'destroy', 'approve', 'rotate', 'seal', 'sign', 'hand_over', 'search', 'decide', 'decline', 'confirm'"
)


def upgrade() -> None:
    """Allow the words."""
    op.execute("ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_act_check")
    op.execute(f"ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_act_check CHECK (act IN ({ACTS}))")
