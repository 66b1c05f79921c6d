"""What an agreement signed late or undone comes to."""

from __future__ import annotations

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
