"""Nothing yet."""

from __future__ import annotations

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""
