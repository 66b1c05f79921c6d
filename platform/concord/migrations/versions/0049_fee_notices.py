"""Notices about fees: to whom they are a job to do, in the transaction of what they tell of.

As with links, the database gives them itself, and they say what kind of thing happened: no amount, no name and no
reference. Who is told is in one table below.

Whoever issues an invoice takes the account's next number, and does not change the account by it.
"""

from __future__ import annotations

from typing import NamedTuple

from alembic import op

from concord.migrations.wall import OWN, bar, give_function

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
TODAY = "(now() AT TIME ZONE 'UTC')::date"
HELD = f"a.starts_on <= {TODAY} AND (a.ends_on IS NULL OR a.ends_on > {TODAY})"
WORKERS = "'family_finder', 'childs_social_worker', 'adopters_worker', 'manager'"
FINANCE = "'finance_officer', 'manager'"
KINDS = "'step', 'message', 'mention', 'grant', 'clock', 'fee'"
READ = {
    "fee_agreement": "payer_agency_id, payee_agency_id",
    "invoice": "payer_agency_id",
}
"""What the functions read beside what their owner may already."""


class Told(NamedTuple):
    """What is told when a row is written: which word, the people of the agency in which column, about what."""

    word: str
    table: str
    event: str
    when: str
    agency: str
    subject: str
    mark: str
    """The columns that tell one time from another of the same subject."""
    roles: str = "finance_officer"


APPROVERS = "finance_officer,manager"
"""Who may sign and approve, as the table of permissions has it, which a test holds it to."""
_PRICED = "{0}.state NOT IN ('ended', 'withdrawn') AND ({0}.amount_pence IS NOT NULL OR {0}.waived)"


def _waits(side: str, row: str) -> str:
    other = "payee" if side == "payer" else "payer"
    parties = f"{row}.{side}_agency_id <> {row}.{other}_agency_id"
    return f"{_PRICED.format(row)} AND {row}.{side}_signed_by IS NULL AND {parties}"


TELLS = (
    Told("reminder", "invoice_reminder", "INSERT", "true", "payer_agency_id", "invoice_id", "days"),
    Told("dispute_opened", "dispute", "INSERT", "true", "payee_agency_id", "invoice_id", "id"),
    *(
        Told(word, "dispute", "UPDATE OF version", when, agency, "invoice_id", "id,version")
        for word, when, agency in (
            ("dispute_answered", "NEW.status = 'opened'", "payee_agency_id"),
            ("dispute_answered", "NEW.status = 'answered'", "payer_agency_id"),
            ("dispute_over", "NEW.outcome = 'withdrawn'", "payee_agency_id"),
            ("dispute_over", "NEW.outcome <> 'withdrawn'", "payer_agency_id"),
        )
    ),
    Told("bank_asked", "payee_account_change", "INSERT", "true", "agency_id", "id", "id", APPROVERS),
    *(
        Told(word, "payee_account_change", f"UPDATE OF {column}", when, "agency_id", "id", "id")
        for word, column, when in (
            ("bank_approved", "approved_at", "NEW.approved_at IS NOT NULL AND OLD.approved_at IS NULL"),
            ("bank_withdrawn", "withdrawn_at", "NEW.withdrawn_at IS NOT NULL AND OLD.withdrawn_at IS NULL"),
        )
    ),
    *(
        Told("to_sign", "fee_agreement", event, when, f"{side}_agency_id", "id", "version", APPROVERS)
        for side in ("payer", "payee")
        for event, when in (
            ("INSERT", _waits(side, "NEW")),
            ("UPDATE", f"{_waits(side, 'NEW')} AND NOT ({_waits(side, 'OLD')})"),
        )
    ),
    *(
        Told(
            "addendum",
            "fee_addendum",
            "INSERT",
            f"NEW.{side}_signed_by IS NULL AND NEW.payer_agency_id <> NEW.payee_agency_id",
            f"{side}_agency_id",
            "agreement_id",
            "position",
            APPROVERS,
        )
        for side in ("payer", "payee")
    ),
    Told("exception_asked", "fee_exception", "INSERT", "true", "deciding_agency_id", "agreement_id", "id", APPROVERS),
    Told(
        "reopen_asked",
        "fee_period",
        "UPDATE OF reopen_asked_at",
        "NEW.reopen_asked_at IS NOT NULL AND OLD.reopen_asked_at IS NULL",
        "agency_id",
        "id",
        "id",
        APPROVERS,
    ),
    Told(
        "reopened",
        "fee_period",
        "UPDATE OF reopened_at",
        "NEW.reopened_at IS NOT NULL AND OLD.reopened_at IS NULL",
        "agency_id",
        "id",
        "id",
    ),
    Told("statement", "fee_statement", "INSERT", "true", "other_agency_id", "id", "id"),
    Told("netting", "netting_member", "INSERT", "NEW.confirmed_at IS NULL", "agency_id", "netting_id", "netting_id"),
)
"""Never to who did it. Signing, approving and opening again are also a manager's; all else is a finance officer's."""
PAYERS_TOLD = (
    ("bank_changes", "approved_at", "NEW.approved_at IS NOT NULL AND OLD.approved_at IS NULL"),
    (
        "bank_stays",
        "withdrawn_at",
        "NEW.withdrawn_at IS NOT NULL AND OLD.withdrawn_at IS NULL AND NEW.approved_at IS NOT NULL",
    ),
)
"""What whoever pays is told of where money goes: from the day on which a second person has approved a change."""
ALL_TOLD = (("netting_posted", "posted_at"), ("netting_declined", "declined_at"))
"""What the other agencies of a netting are told of it."""


