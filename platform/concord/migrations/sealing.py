"""What severs a link for good and gives a record new identifiers, made from the catalogue at each upgrade.

A table that hangs on a link, holds a pair of a group and a household, or points at a record needs nothing else: the
functions are written out, statement by statement, from the foreign keys that there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

SEALER = "concord_seal"
SETTING = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
RECORDS = ("sibling_group", "household", "child", "document")
KEPT = ("adoption_record", "fee_agreement")
"""What points at a link and outlives it: the link's id is taken out of it, before or by the key itself."""
SETTLED = ("ranking_line",)
"""What names pairs of everyone in a pool by identifiers that nothing bears any more once they are changed."""


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key: from which table and column to which, leaving out the columns of agencies."""

    table: str
    target: str
    column: str
    other: str


def keep_sealing(connection: Connection) -> None:
    """Bring rights and functions to what the catalogue says; doing it again changes nothing."""
    keys = _keys(connection)
    pairs = [table for (table,) in connection.exec_driver_sql(_PAIRS) if table not in SETTLED]
    doomed = _doomed(keys, pairs)
    _give_rights(connection, keys, doomed)
    connection.exec_driver_sql(f"GRANT CREATE ON SCHEMA public TO {SEALER}")
    connection.exec_driver_sql(f"SET LOCAL ROLE {SEALER}")
    for signature, types, returns, body in (
        ("sever_link(its_link uuid, tally uuid)", "uuid, uuid", "jsonb", _sever(doomed)),
        (
            "rotate_record(what text, old uuid, anew uuid, new_code text)",
            "text, uuid, uuid, text",
            "void",
            _rotate(keys),
        ),
        ("sealing_hindrances(its_link uuid)", "uuid", "text[]", _HINDRANCES),
    ):
        # The driver reads a lone percent sign as a parameter.
        plain = body.replace("%", "%%")
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql {SETTING} AS $$ {plain} $$"
        )
        name = signature.partition("(")[0]
        connection.exec_driver_sql(f"REVOKE ALL ON FUNCTION {name}({types}) FROM PUBLIC")
        connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION {name}({types}) TO concord_app")
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION ask_to_gather() RETURNS trigger LANGUAGE plpgsql {SETTING} AS $$ {_ASK} $$"
    )
    connection.exec_driver_sql("REVOKE ALL ON FUNCTION ask_to_gather() FROM PUBLIC")
    connection.exec_driver_sql("GRANT EXECUTE ON FUNCTION ask_to_gather() TO concord_owner")
    connection.exec_driver_sql("SET LOCAL ROLE concord_owner")
    connection.exec_driver_sql(
        "CREATE OR REPLACE TRIGGER sealing_ask AFTER INSERT ON sealing FOR EACH ROW EXECUTE FUNCTION ask_to_gather()"
    )
    connection.exec_driver_sql(f"REVOKE CREATE ON SCHEMA public FROM {SEALER}")


_KEYS = """
    SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, a.attname::text, b.attname::text
    FROM pg_constraint c
    CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, other, position)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own
    JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.other
    WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND k.position = 1 ORDER BY 1, 2, 3
"""
_PAIRS = """
    SELECT c.oid::regclass::text FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('sibling_group_id', 'household_id') AND a.attnotnull
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'link'
    GROUP BY c.oid HAVING count(*) = 2 ORDER BY 1
