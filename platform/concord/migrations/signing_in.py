"""The functions of signing in as migration 0018 makes them, apart for their length and as unchanging as it is."""

from __future__ import annotations

# Which agency’s work a session is good for: its own service’s agency, where that asks a second step only with one; the
# deployment’s own service vouches for every agency that has not closed that door. What another agency has set for the
# same issuer, and so what it calls a second step, counts for nothing.
SERVES = """
    CREATE FUNCTION sign_in_serves(its_provider uuid, took_second_step boolean, its_agency uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT CASE WHEN its_provider IS NULL THEN NOT EXISTS (
            SELECT FROM identity_provider p
            WHERE p.agency_id = its_agency AND p.state = 'on' AND p.closes_default)
        ELSE EXISTS (
            SELECT FROM identity_provider came
            JOIN identity_provider p ON p.agency_id = its_agency AND p.issuer = came.issuer AND p.state = 'on'
            WHERE came.id = its_provider AND came.agency_id = its_agency AND (took_second_step OR NOT p.second_step))
        END
    $$
"""

WAYS = """
    CREATE FUNCTION sign_in_ways()
    RETURNS TABLE (id uuid, agency_id uuid, agency_name text, name text, domains text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT p.id, p.agency_id, a.name, p.name,
               ARRAY(SELECT d.domain FROM email_domain d
                     WHERE d.agency_id = p.agency_id AND d.confirmed_at IS NOT NULL ORDER BY d.domain)
        FROM identity_provider p JOIN agency a ON a.id = p.agency_id
        WHERE scope_is_nobody() AND p.state = 'on'
        ORDER BY a.name, p.name, p.id
    $$
"""

# The secret is for nobody’s scope alone: SQL that was slipped into a person’s session does not get it.
PROVIDER = """
    CREATE FUNCTION sign_in_provider(its_id uuid, its_mark text)
    RETURNS TABLE (id uuid, agency_id uuid, agency_name text, name text, issuer text, mark text, client_id text,
                   scopes text[], roles_claim text, second_step boolean, acr_values text[], max_age_minutes integer,
                   state text, domains text[], sealed_key bytea, sealed bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT p.id, p.agency_id, a.name, p.name, p.issuer, p.mark, p.client_id, p.scopes, p.roles_claim,
               p.second_step, p.acr_values, p.max_age_minutes, p.state,
               ARRAY(SELECT d.domain FROM email_domain d
                     WHERE d.agency_id = p.agency_id AND d.confirmed_at IS NOT NULL ORDER BY d.domain),
               s.sealed_key, s.sealed
        FROM identity_provider p
        JOIN agency a ON a.id = p.agency_id
        JOIN identity_provider_secret s ON s.provider_id = p.id AND s.agency_id = p.agency_id
        WHERE scope_is_nobody() AND (p.id = its_id OR (p.mark = its_mark AND p.tried_at IS NOT NULL))
        ORDER BY p.state = 'on' DESC, p.added_at DESC, p.id
    $$
"""

# Whoever tried the service has shown that this account is theirs as well, so switching it on cannot lock them out.
TRIAL = """
    CREATE FUNCTION take_trial(its_provider uuid, its_person uuid, its_subject text, at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        its_issuer text;
        holder uuid;
    BEGIN
        IF NOT scope_is_nobody() THEN
            RAISE EXCEPTION 'signing in is for the scope of nobody' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT p.issuer INTO its_issuer FROM identity_provider p
        WHERE p.id = its_provider AND p.state <> 'off'
          AND EXISTS (SELECT FROM appointment t WHERE t.person_id = its_person AND t.agency_id = p.agency_id);
        SELECT i.person_id INTO holder FROM person_identity i WHERE i.issuer = its_issuer AND i.subject = its_subject;
        IF its_issuer IS NULL OR holder <> its_person THEN
            RETURN false;
        END IF;
        IF holder IS NULL THEN
            INSERT INTO person_identity (issuer, subject, person_id) VALUES (its_issuer, its_subject, its_person);
        END IF;
        UPDATE identity_provider SET tried_at = at, tried_by = its_person WHERE id = its_provider;
        RETURN true;
    END
    $$
"""

