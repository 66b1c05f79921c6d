"""Nothing yet."""

from __future__ import annotations

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""
