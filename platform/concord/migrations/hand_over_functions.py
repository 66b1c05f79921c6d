"""The functions of handing over as migration 0027 makes them, apart for their length and as unchanging as it is.

They belong to a role of their own, which sees of the records no more than ids, agencies and references. What is moved
table by table is in the functions that each upgrade makes from the register (``custody.py``).
"""

from __future__ import annotations

_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"

AGREE = f"""
    CREATE FUNCTION agree_to_hand_over(its_id uuid) RETURNS void LANGUAGE plpgsql {_DEFINER} AS $$
    BEGIN
        UPDATE hand_over h SET
            given_by = CASE WHEN h.agency_id = scope_agency() THEN scope_person() ELSE h.given_by END,
            given_at = CASE WHEN h.agency_id = scope_agency() THEN now() ELSE h.given_at END,
            taken_by = CASE WHEN h.receiver_id = scope_agency() THEN scope_person() ELSE h.taken_by END,
            taken_at = CASE WHEN h.receiver_id = scope_agency() THEN now() ELSE h.taken_at END
        WHERE h.id = its_id AND h.withdrawn_at IS NULL AND h.done_at IS NULL AND scope_person() IS NOT NULL
          AND h.takes_effect_on >= (now() AT TIME ZONE 'UTC')::date
          AND ((h.agency_id = scope_agency() AND h.given_at IS NULL)
               OR (h.receiver_id = scope_agency() AND h.taken_at IS NULL));
        IF NOT FOUND THEN
            RAISE EXCEPTION 'nothing to agree to' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END
    $$
"""

WITHDRAW = f"""
    CREATE FUNCTION withdraw_hand_over(its_id uuid) RETURNS void LANGUAGE plpgsql {_DEFINER} AS $$
    BEGIN
        UPDATE hand_over h SET withdrawn_by = scope_person(), withdrawn_at = now()
        WHERE h.id = its_id AND h.withdrawn_at IS NULL AND h.done_at IS NULL
          AND (scope_agency() IN (h.agency_id, h.receiver_id) OR scope_is_operator());
        IF NOT FOUND THEN
            RAISE EXCEPTION 'nothing to withdraw' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END
    $$
"""

DUE = f"""
    CREATE FUNCTION hand_overs_due(on_day date) RETURNS TABLE (hand_over_id uuid, receiver_id uuid)
    LANGUAGE sql STABLE {_DEFINER} AS $$
        SELECT h.id, h.receiver_id FROM hand_over h
        WHERE scope_is_nobody() AND h.given_at IS NOT NULL AND h.taken_at IS NOT NULL AND h.withdrawn_at IS NULL
          AND h.done_at IS NULL AND h.takes_effect_on <= on_day
          AND NOT EXISTS (SELECT FROM job j WHERE j.agency_id = h.receiver_id AND j.kind = 'hand_over'
                          AND j.key = h.id::text)
        ORDER BY h.takes_effect_on, h.id
    $$
"""

