"""Netting among agencies, by functions: what each owes the others is put together where none of them could read it."""

from __future__ import annotations

FIXED = "SET search_path = pg_catalog, public, pg_temp"
APRIL = 4
EXACT = 15
"""For how many agencies the fewest payments are looked for over all their subsets: 2 to the power of it."""
DAYS = 14
"""For how many days a netting waits to be confirmed by all."""

# Who pays whom so that nobody is owed anything, in the fewest payments: agencies less the most parts of them that sum
# to nothing each. Two that are exactly opposite are such a part of one of the best plans, so that they go first; then
# subsets, from which the best parts are read backwards. Within a part each payment leaves one agency with nothing.
# Of equal payments those go first by which the payer pays whom it owes already, then the largest.
PAYMENTS = f"""
    CREATE FUNCTION fewest_payments(agencies uuid[], nets bigint[], debtors uuid[], creditors uuid[])
    RETURNS TABLE (payer uuid, payee uuid, pence bigint) LANGUAGE plpgsql IMMUTABLE {FIXED} AS $$
    DECLARE
        size integer;
        mask integer;
        rest integer;
        high integer;
        most integer;
        sums bigint[];
        best integer[];
        places integer[];
        parts integer[] := array_fill(0, ARRAY[cardinality(agencies)]);
        part integer := 1;
        opposite boolean := true;
        step record;
    BEGIN
        LOOP
            SELECT p.place AS from_place, c.place AS to_place, least(-p.net, c.net) AS moved INTO step
            FROM unnest(agencies, nets, parts) WITH ORDINALITY AS p (agency, net, part, place)
            JOIN unnest(agencies, nets, parts) WITH ORDINALITY AS c (agency, net, part, place) ON c.part = p.part
            WHERE p.net < 0 AND c.net > 0 AND (NOT opposite OR -p.net = c.net)
            ORDER BY -p.net = c.net DESC, EXISTS (SELECT FROM unnest(debtors, creditors) AS d (debtor, creditor)
                    WHERE d.debtor = p.agency AND d.creditor = c.agency) DESC,
                least(-p.net, c.net) DESC, p.agency, c.agency
            LIMIT 1;
            IF FOUND THEN
                nets[step.from_place] := nets[step.from_place] + step.moved;
                nets[step.to_place] := nets[step.to_place] - step.moved;
                payer := agencies[step.from_place];
                payee := agencies[step.to_place];
                pence := step.moved;
                RETURN NEXT;
                CONTINUE;
            END IF;
            EXIT WHEN NOT opposite;
            opposite := false;
            SELECT coalesce(array_agg(n.place ORDER BY agencies[n.place]), '{{}}') INTO places
            FROM unnest(nets) WITH ORDINALITY AS n (net, place) WHERE n.net <> 0;
            size := cardinality(places);
            CONTINUE WHEN size > {EXACT};
            sums := array_fill(0::bigint, ARRAY[1 << size], ARRAY[0]);
            best := array_fill(0, ARRAY[1 << size], ARRAY[0]);
            FOR subset IN 1 .. (1 << size) - 1 LOOP
                most := 0;
                FOR i IN 0 .. size - 1 LOOP
                    IF subset & (1 << i) <> 0 THEN
                        rest := subset - (1 << i);
                        high := i;
                        IF best[rest] > most THEN
                            most := best[rest];
                        END IF;
                    END IF;
                END LOOP;
                sums[subset] := sums[rest] + nets[places[high + 1]];
                best[subset] := most + (sums[subset] = 0)::integer;
            END LOOP;
            mask := (1 << size) - 1;
            WHILE mask > 0 LOOP
                FOR i IN 0 .. size - 1 LOOP
                    IF mask & (1 << i) <> 0
                            AND best[mask - (1 << i)] = best[mask] - (sums[mask] = 0)::integer THEN
                        parts[places[i + 1]] := part;
                        mask := mask - (1 << i);
                        EXIT;
                    END IF;
                END LOOP;
                part := part + (sums[mask] = 0)::integer;
            END LOOP;
        END LOOP;
    END
    $$
"""
# What is owed of an invoice by whom it names, in the payee's book: what went to a successor is not theirs any more.
# Nothing while it is in dispute.
OWED = f"""
    CREATE FUNCTION netting_owed(wanted uuid) RETURNS bigint LANGUAGE sql STABLE {FIXED} AS $$
        SELECT coalesce(sum(p.pence), 0)::bigint
        FROM invoice i
        JOIN ledger_transaction t ON t.invoice_id = i.id
        JOIN posting p ON p.transaction_id = t.id AND p.agency_id = i.payee_agency_id
            AND p.other_agency_id = i.payer_agency_id AND p.account = 'receivable'
        WHERE i.id = wanted
            AND NOT EXISTS (SELECT FROM dispute d WHERE d.invoice_id = i.id AND d.status <> 'resolved')
    $$
"""
# Nobody settles lines of the agencies' bank files, or nets, until the transaction ends: by the name that settling uses.
_LOCK = "pg_advisory_xact_lock(hashtextextended('remittances ' || a.id, 0))"
_MAY_ASK = """(
                SELECT count(*) = cardinality(among) AND (own = ANY (among) OR bool_or(g.office_id = own))
                FROM swap_member m JOIN swap_group g ON g.id = m.swap_group_id
                WHERE g.id = of_group AND g.consortium_id = scope_consortium()
                    AND m.agency_id = ANY (among) AND m.agreed_on IS NOT NULL
            )"""
