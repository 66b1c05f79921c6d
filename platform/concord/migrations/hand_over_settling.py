"""What gives way and what ends when an agency hands over, as migration 0027 has it: apart for its length.

With the rights of whoever calls it: the functions of ``hand_over_functions.py``, and nobody else.
"""

from __future__ import annotations

# What moves: every household and group, or those that are named, with the children of each.
MOVING = """
    CREATE FUNCTION moving_in(plan hand_over) RETURNS uuid[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        WITH record AS (
            SELECT h.id FROM household h
            WHERE h.agency_id = plan.agency_id AND (plan.whole OR 'household' = ANY (plan.kinds))
              AND (plan.record_ids IS NULL OR h.id = ANY (plan.record_ids))
            UNION ALL SELECT g.id FROM sibling_group g
            WHERE g.agency_id = plan.agency_id AND (plan.whole OR 'sibling_group' = ANY (plan.kinds))
              AND (plan.record_ids IS NULL OR g.id = ANY (plan.record_ids))
        )
        SELECT coalesce(array_agg(found.id), '{}') FROM (
            SELECT r.id FROM record r UNION ALL SELECT c.id FROM child c JOIN record r ON r.id = c.sibling_group_id
        ) found
    $$
"""

# Why it cannot be done as things stand: a word for each reason, and what it is about.
HINDRANCES = """
    CREATE FUNCTION hindrances_to(plan hand_over, moving uuid[]) RETURNS TABLE (what text, about text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        WITH today AS (SELECT (now() AT TIME ZONE 'UTC')::date AS day)
        SELECT 'closed', a.name FROM agency a, today
        WHERE a.id IN (plan.agency_id, plan.receiver_id) AND (a.closed_on <= today.day OR a.successor_id IS NOT NULL)
        UNION ALL SELECT 'office', a.name FROM agency a
        WHERE a.id IN (plan.agency_id, plan.receiver_id) AND a.kind = 'consortium_office'
        UNION ALL SELECT 'children', a.name FROM agency a
        WHERE a.id = plan.receiver_id AND a.kind = 'voluntary_agency'
          AND EXISTS (SELECT FROM sibling_group g WHERE g.agency_id = plan.agency_id AND g.id = ANY (moving))
        UNION ALL SELECT 'not_member', c.name FROM consortium c, today
        WHERE c.id IN (
                SELECT m.consortium_id FROM consortium_member m
                WHERE m.agency_id = plan.agency_id AND (m.left_on IS NULL OR m.left_on > today.day)
                UNION ALL SELECT p.consortium_id FROM pool_entry p
                WHERE p.agency_id = plan.agency_id AND coalesce(p.household_id, p.sibling_group_id) = ANY (moving)
                UNION ALL SELECT l.consortium_id FROM link l
                WHERE (l.group_agency_id = plan.agency_id AND l.sibling_group_id = ANY (moving))
                   OR (l.household_agency_id = plan.agency_id AND l.household_id = ANY (moving)))
          AND NOT EXISTS (SELECT FROM consortium_member m
                          WHERE m.agency_id = plan.receiver_id AND m.consortium_id = c.id
                            AND m.joined_on <= today.day AND (m.left_on IS NULL OR m.left_on > today.day))
        UNION ALL SELECT 'destruction', NULL
        WHERE EXISTS (SELECT FROM retention_item i WHERE i.agency_id = plan.agency_id AND i.outcome IS NULL
                      AND (plan.whole OR i.record_id = ANY (moving)))
        UNION ALL SELECT 'hold', h.record_class FROM retention_hold h
        WHERE NOT plan.whole AND h.agency_id = plan.agency_id AND h.record_class IS NOT NULL AND h.lifted_at IS NULL
        UNION ALL SELECT 'nothing', NULL WHERE NOT plan.whole AND cardinality(moving) = 0
        -- Another plan of the receiver's is told to whom it has agreed with.
        UNION ALL SELECT 'before', NULL FROM hand_over h
        WHERE plan.taken_at IS NOT NULL AND h.id <> plan.id
          AND h.agency_id = plan.receiver_id AND h.whole AND h.done_at IS NULL
          AND h.withdrawn_at IS NULL AND h.given_at IS NOT NULL AND h.taken_at IS NOT NULL
          AND h.takes_effect_on <= plan.takes_effect_on
    $$
"""