PREVIEW = f"""
    CREATE FUNCTION preview_hand_over(its_id uuid) RETURNS jsonb LANGUAGE plpgsql {_DEFINER} AS $$
    DECLARE
        plan hand_over;
        moving uuid[];
        found jsonb;
        settled jsonb := '[]';
        counts jsonb := '{{}}';
    BEGIN
        SELECT h.* INTO plan FROM hand_over h
        WHERE h.id = its_id AND h.done_at IS NULL AND h.withdrawn_at IS NULL
          -- What was agreed to for a day that is past is agreed to no more.
          AND (h.takes_effect_on >= (now() AT TIME ZONE 'UTC')::date OR scope_is_operator()
               OR (h.given_at IS NOT NULL AND h.taken_at IS NOT NULL))
          AND (scope_agency() = h.agency_id OR scope_is_operator()
               OR (scope_agency() = h.receiver_id AND h.given_at IS NOT NULL));
        IF plan.id IS NULL THEN
            RAISE EXCEPTION 'nothing to try' USING ERRCODE = 'insufficient_privilege';
        END IF;
        moving := moving_in(plan);
        SELECT coalesce(jsonb_agg(to_jsonb(o)), '[]') INTO found FROM hindrances_to(plan, moving) o;
        IF found = '[]' THEN
            PERFORM set_config('lock_timeout', '1s', true);
            -- Done, and undone: what comes out of it is what would.
            BEGIN
                settled := settle_hand_over(plan, moving);
                counts := move_custody(plan.whole, plan.agency_id, plan.receiver_id, moving);
                SET CONSTRAINTS ALL IMMEDIATE;
                RAISE EXCEPTION 'as it was' USING ERRCODE = 'P0CON';
            EXCEPTION
                WHEN SQLSTATE 'P0CON' THEN
                    NULL;
                WHEN foreign_key_violation OR unique_violation OR check_violation THEN
                    found := '[{{"what": "bound"}}]';
                WHEN lock_not_available OR deadlock_detected THEN
                    found := '[{{"what": "busy"}}]';
            END;
        END IF;
        -- What gives way tells of what both have: a reference would be looked for with it, had not both agreed.
        RETURN jsonb_build_object('hindrances', found, 'counts', counts, 'settled', (
            SELECT coalesce(jsonb_object_agg(s.what, s.times), '{{}}') FROM (
                SELECT e ->> 'what' AS what, count(*) AS times FROM jsonb_array_elements(settled) e
                WHERE (plan.given_at IS NOT NULL AND plan.taken_at IS NOT NULL) OR scope_is_operator()
                GROUP BY 1) s));
    END
    $$
"""

# The three steps of doing it stand in one transaction, which the first of them marks: nothing else may take the others.
BEGIN = f"""
    CREATE FUNCTION begin_hand_over(its_id uuid) RETURNS jsonb LANGUAGE plpgsql {_DEFINER} AS $$
    DECLARE
        plan hand_over;
        moving uuid[];
        given_way jsonb;
    BEGIN
        SELECT h.* INTO plan FROM hand_over h
        WHERE h.id = its_id AND h.receiver_id = scope_agency() AND scope_person() IS NULL
          AND h.given_at IS NOT NULL AND h.taken_at IS NOT NULL AND h.withdrawn_at IS NULL AND h.done_at IS NULL
          AND h.takes_effect_on <= (now() AT TIME ZONE 'UTC')::date
        FOR UPDATE;
        IF plan.id IS NULL THEN
            RAISE EXCEPTION 'nothing that both sides have agreed to, and is due' USING ERRCODE =
                'insufficient_privilege';
        END IF;
        PERFORM lock_custody();
        moving := moving_in(plan);
        IF EXISTS (SELECT FROM hindrances_to(plan, moving)) THEN
            RETURN jsonb_build_object('hindrances',
                (SELECT jsonb_agg(to_jsonb(o)) FROM hindrances_to(plan, moving) o));
        END IF;
        given_way := settle_hand_over(plan, moving);
        UPDATE hand_over h SET done_in = pg_current_xact_id(), moved_ids = moving, settled = given_way
        WHERE h.id = its_id;
        RETURN jsonb_build_object('settled', given_way);
    END
    $$
"""

MOVE = f"""
    CREATE FUNCTION move_hand_over(its_id uuid) RETURNS jsonb LANGUAGE plpgsql {_DEFINER} AS $$
    DECLARE
        plan hand_over;
        counts jsonb;
    BEGIN
        SELECT h.* INTO plan FROM hand_over h
        WHERE h.id = its_id AND h.receiver_id = scope_agency() AND h.done_in = pg_current_xact_id()
          AND h.done_at IS NULL;
        IF plan.id IS NULL THEN
            RAISE EXCEPTION 'nothing that was begun' USING ERRCODE = 'insufficient_privilege';
        END IF;
        counts := move_custody(plan.whole, plan.agency_id, plan.receiver_id, plan.moved_ids);
        SET CONSTRAINTS ALL IMMEDIATE;
        IF plan.whole THEN
            PERFORM end_handed_over(plan);
        END IF;
        UPDATE hand_over h SET done_at = now() WHERE h.id = its_id;
        RETURN counts;
    END
    $$
"""

