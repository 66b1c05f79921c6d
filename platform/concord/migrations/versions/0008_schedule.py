"""Let the schedule find the meetings whose packs are due, and nothing else, before it takes an office's scope."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import give_function, may_read

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the look-up."""
    for table in ("meeting", "pack"):
        may_read(table, "true", role="concord_work", name="work")
    op.execute("GRANT SELECT (id, consortium_id, agency_id, held_on) ON meeting TO concord_work")
    op.execute("GRANT SELECT (meeting_id) ON pack TO concord_work")
    op.execute("GRANT SELECT (kind, payload) ON job TO concord_work")
    op.execute("""
        CREATE FUNCTION meetings_without_packs(from_day date, to_day date)
        RETURNS TABLE (meeting_id uuid, consortium_id uuid, agency_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT m.id, m.consortium_id, m.agency_id FROM meeting m
            WHERE scope_is_nobody() AND m.held_on BETWEEN from_day AND to_day
              AND NOT EXISTS (SELECT FROM pack p WHERE p.meeting_id = m.id)
              AND NOT EXISTS (SELECT FROM job j
                  WHERE j.kind = 'pack.build_all' AND j.payload ->> 'meeting' = m.id::text)
            ORDER BY m.held_on, m.id
        $$
    """)
    give_function("meetings_without_packs(date, date)", "concord_work")
