"""Panel papers: what a match's advisers and decision maker read of it, who of them may, and what they write.

Papers are of the children's agency's panel. Each agency puts its own reports before it; the advisers and the decision
maker are named for the match, and a name opens exactly its papers: from the shortlist to the panel, and for four weeks
after the decision, once the person has undertaken to keep them confidential.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, bar, may_read, may_write, wall

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

BOTH = "group_agency_id, household_agency_id"
PARTY = f"(SELECT scope_agency()) IN ({BOTH})"
CHILDREN_S = "group_agency_id = (SELECT scope_agency())"
FAMILY_S = "household_agency_id = (SELECT scope_agency())"
ALONG = "ON UPDATE CASCADE ON DELETE CASCADE"
OF_LINK = f"FOREIGN KEY (link_id, {BOTH}) REFERENCES link (id, {BOTH}) {ALONG}"
ME = "(SELECT scope_person())"
SELF = f"person_id = {ME} AND person_name = (SELECT p.name FROM person p WHERE p.id = {ME})"
TODAY = "(now() AT TIME ZONE 'UTC')::date"
ROLES = "'panel_adviser', 'medical_adviser', 'legal_adviser', 'decision_maker'"
KINDS = "'par', 'cpr', 'placement_report', 'minutes', 'medical', 'legal', 'check'"
BEFORE = "'shortlisted', 'visiting', 'linking_meeting', 'panel'"
HELD = (
    f"a.agency_id = (SELECT scope_agency()) AND a.starts_on <= {TODAY} AND (a.ends_on IS NULL OR a.ends_on > {TODAY})"
)
# Who prepares a panel, or answers for the agency's records; a command on the host has no person.
PREPARES = (
    f"({ME} IS NULL OR EXISTS (SELECT FROM appointment a WHERE a.person_id = {ME} AND {HELD} AND a.role IN "
    "('family_finder', 'adopters_worker', 'childs_social_worker', 'manager', 'information_governance')))"
)
OPEN = "link_id = ANY ((SELECT scope_panels())::uuid[])"
AT_ITS_STAGE = f"link_id IN (SELECT l.id FROM link l WHERE l.state IN ({BEFORE}))"
# Whose place it is to write a paper: each adviser their own advice, named for this match in that role.
NAMED_FOR = (
    "EXISTS (SELECT FROM panel_reader r WHERE r.link_id = panel_paper.link_id AND r.ended_at IS NULL "
    f"AND r.person_id = {ME} AND r.role = CASE panel_paper.kind WHEN 'medical' THEN 'medical_adviser' "
    "WHEN 'legal' THEN 'legal_adviser' WHEN 'check' THEN 'panel_adviser' END)"
)
PANELS = f"""
    CREATE FUNCTION scope_panels() RETURNS uuid[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
        SELECT coalesce(array_agg(l.id), '{{}}')
        FROM panel_reader r
        JOIN panel_undertaking u ON u.reader_id = r.id
        JOIN link l ON l.id = r.link_id
        WHERE r.person_id = scope_person() AND r.group_agency_id = scope_agency() AND r.ended_at IS NULL
          AND l.consortium_id = scope_consortium()
          AND EXISTS (SELECT FROM appointment a WHERE a.person_id = scope_person() AND a.role = r.role
              AND a.agency_id = scope_agency() AND a.starts_on <= {TODAY}
              AND (a.ends_on IS NULL OR a.ends_on > {TODAY}))
          AND l.state IN ({BEFORE}, 'matched', 'introductions')
          AND coalesce((SELECT max(d.at) FROM match_decision d WHERE d.link_id = l.id), now())
              > now() - interval '28 days'
          AND NOT EXISTS (SELECT FROM consortium_member m WHERE m.consortium_id = l.consortium_id
              AND m.agency_id IN (l.group_agency_id, l.household_agency_id) AND m.left_on <= {TODAY})
    $$
"""
"""The links whose papers the scope's person may read now; what it asks is walled for them as everything is."""
# As 0031 has them: the grants that open something to the scope's person now.
PAR_STATES = (
    "'considering', 'shortlisted', 'visiting', 'linking_meeting', 'panel', 'matched', 'introductions', 'placed'"
)
CPR_STATES = "'linking_meeting', 'panel', 'matched', 'introductions', 'placed'"
OPENS = f"""
    FROM document_grant g JOIN link l ON l.id = g.link_id
    WHERE g.person_id = {ME}
      AND (SELECT scope_agency()) = CASE g.kind WHEN 'par' THEN g.group_agency_id ELSE g.household_agency_id END
      AND l.consortium_id = (SELECT scope_consortium())
      AND ((g.kind = 'par' AND l.state IN ({PAR_STATES})) OR (g.kind = 'cpr' AND l.state IN ({CPR_STATES})))
      AND g.decided_at IS NOT NULL AND g.ends_on >= {TODAY} AND g.revoked_at IS NULL
      AND NOT EXISTS (SELECT FROM consortium_member m WHERE m.consortium_id = l.consortium_id
          AND m.agency_id IN (l.group_agency_id, l.household_agency_id) AND m.left_on <= {TODAY})
      AND g.kind = d.kind AND coalesce(d.household_id = l.household_id, d.sibling_group_id = l.sibling_group_id)
"""
# Whatever a row of papers says, it opens a report about that link's own two records alone.
BEFORE_PANEL = """
    FROM panel_paper q JOIN link l ON l.id = q.link_id
    WHERE q.document_id = d.id AND q.link_id = ANY ((SELECT scope_panels())::uuid[]) AND q.withdrawn_at IS NULL
      AND coalesce(d.household_id = l.household_id, d.sibling_group_id = l.sibling_group_id)
"""


def upgrade() -> None:
    """Create readers, undertakings and papers, and open reports to those who are named."""
    _readers()
    _papers()
    op.execute(PANELS)
    op.execute("REVOKE ALL ON FUNCTION scope_panels() FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION scope_panels() TO concord_app")
    _policies()
    _reports()


def _readers() -> None:
    op.execute(f"""
        CREATE TABLE panel_reader (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            person_id uuid NOT NULL,
            person_name text NOT NULL,
            role text NOT NULL CHECK (role IN ({ROLES})),
            named_by uuid NOT NULL,
            named_name text NOT NULL,
            named_at timestamptz NOT NULL,
            ended_at timestamptz,
            ended_by uuid,
            ended_name text,
            CHECK (num_nonnulls(ended_at, ended_by, ended_name) IN (0, 3)),
            CONSTRAINT panel_reader_parties_key UNIQUE (id, link_id, {BOTH}),
            {OF_LINK}
        )
    """)
    op.execute(f"""
        CREATE UNIQUE INDEX panel_reader_named_key ON panel_reader (link_id, person_id, role, {BOTH})
        WHERE ended_at IS NULL
    """)
    op.execute("CREATE INDEX panel_reader_person_idx ON panel_reader (person_id)")
    op.execute(f"""
        CREATE TABLE panel_undertaking (
            reader_id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            person_id uuid NOT NULL,
            wording integer NOT NULL CHECK (wording >= 1),
            undertaken_at timestamptz NOT NULL,
            FOREIGN KEY (reader_id, link_id, {BOTH}) REFERENCES panel_reader (id, link_id, {BOTH}) {ALONG}
        )
    """)


def _papers() -> None:
    op.execute(f"""
        CREATE TABLE panel_paper (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            -- Whose paper it is: the household's report is its agency's, all else the children's agency's.
            agency_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ({KINDS})),
            person_id uuid NOT NULL,
            person_name text NOT NULL,
            at timestamptz NOT NULL,
            -- A report, by the version that was put before panel: a later one does not take its place by itself.
            document_id uuid,
            version integer,
            -- What was recommended, or whether all is ready, in one word; the reasons are sealed.
            finding text CHECK (finding IN ('recommended', 'not_recommended', 'no_recommendation', 'ready', 'missing')),
            pages integer CHECK (pages >= 1),
            sealed_key bytea,
            sealed bytea CHECK (length(sealed) <= 105000000),
            withdrawn_at timestamptz,
            withdrawn_by uuid,
            withdrawn_reason text CHECK (withdrawn_reason <> ''),
            CHECK (agency_id = CASE kind WHEN 'par' THEN household_agency_id ELSE group_agency_id END),
            CHECK ((kind IN ('par', 'cpr')) = (document_id IS NOT NULL)),
            CHECK ((document_id IS NULL) = (version IS NULL)),
            CHECK ((document_id IS NULL) = (sealed IS NOT NULL)),
            CHECK ((sealed IS NULL) = (sealed_key IS NULL)),
            CHECK ((kind = 'placement_report') = (pages IS NOT NULL)),
            CHECK ((kind IN ('minutes', 'check')) = (finding IS NOT NULL)),
            CHECK (num_nonnulls(withdrawn_at, withdrawn_by, withdrawn_reason) IN (0, 3)),
            {OF_LINK},
            FOREIGN KEY (document_id, version, agency_id)
                REFERENCES document_version (document_id, version, agency_id) {ALONG}
        )
    """)
    op.execute("CREATE INDEX panel_paper_link_idx ON panel_paper (link_id)")
    op.execute("CREATE INDEX panel_paper_agency_idx ON panel_paper (agency_id)")
    op.execute("CREATE INDEX panel_paper_document_idx ON panel_paper (document_id)")


def _policies() -> None:
    for table in ("panel_reader", "panel_undertaking", "panel_paper"):
        wall(table)
    # The family's agency reads whom its report is open to.
    for table in ("panel_reader", "panel_undertaking"):
        may_read(table, PARTY)
    holds = (
        "EXISTS (SELECT FROM appointment a WHERE a.person_id = panel_reader.person_id "
        f"AND a.role = panel_reader.role AND {HELD})"
    )
    named = "person_name = (SELECT p.name FROM person p WHERE p.id = panel_reader.person_id)"
    may_write(
        "panel_reader",
        f"{CHILDREN_S} AND named_by = {ME} AND ended_at IS NULL AND {named} AND {holds} AND {AT_ITS_STAGE}",
        verbs="INSERT",
    )
    may_write(
        "panel_reader",
        f"{CHILDREN_S} AND ended_by = {ME}",
        only=f"{CHILDREN_S} AND ended_at IS NULL",
        verbs="UPDATE",
        columns="ended_at, ended_by, ended_name",
    )
    may_write(
        "panel_undertaking",
        f"{CHILDREN_S} AND person_id = {ME} AND reader_id IN "
        f"(SELECT r.id FROM panel_reader r WHERE r.person_id = {ME} AND r.ended_at IS NULL)",
        verbs="INSERT",
    )
    may_read(
        "panel_paper",
        f"({OPEN} AND withdrawn_at IS NULL) OR ({PREPARES} AND ({CHILDREN_S} "
        f"OR ({FAMILY_S} AND kind IN ('par', 'placement_report'))))",
    )
    may_write(
        "panel_paper",
        f"{OWN} AND {SELF} AND withdrawn_at IS NULL AND {AT_ITS_STAGE} AND CASE "
        f"WHEN kind IN ('medical', 'legal', 'check') THEN {OPEN} AND {NAMED_FOR} ELSE {PREPARES} END",
        verbs="INSERT",
    )
    # Advice stays as it was given; a newer one goes beside it.
    taken_back = "kind IN ('par', 'cpr', 'placement_report', 'minutes')"
    may_write(
        "panel_paper",
        f"{OWN} AND {PREPARES} AND withdrawn_by = {ME}",
        only=f"{OWN} AND {PREPARES} AND withdrawn_at IS NULL AND {taken_back}",
        verbs="UPDATE",
        columns="withdrawn_at, withdrawn_by, withdrawn_reason",
    )
    op.execute("GRANT SELECT ON panel_reader, panel_undertaking, panel_paper TO concord_app")
    barred = "<> ALL ((SELECT scope_barred())::uuid[])"
    for table in ("panel_reader", "panel_undertaking", "panel_paper"):
        bar(table, f"link_id {barred}")


def _reports() -> None:
    op.execute("DROP POLICY document_read ON document")
    op.execute("DROP POLICY document_version_read ON document_version")
    in_it = {each: words.replace("d.", "document.") for each, words in (("g", OPENS), ("q", BEFORE_PANEL))}
    may_read("document", f"{OWN} OR EXISTS (SELECT {in_it['g']}) OR EXISTS (SELECT {in_it['q']})")
    undertaken = "AND EXISTS (SELECT FROM document_undertaking u WHERE u.grant_id = g.id)"
    may_read(
        "document_version",
        f"{OWN} "
        f"OR document_id IN (SELECT d.id FROM document d WHERE EXISTS (SELECT {OPENS} {undertaken}) "
        "AND d.version = document_version.version) "
        f"OR document_id IN (SELECT d.id FROM document d WHERE EXISTS (SELECT {BEFORE_PANEL} "
        "AND q.version = document_version.version))",
    )
