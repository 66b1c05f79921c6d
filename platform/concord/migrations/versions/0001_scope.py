"""Verify the signed scope inside the database.

HMAC-SHA256 (RFC 2104) from the core function ``sha256`` and the two pads of the key, so that no extension is needed.
A scope that is absent, forged, meant for another backend or older than its transaction by five minutes is no scope:
every claim of it is null, and so no policy shows a row.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import give_function

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EVERYONE = "concord_app, concord_relay, concord_sign_in, concord_place, concord_work, concord_owner"


def upgrade() -> None:
    """Create the key's table and the functions that read a scope's claims."""
    op.execute("""
        CREATE TABLE scope_key (
            inner_pad bytea PRIMARY KEY CHECK (length(inner_pad) = 64),
            outer_pad bytea NOT NULL CHECK (length(outer_pad) = 64)
        )
    """)
    op.execute("GRANT CREATE ON SCHEMA public TO concord_scope")
    op.execute("ALTER TABLE scope_key OWNER TO concord_scope")
    op.execute("REVOKE CREATE ON SCHEMA public FROM concord_scope")
    op.execute("""
        CREATE FUNCTION scope_claims() RETURNS text[]
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            setting text := current_setting('concord.scope', true);
            claims text[];
            body text;
        BEGIN
            IF setting IS NULL OR setting !~
                '^v1([|][0-9a-f-]*){3}[|][01][|][0-9]{1,10}[|][0-9]{1,12}[|][0-9a-f]{64}$' THEN
                RETURN NULL;
            END IF;
            claims := string_to_array(setting, '|');
            IF claims[6]::bigint <> pg_backend_pid()
               OR abs(extract(epoch FROM transaction_timestamp()) - claims[7]::bigint) > 300 THEN
                RETURN NULL;
            END IF;
            body := left(setting, length(setting) - 65);
            PERFORM FROM scope_key k
            WHERE encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(body, 'UTF8'))), 'hex') = claims[8];
            IF NOT FOUND THEN
                RETURN NULL;
            END IF;
            RETURN claims;
        END
        $$
    """)
    give_function("scope_claims()", "concord_scope", to=EVERYONE)
    for name, returns, value in (
        ("scope_agency", "uuid", "nullif((scope_claims())[2], '')::uuid"),
        ("scope_person", "uuid", "nullif((scope_claims())[3], '')::uuid"),
        ("scope_consortium", "uuid", "nullif((scope_claims())[4], '')::uuid"),
        ("scope_is_operator", "boolean", "coalesce((scope_claims())[5] = '1', false)"),
        ("scope_is_valid", "boolean", "scope_claims() IS NOT NULL"),
        # Signed, and for nobody: what signing in and finding a job's scope begin with. A person's session cannot get
        # here, not even by SQL that was slipped into it.
        ("scope_is_nobody", "boolean", "coalesce((scope_claims())[2:5] = ARRAY['', '', '', '0'], false)"),
    ):
        op.execute(f"""
            CREATE FUNCTION {name}() RETURNS {returns}
            LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$ SELECT {value} $$
        """)
    op.execute("GRANT SELECT ON alembic_version TO concord_app, concord_relay, concord_migrate")
