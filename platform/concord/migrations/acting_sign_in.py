"""Signing in to act for another agency, as migration 0030 makes it: by whose service, whose work, and until when."""

from __future__ import annotations

# What an appointment is good for in a session: as 0018 has it, and besides, where both agencies have signed for that,
# the service of the agency that acts vouches for its own people's delegated work, and for nothing else of the other's.
# It is then good where it would be for their own work, with a second step where the other asks one of its own people.
SERVES_BY = """
    CREATE FUNCTION sign_in_serves_by(its_provider uuid, took_second_step boolean, its_agency uuid, its_delegation uuid)
    RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT sign_in_serves(its_provider, took_second_step, its_agency) OR EXISTS (
            SELECT FROM agency_delegation d
            JOIN identity_provider came ON came.id = its_provider AND came.agency_id = d.agency_id
            WHERE d.id = its_delegation AND d.acts_for_id = its_agency AND d.by_own_service
              AND d.given_at IS NOT NULL AND d.taken_at IS NOT NULL AND d.ended_at IS NULL
              AND sign_in_serves(its_provider, took_second_step, d.agency_id)
              AND (took_second_step OR NOT EXISTS (
                  SELECT FROM identity_provider p
                  WHERE p.agency_id = its_agency AND p.state = 'on' AND p.second_step)))
    $$
"""

START = """
    CREATE OR REPLACE FUNCTION start_sign_in(its_issuer text, its_subject text, its_digest bytea, at timestamptz,
                                             its_provider uuid, its_email text, its_claims text[], its_sid text,
                                             its_acr text, its_auth_time timestamptz, took_second_step boolean)
    RETURNS uuid
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
          AND sign_in_serves_by(its_provider, took_second_step, a.agency_id, a.delegation_id);
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

# Whether there is a choice is read afresh as well: whoever is given another agency's work need not come in anew.
FIND = """
    CREATE FUNCTION find_sign_in(its_digest bytea, at timestamptz, idle_minutes integer, longest_hours integer,
                                 its_address text, its_browser text)
    RETURNS TABLE (session_id uuid, person_id uuid, person_name text, agency_id uuid, agency_name text,
                   consortium_id uuid, consortium_name text, roles text[], choices bigint)
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
        SELECT s.id, p.id, p.name, held.agency_id, a.name, c.id, c.name, coalesce(held.roles, '{}'), there.number
        FROM sign_in_session s
        JOIN person p ON p.id = s.person_id
        LEFT JOIN LATERAL (
            SELECT t.agency_id, array_agg(DISTINCT t.role ORDER BY t.role) AS roles FROM appointment t
            WHERE t.person_id = s.person_id AND t.agency_id = s.agency_id
              AND t.starts_on <= today AND (t.ends_on IS NULL OR t.ends_on > today)
              AND sign_in_serves_by(s.provider_id, s.second_step, s.agency_id, t.delegation_id)
              -- No agency’s own service vouches for whoever runs them all.
              AND (t.role <> 'operator' OR s.provider_id IS NULL)
            GROUP BY t.agency_id
        ) held ON true
        LEFT JOIN agency a ON a.id = held.agency_id
        LEFT JOIN consortium_member m ON m.agency_id = held.agency_id AND m.consortium_id = s.consortium_id
            AND m.joined_on <= today AND (m.left_on IS NULL OR m.left_on > today)
        LEFT JOIN consortium c ON c.id = m.consortium_id
        CROSS JOIN LATERAL (
            SELECT count(DISTINCT (t.agency_id, n.consortium_id)) AS number FROM appointment t
            LEFT JOIN consortium_member n ON n.agency_id = t.agency_id
                AND n.joined_on <= today AND (n.left_on IS NULL OR n.left_on > today)
            WHERE t.person_id = s.person_id AND t.starts_on <= today AND (t.ends_on IS NULL OR t.ends_on > today)
        ) there
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
          AND EXISTS (SELECT FROM appointment t WHERE t.person_id = s.person_id AND t.agency_id = chosen_agency
                      AND t.starts_on <= today AND (t.ends_on IS NULL OR t.ends_on > today)
                      AND sign_in_serves_by(s.provider_id, s.second_step, chosen_agency, t.delegation_id))
          AND (chosen_consortium IS NULL OR EXISTS (
              SELECT FROM consortium_member m
              WHERE m.agency_id = chosen_agency AND m.consortium_id = chosen_consortium
                AND m.joined_on <= today AND (m.left_on IS NULL OR m.left_on > today)));
        RETURN FOUND;
    END
    $$
"""

# A session in which somebody acts by a delegation is over with the last appointment that it stood on.
END_ACTING = """
    CREATE FUNCTION end_acting_sessions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (now() AT TIME ZONE 'UTC')::date;
    BEGIN
        UPDATE sign_in_session s SET ended_at = now()
        WHERE s.person_id = NEW.person_id AND s.agency_id = NEW.agency_id AND s.ended_at IS NULL
          AND NOT EXISTS (
              SELECT FROM appointment t WHERE t.person_id = NEW.person_id AND t.agency_id = NEW.agency_id
              AND t.starts_on <= today AND (t.ends_on IS NULL OR t.ends_on > today));
        RETURN NULL;
    END
    $$
"""

OF_SIGNING_IN = (SERVES_BY, START, FIND, CHOOSE)
"""Those that ``concord_sign_in`` owns."""
