-- Roles belong to the whole server, so this runs before the numbered migrations and may run again at any time.
-- The login roles (concord_migrate, concord_app, concord_relay) were made by “concord db prepare”; the ones below
-- cannot log in. One owns the tables; the others own a few functions each, and see only what policies let them.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['concord_owner', 'concord_scope', 'concord_sign_in', 'concord_place', 'concord_work', 'concord_lives', 'concord_keys', 'concord_search', 'concord_custody', 'concord_seal'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', name);
        END IF;
    END LOOP;
END
$$;
GRANT concord_owner TO concord_migrate WITH INHERIT FALSE, SET TRUE;
-- A function can be given only to a role that the giver may become.
GRANT concord_scope, concord_sign_in, concord_place, concord_work, concord_lives, concord_keys, concord_search, concord_custody, concord_seal TO concord_owner WITH INHERIT FALSE, SET TRUE;
GRANT CREATE ON SCHEMA public TO concord_owner WITH GRANT OPTION;
GRANT USAGE ON SCHEMA public TO concord_app, concord_relay, concord_scope, concord_sign_in, concord_place, concord_work, concord_lives, concord_keys, concord_search, concord_custody, concord_seal;