# What has to give way before two agencies can be one, and nothing of it is lost: a reference that both use gets the
# short name of whoever brings it before it; a report that one side let the other read needs no leave any more; of two
# holds on one class both stand; of two services of one issuer the receiver's goes on, under its rules.
SETTLE = """
    CREATE FUNCTION settle_hand_over(plan hand_over, moving uuid[]) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        said jsonb := '[]';
        short text := (SELECT a.slug FROM agency a WHERE a.id = plan.agency_id);
        kept record;
        found record;
        free text;
        tries integer;
        taken boolean;
    BEGIN
        FOR kept IN SELECT * FROM (VALUES ('household_identity', 'household_id'),
            ('sibling_group_identity', 'sibling_group_id'), ('child_identity', 'child_id')) AS t (its_table, its_id)
        LOOP
            FOR found IN EXECUTE format(
                'SELECT i.%2$I AS id, i.reference FROM %1$I i WHERE i.agency_id = $1 AND i.%2$I = ANY ($3) '
                'AND EXISTS (SELECT FROM %1$I o WHERE o.agency_id = $2 AND o.reference = i.reference) '
                'ORDER BY i.reference', kept.its_table, kept.its_id) USING plan.agency_id, plan.receiver_id, moving
            LOOP
                tries := 1;
                LOOP
                    free := short || CASE tries WHEN 1 THEN '' ELSE '-' || tries END || '/' || found.reference;
                    EXECUTE format('SELECT EXISTS (SELECT FROM %I o WHERE o.agency_id IN ($1, $2) '
                        'AND o.reference = $3)', kept.its_table)
                        INTO taken USING plan.agency_id, plan.receiver_id, free;
                    EXIT WHEN NOT taken;
                    tries := tries + 1;
                END LOOP;
                EXECUTE format('UPDATE %I SET reference = $1 WHERE agency_id = $2 AND %I = $3',
                    kept.its_table, kept.its_id) USING free, plan.agency_id, found.id;
                said := said || jsonb_build_object('what', 'reference', 'table', kept.its_table, 'id', found.id,
                    'before', found.reference, 'after', free);
            END LOOP;
        END LOOP;
        FOR found IN
            UPDATE document_grant g SET revoked_at = now(), revoked_reason = 'The two agencies have become one.'
            FROM link l
            WHERE l.id = g.link_id AND g.revoked_at IS NULL AND g.declined IS NULL
              AND plan.agency_id IN (l.group_agency_id, l.household_agency_id)
              AND CASE WHEN l.group_agency_id = plan.agency_id AND l.sibling_group_id = ANY (moving)
                       THEN plan.receiver_id ELSE l.group_agency_id END
                = CASE WHEN l.household_agency_id = plan.agency_id AND l.household_id = ANY (moving)
                       THEN plan.receiver_id ELSE l.household_agency_id END
            RETURNING g.id, g.kind, l.household_id, l.sibling_group_id, l.household_agency_id, l.group_agency_id
        LOOP
            INSERT INTO audit_entry (id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id,
                                     act, record_kind, record_id, level, reason)
            SELECT gen_random_uuid(), now(), scope_agency(), scope_person(), scope_consortium(),
                CASE found.kind WHEN 'par' THEN found.household_agency_id ELSE found.group_agency_id END, 'revoke',
                CASE found.kind WHEN 'par' THEN 'household' ELSE 'sibling_group' END,
                CASE found.kind WHEN 'par' THEN found.household_id ELSE found.sibling_group_id END, 'report',
                upper(found.kind) || ', the two agencies have become one, grant ' || found.id;
            said := said || jsonb_build_object('what', 'grant', 'table', 'document_grant', 'id', found.id,
                'before', 'stood', 'after', 'revoked');
        END LOOP;
        IF NOT plan.whole THEN
            RETURN said;
        END IF;
        FOR found IN
            UPDATE retention_hold h SET moved_at = now()
            WHERE h.agency_id = plan.agency_id AND h.record_class IS NOT NULL AND h.lifted_at IS NULL
              AND h.moved_at IS NULL AND EXISTS (SELECT FROM retention_hold o WHERE o.agency_id = plan.receiver_id
                AND o.record_class = h.record_class AND o.lifted_at IS NULL)
            RETURNING h.id, h.record_class
        LOOP
            said := said || jsonb_build_object('what', 'hold', 'table', 'retention_hold', 'id', found.id,
                'before', found.record_class, 'after', found.record_class);
        END LOOP;
        FOR found IN
            UPDATE identity_provider p SET
                state = CASE WHEN p.state = 'on' AND EXISTS (SELECT FROM identity_provider o
                    WHERE o.agency_id = plan.receiver_id AND o.issuer = p.issuer AND o.state = 'on')
                    THEN 'off' ELSE p.state END,
                closes_default = p.closes_default AND EXISTS (SELECT FROM identity_provider o
                    WHERE o.agency_id = plan.receiver_id AND o.state = 'on' AND o.closes_default),
                second_step = p.second_step OR EXISTS (SELECT FROM identity_provider o
                    WHERE o.agency_id = plan.receiver_id AND o.state = 'on' AND o.second_step)
            FROM identity_provider b
            WHERE b.id = p.id AND p.agency_id = plan.agency_id
            RETURNING p.id, p.state, (b.state, b.closes_default, b.second_step)
                IS DISTINCT FROM (p.state, p.closes_default, p.second_step) AS changed, b.state AS was
        LOOP
            IF found.changed THEN
                said := said || jsonb_build_object('what', 'sign_in', 'table', 'identity_provider', 'id', found.id,
                    'before', found.was, 'after', found.state);
            END IF;
        END LOOP;
        RETURN said;
    END
    $$
"""

