"""Links as far as an order: every state, days, the match decision, legal holds, clocks, declines, siblings apart.

What opens a report follows the link: a PAR from the moment both sides consider it, a CPR from the linking meeting,
and neither once the link has ended, the children are adopted or the placement has broken down.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.link_reports import FINAL, ME, PARTY, SELF, TODAY, open_reports_by_stage
from concord.migrations.link_way import hold_links_to_their_way
from concord.migrations.wall import OWN, bar, give_function, may_read, may_write, wall

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

STATES = (
    "'interest', 'considering', 'shortlisted', 'visiting', 'linking_meeting', 'panel', 'matched', 'introductions', "
    "'placed', 'ordered', 'ended', 'disrupted'"
)
OUTCOMES = (
    "'not_right', 'family_withdrew', 'other_family', 'other_children', 'not_approved', 'plan_changed', "
    "'group_changed', 'other'"
)
STEPS = (
    "'start', 'consider', 'shortlist', 'visit', 'meet', 'go_to_panel', 'match', 'introduce', 'place', 'order', "
    "'disrupt', 'end', 'foster', 'name_carer', 'hold', 'release'"
)
DAYS = (
    "'visit', 'linking_meeting', 'panel', 'report_given', 'minutes_final', 'told_orally', 'told_in_writing', "
    "'introductions', 'moved_in', 'fostered', 'ordered', 'disrupted'"
)
CLOCKS = (
    "'match', 'match_relinquished', 'decision', 'told_orally', 'told_in_writing', 'report_before_panel', "
    "'refer_child', 'refer_adopters'"
)
MINE = f"person_id = {ME}"
PARTIES = "link_id, group_agency_id, household_agency_id"
ALONG = "ON UPDATE CASCADE ON DELETE CASCADE"
"""What hangs on a link or a record goes with it, and follows when its id is changed."""
OF_LINK = f"FOREIGN KEY ({PARTIES}) REFERENCES link (id, group_agency_id, household_agency_id) {ALONG}"
OWN_GROUP = f"FOREIGN KEY (sibling_group_id, agency_id) REFERENCES sibling_group (id, agency_id) {ALONG}"
OWN_HOUSEHOLD = f"FOREIGN KEY (household_id, agency_id) REFERENCES household (id, agency_id) {ALONG}"
BOTH_RECORDS = (
    f"FOREIGN KEY (sibling_group_id, group_agency_id) REFERENCES sibling_group (id, agency_id) {ALONG}, "
    f"FOREIGN KEY (household_id, household_agency_id) REFERENCES household (id, agency_id) {ALONG}"
)
WRITER = "person_id uuid NOT NULL, person_name text NOT NULL, at timestamptz NOT NULL"


def upgrade() -> None:
    """Widen links and steps, and create what hangs on them."""
    _states()
    _days()
    _decisions()
    _holds()
    _clocks()
    _declines()
    _siblings()
    hold_links_to_their_way()
    open_reports_by_stage()
    _caps()
    _put_up_bars()


def _states() -> None:
    op.execute("ALTER TABLE link DROP CONSTRAINT link_state_check, DROP CONSTRAINT link_outcome_check")
    op.execute(f"""
        ALTER TABLE link
            ADD CONSTRAINT link_state_check CHECK (state IN ({STATES})),
            ADD CONSTRAINT link_outcome_check CHECK (outcome IN ({OUTCOMES})),
            -- The ordinary way, with a child who moved in as fostered, or with the children's own foster carer.
            ADD COLUMN path text NOT NULL DEFAULT 'ordinary'
                CONSTRAINT link_path_check CHECK (path IN ('ordinary', 'early_permanence', 'foster_carer')),
            ADD COLUMN fostered_on date,
            ADD CONSTRAINT link_fostered_check CHECK (path = 'ordinary' OR fostered_on IS NOT NULL)
    """)
    op.execute("ALTER TABLE link_step DROP CONSTRAINT link_step_from_state_check")
    op.execute("ALTER TABLE link_step DROP CONSTRAINT link_step_to_state_check")
    op.execute(f"""
        ALTER TABLE link_step
            ADD CONSTRAINT link_step_from_state_check CHECK (from_state IN ({STATES})),
            ADD CONSTRAINT link_step_to_state_check CHECK (to_state IN ({STATES})),
            ADD COLUMN step text CONSTRAINT link_step_step_check CHECK (step IN ({STEPS})),
            -- Why it was taken although the consortium's cap had been reached.
            ADD COLUMN override text CHECK (override <> '')
    """)
    op.execute("DROP INDEX link_open_key")
    op.execute(f"""
        CREATE UNIQUE INDEX link_open_key ON link (sibling_group_id, household_id, group_agency_id, household_agency_id)
        WHERE state NOT IN ({FINAL})
    """)
    # Only one family goes to panel, and stays the only one as long as the match stands.
    op.execute("""
        CREATE UNIQUE INDEX link_one_family_key ON link (sibling_group_id, group_agency_id)
        WHERE state IN ('panel', 'matched', 'introductions', 'placed', 'ordered')
    """)
    # And a family goes there for one group at a time; a sibling may join a child who is placed.
    op.execute("""
        CREATE UNIQUE INDEX link_one_group_key ON link (household_id, household_agency_id)
        WHERE state IN ('panel', 'matched', 'introductions')
    """)
    # What has come to its end stays as it is.
    op.execute("DROP POLICY link_update ON link")
    may_write(
        "link",
        PARTY,
        only=f"{PARTY} AND state NOT IN ({FINAL})",
        verbs="UPDATE",
        columns="state, version, changed_at, outcome, feedback, path, fostered_on",
    )


def _days() -> None:
    op.execute(f"""
        CREATE TABLE link_day (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ({DAYS})),
            -- Counts what was said of a kind: the last is what holds, the others are history.
            number integer NOT NULL CHECK (number >= 1),
            day date NOT NULL,
            agency_id uuid NOT NULL CHECK (agency_id IN (group_agency_id, household_agency_id)),
            {WRITER},
            CONSTRAINT link_day_number_key UNIQUE (link_id, kind, number, agency_id),
            {OF_LINK}
        )
    """)
    op.execute("CREATE INDEX link_day_agency_idx ON link_day (agency_id)")
    wall("link_day")
    may_read("link_day", PARTY)
    may_write("link_day", f"{PARTY} AND {OWN} AND {SELF}", verbs="INSERT")
    op.execute("GRANT SELECT ON link_day TO concord_app")


def _decisions() -> None:
    op.execute(f"""
        CREATE TABLE match_decision (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            number integer NOT NULL CHECK (number >= 1),
            approved boolean NOT NULL,
            decided_on date NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            {WRITER},
            CONSTRAINT match_decision_number_key UNIQUE (link_id, number),
            {OF_LINK}
        )
    """)
    wall("match_decision")
    may_read("match_decision", PARTY)
    # The decision maker's own word, for the children's agency alone; nobody votes, and nobody changes it.
    holds = (
        f"EXISTS (SELECT FROM appointment a WHERE a.person_id = {ME} AND a.agency_id = (SELECT scope_agency()) "
        f"AND a.role = 'decision_maker' AND a.starts_on <= {TODAY} AND (a.ends_on IS NULL OR a.ends_on > {TODAY}))"
    )
    at_panel = "link_id IN (SELECT l.id FROM link l WHERE l.state = 'panel')"
    may_write(
        "match_decision",
        f"group_agency_id = (SELECT scope_agency()) AND {SELF} AND {holds} AND {at_panel}",
        verbs="INSERT",
    )
    op.execute("GRANT SELECT ON match_decision TO concord_app")


def _holds() -> None:
    op.execute(f"""
        CREATE TABLE legal_hold (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL,
            sibling_group_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('revocation', 'stay', 'direction')),
            from_on date NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            {WRITER},
            lifted_at timestamptz,
            lifted_by uuid,
            lifted_name text,
            lifted_reason text CHECK (lifted_reason <> ''),
            CHECK (num_nonnulls(lifted_at, lifted_by, lifted_name, lifted_reason) IN (0, 4)),
            {OWN_GROUP}
        )
    """)
    op.execute("CREATE INDEX legal_hold_agency_idx ON legal_hold (agency_id, sibling_group_id)")
    wall("legal_hold")
    may_read("legal_hold", OWN)
    may_write("legal_hold", f"{OWN} AND {MINE} AND lifted_at IS NULL", verbs="INSERT")
    may_write(
        "legal_hold",
        f"{OWN} AND lifted_by = {ME}",
        only=f"{OWN} AND lifted_at IS NULL",
        verbs="UPDATE",
        columns="lifted_at, lifted_by, lifted_name, lifted_reason",
    )
    op.execute("GRANT SELECT ON legal_hold TO concord_app")


def _clocks() -> None:
    op.execute(f"""
        CREATE TABLE clock_mark (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL,
            sibling_group_id uuid,
            household_id uuid,
            kind text NOT NULL CHECK (kind IN ('relinquished', 'referred')),
            day date NOT NULL,
            {WRITER},
            CHECK (num_nonnulls(sibling_group_id, household_id) = 1),
            {OWN_GROUP},
            {OWN_HOUSEHOLD}
        )
    """)
    op.execute("CREATE INDEX clock_mark_agency_idx ON clock_mark (agency_id)")
    # The agency's own: why it missed a time is between it and whoever inspects it.
    op.execute(f"""
        CREATE TABLE clock_reason (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL,
            clock text NOT NULL CHECK (clock IN ({CLOCKS})),
            link_id uuid REFERENCES link {ALONG},
            sibling_group_id uuid,
            household_id uuid,
            due_on date NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            {WRITER},
            CHECK (num_nonnulls(link_id, sibling_group_id, household_id) = 1),
            {OWN_GROUP},
            {OWN_HOUSEHOLD}
        )
    """)
    op.execute("CREATE INDEX clock_reason_agency_idx ON clock_reason (agency_id)")
    for table in ("clock_mark", "clock_reason"):
        wall(table)
        may_read(table, OWN)
    may_write("clock_mark", f"{OWN} AND {MINE}", verbs="INSERT")
    seen = "(link_id IS NULL OR link_id IN (SELECT l.id FROM link l))"
    may_write("clock_reason", f"{OWN} AND {MINE} AND {seen}", verbs="INSERT")
    op.execute("GRANT SELECT ON clock_mark, clock_reason TO concord_app")


def _declines() -> None:
    op.execute(f"""
        CREATE TABLE decline (
            id uuid PRIMARY KEY,
            -- Whose worker says so; the reason is theirs alone.
            agency_id uuid NOT NULL CHECK (agency_id IN (group_agency_id, household_agency_id)),
            sibling_group_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            {WRITER},
            taken_back_at timestamptz,
            taken_back_by uuid,
            CHECK ((taken_back_at IS NULL) = (taken_back_by IS NULL)),
            CONSTRAINT decline_parties_key UNIQUE (id, group_agency_id, household_agency_id),
            {BOTH_RECORDS}
        )
    """)
    op.execute("CREATE INDEX decline_agency_idx ON decline (agency_id)")
    op.execute("""
        CREATE UNIQUE INDEX decline_standing_key ON decline (agency_id, sibling_group_id, household_id)
        WHERE taken_back_at IS NULL
    """)
    # What the other agency can use, apart from why: it reads the one and not the other.
    op.execute(f"""
        CREATE TABLE decline_feedback (
            decline_id uuid NOT NULL,
            agency_id uuid NOT NULL CHECK (agency_id IN (group_agency_id, household_agency_id)),
            sibling_group_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            feedback text NOT NULL CHECK (feedback <> ''),
            at timestamptz NOT NULL,
            PRIMARY KEY (decline_id, agency_id),
            FOREIGN KEY (decline_id, group_agency_id, household_agency_id)
                REFERENCES decline (id, group_agency_id, household_agency_id) {ALONG},
            {BOTH_RECORDS}
        )
    """)
    op.execute("CREATE INDEX decline_feedback_agency_idx ON decline_feedback (agency_id)")
    for table in ("decline", "decline_feedback"):
        wall(table)
    seen = "sibling_group_id IN (SELECT g.id FROM sibling_group g) AND household_id IN (SELECT h.id FROM household h)"
    may_read("decline", OWN)
    may_write("decline", f"{OWN} AND {MINE} AND taken_back_at IS NULL AND {seen}", verbs="INSERT")
    may_write(
        "decline",
        f"{OWN} AND taken_back_by = {ME}",
        only=f"{OWN} AND taken_back_at IS NULL",
        verbs="UPDATE",
        columns="taken_back_at, taken_back_by",
    )
    may_read("decline_feedback", PARTY)
    may_write("decline_feedback", f"{OWN} AND {PARTY} AND decline_id IN (SELECT d.id FROM decline d)", verbs="INSERT")
    op.execute("GRANT SELECT ON decline, decline_feedback TO concord_app")


def _siblings() -> None:
    op.execute(f"""
        CREATE TABLE sibling_decision (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            kind text NOT NULL CHECK (kind IN ('apart', 'together')),
            decided_by text NOT NULL CHECK (decided_by <> ''),
            decided_on date NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            {WRITER},
            CONSTRAINT sibling_decision_owner_key UNIQUE (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX sibling_decision_agency_idx ON sibling_decision (agency_id)")
    op.execute(f"""
        CREATE TABLE sibling_move (
            id uuid PRIMARY KEY,
            sibling_decision_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            child_id uuid NOT NULL,
            sibling_group_id uuid NOT NULL,
            -- The group that the child left; it may have been destroyed since.
            from_group_id uuid NOT NULL,
            FOREIGN KEY (sibling_decision_id, agency_id) REFERENCES sibling_decision (id, agency_id),
            FOREIGN KEY (child_id, agency_id) REFERENCES child (id, agency_id) {ALONG},
            FOREIGN KEY (sibling_group_id, agency_id) REFERENCES sibling_group (id, agency_id) {ALONG}
        )
    """)
    op.execute("CREATE INDEX sibling_move_agency_idx ON sibling_move (agency_id)")
    for table in ("sibling_decision", "sibling_move"):
        wall(table)
        may_read(table, OWN)
    may_write("sibling_decision", f"{OWN} AND {MINE}", verbs="INSERT")
    may_write("sibling_move", OWN, verbs="INSERT")
    op.execute("GRANT SELECT ON sibling_decision, sibling_move TO concord_app")
    # A child's own report goes with the child.
    op.execute("GRANT UPDATE (sibling_group_id) ON document TO concord_app")


# Whether a group or a household of a link is at its consortium's cap: a yes or no, never how many nor who. Families in
# consideration are counted from “considering” on, interest in a family from its first word.
CAPS = """
    CREATE FUNCTION pair_at_caps(asked_group uuid, asked_household uuid, apart_from uuid)
    RETURNS TABLE (group_at_cap boolean, household_at_cap boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT
            (SELECT count(*) FROM link l WHERE l.consortium_id = c.id AND l.sibling_group_id = asked_group
                AND l.id IS DISTINCT FROM apart_from AND l.state IN ('considering', 'shortlisted', 'visiting',
                    'linking_meeting', 'panel', 'matched', 'introductions')) >= c.group_cap,
            (SELECT count(*) FROM link l WHERE l.consortium_id = c.id AND l.household_id = asked_household
                AND l.id IS DISTINCT FROM apart_from AND l.state IN ('interest', 'considering', 'shortlisted',
                    'visiting', 'linking_meeting', 'panel', 'matched', 'introductions')) >= c.household_cap
        FROM consortium c
        WHERE c.id = scope_consortium() AND scope_agency() IN (
            SELECT g.agency_id FROM sibling_group g WHERE g.id = asked_group
            UNION ALL SELECT h.agency_id FROM household h WHERE h.id = asked_household)
    $$
"""


def _caps() -> None:
    may_read("consortium", "true", role="concord_place", name="place")
    op.execute("GRANT SELECT (id, group_cap, household_cap) ON consortium TO concord_place")
    op.execute("GRANT SELECT (consortium_id, state) ON link TO concord_place")
    op.execute(CAPS)
    give_function("pair_at_caps(uuid, uuid, uuid)", "concord_place")


def _put_up_bars() -> None:
    barred = "<> ALL ((SELECT scope_barred())::uuid[])"
    for table, column in {
        "link_day": "link_id",
        "match_decision": "link_id",
        "legal_hold": "sibling_group_id",
        "clock_mark": "coalesce(household_id, sibling_group_id)",
        "clock_reason": "coalesce(link_id, household_id, sibling_group_id)",
        "sibling_move": "child_id",
    }.items():
        bar(table, f"{column} {barred}")
    for table in ("decline", "decline_feedback"):
        bar(table, f"sibling_group_id {barred} AND household_id {barred}")
