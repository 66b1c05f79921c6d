"""Give agencies sign-in services and e-mail domains of their own, and tell sessions which service vouched for them."""

from __future__ import annotations

from alembic import op

from concord.migrations.signing_in import FUNCTIONS, SIGNATURES
from concord.migrations.wall import ADMINISTERED, OWN, may_read, may_write, wall

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OPERATOR = "(SELECT scope_is_operator())"
# The office of the scope's consortium, for the agencies that are members there, itself left out.
OFFICE = (
    "agency_id <> (SELECT scope_agency()) "
    "AND (SELECT scope_agency()) IN (SELECT a.id FROM agency a WHERE a.kind = 'consortium_office') "
    "AND agency_id IN (SELECT m.agency_id FROM consortium_member m WHERE m.consortium_id = (SELECT scope_consortium()))"
)
ROLES = (
    "'family_finder', 'adopters_worker', 'coordinator', 'finance_officer', 'manager', 'information_governance', "
    "'childs_social_worker', 'decision_maker', 'panel_adviser', 'medical_adviser', 'legal_adviser', 'administrator', "
    "'operator'"
)


def upgrade() -> None:
    """Create the tables, wall them, and teach the functions of signing in about them."""
    _providers()
    _domains()
    _sessions()
    _policies()
    _audit()
    _rights_at_sign_in()
    _functions()


