"""What is said on a link, who is told of it, and the calendar of who works on it.

A side's notes are its own, sealed under its key. Messages and their files are both sides', each sealed under a key of
its own. Notices are given by the database itself in the transaction of what they tell of, to people of both sides who
may read the link; they say what kind of thing happened, and nothing of what it was.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, bar, give_function, may_read, may_write, wall

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

ME = "(SELECT scope_person())"
MINE = f"person_id = {ME}"
SELF = f"person_id = {ME} AND person_name = (SELECT p.name FROM person p WHERE p.id = {ME})"
PARTY = "(SELECT scope_agency()) IN (group_agency_id, household_agency_id)"
PARTIES = "link_id, group_agency_id, household_agency_id"
ALONG = "ON UPDATE CASCADE ON DELETE CASCADE"
OF_LINK = f"FOREIGN KEY ({PARTIES}) REFERENCES link (id, group_agency_id, household_agency_id) {ALONG}"
UNSEALED = "link_id NOT IN (SELECT s.link_id FROM sealing s)"
"""Once somebody has asked to seal an adoption, each agency gathers what it keeps: what came later would be lost."""
WRITER = "person_id uuid NOT NULL, person_name text NOT NULL, at timestamptz NOT NULL"
SIDES = """
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            -- Whose it is: the side on which it was written.
            agency_id uuid NOT NULL CHECK (agency_id IN (group_agency_id, household_agency_id))
