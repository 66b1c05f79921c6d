"""Hold events, names and invoices in rows about fees to what is behind them.

An event tells of a signature or an addendum that is there. A name that is kept beside a person's id is that person's.
A transaction of the ledger names an invoice of its two agencies, or one that a hand-over brought to them. Whoever a
signing limit binds has no say in raising it, and whoever has is told that one waits.

Each posting has its turn. A book's locks are held before it is given out, so that while nobody posts into a book all
that is in it has an earlier turn than whatever comes.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_guards import EVENT, INVOICE, LEDGER_NAMES, NAME, OTHERS, TAKE
from concord.migrations.wall import give_function

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

WRITERS = "current_user IN ('concord_app', 'concord_work')"
"""Whoever writes for an agency: its own session, and what is done in its scope for several."""
NAMED = {
    "fee_agreement": "payer_signed payee_signed",
    "fee_addendum": "payer_signed payee_signed drafted",
    "fee_payer": "asked confirmed",
    "signing_limit": "set asked",
    "fee_event": "recorded",
    "fee_period": "closed reopen_asked reopened",
    "fee_exception": "asked decided",
    "pay_approval": "approved",
    "dispute_message": "person",
    "remittance_line": "settled",
    "payment": "confirmed taken_back",
    "fee_statement": "made other_agreed withdrawn",
    "netting": "made declined",
    "netting_member": "confirmed",
    "document_grant": "decided",
    "legal_hold": "person lifted",
    "clock_mark": "person",
    "clock_reason": "person",
    "decline": "person",
    "sibling_decision": "person",
    "panel_reader": "named ended",
    "placement_note": "person",
    "placement_review": "person",
    "sealing": "asked",
}
"""Whose names are kept beside their ids, by table, and that no policy binds to the person."""
READ = {
    "invoice": "id, payer_agency_id, payee_agency_id",
    "debt_holder": "debt_id, payer_agency_id, payee_agency_id",
    "ledger_transaction": "invoice_id, kind, key",
}
"""What a function reads beside what its role reads already."""
PARTY = (
    "consortium_id = (SELECT scope_consortium()) "
    "AND (SELECT scope_agency()) IN (payer_agency_id, payee_agency_id, authority_agency_id)"
)
RAISED = "OLD.pence IS NOT NULL AND (NEW.pence IS NULL OR NEW.pence > OLD.pence)"


def upgrade() -> None:
    """Add what holds them."""
    _names()
    _ledger()
    _limits()
    _turns()


def _names() -> None:
    op.execute(NAME)
    give_function("scope_person_name()", "concord_sign_in", to="concord_app, concord_work")
    op.execute(TAKE)
    # A copy may be of 100 MB, which no trigger is to copy once more.
    op.execute("""
        ALTER POLICY adopters_copy_insert ON adopters_copy WITH CHECK (household_agency_id = (SELECT scope_agency())
            AND given_by = (SELECT scope_person()) AND given_name = (SELECT scope_person_name()))
    """)
    # A change of the rate is drafted by Concord, whoever takes the step that brings it.
    op.execute("ALTER TABLE fee_addendum ADD CHECK (kind = 'amendment' OR drafted_name = 'Concord')")
    for table, stems in NAMED.items():
        for stem in stems.split():
            by, name = "person_id" if stem == "person" else f"{stem}_by", f"{stem}_name"
            when = f"{WRITERS} AND num_nonnulls(NEW.{by}, NEW.{name}) > 0"
            if stem == "drafted":
                when += " AND NEW.kind = 'amendment'"
            op.execute(
                f"CREATE TRIGGER {table}_{stem}_name BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW "
                f"WHEN ({when}) EXECUTE FUNCTION take_person_name('{by}', '{name}')"
            )


def _ledger() -> None:
    for statement in (EVENT, LEDGER_NAMES, INVOICE):
        op.execute(statement)
    for table, columns in READ.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO concord_work")
    give_function("hold_ledger_to_invoice()", "concord_work", to="concord_owner")
    op.execute("""
        CREATE TRIGGER fee_agreement_days BEFORE UPDATE ON fee_agreement FOR EACH ROW
        WHEN (current_user = 'concord_app' AND scope_agency() IS DISTINCT FROM OLD.authority_agency_id
            AND (NEW.ordered_on, NEW.disrupted_on) IS DISTINCT FROM (OLD.ordered_on, OLD.disrupted_on))
        EXECUTE FUNCTION refuse_change()
    """)
    for table, function in (("fee_event", "hold_fee_event"), ("ledger_transaction", "take_ledger_names")):
        op.execute(
            f"CREATE TRIGGER {table}_told BEFORE INSERT ON {table} FOR EACH ROW "
            f"WHEN (current_user = 'concord_app') EXECUTE FUNCTION {function}()"
        )
    # What counts without a signature is the children's agency's to draw up, once, on the day of which it tells.
    op.execute(f"""
        ALTER POLICY fee_addendum_insert ON fee_addendum WITH CHECK ({PARTY} AND withdrawn_at IS NULL
            AND payer_signed_by IS NULL AND payee_signed_by IS NULL
            AND drafted_by IS NOT DISTINCT FROM (SELECT scope_person())
            AND (kind = 'amendment' OR authority_agency_id = (SELECT scope_agency()) AND EXISTS (
                SELECT FROM fee_agreement f WHERE f.id = fee_addendum.agreement_id AND f.frozen_at IS NULL)))
    """)
    op.execute(
        "CREATE CONSTRAINT TRIGGER ledger_transaction_of_invoice AFTER INSERT ON ledger_transaction "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.invoice_id IS NOT NULL AND {WRITERS}) "
        "EXECUTE FUNCTION hold_ledger_to_invoice()"
    )


def _limits() -> None:
    op.execute(OTHERS)
    op.execute(
        "CREATE TRIGGER signing_limit_by_others BEFORE UPDATE ON signing_limit FOR EACH ROW "
        f"WHEN (current_user = 'concord_app' AND {RAISED}) EXECUTE FUNCTION hold_limit_to_others()"
    )
    # Told who may agree to it, and never who asked.
    for role, other in (("finance_officer", "manager"), ("manager", "finance_officer")):
        op.execute(
            f"CREATE TRIGGER signing_limit_tells_{other} AFTER UPDATE ON signing_limit FOR EACH ROW "
            f"WHEN (NEW.role = '{role}' AND NEW.asked_at IS NOT NULL AND NEW.asked_at IS DISTINCT FROM OLD.asked_at) "
            f"EXECUTE FUNCTION notice_fee('limit_asked', 'agency_id', '{other}', 'agency_id', 'role,asked_at')"
        )


def _turns() -> None:
    # What was posted before has turns by where it lies, which nothing has changed.
    op.execute("ALTER TABLE posting ADD turn bigint NOT NULL GENERATED ALWAYS AS IDENTITY")
    op.execute("CREATE INDEX posting_turn_idx ON posting (agency_id, turn)")
    # Nobody says a turn, nor the month.
    op.execute("REVOKE INSERT ON posting FROM concord_app")
    op.execute(
        "GRANT INSERT (id, transaction_id, agency_id, other_agency_id, account, pence, agreement_id, due_key) "
        "ON posting TO concord_app"
    )
