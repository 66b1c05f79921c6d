"""Put every change of the directory and of sharing, and each sign-in, on record by the database itself.

These are few, and made from many places: a trigger cannot be forgotten. It writes in the name of the scope that
made the change, with that scope's own rights.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DIRECTORY = (
    *("consortium", "agency", "agency_delegation", "consortium_member"),
    *("person", "person_identity", "appointment"),
)

WRITTEN = "id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id, act, record_kind, record_id"


def upgrade() -> None:
    """Create the triggers."""
    op.execute(_DIRECTORY)
    for table in DIRECTORY:
        op.execute(f"""
            CREATE TRIGGER {table}_audit AFTER INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION audit_directory_change()
        """)
    op.execute(_SHARING)
    op.execute("""
        CREATE TRIGGER pool_entry_audit_insert AFTER INSERT ON pool_entry REFERENCING NEW TABLE AS entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_sharing()
    """)
    op.execute("""
        CREATE TRIGGER pool_entry_audit_update AFTER UPDATE ON pool_entry REFERENCING NEW TABLE AS entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_sharing()
    """)
    op.execute(_SIGNING_IN)
    op.execute("""
        CREATE TRIGGER sign_in_session_audit AFTER INSERT OR UPDATE OF agency_id, ended_at ON sign_in_session
        FOR EACH ROW EXECUTE FUNCTION audit_signing_in()
    """)
    op.execute("CREATE POLICY audit_entry_sign_in ON audit_entry FOR INSERT TO concord_sign_in WITH CHECK (true)")
    op.execute(f"GRANT INSERT ({WRITTEN}) ON audit_entry TO concord_sign_in")


_DIRECTORY = """
    CREATE FUNCTION audit_directory_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        changed jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
    BEGIN
        INSERT INTO audit_entry (id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id,
                                 act, record_kind, record_id)
        VALUES (gen_random_uuid(), now(), scope_agency(), scope_person(), scope_consortium(),
                CASE TG_TABLE_NAME WHEN 'agency' THEN changed ->> 'id' ELSE changed ->> 'agency_id' END::uuid,
                CASE TG_OP WHEN 'INSERT' THEN 'add' WHEN 'UPDATE' THEN 'change' ELSE 'remove' END,
                TG_TABLE_NAME,
                coalesce(changed ->> 'id', changed ->> 'person_id', changed ->> 'agency_id')::uuid);
        RETURN NULL;
    END
    $$
"""

_SHARING = """
    CREATE FUNCTION audit_sharing() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        INSERT INTO audit_entry (id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id,
                                 act, record_kind, record_id, reason)
        SELECT gen_random_uuid(), now(), scope_agency(), scope_person(), e.consortium_id, e.agency_id,
               'share', CASE WHEN e.household_id IS NULL THEN 'sibling_group' ELSE 'household' END,
               coalesce(e.household_id, e.sibling_group_id),
               CASE WHEN e.held THEN 'held back' ELSE e.stage END
        FROM entry e;
        RETURN NULL;
    END
    $$
"""

_SIGNING_IN = """
    CREATE FUNCTION audit_signing_in() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        INSERT INTO audit_entry (id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id,
                                 act, record_kind, record_id)
        VALUES (gen_random_uuid(), now(), NEW.agency_id, NEW.person_id, NEW.consortium_id, NEW.agency_id,
                CASE WHEN TG_OP = 'INSERT' THEN 'sign_in' WHEN NEW.ended_at IS NULL THEN 'change' ELSE 'sign_out' END,
                'sign_in_session', NEW.person_id);
        RETURN NULL;
    END
    $$
"""
