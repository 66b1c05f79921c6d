"""Consortia, agencies, people, their appointments and their signed-in sessions."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPERATOR = "(SELECT scope_is_operator())"
ROLES = (
    "'family_finder', 'adopters_worker', 'coordinator', 'finance_officer', 'manager', 'information_governance', "
    "'childs_social_worker', 'decision_maker', 'panel_adviser', 'medical_adviser', 'legal_adviser', 'administrator', "
    "'operator'"
)
SIGN_IN_READS = ("consortium", "agency", "consortium_member", "person", "person_identity", "appointment")


def upgrade() -> None:
    """Create the directory of tenants and what signing in needs."""
    _tables()
    _policies()
    _sign_in()


def _tables() -> None:
    op.execute("""
        CREATE TABLE consortium (
            id uuid PRIMARY KEY,
            slug text NOT NULL CONSTRAINT consortium_slug_key UNIQUE,
            name text NOT NULL,
            council_in_house_days integer NOT NULL CHECK (council_in_house_days >= 0),
            voluntary_in_house_days integer NOT NULL CHECK (voluntary_in_house_days >= 0)
        )
    """)
    op.execute("""
        CREATE TABLE agency (
            id uuid PRIMARY KEY,
            slug text NOT NULL CONSTRAINT agency_slug_key UNIQUE,
            name text NOT NULL,
            kind text NOT NULL CHECK (kind IN
                ('local_authority', 'voluntary_agency', 'regional_agency', 'hsc_trust', 'consortium_office')),
            nation text NOT NULL CHECK (nation IN ('england', 'wales', 'scotland', 'northern_ireland')),
            region text,
            ofsted_urn text,
            colour text NOT NULL CHECK (colour ~ '^#[0-9a-f]{6}$'),
            opened_on date NOT NULL,
            closed_on date CHECK (closed_on >= opened_on),
            successor_id uuid REFERENCES agency CHECK (successor_id <> id)
        )
    """)
    op.execute("""
        CREATE TABLE agency_delegation (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            acts_for_id uuid NOT NULL REFERENCES agency CHECK (acts_for_id <> agency_id),
            starts_on date NOT NULL,
            ends_on date CHECK (ends_on > starts_on)
        )
    """)
    op.execute("CREATE INDEX agency_delegation_agency_idx ON agency_delegation (agency_id)")
    op.execute("CREATE INDEX agency_delegation_acts_for_idx ON agency_delegation (acts_for_id)")
    op.execute("""
        CREATE TABLE consortium_member (
            consortium_id uuid NOT NULL REFERENCES consortium,
            agency_id uuid NOT NULL REFERENCES agency,
            joined_on date NOT NULL,
            left_on date CHECK (left_on > joined_on),
            PRIMARY KEY (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX consortium_member_agency_idx ON consortium_member (agency_id)")
    op.execute("""
        CREATE TABLE person (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            email text NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE person_identity (
            issuer text NOT NULL,
            subject text NOT NULL,
            person_id uuid NOT NULL REFERENCES person,
            PRIMARY KEY (issuer, subject)
        )
    """)
    op.execute(f"""
        CREATE TABLE appointment (
            id uuid PRIMARY KEY,
            person_id uuid NOT NULL REFERENCES person,
            agency_id uuid NOT NULL REFERENCES agency,
            role text NOT NULL CONSTRAINT appointment_role_check CHECK (role IN ({ROLES})),
            starts_on date NOT NULL,
            ends_on date CHECK (ends_on >= starts_on)
        )
    """)
    op.execute("CREATE INDEX appointment_person_idx ON appointment (person_id)")
    op.execute("CREATE INDEX appointment_agency_idx ON appointment (agency_id)")
    op.execute("""
        CREATE TABLE agency_key (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            sealed_key bytea NOT NULL,
            created_at timestamptz NOT NULL,
            retired_at timestamptz
        )
    """)
    op.execute("CREATE UNIQUE INDEX agency_key_present_idx ON agency_key (agency_id) WHERE retired_at IS NULL")
    op.execute("""
        CREATE TABLE sign_in_session (
            digest bytea PRIMARY KEY CHECK (length(digest) = 32),
            person_id uuid NOT NULL REFERENCES person,
            agency_id uuid REFERENCES agency,
            consortium_id uuid CHECK (consortium_id IS NULL OR agency_id IS NOT NULL),
            started_at timestamptz NOT NULL,
            seen_at timestamptz NOT NULL,
            ended_at timestamptz,
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX sign_in_session_person_idx ON sign_in_session (person_id)")


def _policies() -> None:
    for table in (*SIGN_IN_READS, "agency_delegation", "agency_key", "sign_in_session"):
        wall(table)
    own_memberships = "SELECT m.consortium_id FROM consortium_member m"
    may_read("consortium_member", f"{OPERATOR} OR {OWN} OR consortium_id = (SELECT scope_consortium())")
    may_read("consortium", f"{OPERATOR} OR id IN ({own_memberships})")
    may_read(
        "agency",
        f"{OPERATOR} OR id = (SELECT scope_agency()) OR id IN (SELECT m.agency_id FROM consortium_member m) "
        "OR id IN (SELECT a.agency_id FROM appointment a WHERE a.person_id = (SELECT scope_person()))",
    )
    may_read("agency_delegation", f"{OPERATOR} OR {OWN} OR acts_for_id = (SELECT scope_agency())")
    may_read("appointment", f"{OPERATOR} OR {OWN} OR person_id = (SELECT scope_person())")
    may_read("person", f"{OPERATOR} OR id = (SELECT scope_person()) OR id IN (SELECT a.person_id FROM appointment a)")
    may_read("person_identity", f"{OPERATOR} OR person_id IN (SELECT p.id FROM person p)")
    may_read("agency_key", OWN)
    for table in ("consortium", "agency", "agency_delegation", "consortium_member"):
        may_write(table, OPERATOR, verbs="INSERT, UPDATE")
    for table in ("person", "person_identity", "appointment"):
        may_write(table, OPERATOR, verbs="INSERT, UPDATE")
    # A key is never overwritten: what it sealed would be lost.
    may_write("agency_key", OWN, verbs="INSERT")
    readable = (*SIGN_IN_READS, "agency_delegation", "agency_key")
    op.execute(f"GRANT SELECT ON {', '.join(readable)} TO concord_app")


def _sign_in() -> None:
    for table in SIGN_IN_READS:
        may_read(table, "true", role="concord_sign_in", name="sign_in")
    op.execute(f"GRANT SELECT ON {', '.join(SIGN_IN_READS)} TO concord_sign_in")
    may_read("sign_in_session", "true", role="concord_sign_in", name="sign_in")
    may_write("sign_in_session", "true", verbs="INSERT, UPDATE", role="concord_sign_in")
    op.execute("GRANT SELECT ON sign_in_session TO concord_sign_in")
    for statement in (_START, _FIND, _CHOOSE, _END):
        op.execute(statement)
    give_function("start_sign_in(text, text, bytea, timestamptz)", "concord_sign_in")
    give_function("find_sign_in(bytea, timestamptz, integer, integer)", "concord_sign_in")
    give_function("choose_acting(bytea, uuid, uuid, timestamptz)", "concord_sign_in")
    give_function("end_sign_in(bytea, timestamptz)", "concord_sign_in")


# Whoever may call this can sign in as anyone, so it wants the scope of nobody: SQL that was slipped into a person's
# session does not have it. Days are UTC days, as everywhere in the program, whatever the session's time zone says.
_START = """
    CREATE FUNCTION start_sign_in(its_issuer text, its_subject text, its_digest bytea, at timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
        who uuid;
        agencies uuid[];
        consortia uuid[];
    BEGIN
        IF NOT scope_is_nobody() THEN
            RAISE EXCEPTION 'signing in is for the scope of nobody' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT i.person_id INTO who FROM person_identity i WHERE i.issuer = its_issuer AND i.subject = its_subject;
        IF who IS NULL THEN
            RETURN NULL;
        END IF;
        SELECT array_agg(DISTINCT a.agency_id) INTO agencies FROM appointment a
        WHERE a.person_id = who AND a.starts_on <= today AND (a.ends_on IS NULL OR a.ends_on > today);
        IF cardinality(agencies) = 1 THEN
            SELECT array_agg(m.consortium_id) INTO consortia FROM consortium_member m
            WHERE m.agency_id = agencies[1] AND m.joined_on <= today
              AND (m.left_on IS NULL OR m.left_on > today);
        ELSE
            agencies := NULL;
        END IF;
        INSERT INTO sign_in_session (digest, person_id, agency_id, consortium_id, started_at, seen_at)
        VALUES (its_digest, who, agencies[1], CASE WHEN cardinality(consortia) = 1 THEN consortia[1] END, at, at);
        RETURN who;
    END
    $$
"""

# The roles are read afresh at each request: somebody who leaves an agency is out at once.
_FIND = """
    CREATE FUNCTION find_sign_in(its_digest bytea, at timestamptz, idle_minutes integer, longest_hours integer)
    RETURNS TABLE (person_id uuid, person_name text, agency_id uuid, agency_name text,
                   consortium_id uuid, consortium_name text, roles text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
    BEGIN
        UPDATE sign_in_session s SET seen_at = at
        WHERE s.digest = its_digest AND s.ended_at IS NULL
          AND s.seen_at > at - make_interval(mins => idle_minutes)
          AND s.started_at > at - make_interval(hours => longest_hours)
          AND s.seen_at < at - interval '1 minute';
        RETURN QUERY
        SELECT p.id, p.name, held.agency_id, a.name, c.id, c.name, coalesce(held.roles, '{}')
        FROM sign_in_session s
        JOIN person p ON p.id = s.person_id
        LEFT JOIN LATERAL (
            SELECT t.agency_id, array_agg(t.role ORDER BY t.role) AS roles FROM appointment t
            WHERE t.person_id = s.person_id AND t.agency_id = s.agency_id
              AND t.starts_on <= today AND (t.ends_on IS NULL OR t.ends_on > today)
            GROUP BY t.agency_id
        ) held ON true
        LEFT JOIN agency a ON a.id = held.agency_id
        LEFT JOIN consortium_member m ON m.agency_id = held.agency_id AND m.consortium_id = s.consortium_id
            AND m.joined_on <= today AND (m.left_on IS NULL OR m.left_on > today)
        LEFT JOIN consortium c ON c.id = m.consortium_id
        WHERE s.digest = its_digest AND s.ended_at IS NULL
          AND s.seen_at > at - make_interval(mins => idle_minutes)
          AND s.started_at > at - make_interval(hours => longest_hours);
    END
    $$
"""

_CHOOSE = """
    CREATE FUNCTION choose_acting(its_digest bytea, chosen_agency uuid, chosen_consortium uuid, at timestamptz)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
    BEGIN
        UPDATE sign_in_session s SET agency_id = chosen_agency, consortium_id = chosen_consortium
        WHERE s.digest = its_digest AND s.ended_at IS NULL
          AND EXISTS (SELECT FROM appointment t WHERE t.person_id = s.person_id AND t.agency_id = chosen_agency
                      AND t.starts_on <= today AND (t.ends_on IS NULL OR t.ends_on > today))
          AND (chosen_consortium IS NULL OR EXISTS (
              SELECT FROM consortium_member m
              WHERE m.agency_id = chosen_agency AND m.consortium_id = chosen_consortium
                AND m.joined_on <= today AND (m.left_on IS NULL OR m.left_on > today)));
        RETURN FOUND;
    END
    $$
"""

_END = """
    CREATE FUNCTION end_sign_in(its_digest bytea, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        UPDATE sign_in_session SET ended_at = at WHERE digest = its_digest AND ended_at IS NULL
    $$
"""