"""


def _keys(connection: Connection) -> list[Key]:
    # The first column of each key is the id; what follows carries the agency.
    return [Key(*row) for row in connection.exec_driver_sql(_KEYS)]


@dataclass(frozen=True, slots=True)
class Doomed:
    """A table whose rows go with a link, which of them, and the columns that tell."""

    table: str
    where: str
    columns: frozenset[str]


def _doomed(keys: list[Key], pairs: list[str]) -> list[Doomed]:
    """Return the tables that a severed link's rows are in, each before those that it points to."""
    wheres: dict[str, list[str]] = {"link": ["id = ANY (links)"]}
    columns: dict[str, set[str]] = {"link": {"id"}}
    for table in pairs:
        wheres.setdefault(table, []).append("(sibling_group_id = the_group AND household_id = the_household)")
        columns.setdefault(table, set()).update(("sibling_group_id", "household_id"))
    order = ["link", *pairs]
    for table in order:
        for key in keys:
            if key.target != table or key.table == table or key.table in KEPT:
                continue
            inner = " OR ".join(wheres[table])
            wheres.setdefault(key.table, []).append(f"{key.column} IN (SELECT {key.other} FROM {table} WHERE {inner})")
            columns.setdefault(key.table, set()).add(key.column)
            columns[table].add(key.other)
            if key.table not in order:
                order.append(key.table)
    found = {table: Doomed(table, " OR ".join(wheres[table]), frozenset(columns[table])) for table in wheres}
    return [found[table] for table in _children_first(keys, set(found))]


def _children_first(keys: list[Key], tables: set[str]) -> Iterator[str]:
    left = set(tables)
    while left:
        pointed = {key.target for key in keys if key.table in left and key.target != key.table}
        ready = sorted(left - pointed)
        if not ready:
            raise RuntimeError(f"foreign keys of these tables point in a circle: {', '.join(sorted(left))}")
        yield from ready
        left -= set(ready)


def _give_rights(connection: Connection, keys: list[Key], doomed: list[Doomed]) -> None:
    known = {tuple(row) for row in connection.exec_driver_sql(_KNOWN)}
    for table, verb, columns in (*_RIGHTS, *_rights(keys, doomed)):
        named = f" ({', '.join(sorted(columns))})" if columns else ""
        connection.exec_driver_sql(f"GRANT {verb}{named} ON {table} TO {SEALER}")
        if (table, verb) not in known:
            known.add((table, verb))
            rule = "WITH CHECK (true)" if verb == "INSERT" else "USING (true)"
            connection.exec_driver_sql(f"CREATE POLICY seal_{verb.lower()} ON {table} FOR {verb} TO {SEALER} {rule}")


def _rights(keys: list[Key], doomed: list[Doomed]) -> Iterator[tuple[str, str, frozenset[str]]]:
    for each in doomed:
        yield each.table, "DELETE", frozenset()
        yield each.table, "SELECT", each.columns
    for record in RECORDS:
        yield record, "SELECT", frozenset({"id", "agency_id"})
        yield record, "UPDATE", frozenset({"id"})
        for key in keys:
            if key.target == record:
                yield key.table, "SELECT", frozenset({key.column})
                yield key.table, "UPDATE", frozenset({key.column})


