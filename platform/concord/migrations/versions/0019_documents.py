"""Links of two agencies; reports about households and children; and who may read one, by name, per link, until when.

What a grant opens is decided here, by the transaction's own clock: a person named in a grant, acting for the agency
that it was given to, in the link's consortium, while both agencies are members there and the link is considered, once
they have undertaken to keep the report confidential, reads the present version of the reports of that kind and record.
Nobody else reads another agency's, and nothing is opened by an older version.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATES = "'interest', 'considering', 'ended'"
KINDS = "'par', 'cpr'"
SELF = (
    "person_id = (SELECT scope_person()) "
    "AND person_name = (SELECT p.name FROM person p WHERE p.id = (SELECT scope_person()))"
)
"""The scope's own person, under the name that the directory gives them."""
PARTY = "(SELECT scope_agency()) IN (group_agency_id, household_agency_id)"
PARTIES = "link_id, group_agency_id, household_agency_id"
OF_LINK = f"FOREIGN KEY ({PARTIES}) REFERENCES link (id, group_agency_id, household_agency_id)"

# A PAR is the household's agency's, a CPR the children's: whose it is, and who reads it, follow from the kind.
OWNER = "(SELECT scope_agency()) = CASE {0}kind WHEN 'par' THEN {0}household_agency_id ELSE {0}group_agency_id END"
READER = "(SELECT scope_agency()) = CASE {0}kind WHEN 'par' THEN {0}group_agency_id ELSE {0}household_agency_id END"
CONSIDERED = "link_id IN (SELECT l.id FROM link l WHERE l.state = 'considering')"
TODAY = "(now() AT TIME ZONE 'UTC')::date"
OPENS = f"""
    FROM document_grant g JOIN link l ON l.id = g.link_id
    WHERE g.person_id = (SELECT scope_person()) AND {READER.format("g.")}
      AND l.consortium_id = (SELECT scope_consortium()) AND l.state = 'considering'
      AND g.decided_at IS NOT NULL AND g.ends_on >= {TODAY} AND g.revoked_at IS NULL
      AND NOT EXISTS (SELECT FROM consortium_member m WHERE m.consortium_id = l.consortium_id
          AND m.agency_id IN (l.group_agency_id, l.household_agency_id) AND m.left_on <= {TODAY})
"""
"""The grants that open something to the scope's person now."""
SAME_RECORD = """
    AND g.kind = d.kind AND coalesce(d.household_id = l.household_id, d.sibling_group_id = l.sibling_group_id)
"""
AUDITED = (
    "id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id, act, record_kind, record_id, "
    "level, reason"
)
DECISION = "decided_at, decided_by, decided_name, ends_on, declined, revoked_at, revoked_by, revoked_reason"


def upgrade() -> None:
    """Create links, reports and grants."""
    _links()
    _documents()
    _grants()
    _policies()
    _end_with_the_link()


