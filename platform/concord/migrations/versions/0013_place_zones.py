"""Compare places of two agencies by zones, so that asking tells no more than a zone; and count who asks.

``pair_places`` also follows memberships now, as the other policies do: what an agency had pooled leaves with it.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of zones and of questions, and compare by them."""
    _zones()
    _questions()
    _refusals()
    may_read("consortium_member", "true", role="concord_place", name="place")
    op.execute("GRANT SELECT (consortium_id, agency_id, joined_on, left_on) ON consortium_member TO concord_place")
    op.execute("SET LOCAL ROLE concord_place")
    op.execute("DROP FUNCTION pair_places(uuid[], uuid[])")
    op.execute("SET LOCAL ROLE concord_owner")
    op.execute(_PAIR_PLACES)
    give_function("pair_places(uuid[], uuid[])", "concord_place")


def _zones() -> None:
    # Both are filled by the upgrade itself, from this release's tables; until then a place is as good as unknown.
    op.execute("ALTER TABLE outward_code ADD COLUMN zone integer")
    # What may be said of every two zones: the other's number is the position in the arrays.
    op.execute("""
        CREATE TABLE zone (
            number integer PRIMARY KEY,
            bands smallint[] NOT NULL,
            passes smallint[] NOT NULL,
            fails smallint[] NOT NULL
        )
    """)
    op.execute("GRANT SELECT ON zone TO concord_app, concord_place")


def _questions() -> None:
    # A digest for each set of places that a record has had when it was set against other agencies' records. History: it
    # outlives the record, or who enters one, asks and removes it would never be counted.
    op.execute("""
        CREATE TABLE place_question (
            agency_id uuid NOT NULL REFERENCES agency,
            record_id uuid NOT NULL,
            digest bytea NOT NULL CHECK (length(digest) = 32),
            record_kind text NOT NULL CHECK (record_kind IN ('household', 'sibling_group')),
            asked_at timestamptz NOT NULL,
            PRIMARY KEY (agency_id, record_id, digest)
        )
    """)
    op.execute("CREATE INDEX place_question_asked_idx ON place_question (agency_id, asked_at)")
    wall("place_question")
    may_read("place_question", OWN)
    may_write("place_question", OWN, verbs="INSERT")
    may_write("place_question", OWN, verbs="UPDATE", columns="asked_at")
    # Whoever asks cannot make the count forget what still counts.
    may_write("place_question", f"{OWN} AND asked_at < now() - interval '2 days'", verbs="DELETE")
    op.execute("GRANT SELECT ON place_question TO concord_app")


def _refusals() -> None:
    op.execute("ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_act_check")
    op.execute(f"ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_act_check CHECK (act IN ({ACTS}))")


ACTS = (
    "'read', 'add', 'change', 'remove', 'share', 'rank', 'import', 'build', 'download', 'sign_in', 'sign_out', 'refuse'"
)

# The rules of matching.place where the scope's agency owns both records, and of matching.zone for every other pair, in
# the same integers (1 mile = 1609 m). What comes out is a band (0 near, 1 region, 2 far, 3 very far, 4 unknown) and
# what the exclusion areas say (0 pass, 1 fail, 2 ask). A record that the scope may not see is treated as one whose
# place nobody recorded.
_PAIR_PLACES = """
    CREATE FUNCTION pair_places(asked_groups uuid[], asked_households uuid[])
    RETURNS TABLE (group_id uuid, bands smallint[], exclusions smallint[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH own AS MATERIALIZED (
        SELECT scope_agency() AS agency, scope_consortium() AS consortium
    ), pooled AS MATERIALIZED (
        SELECT p.household_id, p.sibling_group_id
        FROM own
        JOIN pool_entry p ON p.consortium_id = own.consortium AND p.stage <> 'in_house' AND NOT p.held
        JOIN consortium_member m ON m.consortium_id = own.consortium AND m.agency_id = p.agency_id
            AND m.joined_on <= (now() AT TIME ZONE 'UTC')::date
            AND (m.left_on IS NULL OR m.left_on > (now() AT TIME ZONE 'UTC')::date)
    ), said AS MATERIALIZED (
        -- In one row and asked for by sub-selects, so that no pair carries its zones' arrays through a sort.
        SELECT array_agg(z.bands ORDER BY z.number) AS bands, array_agg(z.passes ORDER BY z.number) AS passes,
            array_agg(z.fails ORDER BY z.number) AS fails
        FROM zone z
    ), home AS MATERIALIZED (
        SELECT a.position, h.id, h.agency_id = own.agency AS ours, c.code, c.easting, c.northing, c.extent_m, c.zone
        FROM unnest(asked_households) WITH ORDINALITY a (id, position)
        CROSS JOIN own
        LEFT JOIN household h ON h.id = a.id
            AND (h.agency_id = own.agency OR h.id IN (SELECT p.household_id FROM pooled p))
        LEFT JOIN household_place q ON q.household_id = h.id
        LEFT JOIN outward_code c ON c.code = q.outward_code
    ), origin AS MATERIALIZED (
        SELECT a.position, a.id AS asked, g.id, g.agency_id = own.agency AS ours, c.easting, c.northing, c.zone
        FROM unnest(asked_groups) WITH ORDINALITY a (id, position)
        CROSS JOIN own
        LEFT JOIN sibling_group g ON g.id = a.id
            AND (g.agency_id = own.agency OR g.id IN (SELECT p.sibling_group_id FROM pooled p))
        LEFT JOIN sibling_group_place q ON q.sibling_group_id = g.id
        LEFT JOIN outward_code c ON c.code = q.outward_code
    ), area AS MATERIALIZED (
        SELECT o.position, o.ours, c.code, c.easting, c.northing, c.extent_m, c.zone, e.miles,
            e.miles * 1609::bigint AS reach
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
                WHEN h.ours AND r.ours THEN CASE
                    WHEN h.code = r.code THEN 1
                    WHEN r.reach >= d.unsure AND d.square <= (r.reach - d.unsure) * (r.reach - d.unsure) THEN 1
                    WHEN d.square > (r.reach + d.unsure) * (r.reach + d.unsure) THEN 0
                    ELSE 2 END
                WHEN r.miles <= ((SELECT s.passes FROM said s))[r.zone][h.zone] THEN 0
                WHEN r.miles >= ((SELECT s.fails FROM said s))[r.zone][h.zone] THEN 1
                ELSE 2 END AS answer
        ) j
        GROUP BY r.position, h.position
    )
    SELECT o.asked,
        array_agg((CASE
            WHEN o.easting IS NULL OR h.easting IS NULL THEN 4
            WHEN h.ours AND o.ours THEN CASE
                WHEN d.square <= (20 * 1609::bigint) * (20 * 1609) THEN 0
                WHEN d.square <= (50 * 1609::bigint) * (50 * 1609) THEN 1
                WHEN d.square <= (100 * 1609::bigint) * (100 * 1609) THEN 2
                ELSE 3 END
            ELSE coalesce(((SELECT s.bands FROM said s))[o.zone][h.zone], 4) END)::smallint ORDER BY h.position),
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
