"""The functions that revision 0028 makes: words kept of each record, and records found by them.

Full text is no leakproof matter: under row-level security it may be asked of a row only after the policy, which costs
the index. So the searching is done here, with rights of its own and the policies' rules written out; what comes out is
ids, and whoever shows the records reads them again behind the wall.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
LEXEME = "'^[[:alpha:]]{4,40}$'"
"""Of which words those spelt alike are looked for: numbers and codes are right or wrong, and short words all alike."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record that is found by words."""

    record: str
    key: str
    many: str
    needs: str
    """The needs of the record ``r``: their codes."""

    @property
    def words(self) -> str:
        """Return the table of the words kept."""
        return f"{self.record}_words"


HOUSEHOLD = Kind(
    "household",
    "household_id",
    "households",
    "SELECT a.need FROM household_tolerance a WHERE a.household_id = r.id "
    "AND ARRAY[a.low, a.medium, a.high] && ARRAY['can_meet', 'would_discuss']",
)
GROUP = Kind(
    "sibling_group",
    "sibling_group_id",
    "groups",
    "SELECT DISTINCT n.need FROM child c JOIN child_need n ON n.child_id = c.id WHERE c.sibling_group_id = r.id "
    "AND n.level IN ('low', 'medium', 'high')",
)

# One letter for another, too many or too few, or two of them swapped. Both words are stems.
SPELT_ALIKE = """
    CREATE FUNCTION spelt_alike(word text, wanted text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        RETURN word = wanted OR (length(wanted) >= 4 AND length(word) >= 4 AND (
            trigram.similarity(word, wanted) >= CASE WHEN length(wanted) < 6 THEN 0.3 ELSE 0.4 END
            OR (length(word) = length(wanted) AND word = ANY (letters_swapped(wanted)))));
    END
    $$
"""
LETTERS_SWAPPED = """
    CREATE FUNCTION letters_swapped(word text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT coalesce(array_agg(left(word, i - 1) || substr(word, i + 1, 1) || substr(word, i, 1)
            || substr(word, i + 2)), '{}')
        FROM generate_series(1, least(length(word), 40) - 1) i
    $$
"""

# What was asked, as full text asks it; each word with all that are spelt alike, where that is wanted. Of the words of
# every agency, those that this scope does not see among them: it says which to look for, never where they stand.
WORDS_QUERY = f"""
    CREATE FUNCTION words_query(asked text, alike boolean) RETURNS tsquery
    LANGUAGE plpgsql STABLE {DEFINER} AS $$
    DECLARE
        sought tsquery := websearch_to_tsquery('english', asked);
        found record;
        others tsquery[] := '{{}}';
        place integer := 0;
    BEGIN
        IF NOT alike THEN
            RETURN sought;
        END IF;
        FOR found IN
            SELECT t.lexeme, (SELECT string_agg(DISTINCT format('''%s''', w.word), '|')::tsquery FROM search_word w
                WHERE (w.word OPERATOR(trigram.%) t.lexeme OR w.word = ANY (letters_swapped(t.lexeme)))
                  AND spelt_alike(w.word, t.lexeme)) AS others
            FROM unnest(tsvector_to_array(to_tsvector('english', asked))) t (lexeme)
            WHERE t.lexeme ~ {LEXEME}
        LOOP
            -- By way of words that nobody writes: what stands for one word may be another that was asked.
            place := place + 1;
            others := others || coalesce(found.others || format('''%s''', found.lexeme)::tsquery,
                format('''%s''', found.lexeme)::tsquery);
            sought := ts_rewrite(sought, format('''%s''', found.lexeme)::tsquery, stand_in(place));
        END LOOP;
        FOR each IN 1 .. place LOOP
            sought := ts_rewrite(sought, stand_in(each), others[each]);
        END LOOP;
        RETURN sought;
    END
    $$
"""
STAND_IN = """
    CREATE FUNCTION stand_in(place integer) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT format('''%s''', chr(57344) || place)::tsquery
    $$
"""


