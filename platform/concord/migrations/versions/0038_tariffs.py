"""Tariffs, the rules about fees, who pays for whom, and the agreements of two agencies about what a placement costs.

Nothing here names a child, a family, a group or a household. The link is an agreement's one tie to them: when it goes,
the agreement stays, and only its reference leads from the record of the adoption to it.

What the database holds an agreement to: each side signs for itself and in a person's own name, nobody for both; once
both have signed, its terms change on the day the children move in, or by an addendum that both have signed, and by
nothing else; once that day has come they change by an addendum alone.
"""

from __future__ import annotations

from alembic import op

from concord.migrations.fee_terms import HOLDING, OVERLAP, SIGNING, TENDING, TERMS
from concord.migrations.wall import OWN, give_function, may_read, may_write, wall

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

OURS = "consortium_id = (SELECT scope_consortium())"
BY_OFFICE = (
    f"{OURS} AND office_id = (SELECT scope_agency()) "
    "AND office_id IN (SELECT a.id FROM agency a WHERE a.kind = 'consortium_office')"
)
ME = "IS NOT DISTINCT FROM (SELECT scope_person())"
PARTIES = "payer_agency_id, payee_agency_id, authority_agency_id"
PARTY = f"{OURS} AND (SELECT scope_agency()) IN ({PARTIES})"
UNSIGNED = "payer_signed_by IS NULL AND payee_signed_by IS NULL"
OFFICE = "FOREIGN KEY (consortium_id, office_id) REFERENCES consortium_member (consortium_id, agency_id)"
OF_TARIFF = (
    "FOREIGN KEY (tariff_id, consortium_id, office_id) REFERENCES tariff (id, consortium_id, office_id) "
    "ON DELETE CASCADE"
)
NATIONS = "'england', 'wales', 'scotland', 'northern_ireland'"
DUES = "'placement', 'order', 'months', 'order_or_months'"
ROLES = "'finance_officer', 'manager'"
MOST_PENCE = 1_000_000_00
PENCE = f"BETWEEN 1 AND {MOST_PENCE}"
MEMBERS = """
            FOREIGN KEY (consortium_id, payer_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, payee_agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, authority_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
"""
SIGNATURES = """
            payer_signed_by uuid,
            payer_signed_name text,
            payer_signed_at timestamptz,
            payee_signed_by uuid,
            payee_signed_name text,
            payee_signed_at timestamptz,
            CHECK (num_nulls(payer_signed_by, payer_signed_name, payer_signed_at) IN (0, 3)),
            CHECK (num_nulls(payee_signed_by, payee_signed_name, payee_signed_at) IN (0, 3)),
            CHECK (payer_signed_by <> payee_signed_by)
"""
SIGNED = "payer_signed_by, payer_signed_name, payer_signed_at, payee_signed_by, payee_signed_name, payee_signed_at"
CHANGES = f"{TERMS}, {SIGNED}, refusal, stated, state, version, placed_on, ordered_on, disrupted_on, frozen_at, addenda"
"""What changes of an agreement after it was drafted."""


def upgrade() -> None:
    """Create the tables, what the database holds them to, and who reads and writes them."""
    _tariffs()
    _rules()
    _agreements()
    _addenda()
    for statement in (OVERLAP, SIGNING, HOLDING):
        op.execute(statement)
    _triggers()
    _policies()
    op.execute("GRANT SELECT (consortium_id, authority_agency_id, waived, state) ON fee_agreement TO concord_work")
    op.execute("GRANT SELECT (agency_id, kind, key) ON job TO concord_work")
    may_read("fee_agreement", "true", role="concord_work", name="tending")
    op.execute(TENDING)
    give_function("fee_tending_due(date)", "concord_work")


