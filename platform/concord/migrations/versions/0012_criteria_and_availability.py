"""Compare what a family brings, say how busy it is, and name the household that a brother or sister lives with.

Columns have defaults that mean “not known”, so that the code before this one can go on writing rows.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

YES_NO = "text NOT NULL DEFAULT 'unknown' CHECK ({0} IN ('yes', 'no', 'unknown'))"


def upgrade() -> None:
    """Add the columns and the table."""
    op.execute(f"""
        ALTER TABLE household
            ADD COLUMN adopters integer CHECK (adopters IN (1, 2)),
            {_yes_no("experience", "training", "parent_at_home", "support_nearby")},
            ADD COLUMN available_from date,
            ADD COLUMN cultures text[] NOT NULL DEFAULT '{{}}',
            ADD COLUMN considered_for integer CHECK (considered_for >= 0),
            ADD COLUMN availability_confirmed_on date
    """)
    op.execute(f"""
        ALTER TABLE sibling_group
            ADD COLUMN adopters_hoped_for integer CHECK (adopters_hoped_for IN (1, 2)),
            {_yes_no("experience_needed", "training_needed", "parent_at_home_needed", "support_needed")},
            ADD COLUMN cultures text[] NOT NULL DEFAULT '{{}}',
            ADD COLUMN families_considered integer CHECK (families_considered >= 0)
    """)
    # In use elsewhere: at most three families in consideration for a child, and three children for a family.
    op.execute("""
        ALTER TABLE consortium
            ADD COLUMN household_cap integer NOT NULL DEFAULT 3 CHECK (household_cap >= 1),
            ADD COLUMN group_cap integer NOT NULL DEFAULT 3 CHECK (group_cap >= 1)
    """)
    _sibling_placement()


def _yes_no(*columns: str) -> str:
    return ", ".join(f"ADD COLUMN {column} {YES_NO.format(column)}" for column in columns)


def _sibling_placement() -> None:
    """Let two agencies alone know of it: the children's, whose word it is, and the household's own.

    It is kept by the household's code, as it was said: whether there is such a household, nobody learns by saying one.
    """
    op.execute("""
        CREATE TABLE sibling_placement (
            sibling_group_id uuid,
            agency_id uuid,
            household_code text NOT NULL,
            PRIMARY KEY (sibling_group_id, agency_id),
            FOREIGN KEY (sibling_group_id, agency_id) REFERENCES sibling_group (id, agency_id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX sibling_placement_household_idx ON sibling_placement (household_code)")
    wall("sibling_placement")
    may_read(
        "sibling_placement",
        f"{OWN} OR (household_code IN (SELECT h.code FROM household h WHERE h.{OWN}) "
        "AND sibling_group_id IN (SELECT g.id FROM sibling_group g))",
    )
    may_write("sibling_placement", OWN)
    op.execute("GRANT SELECT ON sibling_placement TO concord_app")
