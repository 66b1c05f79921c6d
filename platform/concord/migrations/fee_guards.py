"""What revision 0053 holds writers to: what events tell, whose names are kept, and whose an invoice is."""

from __future__ import annotations

FIXED = "SET search_path = pg_catalog, public, pg_temp"
_DAY = "({0} AT TIME ZONE 'UTC')::date"
_SIGNED = (
    "{0}.payer_signed_by IS NOT NULL AND {0}.payee_signed_by IS NOT NULL AND NEW.happened_on IN "
    f"({_DAY.format('{0}.payer_signed_at')}, {_DAY.format('{0}.payee_signed_at')})"
)
# Names and the reason are those that two people gave, as the ledger is to show them.
EVENT = f"""
    CREATE FUNCTION hold_fee_event() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF NEW.kind = 'agreement_signed' AND NOT (NEW.key = NEW.kind AND EXISTS (SELECT FROM fee_agreement f
                WHERE f.id = NEW.agreement_id AND {_SIGNED.format("f")})) THEN
            RAISE EXCEPTION 'an agreement is told to be signed once both have' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.kind = 'addendum' AND NOT EXISTS (SELECT FROM fee_addendum a
                WHERE a.agreement_id = NEW.agreement_id AND NEW.key = 'addendum/' || a.position
                AND a.kind = 'amendment' AND a.withdrawn_at IS NULL AND {_SIGNED.format("a")}
                AND (a.changes #>> '{{after,amount_pence}}')::bigint
                    = (SELECT sum(s.value::bigint) FROM jsonb_each_text(NEW.facts -> 'amounts') s)) THEN
            RAISE EXCEPTION 'an addendum is told as both have signed it' USING ERRCODE = 'check_violation';
        END IF;
        IF (NEW.kind IN ('placed', 'ordered', 'disrupted', 'withdrawn') OR NEW.kind LIKE 'leg\\_%')
                AND NOT (NEW.key = NEW.kind AND EXISTS (SELECT FROM fee_agreement f WHERE f.id = NEW.agreement_id
                AND CASE NEW.kind WHEN 'withdrawn' THEN f.state = 'withdrawn'
                    ELSE f.authority_agency_id = scope_agency() AND CASE NEW.kind
                        WHEN 'placed' THEN f.placed_on = NEW.happened_on
                        WHEN 'ordered' THEN f.ordered_on = NEW.happened_on
                        WHEN 'disrupted' THEN f.disrupted_on = NEW.happened_on ELSE true END END)) THEN
            RAISE EXCEPTION 'what became of a placement is told as the agreement has it'
                USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.kind IN ('waiver', 'override', 'refund') THEN
            SELECT NEW.facts || jsonb_build_object('reason', x.reason, 'asked_name', x.asked_name,
                'decided_name', x.decided_name) INTO NEW.facts
            FROM (SELECT) AS one LEFT JOIN fee_exception x ON x.id = (NEW.facts ->> 'exception_id')::uuid;
        END IF;
        -- Of two of a kind the later told holds, also where the clock of who tells it is behind.
        SELECT greatest(NEW.recorded_at, max(e.recorded_at) + interval '1 microsecond') INTO NEW.recorded_at
        FROM fee_event e WHERE e.agreement_id = NEW.agreement_id;
        RETURN NEW;
    END
    $$
"""
# Functions that write for several agencies take it too, and none of their roles reads people.
NAME = f"""
    CREATE FUNCTION scope_person_name() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER {FIXED} AS $$
        SELECT p.name FROM person p WHERE p.id = scope_person()
    $$
"""
# The arguments are the columns of the id and of the name. That the id is the scope's own person's is for policies to
# say, row by row. Where there is no person there is no name, but for what Concord drafts.
TAKE = f"""
    CREATE FUNCTION take_person_name() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    DECLARE
        pair text := format('SELECT ($1).%I AS id, ($1).%I AS name', TG_ARGV[0], TG_ARGV[1]);
        said record;
        was record;
    BEGIN
        EXECUTE pair INTO said USING NEW;
        IF TG_OP = 'UPDATE' THEN
            EXECUTE pair INTO was USING OLD;
            IF said IS NOT DISTINCT FROM was THEN
                RETURN NEW;
            END IF;
            -- Nor does anybody rename another.
            IF said.id = was.id AND said.id IS DISTINCT FROM scope_person() THEN
                RETURN jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[1], was.name));
            END IF;
        END IF;
        RETURN jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[1], CASE
            WHEN said.id IS NOT NULL THEN scope_person_name() WHEN said.name = 'Concord' THEN said.name END));
    END
    $$
"""
# Settling posts what came of an event in the name of who told it, or asked for it and decided it.
LEDGER_NAMES = f"""
    CREATE FUNCTION take_ledger_names() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    DECLARE
        told record;
    BEGIN
        SELECT e.recorded_by, e.recorded_name, e.facts INTO told FROM fee_event e WHERE e.id = NEW.event_id;
        NEW.made_name := CASE NEW.made_by WHEN scope_person() THEN scope_person_name()
            WHEN told.recorded_by THEN told.recorded_name
            ELSE CASE WHEN NEW.made_by IS NOT NULL THEN told.facts ->> 'asked_name' END END;
        NEW.approved_name := CASE WHEN NEW.approved_by IS NOT NULL THEN told.facts ->> 'decided_name' END;
        RETURN NEW;
    END
    $$
"""
# It is issued after it is posted, so that this is asked on commit. A hand-over closes what a book has of it, and opens
# it under the same key in the successor's, whose it is from then on too.
INVOICE = f"""
    CREATE FUNCTION hold_ledger_to_invoice() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {FIXED} AS $$
    BEGIN
        IF NOT debt_is_between(NEW.invoice_id, NEW.payer_agency_id, NEW.payee_agency_id) AND NOT EXISTS (
            SELECT FROM ledger_transaction t WHERE t.invoice_id = NEW.invoice_id AND t.kind = 'transferred'
            AND t.id <> NEW.id AND CASE
                WHEN (t.payer_agency_id, t.payee_agency_id) = (NEW.payer_agency_id, NEW.payee_agency_id)
                    THEN NEW.kind <> 'transferred' OR t.written_in <> pg_current_xact_id()
                ELSE NEW.kind = 'transferred' AND t.key = NEW.key AND t.written_in = pg_current_xact_id()
                    AND (t.payer_agency_id = NEW.payer_agency_id OR t.payee_agency_id = NEW.payee_agency_id)
                    AND (debt_is_between(t.invoice_id, t.payer_agency_id, t.payee_agency_id)
                        OR EXISTS (SELECT FROM ledger_transaction b WHERE b.invoice_id = t.invoice_id
                            AND b.kind = 'transferred' AND b.written_in <> pg_current_xact_id()
                            AND b.payer_agency_id = t.payer_agency_id AND b.payee_agency_id = t.payee_agency_id)) END
        ) THEN
            RAISE EXCEPTION 'a transaction names an invoice of its two agencies' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END
    $$
"""
# As financial regulations have it: whoever a limit binds has no say in raising it.
OTHERS = f"""
    CREATE FUNCTION hold_limit_to_others() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF EXISTS (SELECT FROM appointment a WHERE a.person_id = scope_person() AND a.agency_id = NEW.agency_id
                AND a.role = NEW.role AND a.starts_on <= (now() AT TIME ZONE 'UTC')::date
                AND (a.ends_on IS NULL OR a.ends_on > (now() AT TIME ZONE 'UTC')::date)) THEN
            RAISE EXCEPTION 'a limit is raised by somebody whom it does not bind'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""
