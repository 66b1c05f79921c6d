"""What revision 0038 holds tariffs and agreements to, whatever asks for it: days, signatures and terms."""

from __future__ import annotations

TERMS = (
    "children, tariff_id, rate_words, amount_pence, waived, waiver_words, swap_group_id, leg_falls, plan, "
    "continuing_pence, continuing_after_months, disruption"
)
FIXED = "SET search_path = pg_catalog, public, pg_temp"
# Two people may add one at the same time: the second waits for the first, and sees it.
OVERLAP = f"""
    CREATE FUNCTION refuse_tariff_overlap() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('concord.tariff.' || NEW.consortium_id, 0));
        IF EXISTS (SELECT FROM tariff t WHERE t.id <> NEW.id AND t.consortium_id = NEW.consortium_id
                AND t.payee_kind = NEW.payee_kind AND t.nation IS NOT DISTINCT FROM NEW.nation
                AND t.london = NEW.london
                AND daterange(t.begins_on, t.ends_on, '[]') && daterange(NEW.begins_on, NEW.ends_on, '[]')) THEN
            RAISE EXCEPTION 'another tariff is in force on these days' USING ERRCODE = 'exclusion_violation';
        END IF;
        RETURN NEW;
    END
    $$
"""
# A side signs for itself, in its own name; a signature is taken back only while the other side has not signed.
SIGNING = f"""
    CREATE FUNCTION hold_fee_signatures() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF (NEW.payer_signed_by, NEW.payer_signed_name, NEW.payer_signed_at)
                IS DISTINCT FROM (OLD.payer_signed_by, OLD.payer_signed_name, OLD.payer_signed_at) AND NOT (
                CASE WHEN NEW.payer_signed_by IS NULL THEN OLD.payee_signed_by IS NULL
                ELSE OLD.payer_signed_by IS NULL AND NEW.payer_signed_by IS NOT DISTINCT FROM scope_person()
                    AND scope_agency() IS NOT DISTINCT FROM OLD.payer_agency_id END) THEN
            RAISE EXCEPTION 'each side signs for itself' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF (NEW.payee_signed_by, NEW.payee_signed_name, NEW.payee_signed_at)
                IS DISTINCT FROM (OLD.payee_signed_by, OLD.payee_signed_name, OLD.payee_signed_at) AND NOT (
                CASE WHEN NEW.payee_signed_by IS NULL THEN OLD.payer_signed_by IS NULL
                ELSE OLD.payee_signed_by IS NULL AND NEW.payee_signed_by IS NOT DISTINCT FROM scope_person()
                    AND scope_agency() IS NOT DISTINCT FROM OLD.payee_agency_id END) THEN
            RAISE EXCEPTION 'each side signs for itself' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""
_KEPT_OF = "{0}.children, {0}.amount_pence, {0}.plan, {0}.continuing_pence, {0}.waived"
_TERMS_OF = ", ".join("{0}." + each for each in TERMS.split(", "))
HOLDING = f"""
    CREATE FUNCTION hold_fee_terms() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    DECLARE
        is_signed boolean := OLD.payer_signed_by IS NOT NULL AND OLD.payee_signed_by IS NOT NULL;
        changed boolean := ({_TERMS_OF.format("OLD")}) IS DISTINCT FROM ({_TERMS_OF.format("NEW")});
        agreed jsonb;
    BEGIN
        IF OLD.state IN ('ended', 'withdrawn') AND NEW IS DISTINCT FROM OLD THEN
            RAISE EXCEPTION 'an agreement that is over does not change' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF (OLD.placed_on IS NOT NULL AND NEW.placed_on IS DISTINCT FROM OLD.placed_on)
                OR (OLD.frozen_at IS NOT NULL AND NEW.frozen_at IS DISTINCT FROM OLD.frozen_at)
                OR (NEW.placed_on IS DISTINCT FROM OLD.placed_on
                    AND scope_agency() IS DISTINCT FROM OLD.authority_agency_id) THEN
            RAISE EXCEPTION 'the children’s agency says once when the fee begins'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NEW.addenda <> OLD.addenda THEN
            SELECT a.changes -> 'after' INTO agreed FROM fee_addendum a
            WHERE a.agreement_id = OLD.id AND a.position = NEW.addenda AND NEW.addenda > OLD.addenda
              AND a.withdrawn_at IS NULL
              AND (a.kind = 'rate' OR (a.payer_signed_by IS NOT NULL AND a.payee_signed_by IS NOT NULL));
        END IF;
        IF changed AND (is_signed OR OLD.frozen_at IS NOT NULL)
                AND NOT (OLD.frozen_at IS NULL AND NEW.placed_on IS NOT NULL
                    AND scope_agency() IS NOT DISTINCT FROM OLD.authority_agency_id)
                AND NOT (agreed IS NOT NULL
                    AND (agreed ->> 'amount_pence')::bigint IS NOT DISTINCT FROM NEW.amount_pence
                    AND agreed -> 'plan' IS NOT DISTINCT FROM NEW.plan
                    AND (agreed ->> 'children')::integer IS NOT DISTINCT FROM NEW.children
                    AND (agreed ->> 'continuing_pence')::bigint IS NOT DISTINCT FROM NEW.continuing_pence
                    AND NEW.waived = OLD.waived AND NEW.disruption = OLD.disruption) THEN
            RAISE EXCEPTION 'what both signed changes by an addendum' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NOT is_signed AND num_nonnulls(NEW.payer_signed_by, NEW.payee_signed_by) > 0
                AND ({_KEPT_OF.format("OLD")}) IS DISTINCT FROM ({_KEPT_OF.format("NEW")}) THEN
            RAISE EXCEPTION 'a signature is of the terms as they were' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NEW.addenda <> OLD.addenda AND agreed IS NULL THEN
            RAISE EXCEPTION 'there is no such addendum' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""
# Whose swaps may have fallen or stayed without a balance since, and of whose agreements nothing more may fall due.
TENDING = f"""
    CREATE FUNCTION fee_tending_due(on_day date) RETURNS TABLE (consortium_id uuid, agency_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER {FIXED} AS $$
        SELECT DISTINCT f.consortium_id, f.authority_agency_id FROM fee_agreement f
        WHERE scope_is_nobody() AND (f.state = 'in_force' OR (f.waived AND f.state = 'ended'))
          AND NOT EXISTS (SELECT FROM job j WHERE j.agency_id = f.authority_agency_id AND j.kind = 'fee_tending'
              AND j.key = f.consortium_id || ':' || on_day)
        ORDER BY 1, 2
    $$
"""
