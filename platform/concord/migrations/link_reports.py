"""What revision 0031 makes of the policies by which reports open: each kind at its own stages of a link."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write

FINAL = "'ordered', 'ended', 'disrupted'"
# From which state on a report of a kind may be opened, and until when.
PAR_STATES = (
    "'considering', 'shortlisted', 'visiting', 'linking_meeting', 'panel', 'matched', 'introductions', 'placed'"
)
CPR_STATES = "'linking_meeting', 'panel', 'matched', 'introductions', 'placed'"

ME = "(SELECT scope_person())"
SELF = f"person_id = {ME} AND person_name = (SELECT p.name FROM person p WHERE p.id = {ME})"
PARTY = "(SELECT scope_agency()) IN (group_agency_id, household_agency_id)"

OWNER = "(SELECT scope_agency()) = CASE {0}kind WHEN 'par' THEN {0}household_agency_id ELSE {0}group_agency_id END"
READER = "(SELECT scope_agency()) = CASE {0}kind WHEN 'par' THEN {0}group_agency_id ELSE {0}household_agency_id END"
AT_ITS_STAGE = (
    f"(({{0}}kind = 'par' AND l.state IN ({PAR_STATES})) OR ({{0}}kind = 'cpr' AND l.state IN ({CPR_STATES})))"
)
CONSIDERED = f"EXISTS (SELECT FROM link l WHERE l.id = link_id AND {AT_ITS_STAGE.format('document_grant.')})"
TODAY = "(now() AT TIME ZONE 'UTC')::date"
OPENS = f"""
    FROM document_grant g JOIN link l ON l.id = g.link_id
    WHERE g.person_id = {ME} AND {READER.format("g.")}
      AND l.consortium_id = (SELECT scope_consortium()) AND {AT_ITS_STAGE.format("g.")}
      AND g.decided_at IS NOT NULL AND g.ends_on >= {TODAY} AND g.revoked_at IS NULL
      AND NOT EXISTS (SELECT FROM consortium_member m WHERE m.consortium_id = l.consortium_id
          AND m.agency_id IN (l.group_agency_id, l.household_agency_id) AND m.left_on <= {TODAY})
"""
"""The grants that open something to the scope's person now."""
SAME_RECORD = """
    AND g.kind = d.kind AND coalesce(d.household_id = l.household_id, d.sibling_group_id = l.sibling_group_id)
"""
DECISION = "decided_at, decided_by, decided_name, ends_on, declined, revoked_at, revoked_by, revoked_reason"


def open_reports_by_stage() -> None:
    """Open a PAR from “considering” on, a CPR from the linking meeting on, and neither once the link is over."""
    for policy, table in (
        ("document_read", "document"),
        ("document_version_read", "document_version"),
        ("document_grant_insert", "document_grant"),
        ("document_grant_update", "document_grant"),
        ("document_undertaking_insert", "document_undertaking"),
    ):
        op.execute(f"DROP POLICY {policy} ON {table}")
    granted = f"SELECT d.id FROM document d WHERE EXISTS (SELECT {OPENS} {SAME_RECORD})"
    undertaken = "AND EXISTS (SELECT FROM document_undertaking u WHERE u.grant_id = g.id)"
    may_read("document", f"{OWN} OR EXISTS (SELECT {OPENS} {SAME_RECORD.replace('d.', 'document.')})")
    may_read(
        "document_version",
        f"{OWN} OR document_id IN ({granted.removesuffix(')')} {undertaken}) AND d.version = document_version.version)",
    )
    took_part = (
        "EXISTS (SELECT FROM link_step s WHERE s.link_id = document_grant.link_id "
        "AND s.person_id = document_grant.person_id AND s.person_name = document_grant.person_name "
        "AND s.agency_id <> (SELECT scope_agency()))"
    )
    may_write(
        "document_grant",
        f"{CONSIDERED} AND revoked_at IS NULL AND ("
        f"({READER.format('')} AND {SELF} AND asked_at IS NOT NULL AND decided_at IS NULL) "
        f"OR ({OWNER.format('')} AND decided_by = {ME} AND {took_part}))",
        verbs="INSERT",
    )
    may_write(
        "document_grant",
        OWNER.format(""),
        only=f"{OWNER.format('')} AND {CONSIDERED} AND revoked_at IS NULL AND declined IS NULL",
        verbs="UPDATE",
        columns=DECISION,
    )
    may_write(
        "document_undertaking",
        f"{PARTY} AND person_id = {ME} AND EXISTS (SELECT {OPENS} AND g.id = grant_id)",
        verbs="INSERT",
    )
    op.execute("DROP TRIGGER link_revoke_grants ON link")
    op.execute(f"""
        CREATE TRIGGER link_revoke_grants AFTER UPDATE OF state ON link
        FOR EACH ROW WHEN (NEW.state IN ({FINAL})) EXECUTE FUNCTION revoke_with_link()
    """)
