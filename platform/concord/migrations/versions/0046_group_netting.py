"""Netting among several agencies: of each invoice what is owed, who pays whom what is left, and who has confirmed.

An agency reads its own invoices and its own legs, never what two others owe each other. What is owed among all of them
is put together, and posted in all of their books, by functions that tell nobody of it. The office of the swap group
sees who has confirmed, and no sum. Netting between two is the same with two agencies.

A consortium's office is told what swaps spared its agencies and what their families earned, by agency and year.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.netting_functions import CONFIRM, DRAW, OWED, PAYMENTS, SAVINGS
from concord.migrations.wall import give_function, may_read, may_write, wall

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"
ME = "IS NOT DISTINCT FROM (SELECT scope_person())"
OWN = "(SELECT scope_agency())"
PARTY = f"{OURS} AND {OWN} IN (payer_agency_id, payee_agency_id)"
TAKES_PART = f"{OURS} AND ({OWN} = agency_id OR {OWN} = ANY (agency_ids))"
OPEN = "posted_at IS NULL AND declined_at IS NULL"
MEMBERS = """
            FOREIGN KEY (consortium_id, payer_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, payee_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
"""
DECLINED = "declined_at, declined_by, declined_name, declined_reason, declined_agency_id"
READ = {
    "invoice": "id, consortium_id, payer_agency_id, payee_agency_id, number",
    "invoice_line": "invoice_id, agreement_id",
    "dispute": "invoice_id, status",
    "ledger_transaction": "invoice_id, agreement_id, kind",
    "swap_group": "id, consortium_id, office_id",
    "swap_member": "swap_group_id, agency_id, agreed_on",
    "fee_agreement": "payer_agency_id, amount_pence, placed_on",
    "posting": "period_on",
    "agency": "id, kind",
}
"""What the functions read beside what their role reads already."""
TRANSACTION = (
    "id, consortium_id, payer_agency_id, payee_agency_id, invoice_id, kind, key, pence, dated_on, narrative, made_by, "
    "made_name, approved_by, approved_name, posted_at"
)

POSTING = "id, transaction_id, agency_id, other_agency_id, account, pence"


def upgrade() -> None:
    """Let a netting have any number of agencies, and its legs be paid like invoices."""
    _widen()
    _parts()
    _carry_over()
    _policies()
    _functions()
    _pay_legs()


def _widen() -> None:
    for policy in ("read", "insert", "update"):
        op.execute(f"DROP POLICY netting_{policy} ON netting")
    op.execute("REVOKE INSERT ON netting FROM concord_app")
    op.execute("DROP INDEX netting_open_key")
    op.execute("""
        ALTER TABLE netting
            -- Of which swap group; none between two agencies that asked for themselves.
            ADD swap_group_id uuid REFERENCES swap_group (id),
            -- Whose books it is in.
            ADD agency_ids uuid[],
            -- The last day on which somebody may confirm.
            ADD lapses_on date,
            ADD posted_at timestamptz,
            ADD declined_agency_id uuid
    """)


def _parts() -> None:
    op.execute("""
        CREATE TABLE netting_member (
            netting_id uuid NOT NULL REFERENCES netting (id),
            consortium_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            confirmed_at timestamptz,
            confirmed_by uuid,
            confirmed_name text,
            PRIMARY KEY (netting_id, agency_id),
            -- Nobody speaks for two.
            CONSTRAINT netting_member_person_key UNIQUE (netting_id, confirmed_by),
            CHECK (num_nulls(confirmed_at, confirmed_by, confirmed_name) IN (0, 3)),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX netting_member_agency_idx ON netting_member (agency_id)")
    op.execute(f"""
        CREATE TABLE netting_claim (
            netting_id uuid NOT NULL REFERENCES netting (id),
            consortium_id uuid NOT NULL,
            invoice_id uuid NOT NULL,
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL CHECK (payee_agency_id <> payer_agency_id),
            number text NOT NULL,
            -- What is owed of it, and settled by the netting.
            pence bigint NOT NULL CHECK (pence > 0),
            PRIMARY KEY (netting_id, invoice_id),
            FOREIGN KEY (invoice_id, payer_agency_id, payee_agency_id)
                REFERENCES invoice (id, payer_agency_id, payee_agency_id),
            {MEMBERS}
        )
    """)
    op.execute(f"""
        CREATE TABLE netting_leg (
            id uuid PRIMARY KEY,
            netting_id uuid NOT NULL REFERENCES netting (id),
            consortium_id uuid NOT NULL,
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL CHECK (payee_agency_id <> payer_agency_id),
            -- What the payer writes on its payment.
            reference text NOT NULL,
            pence bigint NOT NULL CHECK (pence > 0),
            CONSTRAINT netting_leg_pair_key UNIQUE (netting_id, payer_agency_id, payee_agency_id),
            CONSTRAINT netting_leg_reference_key UNIQUE (payee_agency_id, reference),
            CONSTRAINT netting_leg_parties_key UNIQUE (id, payer_agency_id, payee_agency_id),
            {MEMBERS}
        )
    """)
    op.execute("CREATE INDEX netting_claim_invoice_idx ON netting_claim (invoice_id)")
    for table in ("netting_claim", "netting_leg"):
        for party in ("payer", "payee"):
            op.execute(f"CREATE INDEX {table}_{party}_idx ON {table} ({party}_agency_id)")


def _carry_over() -> None:
    """Keep what two agencies have netted; what waits set off parts of invoices, and is drawn up anew."""
    op.execute("ALTER TABLE netting NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        UPDATE netting SET agency_ids = ARRAY[agency_id, other_agency_id], posted_at = confirmed_at,
            lapses_on = (made_at AT TIME ZONE 'UTC')::date,
            declined_agency_id = CASE declined_by WHEN made_by THEN agency_id ELSE other_agency_id END
    """)
    op.execute("UPDATE netting SET declined_agency_id = NULL WHERE declined_at IS NULL")
    op.execute("""
        INSERT INTO netting_member
        SELECT id, consortium_id, agency_id, made_at, made_by, made_name FROM netting
        UNION ALL
        SELECT id, consortium_id, other_agency_id, confirmed_at, confirmed_by, confirmed_name FROM netting
    """)
    op.execute("""
        INSERT INTO netting_claim
        SELECT n.id, n.consortium_id, (leg ->> 'invoice')::uuid, (leg ->> 'payer')::uuid,
            CASE (leg ->> 'payer')::uuid WHEN n.agency_id THEN n.other_agency_id ELSE n.agency_id END,
            leg ->> 'number', (leg ->> 'pence')::bigint
        FROM netting n, jsonb_array_elements(n.legs) AS leg
    """)
    op.execute("""
        ALTER TABLE netting
            DROP other_agency_id, DROP pence, DROP legs, DROP confirmed_at, DROP confirmed_by, DROP confirmed_name,
            ALTER agency_ids SET NOT NULL,
            ALTER lapses_on SET NOT NULL,
            ADD CHECK (cardinality(agency_ids) >= 2),
            ADD CHECK (posted_at IS NULL OR declined_at IS NULL),
            ADD CHECK ((declined_agency_id IS NULL) = (declined_at IS NULL))
    """)
    op.execute("ALTER TABLE netting FORCE ROW LEVEL SECURITY")


def _policies() -> None:
    for table in ("netting_member", "netting_claim", "netting_leg"):
        wall(table)
        op.execute(f"GRANT SELECT ON {table} TO concord_app")
    # The office hears who has confirmed, of what its members asked for too.
    may_read(
        "netting",
        f"{TAKES_PART} OR {OURS} AND swap_group_id IN (SELECT g.id FROM swap_group g WHERE g.office_id = {OWN})",
    )
    may_read("netting_member", "netting_id IN (SELECT n.id FROM netting n)")
    may_read("netting_claim", PARTY)
    may_read("netting_leg", PARTY)
    # Any of them, or who asked for it, ends it, in their own name; then it stands as it is.
    may_write(
        "netting",
        f"{TAKES_PART} AND declined_by {ME} AND declined_agency_id = {OWN} AND declined_at IS NOT NULL",
        only=f"{TAKES_PART} AND {OPEN}",
        verbs="UPDATE",
        columns=DECLINED,
    )


def _functions() -> None:
    for table, columns in READ.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO concord_work")
    for table in ("agency", "invoice_line", "dispute", "swap_group", "swap_member"):
        may_read(table, "true", role="concord_work", name="netting")
    for table in ("netting", "netting_member", "netting_claim", "netting_leg"):
        may_read(table, "true", role="concord_work", name="drawn")
        op.execute(f"GRANT SELECT ON {table} TO concord_work")
        op.execute(f"CREATE POLICY {table}_draw ON {table} FOR INSERT TO concord_work WITH CHECK (true)")
        op.execute(f"GRANT INSERT ON {table} TO concord_work")
    for table, columns in (
        ("netting", "posted_at"),
        ("netting_member", "confirmed_at, confirmed_by, confirmed_name"),
    ):
        op.execute(f"CREATE POLICY {table}_confirm ON {table} FOR UPDATE TO concord_work USING (true)")
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO concord_work")
    for table, check, columns in (
        ("ledger_transaction", "kind = 'netted'", TRANSACTION),
        ("posting", "account IN ('receivable', 'payable', 'netting')", POSTING),
    ):
        op.execute(f"CREATE POLICY {table}_net ON {table} FOR INSERT TO concord_work WITH CHECK ({check})")
        op.execute(f"GRANT INSERT ({columns}) ON {table} TO concord_work")
    for statement in (PAYMENTS, OWED, DRAW, CONFIRM, SAVINGS):
        op.execute(statement)
    give_function("draw_netting(uuid, uuid[], uuid, date, timestamptz, text)", "concord_work")
    give_function("confirm_netting(uuid, timestamptz, text)", "concord_work")
    give_function("office_savings()", "concord_work")


def _pay_legs() -> None:
    op.execute("""
        ALTER TABLE payment_allocation
            ALTER invoice_id DROP NOT NULL,
            -- What is left to pay after a netting is paid as an invoice is.
            ADD leg_id uuid,
            ADD CHECK (num_nonnulls(invoice_id, leg_id) = 1),
            ADD CONSTRAINT payment_allocation_leg_key UNIQUE (payment_id, leg_id),
            ADD FOREIGN KEY (leg_id, payer_agency_id, payee_agency_id)
                REFERENCES netting_leg (id, payer_agency_id, payee_agency_id)
    """)
    op.execute("CREATE INDEX payment_allocation_leg_idx ON payment_allocation (leg_id)")
