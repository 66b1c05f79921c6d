"""Nothing yet."""

from __future__ import annotations

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing."""
