"""Legs of a netting are owed as invoices are, by a day, and a netting ends by itself when one of its agencies is gone.

What is posted about a leg names it, so that what is left of it is what the book says. Its payer is reminded at the
stages at which the payee reminds of invoices.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_guards import INVOICE
from concord.migrations.netting_functions import CONFIRM, DRAW, FIXED
from concord.migrations.wall import give_function, may_read

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

USUAL_DAYS = 30
"""Within how many days whoever has set no other time is to be paid."""


def upgrade() -> None:
    """Give legs a day and a place in the ledger, let them be reminded of, and let a netting end by itself."""
    _legs()
    _carry_over()
    _reminders()
    _functions()


def _legs() -> None:
    # None until it is posted.
    op.execute("ALTER TABLE netting_leg ADD due_on date")
    # By its id alone, as of an invoice: a key would say at once whether there is such a leg, and the trigger says it
    # with whose it is.
    op.execute("ALTER TABLE ledger_transaction ADD leg_id uuid")
    op.execute("CREATE INDEX ledger_transaction_leg_idx ON ledger_transaction (leg_id) WHERE leg_id IS NOT NULL")
    op.execute("GRANT SELECT (leg_id), INSERT (leg_id) ON ledger_transaction TO concord_app")


def _carry_over() -> None:
    walled = ("netting", "netting_leg", "ledger_transaction", "payment_allocation", "payee_account")
    for table in walled:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE ledger_transaction DISABLE TRIGGER ledger_transaction_append_only")
    op.execute(f"""
        UPDATE netting_leg l SET due_on = (n.posted_at AT TIME ZONE 'UTC')::date + coalesce(
            (SELECT a.payment_days FROM payee_account a WHERE a.agency_id = l.payee_agency_id), {USUAL_DAYS})
        FROM netting n WHERE n.id = l.netting_id AND n.posted_at IS NOT NULL
    """)
    op.execute("""
        UPDATE ledger_transaction t SET leg_id = l.id FROM netting_leg l
        WHERE t.key = 'netting/' || l.netting_id || '/leg'
            AND (t.payer_agency_id, t.payee_agency_id) = (l.payer_agency_id, l.payee_agency_id)
    """)
    for source, on in (
        ("payment_allocation", "s.transaction_id = t.id"),
        ("ledger_transaction", "s.id = t.reverses_id"),
    ):
        op.execute(
            f"UPDATE ledger_transaction t SET leg_id = s.leg_id FROM {source} s WHERE {on} AND s.leg_id IS NOT NULL"
        )
    op.execute("ALTER TABLE ledger_transaction ENABLE TRIGGER ledger_transaction_append_only")
    for table in walled:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _reminders() -> None:
    op.execute("""
        ALTER TABLE invoice_reminder
            ALTER invoice_id DROP NOT NULL,
            -- What is left to pay after a netting, where it is not of an invoice.
            ADD leg_id uuid REFERENCES netting_leg (id),
            ADD CHECK (num_nonnulls(invoice_id, leg_id) = 1),
            ADD CONSTRAINT invoice_reminder_leg_key UNIQUE (leg_id, days)
    """)
    between = (
        "EXISTS (SELECT FROM debt_sides(coalesce(invoice_id, leg_id)) s "
        "WHERE (s.payer, s.payee) = (payer_agency_id, payee_agency_id))"
    )
    op.execute(
        "ALTER POLICY invoice_reminder_insert ON invoice_reminder "
        f"WITH CHECK (payee_agency_id = (SELECT scope_agency()) AND {between})"
    )
    op.execute("DROP TRIGGER invoice_reminder_tells_0 ON invoice_reminder")
    for word, subject in (("reminder", "invoice_id"), ("leg_reminder", "leg_id")):
        op.execute(
            f"CREATE TRIGGER invoice_reminder_tells_{word} AFTER INSERT ON invoice_reminder FOR EACH ROW "
            f"WHEN (NEW.{subject} IS NOT NULL) "
            f"EXECUTE FUNCTION notice_fee('{word}', 'payer_agency_id', 'finance_officer', '{subject}', 'days')"
        )


def _functions() -> None:
    op.execute("GRANT SELECT (posted_at, leg_id), INSERT (leg_id) ON ledger_transaction TO concord_work")
    op.execute("GRANT SELECT (agency_id, payment_days) ON payee_account TO concord_work")
    may_read("payee_account", "true", role="concord_work", name="leg")
    op.execute("GRANT UPDATE (due_on) ON netting_leg TO concord_work")
    op.execute("CREATE POLICY netting_leg_post ON netting_leg FOR UPDATE TO concord_work USING (true)")
    op.execute("SET LOCAL ROLE concord_work")
    op.execute("DROP FUNCTION draw_netting(uuid, uuid[], uuid, date, timestamptz, text)")
    op.execute("DROP FUNCTION confirm_netting(uuid, timestamptz, text)")
    op.execute("SET LOCAL ROLE concord_owner")
    for statement, signature in (
        (OVER, "netting_over_on(uuid)"),
        (TELL_OVER, "notice_nettings_over(date)"),
        (OF_LEG, "hold_ledger_to_leg()"),
        (_changed(DRAW, DRAWN), "draw_netting(uuid, uuid[], uuid, date, timestamptz, text)"),
        (_changed(CONFIRM, CONFIRMED), "confirm_netting(uuid, timestamptz, text)"),
    ):
        op.execute(statement)
        give_function(signature, "concord_work", to="concord_owner" if statement == OF_LEG else "concord_app")
    op.execute(
        "CREATE CONSTRAINT TRIGGER ledger_transaction_of_leg AFTER INSERT ON ledger_transaction "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.leg_id IS NOT NULL) "
        "EXECUTE FUNCTION hold_ledger_to_leg()"
    )


def _changed(statement: str, changes: dict[str, str]) -> str:
    for before, after in changes.items():
        if statement.count(before) != 1:
            raise ValueError(f"a function has no one place for {after!r}")
        statement = statement.replace(before, after)
    return statement


# The first day on which one of its agencies is not in the consortium, or one of its invoices is another's to settle.
OVER = f"""
    CREATE FUNCTION netting_over_on(wanted uuid) RETURNS date LANGUAGE sql STABLE SECURITY DEFINER {FIXED} AS $$
        SELECT g.day FROM netting n CROSS JOIN LATERAL (SELECT least(
            (SELECT min(m.left_on) FROM consortium_member m
                WHERE m.consortium_id = n.consortium_id AND m.agency_id = ANY (n.agency_ids)),
            (SELECT min((t.posted_at AT TIME ZONE 'UTC')::date)
                FROM netting_claim c JOIN ledger_transaction t ON t.invoice_id = c.invoice_id
                WHERE c.netting_id = n.id AND t.kind = 'transferred' AND t.posted_at >= n.made_at)) AS day) AS g
        WHERE n.id = wanted AND n.posted_at IS NULL AND n.declined_at IS NULL AND g.day <= n.lapses_on
            AND (n.consortium_id = scope_consortium() OR scope_agency() = ANY (n.agency_id || n.agency_ids))
    $$
