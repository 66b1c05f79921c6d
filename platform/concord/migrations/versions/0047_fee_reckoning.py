"""Put agreements back in force that were ended too early, and count no reversal in a month before its original's.

The agreements are swaps, which may be charged after all, and placements that disrupted after their order: time alone
could still make a part of them due. The daily look at agreements ends again what is over.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_ledger import PLACE_AFTER

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

ENDED_EARLY = """
    UPDATE fee_agreement SET state = 'in_force', version = version + 1
    WHERE state = 'ended' AND (waived OR ordered_on <= disrupted_on)
"""


def upgrade() -> None:
    """Set their state, and say anew in which month a posting counts."""
    op.execute("ALTER TABLE fee_agreement NO FORCE ROW LEVEL SECURITY")
    op.execute(ENDED_EARLY)
    op.execute("ALTER TABLE fee_agreement FORCE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT (reverses_id) ON ledger_transaction TO concord_work")
    op.execute("GRANT SELECT (period_on) ON posting TO concord_work")
    op.execute("GRANT CREATE ON SCHEMA public TO concord_work")
    op.execute("SET LOCAL ROLE concord_work")
    op.execute(PLACE_AFTER)
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute("REVOKE CREATE ON SCHEMA public FROM concord_work")