def held(kind: Kind) -> str:
    """Return the query of a kind's records that hold the words $1 and that the scope's person is not shut out of."""
    return f"""SELECT w.{kind.key} FROM {kind.words} w
            WHERE w.words @@ $1 AND w.{kind.key} <> ALL ((SELECT scope_barred())::uuid[])"""


def found(kind: Kind) -> str:
    """Return the query of a kind's records that hold the words $1, as agency $2 sees them in consortium $3."""
    # In two halves, so that the second is a join: how many records hold the words decides how it is made.
    return f"""
        {held(kind)} AND w.agency_id = $2
        UNION ALL
        {held(kind)} AND w.agency_id IS DISTINCT FROM $2 AND EXISTS (
            SELECT FROM pool_entry p
            WHERE p.{kind.key} = w.{kind.key} AND p.agency_id = w.agency_id AND p.stage <> 'in_house' AND NOT p.held
              AND (p.consortium_id = $3 OR (p.stage = 'national' AND $3 IS NOT NULL))
              AND EXISTS (SELECT FROM consortium_member m
                WHERE m.consortium_id = p.consortium_id AND m.agency_id = p.agency_id
                  AND m.joined_on <= (now() AT TIME ZONE 'UTC')::date
                  AND (m.left_on IS NULL OR m.left_on > (now() AT TIME ZONE 'UTC')::date)))"""


def find(kind: Kind) -> str:
    """Return the function that finds records of a kind."""
    return f"""
    CREATE FUNCTION find_{kind.many}(asked text, alike boolean) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE {DEFINER} ROWS 200 AS $$
    DECLARE
        sought tsquery := words_query(asked, alike);
    BEGIN
        -- Nothing that could be looked up: no word at all, or only words that must not be there.
        IF querytree(sought) IN ('', 'T') THEN
            RETURN;
        END IF;
        -- Planned anew each time: how rare the words are makes the difference.
        RETURN QUERY EXECUTE $query${found(kind)}$query$ USING sought, scope_agency(), scope_consortium();
    END
    $$
"""


# How the words would be looked for if reading everything were as dear as can be: what then is no look-up in the index
# cannot be one, however large the tables. Without the pool, which may be read first where it is small.
SEARCH_PLANS = f"""
    CREATE FUNCTION search_plans() RETURNS TABLE (record text, plan json)
    LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
    DECLARE
        before text := current_setting('enable_seqscan');
    BEGIN
        PERFORM set_config('enable_seqscan', 'off', true);
        record := '{HOUSEHOLD.record}';
        EXECUTE $query$EXPLAIN (FORMAT JSON) {held(HOUSEHOLD)}$query$ INTO plan USING 'word'::tsquery;
        RETURN NEXT;
        record := '{GROUP.record}';
        EXECUTE $query$EXPLAIN (FORMAT JSON) {held(GROUP)}$query$ INTO plan USING 'word'::tsquery;
        RETURN NEXT;
        record := 'search_word';
        EXECUTE $query$EXPLAIN (FORMAT JSON) SELECT w.id FROM search_word w
            WHERE w.word OPERATOR(trigram.%) $1$query$ INTO plan USING 'word';
        RETURN NEXT;
        PERFORM set_config('enable_seqscan', before, true);
    END
    $$
"""


