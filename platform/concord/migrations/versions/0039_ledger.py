"""Fee events, the ledger that they lead to, and its months.

A transaction concerns two agencies and is written into both of their books at once; each sees its own postings, both
see what the transaction was. What the database itself holds a ledger to: nothing in it is changed or removed; each
transaction sums to nothing in each book, and the payer's book shows the payee's with the signs turned; a month that a
book has closed takes no posting, for closing waits until nobody is posting and posting waits until nobody is closing.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_ledger import ACCOUNTS, BALANCE, CLOSE, LOCK, PLACE, RUNS, SHARE
from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

EVENTS = (
    "'agreement_signed', 'placed', 'ordered', 'months', 'disrupted', 'withdrawn', 'leg_confirmed', 'leg_fallen', "
    "'leg_unbalanced', 'waiver', 'override', 'refund', 'addendum'"
)
KINDS = (
    "'agreed', 'due', 'invoiced', 'paid', 'overpaid', 'allocated', 'credited', 'waived', 'revived', 'fallen_away', "
    "'refunded', 'netted', 'written_off', 'transferred', 'reversal'"
)
PARTY = "(SELECT scope_agency()) IN (payer_agency_id, payee_agency_id)"
OF_AGREEMENT = "agreement_id IN (SELECT f.id FROM fee_agreement f)"
ME = "IS NOT DISTINCT FROM (SELECT scope_person())"
MEMBERS_OF = """
            FOREIGN KEY (consortium_id, payer_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, payee_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
"""
MEMBERS = f"{MEMBERS_OF.rstrip()},\n            CHECK (payer_agency_id <> payee_agency_id)\n"
"""Of two agencies. What happens to an agreement is told even when the two have become one."""
READ = {
    "ledger_transaction": "id, payer_agency_id, payee_agency_id, dated_on, written_in",
    "posting": "transaction_id, agency_id, other_agency_id, account, pence, agreement_id, due_key",
    "fee_period": "agency_id, month, reopened_at",
    "fee_event": "agreement_id, recorded_at",
    "fee_agreement": "id, consortium_id, payee_agency_id, state",
}
"""What the functions read."""


def upgrade() -> None:
    """Create the tables, what the database holds them to, and who reads and writes them."""
    _events()
    _transactions()
    _postings()
    _periods()
    _exceptions()
    for table, columns in READ.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO concord_work")
        if table != "fee_agreement":  # of which it reads already
            may_read(table, "true", role="concord_work", name="ledger")
    for statement, signature, to in (
        (LOCK, None, None),
        (SHARE, None, None),
        (PLACE, "place_posting()", "concord_owner"),
        (BALANCE, "ledger_must_balance()", "concord_owner"),
        (CLOSE, None, None),
        (RUNS, "fee_runs_due(date)", "concord_app"),
    ):
        op.execute(statement)
        if signature and to:
            give_function(signature, "concord_work", to=to)
    _triggers()
    _policies()


def _events() -> None:
    op.execute(f"""
        CREATE TABLE fee_event (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            agreement_id uuid NOT NULL REFERENCES fee_agreement (id),
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ({EVENTS})),
            -- What makes it one: the same thing told twice is told once.
            key text NOT NULL CHECK (key <> ''),
            happened_on date NOT NULL,
            facts jsonb NOT NULL,
            recorded_at timestamptz NOT NULL,
            recorded_by uuid,
            recorded_name text,
            CONSTRAINT fee_event_key UNIQUE (agreement_id, key),
            {MEMBERS_OF}
        )
    """)
    for party in ("payer", "payee"):
        op.execute(f"CREATE INDEX fee_event_{party}_idx ON fee_event ({party}_agency_id)")


def _transactions() -> None:
    op.execute(f"""
        CREATE TABLE ledger_transaction (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL,
            agreement_id uuid REFERENCES fee_agreement (id),
            invoice_id uuid,
            event_id uuid REFERENCES fee_event (id),
            kind text NOT NULL CHECK (kind IN ({KINDS})),
            -- The business key: what is posted under it is posted once.
            key text NOT NULL CHECK (key <> ''),
            pence bigint NOT NULL CHECK (pence > 0),
            dated_on date NOT NULL,
            narrative text NOT NULL CHECK (narrative <> ''),
            reverses_id uuid REFERENCES ledger_transaction (id),
            reason text CHECK (reason <> ''),
            made_by uuid,
            made_name text,
            approved_by uuid,
            approved_name text,
            posted_at timestamptz NOT NULL,
            -- Postings are made with it, in the same transaction of the database, or never.
            written_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
            CONSTRAINT ledger_transaction_key UNIQUE (payer_agency_id, payee_agency_id, key),
            CONSTRAINT ledger_transaction_reverses_key UNIQUE (reverses_id),
            CHECK ((kind = 'reversal') = (reverses_id IS NOT NULL)),
            CHECK (reverses_id IS NULL OR reason IS NOT NULL),
            CHECK (approved_by <> made_by),
            {MEMBERS}
        )
    """)
    # Whoever the parties have become since: nothing of one agreement is posted twice.
    op.execute(
        "CREATE UNIQUE INDEX ledger_transaction_agreement_key ON ledger_transaction (agreement_id, key) "
        "WHERE agreement_id IS NOT NULL"
    )
    op.execute("CREATE INDEX ledger_transaction_payee_idx ON ledger_transaction (payee_agency_id)")
    for column in ("invoice_id", "event_id"):
        op.execute(
            f"CREATE INDEX ledger_transaction_{column.removesuffix('_id')}_idx ON ledger_transaction ({column}) "
            f"WHERE {column} IS NOT NULL"
        )


def _postings() -> None:
    op.execute(f"""
        CREATE TABLE posting (
            id uuid PRIMARY KEY,
            transaction_id uuid NOT NULL REFERENCES ledger_transaction (id),
            -- Whose book it is in, and with whom it is about.
            agency_id uuid NOT NULL REFERENCES agency,
            other_agency_id uuid NOT NULL REFERENCES agency,
            account text NOT NULL CHECK (account IN ({ACCOUNTS})),
            -- A debit is more than nothing, a credit less.
            pence bigint NOT NULL CHECK (pence <> 0),
            -- The month that it counts in: the trigger says which.
            period_on date NOT NULL CHECK (period_on = date_trunc('month', period_on)),
            agreement_id uuid REFERENCES fee_agreement (id),
            -- Which instalment of that agreement it is about.
            due_key text CHECK (due_key <> ''),
            CHECK (agency_id <> other_agency_id),
            CHECK (due_key IS NULL OR agreement_id IS NOT NULL)
        )
    """)
    op.execute("CREATE INDEX posting_transaction_idx ON posting (transaction_id)")
    op.execute(
        "CREATE INDEX posting_book_idx ON posting (agency_id, other_agency_id, period_on) INCLUDE (account, pence)"
    )
    op.execute("CREATE INDEX posting_period_idx ON posting (agency_id, period_on) INCLUDE (account, pence)")
    op.execute("CREATE INDEX posting_agreement_idx ON posting (agreement_id, due_key) WHERE agreement_id IS NOT NULL")


def _periods() -> None:
    op.execute("""
        CREATE TABLE fee_period (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            month date NOT NULL CHECK (month = date_trunc('month', month)),
            closed_at timestamptz NOT NULL,
            closed_by uuid,
            closed_name text,
            -- What each account brought into the month, took in it and carried out, as the database added it up.
            totals jsonb NOT NULL,
            reopen_asked_at timestamptz,
            reopen_asked_by uuid,
            reopen_asked_name text,
            reopen_reason text CHECK (reopen_reason <> ''),
            reopened_at timestamptz,
            reopened_by uuid,
            reopened_name text,
            CHECK ((reopen_asked_at IS NULL) = (reopen_asked_by IS NULL)),
            CHECK ((reopen_asked_at IS NULL) = (reopen_reason IS NULL)),
            CHECK ((reopened_at IS NULL) = (reopened_by IS NULL)),
            CHECK (reopened_at IS NULL OR reopen_asked_at IS NOT NULL),
            CHECK (reopened_by <> reopen_asked_by)
        )
    """)
    # A month that was reopened and closed again has a row for each time.
    op.execute("CREATE UNIQUE INDEX fee_period_month_key ON fee_period (agency_id, month) WHERE reopened_at IS NULL")


def _exceptions() -> None:
    op.execute(f"""
        CREATE TABLE fee_exception (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            agreement_id uuid NOT NULL REFERENCES fee_agreement (id),
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('waiver', 'override', 'refund')),
            -- The new fee, or what is paid back; a waiver is of all that was not invoiced.
            pence bigint CHECK (pence >= 0),
            reason text NOT NULL CHECK (reason <> ''),
            -- Who asks, and whose word it takes besides: income is its own agency's to give up, by two of its people;
            -- another price takes somebody of each.
            agency_id uuid NOT NULL,
            deciding_agency_id uuid NOT NULL,
            asked_at timestamptz NOT NULL,
            asked_by uuid NOT NULL,
            asked_name text NOT NULL,
            decided_at timestamptz,
            decided_by uuid,
            decided_name text,
            approved boolean,
            CHECK ((kind = 'waiver') = (pence IS NULL)),
            CHECK (kind <> 'refund' OR pence > 0),
            CHECK (agency_id IN (payer_agency_id, payee_agency_id)),
            CHECK (deciding_agency_id IN (payer_agency_id, payee_agency_id)),
            CHECK (kind = 'override' OR (agency_id = payee_agency_id AND deciding_agency_id = payee_agency_id)),
            CHECK (kind <> 'override' OR agency_id <> deciding_agency_id),
            CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
            CHECK ((decided_at IS NULL) = (approved IS NULL)),
            CHECK (decided_by <> asked_by),
            {MEMBERS}
        )
    """)
    op.execute("CREATE INDEX fee_exception_agency_idx ON fee_exception (agency_id)")
    op.execute("CREATE INDEX fee_exception_agreement_idx ON fee_exception (agreement_id)")
    for party in ("payer", "payee"):
        op.execute(f"CREATE INDEX fee_exception_{party}_idx ON fee_exception ({party}_agency_id)")


def _triggers() -> None:
    for table in ("fee_event", "ledger_transaction", "posting"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in ("fee_period", "fee_exception"):
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER ledger_transaction_books BEFORE INSERT ON ledger_transaction "
        "FOR EACH ROW EXECUTE FUNCTION share_fee_books()"
    )
    op.execute("CREATE TRIGGER posting_month BEFORE INSERT ON posting FOR EACH ROW EXECUTE FUNCTION place_posting()")
    op.execute(
        "CREATE TRIGGER fee_period_totals BEFORE INSERT OR UPDATE ON fee_period "
        "FOR EACH ROW EXECUTE FUNCTION close_fee_book()"
    )
    for table in ("ledger_transaction", "posting"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_balance AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION ledger_must_balance()"
        )


def _policies() -> None:
    for table in ("fee_event", "ledger_transaction", "posting", "fee_period", "fee_exception"):
        wall(table)
    may_read("fee_event", f"{PARTY} OR {OF_AGREEMENT}")
    may_read("ledger_transaction", f"{PARTY} OR {OF_AGREEMENT}")
    may_read("posting", OWN)
    may_read("fee_period", OWN)
    may_read("fee_exception", PARTY)
    may_write(
        "fee_event",
        "(agreement_id, payer_agency_id, payee_agency_id) IN "
        "(SELECT f.id, f.payer_agency_id, f.payee_agency_id FROM fee_agreement f) "
        f"AND recorded_by {ME}",
        verbs="INSERT",
    )
    may_write("ledger_transaction", PARTY, verbs="INSERT", columns=TRANSACTION_COLUMNS)
    # By what is its own, of a transaction that the scope sees: at once, and not only when the trigger asks on commit.
    may_write(
        "posting",
        "(SELECT scope_agency()) IN (agency_id, other_agency_id) "
        "AND EXISTS (SELECT FROM ledger_transaction t WHERE t.id = transaction_id)",
        verbs="INSERT",
    )
    may_write("fee_period", f"{OWN} AND closed_by {ME} AND reopen_asked_at IS NULL", verbs="INSERT")
    # One person asks, and another opens it: each in their own name, and what was asked stands.
    may_write(
        "fee_period",
        f"{OWN} AND ((reopened_at IS NULL AND (reopen_asked_by IS NULL OR reopen_asked_by {ME})) OR reopened_by {ME})",
        only=f"{OWN} AND reopened_at IS NULL",
        verbs="UPDATE",
        columns="reopen_asked_at, reopen_asked_by, reopen_asked_name, reopen_reason, reopened_at, reopened_by, "
        "reopened_name",
    )
    may_write(
        "fee_exception",
        f"{OWN} AND asked_by {ME} AND decided_at IS NULL AND (agreement_id, payer_agency_id, payee_agency_id) IN "
        "(SELECT f.id, f.payer_agency_id, f.payee_agency_id FROM fee_agreement f)",
        verbs="INSERT",
    )
    may_write(
        "fee_exception",
        f"deciding_agency_id = (SELECT scope_agency()) AND decided_by {ME}",
        only="deciding_agency_id = (SELECT scope_agency()) AND decided_at IS NULL",
        verbs="UPDATE",
        columns="decided_at, decided_by, decided_name, approved",
    )
    op.execute("GRANT SELECT ON fee_event, posting, fee_period, fee_exception TO concord_app")
    op.execute(f"GRANT SELECT ({TRANSACTION_COLUMNS}) ON ledger_transaction TO concord_app")


TRANSACTION_COLUMNS = (
    "id, consortium_id, payer_agency_id, payee_agency_id, agreement_id, invoice_id, event_id, kind, key, pence, "
    "dated_on, narrative, reverses_id, reason, made_by, made_name, approved_by, approved_name, posted_at"
)
"""All but the database's own note."""