# Of rows that few of an agency's own people read, what stands for them as they lie: nothing of what is in them.
CLOSED = f"""
    CREATE FUNCTION closed_in_hand_over(its_id uuid, side text)
    RETURNS TABLE (its_table text, its_row text, digest bytea) LANGUAGE plpgsql {_DEFINER} AS $$
    DECLARE
        plan hand_over;
    BEGIN
        SELECT h.* INTO plan FROM hand_over h
        WHERE h.id = its_id AND h.receiver_id = scope_agency() AND h.done_in = pg_current_xact_id();
        IF plan.id IS NULL THEN
            RAISE EXCEPTION 'nothing that was begun' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN QUERY SELECT c.* FROM closed_custody(
            CASE side WHEN 'giver' THEN plan.agency_id ELSE plan.receiver_id END) c;
    END
    $$
"""

RESEAL = f"""
    CREATE FUNCTION reseal_hand_over(its_id uuid, what text, ids uuid[], anew bytea[]) RETURNS integer
    LANGUAGE plpgsql {_DEFINER} AS $$
    BEGIN
        PERFORM FROM hand_over h
        WHERE h.id = its_id AND h.receiver_id = scope_agency() AND h.done_in = pg_current_xact_id();
        IF NOT FOUND THEN
            RAISE EXCEPTION 'nothing that was begun' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN reseal_custody(what, scope_agency(), ids, anew);
    END
    $$
"""

RECONCILE = f"""
    CREATE FUNCTION reconcile_hand_over(its_id uuid, its_counts jsonb, its_lines bytea) RETURNS void
    LANGUAGE plpgsql {_DEFINER} AS $$
    BEGIN
        UPDATE hand_over h SET counts = its_counts, lines = its_lines
        WHERE h.id = its_id AND h.receiver_id = scope_agency() AND h.done_in = pg_current_xact_id()
          AND h.lines IS NULL;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'nothing that was begun' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END
    $$
"""

# For whom somebody signs: for the agency that they act for; and where one of the two is over, for the one whose people
# they were on the day before. Whoever was of both signs for neither.
SIDE = f"""
    CREATE FUNCTION side_in_hand_over(its_id uuid) RETURNS text LANGUAGE sql STABLE {_DEFINER} AS $$
        WITH was AS (
            SELECT h.id, h.agency_id, h.receiver_id, h.whole,
                EXISTS (SELECT FROM appointment t WHERE t.person_id = scope_person() AND t.agency_id = h.agency_id
                    AND t.starts_on < d.day AND (t.ends_on IS NULL OR t.ends_on >= d.day)) AS giver,
                EXISTS (SELECT FROM appointment t WHERE t.person_id = scope_person() AND t.agency_id = h.receiver_id
                    AND t.starts_on < d.day AND (t.ends_on IS NULL OR t.ends_on >= d.day)) AS receiver
            FROM hand_over h CROSS JOIN LATERAL (SELECT (h.done_at AT TIME ZONE 'UTC')::date AS day) d
            WHERE h.id = its_id AND h.done_at IS NOT NULL AND h.lines IS NOT NULL
              -- Whoever changed sides since has signed for one already.
              AND (scope_person() IN (h.giver_signed_by, h.receiver_signed_by)) IS NOT TRUE
        )
        SELECT CASE
            WHEN w.giver AND w.receiver THEN NULL
            WHEN w.whole AND scope_agency() = w.receiver_id AND w.giver THEN 'giver'
            WHEN NOT w.whole AND scope_agency() = w.agency_id THEN 'giver'
            WHEN scope_agency() = w.receiver_id AND NOT w.giver THEN 'receiver' END
        FROM was w
    $$
"""

