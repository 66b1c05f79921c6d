"""What a consortium's members come to together: days of each stage, how far links come and why they end.

One function tells of it. It counts whole quarters that are over, hides what comes from few or from one other agency,
and rounds what it tells, so that nobody can take their own figures away and read another's.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import give_function, may_read

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

READ = {
    "link": "started_at, outcome",
    "link_step": "link_id, version, from_state, to_state, at",
    "placement": "sibling_group_id",
    "sibling_group": "placement_order_on",
}
"""What the function reads beside what its role reads already."""
STAGES = "'interest', 'considering', 'shortlisted', 'visiting', 'linking_meeting', 'panel'"
OTHERS = "scope_agency() NOT IN (group_agency_id, household_agency_id)"
ENOUGH = "others >= 5 AND agencies >= 2"
# What others have is told of five and more, of two agencies and more; that there is nothing at all may be told too.
FIGURES = f"""
    CREATE FUNCTION consortium_figures()
    RETURNS TABLE (kind text, label text, quarter date, links integer, median integer, ninetieth integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        WITH span AS (
            SELECT (ends - interval '3 years')::date AS begins, ends::date
            FROM date_trunc('quarter', now() AT TIME ZONE 'UTC') AS ends
        ),
        moved AS (
            SELECT s.link_id, s.to_state, (s.at AT TIME ZONE 'UTC')::date AS day,
                lead((s.at AT TIME ZONE 'UTC')::date) OVER (PARTITION BY s.link_id ORDER BY s.version) AS left_on
            FROM link_step s
            WHERE s.from_state IS DISTINCT FROM s.to_state
        ),
        placed AS (
            SELECT p.consortium_id, p.group_agency_id, p.household_agency_id, p.matched_on, p.moved_in_on,
                p.adoptive_start_on, p.ordered_on
            FROM placement p
            UNION ALL
            SELECT s.consortium_id, s.group_agency_id, s.household_agency_id, s.matched_on, s.moved_in_on,
                s.adoptive_start_on, s.ordered_on
            FROM sealed_placement s
        ),
        fact AS (
            SELECT 'stage' AS kind, m.to_state AS label, l.consortium_id, l.group_agency_id, l.household_agency_id,
                m.left_on AS day, m.left_on - m.day AS days
            FROM moved m JOIN link l ON l.id = m.link_id
            WHERE m.to_state IN ({STAGES}) AND m.left_on IS NOT NULL
            UNION ALL
            SELECT 'stage', 'matched', consortium_id, group_agency_id, household_agency_id, adoptive_start_on,
                adoptive_start_on - matched_on
            FROM placed WHERE adoptive_start_on >= matched_on
            UNION ALL
            SELECT 'stage', 'placed', consortium_id, group_agency_id, household_agency_id, ordered_on,
                ordered_on - adoptive_start_on
            FROM placed WHERE ordered_on >= adoptive_start_on
            UNION ALL
            SELECT 'reached', reached.state, l.consortium_id, l.group_agency_id, l.household_agency_id,
                (l.started_at AT TIME ZONE 'UTC')::date, 0
            FROM (SELECT DISTINCT m.link_id, m.to_state AS state FROM moved m) AS reached
            JOIN link l ON l.id = reached.link_id
            UNION ALL
            SELECT 'ended', l.outcome, l.consortium_id, l.group_agency_id, l.household_agency_id, m.day, 0
            FROM moved m JOIN link l ON l.id = m.link_id
            WHERE m.to_state = 'ended' AND l.outcome IS NOT NULL
            UNION ALL
            SELECT 'measure', 'a2', p.consortium_id, p.group_agency_id, p.household_agency_id, p.matched_on,
                p.matched_on - g.placement_order_on
            FROM placement p
            JOIN sibling_group g ON g.id = p.sibling_group_id
            JOIN placement_child c ON c.link_id = p.link_id
            WHERE p.matched_on >= g.placement_order_on
        ),
        counted AS (
            SELECT f.kind, f.label, date_trunc('quarter', f.day::timestamp)::date AS quarter, f.days,
                f.group_agency_id, f.household_agency_id
            FROM fact f, span
            WHERE f.consortium_id = scope_consortium() AND f.day >= span.begins AND f.day < span.ends
        ),
        cell AS (
            SELECT kind, label, quarter, count(*) AS links, count(*) FILTER (WHERE {OTHERS}) AS others,
                (SELECT count(DISTINCT each) FROM unnest(
                    array_agg(group_agency_id) FILTER (WHERE {OTHERS})
                    || array_agg(household_agency_id) FILTER (WHERE {OTHERS})) AS each) AS agencies,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS median,
                percentile_cont(0.9) WITHIN GROUP (ORDER BY days) AS ninetieth
            FROM counted
            GROUP BY GROUPING SETS ((kind, label), (kind, label, quarter))
        )
        SELECT kind, label, quarter,
            CASE WHEN {ENOUGH} THEN 5 * round(links / 5.0)::integer END,
            CASE WHEN {ENOUGH} AND kind IN ('stage', 'measure') THEN round(median::numeric)::integer END,
            CASE WHEN {ENOUGH} AND kind IN ('stage', 'measure') AND links >= 10
                THEN round(ninetieth::numeric)::integer END
        FROM cell
        WHERE scope_agency() IS NOT NULL AND (quarter IS NULL OR kind IN ('stage', 'measure'))
    $$
"""


def upgrade() -> None:
    """Create the function and let its role read what it counts."""
    for table, columns in READ.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO concord_place")
    may_read("link_step", "true", role="concord_place", name="figures")
    op.execute(FIGURES)
    give_function("consortium_figures()", "concord_place")
