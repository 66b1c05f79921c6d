"""Retention with destruction by two people; requests for access; agreement; rectification."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, bar, give_function, may_read, may_write, wall

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

CLASSES = "'adoption_record', 'household_not_placed', 'group_not_placed', 'import_file'"
ME = "(SELECT scope_person())"
GONE = "record_id NOT IN (SELECT h.id FROM household h) AND record_id NOT IN (SELECT g.id FROM sibling_group g)"
"""What was written of a record goes after it, and never before."""


def upgrade() -> None:
    """Create the tables of the privacy work."""
    _rules()
    _orders()
    _holds()
    _runs()
    _subjects()
    _agreements()
    _rectifications()
    _put_up_bars()


def _may_change(table: str, columns: str, check: str, *, only: str) -> None:
    may_write(table, check, only=only, verbs="UPDATE", columns=columns)


def _rules() -> None:
    op.execute(f"""
        CREATE TABLE retention_rule (
            agency_id uuid NOT NULL REFERENCES agency,
            record_class text NOT NULL CHECK (record_class IN ({CLASSES})),
            clock text NOT NULL CHECK (clock IN ('order', 'withdrawn', 'youngest_birth', 'finished')),
            months integer NOT NULL CHECK (months BETWEEN 1 AND 2400),
            ends text NOT NULL CHECK (ends IN ('destroy', 'review')),
            basis text NOT NULL CHECK (basis <> ''),
            set_by uuid NOT NULL,
            set_at timestamptz NOT NULL,
            PRIMARY KEY (agency_id, record_class),
            -- SI 2005/888, regulation 6: at least 100 years from the order, whatever an agency sets.
            CONSTRAINT retention_rule_floor_check
                CHECK (record_class <> 'adoption_record' OR (months >= 1200 AND clock = 'order'))
        )
    """)
    wall("retention_rule")
    may_read("retention_rule", OWN)
    may_write("retention_rule", f"{OWN} AND set_by = {ME}", verbs="INSERT")
    _may_change("retention_rule", "clock, months, ends, basis, set_by, set_at", f"{OWN} AND set_by = {ME}", only=OWN)
    op.execute("GRANT SELECT ON retention_rule TO concord_app")


def _orders() -> None:
    # Without “on delete”: a record with an order cannot go while the order's row is there, and that stays a hundred
    # years by the database's own day, whatever the program does.
    op.execute("""
        CREATE TABLE adoption_order (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            household_id uuid,
            sibling_group_id uuid,
            ordered_on date NOT NULL,
            recorded_by uuid NOT NULL,
            recorded_at timestamptz NOT NULL,
            CHECK (num_nonnulls(household_id, sibling_group_id) = 1),
            FOREIGN KEY (household_id, agency_id) REFERENCES household (id, agency_id),
            FOREIGN KEY (sibling_group_id, agency_id) REFERENCES sibling_group (id, agency_id)
        )
    """)
    op.execute("CREATE INDEX adoption_order_agency_idx ON adoption_order (agency_id)")
    op.execute("CREATE INDEX adoption_order_household_idx ON adoption_order (household_id, agency_id)")
    op.execute("CREATE INDEX adoption_order_sibling_group_idx ON adoption_order (sibling_group_id, agency_id)")
    wall("adoption_order")
    may_read("adoption_order", OWN)
    may_write("adoption_order", OWN, verbs="INSERT")
    may_write(
        "adoption_order",
        f"{OWN} AND ordered_on <= (now() AT TIME ZONE 'UTC')::date - interval '100 years'",
        verbs="DELETE",
    )
    op.execute("GRANT SELECT ON adoption_order TO concord_app")


def _holds() -> None:
    op.execute(f"""
        CREATE TABLE retention_hold (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            record_class text CHECK (record_class IN ({CLASSES})),
            record_id uuid,
            code text,
            -- Why, and who asked for it, sealed.
            sealed bytea NOT NULL,
            held_by uuid NOT NULL,
            held_at timestamptz NOT NULL,
            sealed_lifting bytea,
            lifted_by uuid,
            lifted_at timestamptz,
            CHECK (num_nonnulls(record_class, record_id) = 1),
            CHECK (num_nulls(sealed_lifting, lifted_by, lifted_at) IN (0, 3))
        )
    """)
    op.execute("CREATE INDEX retention_hold_agency_idx ON retention_hold (agency_id, held_at)")
    op.execute(
        "CREATE UNIQUE INDEX retention_hold_standing_idx ON retention_hold "
        "(agency_id, coalesce(record_id::text, record_class)) WHERE lifted_at IS NULL"
    )
    wall("retention_hold")
    may_read("retention_hold", OWN)
    may_write("retention_hold", f"{OWN} AND held_by = {ME}", verbs="INSERT")
    _may_change(
        "retention_hold",
        "sealed_lifting, lifted_by, lifted_at",
        f"{OWN} AND lifted_by = {ME}",
        only=f"{OWN} AND lifted_at IS NULL",
    )
    op.execute("GRANT SELECT ON retention_hold TO concord_app")
    # In the scope of whoever deletes: a record is only ever its own agency's to delete, and so are its holds.
    op.execute("""
        CREATE FUNCTION refuse_held() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, public, pg_temp AS $$
        BEGIN
            IF EXISTS (SELECT FROM retention_hold h JOIN gone g ON g.id = h.record_id AND g.agency_id = h.agency_id
                       WHERE h.lifted_at IS NULL) THEN
                RAISE EXCEPTION 'a hold on destruction stands' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END
        $$
    """)
    for table in ("household", "sibling_group"):
        op.execute(f"""
            CREATE TRIGGER {table}_refuse_held AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_held()
        """)


def _runs() -> None:
    op.execute("""
        CREATE TABLE retention_run (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            as_of date NOT NULL,
            -- Why, in the asker's words, sealed.
            sealed bytea NOT NULL,
            asked_by uuid NOT NULL,
            asked_at timestamptz NOT NULL,
            approved boolean,
            sealed_decision bytea,
            decided_by uuid,
            decided_at timestamptz,
            job_id uuid,
            finished_at timestamptz,
            CONSTRAINT retention_run_owner_key UNIQUE (id, agency_id),
            CHECK (num_nulls(approved, sealed_decision, decided_by, decided_at) IN (0, 4)),
            -- Nothing is destroyed on one person's word; whoever asked may still take it back.
            CONSTRAINT retention_run_two_persons_check CHECK (NOT approved OR decided_by <> asked_by)
        )
    """)
    op.execute("CREATE INDEX retention_run_agency_idx ON retention_run (agency_id, asked_at)")
    op.execute(f"""
        CREATE TABLE retention_item (
            id uuid PRIMARY KEY,
            retention_run_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            record_class text NOT NULL CHECK (record_class IN ({CLASSES})),
            record_kind text NOT NULL CHECK (record_kind IN ('household', 'sibling_group', 'import_run')),
            record_id uuid NOT NULL,
            code text NOT NULL,
            started_on date NOT NULL,
            due_on date NOT NULL CHECK (due_on > started_on),
            -- The rule in words, as it stood when it was asked.
            rule text NOT NULL,
            outcome text CHECK (outcome IN ('destroyed', 'kept')),
            ended_at timestamptz,
            -- Why it was kept.
            why text,
            -- How many rows of which table were destroyed.
            destroyed jsonb,
            CONSTRAINT retention_item_record_key UNIQUE (retention_run_id, record_id, agency_id),
            FOREIGN KEY (retention_run_id, agency_id) REFERENCES retention_run (id, agency_id),
            CHECK ((outcome IS NULL) = (ended_at IS NULL)),
            CHECK ((outcome = 'kept') = (why IS NOT NULL)),
            CHECK ((outcome = 'destroyed') = (destroyed IS NOT NULL))
        )
    """)
    # Asked for once at a time.
    op.execute(
        "CREATE UNIQUE INDEX retention_item_open_idx ON retention_item (agency_id, record_id) WHERE outcome IS NULL"
    )
    for table in ("retention_run", "retention_item"):
        wall(table)
        may_read(table, OWN)
    may_write("retention_run", f"{OWN} AND asked_by = {ME} AND decided_by IS NULL", verbs="INSERT")
    _may_change(
        "retention_run",
        "approved, sealed_decision, decided_by, decided_at, job_id, finished_at",
        f"{OWN} AND decided_by = {ME}",
        only=f"{OWN} AND finished_at IS NULL",
    )
    may_write("retention_item", f"{OWN} AND outcome IS NULL", verbs="INSERT")
    _may_change("retention_item", "outcome, ended_at, why, destroyed", OWN, only=f"{OWN} AND outcome IS NULL")
    op.execute("GRANT SELECT ON retention_run, retention_item TO concord_app")
    op.execute("ALTER TABLE import_run ALTER COLUMN sealed DROP NOT NULL, ADD COLUMN destroyed_at timestamptz")
    op.execute(
        "ALTER TABLE import_run ADD CONSTRAINT import_run_destroyed_check "
        "CHECK ((sealed IS NULL) = (destroyed_at IS NOT NULL))"
    )


def _subjects() -> None:
    op.execute("""
        CREATE TABLE subject_request (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            record_kind text NOT NULL CHECK (record_kind IN ('household', 'sibling_group')),
            record_id uuid NOT NULL,
            code text NOT NULL,
            -- Who asks, how that was checked and why it takes longer, sealed.
            sealed bytea NOT NULL,
            received_on date NOT NULL,
            due_on date NOT NULL CHECK (due_on > received_on),
            opened_by uuid NOT NULL,
            opened_at timestamptz NOT NULL,
            closed_by uuid,
            closed_at timestamptz,
            CONSTRAINT subject_request_owner_key UNIQUE (id, agency_id),
            CHECK (num_nulls(closed_by, closed_at) IN (0, 2))
        )
    """)
    op.execute("CREATE INDEX subject_request_agency_idx ON subject_request (agency_id, due_on)")
    op.execute("""
        CREATE TABLE subject_item (
            id uuid PRIMARY KEY,
            subject_request_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            position integer NOT NULL CHECK (position >= 0),
            title text NOT NULL,
            adoption_record boolean NOT NULL,
            sealed bytea NOT NULL,
            decision text CHECK (decision IN ('release', 'redact', 'withhold')),
            -- Why, and what of it leaves, sealed.
            sealed_decision bytea,
            decided_by uuid,
            decided_at timestamptz,
            CONSTRAINT subject_item_position_key UNIQUE (subject_request_id, position, agency_id),
            FOREIGN KEY (subject_request_id, agency_id) REFERENCES subject_request (id, agency_id) ON DELETE CASCADE,
            -- Nothing is released but by a person, with a reason.
            CHECK (num_nulls(decision, sealed_decision, decided_by, decided_at) IN (0, 4))
        )
    """)
    op.execute("""
        CREATE TABLE subject_export (
            id uuid PRIMARY KEY,
            subject_request_id uuid NOT NULL,
            agency_id uuid NOT NULL,
            format text NOT NULL CHECK (format IN ('pdf', 'json')),
            digest bytea NOT NULL CHECK (length(digest) = 32),
            size integer NOT NULL CHECK (size > 0),
            sealed bytea NOT NULL,
            made_at timestamptz NOT NULL,
            expires_on date NOT NULL,
            CONSTRAINT subject_export_format_key UNIQUE (subject_request_id, format, agency_id),
            FOREIGN KEY (subject_request_id, agency_id) REFERENCES subject_request (id, agency_id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX subject_export_expires_idx ON subject_export (expires_on)")
    for table in ("subject_request", "subject_item", "subject_export"):
        wall(table)
        may_read(table, OWN)
    may_write("subject_request", f"{OWN} AND opened_by = {ME}", verbs="INSERT")
    _may_change("subject_request", "sealed, due_on, closed_by, closed_at", OWN, only=f"{OWN} AND closed_at IS NULL")
    may_write("subject_request", f"{OWN} AND {GONE}", verbs="DELETE")
    may_write("subject_item", f"{OWN} AND decision IS NULL", verbs="INSERT")
    _may_change(
        "subject_item", "decision, sealed_decision, decided_by, decided_at", f"{OWN} AND decided_by = {ME}", only=OWN
    )
    may_write("subject_export", OWN, verbs="INSERT, DELETE")
    op.execute("GRANT SELECT ON subject_request, subject_item, subject_export TO concord_app")
    may_read("subject_export", "true", role="concord_work", name="work")
    op.execute("GRANT SELECT (subject_request_id, agency_id, expires_on) ON subject_export TO concord_work")
    op.execute("""
        CREATE FUNCTION answers_past_their_end(before_day date)
        RETURNS TABLE (subject_request_id uuid, agency_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
            SELECT DISTINCT e.subject_request_id, e.agency_id FROM subject_export e
            WHERE scope_is_nobody() AND e.expires_on < before_day
            ORDER BY e.subject_request_id
        $$
    """)
    give_function("answers_past_their_end(date)", "concord_work")


def _agreements() -> None:
    op.execute("""
        CREATE TABLE agreement_entry (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL,
            household_id uuid NOT NULL,
            agreed_to text NOT NULL CHECK (agreed_to IN ('pool_sharing', 'profile', 'documents', 'contact')),
            said_on date NOT NULL,
            how text NOT NULL CHECK (how IN ('signed_form', 'email', 'oral')),
            -- Who said it and, of a withdrawal, why sharing goes on or not, sealed.
            sealed bytea NOT NULL,
            withdraws_id uuid,
            after text CHECK (after IN ('go_on', 'hold_back')),
            recorded_by uuid NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT agreement_entry_owner_key UNIQUE (id, household_id, agency_id),
            CONSTRAINT agreement_entry_withdraws_key UNIQUE (withdraws_id, agency_id),
            CHECK (num_nulls(withdraws_id, after) IN (0, 2)),
            FOREIGN KEY (household_id, agency_id) REFERENCES household (id, agency_id) ON DELETE CASCADE,
            FOREIGN KEY (withdraws_id, household_id, agency_id)
                REFERENCES agreement_entry (id, household_id, agency_id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX agreement_entry_household_idx ON agreement_entry (household_id, agency_id)")
    wall("agreement_entry")
    may_read("agreement_entry", OWN)
    # A ledger: it is added to, and goes with its household alone.
    may_write("agreement_entry", OWN, verbs="INSERT")
    op.execute("GRANT SELECT ON agreement_entry TO concord_app")


def _rectifications() -> None:
    op.execute("""
        CREATE TABLE rectification (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            record_kind text NOT NULL CHECK (record_kind IN ('household', 'sibling_group')),
            record_id uuid NOT NULL,
            code text NOT NULL,
            -- Which field, what stands, what is to stand and what they say, sealed.
            sealed bytea NOT NULL,
            asked_on date NOT NULL,
            due_on date NOT NULL CHECK (due_on > asked_on),
            opened_by uuid NOT NULL,
            opened_at timestamptz NOT NULL,
            decision text CHECK (decision IN ('done', 'refused')),
            sealed_decision bytea,
            decided_by uuid,
            decided_at timestamptz,
            CHECK (num_nulls(decision, sealed_decision, decided_by, decided_at) IN (0, 4))
        )
    """)
    op.execute("CREATE INDEX rectification_agency_idx ON rectification (agency_id, due_on)")
    op.execute("CREATE INDEX rectification_record_idx ON rectification (record_id)")
    wall("rectification")
    may_read("rectification", OWN)
    may_write("rectification", f"{OWN} AND opened_by = {ME} AND decision IS NULL", verbs="INSERT")
    _may_change(
        "rectification",
        "decision, sealed_decision, decided_by, decided_at",
        f"{OWN} AND decided_by = {ME}",
        only=f"{OWN} AND decided_at IS NULL",
    )
    may_write("rectification", f"{OWN} AND {GONE}", verbs="DELETE")
    op.execute("GRANT SELECT ON rectification TO concord_app")


def _put_up_bars() -> None:
    may_read("subject_request", "true", role="concord_place", name="place")
    op.execute("GRANT SELECT (id, record_id) ON subject_request TO concord_place")
    # A destruction's items stay: whoever is shut out of one could not see the whole of what they agree to.
    shut_out = "<> ALL ((SELECT scope_barred())::uuid[])"
    bar("adoption_order", f"coalesce(household_id, sibling_group_id) {shut_out}")
    bar("agreement_entry", f"household_id {shut_out}")
    for table in ("rectification", "subject_request"):
        bar(table, f"record_id {shut_out}")
    for table in ("subject_item", "subject_export"):
        bar(table, f"subject_request_id {shut_out}")
    bar("retention_hold", f"record_id IS NULL OR record_id {shut_out}")
    # Whoever is shut out acts on record like everybody.
    bar("audit_entry", f"record_id IS NULL OR record_id {shut_out}", verb="SELECT")