# An agency that has given everything away is over: its people are the receiver's, what let anyone in for it ends.
END = """
    CREATE FUNCTION end_handed_over(plan hand_over) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE
        today date := (now() AT TIME ZONE 'UTC')::date;
        named record;
    BEGIN
        UPDATE agency_delegation d SET ended_at = now()
        WHERE plan.agency_id IN (d.agency_id, d.acts_for_id) AND d.ended_at IS NULL;
        INSERT INTO appointment (id, person_id, agency_id, role, starts_on, ends_on, vouched_by)
        SELECT gen_random_uuid(), t.person_id, plan.receiver_id, t.role, greatest(today, min(t.starts_on)),
            CASE WHEN bool_or(t.ends_on IS NULL) THEN NULL ELSE max(t.ends_on) END, min(t.vouched_by)
        FROM appointment t
        WHERE t.agency_id = plan.agency_id AND t.delegation_id IS NULL AND (t.ends_on IS NULL OR t.ends_on > today)
          AND NOT EXISTS (SELECT FROM appointment o
              WHERE o.agency_id = plan.receiver_id AND o.person_id = t.person_id AND o.role = t.role
                AND o.delegation_id IS NULL AND (o.ends_on IS NULL OR o.ends_on > today))
        GROUP BY t.person_id, t.role;
        UPDATE appointment t SET ends_on = greatest(today, t.starts_on)
        WHERE (t.agency_id = plan.agency_id OR t.delegation_id IN (
                SELECT d.id FROM agency_delegation d WHERE plan.agency_id IN (d.agency_id, d.acts_for_id)))
          AND (t.ends_on IS NULL OR t.ends_on > today);
        UPDATE sign_in_session s SET ended_at = now() WHERE s.agency_id = plan.agency_id AND s.ended_at IS NULL;
        UPDATE invitation i SET withdrawn_at = now()
        WHERE i.agency_id = plan.agency_id AND i.taken_at IS NULL AND i.withdrawn_at IS NULL;
        UPDATE api_token t SET ended_at = now() WHERE t.agency_id = plan.agency_id AND t.ended_at IS NULL;
        UPDATE api_client_secret s SET ends_at = now()
        WHERE s.agency_id = plan.agency_id AND (s.ends_at IS NULL OR s.ends_at > now());
        UPDATE api_client c SET ended_at = now() WHERE c.agency_id = plan.agency_id AND c.ended_at IS NULL;
        -- Whoever runs one finds that it is no longer theirs, and nothing of it is kept.
        UPDATE job j SET state = 'cancelled', finished_at = now(), worker = NULL, lease_until = NULL,
            reason = 'The agency has handed everything over.'
        WHERE j.agency_id = plan.agency_id AND j.state IN ('waiting', 'running');
        FOR named IN
            UPDATE email_domain d SET confirmed_at = NULL, confirmed_by = NULL FROM email_domain b
            WHERE b.id = d.id AND d.agency_id = plan.agency_id
            RETURNING d.domain, b.added_at, b.added_by, b.confirmed_at, b.confirmed_by
        LOOP
            IF named.confirmed_at IS NOT NULL THEN
                UPDATE email_domain d SET confirmed_at = named.confirmed_at,
                    confirmed_by = nullif(named.confirmed_by, d.added_by)
                WHERE d.agency_id = plan.receiver_id AND d.domain = named.domain;
            END IF;
            INSERT INTO email_domain (id, agency_id, domain, added_at, added_by, confirmed_at, confirmed_by)
            SELECT gen_random_uuid(), plan.receiver_id, named.domain, named.added_at, named.added_by,
                named.confirmed_at, named.confirmed_by
            WHERE NOT EXISTS (SELECT FROM email_domain d
                WHERE d.agency_id = plan.receiver_id AND d.domain = named.domain);
        END LOOP;
        UPDATE consortium_member m SET left_on = greatest(today, m.joined_on + 1)
        WHERE m.agency_id = plan.agency_id AND (m.left_on IS NULL OR m.left_on > today);
        UPDATE agency a SET closed_on = greatest(today, a.opened_on), successor_id = plan.receiver_id
        WHERE a.id = plan.agency_id;
    END
    $$
"""

HELPERS = (MOVING, HINDRANCES, SETTLE, END)
SIGNATURES = (
    "moving_in(hand_over)",
    "hindrances_to(hand_over, uuid[])",
    "settle_hand_over(hand_over, uuid[])",
    "end_handed_over(hand_over)",
)
