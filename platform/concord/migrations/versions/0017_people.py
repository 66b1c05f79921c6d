"""Let administrators keep their own agency's people: invitations, appointments, and the sign-ins of who leaves.

Signing in takes an invitation up; only it may. A session shows where it was last used from, and its token changes when
its person chooses whose work they do.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OPERATOR = "(SELECT scope_is_operator())"
ROLES = (
    "'family_finder', 'adopters_worker', 'coordinator', 'finance_officer', 'manager', 'information_governance', "
    "'childs_social_worker', 'decision_maker', 'panel_adviser', 'medical_adviser', 'legal_adviser', 'administrator', "
    "'operator'"
)
# Whoever runs the service is appointed by the operator alone: that role is above every agency.
COLLEAGUES = f"{OPERATOR} OR ({OWN} AND role <> 'operator' AND scope_administers(person_id))"
SESSIONS = (
    f"person_id = (SELECT scope_person()) OR {OPERATOR} "
    f"OR ((agency_id IS NULL OR {OWN}) AND scope_administers(person_id))"
)


def upgrade() -> None:
    """Create invitations, and let administrators write what the operator alone could."""
    op.execute(_ADMINISTERS)
    give_function("scope_administers(uuid)", "concord_sign_in")
    _appointments()
    _invitations()
    _sessions()


def _appointments() -> None:
    op.execute("DROP POLICY appointment_insert ON appointment")
    op.execute("DROP POLICY appointment_update ON appointment")
    op.execute("REVOKE INSERT, UPDATE ON appointment FROM concord_app")
    may_write("appointment", COLLEAGUES, verbs="INSERT")
    # What somebody was is never rewritten; it ends.
    may_write("appointment", COLLEAGUES, verbs="UPDATE", columns="ends_on")


def _invitations() -> None:
    op.execute(f"""
        CREATE TABLE invitation (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            email text NOT NULL CHECK (email = lower(email) AND email <> ''),
            name text NOT NULL CHECK (name <> ''),
            roles text[] NOT NULL CHECK (cardinality(roles) > 0 AND roles <@ ARRAY[{ROLES}]),
            invited_by uuid REFERENCES person,
            invited_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL CHECK (expires_at > invited_at),
            taken_at timestamptz,
            withdrawn_at timestamptz,
            person_id uuid REFERENCES person,
            CHECK ((taken_at IS NULL) = (person_id IS NULL)),
            CHECK (taken_at IS NULL OR withdrawn_at IS NULL)
        )
    """)
    op.execute("""
        CREATE UNIQUE INDEX invitation_open_idx ON invitation (agency_id, email)
        WHERE taken_at IS NULL AND withdrawn_at IS NULL
    """)
    op.execute(
        "CREATE INDEX invitation_email_idx ON invitation (email) WHERE taken_at IS NULL AND withdrawn_at IS NULL"
    )
    wall("invitation")
    may_read("invitation", f"{OPERATOR} OR {OWN}")
    op.execute("GRANT SELECT ON invitation TO concord_app")
    may_write(
        "invitation",
        f"({OPERATOR} OR ({OWN} AND scope_administers(NULL) AND invited_by = (SELECT scope_person()) "
        "AND NOT 'operator' = ANY (roles))) AND taken_at IS NULL AND withdrawn_at IS NULL",
        verbs="INSERT",
    )
    may_write(
        "invitation",
        f"{OPERATOR} OR ({OWN} AND scope_administers(NULL))",
        verbs="UPDATE",
        columns="invited_at, expires_at, withdrawn_at",
    )
    may_read("invitation", "true", role="concord_sign_in", name="sign_in")
    op.execute("CREATE POLICY invitation_sign_in_update ON invitation FOR UPDATE TO concord_sign_in USING (true)")
    op.execute("GRANT SELECT, UPDATE (taken_at, person_id) ON invitation TO concord_sign_in")
    op.execute(_AUDIT_INVITATION)
    op.execute("""
        CREATE TRIGGER invitation_audit AFTER INSERT OR UPDATE ON invitation
        FOR EACH ROW EXECUTE FUNCTION audit_invitation()
    """)


def _sessions() -> None:
    op.execute("""
        ALTER TABLE sign_in_session
            ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT sign_in_session_id_key UNIQUE,
            ADD COLUMN address text,
            ADD COLUMN browser text
    """)
    may_read("sign_in_session", SESSIONS)
    # Never the digest: whoever reads it could not use it, and has no use for it.
    op.execute(
        "GRANT SELECT (id, person_id, agency_id, consortium_id, started_at, seen_at, ended_at, address, browser) "
        "ON sign_in_session TO concord_app"
    )
    op.execute(f"CREATE POLICY sign_in_session_end ON sign_in_session FOR UPDATE TO concord_app USING ({SESSIONS})")
    op.execute("GRANT UPDATE (ended_at) ON sign_in_session TO concord_app")
    op.execute(_AUDIT_SESSION)
    op.execute("SET LOCAL ROLE concord_sign_in")
    op.execute("DROP FUNCTION find_sign_in(bytea, timestamptz, integer, integer)")
    op.execute("DROP FUNCTION choose_acting(bytea, uuid, uuid, timestamptz)")
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute(_FIND)
    op.execute(_CHOOSE)
    give_function("find_sign_in(bytea, timestamptz, integer, integer, text, text)", "concord_sign_in")
    give_function("choose_acting(bytea, bytea, uuid, uuid, timestamptz)", "concord_sign_in")


# It reads appointments, and policies of appointments ask it, so it has rights of its own. Nobody administers
# themselves: a role is given by somebody else. Of whom they administer, whoever left today is one still.
_ADMINISTERS = """
    CREATE FUNCTION scope_administers(who uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT who IS DISTINCT FROM scope_person()
            AND EXISTS (
                SELECT FROM appointment mine
                WHERE mine.person_id = scope_person() AND mine.agency_id = scope_agency()
                  AND mine.role = 'administrator' AND mine.starts_on <= (now() AT TIME ZONE 'UTC')::date
                  AND (mine.ends_on IS NULL OR mine.ends_on > (now() AT TIME ZONE 'UTC')::date))
            AND (who IS NULL OR EXISTS (
                SELECT FROM appointment theirs
                WHERE theirs.person_id = who AND theirs.agency_id = scope_agency()
                  AND (theirs.ends_on IS NULL OR theirs.ends_on >= (now() AT TIME ZONE 'UTC')::date)))
    $$
"""

_AUDIT_INVITATION = """
    CREATE FUNCTION audit_invitation() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        INSERT INTO audit_entry (id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id,
                                 act, record_kind, record_id)
        VALUES (gen_random_uuid(), now(), scope_agency(), scope_person(), scope_consortium(), NEW.agency_id,
                CASE WHEN NEW.withdrawn_at IS NOT NULL THEN 'revoke' WHEN NEW.taken_at IS NOT NULL THEN 'change'
                     ELSE 'invite' END,
                'invitation', NEW.id);
        RETURN NULL;
    END
    $$
"""

# Who ends a session is not always whose it is. Coming in, choosing and signing out are the person's own, in the name
# of the agency that they come to act for.
_AUDIT_SESSION = """
    CREATE OR REPLACE FUNCTION audit_signing_in() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        ended_for_them boolean := NEW.ended_at IS NOT NULL AND NOT scope_is_nobody();
    BEGIN
        INSERT INTO audit_entry (id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id,
                                 act, record_kind, record_id)
        VALUES (gen_random_uuid(), now(),
                CASE WHEN ended_for_them THEN scope_agency() ELSE NEW.agency_id END,
                CASE WHEN ended_for_them THEN scope_person() ELSE NEW.person_id END,
                CASE WHEN ended_for_them THEN scope_consortium() ELSE NEW.consortium_id END,
                NEW.agency_id,
                CASE WHEN TG_OP = 'INSERT' THEN 'sign_in' WHEN NEW.ended_at IS NULL THEN 'change' ELSE 'sign_out' END,
                'sign_in_session', NEW.person_id);
        RETURN NULL;
    END
    $$
"""

# The roles are read afresh at each request: somebody who leaves an agency is out at once.
_FIND = """
    CREATE FUNCTION find_sign_in(its_digest bytea, at timestamptz, idle_minutes integer, longest_hours integer,
                                 its_address text, its_browser text)
    RETURNS TABLE (session_id uuid, person_id uuid, person_name text, agency_id uuid, agency_name text,
                   consortium_id uuid, consortium_name text, roles text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
    BEGIN
        UPDATE sign_in_session s
        SET seen_at = at, address = coalesce(its_address, s.address), browser = coalesce(its_browser, s.browser)
        WHERE s.digest = its_digest AND s.ended_at IS NULL
          AND s.seen_at > at - make_interval(mins => idle_minutes)
          AND s.started_at > at - make_interval(hours => longest_hours)
          AND (s.seen_at < at - interval '1 minute'
               OR s.address IS DISTINCT FROM coalesce(its_address, s.address)
               OR s.browser IS DISTINCT FROM coalesce(its_browser, s.browser));
        RETURN QUERY
        SELECT s.id, p.id, p.name, held.agency_id, a.name, c.id, c.name, coalesce(held.roles, '{}')
        FROM sign_in_session s
        JOIN person p ON p.id = s.person_id
        LEFT JOIN LATERAL (
            SELECT t.agency_id, array_agg(DISTINCT t.role ORDER BY t.role) AS roles FROM appointment t
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

# The token changes with the work: what was overheard or left behind under the old one opens nothing of the new.
_CHOOSE = """
    CREATE FUNCTION choose_acting(its_digest bytea, new_digest bytea, chosen_agency uuid, chosen_consortium uuid,
                                  at timestamptz)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
    BEGIN
        UPDATE sign_in_session s
        SET agency_id = chosen_agency, consortium_id = chosen_consortium, digest = new_digest
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