def _links() -> None:
    op.execute(f"""
        CREATE TABLE link (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            sibling_group_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            started_by_id uuid NOT NULL CHECK (started_by_id IN (group_agency_id, household_agency_id)),
            state text NOT NULL CHECK (state IN ({STATES})),
            -- Counts the transitions: whoever acts on an older one is told that somebody was first.
            version integer NOT NULL CHECK (version >= 1),
            started_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL,
            outcome text CHECK (outcome IN
                ('not_right', 'family_withdrew', 'other_family', 'other_children', 'plan_changed', 'other')),
            feedback text,
            CHECK ((state = 'ended') = (outcome IS NOT NULL)),
            CHECK ((state = 'ended') = (feedback IS NOT NULL)),
            CONSTRAINT link_parties_key UNIQUE (id, group_agency_id, household_agency_id),
            FOREIGN KEY (sibling_group_id, group_agency_id) REFERENCES sibling_group (id, agency_id),
            FOREIGN KEY (household_id, household_agency_id) REFERENCES household (id, agency_id),
            FOREIGN KEY (consortium_id, group_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, household_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("""
        CREATE UNIQUE INDEX link_open_key ON link (sibling_group_id, household_id, group_agency_id, household_agency_id)
        WHERE state <> 'ended'
    """)
    op.execute("CREATE INDEX link_group_agency_idx ON link (group_agency_id, changed_at)")
    op.execute("CREATE INDEX link_household_agency_idx ON link (household_agency_id, changed_at)")
    op.execute("CREATE INDEX link_household_idx ON link (household_id)")
    op.execute(f"""
        CREATE TABLE link_step (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            version integer NOT NULL,
            from_state text CHECK (from_state IN ({STATES})),
            to_state text NOT NULL CHECK (to_state IN ({STATES})),
            at timestamptz NOT NULL,
            agency_id uuid NOT NULL CHECK (agency_id IN (group_agency_id, household_agency_id)),
            person_id uuid NOT NULL REFERENCES person,
            person_name text NOT NULL,
            person_roles text[] NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            CONSTRAINT link_step_version_key UNIQUE (link_id, version, agency_id),
            {OF_LINK}
        )
    """)
    op.execute("CREATE INDEX link_step_agency_idx ON link_step (agency_id)")


def _documents() -> None:
    op.execute(f"""
        CREATE TABLE document (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ({KINDS})),
            household_id uuid,
            sibling_group_id uuid,
            child_id uuid,
            -- The present version; older ones stay for the record, and no grant opens them.
            version integer NOT NULL CHECK (version >= 1),
            added_at timestamptz NOT NULL,
            CHECK ((kind = 'par') = (household_id IS NOT NULL)),
            CHECK ((kind = 'cpr') = (sibling_group_id IS NOT NULL)),
            CHECK (child_id IS NULL OR kind = 'cpr'),
            CONSTRAINT document_owner_key UNIQUE (id, agency_id),
            CONSTRAINT document_record_key UNIQUE NULLS NOT DISTINCT
                (agency_id, kind, household_id, sibling_group_id, child_id),
            FOREIGN KEY (household_id, agency_id) REFERENCES household (id, agency_id),
            FOREIGN KEY (sibling_group_id, agency_id) REFERENCES sibling_group (id, agency_id),
            FOREIGN KEY (child_id, agency_id) REFERENCES child (id, agency_id)
        )
    """)
    op.execute("""
        CREATE TABLE document_version (
            id uuid PRIMARY KEY,
            document_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            version integer NOT NULL CHECK (version >= 1),
            pages integer NOT NULL CHECK (pages >= 1),
            size integer NOT NULL CHECK (size > 0),
            digest bytea NOT NULL CHECK (length(digest) = 32),
            added_at timestamptz NOT NULL,
            added_by uuid,
            -- Its own data key, sealed under the master key; without it the content is lost for good.
            sealed_key bytea,
            sealed bytea NOT NULL CHECK (length(sealed) <= 105000000),
            shredded_at timestamptz,
            CHECK ((sealed_key IS NULL) = (shredded_at IS NOT NULL)),
            CONSTRAINT document_version_key UNIQUE (document_id, version, agency_id),
            FOREIGN KEY (document_id, agency_id) REFERENCES document (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX document_version_agency_idx ON document_version (agency_id)")


def _grants() -> None:
    op.execute(f"""
        CREATE TABLE document_grant (
            id uuid PRIMARY KEY,
            link_id uuid NOT NULL,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ({KINDS})),
            person_id uuid NOT NULL REFERENCES person,
            person_name text NOT NULL,
            person_roles text[] NOT NULL,
            asked_at timestamptz,
            reason text NOT NULL CHECK (reason <> ''),
            decided_at timestamptz,
            decided_by uuid,
            decided_name text,
            ends_on date,
            declined text CHECK (declined <> ''),
            revoked_at timestamptz,
            revoked_by uuid,
            revoked_reason text,
            CHECK (group_agency_id <> household_agency_id),
            CHECK ((decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (decided_name IS NULL)),
            CHECK ((decided_at IS NULL) = (num_nonnulls(ends_on, declined) = 0)),
            CHECK (num_nonnulls(ends_on, declined) <= 1),
            CHECK (asked_at IS NOT NULL OR decided_at IS NOT NULL),
            CONSTRAINT document_grant_parties_key UNIQUE (id, group_agency_id, household_agency_id),
            {OF_LINK}
        )
    """)
    op.execute("CREATE INDEX document_grant_link_idx ON document_grant (link_id)")
    op.execute("CREATE INDEX document_grant_person_idx ON document_grant (person_id)")
    op.execute("""
        CREATE UNIQUE INDEX document_grant_asked_key
        ON document_grant (link_id, kind, person_id, group_agency_id, household_agency_id)
        WHERE decided_at IS NULL AND revoked_at IS NULL
    """)
    op.execute("""
        CREATE TABLE document_undertaking (
            grant_id uuid PRIMARY KEY,
            group_agency_id uuid NOT NULL,
            household_agency_id uuid NOT NULL,
            person_id uuid NOT NULL REFERENCES person,
            wording integer NOT NULL CHECK (wording >= 1),
            undertaken_at timestamptz NOT NULL,
            FOREIGN KEY (grant_id, group_agency_id, household_agency_id)
                REFERENCES document_grant (id, group_agency_id, household_agency_id)
        )
    """)


def _policies() -> None:
    tables = ("link", "link_step", "document", "document_version", "document_grant", "document_undertaking")
    for table in tables:
        wall(table)
    for table in ("link", "link_step", "document_grant", "document_undertaking"):
        may_read(table, PARTY)
    # Either side may start a link, of two records that it sees at that time.
    may_write(
        "link",
        f"{PARTY} AND started_by_id = (SELECT scope_agency()) AND consortium_id = (SELECT scope_consortium()) "
        "AND state = 'interest' AND sibling_group_id IN (SELECT g.id FROM sibling_group g) "
        "AND household_id IN (SELECT h.id FROM household h)",
        verbs="INSERT",
    )
    # What has ended stays ended.
    may_write(
        "link",
        PARTY,
        only=f"{PARTY} AND state <> 'ended'",
        verbs="UPDATE",
        columns="state, version, changed_at, outcome, feedback",
    )
    may_write("link_step", f"{PARTY} AND {OWN} AND {SELF}", verbs="INSERT")
    granted = f"SELECT d.id FROM document d WHERE EXISTS (SELECT {OPENS} {SAME_RECORD})"
    may_read("document", f"{OWN} OR EXISTS (SELECT {OPENS} {SAME_RECORD.replace('d.', 'document.')})")
    may_write("document", OWN, verbs="INSERT")
    may_write("document", OWN, verbs="UPDATE", columns="version")
    undertaken = "AND EXISTS (SELECT FROM document_undertaking u WHERE u.grant_id = g.id)"
    may_read(
        "document_version",
        f"{OWN} OR document_id IN ({granted.removesuffix(')')} {undertaken}) AND d.version = document_version.version)",
    )
    may_write("document_version", OWN, verbs="INSERT")
    may_write("document_version", OWN, verbs="UPDATE", columns="sealed_key, sealed, shredded_at")
    took_part = (
        "EXISTS (SELECT FROM link_step s WHERE s.link_id = document_grant.link_id "
        "AND s.person_id = document_grant.person_id AND s.person_name = document_grant.person_name "
        "AND s.agency_id <> (SELECT scope_agency()))"
    )
    may_write(
        "document_grant",
        f"{CONSIDERED} AND revoked_at IS NULL AND ("
        f"({READER.format('')} AND {SELF} AND asked_at IS NOT NULL AND decided_at IS NULL) "
        f"OR ({OWNER.format('')} AND decided_by = (SELECT scope_person()) AND {took_part}))",
        verbs="INSERT",
    )
    # Once it is declined or taken back nothing of it changes; whoever wants to read asks again.
    may_write(
        "document_grant",
        OWNER.format(""),
        only=f"{OWNER.format('')} AND {CONSIDERED} AND revoked_at IS NULL AND declined IS NULL",
        verbs="UPDATE",
        columns=DECISION,
    )
    may_write(
        "document_undertaking",
        f"{PARTY} AND person_id = (SELECT scope_person()) AND EXISTS (SELECT {OPENS} AND g.id = grant_id)",
        verbs="INSERT",
    )
    op.execute(f"GRANT SELECT ON {', '.join(tables)} TO concord_app")


def _end_with_the_link() -> None:
    # In the database, so that nothing that ends a link can leave a grant of it standing, or do so unrecorded.
    op.execute("""
        CREATE FUNCTION revoke_with_link() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
            WITH revoked AS (
                UPDATE document_grant SET revoked_at = NEW.changed_at, revoked_by = scope_person(),
                    revoked_reason = 'The link has ended.'
                WHERE link_id = NEW.id AND revoked_at IS NULL AND declined IS NULL
                RETURNING id, kind
            )
            INSERT INTO audit_entry (id, at, actor_agency_id, actor_person_id, consortium_id, owner_agency_id,
                                     act, record_kind, record_id, level, reason)
            SELECT gen_random_uuid(), now(), scope_agency(), scope_person(), scope_consortium(),
                   CASE g.kind WHEN 'par' THEN NEW.household_agency_id ELSE NEW.group_agency_id END,
                   'revoke', CASE g.kind WHEN 'par' THEN 'household' ELSE 'sibling_group' END,
                   CASE g.kind WHEN 'par' THEN NEW.household_id ELSE NEW.sibling_group_id END,
                   'report', upper(g.kind) || ', the link has ended, grant ' || g.id
            FROM revoked g;
            RETURN NULL;
        END
        $$
    """)
    may_read("document_grant", "true", role="concord_work", name="work")
    op.execute("GRANT SELECT (id, kind, link_id, revoked_at, declined) ON document_grant TO concord_work")
    # By hand, for the policies of the application's login bear the names that “may_write” would give.
    op.execute(
        "CREATE POLICY document_grant_work_update ON document_grant FOR UPDATE TO concord_work "
        "USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT UPDATE (revoked_at, revoked_by, revoked_reason) ON document_grant TO concord_work")
    op.execute("CREATE POLICY audit_entry_work ON audit_entry FOR INSERT TO concord_work WITH CHECK (true)")
    op.execute(f"GRANT INSERT ({AUDITED}) ON audit_entry TO concord_work")
    op.execute("""
        CREATE TRIGGER link_revoke_grants AFTER UPDATE OF state ON link
        FOR EACH ROW WHEN (NEW.state = 'ended') EXECUTE FUNCTION revoke_with_link()
    """)
    # After its trigger, which only who may call a function can make.
    give_function("revoke_with_link()", "concord_work", to="concord_owner")
