"""Tell both sides of a link early whether its children or its family are matched with others, and never with whom.

Each reads its own links alone. A family that a third agency's children were matched with was refused at panel, by the
index that lets a family there once: after the visits and the linking meeting.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import give_function

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

# Whoever has been placed with a family may be joined by others, so of a family it counts until they have moved in.
_MATCHED_ELSEWHERE = """
    CREATE FUNCTION matched_elsewhere(its_link uuid) RETURNS TABLE (group_matched boolean, household_matched boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT
            EXISTS (SELECT FROM link o WHERE o.id <> l.id AND o.sibling_group_id = l.sibling_group_id
                AND o.state IN ('matched', 'introductions', 'placed', 'ordered')),
            EXISTS (SELECT FROM link o WHERE o.id <> l.id AND o.household_id = l.household_id
                AND o.state IN ('matched', 'introductions'))
        FROM link l
        WHERE l.id = its_link AND scope_agency() IN (l.group_agency_id, l.household_agency_id)
    $$
"""


def upgrade() -> None:
    """Answer yes or no, for either side of the link that is asked about."""
    op.execute(_MATCHED_ELSEWHERE)
    give_function("matched_elsewhere(uuid)", "concord_place")
