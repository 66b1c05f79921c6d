"""Hold whoever writes about fees to the agencies of what they name, to their own name, and to a second person's word.

A row that two agencies share names an agreement, an event or a transaction of those two. Who made, approved or asked
for something is the scope's own person, or stands on record as such in an event that the row comes of. What departs
from an agreement is told as two people decided it. A limit to signing is raised by two people.

Policies that went through all of an agency's transactions or agreements for one row ask for it by its key.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_walls import BANK_NAMES, LIMIT, PARTIES, REVERSAL
from concord.migrations.wall import OWN

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"
PARTY = "(SELECT scope_agency()) IN (payer_agency_id, payee_agency_id)"
PAYEE_S = "payee_agency_id = (SELECT scope_agency())"
PAYER_S = "payer_agency_id = (SELECT scope_agency())"
ME = "IS NOT DISTINCT FROM (SELECT scope_person())"
LEDGER_MAKER = f"""
    (made_by {ME} OR EXISTS (SELECT FROM fee_event e WHERE e.id = event_id
        AND made_by::text IN (e.recorded_by::text, e.facts ->> 'asked_by')))
"""
"""Settling posts what came of an event in the name of who told it, or asked for what it decided."""
LEDGER_APPROVER = """
    (approved_by IS NULL
        OR EXISTS (SELECT FROM fee_event e WHERE e.id = event_id AND approved_by::text = e.facts ->> 'decided_by'))
"""
DECIDED = "kind IN ('waiver', 'override', 'refund')"
AS_DECIDED = f"""
    CASE WHEN {DECIDED} THEN EXISTS (SELECT FROM fee_exception x
        WHERE x.id = (facts ->> 'exception_id')::uuid AND x.agreement_id = fee_event.agreement_id
        AND x.kind = fee_event.kind AND fee_event.key = x.kind || '/' || x.id AND x.approved AND x.decided_by {ME}
        AND facts ->> 'asked_by' = x.asked_by::text AND facts ->> 'decided_by' = x.decided_by::text
        AND (x.kind <> 'refund' OR (facts ->> 'pence')::bigint = x.pence)
        AND (x.kind <> 'override'
            OR (SELECT sum(a.value::bigint) FROM jsonb_each_text(facts -> 'amounts') a) = x.pence))
    ELSE NOT facts ?| ARRAY['asked_by', 'decided_by'] END
"""
"""What two people decided is told as they did, by the second of them, once."""


def upgrade() -> None:
    """Tighten policies, and add what they cannot say."""
    _ledger()
    _shared()
    _names()
    _limits()


def _of(table: str, named: str = "fee_agreement", key: str = "agreement_id") -> str:
    """Say that what a row names by ``key`` is of the row's two agencies, and that the scope sees it."""
    return (
        f"EXISTS (SELECT FROM {named} f WHERE f.id = {table}.{key} AND f.payer_agency_id = {table}.payer_agency_id "
        f"AND f.payee_agency_id = {table}.payee_agency_id)"
    )


def _check(table: str, condition: str, verb: str = "insert") -> None:
    op.execute(f"ALTER POLICY {table}_{verb} ON {table} WITH CHECK ({condition})")


def _ledger() -> None:
    op.execute("ALTER TABLE fee_event ADD CONSTRAINT fee_event_agreement_key UNIQUE (id, agreement_id)")
    op.execute(
        "ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_event_id_fkey, "
        "ADD CHECK (event_id IS NULL OR agreement_id IS NOT NULL), "
        "ADD FOREIGN KEY (event_id, agreement_id) REFERENCES fee_event (id, agreement_id)"
    )
    _check("fee_event", f"{_of('fee_event')} AND recorded_by {ME} AND {AS_DECIDED}")
    _check(
        "ledger_transaction",
        f"{PARTY} AND (agreement_id IS NULL OR {_of('ledger_transaction')}) AND {LEDGER_MAKER} AND {LEDGER_APPROVER}",
    )
    op.execute(PARTIES)
    op.execute(REVERSAL)
    op.execute(
        "CREATE TRIGGER posting_parties AFTER INSERT ON posting REFERENCING NEW TABLE AS made FOR EACH STATEMENT "
        "WHEN (current_user = 'concord_app') EXECUTE FUNCTION hold_postings_to_parties()"
    )
    op.execute(
        "CREATE TRIGGER ledger_transaction_reversal AFTER INSERT ON ledger_transaction FOR EACH ROW "
        "WHEN (NEW.reverses_id IS NOT NULL AND current_user = 'concord_app') "
        "EXECUTE FUNCTION hold_reversal_to_parties()"
    )


def _shared() -> None:
    _check(
        "fee_agreement",
        f"{OURS} AND authority_agency_id = (SELECT scope_agency()) AND state = 'drafted' AND payer_signed_by IS NULL "
        f"AND payee_signed_by IS NULL AND drafted_by {ME} AND EXISTS (SELECT FROM link l WHERE l.id = link_id)",
    )
    _check("invoice_line", f"{PAYEE_S} AND {_of('invoice_line')}")
    _check(
        "invoice",
        f"{PAYEE_S} AND {OURS} AND issued_by {ME} AND {_of('invoice', 'ledger_transaction', 'transaction_id')}",
    )
    _check(
        "fee_exception",
        f"{OWN} AND asked_by {ME} AND decided_at IS NULL AND {_of('fee_exception')}",
    )
    for verb in ("insert", "update"):
        _check("purchase_order", f"{PAYER_S} AND recorded_by {ME} AND {_of('purchase_order')}", verb)
    own_posted = _of("payment", "ledger_transaction", "transaction_id")
    _check(
        "payment",
        f"{OURS} AND {PAYEE_S} AND confirmed_by {ME} AND taken_back_at IS NULL "
        f"AND (transaction_id IS NULL OR {own_posted})",
    )
    _check(
        "payment_allocation",
        f"{OURS} AND {PAYEE_S} AND {_of('payment_allocation', 'ledger_transaction', 'transaction_id')}",
    )


def _names() -> None:
    # A line is taken in before anybody settles it.
    _check("remittance_line", f"{OWN} AND settled_by IS NULL")
    op.execute(BANK_NAMES)
    op.execute(
        "CREATE TRIGGER payee_account_change_names BEFORE UPDATE ON payee_account_change FOR EACH ROW "
        "WHEN (current_user = 'concord_app') EXECUTE FUNCTION hold_bank_names()"
    )


def _limits() -> None:
    op.execute("""
        ALTER TABLE signing_limit
            -- A higher one, that waits for a second person; null for any amount.
            ADD asked_pence bigint,
            ADD asked_by uuid,
            ADD asked_name text,
            ADD asked_at timestamptz,
            ADD CHECK (num_nulls(asked_by, asked_name, asked_at) IN (0, 3)),
            ADD CHECK (asked_by IS NOT NULL OR asked_pence IS NULL),
            ADD CHECK (asked_by IS NULL OR (pence IS NOT NULL AND (asked_pence IS NULL OR asked_pence > pence)))
    """)
    _check("signing_limit", f"{OWN} AND set_by {ME} AND asked_by IS NULL")
    # Who asks for a higher one sets none, and who declines it neither: the trigger knows what a row was before.
    _check("signing_limit", OWN, "update")
    op.execute(LIMIT)
    op.execute(
        "CREATE TRIGGER signing_limit_raised BEFORE UPDATE ON signing_limit FOR EACH ROW "
        "WHEN (current_user = 'concord_app') EXECUTE FUNCTION hold_signing_limit()"
    )