# What one agency owes another stays out where neither has anything to do with the rest: nobody would pay less.
DRAW = f"""
    CREATE FUNCTION draw_netting(
        wanted uuid, among uuid[], of_group uuid, until_day date, drawn_at timestamptz, maker text
    ) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER {FIXED} AS $$
    DECLARE
        own uuid := scope_agency();
        claims netting_claim[];
        legs netting_leg[];
        parties uuid[];
    BEGIN
        SELECT array_agg(DISTINCT a.id ORDER BY a.id) INTO among FROM unnest(among) AS a (id);
        IF scope_person() IS NULL OR NOT coalesce(CASE WHEN of_group IS NULL
                THEN cardinality(among) = 2 AND own = ANY (among) ELSE {_MAY_ASK} END, false) THEN
            RAISE EXCEPTION 'a netting is asked for by one of its agencies, or by the office of its swap group'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM {_LOCK} FROM unnest(among) AS a (id);
        WITH owed AS (
            SELECT i.id, i.payer_agency_id AS payer, i.payee_agency_id AS payee, i.number, netting_owed(i.id) AS pence
            FROM invoice i
            WHERE i.kind = 'invoice' AND i.consortium_id = scope_consortium() AND i.issued_on <= until_day
                AND i.payer_agency_id = ANY (among) AND i.payee_agency_id = ANY (among)
                AND NOT EXISTS (SELECT FROM netting_claim c JOIN netting n ON n.id = c.netting_id
                    WHERE c.invoice_id = i.id AND n.posted_at IS NULL AND n.declined_at IS NULL
                        AND n.lapses_on >= (drawn_at AT TIME ZONE 'UTC')::date)
        ), kept AS (
            SELECT o.* FROM owed o
            WHERE o.pence > 0 AND EXISTS (SELECT FROM owed x WHERE x.pence > 0
                AND (x.payer, x.payee) <> (o.payer, o.payee)
                AND (x.payer IN (o.payer, o.payee) OR x.payee IN (o.payer, o.payee)))
        )
        SELECT array_agg((wanted, scope_consortium(), id, payer, payee, number, pence)::netting_claim) INTO claims
        FROM kept;
        IF claims IS NULL THEN
            RETURN false;
        END IF;
        SELECT array_agg(DISTINCT a.id ORDER BY a.id) INTO parties
        FROM unnest(claims) AS c, unnest(ARRAY[c.payer_agency_id, c.payee_agency_id]) AS a (id);
        WITH net AS (
            SELECT a.id, sum(CASE a.id WHEN c.payee_agency_id THEN c.pence ELSE -c.pence END)::bigint AS pence
            FROM unnest(claims) AS c, unnest(ARRAY[c.payer_agency_id, c.payee_agency_id]) AS a (id) GROUP BY a.id
        ), debt AS (SELECT DISTINCT c.payer_agency_id AS payer, c.payee_agency_id AS payee FROM unnest(claims) AS c)
        SELECT array_agg((gen_random_uuid(), wanted, scope_consortium(), f.payer, f.payee,
            'NT-' || upper(left(gen_random_uuid()::text, 8)), f.pence)::netting_leg) INTO legs
        FROM fewest_payments((SELECT array_agg(n.id) FROM net n), (SELECT array_agg(n.pence) FROM net n),
            (SELECT array_agg(d.payer) FROM debt d), (SELECT array_agg(d.payee) FROM debt d)) AS f;
        -- Nobody would pay less, or less often; or it is asked for by one of whom nothing is in it.
        IF own = ANY (among) AND own <> ALL (parties)
                OR (SELECT sum(c.pence) FROM unnest(claims) AS c) = (SELECT sum(l.pence) FROM unnest(legs) AS l)
                AND (SELECT count(DISTINCT (c.payer_agency_id, c.payee_agency_id)) FROM unnest(claims) AS c)
                    <= cardinality(legs) THEN
            RETURN false;
        END IF;
        INSERT INTO netting (id, consortium_id, swap_group_id, agency_id, agency_ids, until_on, lapses_on, made_at,
            made_by, made_name)
        VALUES (wanted, scope_consortium(), of_group, own, parties, until_day,
            (drawn_at AT TIME ZONE 'UTC')::date + {DAYS}, drawn_at, scope_person(), maker);
        INSERT INTO netting_member (netting_id, consortium_id, agency_id, confirmed_at, confirmed_by, confirmed_name)
        SELECT wanted, scope_consortium(), a.id, CASE a.id WHEN own THEN drawn_at END,
            CASE a.id WHEN own THEN scope_person() END, CASE a.id WHEN own THEN maker END
        FROM unnest(parties) AS a (id);
        INSERT INTO netting_claim SELECT c.* FROM unnest(claims) AS c;
        INSERT INTO netting_leg SELECT l.* FROM unnest(legs) AS l;
        RETURN true;
    END
    $$
"""
# Posts once everybody has confirmed: each invoice against netting, and then each leg from netting, in both books.
CONFIRM = f"""
    CREATE FUNCTION confirm_netting(wanted uuid, said_at timestamptz, teller text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER {FIXED} AS $$
    DECLARE
        own uuid := scope_agency();
        today date := (said_at AT TIME ZONE 'UTC')::date;
        stale record;
        part record;
        posted uuid;
    BEGIN
        IF scope_person() IS NULL THEN
            RAISE EXCEPTION 'a person confirms' USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM {_LOCK} FROM (SELECT unnest(n.agency_ids) AS id FROM netting n
            WHERE n.id = wanted AND own = ANY (n.agency_ids) ORDER BY 1) AS a;
        PERFORM FROM netting n WHERE n.id = wanted AND n.posted_at IS NULL AND n.declined_at IS NULL
            AND n.lapses_on >= today FOR UPDATE;
        IF NOT FOUND OR NOT EXISTS (SELECT FROM netting_member m
                WHERE m.netting_id = wanted AND m.agency_id = own AND m.confirmed_at IS NULL) THEN
            RETURN 'over';
        END IF;
        -- Nor does anybody credit one of the invoices meanwhile.
        PERFORM pg_advisory_xact_lock(hashtextextended('concord.fee_agreement.' || a.id, 0)) FROM (
            SELECT DISTINCT l.agreement_id AS id FROM netting_claim c JOIN invoice_line l ON l.invoice_id = c.invoice_id
            WHERE c.netting_id = wanted ORDER BY 1) AS a;
        -- Nor does a hand-over take what is owed along.
        PERFORM pg_advisory_xact_lock_shared(fee_book_lock(a.id)) FROM (
            SELECT unnest(n.agency_ids) AS id FROM netting n WHERE n.id = wanted ORDER BY 1) AS a;
        SELECT CASE WHEN own IN (c.payer_agency_id, c.payee_agency_id) THEN c.number END AS number INTO stale
        FROM netting_claim c WHERE c.netting_id = wanted AND netting_owed(c.invoice_id) <> c.pence
        ORDER BY own IN (c.payer_agency_id, c.payee_agency_id) DESC, c.number, c.invoice_id LIMIT 1;
        IF FOUND THEN
            RETURN concat_ws(' ', 'stale', stale.number);
        END IF;
        UPDATE netting_member SET confirmed_at = said_at, confirmed_by = scope_person(), confirmed_name = teller
        WHERE netting_id = wanted AND agency_id = own;
        IF EXISTS (SELECT FROM netting_member m WHERE m.netting_id = wanted AND m.confirmed_at IS NULL) THEN
            RETURN 'confirmed';
        END IF;
        UPDATE netting SET posted_at = said_at WHERE id = wanted;
        FOR part IN
            SELECT c.consortium_id, c.payer_agency_id, c.payee_agency_id, c.invoice_id, c.pence, -1 AS sign,
                c.invoice_id::text AS key, 'Set off against invoice ' || c.number AS words
            FROM netting_claim c WHERE c.netting_id = wanted
            UNION ALL
            SELECT l.consortium_id, l.payer_agency_id, l.payee_agency_id, NULL, l.pence, 1, 'leg',
                'Left to pay after netting: ' || l.reference
            FROM netting_leg l WHERE l.netting_id = wanted
            ORDER BY payer_agency_id, payee_agency_id, sign, key
        LOOP
            posted := gen_random_uuid();
            INSERT INTO ledger_transaction (id, consortium_id, payer_agency_id, payee_agency_id, invoice_id, kind, key,
                pence, dated_on, narrative, made_by, made_name, approved_by, approved_name, posted_at)
            SELECT posted, part.consortium_id, part.payer_agency_id, part.payee_agency_id, part.invoice_id, 'netted',
                'netting/' || wanted || '/' || part.key, part.pence, today, part.words,
                e.confirmed_by, e.confirmed_name, r.confirmed_by, r.confirmed_name, said_at
            FROM netting_member e, netting_member r
            WHERE e.netting_id = wanted AND e.agency_id = part.payee_agency_id
                AND r.netting_id = wanted AND r.agency_id = part.payer_agency_id;
            INSERT INTO posting (id, transaction_id, agency_id, other_agency_id, account, pence)
            SELECT gen_random_uuid(), posted, b.own, b.other, b.account, b.pence * part.sign
            FROM (VALUES
                (part.payee_agency_id, part.payer_agency_id, 'receivable', part.pence),
                (part.payee_agency_id, part.payer_agency_id, 'netting', -part.pence),
                (part.payer_agency_id, part.payee_agency_id, 'netting', part.pence),
                (part.payer_agency_id, part.payee_agency_id, 'payable', -part.pence)
            ) AS b (own, other, account, pence);
        END LOOP;
        RETURN 'posted';
    END
    $$
"""
# By the same rules as each agency's own list; what the office is told of it is reckoned from these sums.
SAVINGS = f"""
    CREATE FUNCTION office_savings()
    RETURNS TABLE (year integer, agency_id uuid, kind text, agreements integer, pence bigint)
    LANGUAGE sql STABLE SECURITY DEFINER {FIXED} AS $$
        WITH found AS (
            SELECT f.payer_agency_id AS agency_id, 'spared' AS kind, f.id, f.amount_pence AS pence, f.placed_on AS day
            FROM fee_agreement f
            WHERE f.waived AND f.placed_on IS NOT NULL AND f.state <> 'withdrawn' AND f.amount_pence IS NOT NULL
                AND f.consortium_id = scope_consortium() AND f.payer_agency_id <> f.payee_agency_id
                AND NOT EXISTS (SELECT FROM ledger_transaction t WHERE t.agreement_id = f.id AND t.kind = 'revived')
            UNION ALL
            SELECT p.agency_id, 'earned', f.id, -p.pence, p.period_on
            FROM posting p JOIN fee_agreement f ON f.id = p.agreement_id
            WHERE p.account = 'fee_income' AND f.consortium_id = scope_consortium()
        ), in_year AS (
            SELECT (extract(year FROM day) - CASE WHEN extract(month FROM day) < {APRIL} THEN 1 ELSE 0 END)::integer
                AS year, found.agency_id, found.kind, found.id, sum(found.pence) AS pence
            FROM found GROUP BY 1, 2, 3, 4 HAVING sum(found.pence) <> 0
        )
        SELECT y.year, y.agency_id, y.kind, count(*)::integer, sum(y.pence)::bigint
        FROM in_year y
        WHERE EXISTS (SELECT FROM agency a WHERE a.id = scope_agency() AND a.kind = 'consortium_office')
        GROUP BY 1, 2, 3
    $$
"""