def upgrade() -> None:
    """Let a notice tell of fees, give such notices, and ask for e-mails to finance officers too."""
    op.execute(f"""
        ALTER TABLE notice
            -- What it is about by its id alone: an agreement, an invoice, a month, a change of bank details and so on.
            ADD COLUMN fee_id uuid,
            DROP CONSTRAINT notice_kind_check,
            ADD CONSTRAINT notice_kind_check CHECK (kind IN ({KINDS})),
            DROP CONSTRAINT notice_check,
            ADD CONSTRAINT notice_check CHECK (num_nonnulls(link_id, sibling_group_id, household_id, fee_id) = 1),
            ADD CHECK ((kind = 'fee') = (fee_id IS NOT NULL))
    """)
    op.execute(
        "CREATE UNIQUE INDEX notice_fee_key ON notice (agency_id, person_id, fee_id, mark) WHERE fee_id IS NOT NULL"
    )
    op.execute("DROP POLICY notice_bar ON notice")
    bar("notice", "coalesce(link_id, sibling_group_id, household_id, fee_id) <> ALL ((SELECT scope_barred())::uuid[])")
    for table, columns in READ.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO concord_work")
    _replace_functions()
    for statement, signature, to in (
        (GIVE, "give_fee_notices(uuid, text[], uuid, uuid, text, text)", "concord_work"),
        (ON_FEE, "notice_fee()", "concord_owner"),
        (ON_BANK, "notice_payers()", "concord_owner"),
        (ON_NETTING, "notice_parties()", "concord_owner"),
        (ON_DAY, "notice_fee_day(uuid, text, text)", "concord_app"),
    ):
        op.execute(statement)
        give_function(signature, "concord_work", to=to)
    _triggers()
    _let_all_take_numbers()


def _replace_functions() -> None:
    """Mail finance officers too, and look once a day in the scope of whoever has fees."""
    op.execute("SET LOCAL ROLE concord_work")
    op.execute("DROP FUNCTION people_to_mail(timestamptz)")
    op.execute("DROP FUNCTION agencies_with_clocks(text)")
    op.execute("SET LOCAL ROLE concord_owner")
    for statement, signature in ((DUE, "people_to_mail(timestamptz)"), (CLOCKED, "agencies_with_clocks(text)")):
        op.execute(statement)
        give_function(signature, "concord_work")


def _triggers() -> None:
    for number, each in enumerate(TELLS):
        told = ", ".join(f"'{said}'" for said in (each.word, each.agency, each.roles, each.subject, each.mark))
        op.execute(
            f"CREATE TRIGGER {each.table}_tells_{number} AFTER {each.event} ON {each.table} "
            f"FOR EACH ROW WHEN ({each.when}) EXECUTE FUNCTION notice_fee({told})"
        )
    for word, column, when in PAYERS_TOLD:
        op.execute(
            f"CREATE TRIGGER payee_account_change_{word} AFTER UPDATE OF {column} ON payee_account_change "
            f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION notice_payers('{word}')"
        )
    for word, column in ALL_TOLD:
        op.execute(
            f"CREATE TRIGGER netting_{word} AFTER UPDATE OF {column} ON netting FOR EACH ROW "
            f"WHEN (NEW.{column} IS NOT NULL AND OLD.{column} IS NULL) EXECUTE FUNCTION notice_parties('{word}')"
        )


def _let_all_take_numbers() -> None:
    """Ask for the name of who changes an account; not of who takes the next number from it."""
    op.execute(f"ALTER POLICY payee_account_update ON payee_account USING ({OWN}) WITH CHECK ({OWN})")
    op.execute(CHANGER)
    op.execute(
        "CREATE TRIGGER payee_account_changer BEFORE UPDATE ON payee_account FOR EACH ROW "
        "WHEN (current_user = 'concord_app') EXECUTE FUNCTION name_account_changer()"
    )


