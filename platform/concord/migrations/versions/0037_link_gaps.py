"""Let an agency's own programs take steps of links, say their days and write messages, each under the program's name.

A row names a person or nobody. Where it is nobody, it was a program of the agency, and the name beside is the
program's; which of the agency's programs that was, the audit says.

And what was missing between links and what goes with them: see ``link_gaps`` and ``link_way_back`` beside the versions.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.link_gaps import keep_more_of_steps, settle_matches, take_minutes_as_files, tell_of_records
from concord.migrations.link_way_back import hold_links_to_more
from concord.migrations.wall import OWN

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

PARTY = "(SELECT scope_agency()) IN (group_agency_id, household_agency_id)"
DOER = "person_id IS NOT DISTINCT FROM (SELECT scope_person()) AND person_name = (SELECT scope_name())"
"""The scope's own person or program, under the name by which its agency knows it; a command has none."""
UNSEALED = "link_id NOT IN (SELECT s.link_id FROM sealing s)"
NAME = """
    CREATE FUNCTION scope_name() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT CASE WHEN scope_person() IS NOT NULL THEN (SELECT p.name FROM person p WHERE p.id = scope_person())
            ELSE (SELECT c.name FROM api_client c WHERE c.id = scope_client()) END
    $$
"""


def upgrade() -> None:
    """Let rows name a program instead of a person, and no other than the one that asks."""
    op.execute(NAME)
    for table, more in (("link_step", ""), ("link_day", ""), ("link_message", f" AND {UNSEALED}")):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN person_id DROP NOT NULL")
        op.execute(f"ALTER POLICY {table}_insert ON {table} WITH CHECK ({PARTY} AND {OWN} AND {DOER}{more})")
    settle_matches()
    keep_more_of_steps()
    take_minutes_as_files()
    tell_of_records()
    hold_links_to_more()
