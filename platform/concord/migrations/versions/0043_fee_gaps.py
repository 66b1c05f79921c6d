"""Let nobody but the agency that is asked say that it pays for another's children.

Either of the two may end it, and a policy does not see what a row was before.
"""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

CONFIRMING = """
    CREATE FUNCTION hold_fee_payer() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF (NEW.confirmed_by, NEW.confirmed_name, NEW.confirmed_at)
                IS DISTINCT FROM (OLD.confirmed_by, OLD.confirmed_name, OLD.confirmed_at)
            AND (OLD.confirmed_by IS NOT NULL OR scope_agency() IS DISTINCT FROM OLD.payer_agency_id
                OR scope_person() IS DISTINCT FROM NEW.confirmed_by) THEN
            RAISE EXCEPTION 'who is asked to pay confirms it, once' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""


def upgrade() -> None:
    """Hold confirmations to who gives them."""
    op.execute(CONFIRMING)
    op.execute(
        "CREATE TRIGGER fee_payer_confirming BEFORE UPDATE ON fee_payer FOR EACH ROW "
        "WHEN (current_user = 'concord_app') EXECUTE FUNCTION hold_fee_payer()"
    )
