"""Nothing yet."""

from __future__ import annotations

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""
