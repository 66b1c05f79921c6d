"""The audit, which nobody can change, and the jobs, which the relay may count but not read."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AUDIT_COLUMNS = (
    "id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id, act, record_kind, record_id, level, "
    "reason, request_id"
)
ACTS = "'read', 'add', 'change', 'remove', 'share', 'rank', 'import', 'build', 'download', 'sign_in', 'sign_out'"
LEVELS = "'count', 'summary', 'profile', 'identity'"
JOB_STATES = "'waiting', 'running', 'done', 'failed', 'cancelled'"
# For whom a job is and what it does cannot be changed: a worker takes its scope from the row.
JOB_PROGRESS = (
    "state, attempt, due_at, sent_at, worker, lease_until, progress_done, progress_total, progress_note, "
    "cancel_requested_at, finished_at, reason, result"
)


def upgrade() -> None:
    """Create both tables."""
    _audit()
    _jobs()


def _audit() -> None:
    op.execute(f"""
        CREATE TABLE audit_entry (
            id uuid PRIMARY KEY,
            at timestamptz NOT NULL,
            actor_agency_id uuid,
            actor_person_id uuid,
            consortium_id uuid,
            owner_agency_id uuid,
            act text NOT NULL CONSTRAINT audit_entry_act_check CHECK (act IN ({ACTS})),
            record_kind text NOT NULL,
            record_id uuid,
            level text CONSTRAINT audit_entry_level_check CHECK (level IN ({LEVELS})),
            reason text,
            request_id text,
            -- Which transaction wrote it: a sealer may chain what no running transaction can still precede.
            written_in xid8 NOT NULL DEFAULT pg_current_xact_id()
        )
    """)
    op.execute("CREATE INDEX audit_entry_record_idx ON audit_entry (record_id, at)")
    op.execute("CREATE INDEX audit_entry_owner_idx ON audit_entry (owner_agency_id, at)")
    op.execute("CREATE INDEX audit_entry_actor_idx ON audit_entry (actor_agency_id, actor_person_id, at)")
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END
        $$
    """)
    op.execute("""
        CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    wall("audit_entry")
    may_read("audit_entry", "(SELECT scope_agency()) IN (actor_agency_id, owner_agency_id)")
    op.execute("""
        CREATE POLICY audit_entry_insert ON audit_entry FOR INSERT TO concord_app WITH CHECK (
            (SELECT scope_is_valid()) AND NOT (SELECT scope_is_nobody())
            AND actor_agency_id IS NOT DISTINCT FROM (SELECT scope_agency())
            AND actor_person_id IS NOT DISTINCT FROM (SELECT scope_person())
            AND consortium_id IS NOT DISTINCT FROM (SELECT scope_consortium()))
    """)
    op.execute(f"GRANT SELECT ({AUDIT_COLUMNS}), INSERT ({AUDIT_COLUMNS}) ON audit_entry TO concord_app")


def _jobs() -> None:
    op.execute(f"""
        CREATE TABLE job (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            person_id uuid REFERENCES person,
            consortium_id uuid,
            kind text NOT NULL,
            urgent boolean NOT NULL,
            key text NOT NULL,
            payload jsonb NOT NULL,
            requested_at timestamptz NOT NULL,
            state text NOT NULL CHECK (state IN ({JOB_STATES})),
            attempt integer NOT NULL CHECK (attempt >= 0),
            due_at timestamptz NOT NULL,
            sent_at timestamptz,
            worker text,
            lease_until timestamptz,
            progress_done integer NOT NULL CHECK (progress_done >= 0),
            progress_total integer CHECK (progress_total >= 0),
            progress_note text,
            cancel_requested_at timestamptz,
            finished_at timestamptz,
            reason text,
            result jsonb,
            CONSTRAINT job_key_key UNIQUE (agency_id, kind, key),
            CONSTRAINT job_owner_key UNIQUE (id, agency_id),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            CHECK (state <> 'running' OR (worker IS NOT NULL AND lease_until IS NOT NULL))
        )
    """)
    op.execute("CREATE INDEX job_open_idx ON job (due_at) WHERE state IN ('waiting', 'running')")
    op.execute("CREATE INDEX job_agency_idx ON job (agency_id, requested_at)")
    wall("job")
    may_read("job", f"{OWN} OR (SELECT scope_is_operator())")
    # A job runs in the scope that its row names, so nobody may ask for one in a scope that is not their own.
    may_write(
        "job",
        f"{OWN} AND person_id IS NOT DISTINCT FROM (SELECT scope_person()) "
        "AND consortium_id IS NOT DISTINCT FROM (SELECT scope_consortium())",
        verbs="INSERT",
    )
    may_write("job", f"{OWN} OR (SELECT scope_is_operator())", verbs="UPDATE", columns=JOB_PROGRESS)
    op.execute("GRANT SELECT ON job TO concord_app")
    _relay()
    op.execute("""
        CREATE FUNCTION job_scope(job_id uuid)
        RETURNS TABLE (agency_id uuid, person_id uuid, consortium_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT j.agency_id, j.person_id, j.consortium_id FROM job j
            WHERE j.id = job_id AND scope_is_nobody()
        $$
    """)
    may_read("job", "true", role="concord_work", name="work")
    op.execute("GRANT SELECT (id, agency_id, person_id, consortium_id) ON job TO concord_work")
    give_function("job_scope(uuid)", "concord_work")


def _relay() -> None:
    op.execute("""
        CREATE FUNCTION tell_relay() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
            PERFORM pg_notify('concord_job', '');
            RETURN NULL;
        END
        $$
    """)
    op.execute("""
        CREATE TRIGGER job_tell_relay AFTER INSERT ON job FOR EACH STATEMENT EXECUTE FUNCTION tell_relay()
    """)
    may_read("job", "true", role="concord_relay", name="relay")
    op.execute("CREATE POLICY job_relay_update ON job FOR UPDATE TO concord_relay USING (true) WITH CHECK (true)")
    op.execute("GRANT SELECT (id, urgent, state, attempt, due_at, sent_at, lease_until) ON job TO concord_relay")
    op.execute("GRANT UPDATE (sent_at) ON job TO concord_relay")
