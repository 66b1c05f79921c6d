"""The papers of privacy: what agencies and offices say for them, their versions, and who signed which."""

from __future__ import annotations

from alembic import op

from concord.migrations.wall import OWN, may_read, may_write, wall

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ME = "(SELECT scope_person())"
HERE = "(SELECT scope_consortium())"
MEMBERS = f"({HERE}, agency_id) IN (SELECT m.consortium_id, m.agency_id FROM present_members() m)"
SEEN = "paper_id IN (SELECT p.id FROM paper p)"


def upgrade() -> None:
    """Create answers, papers and signatures."""
    _answers()
    _papers()
    _signatures()


def _answers() -> None:
    op.execute("""
        CREATE TABLE paper_answer (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            -- Where the office answers for its consortium.
            consortium_id uuid,
            question text NOT NULL CHECK (question ~ '^[a-z][a-z0-9_]*$'),
            answer text NOT NULL CHECK (answer <> ''),
            -- What the other members' papers name too.
            shared boolean NOT NULL,
            set_by uuid NOT NULL,
            set_at timestamptz NOT NULL,
            CONSTRAINT paper_answer_question_key UNIQUE NULLS NOT DISTINCT (agency_id, consortium_id, question),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id)
        )
    """)
    wall("paper_answer")
    may_read("paper_answer", f"{OWN} OR (shared AND (consortium_id IS NULL OR consortium_id = {HERE}) AND {MEMBERS})")
    office = f"consortium_id = {HERE} AND agency_id IN (SELECT a.id FROM agency a WHERE a.kind = 'consortium_office')"
    may_write(
        "paper_answer", f"{OWN} AND set_by = {ME} AND (consortium_id IS NULL OR ({office}))", only=OWN, verbs="INSERT"
    )
    may_write("paper_answer", f"{OWN} AND set_by = {ME}", only=OWN, verbs="UPDATE", columns="answer, set_by, set_at")
    may_write("paper_answer", OWN, verbs="DELETE")
    op.execute("GRANT SELECT ON paper_answer TO concord_app")


def _papers() -> None:
    op.execute("""
        CREATE TABLE paper (
            id uuid PRIMARY KEY,
            agency_id uuid NOT NULL REFERENCES agency,
            consortium_id uuid,
            kind text NOT NULL CHECK (kind IN ('map', 'agreement', 'assessment', 'adopters', 'families', 'staff')),
            number integer NOT NULL CHECK (number >= 1),
            digest bytea NOT NULL CHECK (length(digest) = 32),
            content jsonb NOT NULL,
            drawn_by uuid NOT NULL,
            drawn_at timestamptz NOT NULL,
            CONSTRAINT paper_number_key UNIQUE NULLS NOT DISTINCT (agency_id, consortium_id, kind, number),
            CONSTRAINT paper_content_key UNIQUE (id, kind, digest),
            FOREIGN KEY (consortium_id, agency_id) REFERENCES consortium_member (consortium_id, agency_id),
            CHECK (kind <> 'agreement' OR consortium_id IS NOT NULL)
        )
    """)
    wall("paper")
    may_read("paper", f"{OWN} OR (kind = 'agreement' AND consortium_id = {HERE})")
    # Drawn up, and never changed.
    may_write(
        "paper", f"{OWN} AND drawn_by = {ME} AND (consortium_id IS NULL OR consortium_id = {HERE})", verbs="INSERT"
    )
    op.execute("GRANT SELECT ON paper TO concord_app")


def _signatures() -> None:
    op.execute("""
        CREATE TABLE paper_signature (
            id uuid PRIMARY KEY,
            paper_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('map', 'agreement', 'assessment', 'adopters', 'families', 'staff')),
            digest bytea NOT NULL,
            agency_id uuid NOT NULL REFERENCES agency,
            capacity text NOT NULL CHECK (capacity IN ('information_governance', 'manager')),
            signed_by uuid NOT NULL,
            -- As it stood on that day: the other members read it too.
            name text NOT NULL CHECK (name <> ''),
            signed_at timestamptz NOT NULL,
            -- What was signed is what the paper says, to the letter.
            FOREIGN KEY (paper_id, kind, digest) REFERENCES paper (id, kind, digest),
            -- Nobody signs one paper twice for their agency.
            CONSTRAINT paper_signature_person_key UNIQUE (paper_id, agency_id, signed_by),
            CONSTRAINT paper_signature_capacity_key UNIQUE (paper_id, agency_id, capacity)
        )
    """)
    op.execute("CREATE INDEX paper_signature_agency_idx ON paper_signature (agency_id)")
    op.execute(
        "CREATE UNIQUE INDEX paper_signature_agreement_idx ON paper_signature (paper_id, agency_id) "
        "WHERE kind = 'agreement'"
    )
    wall("paper_signature")
    may_read("paper_signature", SEEN)
    may_write("paper_signature", f"{OWN} AND signed_by = {ME} AND {SEEN}", verbs="INSERT")
    op.execute("GRANT SELECT ON paper_signature TO concord_app")