_KNOWN = f"""
    SELECT tablename::text, cmd::text FROM pg_policies WHERE '{SEALER}' = ANY (roles)
"""
_JOB = frozenset({"id", "agency_id", "kind", "payload", "result", "state", "key", "progress_note", "consortium_id"})
_MADE = frozenset({"urgent", "requested_at", "attempt", "due_at", "progress_done"})
_RIGHTS: tuple[tuple[str, str, frozenset[str]], ...] = (
    (
        "link",
        "SELECT",
        frozenset(
            {
                "id",
                "state",
                "sibling_group_id",
                "household_id",
                "group_agency_id",
                "household_agency_id",
                "consortium_id",
            }
        ),
    ),
    ("placement", "SELECT", frozenset()),
    ("placement_child", "SELECT", frozenset()),
    ("sealing", "SELECT", frozenset()),
    ("adoption_record", "SELECT", frozenset({"id", "agency_id", "kind", "link_id", "number"})),
    ("adoption_record", "UPDATE", frozenset({"link_id"})),
    ("sealing_certificate", "INSERT", frozenset()),
    ("sealing_certificate", "SELECT", frozenset({"id"})),
    ("sealing_certificate", "UPDATE", frozenset({"removed"})),
    ("sealed_placement", "INSERT", frozenset()),
    ("sibling_group", "SELECT", frozenset({"code", "added_at"})),
    ("household", "SELECT", frozenset({"code", "added_at"})),
    ("sibling_group", "UPDATE", frozenset({"code"})),
    ("household", "UPDATE", frozenset({"code"})),
    ("sibling_placement", "SELECT", frozenset({"sibling_group_id", "household_code"})),
    ("sibling_placement", "DELETE", frozenset()),
    ("pack", "SELECT", frozenset({"id", "consortium_id", "requested_at"})),
    ("pack_file", "SELECT", frozenset({"pack_id"})),
    ("pack_file", "DELETE", frozenset()),
    ("api_answer", "SELECT", frozenset({"agency_id"})),
    ("api_answer", "DELETE", frozenset()),
    ("meeting_action", "SELECT", frozenset({"about", "outcome"})),
    ("meeting_action", "UPDATE", frozenset({"about", "what", "person", "outcome"})),
    ("place_question", "SELECT", frozenset({"record_id"})),
    ("place_question", "DELETE", frozenset()),
    ("notice", "SELECT", frozenset({"sibling_group_id", "household_id"})),
    ("import_image", "SELECT", frozenset({"record_id"})),
    ("import_image", "DELETE", frozenset()),
    ("import_row", "SELECT", frozenset({"record_id"})),
    ("import_row", "UPDATE", frozenset({"record_id"})),
    ("retention_hold", "SELECT", frozenset({"record_id"})),
    ("retention_hold", "UPDATE", frozenset({"record_id", "code"})),
    ("job", "SELECT", _JOB),
    ("job", "INSERT", _JOB | _MADE),
    ("job", "UPDATE", frozenset({"payload", "result", "key", "progress_note"})),
    # What triggers on the pool put on record.
    ("audit_entry", "INSERT", frozenset()),
    ("sharing_move", "INSERT", frozenset()),
    ("subject_request", "SELECT", frozenset({"record_id", "closed_at"})),
    ("rectification", "SELECT", frozenset({"record_id", "decided_at"})),
    ("retention_hold", "SELECT", frozenset({"record_id", "code", "lifted_at"})),
    ("person", "SELECT", frozenset({"id", "name"})),
)


def _sever(doomed: list[Doomed]) -> str:
    steps = "".join(
        f"""
            DELETE FROM {each.table} WHERE {each.where};
            GET DIAGNOSTICS gone = ROW_COUNT;
            counted := counted || jsonb_build_object('{each.table}', gone);
        """
        for each in doomed
    )
    return _SEVER.replace("/*steps*/", steps)


