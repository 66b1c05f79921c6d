"""The few sentences in which migrations speak of row-level security."""

from __future__ import annotations

from alembic import op

OWN = "agency_id = (SELECT scope_agency())"
"""Rows of the scope's own agency; in a sub-select, so that it is worked out once a statement."""

ADMINISTERED = f"{OWN} AND ((SELECT scope_person()) IS NULL OR (SELECT scope_administers(NULL)))"
"""The same, for the agency's administrators and for a command on the host, which has no person: what lets others in."""

POOLED_HOUSEHOLDS = (
    "SELECT p.household_id FROM pool_entry p WHERE p.household_id IS NOT NULL "
    "AND p.consortium_id = (SELECT scope_consortium()) AND p.stage <> 'in_house' AND NOT p.held"
)
POOLED_GROUPS = (
    "SELECT p.sibling_group_id FROM pool_entry p WHERE p.sibling_group_id IS NOT NULL "
    "AND p.consortium_id = (SELECT scope_consortium()) AND p.stage <> 'in_house' AND NOT p.held"
)


def wall(table: str) -> None:
    """Show no row of a table to anyone, its owner included, but by a policy."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def may_read(table: str, using: str, *, role: str = "concord_app", name: str = "read") -> None:
    """Let a role read the rows that ``using`` names."""
    op.execute(f"CREATE POLICY {table}_{name} ON {table} FOR SELECT TO {role} USING ({using})")


def bar(table: str, unless: str, *, verb: str = "ALL") -> None:
    """Keep rows from whoever is shut out of the record that they are about, whatever else shows them."""
    op.execute(f"CREATE POLICY {table}_bar ON {table} AS RESTRICTIVE FOR {verb} TO concord_app USING ({unless})")


def may_write(
    table: str,
    check: str,
    *,
    only: str | None = None,
    verbs: str = "INSERT, UPDATE, DELETE",
    columns: str | None = None,
    role: str = "concord_app",
) -> None:
    """Let a role write rows that ``check`` names after the change, and ``only`` (or ``check`` too) before it.

    ``columns`` narrows what may be written to some columns.
    """
    for verb in (each.strip() for each in verbs.split(",")):
        name = f"{table}_{verb.lower()}"
        using = "" if verb == "INSERT" else f" USING ({only or check})"
        with_check = "" if verb == "DELETE" else f" WITH CHECK ({check})"
        op.execute(f"CREATE POLICY {name} ON {table} FOR {verb} TO {role}{using}{with_check}")
        op.execute(f"GRANT {verb}{f' ({columns})' if columns else ''} ON {table} TO {role}")


def give_function(signature: str, owner: str, *, to: str = "concord_app") -> None:
    """Hand a SECURITY DEFINER function to the role whose rights it runs with, and let another call it."""
    op.execute(f"GRANT CREATE ON SCHEMA public TO {owner}")
    op.execute(f"ALTER FUNCTION {signature} OWNER TO {owner}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {owner}")
    op.execute(f"SET LOCAL ROLE {owner}")
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {to}")
    op.execute("SET LOCAL ROLE concord_owner")
