"""Have one of two people who decide about an agency's money be its own.

Finance officers of a regional agency act for a council by delegation. Two of them could have its bank details changed,
what it is owed given up or paid back, and a closed month opened, without anybody of the council.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_guards import FIXED

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

HELD = {
    "payee_account_change": (
        "agency_id asked_by approved_by",
        "NEW.approved_by IS NOT NULL AND OLD.approved_by IS NULL",
    ),
    "fee_exception": (
        "deciding_agency_id asked_by decided_by",
        "NEW.approved AND OLD.approved IS NULL AND NEW.kind <> 'override'",
    ),
    "fee_period": (
        "agency_id reopen_asked_by reopened_by",
        "NEW.reopened_by IS NOT NULL AND OLD.reopened_by IS NULL",
    ),
    "signing_limit": (
        "agency_id asked_by set_by",
        "OLD.pence IS NOT NULL AND (NEW.pence IS NULL OR NEW.pence > OLD.pence)",
    ),
}
"""Whose word, whose first and whose second it takes, by table, and when. Another fee takes one of each agency."""
# Who was first stands in the row as it was.
_OWN = f"""
    CREATE FUNCTION hold_to_own_person() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM appointment a
                WHERE a.agency_id = (to_jsonb(NEW) ->> TG_ARGV[0])::uuid AND a.delegation_id IS NULL
                AND a.person_id IN ((to_jsonb(OLD) ->> TG_ARGV[1])::uuid, (to_jsonb(NEW) ->> TG_ARGV[2])::uuid)
                AND a.starts_on <= (now() AT TIME ZONE 'UTC')::date
                AND (a.ends_on IS NULL OR a.ends_on > (now() AT TIME ZONE 'UTC')::date)) THEN
            RAISE EXCEPTION 'one of the two who decide this is the agency’s own'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""


def upgrade() -> None:
    """Refuse the word of two who both act by delegation."""
    op.execute(_OWN)
    for table, (columns, when) in HELD.items():
        names = ", ".join(f"'{each}'" for each in columns.split())
        op.execute(
            f"CREATE TRIGGER {table}_own_person BEFORE UPDATE ON {table} FOR EACH ROW "
            f"WHEN (current_user = 'concord_app' AND {when}) EXECUTE FUNCTION hold_to_own_person({names})"
        )
