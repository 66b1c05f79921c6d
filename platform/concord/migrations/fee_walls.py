"""What revision 0048 holds those who write about fees to: the agencies of what they name, and their own names."""

from __future__ import annotations

FIXED = "SET search_path = pg_catalog, public, pg_temp"
# What is handed over is closed in the giver's book, whose the agreement is not any more, but which has it already.
# Postings of the same statement do not vouch for one another.
PARTIES = f"""
    CREATE FUNCTION hold_postings_to_parties() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM made m WHERE m.agreement_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM fee_agreement f WHERE f.id = m.agreement_id
                AND (m.agency_id, m.other_agency_id) IN ((f.payer_agency_id, f.payee_agency_id),
                    (f.payee_agency_id, f.payer_agency_id)))
            AND NOT EXISTS (SELECT FROM posting p WHERE p.agreement_id = m.agreement_id
                AND p.agency_id = scope_agency() AND p.agency_id IN (m.agency_id, m.other_agency_id)
                AND p.other_agency_id IN (m.agency_id, m.other_agency_id)
                AND p.id NOT IN (SELECT n.id FROM made n))
        ) THEN
            RAISE EXCEPTION 'a posting names an agreement of its two agencies' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END
    $$
"""
# The same two, or whoever the parties of the agreement are by now. Row-level security says what the scope may name.
REVERSAL = f"""
    CREATE FUNCTION hold_reversal_to_parties() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM ledger_transaction t WHERE t.id = NEW.reverses_id
                AND ((t.payer_agency_id, t.payee_agency_id) = (NEW.payer_agency_id, NEW.payee_agency_id)
                    OR t.agreement_id = NEW.agreement_id)) THEN
            RAISE EXCEPTION 'a reversal is of a transaction of its two agencies' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END
    $$
"""
BANK_NAMES = f"""
    CREATE FUNCTION hold_bank_names() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF (NEW.approved_by IS DISTINCT FROM OLD.approved_by AND NEW.approved_by IS DISTINCT FROM scope_person())
                OR (NEW.withdrawn_by IS DISTINCT FROM OLD.withdrawn_by
                    AND NEW.withdrawn_by IS DISTINCT FROM scope_person()) THEN
            RAISE EXCEPTION 'bank details are approved and taken back in one’s own name'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""
# A limit goes down by one person's word and up by two: what was asked for, by another than who asked.
LIMIT = f"""
    CREATE FUNCTION hold_signing_limit() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF OLD.pence IS NOT NULL AND (NEW.pence IS NULL OR NEW.pence > OLD.pence) AND NOT (
                OLD.asked_by IS NOT NULL AND OLD.asked_by IS DISTINCT FROM scope_person() AND NEW.asked_by IS NULL
                AND NEW.pence IS NOT DISTINCT FROM OLD.asked_pence AND scope_person() IS NOT NULL) THEN
            RAISE EXCEPTION 'a limit is raised by two people' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NEW.asked_by IS NOT NULL AND ((NEW.asked_by, NEW.asked_pence, NEW.asked_name, NEW.asked_at)
                IS DISTINCT FROM (OLD.asked_by, OLD.asked_pence, OLD.asked_name, OLD.asked_at))
                AND NEW.asked_by IS DISTINCT FROM scope_person() THEN
            RAISE EXCEPTION 'a limit is asked for in one’s own name' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF (NEW.pence, NEW.set_by, NEW.set_name) IS DISTINCT FROM (OLD.pence, OLD.set_by, OLD.set_name)
                AND NEW.set_by IS DISTINCT FROM scope_person() THEN
            RAISE EXCEPTION 'a limit is set in one’s own name' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""
