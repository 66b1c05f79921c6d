"""Let people who act for another agency come in by their own agency’s service, and close other gaps."""

from __future__ import annotations

from alembic import op

from concord.migrations.acting_sign_in import END_ACTING, OF_SIGNING_IN
from concord.migrations.client_bars import BARRED, BARS, CLAIMS, CLIENT
from concord.migrations.wall import OWN, give_function, may_read, may_write

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Close each gap by itself."""
    _acting_sign_in()
    _bar_clients()
    _set_orders_aside()


def _acting_sign_in() -> None:
    op.execute("ALTER TABLE agency_delegation ADD COLUMN by_own_service boolean NOT NULL DEFAULT false")
    may_read("agency_delegation", "true", role="concord_sign_in", name="sign_in")
    op.execute("GRANT SELECT ON agency_delegation TO concord_sign_in")
    op.execute("GRANT CREATE ON SCHEMA public TO concord_sign_in")
    op.execute("SET LOCAL ROLE concord_sign_in")
    op.execute("DROP FUNCTION find_sign_in(bytea, timestamptz, integer, integer, text, text)")
    for statement in OF_SIGNING_IN:
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION find_sign_in(bytea, timestamptz, integer, integer, text, text) FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION find_sign_in(bytea, timestamptz, integer, integer, text, text) TO concord_app"
    )
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute("REVOKE CREATE ON SCHEMA public FROM concord_sign_in")
    _end_of_acting()


def _end_of_acting() -> None:
    may_read("sign_in_session", "true", role="concord_lives", name="lives")
    op.execute("CREATE POLICY sign_in_session_lives_update ON sign_in_session FOR UPDATE TO concord_lives USING (true)")
    op.execute("GRANT SELECT (person_id, agency_id, ended_at), UPDATE (ended_at) ON sign_in_session TO concord_lives")
    op.execute(END_ACTING)
    give_function("end_acting_sessions()", "concord_lives", to="concord_owner")
    op.execute("""
        CREATE TRIGGER appointment_acting AFTER UPDATE OF ends_on ON appointment
        FOR EACH ROW WHEN (NEW.delegation_id IS NOT NULL) EXECUTE FUNCTION end_acting_sessions()
    """)


def _bar_clients() -> None:
    _replace("concord_scope", CLAIMS)
    op.execute(CLIENT)
    may_read("appointment", "true", role="concord_place", name="place")
    op.execute("GRANT SELECT (person_id, agency_id, starts_on, ends_on) ON appointment TO concord_place")
    _replace("concord_place", BARS, BARRED)
    # A pack that was made for a program alone is read by that program.
    op.execute("""
        ALTER POLICY pack_file_bar ON pack_file USING (
            (SELECT scope_barred_since()) IS NULL OR pack_id IN (SELECT p.id FROM pack p
                WHERE p.reader_id = coalesce((SELECT scope_person()), (SELECT scope_client()))
                  AND p.requested_at >= (SELECT scope_barred_since())))
    """)


def _replace(owner: str, *statements: str) -> None:
    op.execute(f"GRANT CREATE ON SCHEMA public TO {owner}")
    op.execute(f"SET LOCAL ROLE {owner}")
    for statement in statements:
        op.execute(statement)
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {owner}")


def _set_orders_aside() -> None:
    op.execute("""
        ALTER TABLE adoption_order
            ADD COLUMN aside_asked_by uuid,
            ADD COLUMN aside_asked_at timestamptz,
            ADD COLUMN aside_reason text CHECK (aside_reason <> ''),
            ADD COLUMN aside_by uuid,
            ADD COLUMN aside_at timestamptz,
            ADD CHECK (num_nulls(aside_asked_by, aside_asked_at, aside_reason) IN (0, 3)),
            ADD CHECK (num_nulls(aside_by, aside_at) IN (0, 2)),
            -- Nobody alone shortens a hundred years.
            ADD CHECK (aside_by IS NULL OR (aside_asked_by IS NOT NULL AND aside_by <> aside_asked_by))
    """)
    me = "(SELECT scope_person())"
    may_write(
        "adoption_order",
        f"{OWN} AND (aside_by IS NULL OR aside_by = {me}) "
        f"AND (aside_asked_by IS NULL OR {me} IN (aside_asked_by, aside_by))",
        only=f"{OWN} AND aside_at IS NULL",
        verbs="UPDATE",
        columns="aside_asked_by, aside_asked_at, aside_reason, aside_by, aside_at",
    )
    hundred = "ordered_on <= (now() AT TIME ZONE 'UTC')::date - interval '100 years'"
    gone = f"{OWN} AND ({hundred} OR aside_at IS NOT NULL)"
    op.execute(f"ALTER POLICY adoption_order_delete ON adoption_order USING ({gone})")