def keep(kind: Kind) -> str:
    """Return the function that keeps the words of some records of a kind as they are now."""
    return f"""
    CREATE FUNCTION keep_words_of_{kind.many}(ids uuid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
    BEGIN
        -- Writers do not wait for each other; whoever forgets words waits until none is under way.
        PERFORM pg_advisory_xact_lock_shared(hashtext('concord.words'));
        WITH kept AS (
            INSERT INTO {kind.words} ({kind.key}, agency_id, words)
            SELECT r.id, r.agency_id, to_tsvector('simple', replace(r.code, '-', ''))
                -- A text may be longer than what full text takes at once.
                || to_tsvector('english', concat_ws(E'\\n', left(p.text, 100000), said.words))
            FROM {kind.record} r
            LEFT JOIN {kind.record}_profile p ON p.{kind.key} = r.id
            CROSS JOIN LATERAL (
                SELECT string_agg(s.words, E'\\n' ORDER BY s.words) AS words FROM (
                    SELECT t.words FROM search_term t WHERE t.kind = 'need' AND t.code IN ({kind.needs})
                    UNION ALL SELECT coalesce(t.words, e.code) FROM unnest(r.heritage) e (code)
                        LEFT JOIN search_term t ON t.kind = 'heritage' AND t.code = e.code
                    UNION ALL SELECT unnest(r.religions || r.languages || r.cultures)) s) said
            WHERE r.id = ANY (ids)
            ON CONFLICT ({kind.key}, agency_id) DO UPDATE SET words = excluded.words
                WHERE {kind.words}.words <> excluded.words
            RETURNING words
        )
        -- Two who add the same word at once both do: a constraint would make each wait for the other's end.
        INSERT INTO search_word (word, doubted)
        SELECT DISTINCT l.word, false FROM kept CROSS JOIN LATERAL unnest(tsvector_to_array(kept.words)) l (word)
        WHERE l.word ~ {LEXEME} AND NOT EXISTS (SELECT FROM search_word w WHERE w.word = l.word AND NOT w.doubted);
    END
    $$
"""


def keep_on_change(kind: Kind) -> str:
    """Return the trigger's function for the tables from which a kind's words come."""
    return f"""
    CREATE FUNCTION keep_words_of_changed_{kind.many}() RETURNS trigger
    LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
    BEGIN
        CASE TG_TABLE_NAME
            WHEN '{kind.record}' THEN
                PERFORM keep_words_of_{kind.many}(ARRAY(SELECT DISTINCT e.id FROM entry e));
            WHEN 'child_need' THEN
                PERFORM keep_words_of_{kind.many}(ARRAY(SELECT DISTINCT c.sibling_group_id
                    FROM entry e JOIN child c ON c.id = e.child_id));
            ELSE
                PERFORM keep_words_of_{kind.many}(ARRAY(SELECT DISTINCT e.{kind.key} FROM entry e));
        END CASE;
        RETURN NULL;
    END
    $$
"""


DOUBT_WORDS = f"""
    CREATE FUNCTION doubt_words() RETURNS trigger
    LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
    BEGIN
        INSERT INTO search_word (word, doubted)
        SELECT DISTINCT l.word, true FROM gone CROSS JOIN LATERAL unnest(tsvector_to_array(gone.words)) l (word)
        WHERE l.word ~ {LEXEME};
        RETURN NULL;
    END
    $$
"""
FORGET_WORDS = f"""
    CREATE FUNCTION forget_words() RETURNS integer
    LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
    DECLARE
        forgotten integer;
    BEGIN
        -- A record that is being written may hold a word that is in no other: not now, then.
        IF NOT scope_is_nobody() OR NOT pg_try_advisory_xact_lock(hashtext('concord.words')) THEN
            RETURN 0;
        END IF;
        WITH doubt AS MATERIALIZED (
            SELECT DISTINCT w.word FROM search_word w WHERE w.doubted
        ), over AS MATERIALIZED (
            SELECT d.word FROM doubt d
            WHERE NOT EXISTS (SELECT FROM household_words k WHERE k.words @@ format('''%s''', d.word)::tsquery)
              AND NOT EXISTS (SELECT FROM sibling_group_words k WHERE k.words @@ format('''%s''', d.word)::tsquery)
        ), gone AS (
            DELETE FROM search_word w USING doubt d
            WHERE w.word = d.word AND (w.doubted OR w.word IN (SELECT o.word FROM over o))
        )
        SELECT count(*) INTO forgotten FROM over;
        RETURN forgotten;
    END
    $$
"""

REBUILD = """
    CREATE FUNCTION keep_words_of_all() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        PERFORM keep_words_of_households(ARRAY(SELECT h.id FROM household h));
        PERFORM keep_words_of_groups(ARRAY(SELECT g.id FROM sibling_group g));
        IF (SELECT count(*) FROM household_words) <> (SELECT count(*) FROM household)
            OR (SELECT count(*) FROM sibling_group_words) <> (SELECT count(*) FROM sibling_group) THEN
            RAISE EXCEPTION 'the words of some records were not kept';
        END IF;
    END
    $$
"""
