"""Placements: what is agreed for the children's moving in, when they did, the reviews since, and how it ended.

Both agencies of the link see the dates; the children's agency writes them. Its notes are its own. Who meets whom and
where is sealed under keys of their own, for both agencies have to open it.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, bar, may_read, may_write, wall

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

BOTH = "group_agency_id, household_agency_id"
PARTY = f"(SELECT scope_agency()) IN ({BOTH})"
CHILDREN_S = "group_agency_id = (SELECT scope_agency())"
FAMILY_S = "household_agency_id = (SELECT scope_agency())"
OF_PLACEMENT = (
    f"FOREIGN KEY (link_id, {BOTH}) REFERENCES placement (link_id, {BOTH}) ON UPDATE CASCADE ON DELETE CASCADE"
)
COURTS = "'family_court', 'high_court', 'sheriff_court', 'court_of_session', 'county_court', 'elsewhere'"
ENDED_BY = "'family', 'childrens_agency', 'familys_agency', 'together', 'court'"
SAME_LINK = (
    "link_id IN (SELECT l.id FROM link l WHERE l.sibling_group_id = placement.sibling_group_id "
    "AND l.household_id = placement.household_id AND l.consortium_id = placement.consortium_id)"
)
"""A placement is of the records that its link is of."""


def upgrade() -> None:
    """Create placements and what hangs on them."""
    _placements()
    _introductions()
    _reviews()
    _copies()
    _policies()


def _placements() -> None:
    op.execute(f"""
        CREATE TABLE placement (
            link_id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            sibling_group_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            -- Counts the changes: whoever acts on an older one is told that somebody was first.
            version integer NOT NULL CHECK (version >= 1),
            made_at timestamptz NOT NULL,
            matched_on date,
            plan_meeting_on date,
            plan_sent_on date,
            plan_agreed_on date,
            introductions_on date,
            midpoint_review_on date,
            midpoint_held_on date,
            moving_in_on date,
            -- The day from which the children live with the family, as fostered first or as placed for adoption.
            moved_in_on date,
            -- The day from which they are placed for adoption there.
            adoptive_start_on date,
            ordered_on date,
            court text CHECK (court IN ({COURTS})),
            disrupted_on date,
            ended_by text CHECK (ended_by IN ({ENDED_BY})),
            disruption_review_on date,
            disruption_reviewed_on date,
            -- Why the review was held outside its days.
            disruption_review_why text CHECK (disruption_review_why <> ''),
            CHECK (adoptive_start_on IS NULL OR moved_in_on IS NOT NULL),
            CHECK (adoptive_start_on >= moved_in_on),
            CHECK (court IS NULL OR ordered_on IS NOT NULL),
            CHECK (ordered_on >= adoptive_start_on),
            CHECK (ended_by IS NULL OR disrupted_on IS NOT NULL),
            CHECK (disrupted_on >= moved_in_on),
            CHECK (num_nonnulls(ordered_on, disrupted_on) <= 1),
            CHECK (disruption_reviewed_on >= disrupted_on),
            CONSTRAINT placement_parties_key UNIQUE (link_id, {BOTH}),
            FOREIGN KEY (link_id, {BOTH}) REFERENCES link (id, {BOTH}) ON UPDATE CASCADE ON DELETE CASCADE,
            FOREIGN KEY (sibling_group_id, group_agency_id) REFERENCES sibling_group (id, agency_id) ON UPDATE CASCADE,
            FOREIGN KEY (household_id, household_agency_id) REFERENCES household (id, agency_id) ON UPDATE CASCADE
        )
    """)
    op.execute("CREATE INDEX placement_group_agency_idx ON placement (group_agency_id)")
    op.execute("CREATE INDEX placement_household_agency_idx ON placement (household_agency_id)")
    op.execute("CREATE INDEX placement_sibling_group_idx ON placement (sibling_group_id)")
    op.execute("CREATE INDEX placement_household_idx ON placement (household_id)")
    op.execute(f"""
        CREATE TABLE placement_child (
            link_id uuid NOT NULL,
            child_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            position integer NOT NULL CHECK (position >= 0),
            -- Completed months of age on each of the days that rules may count from; null where no birth date is known.
            -- They are reckoned in the children's agency, which alone can open the birth date.
            months_matched integer CHECK (months_matched >= 0),
            months_moved_in integer CHECK (months_moved_in >= 0),
            months_adoptive integer CHECK (months_adoptive >= 0),
            PRIMARY KEY (link_id, child_id, {BOTH}),
            {OF_PLACEMENT},
            FOREIGN KEY (child_id, group_agency_id) REFERENCES child (id, agency_id) ON UPDATE CASCADE
        )
    """)
    op.execute("CREATE INDEX placement_child_child_idx ON placement_child (child_id)")
    op.execute(f"""
        CREATE TABLE placement_note (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            -- The children’s agency: notes are its own.
            agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            person_id uuid NOT NULL REFERENCES person,
            person_name text NOT NULL,
            at timestamptz NOT NULL,
            sealed bytea NOT NULL,
            FOREIGN KEY (link_id, agency_id, household_agency_id) REFERENCES placement (link_id, {BOTH})
                ON UPDATE CASCADE ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX placement_note_link_idx ON placement_note (link_id)")
    op.execute("CREATE INDEX placement_note_agency_idx ON placement_note (agency_id)")


def _introductions() -> None:
    op.execute(f"""
        CREATE TABLE placement_introduction (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            day date NOT NULL,
            starts_at time NOT NULL,
            ends_at time CHECK (ends_at > starts_at),
            -- Who, where and what, sealed under a key of its own, which is sealed under the master key.
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL,
            {OF_PLACEMENT}
        )
    """)
    op.execute("CREATE INDEX placement_introduction_link_idx ON placement_introduction (link_id, day)")


def _reviews() -> None:
    op.execute(f"""
        CREATE TABLE placement_review (
            link_id uuid NOT NULL,
            number integer NOT NULL CHECK (number >= 1),
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            -- As it was reckoned when the review was recorded.
            due_on date NOT NULL,
            held_on date,
            -- Why it was late or was not held.
            why text CHECK (why <> ''),
            person_id uuid NOT NULL REFERENCES person,
            person_name text NOT NULL,
            recorded_at timestamptz NOT NULL,
            CHECK (held_on IS NOT NULL OR why IS NOT NULL),
            CHECK (held_on <= due_on OR why IS NOT NULL),
            PRIMARY KEY (link_id, number, {BOTH}),
            {OF_PLACEMENT}
        )
    """)


def _copies() -> None:
    op.execute(f"""
        CREATE TABLE adopters_copy (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('record', 'par')),
            given_by uuid NOT NULL REFERENCES person,
            given_name text NOT NULL,
            given_at timestamptz NOT NULL,
            -- Its own data key, sealed under the master key; without it the copy is lost for good.
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL CHECK (length(sealed) <= 105000000),
            CONSTRAINT adopters_copy_kind_key UNIQUE (link_id, kind, {BOTH}),
            {OF_PLACEMENT}
        )
    """)


def _policies() -> None:
    of_placement = ("placement_child", "placement_note", "placement_introduction", "placement_review", "adopters_copy")
    for table in ("placement", *of_placement):
        wall(table)
    for table in ("placement", "placement_child", "placement_introduction", "placement_review", "adopters_copy"):
        may_read(table, PARTY)
    may_read("placement_note", OWN)
    may_write("placement", f"{CHILDREN_S} AND {SAME_LINK}", verbs="INSERT")
    may_write("placement", CHILDREN_S, verbs="UPDATE", columns=", ".join(PLACEMENT_CHANGES))
    may_write("placement_child", CHILDREN_S, verbs="INSERT")
    may_write("placement_child", CHILDREN_S, verbs="UPDATE", columns="months_matched, months_moved_in, months_adoptive")
    me = "person_id = (SELECT scope_person())"
    may_write("placement_note", f"{OWN} AND {me}", verbs="INSERT")
    may_write("placement_introduction", CHILDREN_S, verbs="INSERT, DELETE")
    may_write("placement_review", f"{CHILDREN_S} AND {me}", verbs="INSERT")
    may_write(
        "placement_review",
        f"{CHILDREN_S} AND {me}",
        only=f"{CHILDREN_S} AND held_on IS NULL",
        verbs="UPDATE",
        columns="held_on, why, person_id, person_name, recorded_at",
    )
    # The family's agency gives it, and neither changes it.
    may_write("adopters_copy", f"{FAMILY_S} AND given_by = (SELECT scope_person())", verbs="INSERT")
    op.execute(f"GRANT SELECT ON placement, {', '.join(of_placement)} TO concord_app")
    for table in ("placement", *of_placement):
        bar(table, "link_id <> ALL ((SELECT scope_barred())::uuid[])")


PLACEMENT_CHANGES = (
    *("version", "matched_on", "plan_meeting_on", "plan_sent_on", "plan_agreed_on", "introductions_on"),
    *("midpoint_review_on", "midpoint_held_on", "moving_in_on", "moved_in_on"),
    *("adoptive_start_on", "ordered_on", "court", "disrupted_on", "ended_by"),
    *("disruption_review_on", "disruption_reviewed_on", "disruption_review_why"),
)
"""What the children's agency changes of a placement."""
