"""Let agencies leave and act for one another, by the word of two people each time; and sign for their archives."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

DELEGABLE = (
    "'family_finder', 'adopters_worker', 'childs_social_worker', 'finance_officer', 'panel_adviser', "
    "'medical_adviser', 'legal_adviser'"
)
WRITTEN = "id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id, act, record_kind, record_id"


def upgrade() -> None:
    """Create departures and archives, and the one function that ends what a departure ends."""
    _departures()
    _archives()
    _lives()
    _delegations()


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


def _delegations() -> None:
    op.execute(f"""
        ALTER TABLE agency_delegation
            ADD COLUMN roles text[] NOT NULL DEFAULT '{{}}' CHECK (roles <@ ARRAY[{DELEGABLE}]),
            ADD COLUMN given_by uuid,
            ADD COLUMN given_at timestamptz,
            ADD COLUMN taken_by uuid,
            ADD COLUMN taken_at timestamptz,
            ADD COLUMN ended_by uuid,
            ADD COLUMN ended_at timestamptz,
            ADD CHECK (given_by <> taken_by),
            ADD CONSTRAINT agency_delegation_for_key UNIQUE (id, acts_for_id)
    """)
    op.execute("ALTER TABLE agency_delegation ALTER COLUMN roles DROP DEFAULT")
    op.execute("""
        ALTER TABLE appointment ADD COLUMN delegation_id uuid,
            ADD FOREIGN KEY (delegation_id, agency_id) REFERENCES agency_delegation (id, acts_for_id)
    """)
    op.execute("CREATE INDEX appointment_delegation_idx ON appointment (delegation_id, agency_id)")
    # The agency whose work it is may propose; what anyone signs or ends goes through the functions below.
    op.execute("DROP POLICY agency_delegation_update ON agency_delegation")
    op.execute("REVOKE UPDATE ON agency_delegation FROM concord_app")
    op.execute("DROP POLICY agency_delegation_insert ON agency_delegation")
    may_write(
        "agency_delegation",
        "((SELECT scope_is_operator()) OR acts_for_id = (SELECT scope_agency())) "
        "AND given_at IS NULL AND taken_at IS NULL AND ended_at IS NULL",
        verbs="INSERT",
    )
    for table, columns in (
        ("agency_delegation", "given_by, given_at, taken_by, taken_at, ended_by, ended_at"),
        ("appointment", "ends_on"),
    ):
        may_read(table, "true", role="concord_lives", name="lives")
        op.execute(f"CREATE POLICY {table}_lives_update ON {table} FOR UPDATE TO concord_lives USING (true)")
        op.execute(f"GRANT SELECT, UPDATE ({columns}) ON {table} TO concord_lives")
    op.execute("CREATE POLICY appointment_lives_insert ON appointment FOR INSERT TO concord_lives WITH CHECK (true)")
    op.execute("GRANT INSERT ON appointment TO concord_lives")
    for statement in (_SETTLE, _SIGN, _END, _FOLLOW_APPOINTMENT):
        op.execute(statement)
    give_function("sign_delegation(uuid)", "concord_lives")
    give_function("end_delegation(uuid)", "concord_lives")
    give_function("follow_appointment()", "concord_lives", to="concord_owner")
    op.execute("""
        CREATE TRIGGER appointment_delegation AFTER INSERT OR UPDATE OF ends_on ON appointment
        FOR EACH ROW WHEN (NEW.delegation_id IS NULL) EXECUTE FUNCTION follow_appointment()
    """)


# Brings the appointments by one delegation to what it and people's own appointments say. It has its caller's rights:
# the three functions below call it with those of their owner. What was ended by hand is not given again.
_SETTLE = """
    CREATE FUNCTION settle_delegation(its_id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (now() AT TIME ZONE 'UTC')::date;
        plan agency_delegation;
        held record;
        last_day date;
    BEGIN
        SELECT d.* INTO plan FROM agency_delegation d WHERE d.id = its_id;
        FOR held IN
            SELECT t.id, t.starts_on, t.ends_on, own.number, own.open, own.latest
            FROM appointment t
            CROSS JOIN LATERAL (
                SELECT count(*) AS number, bool_or(s.ends_on IS NULL) AS open, max(s.ends_on) AS latest
                FROM appointment s
                WHERE s.person_id = t.person_id AND s.agency_id = plan.agency_id AND s.role = t.role
                  AND s.delegation_id IS NULL AND (s.ends_on IS NULL OR s.ends_on > today)
            ) own
            WHERE t.delegation_id = plan.id AND (t.ends_on IS NULL OR t.ends_on > today)
        LOOP
            last_day := CASE
                WHEN plan.ended_at IS NOT NULL OR held.number = 0 THEN today
                WHEN held.open THEN plan.ends_on
                ELSE least(plan.ends_on, held.latest) END;
            IF last_day IS NOT NULL AND (held.ends_on IS NULL OR held.ends_on > last_day) THEN
                UPDATE appointment SET ends_on = greatest(held.starts_on, last_day) WHERE id = held.id;
            END IF;
        END LOOP;
        IF plan.given_at IS NULL OR plan.taken_at IS NULL OR plan.ended_at IS NOT NULL OR plan.ends_on <= today THEN
            RETURN;
        END IF;
        INSERT INTO appointment (id, person_id, agency_id, role, starts_on, ends_on, delegation_id)
        SELECT gen_random_uuid(), s.person_id, plan.acts_for_id, s.role,
            greatest(min(s.starts_on), plan.starts_on, today),
            CASE WHEN bool_or(s.ends_on IS NULL) THEN plan.ends_on ELSE least(plan.ends_on, max(s.ends_on)) END,
            plan.id
        FROM appointment s
        WHERE s.agency_id = plan.agency_id AND s.role = ANY (plan.roles) AND s.delegation_id IS NULL
          AND (s.ends_on IS NULL OR (s.ends_on > today AND s.ends_on > plan.starts_on))
          AND NOT EXISTS (SELECT FROM appointment t
                          WHERE t.delegation_id = plan.id AND t.person_id = s.person_id AND t.role = s.role)
        GROUP BY s.person_id, s.role;
    END
    $$
"""

_SIGN = """
    CREATE FUNCTION sign_delegation(its_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        UPDATE agency_delegation d SET
            given_by = CASE WHEN d.acts_for_id = scope_agency() THEN scope_person() ELSE d.given_by END,
            given_at = CASE WHEN d.acts_for_id = scope_agency() THEN now() ELSE d.given_at END,
            taken_by = CASE WHEN d.agency_id = scope_agency() THEN scope_person() ELSE d.taken_by END,
            taken_at = CASE WHEN d.agency_id = scope_agency() THEN now() ELSE d.taken_at END
        WHERE d.id = its_id AND d.ended_at IS NULL AND scope_person() IS NOT NULL
          AND ((d.acts_for_id = scope_agency() AND d.given_at IS NULL)
               OR (d.agency_id = scope_agency() AND d.taken_at IS NULL));
        IF NOT FOUND THEN
            RAISE EXCEPTION 'nothing to sign' USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM settle_delegation(its_id);
    END
    $$
"""

_END = """
    CREATE FUNCTION end_delegation(its_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        UPDATE agency_delegation d SET ended_by = scope_person(), ended_at = now()
        WHERE d.id = its_id AND d.ended_at IS NULL
          AND (scope_agency() IN (d.agency_id, d.acts_for_id) OR scope_is_operator());
        IF NOT FOUND THEN
            RAISE EXCEPTION 'nothing to end' USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM settle_delegation(its_id);
    END
    $$
"""

_FOLLOW_APPOINTMENT = """
    CREATE FUNCTION follow_appointment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        its_id uuid;
    BEGIN
        -- Whoever signs or ends one meanwhile waits, or is waited for: neither must miss what the other does.
        FOR its_id IN
            SELECT d.id FROM agency_delegation d
            WHERE d.agency_id = NEW.agency_id AND NEW.role = ANY (d.roles) AND d.ended_at IS NULL
            ORDER BY d.id FOR SHARE
        LOOP
            PERFORM settle_delegation(its_id);
        END LOOP;
        RETURN NULL;
    END
    $$
"""

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
