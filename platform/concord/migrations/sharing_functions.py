"""The functions that revision 0020 makes: who is barred from what, what is shared nationally, places compared."""

from __future__ import annotations

CHANGED = """
        JOIN before b ON b.id = entry.id
            AND (b.stage, b.held, b.kept, b.reason) IS DISTINCT FROM (entry.stage, entry.held, entry.kept, entry.reason)
"""
KEEP_MOVES = """
    CREATE FUNCTION keep_moves_on_{verb}() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        INSERT INTO sharing_move (id, at, consortium_id, agency_id, household_id, sibling_group_id, stage, held,
                                  kept, reason, way, person_id)
        SELECT gen_random_uuid(), now(), entry.consortium_id, entry.agency_id, entry.household_id,
               entry.sibling_group_id, entry.stage, entry.held, entry.kept, entry.reason, entry.way, scope_person()
        FROM entry {join};
        RETURN NULL;
    END
    $$
"""

PRESENT_MEMBERS = """
    CREATE FUNCTION present_members() RETURNS TABLE (consortium_id uuid, agency_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT m.consortium_id, m.agency_id FROM consortium_member m
        WHERE scope_consortium() IS NOT NULL AND m.joined_on <= (now() AT TIME ZONE 'UTC')::date
          AND (m.left_on IS NULL OR m.left_on > (now() AT TIME ZONE 'UTC')::date)
    $$
"""

BARS = """
    CREATE FUNCTION scope_bars() RETURNS TABLE (record_id uuid, set_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT coalesce(b.household_id, b.sibling_group_id), b.set_at FROM record_bar b
        WHERE b.lifted_at IS NULL AND (b.person_id = scope_person()
            OR b.email = (SELECT lower(p.email) FROM person p WHERE p.id = scope_person()))
    $$
"""
BARRED = """
    CREATE FUNCTION scope_barred() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF scope_person() IS NULL THEN
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
                -- Of revision 0023; a function's words are looked up when it is called.
                UNION SELECT r.id FROM subject_request r JOIN bar ON bar.record_id = r.record_id
                UNION SELECT d.id FROM document d
                    JOIN bar ON bar.record_id IN (d.household_id, d.sibling_group_id)) found);
    END
    $$
"""
BARRED_SINCE = """
    CREATE FUNCTION scope_barred_since() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT max(s.set_at) FROM scope_bars() s
    $$
"""
BARRED_CODES = """
    CREATE FUNCTION scope_barred_codes() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT coalesce(array_agg(found.code), '{}') FROM (
            SELECT h.code FROM household h JOIN scope_bars() s ON s.record_id = h.id
            UNION ALL SELECT g.code FROM sibling_group g JOIN scope_bars() s ON s.record_id = g.id) found
    $$
"""
# Which of the scope's agency's own references stand for records that its person is barred from, so that a sheet's row
# that names one can be refused in words. Whoever asks has the sheet before them.
BARRED_REFERENCES = """
    CREATE FUNCTION barred_references(asked text[]) RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT coalesce(array_agg(DISTINCT found.reference), '{}') FROM (
            SELECT i.reference FROM household_identity i
            WHERE i.agency_id = scope_agency() AND i.household_id = ANY (scope_barred())
            UNION ALL SELECT i.reference FROM sibling_group_identity i
            WHERE i.agency_id = scope_agency() AND i.sibling_group_id = ANY (scope_barred())
            UNION ALL SELECT i.reference FROM child_identity i
            WHERE i.agency_id = scope_agency() AND i.child_id = ANY (scope_barred())) found
        WHERE found.reference = ANY (asked)
    $$
"""

# In whose scope the schedule is to move what is due: each present member with something in the pool, once a day.
SHARERS = """
    CREATE FUNCTION sharing_members(on_day date) RETURNS TABLE (consortium_id uuid, agency_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT m.consortium_id, m.agency_id FROM consortium_member m
        WHERE scope_is_nobody() AND m.joined_on <= on_day AND (m.left_on IS NULL OR m.left_on > on_day)
          AND EXISTS (SELECT FROM pool_entry p WHERE p.consortium_id = m.consortium_id AND p.agency_id = m.agency_id
              AND p.stage <> 'national' AND NOT p.held)
          AND NOT EXISTS (SELECT FROM job j WHERE j.agency_id = m.agency_id AND j.kind = 'sharing.move'
              AND j.key = m.consortium_id || ':' || on_day)
        ORDER BY m.consortium_id, m.agency_id
    $$
"""

