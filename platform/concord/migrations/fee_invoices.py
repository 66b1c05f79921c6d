"""What the database itself does about invoices: when bank details hold, that numbers go up and lines add up."""

from __future__ import annotations

FIXED = "SET search_path = pg_catalog, public, pg_temp"
DEFINER = f"SECURITY DEFINER {FIXED}"

# At once where there are no details yet; else after the days that the account says, counted from the approval,
# and from no earlier moment than this one.
SET_EFFECT = f"""
    CREATE FUNCTION set_bank_effect() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF OLD.approved_at IS NOT NULL THEN
            IF (NEW.approved_by, NEW.approved_at) IS DISTINCT FROM (OLD.approved_by, OLD.approved_at) THEN
                RAISE EXCEPTION 'bank details are approved once' USING ERRCODE = 'check_violation';
            END IF;
        ELSIF NEW.approved_at IS NOT NULL THEN
            SELECT CASE WHEN EXISTS (
                SELECT FROM payee_account_change c
                WHERE c.agency_id = NEW.agency_id AND c.takes_effect_at IS NOT NULL AND c.withdrawn_at IS NULL
            ) THEN greatest(NEW.approved_at, now()) + make_interval(days => coalesce((
                SELECT a.bank_delay_days FROM payee_account a WHERE a.agency_id = NEW.agency_id), 7))
            ELSE NEW.approved_at END INTO NEW.takes_effect_at;
        END IF;
        RETURN NEW;
    END
    $$
"""
# A series goes forward one by one once it has begun; it may be set anew only with another prefix.
NEVER_BACK = f"""
    CREATE FUNCTION keep_invoice_number() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF NEW.number_prefix = OLD.number_prefix AND NEW.next_number <> OLD.next_number
            AND (NEW.next_number < OLD.next_number OR NEW.next_number > OLD.next_number + 1)
            AND EXISTS (SELECT FROM invoice i WHERE i.payee_agency_id = OLD.agency_id) THEN
            RAISE EXCEPTION 'an invoice series has no gap and no number twice' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END
    $$
"""
# Lines are an invoice's whole net sum, so that none can be added to it later.
ADD_UP = f"""
    CREATE FUNCTION check_invoice_sum() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    DECLARE
        wanted uuid := CASE TG_TABLE_NAME WHEN 'invoice' THEN NEW.id ELSE (to_jsonb(NEW) ->> 'invoice_id')::uuid END;
    BEGIN
        IF (SELECT i.net_pence FROM invoice i WHERE i.id = wanted)
            IS DISTINCT FROM (SELECT sum(l.pence) FROM invoice_line l WHERE l.invoice_id = wanted) THEN
            RAISE EXCEPTION 'the lines of an invoice add up to its net sum' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END
    $$
"""
# In whose scope reminders are still to be looked at, on the day that a job's key says.
TO_REMIND = f"""
    CREATE FUNCTION agencies_with_invoices(asked text) RETURNS SETOF uuid LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT DISTINCT i.payee_agency_id FROM invoice i
        WHERE i.kind = 'invoice' AND scope_is_nobody()
          AND NOT EXISTS (SELECT FROM job j WHERE j.agency_id = i.payee_agency_id AND j.kind = 'invoice_reminders'
            AND j.key = asked)
        ORDER BY 1
    $$
"""
