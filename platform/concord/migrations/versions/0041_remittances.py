"""Banks' files and their lines, which of them paid which invoice, and which column of a file holds what.

A file and its lines are their agency's alone; names and references are sealed. A payment is a row that two agencies
share, for it is in both books: whoever is paid writes it, whoever pays reads it.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"
PARTY = "(SELECT scope_agency()) IN (payer_agency_id, payee_agency_id)"
MINE = "payee_agency_id = (SELECT scope_agency())"
OURS_POSTED = "(transaction_id IS NULL OR transaction_id IN (SELECT t.id FROM ledger_transaction t))"
ME = "IS NOT DISTINCT FROM (SELECT scope_person())"


def upgrade() -> None:
    """Create the tables and say who reads and writes them."""
    _files()
    _payments()
    for table in ("remittance", "remittance_line", "remittance_mapping", "payment", "payment_allocation"):
        wall(table)
        op.execute(f"GRANT SELECT ON {table} TO concord_app")
    for table in ("remittance", "remittance_line", "remittance_mapping"):
        may_read(table, OWN)
    may_write("remittance", f"{OWN} AND imported_by {ME}", verbs="INSERT")
    # A file is read by a worker, who is nobody.
    may_write(
        "remittance",
        OWN,
        verbs="UPDATE",
        columns="format, signature, job_id, state, refusal, notes, line_count, known_count, credit_count, "
        "credit_pence, debit_count, debit_pence, finished_at",
    )
    may_write("remittance_line", OWN, verbs="INSERT")
    # What the bank wrote stays; only what people made of it changes. A line that is settled has been by somebody.
    may_write(
        "remittance_line",
        f"{OWN} AND (settled_by IS NULL OR settled_by {ME})",
        only=OWN,
        verbs="UPDATE",
        columns="state, settled_at, settled_by, settled_name, sealed_reason",
    )
    may_write("remittance_mapping", f"{OWN} AND said_by {ME}", only=OWN, verbs="INSERT, UPDATE")
    for table in ("payment", "payment_allocation"):
        may_read(table, f"{OURS} AND {PARTY}")
    may_write("payment", f"{OURS} AND {MINE} AND confirmed_by {ME} AND {OURS_POSTED}", verbs="INSERT")
    may_write(
        "payment",
        f"{OURS} AND {MINE} AND taken_back_at IS NOT NULL AND taken_back_by {ME}",
        only=f"{OURS} AND {MINE} AND taken_back_at IS NULL",
        verbs="UPDATE",
        columns="taken_back_at, taken_back_by, taken_back_name, taken_back_reason",
    )
    may_write("payment_allocation", f"{OURS} AND {MINE} AND {OURS_POSTED}", verbs="INSERT")


def _files() -> None:
    op.execute("""
        CREATE TABLE remittance (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            -- What the agency was paid, or what it says that it has paid.
            purpose text NOT NULL CHECK (purpose IN ('receipts', 'advice')),
            format text CHECK (format IN ('csv', 'mt940', 'camt053', 'ofx')),
            filename text NOT NULL,
            sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
            sealed bytea NOT NULL,
            -- The headings of a CSV file, as a SHA-256: files of one layout have it alike.
            signature bytea,
            job_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ('reading', 'asking', 'refused', 'taken')),
            refusal text,
            notes text[] NOT NULL DEFAULT '{}',
            -- The lines of the file; of these, those that an earlier file had already; and those taken from it.
            line_count integer NOT NULL DEFAULT 0 CHECK (line_count >= 0),
            known_count integer NOT NULL DEFAULT 0 CHECK (known_count >= 0),
            credit_count integer NOT NULL DEFAULT 0 CHECK (credit_count >= 0),
            credit_pence bigint NOT NULL DEFAULT 0 CHECK (credit_pence >= 0),
            debit_count integer NOT NULL DEFAULT 0 CHECK (debit_count >= 0),
            debit_pence bigint NOT NULL DEFAULT 0 CHECK (debit_pence >= 0),
            imported_at timestamptz NOT NULL,
            imported_by uuid,
            finished_at timestamptz,
            CHECK ((state = 'refused') = (refusal IS NOT NULL)),
            CHECK ((state IN ('refused', 'taken')) = (finished_at IS NOT NULL)),
            -- No line of a file is lost.
            CHECK (line_count = known_count + credit_count + debit_count),
            CONSTRAINT remittance_agency_key UNIQUE (id, agency_id),
            CONSTRAINT remittance_file_key UNIQUE (agency_id, purpose, sha256)
        )
    """)
    op.execute("""
        CREATE TABLE remittance_line (
            id uuid PRIMARY KEY,
            remittance_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            position integer NOT NULL CHECK (position > 0),
            dated_on date NOT NULL,
            pence bigint NOT NULL CHECK (pence <> 0),
            -- Who paid, the reference, and where it stands in the file.
            sealed bytea NOT NULL,
            -- What the line is known by, in this file and in any other, under the agency's own key.
            fingerprint bytea NOT NULL,
            -- The name of who paid, under the agency's own key: what is known of it once is known of it again.
            payer_mark bytea,
            undoes boolean NOT NULL,
            state text NOT NULL CHECK (state IN
                ('waiting', 'matched', 'set_aside', 'reversed', 'not_receipt', 'advice')),
            settled_at timestamptz,
            settled_by uuid,
            settled_name text,
            sealed_reason bytea,
            CHECK ((state IN ('matched', 'set_aside', 'reversed')) = (settled_at IS NOT NULL)),
            CHECK ((settled_at IS NULL) = (settled_by IS NULL)),
            CHECK (state <> 'set_aside' OR sealed_reason IS NOT NULL),
            CHECK (state NOT IN ('waiting', 'matched') OR pence > 0),
            CONSTRAINT remittance_line_agency_key UNIQUE (id, agency_id),
            CONSTRAINT remittance_line_place_key UNIQUE (agency_id, remittance_id, position),
            CONSTRAINT remittance_line_fingerprint_key UNIQUE (agency_id, fingerprint),
            FOREIGN KEY (remittance_id, agency_id) REFERENCES remittance (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX remittance_line_agency_idx ON remittance_line (agency_id, state, dated_on)")
    op.execute(
        "CREATE INDEX remittance_line_payer_idx ON remittance_line (agency_id, payer_mark) WHERE state = 'matched'"
    )
    op.execute("""
        CREATE TABLE remittance_mapping (
            agency_id uuid NOT NULL REFERENCES agency,
            signature bytea NOT NULL CHECK (octet_length(signature) = 32),
            purpose text NOT NULL CHECK (purpose IN ('receipts', 'advice')),
            mapping jsonb NOT NULL,
            said_by uuid,
            said_at timestamptz NOT NULL,
            PRIMARY KEY (agency_id, signature, purpose)
        )
    """)


def _payments() -> None:
    op.execute("""
        CREATE TABLE payment (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL,
            -- The line of the payee's bank; which, the payer cannot look up.
            line_id uuid NOT NULL,
            pence bigint NOT NULL CHECK (pence > 0),
            received_on date NOT NULL,
            -- What of it is more than was owed, held for the payer; posted by its own transaction.
            over_pence bigint NOT NULL CHECK (over_pence BETWEEN 0 AND pence),
            transaction_id uuid REFERENCES ledger_transaction (id),
            confirmed_at timestamptz NOT NULL,
            confirmed_by uuid NOT NULL,
            confirmed_name text NOT NULL,
            taken_back_at timestamptz,
            taken_back_by uuid,
            taken_back_name text,
            taken_back_reason text CHECK (taken_back_reason <> ''),
            CHECK (payer_agency_id <> payee_agency_id),
            CHECK ((over_pence = 0) = (transaction_id IS NULL)),
            CHECK ((taken_back_at IS NULL) = (taken_back_by IS NULL)),
            CHECK ((taken_back_at IS NULL) = (taken_back_reason IS NULL)),
            CONSTRAINT payment_parties_key UNIQUE (id, payer_agency_id, payee_agency_id),
            FOREIGN KEY (line_id, payee_agency_id) REFERENCES remittance_line (id, agency_id),
            FOREIGN KEY (consortium_id, payer_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, payee_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    # Money is counted once, whoever confirms it at the same moment.
    op.execute("CREATE UNIQUE INDEX payment_line_key ON payment (line_id, payer_agency_id) WHERE taken_back_at IS NULL")
    for party in ("payer", "payee"):
        op.execute(f"CREATE INDEX payment_{party}_idx ON payment ({party}_agency_id)")
    op.execute("""
        CREATE TABLE payment_allocation (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL,
            payment_id uuid NOT NULL,
            invoice_id uuid NOT NULL,
            pence bigint NOT NULL CHECK (pence > 0),
            transaction_id uuid NOT NULL REFERENCES ledger_transaction (id),
            CONSTRAINT payment_allocation_key UNIQUE (payment_id, invoice_id),
            FOREIGN KEY (payment_id, payer_agency_id, payee_agency_id)
                REFERENCES payment (id, payer_agency_id, payee_agency_id),
            FOREIGN KEY (invoice_id, payer_agency_id, payee_agency_id)
                REFERENCES invoice (id, payer_agency_id, payee_agency_id)
        )
    """)
    for column in ("payer_agency", "payee_agency", "invoice"):
        op.execute(f"CREATE INDEX payment_allocation_{column}_idx ON payment_allocation ({column}_id)")