# As before, with what is shared nationally among what is pooled, and without what the person is barred from.
PAIR_PLACES = """
    CREATE FUNCTION pair_places(asked_groups uuid[], asked_households uuid[])
    RETURNS TABLE (group_id uuid, bands smallint[], exclusions smallint[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH own AS MATERIALIZED (
        SELECT scope_agency() AS agency, scope_consortium() AS consortium, scope_barred() AS barred
    ), pooled AS MATERIALIZED (
        SELECT p.household_id, p.sibling_group_id
        FROM own
        JOIN pool_entry p ON p.stage <> 'in_house' AND NOT p.held
            AND (p.consortium_id = own.consortium OR (p.stage = 'national' AND own.consortium IS NOT NULL))
        JOIN consortium_member m ON m.consortium_id = p.consortium_id AND m.agency_id = p.agency_id
            AND m.joined_on <= (now() AT TIME ZONE 'UTC')::date
            AND (m.left_on IS NULL OR m.left_on > (now() AT TIME ZONE 'UTC')::date)
    ), said AS MATERIALIZED (
        -- In one row and asked for by sub-selects, so that no pair carries its zones' arrays through a sort.
        SELECT array_agg(z.bands ORDER BY z.number) AS bands, array_agg(z.passes ORDER BY z.number) AS passes,
            array_agg(z.fails ORDER BY z.number) AS fails
        FROM zone z
    ), home AS MATERIALIZED (
        SELECT a.position, h.id, h.agency_id = own.agency AS ours, c.code, c.easting, c.northing, c.extent_m, c.zone
        FROM unnest(asked_households) WITH ORDINALITY a (id, position)
        CROSS JOIN own
        LEFT JOIN household h ON h.id = a.id AND h.id <> ALL (own.barred)
            AND (h.agency_id = own.agency OR h.id IN (SELECT p.household_id FROM pooled p))
        LEFT JOIN household_place q ON q.household_id = h.id
        LEFT JOIN outward_code c ON c.code = q.outward_code
    ), origin AS MATERIALIZED (
        SELECT a.position, a.id AS asked, g.id, g.agency_id = own.agency AS ours, c.easting, c.northing, c.zone
        FROM unnest(asked_groups) WITH ORDINALITY a (id, position)
        CROSS JOIN own
        LEFT JOIN sibling_group g ON g.id = a.id AND g.id <> ALL (own.barred)
            AND (g.agency_id = own.agency OR g.id IN (SELECT p.sibling_group_id FROM pooled p))
        LEFT JOIN sibling_group_place q ON q.sibling_group_id = g.id
        LEFT JOIN outward_code c ON c.code = q.outward_code
    ), area AS MATERIALIZED (
        SELECT o.position, o.ours, c.code, c.easting, c.northing, c.extent_m, c.zone, e.miles,
            e.miles * 1609::bigint AS reach
        FROM origin o
        JOIN exclusion_area e ON e.sibling_group_id = o.id
        LEFT JOIN outward_code c ON c.code = e.outward_code
    ), judged AS MATERIALIZED (
        SELECT r.position AS group_position, h.position AS home_position,
            CASE WHEN bool_or(j.answer = 1) THEN 1 WHEN bool_or(j.answer = 2) THEN 2 ELSE 0 END AS answer
        FROM area r
        CROSS JOIN home h
        CROSS JOIN LATERAL (
            SELECT (h.easting - r.easting)::bigint * (h.easting - r.easting)
                    + (h.northing - r.northing)::bigint * (h.northing - r.northing) AS square,
                (h.extent_m + r.extent_m)::bigint AS unsure
        ) d
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN h.easting IS NULL OR r.easting IS NULL THEN 2
                WHEN h.ours AND r.ours THEN CASE
                    WHEN h.code = r.code THEN 1
                    WHEN r.reach >= d.unsure AND d.square <= (r.reach - d.unsure) * (r.reach - d.unsure) THEN 1
                    WHEN d.square > (r.reach + d.unsure) * (r.reach + d.unsure) THEN 0
                    ELSE 2 END
                WHEN r.miles <= ((SELECT s.passes FROM said s))[r.zone][h.zone] THEN 0
                WHEN r.miles >= ((SELECT s.fails FROM said s))[r.zone][h.zone] THEN 1
                ELSE 2 END AS answer
        ) j
        GROUP BY r.position, h.position
    )
    SELECT o.asked,
        array_agg((CASE
            WHEN o.easting IS NULL OR h.easting IS NULL THEN 4
            WHEN h.ours AND o.ours THEN CASE
                WHEN d.square <= (20 * 1609::bigint) * (20 * 1609) THEN 0
                WHEN d.square <= (50 * 1609::bigint) * (50 * 1609) THEN 1
                WHEN d.square <= (100 * 1609::bigint) * (100 * 1609) THEN 2
                ELSE 3 END
            ELSE coalesce(((SELECT s.bands FROM said s))[o.zone][h.zone], 4) END)::smallint ORDER BY h.position),
        array_agg((CASE WHEN o.id IS NULL OR h.id IS NULL THEN 2 ELSE coalesce(j.answer, 0) END)::smallint
            ORDER BY h.position)
    FROM origin o
    CROSS JOIN home h
    CROSS JOIN LATERAL (
        SELECT (h.easting - o.easting)::bigint * (h.easting - o.easting)
            + (h.northing - o.northing)::bigint * (h.northing - o.northing) AS square
    ) d
    LEFT JOIN judged j ON j.group_position = o.position AND j.home_position = h.position
    GROUP BY o.position, o.asked
    ORDER BY o.position
    $$
"""
