"""What the database itself does about fees: hold a transaction to balance, place it in a month, close one."""

from __future__ import annotations

MIRRORED = {
    "agreed_income": "agreed_cost",
    "agreed_income_contra": "agreed_cost_contra",
    "to_invoice": "to_be_invoiced",
    "receivable": "payable",
    "fee_income": "fee_cost",
    "cash": "cash",
    "held_ahead": "paid_ahead",
    "vat_out": "vat_in",
    "netting": "netting",
    "written_off": "written_back",
    "transferred": "transferred",
}
"""Each account of the payee's book, and the one that shows the same in the payer's."""
ACCOUNTS = ", ".join(f"'{each}'" for each in dict.fromkeys((*MIRRORED, *MIRRORED.values())))
AS_PAYEE_SAYS = " ".join(f"WHEN '{payers}' THEN '{payees}'" for payees, payers in MIRRORED.items())
PAYEES = ", ".join(f"'{each}'" for each in MIRRORED)
PAYERS = ", ".join(f"'{each}'" for each in MIRRORED.values())
FIXED = "SET search_path = pg_catalog, public, pg_temp"
LOCK = f"""
    CREATE FUNCTION fee_book_lock(agency uuid) RETURNS bigint LANGUAGE sql IMMUTABLE {FIXED} AS $$
        SELECT hashtextextended('concord.fee_book.' || agency, 0)
    $$
"""
# In one order, whoever pays whom. A stale snapshot would not see that a month was closed.
SHARE = f"""
    CREATE FUNCTION share_fee_books() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'postings are made in read committed transactions'
                USING ERRCODE = 'invalid_transaction_state';
        END IF;
        PERFORM pg_advisory_xact_lock_shared(fee_book_lock(least(NEW.payer_agency_id, NEW.payee_agency_id)));
        PERFORM pg_advisory_xact_lock_shared(fee_book_lock(greatest(NEW.payer_agency_id, NEW.payee_agency_id)));
        RETURN NEW;
    END
    $$
"""
# The month of its day, or the book's first open one after it. Neither side may read the other's months, so that the
# function does.
PLACE = f"""
    CREATE FUNCTION place_posting() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {FIXED} AS $$
    BEGIN
        -- Months are closed in order: before the last closed one none is open, though nothing was posted in it.
        SELECT greatest(date_trunc('month', t.dated_on), (SELECT max(p.month) + interval '1 month' FROM fee_period p
            WHERE p.agency_id = NEW.agency_id AND p.reopened_at IS NULL))::date INTO NEW.period_on
        FROM ledger_transaction t WHERE t.id = NEW.transaction_id;
        RETURN NEW;
    END
    $$
"""
# The same, and what is taken back is so no earlier than where it counts: that month may have been opened since.
PLACE_AFTER = f"""
    CREATE OR REPLACE FUNCTION place_posting() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {FIXED} AS $$
    BEGIN
        SELECT greatest(date_trunc('month', t.dated_on),
            (SELECT max(p.month) + interval '1 month' FROM fee_period p
            WHERE p.agency_id = NEW.agency_id AND p.reopened_at IS NULL),
            (SELECT max(p.period_on) FROM posting p
            WHERE p.transaction_id = t.reverses_id AND p.agency_id = NEW.agency_id))::date INTO NEW.period_on
        FROM ledger_transaction t WHERE t.id = NEW.transaction_id;
        RETURN NEW;
    END
    $$
"""
BALANCE = f"""
    CREATE FUNCTION ledger_must_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {FIXED} AS $$
    DECLARE
        wanted uuid := to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'posting' THEN 'transaction_id' ELSE 'id' END;
        head record;
    BEGIN
        SELECT t.payer_agency_id AS payer, t.payee_agency_id AS payee, t.written_in INTO head
        FROM ledger_transaction t WHERE t.id = wanted;
        IF head.written_in <> pg_current_xact_id() THEN
            RAISE EXCEPTION 'a transaction takes no posting after it was made' USING ERRCODE = 'check_violation';
        END IF;
        IF NOT EXISTS (SELECT FROM posting p WHERE p.transaction_id = wanted) THEN
            RAISE EXCEPTION 'a transaction has postings' USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (SELECT FROM posting p WHERE p.transaction_id = wanted AND NOT (
                (p.agency_id = head.payee AND p.other_agency_id = head.payer AND p.account IN ({PAYEES}))
                OR (p.agency_id = head.payer AND p.other_agency_id = head.payee AND p.account IN ({PAYERS})))) THEN
            RAISE EXCEPTION 'a posting is in the book of one of the two, in its own accounts'
                USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (SELECT FROM posting p WHERE p.transaction_id = wanted
                GROUP BY p.agency_id HAVING sum(p.pence) <> 0) THEN
            RAISE EXCEPTION 'a transaction sums to nothing in each book' USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (SELECT FROM posting p WHERE p.transaction_id = wanted
                GROUP BY p.agreement_id, p.due_key, CASE p.account {AS_PAYEE_SAYS} ELSE p.account END
                HAVING sum(p.pence) <> 0) THEN
            RAISE EXCEPTION 'what the payee is owed is what the payer owes' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END
    $$
"""
# Waits until nobody is posting into the book; whoever comes after waits until this is done, and finds it closed.
CLOSE = f"""
    CREATE FUNCTION close_fee_book() RETURNS trigger LANGUAGE plpgsql {FIXED} AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(fee_book_lock(NEW.agency_id));
        IF TG_OP = 'UPDATE' THEN
            IF NEW.reopened_at IS NOT NULL AND (OLD.reopen_asked_at, OLD.reopen_asked_by, OLD.reopen_reason)
                    IS DISTINCT FROM (NEW.reopen_asked_at, NEW.reopen_asked_by, NEW.reopen_reason) THEN
                RAISE EXCEPTION 'a month is reopened as it was asked for' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END IF;
        SELECT coalesce(jsonb_object_agg(a.account, jsonb_build_object('brought', a.brought, 'debits', a.debits,
            'credits', a.credits, 'carried', a.brought + a.debits + a.credits, 'postings', a.postings)), '{{}}')
        INTO NEW.totals
        FROM (
            SELECT p.account, coalesce(sum(p.pence) FILTER (WHERE p.period_on < NEW.month), 0) AS brought,
                coalesce(sum(p.pence) FILTER (WHERE p.period_on = NEW.month AND p.pence > 0), 0) AS debits,
                coalesce(sum(p.pence) FILTER (WHERE p.period_on = NEW.month AND p.pence < 0), 0) AS credits,
                count(*) FILTER (WHERE p.period_on = NEW.month) AS postings
            FROM posting p WHERE p.agency_id = NEW.agency_id AND p.period_on <= NEW.month
            GROUP BY p.account
        ) AS a;
        RETURN NEW;
    END
    $$
"""
# Whose agreements may have come to something since: those under way, and those with something new to complete.
RUNS = f"""
    CREATE FUNCTION fee_runs_due(on_day date) RETURNS TABLE (consortium_id uuid, agency_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER {FIXED} AS $$
        SELECT DISTINCT f.consortium_id, f.payee_agency_id FROM fee_agreement f
        WHERE scope_is_nobody()
          AND (f.state IN ('signed', 'in_force') OR EXISTS (SELECT FROM fee_event e WHERE e.agreement_id = f.id
              AND e.recorded_at > on_day - interval '40 days'))
          AND NOT EXISTS (SELECT FROM job j WHERE j.agency_id = f.payee_agency_id AND j.kind = 'fee_run'
              AND j.key = f.consortium_id || ':' || on_day)
        ORDER BY 1, 2
    $$
"""