"""
WORKERS = "'family_finder', 'childs_social_worker', 'adopters_worker', 'manager'"
KEEPERS = "'family_finder', 'adopters_worker', 'manager'"
"""Who may read links, and who may take their steps: as the table of permissions has it, which a test holds it to."""
KINDS = "'step', 'message', 'mention', 'grant', 'clock'"
TODAY = "(now() AT TIME ZONE 'UTC')::date"
HELD = f"a.starts_on <= {TODAY} AND (a.ends_on IS NULL OR a.ends_on > {TODAY})"
DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
BARRED = "link_id <> ALL ((SELECT scope_barred())::uuid[])"


def upgrade() -> None:
    """Create notes, messages with their files, notices and calendars."""
    _notes()
    _messages()
    _notices()
    _calendars()
    _rights()
    _functions()
    for table in ("link_note", "link_message", "link_file", "notice"):
        bar(table, BARRED)


def _notes() -> None:
    op.execute(f"""
        CREATE TABLE link_note (
            id uuid PRIMARY KEY,
            {SIDES},
            {WRITER},
            sealed bytea NOT NULL CHECK (length(sealed) <= 100000),
            {OF_LINK}
        )
    """)
    op.execute("CREATE INDEX link_note_agency_idx ON link_note (agency_id, link_id)")
    op.execute("CREATE INDEX link_note_link_idx ON link_note (link_id)")
    wall("link_note")
    may_read("link_note", OWN)
    may_write("link_note", f"{OWN} AND {SELF} AND {UNSEALED}", verbs="INSERT")
    op.execute("GRANT SELECT ON link_note TO concord_app")


def _messages() -> None:
    op.execute(f"""
        CREATE TABLE link_message (
            id uuid PRIMARY KEY,
            {SIDES},
            {WRITER},
            -- Its words, whom it names and what its file is called, under a key of its own.
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL CHECK (length(sealed) <= 100000),
            CONSTRAINT link_message_parties_key UNIQUE (id, {PARTIES}, agency_id),
            {OF_LINK}
        )
    """)
    op.execute(f"""
        CREATE TABLE link_file (
            id uuid PRIMARY KEY,
            {SIDES},
            kind text NOT NULL CHECK (kind IN ('pdf', 'png', 'jpg')),
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL CHECK (length(sealed) <= 21000000),
            -- It is a message's, and has its id.
            FOREIGN KEY (id, {PARTIES}, agency_id) REFERENCES link_message (id, {PARTIES}, agency_id) {ALONG}
        )
    """)
    for table in ("link_message", "link_file"):
        op.execute(f"CREATE INDEX {table}_agency_idx ON {table} (agency_id)")
        op.execute(f"CREATE INDEX {table}_link_idx ON {table} (link_id)")
        wall(table)
        may_read(table, PARTY)
    may_write("link_message", f"{PARTY} AND {OWN} AND {SELF} AND {UNSEALED}", verbs="INSERT")
    own_message = f"id IN (SELECT m.id FROM link_message m WHERE m.person_id = {ME})"
    may_write("link_file", f"{PARTY} AND {OWN} AND {own_message}", verbs="INSERT")
    op.execute("GRANT SELECT ON link_message, link_file TO concord_app")


def _notices() -> None:
    op.execute(f"""
        CREATE TABLE notice (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL REFERENCES link {ALONG},
            -- Whose person is told.
            agency_id uuid NOT NULL REFERENCES agency,
            person_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ({KINDS})),
            -- Which step, report or clock: a word of Concord's own, never of a person.
            what text,
            -- What it tells of: a person is told of the same thing once.
            mark text NOT NULL,
            at timestamptz NOT NULL,
            mailed_at timestamptz,
            CONSTRAINT notice_mark_key UNIQUE (agency_id, person_id, link_id, mark)
        )
    """)
    op.execute("CREATE INDEX notice_link_idx ON notice (link_id)")
    op.execute("CREATE INDEX notice_waiting_idx ON notice (at) WHERE mailed_at IS NULL")
    op.execute("""
        CREATE TABLE notice_choice (
            agency_id uuid NOT NULL REFERENCES agency,
            person_id uuid NOT NULL,
            way text NOT NULL CHECK (way IN ('off', 'at_once', 'daily')),
            chosen_at timestamptz NOT NULL,
            PRIMARY KEY (agency_id, person_id)
        )
    """)
    for table in ("notice", "notice_choice"):
        wall(table)
        may_read(table, f"{OWN} AND {MINE}")
    may_write(
        "notice",
        f"{OWN} AND {MINE}",
        only=f"{OWN} AND {MINE} AND mailed_at IS NULL",
        verbs="UPDATE",
        columns="mailed_at",
    )
    may_write("notice_choice", f"{OWN} AND {MINE}", verbs="INSERT")
    may_write("notice_choice", f"{OWN} AND {MINE}", verbs="UPDATE", columns="way, chosen_at")
    op.execute("GRANT SELECT ON notice, notice_choice TO concord_app")


def _calendars() -> None:
    op.execute("""
        CREATE TABLE calendar_feed (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            person_id uuid NOT NULL,
            -- SHA-256 of the secret in its address; the secret itself is kept nowhere.
            digest bytea NOT NULL CHECK (length(digest) = 32),
            made_at timestamptz NOT NULL,
            withdrawn_at timestamptz
        )
    """)
    op.execute("CREATE INDEX calendar_feed_agency_idx ON calendar_feed (agency_id, person_id)")
    op.execute("CREATE INDEX calendar_feed_digest_idx ON calendar_feed (digest) WHERE withdrawn_at IS NULL")
    wall("calendar_feed")
    may_read("calendar_feed", f"{OWN} AND {MINE}")
    may_write("calendar_feed", f"{OWN} AND {MINE} AND withdrawn_at IS NULL", verbs="INSERT")
    may_write(
        "calendar_feed",
        f"{OWN} AND {MINE}",
        only=f"{OWN} AND {MINE} AND withdrawn_at IS NULL",
        verbs="UPDATE",
        columns="withdrawn_at",
    )
    op.execute("GRANT SELECT (id, agency_id, person_id, made_at, withdrawn_at) ON calendar_feed TO concord_app")


def _rights() -> None:
    """Let the functions' owners read what they need."""
    op.execute("GRANT SELECT (name) ON person TO concord_place")
    op.execute("GRANT SELECT (role) ON appointment TO concord_place")
    op.execute("GRANT SELECT (group_agency_id, household_agency_id) ON link TO concord_place")
    may_read("calendar_feed", "true", role="concord_place", name="place")
    op.execute("GRANT SELECT (agency_id, person_id, digest, withdrawn_at) ON calendar_feed TO concord_place")
    for table in ("link", "link_step", "link_message", "link_note", "notice", "notice_choice", "appointment"):
        may_read(table, "true", role="concord_work", name="told")
    op.execute("GRANT SELECT (link_id, agency_id, person_id) ON link_step, link_note TO concord_work")
    op.execute("GRANT SELECT (id, link_id, agency_id, person_id, at) ON link_message TO concord_work")
    op.execute("GRANT SELECT (person_id, agency_id, role, starts_on, ends_on) ON appointment TO concord_work")
    op.execute("GRANT SELECT ON notice, notice_choice TO concord_work")
    op.execute("GRANT SELECT (key) ON job TO concord_work")
    may_write("notice", "true", role="concord_work", verbs="INSERT, DELETE")
    op.execute("CREATE POLICY notice_work_update ON notice FOR UPDATE TO concord_work USING (true) WITH CHECK (true)")
    op.execute("GRANT UPDATE (kind) ON notice TO concord_work")
    op.execute("GRANT SELECT (id, group_agency_id, household_agency_id, state) ON link TO concord_work")


