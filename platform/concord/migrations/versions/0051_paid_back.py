"""What is held ahead may be paid back: a kind of transaction, and what becomes of the debit line by which it was."""

from __future__ import annotations

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

KINDS = (
    "'agreed', 'due', 'invoiced', 'paid', 'overpaid', 'allocated', 'paid_back', 'credited', 'waived', 'revived', "
    "'fallen_away', 'refunded', 'netted', 'written_off', 'transferred', 'reversal'"
)


def upgrade() -> None:
    """Widen what a transaction and a line may be."""
    op.execute(f"""
        ALTER TABLE ledger_transaction
            DROP CONSTRAINT ledger_transaction_kind_check,
            ADD CONSTRAINT ledger_transaction_kind_check CHECK (kind IN ({KINDS}))
    """)
    op.execute(
        "CREATE INDEX ledger_transaction_paid_back_idx ON ledger_transaction (payee_agency_id) WHERE kind = 'paid_back'"
    )
    op.execute("""
        ALTER TABLE remittance_line
            DROP CONSTRAINT remittance_line_state_check,
            DROP CONSTRAINT remittance_line_check,
            ADD CONSTRAINT remittance_line_state_check CHECK (state IN
                ('waiting', 'matched', 'paid_back', 'set_aside', 'reversed', 'not_receipt', 'advice')),
            ADD CONSTRAINT remittance_line_check
                CHECK ((state IN ('matched', 'paid_back', 'set_aside', 'reversed')) = (settled_at IS NOT NULL)),
            ADD CONSTRAINT remittance_line_paid_back_check CHECK (state <> 'paid_back' OR pence < 0)
    """)