# In the scope of the children's agency's second person. All that it removes has been gathered, by each agency for
# itself, before: without that it refuses.
_SEVER = """
    DECLARE
        l link%ROWTYPE;
        p placement%ROWTYPE;
        s sealing%ROWTYPE;
        links uuid[];
        the_group uuid;
        the_household uuid;
        codes text[];
        ids text[];
        since timestamptz;
        gone integer;
        counted jsonb := '{}';
        one uuid := gen_random_uuid();
        other uuid := gen_random_uuid();
    BEGIN
        SELECT id, state, sibling_group_id, household_id, group_agency_id, household_agency_id, consortium_id
            INTO l.id, l.state, l.sibling_group_id, l.household_id, l.group_agency_id, l.household_agency_id,
                 l.consortium_id
            FROM link WHERE id = its_link;
        SELECT * INTO s FROM sealing WHERE link_id = its_link;
        IF l.id IS NULL OR s.link_id IS NULL OR l.state <> 'ordered' OR scope_person() IS NULL
            OR l.group_agency_id IS DISTINCT FROM scope_agency() OR s.asked_by = scope_person()
            OR (SELECT count(DISTINCT r.agency_id) FROM adoption_record r
                WHERE r.link_id = its_link AND r.kind = 'record'
                  AND r.agency_id IN (l.group_agency_id, l.household_agency_id))
               <> (CASE WHEN l.group_agency_id = l.household_agency_id THEN 1 ELSE 2 END)
            OR cardinality(sealing_hindrances(its_link)) > 0
        THEN
            RAISE EXCEPTION 'this is not to be sealed now' USING ERRCODE = 'insufficient_privilege';
        END IF;
        SELECT * INTO p FROM placement WHERE link_id = its_link;
        the_group := l.sibling_group_id;
        the_household := l.household_id;
        SELECT array_agg(x.id) INTO links FROM link x
            WHERE x.sibling_group_id = the_group AND x.household_id = the_household;
        SELECT array_agg(c.code), min(c.added_at) INTO codes, since FROM (
            SELECT g.code, g.added_at FROM sibling_group g WHERE g.id = the_group
            UNION ALL SELECT h.code, h.added_at FROM household h WHERE h.id = the_household) c;
        INSERT INTO sealed_placement (id, consortium_id, group_agency_id, household_agency_id, matched_on,
                                      moved_in_on, adoptive_start_on, ordered_on, ages)
        SELECT tally, l.consortium_id, l.group_agency_id, l.household_agency_id, p.matched_on, p.moved_in_on,
               p.adoptive_start_on, p.ordered_on,
               (SELECT coalesce(jsonb_agg(jsonb_build_array(c.months_matched, c.months_moved_in, c.months_adoptive)
                                          ORDER BY c.position), '[]')
                FROM placement_child c WHERE c.link_id = its_link);
        DELETE FROM sibling_placement WHERE sibling_group_id = the_group OR household_code = ANY (codes);
        GET DIAGNOSTICS gone = ROW_COUNT;
        counted := counted || jsonb_build_object('sibling_placement', gone);
        DELETE FROM pack_file f USING pack k
            WHERE k.id = f.pack_id AND k.consortium_id = l.consortium_id AND k.requested_at >= since;
        GET DIAGNOSTICS gone = ROW_COUNT;
        counted := counted || jsonb_build_object('pack_file', gone);
        DELETE FROM api_answer WHERE agency_id IN (l.group_agency_id, l.household_agency_id);
        UPDATE meeting_action SET about = NULL, what = '(sealed)', person = NULL,
            outcome = CASE WHEN outcome IS NOT NULL THEN '(sealed)' END WHERE about = ANY (codes);
        GET DIAGNOSTICS gone = ROW_COUNT;
        counted := counted || jsonb_build_object('meeting_action', gone);
        INSERT INTO sealing_certificate (id, agency_id, number, done_on, asked_name, confirmed_name, removed)
        SELECT c.id, c.agency_id, (SELECT max(r.number) FROM adoption_record r
                               WHERE r.link_id = its_link AND r.agency_id = c.agency_id),
               (now() AT TIME ZONE 'UTC')::date, s.asked_name,
               (SELECT n.name FROM person n WHERE n.id = scope_person()), '{}'::jsonb
        FROM (VALUES (one, l.group_agency_id), (other, l.household_agency_id)) c (id, agency_id)
        WHERE c.id = one OR l.group_agency_id <> l.household_agency_id;
        UPDATE adoption_record SET link_id = NULL WHERE link_id = its_link;
        /*steps*/
        SELECT array_agg(x::text) || codes INTO ids
            FROM unnest(links || ARRAY[the_group, the_household]) AS x;
        UPDATE job SET payload = '{}', result = NULL, progress_note = NULL, key = id::text
            WHERE agency_id IN (l.group_agency_id, l.household_agency_id)
              AND state IN ('done', 'failed', 'cancelled')
              AND EXISTS (SELECT FROM unnest(ids) w WHERE strpos(payload::text || coalesce(result::text, '') || key
                  || coalesce(progress_note, ''), w) > 0);
        UPDATE sealing_certificate c SET removed = counted WHERE c.id IN (one, other);
        INSERT INTO job (id, agency_id, consortium_id, kind, urgent, key, payload, requested_at, state, attempt,
                         due_at, progress_done)
        SELECT gen_random_uuid(), j.agency_id, l.consortium_id, 'sealing.rotate', false, gen_random_uuid()::text,
               jsonb_build_object('kind', j.kind, 'id', j.record_id, 'certificate', j.certificate,
                                  'year', extract(year FROM p.ordered_on)),
               now(), 'waiting', 0, now(), 0
        FROM (VALUES (l.group_agency_id, 'sibling_group', the_group, one),
                     (l.household_agency_id, 'household', the_household,
                      CASE WHEN l.group_agency_id = l.household_agency_id THEN one ELSE other END))
            j (agency_id, kind, record_id, certificate);
        RETURN counted;
    END
"""