def _functions() -> None:
    for statement, signature, owner, to in (
        (READERS, "link_readers(uuid)", "concord_place", "concord_app, concord_work"),
        (CALENDAR, "calendar_of(bytea)", "concord_place", "concord_app"),
        (FOLLOWERS, "link_followers(uuid)", "concord_work", "concord_work"),
        (GIVE, "give_notices(uuid, uuid, uuid, text, text, text)", "concord_work", "concord_work"),
        (ON_STEP, "notice_step()", "concord_work", "concord_owner"),
        (ON_MESSAGE, "notice_message()", "concord_work", "concord_owner"),
        (ON_GRANT, "notice_grant()", "concord_work", "concord_owner"),
        (MENTION, "mention_in(uuid, uuid)", "concord_work", "concord_app"),
        (ON_CLOCK, "notice_clock(uuid, text, text)", "concord_work", "concord_app"),
        (DUE, "people_to_mail(timestamptz)", "concord_work", "concord_app"),
        (LINKED, "agencies_with_links(text)", "concord_work", "concord_app"),
        (FORGET, "forget_notices(timestamptz)", "concord_work", "concord_app"),
    ):
        op.execute(statement)
        give_function(signature, owner, to=to)
    for trigger, event, condition, function in (
        ("link_step_notice", "INSERT ON link_step", "", "notice_step"),
        ("link_message_notice", "INSERT ON link_message", "", "notice_message"),
        (
            "document_grant_notice",
            "INSERT OR UPDATE OF decided_at ON document_grant",
            "WHEN (NEW.decided_at IS NOT NULL AND NEW.declined IS NULL AND NEW.revoked_at IS NULL)",
            "notice_grant",
        ),
    ):
        op.execute(f"CREATE TRIGGER {trigger} AFTER {event} FOR EACH ROW {condition} EXECUTE FUNCTION {function}()")