# An open invitation to the address that the service vouches for, of the service’s own agency and within its confirmed
# domains; from the deployment’s service, of an agency without one of its own. A new account becomes that of a colleague
# whom the agency already has under the address; without an invitation no address links anything.
TAKE_UP = """
    CREATE FUNCTION take_up_invitations(who uuid, its_issuer text, its_subject text, its_agency uuid, its_email text,
                                        at timestamptz) RETURNS uuid
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
        invited record;
    BEGIN
        FOR invited IN
            SELECT i.id, i.agency_id, i.name, i.email, i.roles FROM invitation i
            JOIN email_domain d ON d.agency_id = i.agency_id AND d.confirmed_at IS NOT NULL
                AND d.domain = split_part(i.email, '@', 2)
            WHERE i.email = lower(its_email) AND i.taken_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > at
              AND CASE WHEN its_agency IS NOT NULL THEN i.agency_id = its_agency
                  ELSE NOT EXISTS (SELECT FROM identity_provider p WHERE p.agency_id = i.agency_id AND p.state = 'on')
                  END
            ORDER BY i.invited_at, i.id
            FOR UPDATE OF i
        LOOP
            IF who IS NULL THEN
                SELECT min(p.id::text)::uuid INTO who FROM person p
                WHERE p.email = invited.email AND EXISTS (
                    SELECT FROM appointment t WHERE t.person_id = p.id AND t.agency_id = invited.agency_id)
                HAVING count(*) = 1;
                IF who IS NULL THEN
                    who := gen_random_uuid();
                    INSERT INTO person (id, name, email) VALUES (who, invited.name, invited.email);
                END IF;
                INSERT INTO person_identity (issuer, subject, person_id) VALUES (its_issuer, its_subject, who);
            END IF;
            INSERT INTO appointment (id, person_id, agency_id, role, starts_on)
            SELECT gen_random_uuid(), who, invited.agency_id, r.role, today FROM unnest(invited.roles) AS r (role)
            WHERE NOT EXISTS (
                SELECT FROM appointment t WHERE t.person_id = who AND t.agency_id = invited.agency_id
                AND t.role = r.role AND t.starts_on <= today AND (t.ends_on IS NULL OR t.ends_on > today));
            UPDATE invitation SET taken_at = at, person_id = who WHERE id = invited.id;
        END LOOP;
        RETURN who;
    END
    $$
"""

# What came by a claim goes with it. What a person ended by hand no claim gives back, and what was given by hand stays;
# whoever somebody let go by hand gets no role at all by a claim, until they are invited anew. A rule gives no role to
# whoever made it.
KEEP_ROLES = """
    CREATE FUNCTION keep_claimed_roles(who uuid, its_provider uuid, its_issuer text, its_agency uuid,
                                       its_claims text[], at timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
        belongs boolean;
    BEGIN
        SELECT t.ends_on IS NULL OR t.ends_on > today OR t.ended_with_claim INTO belongs FROM appointment t
        WHERE t.person_id = who AND t.agency_id = its_agency
        ORDER BY t.ends_on DESC NULLS FIRST, t.ended_with_claim LIMIT 1;
        IF belongs IS NOT TRUE THEN
            RETURN;
        END IF;
        UPDATE appointment t SET ends_on = greatest(today, t.starts_on), ended_with_claim = true
        WHERE t.person_id = who AND t.agency_id = its_agency AND t.vouched_by = its_issuer
          AND (t.ends_on IS NULL OR t.ends_on > today) AND t.role NOT IN (
              SELECT r.role FROM identity_provider_role r
              WHERE r.provider_id = its_provider AND r.claim_value = ANY (its_claims));
        INSERT INTO appointment (id, person_id, agency_id, role, starts_on, vouched_by)
        SELECT gen_random_uuid(), who, its_agency, w.role, today, its_issuer
        FROM (SELECT DISTINCT r.role FROM identity_provider_role r
              WHERE r.provider_id = its_provider AND r.claim_value = ANY (its_claims)
                AND r.set_by IS DISTINCT FROM who) AS w
        WHERE NOT EXISTS (
            SELECT FROM appointment t
            WHERE t.person_id = who AND t.agency_id = its_agency AND t.role = w.role
              AND (t.ends_on IS NULL OR t.ends_on > today OR NOT t.ended_with_claim));
    END
    $$
"""