def _tariffs() -> None:
    op.execute(f"""
        CREATE TABLE tariff (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            office_id uuid NOT NULL,
            name text NOT NULL CHECK (name <> ''),
            -- Who is paid by it; the consortium's standard fee is for every placement between its members.
            payee_kind text NOT NULL CHECK (payee_kind IN ('council', 'voluntary', 'any', 'standard')),
            -- The nation of whoever is paid; null for all four.
            nation text CHECK (nation IN ({NATIONS})),
            -- Its rates are for payees in London alone.
            london boolean NOT NULL,
            -- What a payee in London is paid on top, where London has no rates of its own.
            london_percent integer CHECK (london_percent BETWEEN 1 AND 100),
            begins_on date NOT NULL,
            ends_on date CHECK (ends_on >= begins_on),
            source text NOT NULL CHECK (source <> ''),
            continuing_pence bigint CHECK (continuing_pence {PENCE}),
            continuing_after_months integer CHECK (continuing_after_months BETWEEN 1 AND 120),
            made_by uuid,
            made_at timestamptz NOT NULL,
            CHECK ((continuing_pence IS NULL) = (continuing_after_months IS NULL)),
            CHECK (NOT (london AND london_percent IS NOT NULL)),
            CONSTRAINT tariff_consortium_key UNIQUE (id, consortium_id, office_id),
            {OFFICE}
        )
    """)
    op.execute("CREATE INDEX tariff_consortium_idx ON tariff (consortium_id, payee_kind, begins_on)")
    op.execute("CREATE INDEX tariff_office_idx ON tariff (office_id)")
    op.execute(f"""
        CREATE TABLE tariff_rate (
            tariff_id uuid NOT NULL,
            consortium_id uuid NOT NULL,
            office_id uuid NOT NULL,
            children integer NOT NULL CHECK (children BETWEEN 1 AND 20),
            pence bigint NOT NULL CHECK (pence {PENCE}),
            PRIMARY KEY (tariff_id, children),
            {OF_TARIFF}
        )
    """)
    op.execute("CREATE INDEX tariff_rate_office_idx ON tariff_rate (office_id)")
    op.execute(f"""
        CREATE TABLE tariff_instalment (
            tariff_id uuid NOT NULL,
            consortium_id uuid NOT NULL,
            office_id uuid NOT NULL,
            position integer NOT NULL CHECK (position BETWEEN 1 AND 24),
            share_of integer NOT NULL CHECK (share_of >= 1),
            share_in integer NOT NULL CHECK (share_in BETWEEN share_of AND 1000),
            due text NOT NULL CHECK (due IN ({DUES})),
            months integer CHECK (months BETWEEN 1 AND 120),
            PRIMARY KEY (tariff_id, position),
            CHECK ((due IN ('months', 'order_or_months')) = (months IS NOT NULL)),
            {OF_TARIFF}
        )
    """)
    op.execute("CREATE INDEX tariff_instalment_office_idx ON tariff_instalment (office_id)")


