"""Swap groups: who has agreed to swap, for how long and by which rule. What they owe one another is never stored.

Placements are seen by their two agencies. ``swap_placements`` tells the members of a swap group of those between
themselves, and the office of all between members: agencies, days and ages in months, and nothing of a record.
``swap_declined`` says which pairs one of their two agencies has declined, so that no plan brings them again: a member
hears of its own pairs, the office of all.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"
BY_OFFICE = (
    f"{OURS} AND office_id = (SELECT scope_agency()) "
    "AND office_id IN (SELECT a.id FROM agency a WHERE a.kind = 'consortium_office')"
)
ME = "IS NOT DISTINCT FROM (SELECT scope_person())"
BASES = "'moving_in', 'match_decision', 'adoptive_start', 'youngest'"
READ = {
    "swap_group": "id, consortium_id, office_id",
    "swap_member": "swap_group_id, agency_id, agreed_on",
    "placement": (
        "link_id, consortium_id, group_agency_id, household_agency_id, matched_on, moved_in_on, adoptive_start_on, "
        "ordered_on, disrupted_on"
    ),
    "placement_child": "link_id, position, months_matched, months_moved_in, months_adoptive",
    "sealed_placement": (
        "id, consortium_id, group_agency_id, household_agency_id, matched_on, moved_in_on, adoptive_start_on, "
        "ordered_on, ages"
    ),
    "decline": "sibling_group_id, group_agency_id, household_id, household_agency_id, taken_back_at",
}
"""What the two functions read."""


def upgrade() -> None:
    """Create swap groups and their members, and the functions that tell of what is between them."""
    op.execute(f"""
        CREATE TABLE swap_group (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            office_id uuid NOT NULL,
            name text NOT NULL CHECK (name <> ''),
            begins_on date NOT NULL,
            ends_on date CHECK (ends_on >= begins_on),
            basis text NOT NULL CHECK (basis IN ({BASES})),
            under_years integer NOT NULL CHECK (under_years BETWEEN 1 AND 18),
            disruption text NOT NULL CHECK (disruption IN ('falls_away', 'stands')),
            follow text NOT NULL CHECK (follow IN ('carry_forward', 'standard_fee')),
            follow_months integer CHECK (follow_months BETWEEN 1 AND 60),
            -- Which families count as good enough to plan with: so many points within the best of the group's list.
            within_points integer NOT NULL CHECK (within_points BETWEEN 0 AND 100),
            -- How far a plan may take an agency's balance from nothing, in placements.
            bound integer NOT NULL CHECK (bound BETWEEN 0 AND 100),
            -- The swap group of an earlier period whose balances this one carries on.
            carries_id uuid,
            made_at timestamptz NOT NULL,
            made_by uuid,
            CHECK ((follow = 'standard_fee') = (follow_months IS NOT NULL)),
            CHECK (carries_id <> id),
            CONSTRAINT swap_group_consortium_key UNIQUE (id, consortium_id, office_id),
            CONSTRAINT swap_group_name_key UNIQUE (consortium_id, name),
            FOREIGN KEY (consortium_id, office_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (carries_id, consortium_id, office_id) REFERENCES swap_group (id, consortium_id, office_id)
        )
    """)
    op.execute("CREATE INDEX swap_group_office_idx ON swap_group (office_id)")
    op.execute("""
        CREATE TABLE swap_member (
            swap_group_id uuid NOT NULL,
            consortium_id uuid NOT NULL,
            office_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            asked_at timestamptz NOT NULL,
            -- From this day on its placements count: a manager's word, in their own name.
            agreed_on date,
            agreed_by uuid,
            PRIMARY KEY (swap_group_id, agency_id),
            CHECK (agency_id <> office_id),
            CHECK (agreed_by IS NULL OR agreed_on IS NOT NULL),
            FOREIGN KEY (swap_group_id, consortium_id, office_id)
                REFERENCES swap_group (id, consortium_id, office_id),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE INDEX swap_member_agency_idx ON swap_member (agency_id)")
    op.execute("CREATE INDEX swap_member_office_idx ON swap_member (office_id)")
    for table in ("swap_group", "swap_member"):
        wall(table)
        may_read(table, OURS)
    may_write("swap_group", f"{BY_OFFICE} AND made_by {ME}", verbs="INSERT")
    may_write("swap_group", BY_OFFICE, verbs="UPDATE", columns="ends_on")
    may_write("swap_member", f"{BY_OFFICE} AND agreed_on IS NULL", verbs="INSERT")
    # Each agency agrees for itself, in a person's own name, and once.
    may_write(
        "swap_member",
        f"{OWN} AND {OURS} AND agreed_on IS NOT NULL AND agreed_by {ME}",
        only=f"{OWN} AND {OURS} AND agreed_on IS NULL",
        verbs="UPDATE",
        columns="agreed_on, agreed_by",
    )
    op.execute("GRANT SELECT ON swap_group, swap_member TO concord_app")
    for table, columns in READ.items():
        may_read(table, "true", role="concord_place", name="swaps")
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO concord_place")
    op.execute(PLACEMENTS)
    give_function("swap_placements(uuid)", "concord_place")
    op.execute(DECLINED)
    give_function("swap_declined(uuid)", "concord_place")


# The members' agencies that the scope may hear of: of all for the office, of their own for a member.
_MEMBERS = """
            SELECT m.agency_id, g.consortium_id, g.office_id = scope_agency() AS by_office
            FROM swap_group g JOIN swap_member m ON m.swap_group_id = g.id
            WHERE g.id = wanted AND g.consortium_id = scope_consortium() AND m.agreed_on IS NOT NULL
"""
# Whoever is shut out of a record hears that there is a placement, so that balances are the same for all, and no more.
PLACEMENTS = f"""
    CREATE FUNCTION swap_placements(wanted uuid)
    RETURNS TABLE (id uuid, consortium_id uuid, group_agency_id uuid, household_agency_id uuid, matched_on date,
        moved_in_on date, adoptive_start_on date, ordered_on date, disrupted_on date, ages jsonb, shown boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        WITH member AS ({_MEMBERS}),
        placed AS (
            SELECT p.link_id AS id, p.consortium_id, p.group_agency_id, p.household_agency_id, p.matched_on,
                p.moved_in_on, p.adoptive_start_on, p.ordered_on, p.disrupted_on,
                (SELECT coalesce(jsonb_agg(jsonb_build_array(c.months_matched, c.months_moved_in, c.months_adoptive)
                    ORDER BY c.position), '[]') FROM placement_child c WHERE c.link_id = p.link_id) AS ages,
                p.link_id <> ALL (scope_barred()) AS shown
            FROM placement p WHERE p.moved_in_on IS NOT NULL
            UNION ALL
            SELECT s.id, s.consortium_id, s.group_agency_id, s.household_agency_id, s.matched_on, s.moved_in_on,
                s.adoptive_start_on, s.ordered_on, NULL, s.ages, true
            FROM sealed_placement s
        )
        SELECT placed.* FROM placed
        JOIN member a ON a.agency_id = placed.group_agency_id AND a.consortium_id = placed.consortium_id
        JOIN member b ON b.agency_id = placed.household_agency_id
        WHERE a.by_office OR scope_agency() IN (placed.group_agency_id, placed.household_agency_id)
    $$
"""
DECLINED = f"""
    CREATE FUNCTION swap_declined(wanted uuid) RETURNS TABLE (sibling_group_id uuid, household_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        WITH member AS ({_MEMBERS})
        SELECT DISTINCT d.sibling_group_id, d.household_id FROM decline d
        WHERE d.taken_back_at IS NULL
            AND d.group_agency_id IN (SELECT member.agency_id FROM member)
            AND d.household_agency_id IN (SELECT member.agency_id FROM member)
            AND EXISTS (SELECT FROM member WHERE member.by_office
                OR member.agency_id = scope_agency() AND scope_agency() IN (d.group_agency_id, d.household_agency_id))
    $$
"""