# Whoever may call this can sign in as anyone, so it wants the scope of nobody: SQL that was slipped into a person's
# session does not have it. Days are UTC days, as everywhere in the program, whatever the session's time zone says.
START = """
    CREATE FUNCTION start_sign_in(its_issuer text, its_subject text, its_digest bytea, at timestamptz,
                                  its_provider uuid, its_email text, its_claims text[], its_sid text, its_acr text,
                                  its_auth_time timestamptz, took_second_step boolean) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
        who uuid;
        vouching uuid;
        agencies uuid[];
        consortia uuid[];
    BEGIN
        IF NOT scope_is_nobody() THEN
            RAISE EXCEPTION 'signing in is for the scope of nobody' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF its_provider IS NOT NULL THEN
            SELECT p.agency_id INTO vouching FROM identity_provider p
            WHERE p.id = its_provider AND p.issuer = its_issuer AND p.state = 'on';
            IF vouching IS NULL THEN
                RETURN NULL;
            END IF;
        END IF;
        SELECT i.person_id INTO who FROM person_identity i WHERE i.issuer = its_issuer AND i.subject = its_subject;
        IF its_email IS NOT NULL THEN
            who := take_up_invitations(who, its_issuer, its_subject, vouching, its_email, at);
        END IF;
        IF who IS NULL THEN
            RETURN NULL;
        END IF;
        IF vouching IS NOT NULL AND its_claims IS NOT NULL THEN
            PERFORM keep_claimed_roles(who, its_provider, its_issuer, vouching, its_claims, at);
        END IF;
        SELECT array_agg(DISTINCT a.agency_id) INTO agencies FROM appointment a
        WHERE a.person_id = who AND a.starts_on <= today AND (a.ends_on IS NULL OR a.ends_on > today)
          AND sign_in_serves(its_provider, took_second_step, a.agency_id);
        IF cardinality(agencies) = 1 THEN
            SELECT array_agg(m.consortium_id) INTO consortia FROM consortium_member m
            WHERE m.agency_id = agencies[1] AND m.joined_on <= today
              AND (m.left_on IS NULL OR m.left_on > today);
        ELSE
            agencies := NULL;
        END IF;
        INSERT INTO sign_in_session (digest, person_id, agency_id, consortium_id, started_at, seen_at,
                                     provider_id, sid, acr, auth_time, second_step)
        VALUES (its_digest, who, agencies[1], CASE WHEN cardinality(consortia) = 1 THEN consortia[1] END, at, at,
                its_provider, its_sid, its_acr, its_auth_time, took_second_step);
        RETURN who;
    END
    $$
"""

# The roles are read afresh at each request: somebody who leaves an agency is out at once, and so is whoever came in by
# a service that the agency no longer goes by.
FIND = """
    CREATE OR REPLACE FUNCTION find_sign_in(its_digest bytea, at timestamptz, idle_minutes integer,
                                            longest_hours integer, its_address text, its_browser text)
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
              AND sign_in_serves(s.provider_id, s.second_step, s.agency_id)
              -- No agency’s own service vouches for whoever runs them all.
              AND (t.role <> 'operator' OR s.provider_id IS NULL)
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

CHOOSE = """
    CREATE OR REPLACE FUNCTION choose_acting(its_digest bytea, new_digest bytea, chosen_agency uuid,
                                             chosen_consortium uuid, at timestamptz)
    RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (at AT TIME ZONE 'UTC')::date;
    BEGIN
        UPDATE sign_in_session s
        SET agency_id = chosen_agency, consortium_id = chosen_consortium, digest = new_digest
        WHERE s.digest = its_digest AND s.ended_at IS NULL
          AND sign_in_serves(s.provider_id, s.second_step, chosen_agency)
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

# OpenID Connect Back-Channel Logout 1.0, section 2.7. Returns how many sessions ended, or null when the token was seen.
END_THERE = """
    CREATE FUNCTION end_sessions_there(its_mark text, its_issuer text, its_subject text, its_sid text, its_token bytea,
                                       at timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        ended integer;
    BEGIN
        IF NOT scope_is_nobody() THEN
            RAISE EXCEPTION 'ending sessions there is for the scope of nobody'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        DELETE FROM logout_token t WHERE t.seen_at < at - interval '1 day';
        INSERT INTO logout_token (digest, seen_at) VALUES (its_token, at) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        UPDATE sign_in_session s SET ended_at = at
        WHERE s.ended_at IS NULL
          AND CASE WHEN its_mark IS NULL THEN s.provider_id IS NULL
              ELSE s.provider_id IN (SELECT p.id FROM identity_provider p WHERE p.mark = its_mark) END
          AND (its_sid IS NULL OR s.sid = its_sid OR (s.sid IS NULL AND its_subject IS NOT NULL))
          AND (its_subject IS NULL OR s.person_id IN (
              SELECT i.person_id FROM person_identity i WHERE i.issuer = its_issuer AND i.subject = its_subject));
        GET DIAGNOSTICS ended = ROW_COUNT;
        RETURN ended;
    END
    $$
"""

FUNCTIONS = (SERVES, WAYS, PROVIDER, TRIAL, TAKE_UP, KEEP_ROLES, START, FIND, CHOOSE, END_THERE)
SIGNATURES = (
    "sign_in_ways()",
    "sign_in_provider(uuid, text)",
    "take_trial(uuid, uuid, text, timestamptz)",
    "start_sign_in(text, text, bytea, timestamptz, uuid, text, text[], text, text, timestamptz, boolean)",
    "end_sessions_there(text, text, text, text, bytea, timestamptz)",
)
"""Those that run with the rights of ``concord_sign_in``, and may be called by the application."""
