"""Notices about fees."""

from __future__ import annotations

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