"""
# As a transaction is held to its invoice.
OF_LEG = INVOICE.replace("to_invoice", "to_leg").replace("invoice_id", "leg_id").replace("an invoice", "a leg")
# The scope's agency's finance officers, of a day, and each once.
TELL_OVER = f"""
    CREATE FUNCTION notice_nettings_over(on_day date) RETURNS integer
    LANGUAGE sql SECURITY DEFINER {FIXED} AS $$
        WITH told AS (
            SELECT give_fee_notices(scope_agency(), ARRAY['finance_officer'], NULL, n.id, 'netting_over', n.id::text)
            FROM netting n
            WHERE scope_agency() = ANY (n.agency_ids) AND n.posted_at IS NULL AND n.declined_at IS NULL
                AND n.lapses_on >= on_day - 14 AND netting_over_on(n.id) <= on_day
        )
        SELECT count(*)::integer FROM told
    $$
"""
WAITS = "AND coalesce(netting_over_on(n.id) > {}, true)"
TODAY = "(drawn_at AT TIME ZONE 'UTC')::date"
DRAWN = {
    "        WITH owed AS (": f"""
        SELECT array_agg(m.agency_id) INTO among FROM consortium_member m
        WHERE m.consortium_id = scope_consortium() AND m.agency_id = ANY (among)
            AND (m.left_on IS NULL OR m.left_on > {TODAY});
        WITH owed AS (""",
    f"AND n.lapses_on >= {TODAY})": f"AND n.lapses_on >= {TODAY} {WAITS.format(TODAY)})",
    "f.pence)::netting_leg)": "f.pence, NULL)::netting_leg)",
}
CONFIRMED = {
    "AND n.lapses_on >= today FOR UPDATE": f"AND n.lapses_on >= today {WAITS.format('today')} FOR UPDATE",
    "UPDATE netting SET posted_at = said_at WHERE id = wanted;": f"""
        UPDATE netting SET posted_at = said_at WHERE id = wanted;
        UPDATE netting_leg l SET due_on = today + coalesce(
            (SELECT a.payment_days FROM payee_account a WHERE a.agency_id = l.payee_agency_id), {USUAL_DAYS})
        WHERE l.netting_id = wanted;""",
    "c.invoice_id, c.pence, -1 AS sign,": "c.invoice_id, NULL::uuid AS leg_id, c.pence, -1 AS sign,",
    "l.payee_agency_id, NULL, l.pence, 1, 'leg',": "l.payee_agency_id, NULL, l.id, l.pence, 1, 'leg',",
    "payee_agency_id, invoice_id, kind, key,": "payee_agency_id, invoice_id, leg_id, kind, key,",
    "part.payee_agency_id, part.invoice_id, 'netted',": "part.payee_agency_id, part.invoice_id, part.leg_id, 'netted',",
}