# The people of a link's two agencies who may read it, for who is of one of them: by their roles, and not shut out.
READERS = f"""
    CREATE FUNCTION link_readers(wanted uuid) RETURNS TABLE (person_id uuid, person_name text, agency_id uuid)
    LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT DISTINCT p.id, p.name, a.agency_id
        FROM link l JOIN appointment a ON a.agency_id IN (l.group_agency_id, l.household_agency_id)
            JOIN person p ON p.id = a.person_id
        WHERE l.id = wanted AND scope_agency() IN (l.group_agency_id, l.household_agency_id)
          AND l.id <> ALL (scope_barred()) AND a.role IN ({WORKERS}) AND {HELD}
          AND NOT EXISTS (SELECT FROM record_bar b WHERE b.lifted_at IS NULL
            AND (b.person_id = p.id OR b.email = lower(p.email))
            AND coalesce(b.household_id, b.sibling_group_id) IN (l.household_id, l.sibling_group_id))
    $$
"""
# Those of them who have had a part in it; on a side where nobody has, all who may take its steps.
FOLLOWERS = f"""
    CREATE FUNCTION link_followers(wanted uuid) RETURNS TABLE (person_id uuid, agency_id uuid)
    LANGUAGE sql STABLE {DEFINER} AS $$
        WITH reader AS (SELECT r.person_id, r.agency_id FROM link_readers(wanted) r),
        part AS (
            SELECT s.person_id, s.agency_id FROM link_step s WHERE s.link_id = wanted
            UNION SELECT m.person_id, m.agency_id FROM link_message m WHERE m.link_id = wanted
            UNION SELECT n.person_id, n.agency_id FROM link_note n WHERE n.link_id = wanted
        ),
        follower AS (SELECT r.* FROM reader r JOIN part USING (person_id, agency_id))
        SELECT f.person_id, f.agency_id FROM follower f
        UNION
        SELECT r.person_id, r.agency_id FROM reader r
        WHERE r.agency_id NOT IN (SELECT f.agency_id FROM follower f)
          AND EXISTS (SELECT FROM appointment a WHERE a.person_id = r.person_id AND a.agency_id = r.agency_id
            AND a.role IN ({KEEPERS}) AND {HELD})
    $$
"""
# To all who follow a link, of one agency where one is named; never to who did it.
GIVE = f"""
    CREATE FUNCTION give_notices(wanted uuid, only_agency uuid, author uuid, sort text, word text, about text)
    RETURNS void LANGUAGE sql {DEFINER} AS $$
        INSERT INTO notice (id, link_id, agency_id, person_id, kind, what, mark, at)
        SELECT gen_random_uuid(), wanted, f.agency_id, f.person_id, sort, word, about, now()
        FROM link_followers(wanted) f
        WHERE f.person_id IS DISTINCT FROM author AND (only_agency IS NULL OR f.agency_id = only_agency)
        ON CONFLICT DO NOTHING
    $$
"""
ON_STEP = f"""
    CREATE FUNCTION notice_step() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
    BEGIN
        PERFORM give_notices(NEW.link_id, CASE NEW.agency_id WHEN NEW.group_agency_id THEN NEW.household_agency_id
            ELSE NEW.group_agency_id END, NEW.person_id, 'step', NEW.step, 'step ' || NEW.version);
        RETURN NULL;
    END
    $$
"""
ON_MESSAGE = f"""
    CREATE FUNCTION notice_message() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
    BEGIN
        PERFORM give_notices(NEW.link_id, NULL, NEW.person_id, 'message', NULL, 'message ' || NEW.id);
        RETURN NULL;
    END
    $$
"""
ON_GRANT = f"""
    CREATE FUNCTION notice_grant() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
    BEGIN
        INSERT INTO notice (id, link_id, agency_id, person_id, kind, what, mark, at)
        SELECT gen_random_uuid(), NEW.link_id, r.agency_id, r.person_id, 'grant', NEW.kind,
            'grant ' || NEW.id || ' ' || NEW.decided_at, now()
        FROM link_readers(NEW.link_id) r
        WHERE r.person_id = NEW.person_id AND r.person_id IS DISTINCT FROM NEW.decided_by
          AND r.agency_id = CASE NEW.kind WHEN 'par' THEN NEW.group_agency_id ELSE NEW.household_agency_id END
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
    $$
"""
# Whoever wrote a message names somebody in it who may read it.
MENTION = f"""
    CREATE FUNCTION mention_in(message uuid, named uuid) RETURNS boolean LANGUAGE sql {DEFINER} AS $$
        WITH given AS (
            INSERT INTO notice (id, link_id, agency_id, person_id, kind, mark, at)
            SELECT gen_random_uuid(), m.link_id, r.agency_id, r.person_id, 'mention', 'message ' || m.id, now()
            FROM link_message m CROSS JOIN LATERAL link_readers(m.link_id) r
            WHERE m.id = message AND m.person_id = scope_person() AND m.agency_id = scope_agency()
              AND r.person_id = named AND m.at > now() - interval '1 hour'
            ON CONFLICT (agency_id, person_id, link_id, mark) DO UPDATE SET kind = 'mention'
            RETURNING 1
        )
        SELECT EXISTS (SELECT FROM given)
    $$
"""
# One's own agency's people, of a clock of its own: the schedule reads the clocks in each agency's scope.
ON_CLOCK = f"""
    CREATE FUNCTION notice_clock(wanted uuid, clock text, about text) RETURNS void LANGUAGE sql {DEFINER} AS $$
        SELECT give_notices(wanted, scope_agency(), NULL, 'clock', clock, about)
    $$
"""
# Whom a mail is due: at once, or once a day from seven in the morning. What is older than a week is mailed to nobody.
DUE = f"""
    CREATE FUNCTION people_to_mail(asked_at timestamptz)
    RETURNS TABLE (agency_id uuid, person_id uuid, way text, newest_id uuid) LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT n.agency_id, n.person_id, coalesce(c.way, 'daily'),
            (array_agg(n.id ORDER BY n.at DESC, n.id))[1]
        FROM notice n LEFT JOIN notice_choice c ON c.agency_id = n.agency_id AND c.person_id = n.person_id
        WHERE n.mailed_at IS NULL AND n.at > asked_at - interval '7 days' AND scope_agency() IS NULL
          AND EXISTS (SELECT FROM appointment a WHERE a.person_id = n.person_id AND a.agency_id = n.agency_id
            AND a.role IN ({WORKERS}) AND {HELD})
        GROUP BY n.agency_id, n.person_id, c.way
        HAVING c.way = 'at_once' OR (coalesce(c.way, 'daily') = 'daily'
            AND extract(hour FROM asked_at AT TIME ZONE 'Europe/London') >= 7
            AND NOT EXISTS (SELECT FROM notice m WHERE m.agency_id = n.agency_id AND m.person_id = n.person_id
                AND (m.mailed_at AT TIME ZONE 'Europe/London')::date = (asked_at AT TIME ZONE 'Europe/London')::date))
        ORDER BY 1, 2
    $$
"""
# In whose scope the clocks of links are still to be looked at, on the day that a job's key says.
LINKED = f"""
    CREATE FUNCTION agencies_with_links(asked text) RETURNS SETOF uuid LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT DISTINCT l.group_agency_id FROM link l
        WHERE l.state NOT IN ('ordered', 'ended', 'disrupted') AND scope_agency() IS NULL
          AND NOT EXISTS (SELECT FROM job j WHERE j.agency_id = l.group_agency_id AND j.kind = 'clock_notices'
            AND j.key = asked)
        ORDER BY 1
    $$
"""
FORGET = f"""
    CREATE FUNCTION forget_notices(before timestamptz) RETURNS bigint LANGUAGE sql {DEFINER} AS $$
        WITH gone AS (
            DELETE FROM notice WHERE at < least(before, now() - interval '60 days') AND scope_agency() IS NULL
            RETURNING 1
        )
        SELECT count(*) FROM gone
    $$
"""
# In whose scope a calendar is read: of who still works there.
CALENDAR = f"""
    CREATE FUNCTION calendar_of(secret_digest bytea) RETURNS TABLE (agency_id uuid, person_id uuid)
    LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT c.agency_id, c.person_id FROM calendar_feed c
        WHERE c.digest = secret_digest AND c.withdrawn_at IS NULL AND EXISTS (
            SELECT FROM appointment a WHERE a.person_id = c.person_id AND a.agency_id = c.agency_id
              AND a.role IN ({WORKERS}) AND {HELD})
    $$
"""
