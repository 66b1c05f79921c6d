"""Statements that two agencies agree, and what an agency's finance system calls each account.

A statement holds what one agency's book said of the two until a day, line by line; the other compares it with its own
book and agrees to it, or either withdraws it. What was drawn up does not change, and its hash is of what it says.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"
PARTY = f"{OURS} AND (SELECT scope_agency()) IN (agency_id, other_agency_id)"
ME = "IS NOT DISTINCT FROM (SELECT scope_person())"
OPEN = "other_agreed_at IS NULL AND withdrawn_at IS NULL"


def upgrade() -> None:
    """Create the tables and say who reads and writes them."""
    _statements()
    _journals()
    for table in ("fee_statement", "fee_statement_line", "journal_mapping"):
        wall(table)
        op.execute(f"GRANT SELECT ON {table} TO concord_app")
    may_read("fee_statement", PARTY)
    may_write("fee_statement", f"{OURS} AND {OWN} AND made_by {ME} AND {OPEN}", verbs="INSERT")
    # The other side agrees, or either withdraws it, each in their own name; then it stands as it is.
    may_write(
        "fee_statement",
        f"{PARTY} AND ((withdrawn_by {ME} AND withdrawn_at IS NOT NULL AND other_agreed_at IS NULL) "
        f"OR (other_agency_id = (SELECT scope_agency()) AND other_agreed_by {ME} AND withdrawn_at IS NULL))",
        only=f"{PARTY} AND {OPEN}",
        verbs="UPDATE",
        columns="other_agreed_by, other_agreed_name, other_agreed_at, other_notes, "
        "withdrawn_by, withdrawn_name, withdrawn_at, withdrawn_reason",
    )
    may_read("fee_statement_line", PARTY)
    may_write(
        "fee_statement_line",
        # By the key of each: a list of all would be gone through for every line.
        f"{OURS} AND {OWN} AND EXISTS (SELECT FROM ledger_transaction t WHERE t.id = transaction_id) "
        f"AND EXISTS (SELECT FROM fee_statement s WHERE s.id = statement_id AND {OPEN})",
        verbs="INSERT",
    )
    may_read("journal_mapping", OWN)
    may_write("journal_mapping", f"{OWN} AND made_by {ME}", only=OWN, verbs="INSERT, UPDATE")


def _statements() -> None:
    op.execute("""
        CREATE TABLE fee_statement (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            -- Whose book it was drawn up from, and who agrees to it.
            agency_id uuid NOT NULL,
            other_agency_id uuid NOT NULL CHECK (other_agency_id <> agency_id),
            until_on date NOT NULL,
            content jsonb NOT NULL CHECK (jsonb_typeof(content) = 'object'),
            sha256 bytea NOT NULL,
            made_at timestamptz NOT NULL,
            made_by uuid NOT NULL,
            made_name text NOT NULL,
            -- What each side says besides, such as what it has sent and the other has not had.
            notes jsonb NOT NULL CHECK (jsonb_typeof(notes) = 'array'),
            other_notes jsonb CHECK (jsonb_typeof(other_notes) = 'array'),
            other_agreed_at timestamptz,
            other_agreed_by uuid,
            other_agreed_name text,
            withdrawn_at timestamptz,
            withdrawn_by uuid,
            withdrawn_name text,
            withdrawn_reason text CHECK (withdrawn_reason <> ''),
            CHECK (sha256 = sha256(convert_to(content::text, 'UTF8'))),
            CHECK (other_agreed_by <> made_by),
            CHECK (num_nulls(other_agreed_at, other_agreed_by, other_agreed_name, other_notes) IN (0, 4)),
            CHECK (num_nulls(withdrawn_at, withdrawn_by, withdrawn_name, withdrawn_reason) IN (0, 4)),
            CHECK (other_agreed_at IS NULL OR withdrawn_at IS NULL),
            CONSTRAINT fee_statement_parties_key UNIQUE (id, consortium_id, agency_id, other_agency_id),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, other_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    # One at a time between two agencies: agreed or withdrawn before the next.
    op.execute(
        "CREATE UNIQUE INDEX fee_statement_open_key ON fee_statement (consortium_id, least(agency_id, "
        f"other_agency_id), greatest(agency_id, other_agency_id)) WHERE {OPEN}"
    )
    for column in ("agency_id", "other_agency_id"):
        op.execute(f"CREATE INDEX fee_statement_{column.removesuffix('_id')}_idx ON fee_statement ({column})")
    op.execute("""
        CREATE TABLE fee_statement_line (
            statement_id uuid NOT NULL,
            transaction_id uuid NOT NULL REFERENCES ledger_transaction (id),
            consortium_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            other_agency_id uuid NOT NULL,
            -- What it moved, as whoever is paid sees it.
            agreed_pence bigint NOT NULL,
            to_invoice_pence bigint NOT NULL,
            owed_pence bigint NOT NULL,
            ahead_pence bigint NOT NULL,
            PRIMARY KEY (transaction_id, statement_id, agency_id),
            FOREIGN KEY (statement_id, consortium_id, agency_id, other_agency_id)
                REFERENCES fee_statement (id, consortium_id, agency_id, other_agency_id)
        )
    """)
    op.execute("CREATE INDEX fee_statement_line_statement_idx ON fee_statement_line (statement_id)")
    for column in ("agency_id", "other_agency_id"):
        name = column.removesuffix("_id")
        op.execute(f"CREATE INDEX fee_statement_line_{name}_idx ON fee_statement_line ({column})")


def _journals() -> None:
    op.execute("""
        CREATE TABLE journal_mapping (
            agency_id uuid NOT NULL REFERENCES agency,
            name text NOT NULL CHECK (name <> ''),
            mapping jsonb NOT NULL CHECK (jsonb_typeof(mapping) = 'object'),
            made_by uuid,
            made_at timestamptz NOT NULL,
            PRIMARY KEY (agency_id, name)
        )
    """)
