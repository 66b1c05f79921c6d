"""The functions with which revision 0030 shuts programs out of what people of their agency are shut out of."""

from __future__ import annotations

# As before, and with a program's own id as one claim more where a program asks: its setting begins with “v2”.
CLAIMS = """
    CREATE OR REPLACE FUNCTION scope_claims() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        setting text := current_setting('concord.scope', true);
        claims text[];
        body text;
    BEGIN
        IF setting IS NULL OR (setting !~
                '^v1([|][0-9a-f-]*){3}[|][01][|][0-9]{1,10}[|][0-9]{1,12}[|][0-9a-f]{64}$' AND setting !~
                '^v2([|][0-9a-f-]*){3}[|][01][|][0-9]{1,10}[|][0-9]{1,12}[|][0-9a-f-]{36}[|][0-9a-f]{64}$') THEN
            RETURN NULL;
        END IF;
        claims := string_to_array(setting, '|');
        IF claims[6]::bigint <> pg_backend_pid()
           OR abs(extract(epoch FROM transaction_timestamp()) - claims[7]::bigint) > 300 THEN
            RETURN NULL;
        END IF;
        body := left(setting, length(setting) - 65);
        PERFORM FROM scope_key k
        WHERE encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(body, 'UTF8'))), 'hex')
            = right(setting, 64);
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        RETURN claims;
    END
    $$
"""
CLIENT = """
    CREATE FUNCTION scope_client() RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT CASE WHEN (scope_claims())[1] = 'v2' THEN (scope_claims())[8]::uuid END
    $$
"""
# A program answers its whole agency. So it is shut out of what anybody is who has a role there: from the day after
# the role began at the latest, for a day is all that is known of that.
BARS = """
    CREATE OR REPLACE FUNCTION scope_bars() RETURNS TABLE (record_id uuid, set_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT coalesce(b.household_id, b.sibling_group_id), b.set_at FROM record_bar b
        WHERE b.lifted_at IS NULL AND (b.person_id = scope_person()
            OR b.email = (SELECT lower(p.email) FROM person p WHERE p.id = scope_person()))
        UNION ALL
        SELECT coalesce(b.household_id, b.sibling_group_id),
            greatest(b.set_at, (a.starts_on + 1)::timestamp AT TIME ZONE 'UTC')
        FROM appointment a JOIN person p ON p.id = a.person_id
            JOIN record_bar b ON b.lifted_at IS NULL AND (b.person_id = p.id OR b.email = lower(p.email))
        WHERE scope_client() IS NOT NULL AND a.agency_id = scope_agency()
          AND a.starts_on <= (now() AT TIME ZONE 'UTC')::date
          AND (a.ends_on IS NULL OR a.ends_on > (now() AT TIME ZONE 'UTC')::date)
    $$
"""
BARRED = """
    CREATE OR REPLACE FUNCTION scope_barred() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF scope_person() IS NULL AND scope_client() IS NULL THEN
            RETURN '{}';
        END IF;
        RETURN (WITH bar AS MATERIALIZED (SELECT s.record_id FROM scope_bars() s)
            , linked AS MATERIALIZED (SELECT l.id FROM link l
                JOIN bar ON bar.record_id IN (l.household_id, l.sibling_group_id))
            SELECT coalesce(array_agg(found.id), '{}') FROM (
                SELECT bar.record_id AS id FROM bar
                UNION SELECT c.id FROM child c JOIN bar ON bar.record_id = c.sibling_group_id
                UNION SELECT linked.id FROM linked
                UNION SELECT g.id FROM document_grant g JOIN linked ON linked.id = g.link_id
                UNION SELECT r.id FROM subject_request r JOIN bar ON bar.record_id = r.record_id
                UNION SELECT d.id FROM document d
                    JOIN bar ON bar.record_id IN (d.household_id, d.sibling_group_id)) found);
    END
    $$
"""
