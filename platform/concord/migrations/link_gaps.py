"""What revision 0037 adds beside links: matched records look for nobody, and clocks of records are told of.

A function settles both records of a match, for each is of an agency of its own. A trigger keeps them so while the match
stands, whatever a sheet says.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import bar, give_function, may_read

DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
TODAY = "(now() AT TIME ZONE 'UTC')::date"
HELD = f"a.starts_on <= {TODAY} AND (a.ends_on IS NULL OR a.ends_on > {TODAY})"
STEPS = (
    "'start', 'consider', 'shortlist', 'visit', 'meet', 'go_to_panel', 'match', 'introduce', 'place', 'order', "
    "'disrupt', 'end', 'foster', 'name_carer', 'hold', 'release', 'step_back'"
)
STATUSES = "'waiting', 'on_hold', 'matched', 'withdrawn'"
MATCHED = "'matched', 'introductions', 'placed', 'ordered'"
RECORDS = {"sibling_group": "group", "household": "household"}
"""Tables of records, with what their triggers' functions are called by."""


def settle_matches() -> None:
    """Let records be matched, settle both of a match, and keep them so while it stands."""
    for table, side in RECORDS.items():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_status_check")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_status_check CHECK (status IN ({STATUSES}))")
        op.execute(f"GRANT SELECT (id, agency_id, status), UPDATE (status, changed_at) ON {table} TO concord_work")
        may_read(table, "true", role="concord_work", name="matched")
        op.execute(
            f"CREATE POLICY {table}_matched_update ON {table} FOR UPDATE TO concord_work USING (true) WITH CHECK (true)"
        )
        op.execute(_KEEP.replace("/*side*/", side).replace("/*column*/", f"{table}_id"))
        op.execute(f"REVOKE ALL ON FUNCTION keep_{side}_matched() FROM PUBLIC")
        op.execute(f"""
            CREATE TRIGGER {table}_matched BEFORE UPDATE OF status ON {table} FOR EACH ROW
            WHEN (current_user = 'concord_app' AND NEW.status = 'waiting' AND OLD.status <> 'waiting')
            EXECUTE FUNCTION keep_{side}_matched()
        """)
    op.execute("GRANT SELECT (sibling_group_id, household_id) ON link TO concord_work")
    op.execute(_SETTLE)
    give_function("settle_match(uuid, boolean)", "concord_work")
    # The owner sees no row; whoever settles matches does.
    op.execute("SET LOCAL ROLE concord_work")
    for table in RECORDS:
        op.execute(
            f"UPDATE {table} SET status = 'matched' WHERE status = 'waiting' AND id IN "
            f"(SELECT l.{table}_id FROM link l WHERE l.state IN ({MATCHED}))"
        )
    op.execute("SET LOCAL ROLE concord_owner")


def keep_more_of_steps() -> None:
    """Know a step back, a day that was taken back, and in what capacity somebody decided."""
    op.execute("ALTER TABLE link_step DROP CONSTRAINT link_step_step_check")
    op.execute(f"ALTER TABLE link_step ADD CONSTRAINT link_step_step_check CHECK (step IN ({STEPS}))")
    # Without a day: what was said before was taken back.
    op.execute("ALTER TABLE link_day ALTER COLUMN day DROP NOT NULL")
    # Decisions that were made before do not say.
    op.execute("ALTER TABLE match_decision ADD COLUMN person_roles text[] CHECK (cardinality(person_roles) > 0)")


def take_minutes_as_files() -> None:
    """Let the minutes of a panel be a file, which has pages, as well as words."""
    op.execute("""
        DO $$ BEGIN
            EXECUTE 'ALTER TABLE panel_paper DROP CONSTRAINT ' || (
                SELECT quote_ident(c.conname) FROM pg_constraint c WHERE c.conrelid = 'panel_paper'::regclass
                AND c.contype = 'c' AND pg_get_constraintdef(c.oid) LIKE '%placement_report%pages IS NOT NULL%');
        END $$
    """)
    op.execute("""
        ALTER TABLE panel_paper ADD CHECK (CASE kind WHEN 'placement_report' THEN pages IS NOT NULL
            WHEN 'minutes' THEN true ELSE pages IS NULL END)
    """)


def tell_of_records() -> None:
    """Let a notice tell of a time that runs for one of the agency's own records, without a link."""
    op.execute("""
        ALTER TABLE notice
            ALTER COLUMN link_id DROP NOT NULL,
            ADD COLUMN sibling_group_id uuid,
            ADD COLUMN household_id uuid,
            -- By its id alone: a notice is a person's, and stays behind where the record moves to another agency.
            ADD CHECK (num_nonnulls(link_id, sibling_group_id, household_id) = 1)
    """)
    op.execute("""
        CREATE UNIQUE INDEX notice_record_key
        ON notice (agency_id, person_id, (coalesce(sibling_group_id, household_id)), mark) WHERE link_id IS NULL
    """)
    op.execute("DROP POLICY notice_bar ON notice")
    bar("notice", "coalesce(link_id, sibling_group_id, household_id) <> ALL ((SELECT scope_barred())::uuid[])")
    for table, columns in _TOLD.items():
        may_read(table, "true", role="concord_work", name="told")
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO concord_work")
    op.execute("SET LOCAL ROLE concord_work")
    op.execute("DROP FUNCTION agencies_with_links(text)")
    op.execute("SET LOCAL ROLE concord_owner")
    for statement, signature in ((_ON_RECORD, "notice_record_clock(uuid, text, text)"), (_CLOCKED, _CLOCKED_CALL)):
        op.execute(statement)
        give_function(signature, "concord_work")


