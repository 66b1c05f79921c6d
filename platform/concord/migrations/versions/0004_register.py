"""Adopter households, children, sibling groups and the pool; and the comparison of places.

Row-level security guards rows, not columns: each level of need-to-know is a table of its own. Foreign keys look past
row-level security, so they carry the agency: no row can point at another agency's. So do unique constraints: with a
key of the group and the outward code alone, another agency could try codes until the database said that one is taken,
and so learn where a birth family lives.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, POOLED_GROUPS, POOLED_HOUSEHOLDS, give_function, may_read, may_write, wall

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ANSWER = "text NOT NULL CHECK ({0} IN ('can_meet', 'would_discuss', 'cannot', 'unknown'))"
YES_NO = "text NOT NULL CHECK ({0} IN ('yes', 'no', 'unknown'))"
OWN_HOUSEHOLD = "FOREIGN KEY (household_id, agency_id) REFERENCES household (id, agency_id) ON DELETE CASCADE"
OWN_GROUP = "FOREIGN KEY (sibling_group_id, agency_id) REFERENCES sibling_group (id, agency_id) ON DELETE CASCADE"
OWN_CHILD = "FOREIGN KEY (child_id, agency_id) REFERENCES child (id, agency_id) ON DELETE CASCADE"

POOLED_TO_HOUSEHOLD = ("household_tolerance", "household_profile")
OWN_OF_HOUSEHOLD = ("household_identity", "household_place")
POOLED_TO_GROUP = ("child", "sibling_group_profile")
OWN_OF_GROUP = ("sibling_group_identity", "sibling_group_place", "exclusion_area", "child_identity")


def upgrade() -> None:
    """Create the register."""
    op.execute("""
        CREATE TABLE outward_code (
            code text PRIMARY KEY,
            easting integer NOT NULL,
            northing integer NOT NULL,
            extent_m integer NOT NULL CHECK (extent_m >= 0)
        )
    """)
    op.execute("GRANT SELECT ON outward_code TO concord_app, concord_place")
    _households()
    _groups()
    _pool()
    _policies()
    _places()


def _answers(*columns: str) -> str:
    return ", ".join(f"{column} {ANSWER.format(column)}" for column in columns)


def _yes_no(*columns: str) -> str:
    return ", ".join(f"{column} {YES_NO.format(column)}" for column in columns)


def _households() -> None:
    op.execute(f"""
        CREATE TABLE household (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            code text NOT NULL CONSTRAINT household_code_key UNIQUE,
            status text NOT NULL CHECK (status IN ('waiting', 'on_hold', 'withdrawn')),
            approved_on date,
            age_from_months integer CHECK (age_from_months >= 0),
            age_to_months integer,
            fewest_children integer CHECK (fewest_children >= 1),
            most_children integer,
            sex_approved text NOT NULL CHECK (sex_approved IN ('any', 'female', 'male', 'unknown')),
            {_yes_no("early_permanence_approved", "pets", "smokers")},
            {_answers("order_not_granted", "order_contested", "appeal")},
            {_answers("letterbox_contact", "direct_contact", "sibling_contact")},
            children_at_home integer CHECK (children_at_home >= 0),
            youngest_at_home date,
            heritage text[] NOT NULL,
            religions text[] NOT NULL,
            languages text[] NOT NULL,
            added_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL,
            CONSTRAINT household_owner_key UNIQUE (id, agency_id),
            CHECK (age_to_months >= age_from_months),
            CHECK (most_children >= fewest_children)
        )
    """)
    # With the id: foreign keys ask for (id, agency), and on a table without statistics the planner may answer them by
    # this index; by the agency alone it would read all of an agency's rows for each.
    op.execute("CREATE INDEX household_agency_idx ON household (agency_id, id)")
    op.execute(f"""
        CREATE TABLE household_tolerance (
            household_id uuid NOT NULL,
            need text NOT NULL,
            agency_id uuid NOT NULL,
            {_answers("low", "medium", "high")},
            PRIMARY KEY (household_id, need, agency_id),
            {OWN_HOUSEHOLD}
        )
    """)
    op.execute(f"""
        CREATE TABLE household_profile (
            household_id uuid,
            agency_id uuid,
            text text NOT NULL,
            PRIMARY KEY (household_id, agency_id),
            {OWN_HOUSEHOLD}
        )
    """)
    op.execute(f"""
        CREATE TABLE household_identity (
            household_id uuid,
            agency_id uuid,
            reference text NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (household_id, agency_id),
            CONSTRAINT household_identity_reference_key UNIQUE (agency_id, reference),
            {OWN_HOUSEHOLD}
        )
    """)
    op.execute(f"""
        CREATE TABLE household_place (
            household_id uuid,
            agency_id uuid,
            outward_code text NOT NULL,
            PRIMARY KEY (household_id, agency_id),
            {OWN_HOUSEHOLD}
        )
    """)


def _groups() -> None:
    op.execute(f"""
        CREATE TABLE sibling_group (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            code text NOT NULL CONSTRAINT sibling_group_code_key UNIQUE,
            status text NOT NULL CHECK (status IN ('waiting', 'on_hold', 'withdrawn')),
            legal_position text NOT NULL CHECK (legal_position IN
                ('consent', 'order_granted', 'order_applied', 'contested', 'appeal', 'unknown')),
            shobpa_on date,
            placement_order_on date,
            waiting_since date,
            {_yes_no("early_permanence", "letterbox_contact", "direct_contact", "sibling_contact")},
            {_yes_no("must_be_youngest", "must_be_only", "no_pets", "smoke_free")},
            heritage text[] NOT NULL,
            religions text[] NOT NULL,
            languages text[] NOT NULL,
            added_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL,
            CONSTRAINT sibling_group_owner_key UNIQUE (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX sibling_group_agency_idx ON sibling_group (agency_id, id)")
    op.execute(f"""
        CREATE TABLE child (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL,
            sibling_group_id uuid NOT NULL,
            position integer NOT NULL CHECK (position >= 0),
            birth_month date CHECK (extract(day FROM birth_month) = 1),
            unborn boolean NOT NULL,
            sex text NOT NULL CHECK (sex IN ('female', 'male', 'unknown')),
            CONSTRAINT child_owner_key UNIQUE (id, agency_id),
            CONSTRAINT child_position_key UNIQUE (sibling_group_id, position, agency_id)
                DEFERRABLE INITIALLY DEFERRED,
            {OWN_GROUP}
        )
    """)
    op.execute(f"""
        CREATE TABLE child_need (
            child_id uuid NOT NULL,
            need text NOT NULL,
            agency_id uuid NOT NULL,
            level text NOT NULL CHECK (level IN ('none', 'low', 'medium', 'high', 'unknown')),
            PRIMARY KEY (child_id, need, agency_id),
            {OWN_CHILD}
        )
    """)
    op.execute(f"""
        CREATE TABLE sibling_group_profile (
            sibling_group_id uuid,
            agency_id uuid,
            text text NOT NULL,
            PRIMARY KEY (sibling_group_id, agency_id),
            {OWN_GROUP}
        )
    """)
    op.execute(f"""
        CREATE TABLE sibling_group_identity (
            sibling_group_id uuid,
            agency_id uuid,
            reference text NOT NULL,
            PRIMARY KEY (sibling_group_id, agency_id),
            CONSTRAINT sibling_group_identity_reference_key UNIQUE (agency_id, reference),
            {OWN_GROUP}
        )
    """)
    op.execute(f"""
        CREATE TABLE child_identity (
            child_id uuid,
            agency_id uuid,
            reference text NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (child_id, agency_id),
            CONSTRAINT child_identity_reference_key UNIQUE (agency_id, reference),
            {OWN_CHILD}
        )
    """)
    op.execute(f"""
        CREATE TABLE sibling_group_place (
            sibling_group_id uuid,
            agency_id uuid,
            outward_code text NOT NULL,
            PRIMARY KEY (sibling_group_id, agency_id),
            {OWN_GROUP}
        )
    """)
    op.execute(f"""
        CREATE TABLE exclusion_area (
            sibling_group_id uuid NOT NULL,
            outward_code text NOT NULL,
            agency_id uuid NOT NULL,
            miles integer NOT NULL CHECK (miles IN (5, 10, 15, 20, 30, 50)),
            PRIMARY KEY (sibling_group_id, outward_code, agency_id),
            {OWN_GROUP}
        )
    """)


def _pool() -> None:
    op.execute(f"""
        CREATE TABLE pool_entry (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            household_id uuid,
            sibling_group_id uuid,
            stage text NOT NULL CHECK (stage IN ('in_house', 'consortium', 'national')),
            entered_on date NOT NULL,
            held boolean NOT NULL,
            reason text CHECK (reason IS NOT NULL OR NOT held),
            CHECK (num_nonnulls(household_id, sibling_group_id) = 1),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            {OWN_HOUSEHOLD},
            {OWN_GROUP}
        )
    """)
    op.execute("CREATE UNIQUE INDEX pool_entry_household_idx ON pool_entry (consortium_id, household_id, agency_id)")
    op.execute(
        "CREATE UNIQUE INDEX pool_entry_sibling_group_idx ON pool_entry (consortium_id, sibling_group_id, agency_id)"
    )
    op.execute("CREATE INDEX pool_entry_agency_idx ON pool_entry (agency_id)")


def _policies() -> None:
    tables = (
        *("household", "sibling_group", "child_need", "pool_entry"),
        *POOLED_TO_HOUSEHOLD,
        *OWN_OF_HOUSEHOLD,
        *POOLED_TO_GROUP,
        *OWN_OF_GROUP,
    )
    for table in tables:
        wall(table)
        may_write(table, OWN)
    may_read(
        "pool_entry", f"{OWN} OR (consortium_id = (SELECT scope_consortium()) AND stage <> 'in_house' AND NOT held)"
    )
    may_read("household", f"{OWN} OR id IN ({POOLED_HOUSEHOLDS})")
    may_read("sibling_group", f"{OWN} OR id IN ({POOLED_GROUPS})")
    for table in POOLED_TO_HOUSEHOLD:
        may_read(table, f"{OWN} OR household_id IN ({POOLED_HOUSEHOLDS})")
    for table in POOLED_TO_GROUP:
        may_read(table, f"{OWN} OR sibling_group_id IN ({POOLED_GROUPS})")
    may_read("child_need", f"{OWN} OR child_id IN (SELECT c.id FROM child c)")
    for table in OWN_OF_HOUSEHOLD + OWN_OF_GROUP:
        may_read(table, OWN)
    op.execute(f"GRANT SELECT ON {', '.join(tables)} TO concord_app")


def _places() -> None:
    readable = ("household", "sibling_group", "pool_entry", "household_place", "sibling_group_place", "exclusion_area")
    for table in readable:
        may_read(table, "true", role="concord_place", name="place")
    op.execute("GRANT SELECT (id, agency_id) ON household, sibling_group TO concord_place")
    op.execute("GRANT SELECT ON pool_entry, household_place, sibling_group_place, exclusion_area TO concord_place")
    op.execute(_PAIR_PLACES)
    give_function("pair_places(uuid[], uuid[])", "concord_place")


# The same rule as matching.place, in the same integers (1 mile = 1609 m), so that no place leaves the database: what
# comes out is a band (0 near, 1 region, 2 far, 3 very far, 4 unknown) and what the exclusion areas say (0 pass,
# 1 fail, 2 ask). A record that the scope may not see is treated as one whose place nobody recorded.
_PAIR_PLACES = """
    CREATE FUNCTION pair_places(asked_groups uuid[], asked_households uuid[])
    RETURNS TABLE (group_id uuid, bands smallint[], exclusions smallint[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH own AS MATERIALIZED (
        SELECT scope_agency() AS agency, scope_consortium() AS consortium
    ), home AS MATERIALIZED (
        SELECT a.position, h.id, c.code, c.easting, c.northing, c.extent_m
        FROM unnest(asked_households) WITH ORDINALITY a (id, position)
        CROSS JOIN own
        LEFT JOIN household h ON h.id = a.id AND (h.agency_id = own.agency OR EXISTS (
            SELECT FROM pool_entry p WHERE p.household_id = h.id AND p.consortium_id = own.consortium
                AND p.stage <> 'in_house' AND NOT p.held))
        LEFT JOIN household_place q ON q.household_id = h.id
        LEFT JOIN outward_code c ON c.code = q.outward_code
    ), origin AS MATERIALIZED (
        SELECT a.position, a.id AS asked, g.id, c.easting, c.northing
        FROM unnest(asked_groups) WITH ORDINALITY a (id, position)
        CROSS JOIN own
        LEFT JOIN sibling_group g ON g.id = a.id AND (g.agency_id = own.agency OR EXISTS (
            SELECT FROM pool_entry p WHERE p.sibling_group_id = g.id AND p.consortium_id = own.consortium
                AND p.stage <> 'in_house' AND NOT p.held))
        LEFT JOIN sibling_group_place q ON q.sibling_group_id = g.id
        LEFT JOIN outward_code c ON c.code = q.outward_code
    ), area AS MATERIALIZED (
        SELECT o.position, c.code, c.easting, c.northing, c.extent_m, e.miles * 1609::bigint AS radius
        FROM origin o
        JOIN exclusion_area e ON e.sibling_group_id = o.id
        LEFT JOIN outward_code c ON c.code = e.outward_code
    ), judged AS MATERIALIZED (
        SELECT r.position AS group_position, h.position AS home_position,
            CASE WHEN bool_or(j.answer = 1) THEN 1 WHEN bool_or(j.answer = 2) THEN 2 ELSE 0 END AS answer
        FROM area r
        CROSS JOIN home h
        CROSS JOIN LATERAL (
            SELECT (h.easting - r.easting)::bigint * (h.easting - r.easting)
                    + (h.northing - r.northing)::bigint * (h.northing - r.northing) AS square,
                (h.extent_m + r.extent_m)::bigint AS unsure
        ) d
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN h.easting IS NULL OR r.easting IS NULL THEN 2
                WHEN h.code = r.code THEN 1
                WHEN r.radius >= d.unsure AND d.square <= (r.radius - d.unsure) * (r.radius - d.unsure) THEN 1
                WHEN d.square > (r.radius + d.unsure) * (r.radius + d.unsure) THEN 0
                ELSE 2 END AS answer
        ) j
        GROUP BY r.position, h.position
    )
    SELECT o.asked,
        array_agg((CASE
            WHEN o.easting IS NULL OR h.easting IS NULL THEN 4
            WHEN d.square <= (20 * 1609::bigint) * (20 * 1609) THEN 0
            WHEN d.square <= (50 * 1609::bigint) * (50 * 1609) THEN 1
            WHEN d.square <= (100 * 1609::bigint) * (100 * 1609) THEN 2
            ELSE 3 END)::smallint ORDER BY h.position),
        array_agg((CASE WHEN o.id IS NULL OR h.id IS NULL THEN 2 ELSE coalesce(j.answer, 0) END)::smallint
            ORDER BY h.position)
    FROM origin o
    CROSS JOIN home h
    CROSS JOIN LATERAL (
        SELECT (h.easting - o.easting)::bigint * (h.easting - o.easting)
            + (h.northing - o.northing)::bigint * (h.northing - o.northing) AS square
    ) d
    LEFT JOIN judged j ON j.group_position = o.position AND j.home_position = h.position
    GROUP BY o.position, o.asked
    ORDER BY o.position
    $$
"""
