"""Placements, and their sealing: what is agreed for moving in, when it was, the reviews since, and how it ended.

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
OF_PLACEMENT = f"FOREIGN KEY (link_id, {BOTH}) REFERENCES placement (link_id, {BOTH}) ON DELETE CASCADE"
COURTS = "'family_court', 'high_court', 'sheriff_court', 'court_of_session', 'county_court', 'elsewhere'"
ENDED_BY = "'family', 'childrens_agency', 'familys_agency', 'together', 'court'"
TODAY = "(now() AT TIME ZONE 'UTC')::date"
ROLES = (
    "'family_finder', 'adopters_worker', 'coordinator', 'finance_officer', 'manager', 'information_governance', "
    "'childs_social_worker', 'decision_maker', 'panel_adviser', 'medical_adviser', 'legal_adviser', 'administrator', "
    "'adoption_records', 'operator'"
)
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
    _role()
    _sealing()


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
            FOREIGN KEY (link_id, {BOTH}) REFERENCES link (id, {BOTH}) ON DELETE CASCADE,
            FOREIGN KEY (sibling_group_id, group_agency_id) REFERENCES sibling_group (id, agency_id),
            FOREIGN KEY (household_id, household_agency_id) REFERENCES household (id, agency_id)
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
            FOREIGN KEY (child_id, group_agency_id) REFERENCES child (id, agency_id)
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
                ON DELETE CASCADE
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


def _role() -> None:
    """Let people be appointed who alone open adoption records."""
    for table, name, rule in (
        ("appointment", "appointment_role_check", f"role IN ({ROLES})"),
        ("identity_provider_role", "identity_provider_role_role_check", f"role IN ({ROLES})"),
        ("invitation", "invitation_roles_check", f"cardinality(roles) > 0 AND roles <@ ARRAY[{ROLES}]"),
    ):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({rule})")


def _sealing() -> None:
    op.execute(f"""
        CREATE TABLE sealing (
            link_id uuid PRIMARY KEY,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            asked_by uuid NOT NULL REFERENCES person,
            asked_name text NOT NULL,
            asked_at timestamptz NOT NULL,
            FOREIGN KEY (link_id, {BOTH}) REFERENCES placement (link_id, {BOTH}) ON DELETE CASCADE
        )
    """)
    op.execute("""
        CREATE TABLE adoption_record (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            -- One number for all parts of one agency's record of one adoption.
            number text NOT NULL CHECK (number <> ''),
            kind text NOT NULL CHECK (kind IN ('record', 'par', 'cpr')),
            kept_until date NOT NULL,
            made_on date NOT NULL,
            -- Its own data key, sealed under the master key.
            sealed_key bytea NOT NULL,
            sealed bytea NOT NULL CHECK (length(sealed) <= 105000000),
            -- Until the record is sealed: what it is gathered from. It goes when the request to seal is taken back.
            link_id uuid REFERENCES sealing ON DELETE CASCADE,
            -- SI 2005/888, regulation 6: at least 100 years from the order, which was made by that day.
            CONSTRAINT adoption_record_floor_check CHECK (kept_until >= made_on + interval '100 years')
        )
    """)
    op.execute("CREATE INDEX adoption_record_agency_idx ON adoption_record (agency_id, number)")
    op.execute("CREATE INDEX adoption_record_link_idx ON adoption_record (link_id)")
    op.execute("""
        CREATE TABLE sealing_certificate (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            number text NOT NULL,
            done_on date NOT NULL,
            asked_name text NOT NULL,
            confirmed_name text NOT NULL,
            -- What was removed, by table, in rows.
            removed jsonb NOT NULL,
            -- When the agency's own record was given new identifiers.
            rotated_on date
        )
    """)
    op.execute("CREATE INDEX sealing_certificate_agency_idx ON sealing_certificate (agency_id, done_on)")
    op.execute("""
        CREATE TABLE sealed_placement (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            matched_on date,
            moved_in_on date NOT NULL,
            adoptive_start_on date,
            ordered_on date NOT NULL,
            -- Completed months of age of each child: at the match, at moving in, at the placement for adoption.
            ages jsonb NOT NULL,
            FOREIGN KEY (consortium_id, group_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, household_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX sealed_placement_group_agency_idx ON sealed_placement (group_agency_id)")
    op.execute("CREATE INDEX sealed_placement_household_agency_idx ON sealed_placement (household_agency_id)")
    op.execute("SET LOCAL ROLE concord_scope")
    op.execute("GRANT EXECUTE ON FUNCTION scope_claims() TO concord_seal")
    op.execute("SET LOCAL ROLE concord_owner")
    for table in ("sealing", "adoption_record", "sealing_certificate", "sealed_placement"):
        wall(table)
    may_read("sealing", PARTY)
    may_write("sealing", f"{CHILDREN_S} AND asked_by = (SELECT scope_person())", verbs="INSERT")
    may_write("sealing", CHILDREN_S, verbs="DELETE")
    bar("sealing", "link_id <> ALL ((SELECT scope_barred())::uuid[])")
    # Once it is sealed, who is appointed to it opens an adoption record, and nobody else.
    may_read(
        "adoption_record",
        f"{OWN} AND (link_id IS NOT NULL OR EXISTS (SELECT FROM appointment a "
        "WHERE a.person_id = (SELECT scope_person()) AND a.agency_id = (SELECT scope_agency()) "
        f"AND a.role = 'adoption_records' AND a.starts_on <= {TODAY} AND (a.ends_on IS NULL OR a.ends_on > {TODAY})))",
    )
    bar("adoption_record", "link_id IS NULL OR link_id <> ALL ((SELECT scope_barred())::uuid[])")
    may_write("adoption_record", f"{OWN} AND link_id IN (SELECT s.link_id FROM sealing s)", verbs="INSERT")
    may_write("adoption_record", f"{OWN} AND (link_id IS NOT NULL OR kept_until < {TODAY})", verbs="DELETE")
    may_read("sealing_certificate", OWN)
    may_write("sealing_certificate", OWN, verbs="UPDATE", columns="rotated_on")
    may_read("sealed_placement", PARTY)
    op.execute("GRANT SELECT ON sealing, adoption_record, sealing_certificate, sealed_placement TO concord_app")


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
