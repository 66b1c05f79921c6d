"""Put agreements back in force that were ended while time alone could still make a part of them due.

Those were swaps, which may be charged after all, and placements that disrupted after their order. The daily look at
agreements ends again what is over.
"""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

ENDED_EARLY = """
    UPDATE fee_agreement SET state = 'in_force', version = version + 1
    WHERE state = 'ended' AND (waived OR ordered_on <= disrupted_on)
"""


def upgrade() -> None:
    """Set their state."""
    op.execute("ALTER TABLE fee_agreement NO FORCE ROW LEVEL SECURITY")
    op.execute(ENDED_EARLY)
    op.execute("ALTER TABLE fee_agreement FORCE ROW LEVEL SECURITY")