def _providers() -> None:
    op.execute("""
        CREATE TABLE identity_provider (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            name text NOT NULL CHECK (name <> ''),
            issuer text NOT NULL,
            -- Names agency and issuer in the addresses that are registered with the provider.
            mark text NOT NULL CHECK (mark ~ '^[0-9a-f]{16}$'),
            client_id text NOT NULL CHECK (client_id <> ''),
            scopes text[] NOT NULL,
            roles_claim text CHECK (roles_claim <> ''),
            second_step boolean NOT NULL,
            acr_values text[] NOT NULL,
            max_age_minutes integer CHECK (max_age_minutes > 0),
            state text NOT NULL CONSTRAINT identity_provider_state_check CHECK (state IN ('draft', 'on', 'off')),
            closes_default boolean NOT NULL DEFAULT false,
            added_at timestamptz NOT NULL,
            tried_at timestamptz,
            tried_by uuid,
            CONSTRAINT identity_provider_owner_key UNIQUE (id, agency_id),
            -- What nobody came in by yet may lock everybody out.
            CONSTRAINT identity_provider_tried_check CHECK (state <> 'on' OR tried_at IS NOT NULL)
        )
    """)
    op.execute("CREATE INDEX identity_provider_agency_idx ON identity_provider (agency_id)")
    op.execute("CREATE INDEX identity_provider_mark_idx ON identity_provider (mark)")
    op.execute(
        "CREATE UNIQUE INDEX identity_provider_on_idx ON identity_provider (agency_id, issuer) WHERE state = 'on'"
    )
    op.execute("""
        CREATE TABLE identity_provider_secret (
            provider_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            -- A key of its own, sealed under the master key: signing in begins where no agency's key may be read.
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (provider_id, agency_id),
            FOREIGN KEY (provider_id, agency_id) REFERENCES identity_provider (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX identity_provider_secret_agency_idx ON identity_provider_secret (agency_id)")
    op.execute(f"""
        CREATE TABLE identity_provider_role (
            provider_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            claim_value text NOT NULL CHECK (claim_value <> ''),
            role text NOT NULL CONSTRAINT identity_provider_role_role_check CHECK (role IN ({ROLES})),
            CHECK (role <> 'operator'),
            -- Nobody gives themselves a role: it counts for everybody else.
            set_by uuid,
            PRIMARY KEY (provider_id, agency_id, claim_value, role),
            FOREIGN KEY (provider_id, agency_id) REFERENCES identity_provider (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX identity_provider_role_agency_idx ON identity_provider_role (agency_id)")


def _domains() -> None:
    op.execute("""
        CREATE TABLE email_domain (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            domain text NOT NULL CHECK (domain = lower(domain) AND domain ~ '^[a-z0-9.-]+[.][a-z0-9-]+$'),
            added_at timestamptz NOT NULL,
            added_by uuid,
            confirmed_at timestamptz,
            confirmed_by uuid,
            CONSTRAINT email_domain_agency_domain_key UNIQUE (agency_id, domain),
            -- Nobody confirms their own word.
            CHECK (confirmed_by <> added_by)
        )
    """)
    op.execute("CREATE UNIQUE INDEX email_domain_confirmed_idx ON email_domain (domain) WHERE confirmed_at IS NOT NULL")


def _sessions() -> None:
    op.execute("""
        ALTER TABLE sign_in_session
            ADD COLUMN provider_id uuid,
            ADD COLUMN sid text,
            ADD COLUMN acr text,
            ADD COLUMN auth_time timestamptz,
            ADD COLUMN second_step boolean NOT NULL DEFAULT false
    """)
    # By whose word somebody holds a role; without, an appointment was made by hand.
    op.execute("""
        ALTER TABLE appointment
            ADD COLUMN vouched_by text,
            ADD COLUMN ended_with_claim boolean NOT NULL DEFAULT false
    """)
    op.execute("""
        CREATE TABLE logout_token (
            digest bytea PRIMARY KEY CHECK (length(digest) = 32),
            seen_at timestamptz NOT NULL
        )
    """)


def _policies() -> None:
    for table in ("identity_provider", "identity_provider_secret", "identity_provider_role", "email_domain"):
        wall(table)
        may_write(table, f"{ADMINISTERED}{_NEW.get(table, '')}", verbs="INSERT")
    wall("logout_token")
    for table in ("identity_provider", "identity_provider_role"):
        may_read(table, OWN)
        op.execute(f"GRANT SELECT ON {table} TO concord_app")
    may_read("email_domain", f"{OWN} OR {OPERATOR} OR ({OFFICE})")
    op.execute("GRANT SELECT ON email_domain TO concord_app")
    # What the connection is, is never changed: another takes its place, once it has been tried.
    may_write("identity_provider", ADMINISTERED, verbs="UPDATE", columns="name, roles_claim, state, closes_default")
    may_write("identity_provider_role", ADMINISTERED, verbs="DELETE")
    may_write("email_domain", ADMINISTERED, verbs="DELETE")
    may_write("email_domain", f"{OPERATOR} OR ({OFFICE})", verbs="UPDATE", columns="confirmed_at, confirmed_by")


# Nothing is added as tried or confirmed already, and a rule names who made it.
_NEW = {
    "identity_provider_role": " AND set_by IS NOT DISTINCT FROM (SELECT scope_person())",
    "identity_provider": " AND state = 'draft' AND tried_at IS NULL AND NOT closes_default",
    "email_domain": " AND confirmed_at IS NULL AND confirmed_by IS NULL",
}


def _audit() -> None:
    op.execute("""
        CREATE FUNCTION audit_sign_in_service() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            changed jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
        BEGIN
            INSERT INTO audit_entry (id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id,
                                     act, record_kind, record_id, reason)
            VALUES (gen_random_uuid(), now(), scope_agency(), scope_person(), scope_consortium(),
                    (changed ->> 'agency_id')::uuid,
                    CASE TG_OP WHEN 'INSERT' THEN 'add' WHEN 'UPDATE' THEN 'change' ELSE 'remove' END,
                    TG_TABLE_NAME,
                    coalesce(changed ->> 'id', changed ->> 'provider_id')::uuid,
                    coalesce(changed ->> 'state', changed ->> 'role',
                             CASE WHEN changed ->> 'confirmed_at' IS NOT NULL THEN 'confirmed' END));
            RETURN NULL;
        END
        $$
    """)
    for table in ("identity_provider", "identity_provider_secret", "identity_provider_role", "email_domain"):
        # A secret is never updated but to change the master key, which is put on record by itself.
        change = "" if table == "identity_provider_secret" else "UPDATE OR "
        op.execute(f"""
            CREATE TRIGGER {table}_audit AFTER INSERT OR {change}DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION audit_sign_in_service()
        """)
    op.execute("GRANT INSERT (reason) ON audit_entry TO concord_sign_in")


def _rights_at_sign_in() -> None:
    for table in ("identity_provider", "identity_provider_secret", "identity_provider_role", "email_domain"):
        may_read(table, "true", role="concord_sign_in", name="sign_in")
        op.execute(f"GRANT SELECT ON {table} TO concord_sign_in")
    may_read("logout_token", "true", role="concord_sign_in", name="sign_in")
    op.execute("GRANT SELECT ON logout_token TO concord_sign_in")
    for table, verb, columns in (
        ("identity_provider", "UPDATE", "(tried_at, tried_by)"),
        ("person", "INSERT", ""),
        ("person_identity", "INSERT", ""),
        ("appointment", "INSERT", ""),
        ("appointment", "UPDATE", "(ends_on, ended_with_claim)"),
        ("logout_token", "INSERT", ""),
        ("logout_token", "DELETE", ""),
    ):
        condition = {"INSERT": "WITH CHECK (true)", "DELETE": "USING (true)"}.get(
            verb, "USING (true) WITH CHECK (true)"
        )
        name = f"{table}_sign_in_{verb.lower()}"
        op.execute(f"CREATE POLICY {name} ON {table} FOR {verb} TO concord_sign_in {condition}")
        op.execute(f"GRANT {verb} {columns} ON {table} TO concord_sign_in")


def _functions() -> None:
    op.execute("GRANT CREATE ON SCHEMA public TO concord_sign_in")
    op.execute("SET LOCAL ROLE concord_sign_in")
    op.execute("DROP FUNCTION start_sign_in(text, text, bytea, timestamptz)")
    for statement in FUNCTIONS:
        op.execute(statement)
    for signature in SIGNATURES:
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO concord_app")
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute("REVOKE CREATE ON SCHEMA public FROM concord_sign_in")