SIGN = f"""
    CREATE FUNCTION sign_hand_over(its_id uuid, its_name text) RETURNS void LANGUAGE plpgsql {_DEFINER} AS $$
    DECLARE
        side text := side_in_hand_over(its_id);
    BEGIN
        UPDATE hand_over h SET
            giver_signed_by = CASE side WHEN 'giver' THEN scope_person() ELSE h.giver_signed_by END,
            giver_signed_name = CASE side WHEN 'giver' THEN its_name ELSE h.giver_signed_name END,
            giver_signed_at = CASE side WHEN 'giver' THEN now() ELSE h.giver_signed_at END,
            receiver_signed_by = CASE side WHEN 'receiver' THEN scope_person() ELSE h.receiver_signed_by END,
            receiver_signed_name = CASE side WHEN 'receiver' THEN its_name ELSE h.receiver_signed_name END,
            receiver_signed_at = CASE side WHEN 'receiver' THEN now() ELSE h.receiver_signed_at END
        WHERE h.id = its_id AND scope_person() IS NOT NULL
          AND ((side = 'giver' AND h.giver_signed_at IS NULL) OR (side = 'receiver' AND h.receiver_signed_at IS NULL));
        IF NOT FOUND THEN
            RAISE EXCEPTION 'nothing to sign' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END
    $$
"""

PREDECESSORS = f"""
    CREATE FUNCTION scope_predecessors() RETURNS uuid[] LANGUAGE sql STABLE {_DEFINER} AS $$
        WITH RECURSIVE before AS (
            SELECT h.agency_id AS id FROM hand_over h
            WHERE h.receiver_id = scope_agency() AND h.whole AND h.done_at IS NOT NULL
            UNION SELECT h.agency_id FROM hand_over h JOIN before b ON b.id = h.receiver_id
            WHERE h.whole AND h.done_at IS NOT NULL
        )
        SELECT coalesce(array_agg(b.id), '{{}}') FROM before b
    $$
"""

# Records that came without their agency: those that the scope's agency still has.
TAKEN_OVER = f"""
    CREATE FUNCTION scope_taken_over() RETURNS uuid[] LANGUAGE sql STABLE {_DEFINER} AS $$
        WITH came AS (
            SELECT unnest(h.moved_ids) AS id FROM hand_over h
            WHERE h.done_at IS NOT NULL AND NOT h.whole
              AND h.receiver_id = ANY (scope_agency() || scope_predecessors())
        )
        SELECT coalesce(array_agg(DISTINCT c.id), '{{}}') FROM came c
        WHERE EXISTS (SELECT FROM household o WHERE o.id = c.id AND o.agency_id = scope_agency())
           OR EXISTS (SELECT FROM sibling_group o WHERE o.id = c.id AND o.agency_id = scope_agency())
           OR EXISTS (SELECT FROM child o WHERE o.id = c.id AND o.agency_id = scope_agency())
    $$
"""

FUNCTIONS = (
    *(AGREE, WITHDRAW, DUE, PREVIEW, BEGIN, MOVE, CLOSED, RESEAL, RECONCILE),
    *(SIDE, SIGN, PREDECESSORS, TAKEN_OVER),
)
SIGNATURES = (
    "agree_to_hand_over(uuid)",
    "withdraw_hand_over(uuid)",
    "hand_overs_due(date)",
    "preview_hand_over(uuid)",
    "begin_hand_over(uuid)",
    "move_hand_over(uuid)",
    "closed_in_hand_over(uuid, text)",
    "reseal_hand_over(uuid, text, uuid[], bytea[])",
    "reconcile_hand_over(uuid, jsonb, bytea)",
    "side_in_hand_over(uuid)",
    "sign_hand_over(uuid, text)",
    "scope_predecessors()",
    "scope_taken_over()",
)