CHANGER = """
    CREATE FUNCTION name_account_changer() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        IF to_jsonb(NEW) - 'next_number' IS DISTINCT FROM to_jsonb(OLD) - 'next_number'
                AND NEW.changed_by IS DISTINCT FROM scope_person() THEN
            RAISE EXCEPTION 'people change an account in their own name' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
"""
GIVE = f"""
    CREATE FUNCTION give_fee_notices(
        of_agency uuid, of_roles text[], author uuid, subject uuid, word text, about text
    ) RETURNS void LANGUAGE sql {DEFINER} AS $$
        INSERT INTO notice (id, fee_id, agency_id, person_id, kind, what, mark, at)
        SELECT DISTINCT ON (a.person_id) gen_random_uuid(), subject, a.agency_id, a.person_id, 'fee', word,
            word || ' ' || about, now()
        FROM appointment a
        WHERE a.agency_id = of_agency AND a.role = ANY (of_roles) AND {HELD} AND a.person_id IS DISTINCT FROM author
        ORDER BY a.person_id
        ON CONFLICT DO NOTHING
    $$
"""
# Of the row that was written: the word, whose people, in which roles, about what, and what makes it another time.
ON_FEE = f"""
    CREATE FUNCTION notice_fee() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
    DECLARE
        written jsonb := to_jsonb(NEW);
    BEGIN
        PERFORM give_fee_notices((written ->> TG_ARGV[1])::uuid, string_to_array(TG_ARGV[2], ','), scope_person(),
            (written ->> TG_ARGV[3])::uuid, TG_ARGV[0],
            (SELECT string_agg(written ->> each, ' ') FROM unnest(string_to_array(TG_ARGV[4], ',')) each));
        RETURN NULL;
    END
    $$
"""
# Those who have been invoiced: the same who may read of the change.
ON_BANK = f"""
    CREATE FUNCTION notice_payers() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
    BEGIN
        PERFORM give_fee_notices(p.payer_agency_id, ARRAY['finance_officer'], scope_person(), NEW.id, TG_ARGV[0],
            NEW.id::text)
        FROM (SELECT DISTINCT i.payer_agency_id FROM invoice i WHERE i.payee_agency_id = NEW.agency_id) p;
        RETURN NULL;
    END
    $$
"""
# The finance officers of all agencies of a netting but the one that said the last word.
ON_NETTING = f"""
    CREATE FUNCTION notice_parties() RETURNS trigger LANGUAGE plpgsql {DEFINER} AS $$
    BEGIN
        PERFORM give_fee_notices(each.id, ARRAY['finance_officer'], scope_person(), NEW.id, TG_ARGV[0], NEW.id::text)
        FROM unnest(NEW.agency_ids) AS each (id) WHERE each.id IS DISTINCT FROM scope_agency();
        RETURN NULL;
    END
    $$
"""
# One's own agency's finance officers, of a day: the schedule looks in each agency's scope.
ON_DAY = f"""
    CREATE FUNCTION notice_fee_day(subject uuid, word text, about text) RETURNS void LANGUAGE sql {DEFINER} AS $$
        SELECT give_fee_notices(scope_agency(), ARRAY['finance_officer'], NULL, subject, word, about)
        WHERE word IN ('bank_soon', 'month_open')
    $$
"""
# Whom a mail is due, as before, and of fees those whose work they are.
DUE = f"""
    CREATE FUNCTION people_to_mail(asked_at timestamptz)
    RETURNS TABLE (agency_id uuid, person_id uuid, way text, newest_id uuid) LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT n.agency_id, n.person_id, coalesce(c.way, 'daily'),
            (array_agg(n.id ORDER BY n.at DESC, n.id))[1]
        FROM notice n LEFT JOIN notice_choice c ON c.agency_id = n.agency_id AND c.person_id = n.person_id
        WHERE n.mailed_at IS NULL AND n.at > asked_at - interval '7 days' AND scope_is_nobody()
          AND EXISTS (SELECT FROM appointment a WHERE a.person_id = n.person_id AND a.agency_id = n.agency_id
            AND {HELD} AND CASE WHEN n.fee_id IS NULL THEN a.role IN ({WORKERS}) ELSE a.role IN ({FINANCE}) END)
        GROUP BY n.agency_id, n.person_id, c.way
        HAVING c.way = 'at_once' OR (coalesce(c.way, 'daily') = 'daily'
            AND extract(hour FROM asked_at AT TIME ZONE 'Europe/London') >= 7
            AND NOT EXISTS (SELECT FROM notice m WHERE m.agency_id = n.agency_id AND m.person_id = n.person_id
                AND (m.mailed_at AT TIME ZONE 'Europe/London')::date = (asked_at AT TIME ZONE 'Europe/London')::date))
        ORDER BY 1, 2
    $$
"""
# In whose scope times are still to be looked at, of links, records and fees, on the day that a job's key says.
CLOCKED = f"""
    CREATE FUNCTION agencies_with_clocks(asked text) RETURNS SETOF uuid LANGUAGE sql STABLE {DEFINER} AS $$
        SELECT each.agency_id FROM (
            SELECT l.group_agency_id AS agency_id FROM link l WHERE l.state NOT IN ('ordered', 'ended', 'disrupted')
            UNION SELECT g.agency_id FROM sibling_group g WHERE g.status <> 'withdrawn'
            UNION SELECT h.agency_id FROM household h WHERE h.status <> 'withdrawn'
            UNION SELECT f.payer_agency_id FROM fee_agreement f WHERE f.state <> 'withdrawn'
            UNION SELECT f.payee_agency_id FROM fee_agreement f WHERE f.state <> 'withdrawn') each
        WHERE scope_is_nobody()
          AND NOT EXISTS (SELECT FROM job j WHERE j.agency_id = each.agency_id AND j.kind = 'clock_notices'
            AND j.key = asked)
        ORDER BY 1
    $$
"""
