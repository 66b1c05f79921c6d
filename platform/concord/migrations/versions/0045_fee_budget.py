"""What an agency has put by for fees, month by month: read and written by that agency alone."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and say who reads and writes it."""
    op.execute("""
        CREATE TABLE fee_budget (
            agency_id uuid NOT NULL REFERENCES agency,
            direction text NOT NULL CHECK (direction IN ('pay', 'earn')),
            month_on date NOT NULL CHECK (extract(day FROM month_on) = 1),
            pence bigint NOT NULL CHECK (pence >= 0),
            made_by uuid,
            made_at timestamptz NOT NULL,
            PRIMARY KEY (agency_id, direction, month_on)
        )
    """)
    wall("fee_budget")
    op.execute("GRANT SELECT ON fee_budget TO concord_app")
    may_read("fee_budget", OWN)
    may_write(
        "fee_budget",
        f"{OWN} AND made_by IS NOT DISTINCT FROM (SELECT scope_person())",
        only=OWN,
        verbs="INSERT, UPDATE",
    )
