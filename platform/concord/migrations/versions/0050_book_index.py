"""Let the index of a book say which transaction a posting is of: a statement of thousands then reads little else."""

from __future__ import annotations

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew with the transaction in it."""
    op.execute("DROP INDEX posting_book_idx")
    op.execute(
        "CREATE INDEX posting_book_idx ON posting (agency_id, other_agency_id, period_on) "
        "INCLUDE (account, pence, transaction_id)"
    )
