"""Let the audit say what people do for and against one another: invite, grant, bar, hold, release, sign."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ACTS = (
    "'read', 'add', 'change', 'remove', 'share', 'rank', 'import', 'build', 'download', 'export', 'sign_in', "
    "'sign_out', 'refuse', 'invite', 'request', 'grant', 'revoke', 'undertake', 'bar', 'break_glass', 'hold', "
    "'release', 'destroy', 'approve', 'rotate', 'seal', 'sign', 'hand_over'"
)
LEVELS = "'count', 'summary', 'profile', 'identity', 'report'"


def upgrade() -> None:
    """Allow the words."""
    for column, words in (("act", ACTS), ("level", LEVELS)):
        op.execute(f"ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_{column}_check")
        op.execute(f"ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_{column}_check CHECK ({column} IN ({words}))")
