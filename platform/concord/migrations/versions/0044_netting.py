"""What two agencies that owe each other set off, invoice by invoice, once a finance officer of each has agreed."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"
PARTY = f"{OURS} AND (SELECT scope_agency()) IN (agency_id, other_agency_id)"
ME = "IS NOT DISTINCT FROM (SELECT scope_person())"
OPEN = "confirmed_at IS NULL AND declined_at IS NULL"


def upgrade() -> None:
    """Create the table and say who reads and writes it."""
    op.execute("""
        CREATE TABLE netting (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            -- Who proposed it, and agrees to it by that.
            agency_id uuid NOT NULL,
            other_agency_id uuid NOT NULL CHECK (other_agency_id <> agency_id),
            until_on date NOT NULL,
            -- What each pays the other by it.
            pence bigint NOT NULL CHECK (pence > 0),
            legs jsonb NOT NULL CHECK (jsonb_typeof(legs) = 'array'),
            made_at timestamptz NOT NULL,
            made_by uuid NOT NULL,
            made_name text NOT NULL,
            confirmed_at timestamptz,
            confirmed_by uuid,
            confirmed_name text,
            declined_at timestamptz,
            declined_by uuid,
            declined_name text,
            declined_reason text CHECK (declined_reason <> ''),
            CHECK (confirmed_by <> made_by),
            CHECK (num_nulls(confirmed_at, confirmed_by, confirmed_name) IN (0, 3)),
            CHECK (num_nulls(declined_at, declined_by, declined_name, declined_reason) IN (0, 4)),
            CHECK (confirmed_at IS NULL OR declined_at IS NULL),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, other_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    # One at a time between two agencies: confirmed or declined before the next.
    op.execute(
        "CREATE UNIQUE INDEX netting_open_key ON netting (consortium_id, least(agency_id, other_agency_id), "
        f"greatest(agency_id, other_agency_id)) WHERE {OPEN}"
    )
    for column in ("agency_id", "other_agency_id"):
        op.execute(f"CREATE INDEX netting_{column.removesuffix('_id')}_idx ON netting ({column})")
    wall("netting")
    op.execute("GRANT SELECT ON netting TO concord_app")
    may_read("netting", PARTY)
    may_write("netting", f"{OURS} AND {OWN} AND made_by {ME} AND {OPEN}", verbs="INSERT")
    # The other side confirms, or either declines, each in their own name; then it stands as it is.
    may_write(
        "netting",
        f"{PARTY} AND ((declined_by {ME} AND declined_at IS NOT NULL AND confirmed_at IS NULL) "
        f"OR (other_agency_id = (SELECT scope_agency()) AND confirmed_by {ME} AND declined_at IS NULL))",
        only=f"{PARTY} AND {OPEN}",
        verbs="UPDATE",
        columns="confirmed_at, confirmed_by, confirmed_name, declined_at, declined_by, declined_name, declined_reason",
    )