# What keeps a link from being sealed, in words; of the other agency's records it says no more than that.
_HINDRANCES = """
    DECLARE
        found text[];
    BEGIN
        WITH l AS (SELECT x.id, x.sibling_group_id AS a, x.household_id AS b, x.group_agency_id, x.household_agency_id
                   FROM link x WHERE x.id = its_link AND x.group_agency_id = scope_agency())
        SELECT array_agg(w.words) INTO found FROM l CROSS JOIN LATERAL (
            SELECT 'A request for access to one of the two records is open.' AS words WHERE EXISTS (
                SELECT FROM subject_request r WHERE r.record_id IN (l.a, l.b) AND r.closed_at IS NULL)
            UNION ALL SELECT 'A request for a correction of one of the two records is open.' WHERE EXISTS (
                SELECT FROM rectification r WHERE r.record_id IN (l.a, l.b) AND r.decided_at IS NULL)
            UNION ALL SELECT 'A hold on destruction stands on one of the two records.' WHERE EXISTS (
                SELECT FROM retention_hold r WHERE r.record_id IN (l.a, l.b) AND r.lifted_at IS NULL)
            UNION ALL SELECT 'The family’s agency’s record has not been gathered yet: a worker does that soon.'
            WHERE NOT EXISTS (SELECT FROM adoption_record r
                WHERE r.link_id = l.id AND r.kind = 'record' AND r.agency_id = l.household_agency_id)) w;
        RETURN coalesce(found, '{}');
    END
"""
# Each agency gathers for itself: nobody of the one that asks may read what is the other's alone.
_ASK = """
    BEGIN
        INSERT INTO job (id, agency_id, consortium_id, kind, urgent, key, payload, requested_at, state, attempt,
                         due_at, progress_done)
        SELECT gen_random_uuid(), each.agency_id, l.consortium_id, 'sealing.gather', true, gen_random_uuid()::text,
               jsonb_build_object('link', NEW.link_id), now(), 'waiting', 0, now(), 0
        FROM link l, (SELECT DISTINCT unnest(ARRAY[NEW.group_agency_id, NEW.household_agency_id])) each (agency_id)
        WHERE l.id = NEW.link_id;
        RETURN NULL;
    END
"""


def _rotate(keys: list[Key]) -> str:
    branches = []
    for record in RECORDS:
        code = ", code = coalesce(new_code, code)" if record in ("sibling_group", "household") else ""
        follow = "".join(
            f"UPDATE {key.table} SET {key.column} = anew WHERE {key.column} = old; "
            for key in keys
            if key.target == record
        )
        branches.append(
            f"WHEN '{record}' THEN "
            f"IF NOT EXISTS (SELECT FROM {record} WHERE id = old AND agency_id = scope_agency()) THEN "
            "RAISE EXCEPTION 'no such record' USING ERRCODE = 'insufficient_privilege'; END IF; "
            f"UPDATE {record} SET id = anew{code} WHERE id = old; {follow}"
        )
    return f"""
        BEGIN
            SET CONSTRAINTS ALL DEFERRED;
            -- Why a time was missed is often said of the other side; the adoption record has it.
            DELETE FROM clock_reason WHERE sibling_group_id = old OR household_id = old;
            DELETE FROM notice WHERE sibling_group_id = old OR household_id = old;
            CASE what {" ".join(branches)} END CASE;
            UPDATE import_row SET record_id = anew WHERE record_id = old;
            UPDATE retention_hold SET record_id = anew, code = coalesce(new_code, code) WHERE record_id = old;
            DELETE FROM import_image WHERE record_id = old;
            DELETE FROM place_question WHERE record_id = old;
            UPDATE job SET payload = '{{}}', result = NULL, progress_note = NULL, key = id::text
                WHERE agency_id = scope_agency() AND payload::text LIKE '%' || old || '%';
        END
    """
