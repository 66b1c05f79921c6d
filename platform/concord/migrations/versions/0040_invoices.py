"""Invoices: what a payee's account says, approved suppliers and purchase orders, invoices, disputes and reminders.

An invoice is its two agencies': both read it, and nobody changes it. What names a bank account is sealed under a key of
its own, which both can open. Whoever wants to change where money goes needs a second person, and time passes first: the
database itself sets the day, whatever the caller says.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_invoices import ADD_UP, NEVER_BACK, SET_EFFECT, TO_REMIND
from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

PARTIES = "payer_agency_id, payee_agency_id"
PARTY = f"(SELECT scope_agency()) IN ({PARTIES})"
PAYER_S = "payer_agency_id = (SELECT scope_agency())"
PAYEE_S = "payee_agency_id = (SELECT scope_agency())"
ME = "(SELECT scope_person())"
OURS = "consortium_id = (SELECT scope_consortium())"
IN_DEAL = "agency_id IN (SELECT unnest(ARRAY[f.payer_agency_id, f.payee_agency_id]) FROM fee_agreement f)"
"""Who is on an agreement that the scope sees: its name and address stand on invoices."""
SIDES = """
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL CHECK (payee_agency_id <> payer_agency_id)
"""
OF_INVOICE = f"FOREIGN KEY (invoice_id, {PARTIES}) REFERENCES invoice (id, {PARTIES})"
CATEGORIES = "'exempt', 'outside_scope', 'zero', 'standard'"
TODAY = "(now() AT TIME ZONE 'UTC')::date"


def upgrade() -> None:
    """Create what invoices are made from, invoices, and what is said of them."""
    _accounts()
    _orders()
    _invoices()
    _answers()
    _guards()
    _functions()


def _accounts() -> None:
    op.execute(f"""
        CREATE TABLE payee_account (
            agency_id uuid PRIMARY KEY REFERENCES agency,
            legal_name text NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 200),
            address text NOT NULL CHECK (length(address) <= 300),
            town text NOT NULL CHECK (length(town) <= 100),
            postcode text NOT NULL CHECK (length(postcode) <= 10),
            -- Until finance has chosen one nothing is invoiced: it is to be confirmed.
            vat_category text CHECK (vat_category IN ({CATEGORIES})),
            vat_words text NOT NULL CHECK (length(vat_words) <= 200),
            vat_number text CHECK (vat_number ~ '^GB[0-9A-Z]{{5,12}}$'),
            -- What else HM Revenue and Customs knows the payee by, where it is not registered for VAT.
            tax_reference text CHECK (length(tax_reference) BETWEEN 1 AND 30),
            series text NOT NULL CHECK (series IN ('own', 'finance_system')),
            number_prefix text NOT NULL CHECK (number_prefix ~ '^[A-Z0-9/-]{{1,12}}$'),
            next_number bigint NOT NULL CHECK (next_number BETWEEN 1 AND 999999999),
            payment_days integer NOT NULL CHECK (payment_days BETWEEN 0 AND 120),
            bank_delay_days integer NOT NULL CHECK (bank_delay_days BETWEEN 3 AND 60),
            contact text NOT NULL CHECK (length(contact) <= 200),
            -- Where invoices reach it over a network such as Peppol, where that is known.
            endpoint_scheme text CHECK (endpoint_scheme ~ '^[0-9]{{4}}$'),
            endpoint text CHECK (length(endpoint) BETWEEN 1 AND 100),
            changed_by uuid,
            changed_at timestamptz NOT NULL,
            CHECK ((endpoint_scheme IS NULL) = (endpoint IS NULL)),
            CHECK (vat_category NOT IN ('standard', 'zero') OR vat_number IS NOT NULL)
        )
    """)
    op.execute("""
        CREATE TABLE payee_account_change (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            asked_by uuid NOT NULL,
            asked_at timestamptz NOT NULL,
            approved_by uuid CHECK (approved_by <> asked_by),
            approved_at timestamptz,
            -- Set by the database: at once for the first details, later for every change.
            takes_effect_at timestamptz CHECK (takes_effect_at >= approved_at),
            withdrawn_by uuid,
            withdrawn_at timestamptz,
            -- Name, sort code and account number, under a key of their own: whoever is to pay opens them too.
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL CHECK (length(sealed) <= 10000),
            CHECK (num_nulls(approved_by, approved_at, takes_effect_at) IN (0, 3)),
            CHECK (num_nulls(withdrawn_by, withdrawn_at) IN (0, 2))
        )
    """)
    op.execute("CREATE INDEX payee_account_change_agency_idx ON payee_account_change (agency_id, asked_at)")
    op.execute(
        "CREATE UNIQUE INDEX payee_account_change_open_idx ON payee_account_change (agency_id) "
        "WHERE approved_at IS NULL AND withdrawn_at IS NULL"
    )
    for table in ("payee_account", "payee_account_change"):
        wall(table)
    may_read("payee_account", f"{OWN} OR {IN_DEAL}")
    may_write("payee_account", f"{OWN} AND changed_by IS NOT DISTINCT FROM {ME}", only=OWN, verbs="INSERT, UPDATE")
    op.execute("GRANT SELECT ON payee_account, payee_account_change TO concord_app")


def _orders() -> None:
    op.execute("""
        CREATE TABLE supplier (
            -- Who pays, and so approves.
            agency_id uuid NOT NULL REFERENCES agency,
            payee_agency_id uuid NOT NULL REFERENCES agency CHECK (payee_agency_id <> agency_id),
            approved_on date NOT NULL,
            ended_on date CHECK (ended_on >= approved_on),
            supplier_number text CHECK (length(supplier_number) BETWEEN 1 AND 30),
            recorded_by uuid,
            recorded_at timestamptz NOT NULL,
            PRIMARY KEY (agency_id, payee_agency_id)
        )
    """)
    op.execute("CREATE INDEX supplier_payee_idx ON supplier (payee_agency_id)")
    op.execute(f"""
        CREATE TABLE purchase_order (
            agreement_id uuid PRIMARY KEY REFERENCES fee_agreement (id),
            {SIDES},
            number text NOT NULL CHECK (length(number) BETWEEN 1 AND 30),
            recorded_by uuid,
            recorded_at timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX purchase_order_payer_idx ON purchase_order (payer_agency_id)")
    for table in ("supplier", "purchase_order"):
        wall(table)
    may_read("supplier", "(SELECT scope_agency()) IN (agency_id, payee_agency_id)")
    may_read("purchase_order", PARTY)
    mine = f"recorded_by IS NOT DISTINCT FROM {ME}"
    may_write("supplier", f"{OWN} AND {mine}", only=OWN, verbs="INSERT, UPDATE")
    of_agreement = (
        "(agreement_id, payer_agency_id, payee_agency_id) IN "
        "(SELECT f.id, f.payer_agency_id, f.payee_agency_id FROM fee_agreement f)"
    )
    may_write("purchase_order", f"{PAYER_S} AND {mine} AND {of_agreement}", only=PAYER_S, verbs="INSERT, UPDATE")
    op.execute("GRANT SELECT ON supplier, purchase_order TO concord_app")


def _invoices() -> None:
    op.execute(f"""
        CREATE TABLE invoice (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            {SIDES},
            kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
            -- The invoice that a credit note is of.
            credits_id uuid,
            number text NOT NULL CHECK (number ~ '^[A-Za-z0-9][A-Za-z0-9 /._-]{{0,29}}$'),
            issued_on date NOT NULL,
            due_on date NOT NULL CHECK (due_on >= issued_on),
            purchase_order text,
            vat_category text NOT NULL CHECK (vat_category IN ({CATEGORIES})),
            -- In hundredths of a per cent.
            vat_rate integer NOT NULL CHECK (vat_rate BETWEEN 0 AND 10000),
            net_pence bigint NOT NULL CHECK (net_pence > 0),
            vat_pence bigint NOT NULL CHECK (vat_pence >= 0),
            gross_pence bigint NOT NULL CHECK (gross_pence = net_pence + vat_pence),
            -- Why it is credited, in words that name no child.
            reason text CHECK (length(reason) BETWEEN 1 AND 500),
            transaction_id uuid NOT NULL REFERENCES ledger_transaction (id),
            issued_by uuid,
            issued_at timestamptz NOT NULL,
            -- The parties' names and addresses as they were, and where to pay, under a key of their own.
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL CHECK (length(sealed) <= 100000),
            CHECK ((kind = 'credit_note') = (credits_id IS NOT NULL)),
            CHECK ((kind = 'credit_note') = (reason IS NOT NULL)),
            CHECK (vat_category = 'standard' OR vat_pence = 0 AND vat_rate = 0),
            CONSTRAINT invoice_number_key UNIQUE (payee_agency_id, number),
            CONSTRAINT invoice_parties_key UNIQUE (id, {PARTIES}),
            FOREIGN KEY (credits_id, {PARTIES}) REFERENCES invoice (id, {PARTIES}),
            FOREIGN KEY (consortium_id, payer_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, payee_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX invoice_payer_idx ON invoice (payer_agency_id, issued_on)")
    op.execute("CREATE INDEX invoice_credits_idx ON invoice (credits_id)")
    op.execute(f"""
        CREATE TABLE invoice_line (
            id uuid PRIMARY KEY,
            invoice_id uuid NOT NULL,
            {SIDES},
            position integer NOT NULL CHECK (position >= 1),
            agreement_id uuid NOT NULL REFERENCES fee_agreement (id),
            -- Which of the agreement's sums it is, as the ledger's transaction that made it due calls it.
            due_key text NOT NULL,
            words text NOT NULL CHECK (length(words) BETWEEN 1 AND 300),
            pence bigint NOT NULL CHECK (pence > 0),
            CONSTRAINT invoice_line_position_key UNIQUE (invoice_id, position),
            {OF_INVOICE}
        )
    """)
    op.execute("CREATE INDEX invoice_line_agreement_idx ON invoice_line (agreement_id, due_key)")
    for table in ("invoice", "invoice_line"):
        wall(table)
        may_read(table, PARTY)
    may_write("invoice", f"{PAYEE_S} AND {OURS} AND issued_by IS NOT DISTINCT FROM {ME}", verbs="INSERT")
    may_write("invoice_line", PAYEE_S, verbs="INSERT")
    op.execute("GRANT SELECT ON invoice, invoice_line TO concord_app")
    # Only who pays has been told of an invoice hears of a change of where to pay.
    may_read(
        "payee_account_change",
        f"{OWN} OR approved_at IS NOT NULL AND withdrawn_at IS NULL AND agency_id IN "
        "(SELECT i.payee_agency_id FROM invoice i WHERE i.payer_agency_id = (SELECT scope_agency()))",
    )
    may_write(
        "payee_account_change",
        f"{OWN} AND asked_by = {ME} AND approved_at IS NULL AND withdrawn_at IS NULL",
        verbs="INSERT",
    )
    may_write(
        "payee_account_change",
        f"{OWN} AND {ME} IN (approved_by, withdrawn_by)",
        only=f"{OWN} AND withdrawn_at IS NULL AND (takes_effect_at IS NULL OR takes_effect_at > now())",
        verbs="UPDATE",
        columns="approved_by, approved_at, withdrawn_by, withdrawn_at",
    )


def _answers() -> None:
    op.execute(f"""
        CREATE TABLE pay_approval (
            invoice_id uuid PRIMARY KEY,
            {SIDES},
            approved_by uuid NOT NULL,
            approved_name text NOT NULL,
            approved_at timestamptz NOT NULL,
            note text NOT NULL CHECK (length(note) <= 500),
            {OF_INVOICE}
        )
    """)
    op.execute(f"""
        CREATE TABLE dispute (
            id uuid PRIMARY KEY,
            invoice_id uuid NOT NULL,
            {SIDES},
            status text NOT NULL CHECK (status IN ('opened', 'answered', 'resolved')),
            outcome text CHECK (outcome IN ('credited', 'upheld', 'withdrawn')),
            -- Counts what is said: whoever answers an older one is told that somebody was first.
            version integer NOT NULL CHECK (version >= 1),
            opened_by uuid NOT NULL,
            opened_at timestamptz NOT NULL,
            resolved_by uuid,
            resolved_at timestamptz,
            CHECK ((status = 'resolved') = (outcome IS NOT NULL)),
            CHECK (num_nulls(outcome, resolved_by, resolved_at) IN (0, 3)),
            CONSTRAINT dispute_parties_key UNIQUE (id, {PARTIES}),
            {OF_INVOICE}
        )
    """)
    op.execute("CREATE UNIQUE INDEX dispute_open_idx ON dispute (invoice_id) WHERE status <> 'resolved'")
    op.execute(f"""
        CREATE TABLE dispute_message (
            id uuid PRIMARY KEY,
            dispute_id uuid NOT NULL,
            {SIDES},
            agency_id uuid NOT NULL CHECK (agency_id IN ({PARTIES})),
            person_id uuid NOT NULL,
            person_name text NOT NULL,
            at timestamptz NOT NULL,
            -- What is said, under a key of its own, which both sides open.
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL CHECK (length(sealed) <= 100000),
            FOREIGN KEY (dispute_id, {PARTIES}) REFERENCES dispute (id, {PARTIES})
        )
    """)
    op.execute("CREATE INDEX dispute_message_dispute_idx ON dispute_message (dispute_id, at)")
    op.execute("CREATE INDEX dispute_message_agency_idx ON dispute_message (agency_id)")
    op.execute("""
        CREATE TABLE reminder_stage (
            agency_id uuid NOT NULL REFERENCES agency,
            position integer NOT NULL CHECK (position BETWEEN 1 AND 9),
            -- Days after the day on which the invoice is due; before it where negative.
            days integer NOT NULL CHECK (days BETWEEN -30 AND 365),
            PRIMARY KEY (agency_id, position),
            CONSTRAINT reminder_stage_days_key UNIQUE (agency_id, days)
        )
    """)
    op.execute(f"""
        CREATE TABLE invoice_reminder (
            id uuid PRIMARY KEY,
            invoice_id uuid NOT NULL,
            {SIDES},
            days integer NOT NULL,
            raised_on date NOT NULL,
            outstanding_pence bigint NOT NULL CHECK (outstanding_pence > 0),
            CONSTRAINT invoice_reminder_stage_key UNIQUE (invoice_id, days),
            {OF_INVOICE}
        )
    """)
    of_both = ("pay_approval", "dispute", "dispute_message", "invoice_reminder")
    for table in (*of_both, "reminder_stage"):
        wall(table)
    for table in of_both:
        may_read(table, PARTY)
        op.execute(f"CREATE INDEX {table}_payer_idx ON {table} (payer_agency_id)")
    may_read("reminder_stage", OWN)
    may_write("reminder_stage", OWN, verbs="INSERT, DELETE")
    may_write("pay_approval", f"{PAYER_S} AND approved_by = {ME}", verbs="INSERT")
    may_write("dispute", f"{PAYER_S} AND opened_by = {ME} AND status = 'opened'", verbs="INSERT")
    # The payee says that it stands or was credited; the payer alone takes it back.
    may_write(
        "dispute",
        f"{PARTY} AND (outcome IS NULL OR resolved_by = {ME} AND (outcome = 'withdrawn') = ({PAYER_S}))",
        only=f"{PARTY} AND status <> 'resolved'",
        verbs="UPDATE",
        columns="status, outcome, version, resolved_by, resolved_at",
    )
    may_write("dispute_message", f"{PARTY} AND {OWN} AND person_id = {ME}", verbs="INSERT")
    may_write("invoice_reminder", PAYEE_S, verbs="INSERT")
    op.execute(f"GRANT SELECT ON {', '.join(of_both)}, reminder_stage TO concord_app")


def _guards() -> None:
    """Hold in the database what no caller may get round."""
    for statement in (SET_EFFECT, NEVER_BACK, ADD_UP):
        op.execute(statement)
    op.execute(
        "CREATE TRIGGER payee_account_change_effect BEFORE UPDATE ON payee_account_change "
        "FOR EACH ROW EXECUTE FUNCTION set_bank_effect()"
    )
    op.execute(
        "CREATE TRIGGER payee_account_number BEFORE UPDATE OF next_number, number_prefix ON payee_account "
        "FOR EACH ROW EXECUTE FUNCTION keep_invoice_number()"
    )
    for table in ("invoice", "invoice_line"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_sum AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION check_invoice_sum()"
        )


def _functions() -> None:
    may_read("invoice", "true", role="concord_work", name="remind")
    op.execute("GRANT SELECT (payee_agency_id, kind, issued_on) ON invoice TO concord_work")
    op.execute(TO_REMIND)
    give_function("agencies_with_invoices(text)", "concord_work")
