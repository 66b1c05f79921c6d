"""What is owed of an invoice, or of a netting's leg, follows the books of its two agencies when they are handed over.

The invoice stays as it was issued. Beside it stands whom it is between since: that agency reads it, with all that was
issued and said of it until then, and what comes after is between those two. Whoever let it go on reads nothing of that.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_invoices import DEFINER
from concord.migrations.wall import may_read, may_write, wall

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

SCOPE = "(SELECT scope_agency())"
PARTY = f"{SCOPE} IN (payer_agency_id, payee_agency_id)"
PAYER_S = f"payer_agency_id = {SCOPE}"
PAYEE_S = f"payee_agency_id = {SCOPE}"
OWN = f"agency_id = {SCOPE}"
OURS = "consortium_id = (SELECT scope_consortium())"
ME = "= (SELECT scope_person())"
AS_OF = "payer_agency_id, payee_agency_id"

# By its own row, or since a hand-over; row-level security says what the scope may ask about.
BETWEEN = """
    CREATE FUNCTION debt_is_between(wanted uuid, payer uuid, payee uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT EXISTS (SELECT FROM invoice i WHERE i.id = wanted
                AND (i.payer_agency_id, i.payee_agency_id) = (payer, payee))
            OR EXISTS (SELECT FROM netting_leg l WHERE l.id = wanted
                AND (l.payer_agency_id, l.payee_agency_id) = (payer, payee))
            OR EXISTS (SELECT FROM debt_holder d WHERE d.debt_id = wanted
                AND (d.payer_agency_id, d.payee_agency_id) = (payer, payee))
    $$
"""
# Between whom it is by now, and how often it was handed over: whoever is one of the two reads the last time.
SIDES = """
    CREATE FUNCTION debt_sides(wanted uuid) RETURNS TABLE (payer uuid, payee uuid, times integer)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT s.* FROM (
            SELECT d.payer_agency_id, d.payee_agency_id, d.position FROM debt_holder d WHERE d.debt_id = wanted
            UNION ALL SELECT i.payer_agency_id, i.payee_agency_id, 0 FROM invoice i WHERE i.id = wanted
            UNION ALL SELECT l.payer_agency_id, l.payee_agency_id, 0 FROM netting_leg l WHERE l.id = wanted
        ) AS s (payer, payee, times)
        ORDER BY s.times DESC LIMIT 1
    $$
"""
# Whoever took a payee's invoices over reminds of them, though it has issued none.
TO_REMIND = f"""
    CREATE OR REPLACE FUNCTION agencies_with_invoices(asked text) RETURNS SETOF uuid LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT p.id FROM (
            SELECT i.payee_agency_id AS id FROM invoice i WHERE i.kind = 'invoice'
            UNION SELECT d.payee_agency_id FROM debt_holder d
        ) p
        WHERE scope_is_nobody() AND NOT EXISTS (SELECT FROM job j
            WHERE j.agency_id = p.id AND j.kind = 'invoice_reminders' AND j.key = asked)
        ORDER BY 1
    $$
"""
# Of an invoice's two agencies, whoever it is by now.
ON_FEE = f"""
    CREATE OR REPLACE FUNCTION notice_fee() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
    DECLARE
        written jsonb := to_jsonb(NEW);
        told text := coalesce((SELECT to_jsonb(d) ->> TG_ARGV[1] FROM debt_holder d
            WHERE d.debt_id = (written ->> TG_ARGV[3])::uuid ORDER BY d.position DESC LIMIT 1), written ->> TG_ARGV[1]);
    BEGIN
        PERFORM give_fee_notices(told::uuid, string_to_array(TG_ARGV[2], ','), scope_person(),
            (written ->> TG_ARGV[3])::uuid, TG_ARGV[0],
            (SELECT string_agg(written ->> each, ' ') FROM unnest(string_to_array(TG_ARGV[4], ',')) each));
        RETURN NULL;
    END
    $$
"""
# Those who have been invoiced, or have taken an invoice over: the same who may read of the change.
ON_BANK = f"""
    CREATE OR REPLACE FUNCTION notice_payers() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
    BEGIN
        PERFORM give_fee_notices(p.id, ARRAY['finance_officer'], scope_person(), NEW.id, TG_ARGV[0], NEW.id::text)
        FROM (
            SELECT i.payer_agency_id AS id FROM invoice i WHERE i.payee_agency_id = NEW.agency_id
            UNION SELECT d.payer_agency_id FROM debt_holder d WHERE d.payee_agency_id = NEW.agency_id
        ) p;
        RETURN NULL;
    END
    $$
"""
# What was handed over before there was this table, by what was posted then.
CARRY_OVER = """
    INSERT INTO debt_holder
    SELECT gen_random_uuid(), t.consortium_id, t.invoice_id, h.agency_id, t.payer_agency_id, t.payee_agency_id,
        row_number() OVER (PARTITION BY t.invoice_id ORDER BY t.posted_at, t.id), i.issued_on, t.posted_at
    FROM ledger_transaction t
    JOIN hand_over h ON t.key = 'transferred/' || h.id || '/' || t.invoice_id
        AND h.receiver_id IN (t.payer_agency_id, t.payee_agency_id)
        AND h.agency_id NOT IN (t.payer_agency_id, t.payee_agency_id)
    JOIN invoice i ON i.id = t.invoice_id
    WHERE t.kind = 'transferred' AND (SELECT sum(p.pence) FROM posting p
        WHERE p.transaction_id = t.id AND p.account = 'receivable') <> 0
"""


def came(debt: str, at: str) -> str:
    """Say that a debt came to the scope's agency, with what was issued or said of it by then."""
    return (
        f"EXISTS (SELECT FROM debt_holder d WHERE d.debt_id = {debt} "
        f"AND {SCOPE} IN (d.payer_agency_id, d.payee_agency_id) AND {at} <= d.taken_at)"
    )


HELD_LEG = (
    "EXISTS (SELECT FROM debt_holder d WHERE d.debt_id = netting_leg.id "
    f"AND {SCOPE} IN (d.payer_agency_id, d.payee_agency_id))"
)


def upgrade() -> None:
    """Create the table, and let what hangs on an invoice be of whom it is between by now."""
    _holders()
    _loosen()
    _readers()
    _writers()


def _holders() -> None:
    op.execute("""
        CREATE TABLE debt_holder (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            -- An invoice, or what a netting left to pay.
            debt_id uuid NOT NULL,
            giver_agency_id uuid NOT NULL REFERENCES agency,
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL,
            -- The how manieth it is of its debt: the last says whom it is between.
            position integer NOT NULL CHECK (position >= 1),
            owed_since date NOT NULL,
            taken_at timestamptz NOT NULL,
            UNIQUE (debt_id, position),
            CHECK (payer_agency_id <> payee_agency_id),
            CHECK (giver_agency_id NOT IN (payer_agency_id, payee_agency_id)),
            FOREIGN KEY (consortium_id, payer_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, payee_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    for party in ("giver", "payer", "payee"):
        op.execute(f"CREATE INDEX debt_holder_{party}_idx ON debt_holder ({party}_agency_id)")
    op.execute(
        "CREATE TRIGGER debt_holder_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON debt_holder "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    walled = ("ledger_transaction", "posting", "hand_over", "invoice")
    for table in walled:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(CARRY_OVER)
    for table in walled:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    wall("debt_holder")
    op.execute(BETWEEN)
    op.execute(SIDES)
    may_read("debt_holder", f"{SCOPE} IN (giver_agency_id, payer_agency_id, payee_agency_id)")
    op.execute("GRANT SELECT ON debt_holder TO concord_app")
    # As both sides signed it, by the giver; or by the other of the two, when what was settled is owed again and the
    # giver has become part of another. In either case what the giver is a side of by now: whoever has let it go on
    # does not let it go on again, to read what is said of it since.
    signed = (
        f"giver_agency_id = {SCOPE} AND EXISTS (SELECT FROM hand_over h WHERE h.agency_id = giver_agency_id "
        "AND h.receiver_id IN (payer_agency_id, payee_agency_id) AND h.given_at IS NOT NULL AND h.taken_at IS NOT NULL "
        "AND h.withdrawn_at IS NULL)"
    )
    merged = (
        f"{PARTY} AND EXISTS (SELECT FROM agency a WHERE a.id = giver_agency_id "
        "AND a.successor_id IN (payer_agency_id, payee_agency_id))"
    )
    may_write(
        "debt_holder",
        f"({signed} OR {merged}) AND EXISTS (SELECT FROM debt_sides(debt_id) s WHERE position = s.times + 1 "
        "AND (s.payer, s.payee) IN ((giver_agency_id, payee_agency_id), (payer_agency_id, giver_agency_id)))",
        verbs="INSERT",
    )


def _loosen() -> None:
    """Let rows name a debt by its id alone: the policies say that it is between their two agencies."""
    for table, column, target in (
        ("invoice", "credits_id", "invoice"),
        ("pay_approval", "invoice_id", "invoice"),
        ("dispute", "invoice_id", "invoice"),
        ("invoice_reminder", "invoice_id", "invoice"),
        ("payment_allocation", "invoice_id", "invoice"),
        ("payment_allocation", "leg_id", "netting_leg"),
        ("dispute_message", "dispute_id", "dispute"),
    ):
        op.execute(f"""
            DO $$
            BEGIN
                EXECUTE 'ALTER TABLE {table} DROP CONSTRAINT ' || (
                    SELECT quote_ident(c.conname) FROM pg_constraint c JOIN pg_attribute a
                        ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                    WHERE c.contype = 'f' AND c.conrelid = '{table}'::regclass AND c.confrelid = '{target}'::regclass
                        AND a.attname = '{column}' AND cardinality(c.conkey) = 3);
            END
            $$
        """)
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_fkey FOREIGN KEY ({column}) REFERENCES {target} (id)"
        )


def _readers() -> None:
    on_day = "(d.taken_at AT TIME ZONE 'UTC')::date"
    for table, condition in (
        ("invoice", came("coalesce(credits_id, invoice.id)", "issued_at")),
        ("invoice_line", "EXISTS (SELECT FROM invoice i WHERE i.id = invoice_id)"),
        ("pay_approval", came("invoice_id", "approved_at")),
        ("dispute", came("invoice_id", "opened_at")),
        ("invoice_reminder", came("invoice_id", "raised_on").replace("d.taken_at", on_day)),
        (
            "dispute_message",
            f"EXISTS (SELECT FROM dispute x WHERE x.id = dispute_id AND {came('x.invoice_id', 'dispute_message.at')})",
        ),
        ("netting_leg", HELD_LEG),
    ):
        op.execute(f"ALTER POLICY {table}_read ON {table} USING ({PARTY} OR {condition})")
    op.execute(
        f"ALTER POLICY payee_account_change_read ON payee_account_change USING ({OWN} OR approved_at IS NOT NULL "
        f"AND withdrawn_at IS NULL AND agency_id IN (SELECT i.payee_agency_id FROM invoice i WHERE i.{PAYER_S} "
        f"UNION SELECT d.payee_agency_id FROM debt_holder d WHERE d.{PAYER_S}))"
    )


def _writers() -> None:
    def now_between(debt: str, *, of: str) -> str:
        parties = ", ".join(f"{of}.{each}" for each in AS_OF.split(", "))
        return f"EXISTS (SELECT FROM debt_sides({debt}) s WHERE (s.payer, s.payee) = ({parties}))"

    def now_of(*sides: str) -> str:
        return f"EXISTS (SELECT FROM debt_sides(invoice_id) s WHERE {SCOPE} IN ({', '.join(sides)}))"

    def posted(table: str) -> str:
        return (
            f"EXISTS (SELECT FROM ledger_transaction f WHERE f.id = {table}.transaction_id AND f.payer_agency_id = "
            f"{table}.payer_agency_id AND f.payee_agency_id = {table}.payee_agency_id)"
        )

    for table, condition in (
        (
            "invoice",
            f"{PAYEE_S} AND {OURS} AND issued_by IS NOT DISTINCT FROM (SELECT scope_person()) AND {posted('invoice')} "
            f"AND (credits_id IS NULL OR {now_between('credits_id', of='invoice')})",
        ),
        ("pay_approval", f"{PAYER_S} AND approved_by {ME} AND {now_between('invoice_id', of='pay_approval')}"),
        (
            "dispute",
            f"{PAYER_S} AND opened_by {ME} AND status = 'opened' AND {now_between('invoice_id', of='dispute')}",
        ),
        ("invoice_reminder", f"{PAYEE_S} AND {now_between('invoice_id', of='invoice_reminder')}"),
        (
            "payment_allocation",
            # What its own bank took back is paid again to whoever has let the rest go on.
            f"{OURS} AND {PAYEE_S} AND {posted('payment_allocation')} "
            f"AND debt_is_between(coalesce(invoice_id, leg_id), {AS_OF})",
        ),
        (
            "dispute_message",
            f"{PARTY} AND {OWN} AND person_id {ME} AND EXISTS (SELECT FROM dispute x WHERE x.id = dispute_id "
            f"AND {now_between('x.invoice_id', of='dispute_message')})",
        ),
    ):
        op.execute(f"ALTER POLICY {table}_insert ON {table} WITH CHECK ({condition})")
    op.execute(
        f"ALTER POLICY dispute_update ON dispute USING ({now_of('s.payer', 's.payee')} AND status <> 'resolved') "
        f"WITH CHECK ({now_of('s.payer', 's.payee')} "
        f"AND (outcome IS NULL OR resolved_by {ME} AND (outcome = 'withdrawn') = {now_of('s.payer')}))"
    )
    # An order goes with its agreement, whose payer may give another.
    of_agreement = "EXISTS (SELECT FROM fee_agreement f WHERE f.id = agreement_id AND"
    readers = f"{PARTY} OR {of_agreement} {SCOPE} IN (f.payer_agency_id, f.payee_agency_id))"
    op.execute(f"ALTER POLICY purchase_order_read ON purchase_order USING ({readers})")
    pays = f"{PAYER_S} OR {of_agreement} f.payer_agency_id = {SCOPE})"
    op.execute(f"ALTER POLICY purchase_order_update ON purchase_order USING ({pays})")
    may_read("debt_holder", "true", role="concord_work", name="remind")
    op.execute("GRANT SELECT ON debt_holder TO concord_work")
    op.execute("GRANT CREATE ON SCHEMA public TO concord_work")
    op.execute("SET LOCAL ROLE concord_work")
    op.execute(TO_REMIND)
    op.execute(ON_FEE)
    op.execute(ON_BANK)
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute("REVOKE CREATE ON SCHEMA public FROM concord_work")