def _rules() -> None:
    op.execute(f"""
        CREATE TABLE fee_rule (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            office_id uuid NOT NULL,
            begins_on date NOT NULL,
            -- For one swap group's placements, from that day on; null for all.
            swap_group_id uuid,
            -- By the consortium's standard fee, or by the tariff of whoever is paid.
            pricing text CHECK (pricing IN ('tariff', 'standard')),
            -- From which day the fee counts, where fostering became an adoption.
            counts_from text CHECK (counts_from IN ('adoptive_start', 'moving_in')),
            -- What becomes of what is not due yet when a placement disrupts.
            disruption text CHECK (disruption IN ('fall_away', 'stand')),
            waives_swaps boolean NOT NULL,
            leg_falls text NOT NULL CHECK (leg_falls IN ('stays_waived', 'charged')),
            why text NOT NULL CHECK (why <> ''),
            made_by uuid,
            made_at timestamptz NOT NULL,
            CHECK (num_nulls(pricing, counts_from, disruption) = CASE WHEN swap_group_id IS NULL THEN 0 ELSE 3 END),
            CONSTRAINT fee_rule_day_key UNIQUE NULLS NOT DISTINCT (consortium_id, swap_group_id, begins_on),
            FOREIGN KEY (swap_group_id, consortium_id, office_id) REFERENCES swap_group (id, consortium_id, office_id),
            {OFFICE}
        )
    """)
    op.execute("CREATE INDEX fee_rule_office_idx ON fee_rule (office_id)")
    op.execute("""
        CREATE TABLE fee_payer (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            -- Whose children are placed, and the regional agency that pays for it.
            agency_id uuid NOT NULL,
            payer_agency_id uuid NOT NULL CHECK (payer_agency_id <> agency_id),
            begins_on date NOT NULL,
            ends_on date CHECK (ends_on >= begins_on),
            asked_by uuid NOT NULL,
            asked_name text NOT NULL,
            asked_at timestamptz NOT NULL,
            confirmed_by uuid,
            confirmed_name text,
            confirmed_at timestamptz,
            CHECK (num_nulls(confirmed_by, confirmed_name, confirmed_at) IN (0, 3)),
            CHECK (confirmed_by <> asked_by),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            FOREIGN KEY (consortium_id, payer_agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    op.execute("CREATE UNIQUE INDEX fee_payer_agency_key ON fee_payer (agency_id, consortium_id) WHERE ends_on IS NULL")
    op.execute("CREATE INDEX fee_payer_agency_idx ON fee_payer (agency_id)")
    op.execute("CREATE INDEX fee_payer_payer_idx ON fee_payer (payer_agency_id)")
    op.execute(f"""
        CREATE TABLE signing_limit (
            agency_id uuid NOT NULL REFERENCES agency,
            role text NOT NULL CHECK (role IN ({ROLES})),
            -- Null for no limit; a role without a row here has none either.
            pence bigint CHECK (pence BETWEEN 0 AND {MOST_PENCE}),
            set_by uuid,
            set_name text,
            set_at timestamptz NOT NULL,
            PRIMARY KEY (agency_id, role)
        )
    """)


def _agreements() -> None:
    op.execute(f"""
        CREATE TABLE fee_agreement (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            -- Random: the one thing by which it is named outside Concord.
            reference text NOT NULL CONSTRAINT fee_agreement_reference_key UNIQUE
                CHECK (reference ~ '^FA-[0-9A-Z]{{6}}$'),
            link_id uuid,
            authority_agency_id uuid NOT NULL,
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL,
            children integer NOT NULL CHECK (children BETWEEN 1 AND 20),
            tariff_id uuid REFERENCES tariff (id),
            -- Which rule chose the rate, and why.
            rate_words text NOT NULL CHECK (rate_words <> ''),
            amount_pence bigint CHECK (amount_pence {PENCE}),
            -- Why it could not be priced, and what to do.
            refusal text CHECK (refusal <> ''),
            -- The two agencies settled it between themselves.
            stated boolean NOT NULL DEFAULT false,
            -- Nothing is paid, for a swap group's rule makes it a swap; the fee above is what it would have been.
            waived boolean NOT NULL,
            waiver_words text CHECK (waiver_words <> ''),
            swap_group_id uuid REFERENCES swap_group (id),
            leg_falls text CHECK (leg_falls IN ('stays_waived', 'charged')),
            plan jsonb NOT NULL CHECK (jsonb_typeof(plan) = 'array'),
            continuing_pence bigint CHECK (continuing_pence {PENCE}),
            continuing_after_months integer CHECK (continuing_after_months BETWEEN 1 AND 120),
            counts_from text NOT NULL CHECK (counts_from IN ('adoptive_start', 'moving_in')),
            disruption text NOT NULL CHECK (disruption IN ('fall_away', 'stand')),
            state text NOT NULL CHECK (state IN ('drafted', 'signed', 'in_force', 'ended', 'withdrawn')),
            -- Counts the changes: who acts on an older one is told that somebody was first.
            version integer NOT NULL CHECK (version >= 1),
            -- The last addendum by which its terms are what they are.
            addenda integer NOT NULL DEFAULT 0 CHECK (addenda >= 0),
            drafted_at timestamptz NOT NULL,
            drafted_by uuid,
            matched_on date,
            -- The day from which the fee counts: when the children moved in, or were placed for adoption there.
            placed_on date,
            ordered_on date CHECK (ordered_on >= placed_on),
            disrupted_on date,
            frozen_at timestamptz,
            {SIGNATURES},
            CHECK ((amount_pence IS NULL) = (refusal IS NOT NULL)),
            CHECK ((amount_pence IS NULL) = (jsonb_array_length(plan) = 0)),
            CHECK ((continuing_pence IS NULL) = (continuing_after_months IS NULL)),
            CHECK (NOT (stated AND tariff_id IS NOT NULL)),
            CHECK (NOT waived OR (swap_group_id IS NOT NULL AND waiver_words IS NOT NULL AND leg_falls IS NOT NULL)),
            CHECK (amount_pence IS NOT NULL OR waived OR ({UNSIGNED})),
            CHECK (frozen_at IS NULL OR (placed_on IS NOT NULL AND amount_pence IS NOT NULL)),
            CHECK (num_nonnulls(ordered_on, disrupted_on) = 0 OR placed_on IS NOT NULL),
            CHECK ((state IN ('drafted', 'withdrawn')) OR num_nulls(payer_signed_by, payee_signed_by) = 0),
            CONSTRAINT fee_agreement_parties_key UNIQUE (id, {PARTIES}),
            FOREIGN KEY (link_id, authority_agency_id, payee_agency_id)
                REFERENCES link (id, group_agency_id, household_agency_id) ON DELETE SET NULL (link_id),
            {MEMBERS}
        )
    """)
    # One stands for a link; one that was withdrawn gives way.
    op.execute(
        "CREATE UNIQUE INDEX fee_agreement_link_key ON fee_agreement (link_id) "
        "WHERE link_id IS NOT NULL AND state <> 'withdrawn'"
    )
    for party in ("payer", "payee", "authority"):
        op.execute(f"CREATE INDEX fee_agreement_{party}_idx ON fee_agreement ({party}_agency_id)")
    op.execute("CREATE INDEX fee_agreement_tariff_idx ON fee_agreement (tariff_id)")


def _addenda() -> None:
    op.execute(f"""
        CREATE TABLE fee_addendum (
            id uuid PRIMARY KEY,
            consortium_id uuid NOT NULL,
            agreement_id uuid NOT NULL,
            authority_agency_id uuid NOT NULL,
            payer_agency_id uuid NOT NULL,
            payee_agency_id uuid NOT NULL,
            position integer NOT NULL CHECK (position >= 1),
            -- The rate of the day of moving in is in force by what was signed, and both say that they have seen it;
            -- an amendment is in force once both have signed it.
            kind text NOT NULL CHECK (kind IN ('rate', 'amendment')),
            -- The terms as they are from then on, and as they were: {{"after": {{…}}, "before": {{…}}}}.
            changes jsonb NOT NULL CHECK (jsonb_typeof(changes) = 'object'),
            reason text NOT NULL CHECK (reason <> ''),
            drafted_by uuid,
            drafted_name text NOT NULL,
            drafted_at timestamptz NOT NULL,
            withdrawn_at timestamptz,
            {SIGNATURES},
            CHECK (withdrawn_at IS NULL OR num_nulls(payer_signed_by, payee_signed_by) > 0),
            CONSTRAINT fee_addendum_position_key UNIQUE (agreement_id, position),
            FOREIGN KEY (agreement_id, {PARTIES}) REFERENCES fee_agreement (id, {PARTIES}),
            {MEMBERS}
        )
    """)
    for party in ("payer", "payee", "authority"):
        op.execute(f"CREATE INDEX fee_addendum_{party}_idx ON fee_addendum ({party}_agency_id)")


def _triggers() -> None:
    op.execute(
        "CREATE TRIGGER tariff_overlap BEFORE INSERT OR UPDATE ON tariff "
        "FOR EACH ROW EXECUTE FUNCTION refuse_tariff_overlap()"
    )
    for table in ("fee_agreement", "fee_addendum"):
        op.execute(
            f"CREATE TRIGGER {table}_signing BEFORE UPDATE ON {table} FOR EACH ROW "
            "WHEN (current_user = 'concord_app') EXECUTE FUNCTION hold_fee_signatures()"
        )
    op.execute(
        "CREATE TRIGGER fee_agreement_terms BEFORE UPDATE ON fee_agreement FOR EACH ROW "
        "WHEN (current_user = 'concord_app') EXECUTE FUNCTION hold_fee_terms()"
    )


def _policies() -> None:
    of_office = ("tariff", "tariff_rate", "tariff_instalment", "fee_rule")
    of_parties = ("fee_agreement", "fee_addendum")
    for table in (*of_office, "fee_payer", "signing_limit", *of_parties):
        wall(table)
        op.execute(f"GRANT SELECT ON {table} TO concord_app")
    for table in of_office:
        may_read(table, OURS)
        by_me = f"{BY_OFFICE} AND made_by {ME}" if table in ("tariff", "fee_rule") else BY_OFFICE
        may_write(table, by_me, verbs="INSERT")
        may_write(table, BY_OFFICE, verbs="DELETE")
    may_write("tariff", BY_OFFICE, verbs="UPDATE", columns="ends_on")
    may_read("fee_payer", f"{OURS} AND (SELECT scope_agency()) IN (agency_id, payer_agency_id)")
    may_write("fee_payer", f"{OWN} AND {OURS} AND asked_by {ME} AND confirmed_by IS NULL", verbs="INSERT")
    may_write(
        "fee_payer",
        f"{OURS} AND ((payer_agency_id = (SELECT scope_agency()) AND confirmed_by {ME}) "
        f"OR ((SELECT scope_agency()) IN (agency_id, payer_agency_id) AND ends_on IS NOT NULL))",
        only=f"{OURS} AND (SELECT scope_agency()) IN (agency_id, payer_agency_id) AND ends_on IS NULL",
        verbs="UPDATE",
        columns="ends_on, confirmed_by, confirmed_name, confirmed_at",
    )
    may_read("signing_limit", OWN)
    may_write("signing_limit", f"{OWN} AND set_by {ME}", only=OWN, verbs="INSERT, UPDATE")
    # In whatever consortium, for what goes along with an agency goes from all of them.
    for table in of_parties:
        may_read(table, f"(SELECT scope_agency()) IN ({PARTIES})")
    may_write(
        "fee_agreement",
        f"{OURS} AND authority_agency_id = (SELECT scope_agency()) AND state = 'drafted' AND {UNSIGNED} "
        f"AND drafted_by {ME} AND link_id IN (SELECT l.id FROM link l)",
        verbs="INSERT",
    )
    may_write("fee_agreement", PARTY, verbs="UPDATE", columns=CHANGES)
    may_write(
        "fee_addendum",
        f"{PARTY} AND {UNSIGNED} AND withdrawn_at IS NULL AND drafted_by {ME}",
        verbs="INSERT",
    )
    may_write("fee_addendum", PARTY, verbs="UPDATE", columns=f"{SIGNED}, withdrawn_at")
