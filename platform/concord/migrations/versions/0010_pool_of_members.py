"""Show a pool what its present members share: what an agency had pooled leaves with it, and comes back with it.

The other tables' policies ask the pool's entries, and see of them what this policy shows.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Read other agencies' entries by their membership too."""
    op.execute("DROP POLICY pool_entry_read ON pool_entry")
    may_read(
        "pool_entry",
        f"{OWN} OR (consortium_id = (SELECT scope_consortium()) AND stage <> 'in_house' AND NOT held "
        "AND agency_id IN (SELECT m.agency_id FROM consortium_member m "
        "WHERE m.consortium_id = (SELECT scope_consortium()) "
        "AND m.joined_on <= (now() AT TIME ZONE 'UTC')::date "
        "AND (m.left_on IS NULL OR m.left_on > (now() AT TIME ZONE 'UTC')::date)))",
    )
