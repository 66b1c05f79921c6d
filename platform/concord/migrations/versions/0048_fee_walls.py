"""Fee tables' policies, tightened."""

from __future__ import annotations

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
