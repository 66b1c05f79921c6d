"""Let agencies leave: a day that two people agree to, and an archive of everything that one of them signs for."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

WRITTEN = "id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id, act, record_kind, record_id"


def upgrade() -> None:
    """Create departures and archives, and the one function that ends what a departure ends."""
    _departures()
    _archives()
    _lives()


def _departures() -> None:
    op.execute("""
        CREATE TABLE departure (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            -- None when the agency leaves the service as a whole.
            consortium_id uuid,
            leaves_on date NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            proposed_by uuid,
            proposed_at timestamptz NOT NULL,
            agreed_by uuid,
            agreed_at timestamptz,
            withdrawn_by uuid,
            withdrawn_at timestamptz,
            CHECK (agreed_by <> proposed_by),
            CHECK ((agreed_by IS NULL) = (agreed_at IS NULL)),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX departure_agency_idx ON departure (agency_id, proposed_at)")
    wall("departure")
    may_read("departure", OWN)
    mine = "IS NOT DISTINCT FROM (SELECT scope_person())"
    may_write(
        "departure",
        f"{OWN} AND proposed_by {mine} AND agreed_at IS NULL AND withdrawn_at IS NULL",
        verbs="INSERT",
    )
    # Whoever agrees or withdraws does so in their own name, and once.
    may_write(
        "departure",
        f"{OWN} AND (withdrawn_at IS NOT NULL OR agreed_by {mine})",
        only=f"{OWN} AND withdrawn_at IS NULL",
        verbs="UPDATE",
        columns="agreed_by, agreed_at, withdrawn_by, withdrawn_at",
    )
    op.execute("GRANT SELECT ON departure TO concord_app")


def _archives() -> None:
    op.execute("""
        CREATE TABLE agency_archive (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            taken_by uuid,
            taken_at timestamptz NOT NULL,
            manifest jsonb NOT NULL,
            check_word text NOT NULL,
            state bytea NOT NULL CHECK (length(state) = 32),
            received_by uuid,
            received_at timestamptz,
            CHECK (received_by <> taken_by),
            CHECK ((received_by IS NULL) = (received_at IS NULL))
        )
    """)
    op.execute("CREATE INDEX agency_archive_agency_idx ON agency_archive (agency_id, taken_at)")
    wall("agency_archive")
    may_read("agency_archive", OWN)
    mine = "IS NOT DISTINCT FROM (SELECT scope_person())"
    may_write("agency_archive", f"{OWN} AND taken_by {mine} AND received_at IS NULL", verbs="INSERT")
    may_write(
        "agency_archive",
        f"{OWN} AND received_by {mine}",
        only=f"{OWN} AND received_at IS NULL",
        verbs="UPDATE",
        columns="received_by, received_at",
    )
    op.execute("GRANT SELECT ON agency_archive TO concord_app")


def _lives() -> None:
    op.execute("SET LOCAL ROLE concord_scope")
    op.execute("GRANT EXECUTE ON FUNCTION scope_claims() TO concord_lives")
    op.execute("SET LOCAL ROLE concord_owner")
    for table, columns in (
        ("departure", None),
        ("consortium_member", "left_on"),
        ("agency", "closed_on"),
    ):
        may_read(table, "true", role="concord_lives", name="lives")
        op.execute(f"GRANT SELECT ON {table} TO concord_lives")
        if columns:
            op.execute(f"CREATE POLICY {table}_lives_update ON {table} FOR UPDATE TO concord_lives USING (true)")
            op.execute(f"GRANT UPDATE ({columns}) ON {table} TO concord_lives")
    # The directory's own triggers put each change on record.
    op.execute("CREATE POLICY audit_entry_lives ON audit_entry FOR INSERT TO concord_lives WITH CHECK (true)")
    op.execute(f"GRANT INSERT ({WRITTEN}) ON audit_entry TO concord_lives")
    op.execute(_FOLLOW_DEPARTURE)
    give_function("follow_departure(uuid)", "concord_lives")


# Sets the day of a departure that is agreed, and takes it back where one is withdrawn before its day. The plan must be
# the scope's own agency's; the table itself refuses one to which a single person has said both words.
_FOLLOW_DEPARTURE = """
    CREATE FUNCTION follow_departure(its_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (now() AT TIME ZONE 'UTC')::date;
        plan departure;
        its_day date;
    BEGIN
        SELECT d.* INTO plan FROM departure d WHERE d.id = its_id AND d.agency_id = scope_agency();
        IF plan.agreed_at IS NULL OR plan.leaves_on <= today THEN
            RAISE EXCEPTION 'no departure that is agreed and still to come' USING ERRCODE = 'insufficient_privilege';
        END IF;
        its_day := CASE WHEN plan.withdrawn_at IS NULL THEN plan.leaves_on END;
        UPDATE consortium_member m SET left_on = its_day
        WHERE m.agency_id = plan.agency_id AND (plan.consortium_id IS NULL OR m.consortium_id = plan.consortium_id)
          AND m.joined_on < plan.leaves_on
          AND CASE WHEN its_day IS NULL THEN m.left_on = plan.leaves_on
                   ELSE m.left_on IS NULL OR m.left_on > plan.leaves_on END;
        UPDATE agency a SET closed_on = its_day
        WHERE a.id = plan.agency_id AND plan.consortium_id IS NULL
          AND CASE WHEN its_day IS NULL THEN a.closed_on = plan.leaves_on ELSE a.closed_on IS NULL END;
    END
    $$
"""
