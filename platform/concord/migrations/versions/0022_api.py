"""Let an agency's own programs in: clients with secrets, their tokens, the answers they got, their name in the audit.

No login reads or writes tokens, and none reads a secret's digest: both are reached, before there is a scope, through
the few functions below, which want the scope of nobody as signing in does.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import ADMINISTERED, OWN, give_function, may_read, may_write, wall

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

JOB_INSERT = (
    f"{OWN} AND person_id IS NOT DISTINCT FROM (SELECT scope_person()) "
    "AND consortium_id IS NOT DISTINCT FROM (SELECT scope_consortium()) AND (client_id IS NULL OR person_id IS NULL)"
)
AUDIT_INSERT = (
    "(SELECT scope_is_valid()) AND NOT (SELECT scope_is_nobody()) "
    "AND actor_agency_id IS NOT DISTINCT FROM (SELECT scope_agency()) "
    "AND actor_person_id IS NOT DISTINCT FROM (SELECT scope_person()) "
    "AND consortium_id IS NOT DISTINCT FROM (SELECT scope_consortium()) "
    # A client of the scope's own agency, in a scope that no person has: the agency's clients are all that it sees.
    "AND (actor_client_id IS NULL OR ((SELECT scope_person()) IS NULL "
    "AND actor_client_id IN (SELECT c.id FROM api_client c)))"
)


def upgrade() -> None:
    """Create the tables, their walls and the functions, and let the audit name a client."""
    _tables()
    _walls()
    _functions()
    op.execute("ALTER TABLE audit_entry ADD COLUMN actor_client_id uuid")
    op.execute("GRANT SELECT (actor_client_id), INSERT (actor_client_id) ON audit_entry TO concord_app")
    op.execute("GRANT INSERT (actor_client_id) ON audit_entry TO concord_sign_in")
    op.execute(f"ALTER POLICY audit_entry_insert ON audit_entry WITH CHECK ({AUDIT_INSERT})")
    _jobs()


def _tables() -> None:
    op.execute("""
        CREATE TABLE api_client (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            consortium_id uuid NOT NULL,
            name text NOT NULL CHECK (name <> ''),
            scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
            created_at timestamptz NOT NULL,
            created_by uuid,
            expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
            ended_at timestamptz,
            ended_by uuid,
            last_used_at timestamptz,
            CONSTRAINT api_client_owner_key UNIQUE (id, agency_id),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX api_client_agency_idx ON api_client (agency_id)")
    op.execute("""
        CREATE TABLE api_client_secret (
            id uuid PRIMARY KEY,
            client_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            digest bytea NOT NULL CHECK (length(digest) = 32),
            created_at timestamptz NOT NULL,
            ends_at timestamptz,
            FOREIGN KEY (client_id, agency_id) REFERENCES api_client (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX api_client_secret_client_idx ON api_client_secret (client_id, agency_id)")
    op.execute("""
        CREATE TABLE api_token (
            digest bytea NOT NULL CHECK (length(digest) = 32),
            client_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            scopes text[] NOT NULL,
            started_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            ended_at timestamptz,
            PRIMARY KEY (digest, agency_id),
            FOREIGN KEY (client_id, agency_id) REFERENCES api_client (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX api_token_client_idx ON api_token (client_id, agency_id)")
    op.execute("""
        CREATE TABLE api_answer (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL,
            client_id uuid NOT NULL,
            key text NOT NULL,
            fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
            status integer NOT NULL,
            sealed bytea NOT NULL,
            answered_at timestamptz NOT NULL,
            CONSTRAINT api_answer_key_key UNIQUE (agency_id, client_id, key),
            FOREIGN KEY (client_id, agency_id) REFERENCES api_client (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX api_answer_agency_idx ON api_answer (agency_id, answered_at)")


def _walls() -> None:
    for table in ("api_client", "api_client_secret", "api_token", "api_answer"):
        wall(table)
    may_read("api_client", OWN)
    may_write("api_client", ADMINISTERED, verbs="INSERT")
    may_write("api_client", ADMINISTERED, verbs="UPDATE", columns="ended_at, ended_by")
    op.execute("GRANT SELECT ON api_client TO concord_app")
    may_read("api_client_secret", OWN)
    may_write("api_client_secret", ADMINISTERED, verbs="INSERT")
    may_write("api_client_secret", ADMINISTERED, verbs="UPDATE", columns="ends_at")
    op.execute("GRANT SELECT (id, client_id, agency_id, created_at, ends_at) ON api_client_secret TO concord_app")
    may_read("api_answer", OWN)
    may_write("api_answer", OWN, verbs="INSERT, DELETE")
    op.execute("GRANT SELECT ON api_answer TO concord_app")


def _jobs() -> None:
    """Let a job name the client that asked for it, so that what the job does is on record under that name."""
    op.execute("ALTER TABLE job ADD COLUMN client_id uuid")
    op.execute("ALTER TABLE job ADD FOREIGN KEY (client_id, agency_id) REFERENCES api_client (id, agency_id)")
    op.execute(f"ALTER POLICY job_insert ON job WITH CHECK ({JOB_INSERT})")
    op.execute("GRANT SELECT (client_id) ON job TO concord_work")
    op.execute("SET LOCAL ROLE concord_work")
    op.execute("DROP FUNCTION job_scope(uuid)")
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute("""
        CREATE FUNCTION job_scope(job_id uuid)
        RETURNS TABLE (agency_id uuid, person_id uuid, consortium_id uuid, client_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT j.agency_id, j.person_id, j.consortium_id, j.client_id FROM job j
            WHERE j.id = job_id AND scope_is_nobody()
        $$
    """)
    give_function("job_scope(uuid)", "concord_work")


def _functions() -> None:
    for table in ("api_client", "api_client_secret", "api_token"):
        may_read(table, "true", role="concord_sign_in", name="sign_in")
        op.execute(f"GRANT SELECT ON {table} TO concord_sign_in")
    op.execute(
        "CREATE POLICY api_client_seen ON api_client FOR UPDATE TO concord_sign_in USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT UPDATE (last_used_at) ON api_client TO concord_sign_in")
    may_write("api_token", "true", role="concord_sign_in")
    for statement in (_FIND_CLIENT, _START, _FIND, _END):
        op.execute(statement)
    give_function("find_api_client(uuid, timestamptz)", "concord_sign_in")
    give_function("start_api_token(uuid, bytea, text[], timestamptz, timestamptz)", "concord_sign_in")
    give_function("find_api_token(bytea, timestamptz)", "concord_sign_in")
    give_function("end_api_token(bytea, uuid, timestamptz)", "concord_sign_in")


# A client is good until it is ended, its time is over, or its agency leaves the consortium: asked at each request.
_LIVE = """
    c.ended_at IS NULL AND c.expires_at > at AND EXISTS (
        SELECT FROM consortium_member m
        WHERE m.agency_id = c.agency_id AND m.consortium_id = c.consortium_id
          AND m.joined_on <= (at AT TIME ZONE 'UTC')::date
          AND (m.left_on IS NULL OR m.left_on > (at AT TIME ZONE 'UTC')::date))
"""

_FIND_CLIENT = f"""
    CREATE FUNCTION find_api_client(its_id uuid, at timestamptz)
    RETURNS TABLE (client_id uuid, scopes text[], digests bytea[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT c.id, c.scopes, ARRAY(
            SELECT s.digest FROM api_client_secret s
            WHERE s.client_id = c.id AND (s.ends_at IS NULL OR s.ends_at > at))
        FROM api_client c WHERE c.id = its_id AND scope_is_nobody() AND {_LIVE}
    $$
"""

_START = f"""
    CREATE FUNCTION start_api_token(its_client uuid, its_digest bytea, its_scopes text[], at timestamptz,
                                    until timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF NOT scope_is_nobody() THEN
            RAISE EXCEPTION 'a token is for the scope of nobody' USING ERRCODE = 'insufficient_privilege';
        END IF;
        DELETE FROM api_token t WHERE t.client_id = its_client AND t.expires_at < at - interval '1 day';
        INSERT INTO api_token (digest, client_id, agency_id, scopes, started_at, expires_at)
        SELECT its_digest, c.id, c.agency_id, its_scopes, at, until FROM api_client c
        WHERE c.id = its_client AND its_scopes <@ c.scopes AND {_LIVE};
        IF NOT FOUND THEN
            RETURN false;
        END IF;
        UPDATE api_client c SET last_used_at = at WHERE c.id = its_client;
        INSERT INTO audit_entry (id, at, actor_agency_id, consortium_id, owner_agency_id, act, record_kind, record_id,
                                 actor_client_id)
        SELECT gen_random_uuid(), at, c.agency_id, c.consortium_id, c.agency_id, 'sign_in', 'api_client', c.id, c.id
        FROM api_client c WHERE c.id = its_client;
        RETURN true;
    END
    $$
"""

_FIND = f"""
    CREATE FUNCTION find_api_token(its_digest bytea, at timestamptz)
    RETURNS TABLE (client_id uuid, agency_id uuid, consortium_id uuid, scopes text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF NOT scope_is_nobody() THEN
            RETURN;
        END IF;
        UPDATE api_client c SET last_used_at = at FROM api_token t
        WHERE t.digest = its_digest AND t.ended_at IS NULL AND t.expires_at > at AND c.id = t.client_id
          AND c.last_used_at < at - interval '1 minute' AND {_LIVE};
        RETURN QUERY
        SELECT c.id, c.agency_id, c.consortium_id, t.scopes
        FROM api_token t JOIN api_client c ON c.id = t.client_id
        WHERE t.digest = its_digest AND t.ended_at IS NULL AND t.expires_at > at AND {_LIVE};
    END
    $$
"""

_END = """
    CREATE FUNCTION end_api_token(its_digest bytea, its_client uuid, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        UPDATE api_token t SET ended_at = at
        WHERE t.digest = its_digest AND t.client_id = its_client AND t.ended_at IS NULL AND scope_is_nobody()
    $$
"""