# What a sheet or an undone import says of a record does not free it while its match stands: its agency reads the link.
_KEEP = f"""
    CREATE FUNCTION keep_/*side*/_matched() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM link l WHERE l./*column*/ = NEW.id AND l.state IN ({MATCHED})) THEN
            NEW.status := 'matched';
        END IF;
        RETURN NEW;
    END
    $$
"""
# In the step's own transaction, before the link's state is changed: with a match neither looks for anybody any more.
# When one ends, children who were not placed yet wait again. Whether a family is free, and what becomes of children
# after a disruption, their own agency says: until then they are on hold.
_SETTLE = f"""
    CREATE FUNCTION settle_match(its_link uuid, begins boolean) RETURNS void LANGUAGE plpgsql {DEFINER} AS $$
    DECLARE
        l link%ROWTYPE;
    BEGIN
        SELECT id, state, sibling_group_id, household_id, group_agency_id, household_agency_id
            INTO l.id, l.state, l.sibling_group_id, l.household_id, l.group_agency_id, l.household_agency_id
            FROM link WHERE id = its_link;
        IF l.id IS NULL OR scope_agency() IS NULL OR scope_agency() NOT IN (l.group_agency_id, l.household_agency_id)
            OR (begins AND l.state <> 'panel')
            OR (NOT begins AND l.state NOT IN ('matched', 'introductions', 'placed'))
        THEN
            RAISE EXCEPTION 'no match begins or ends here' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF begins THEN
            UPDATE sibling_group SET status = 'matched', changed_at = now()
                WHERE id = l.sibling_group_id AND status IN ('waiting', 'on_hold');
            UPDATE household SET status = 'matched', changed_at = now()
                WHERE id = l.household_id AND status IN ('waiting', 'on_hold');
        ELSE
            UPDATE sibling_group SET status = CASE l.state WHEN 'placed' THEN 'on_hold' ELSE 'waiting' END,
                changed_at = now() WHERE id = l.sibling_group_id AND status = 'matched';
            UPDATE household SET status = 'on_hold', changed_at = now()
                WHERE id = l.household_id AND status = 'matched';
        END IF;
    END
    $$
"""
_TOLD = {"record_bar": "person_id, email, household_id, sibling_group_id, lifted_at", "person": "id, email"}
# Of a record of one's own agency: whoever looks for a family for the children, or goes with the family, and managers.
_ON_RECORD = f"""
    CREATE FUNCTION notice_record_clock(wanted uuid, clock text, about text) RETURNS void LANGUAGE sql {DEFINER} AS $$
        INSERT INTO notice (id, sibling_group_id, household_id, agency_id, person_id, kind, what, mark, at)
        SELECT DISTINCT ON (a.person_id) gen_random_uuid(), r.sibling_group_id, r.household_id, a.agency_id,
            a.person_id, 'clock', clock, about, now()
        FROM (SELECT g.id AS sibling_group_id, NULL::uuid AS household_id, g.agency_id, 'family_finder' AS worker
              FROM sibling_group g WHERE g.id = wanted
              UNION ALL SELECT NULL, h.id, h.agency_id, 'adopters_worker' FROM household h WHERE h.id = wanted) r
            JOIN appointment a ON a.agency_id = r.agency_id AND a.role IN (r.worker, 'manager') AND {HELD}
            JOIN person p ON p.id = a.person_id
        WHERE r.agency_id = scope_agency()
          AND NOT EXISTS (SELECT FROM record_bar b WHERE b.lifted_at IS NULL
            AND (b.person_id = p.id OR b.email = lower(p.email))
            AND coalesce(b.household_id, b.sibling_group_id) = wanted)
        ORDER BY a.person_id
        ON CONFLICT DO NOTHING
    $$
"""
_CLOCKED_CALL = "agencies_with_clocks(text)"
# In whose scope the clocks of links and records are still to be looked at, on the day that a job's key says.
_CLOCKED = f"""
    CREATE FUNCTION agencies_with_clocks(asked text) RETURNS SETOF uuid LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT each.agency_id FROM (
            SELECT l.group_agency_id AS agency_id FROM link l WHERE l.state NOT IN ('ordered', 'ended', 'disrupted')
            UNION SELECT g.agency_id FROM sibling_group g WHERE g.status <> 'withdrawn'
            UNION SELECT h.agency_id FROM household h WHERE h.status <> 'withdrawn') each
        WHERE scope_agency() IS NULL
          AND NOT EXISTS (SELECT FROM job j WHERE j.agency_id = each.agency_id AND j.kind = 'clock_notices'
            AND j.key = asked)
        ORDER BY 1
    $$
"""
