"""What the database itself shows of reports: asked in SQL, past all the program's code, as whoever and in any state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.document import add_par
from matching.document_check import CheckedPdf
from matching.household import get_household
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY, Scope
from tests.factories import Factories, transaction
from tests.matching.report_factory import Pairing, let_read, make_link, make_par
from tests.tenants.world import acting

READ = "SELECT sealed, sealed_key FROM document_version WHERE document_id = %s"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a grant's opening hangs on; each as it must be."""

    considered: bool = True
    decided: bool = True
    kind: bool = True
    person: bool = True
    agency: bool = True
    consortium: bool = True
    undertaken: bool = True
    household: bool = True
    standing: bool = True
    """Not taken back."""
    members: bool = True
    """Both agencies belong to the consortium."""
    days: int = 0
    """Days from today to the last one."""


BROKEN = [field.name for field in fields(Facts) if field.name != "days"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A report in two versions that is granted, and those who might try."""

    pairing: Pairing
    document_id: UUID
    grant_id: UUID
    others: dict[str, Scope]


class TestReport:
    def test_is_shown_in_its_present_version_to_whom_it_is_granted(
        self, admin: psycopg.Connection[Any], stage: Stage
    ) -> None:
        with acting(admin, stage.pairing.children.scope):
            rows = admin.execute(READ.replace("sealed, sealed_key", "version"), (stage.document_id,)).fetchall()

        assert rows == [(2,)]

    @pytest.mark.parametrize("broken", BROKEN)
    def test_is_hidden_when_one_thing_is_wanting(
        self, admin: psycopg.Connection[Any], stage: Stage, broken: str
    ) -> None:
        assert _seen(admin, stage, Facts()) == 1
        assert _seen(admin, stage, replace(Facts(), **{broken: False})) == 0

    @pytest.mark.parametrize(("days", "seen"), [(-400, 0), (-1, 0), (0, 1), (1, 1), (400, 1)])
    def test_is_hidden_after_the_last_day(
        self, admin: psycopg.Connection[Any], stage: Stage, days: int, seen: int
    ) -> None:
        assert _seen(admin, stage, Facts(days=days)) == seen

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(facts=st.builds(Facts, **dict.fromkeys(BROKEN, st.booleans()), days=st.integers(-3, 3)))
    def test_is_shown_when_all_is_as_it_must_be_and_never_else(
        self, admin: psycopg.Connection[Any], stage: Stage, facts: Facts
    ) -> None:
        whole = all(getattr(facts, name) for name in BROKEN) and facts.days >= 0

        assert _seen(admin, stage, facts) == int(whole)

    def test_is_hidden_from_everybody_else(self, admin: psycopg.Connection[Any], stage: Stage) -> None:
        for who, scope in stage.others.items():
            with acting(admin, scope):
                for table in ("document", "document_version"):
                    query = f"SELECT count(*) FROM {table} WHERE %s IN (id, {'document_id' if '_' in table else 'id'})"
                    assert admin.execute(query, (stage.document_id,)).fetchone() == (0,), f"{who} sees {table}"


class TestGrant:
    """What somebody of the reading side can write: their own request, and nothing that opens anything."""

    def test_cannot_be_given_by_who_would_read(self, admin: psycopg.Connection[Any], stage: Stage) -> None:
        reader = stage.pairing.children.scope
        copied = (
            "INSERT INTO document_grant SELECT (jsonb_populate_record(g, "
            "jsonb_build_object('id', gen_random_uuid()))).* FROM document_grant g WHERE g.id = %s"
        )
        for statement in (
            copied,
            "UPDATE document_grant SET ends_on = ends_on + 100 WHERE id = %s",
            "UPDATE document_grant SET revoked_at = NULL WHERE id = %s",
        ):
            with acting(admin, reader):
                try:
                    assert admin.execute(statement, (stage.grant_id,)).rowcount == 0
                except psycopg.errors.InsufficientPrivilege:
                    continue

    def test_names_who_decided_by_their_own_name(self, admin: psycopg.Connection[Any], stage: Stage) -> None:
        family = stage.pairing.family
        renamed = "UPDATE document_grant SET decided_name = 'X' WHERE id = %s RETURNING decided_name"
        another = "UPDATE document_grant SET decided_by = gen_random_uuid(), decided_name = 'Kit' WHERE id = %s"
        with admin.transaction(force_rollback=True):
            with acting(admin, family.scope):
                assert admin.execute(renamed, (stage.grant_id,)).fetchone() == (f"Sam Sample {family.slug}",)
            admin.execute(another, (stage.grant_id,))
            with acting(admin, family.scope):
                assert admin.execute(renamed, (stage.grant_id,)).fetchone() == ("Kit",)

    def test_cannot_be_undertaken_for_another(self, admin: psycopg.Connection[Any], stage: Stage) -> None:
        values = (
            "SELECT id, group_agency_id, household_agency_id, person_id, 1, now() FROM document_grant WHERE id = %s"
        )
        with admin.transaction(force_rollback=True):
            admin.execute("DELETE FROM document_undertaking WHERE grant_id = %s", (stage.grant_id,))
            with acting(admin, stage.pairing.family.scope), pytest.raises(psycopg.errors.InsufficientPrivilege):
                admin.execute(f"INSERT INTO document_undertaking {values}", (stage.grant_id,))

    def test_falls_with_the_link_whatever_ends_it(self, admin: psycopg.Connection[Any], stage: Stage) -> None:
        for side in (stage.pairing.children, stage.pairing.family):
            with acting(admin, side.scope):
                admin.execute(
                    "UPDATE link SET state = 'ended', outcome = 'other', feedback = 'x', changed_at = now() "
                    "WHERE id = %s",
                    (stage.pairing.link_id,),
                )
                found = admin.execute("SELECT revoked_at FROM document_grant WHERE id = %s", (stage.grant_id,))
                assert found.fetchone() != (None,)
                told = "SELECT count(*) FROM audit_entry WHERE act = 'revoke' AND reason LIKE %s"
                assert admin.execute(told, (f"%{stage.grant_id}",)).fetchone() == (1,)


def _seen(admin: psycopg.Connection[Any], stage: Stage, facts: Facts) -> int:
    """Return how many rows of the report the reader sees, once everything is as ``facts`` say; undo all of it."""
    changes = [
        ("link", stage.pairing.link_id, "state = 'interest'", facts.considered),
        ("link", stage.pairing.link_id, "household_id = gen_random_uuid()", facts.household),
        (
            "document_grant",
            stage.grant_id,
            "decided_at = NULL, decided_by = NULL, decided_name = NULL, ends_on = NULL",
            facts.decided,
        ),
        ("document_grant", stage.grant_id, "kind = 'cpr'", facts.kind),
        ("document_grant", stage.grant_id, "person_id = gen_random_uuid()", facts.person),
        ("document_grant", stage.grant_id, "revoked_at = now()", facts.standing),
    ]
    with admin.transaction(force_rollback=True):
        # Without triggers and foreign keys: one thing at a time, also what could not come to be.
        admin.execute("SET LOCAL session_replication_role = replica")
        last = utc_now().date() + timedelta(days=facts.days)
        admin.execute("UPDATE document_grant SET ends_on = %s WHERE id = %s", (last, stage.grant_id))
        for table, row_id, change, stays in changes:
            if not stays:
                admin.execute(f"UPDATE {table} SET {change} WHERE id = %s", (row_id,))
        if not facts.members:
            left = "UPDATE consortium_member SET left_on = %s WHERE agency_id = %s"
            admin.execute(left, (utc_now().date(), stage.pairing.family.id))
        if not facts.undertaken:
            admin.execute("DELETE FROM document_undertaking WHERE grant_id = %s", (stage.grant_id,))
        with acting(admin, _scope(stage, facts)):
            return admin.execute(READ, (stage.document_id,)).rowcount


def _scope(stage: Stage, facts: Facts) -> Scope:
    scope = stage.pairing.children.scope
    if not facts.agency:
        scope = replace(scope, agency_id=stage.others["a third agency"].agency_id)
    return scope if facts.consortium else replace(scope, consortium_id=stage.others["a stranger"].consortium_id)


@pytest.fixture(scope="module")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection, which may become any role and put any row into any state."""
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def stage(factories: Factories, database: Database) -> Stage:
    pairing = make_link(factories, database)
    document_id = make_par(database, pairing.family, pairing.household_id)
    with transaction(database, pairing.family) as session:
        file = CheckedPdf(b"%PDF the second", 1)
        add_par(session, get_household(session, pairing.household_id), file=file, now=utc_now())
    grant_id = let_read(database, pairing)
    consortium_id = pairing.children.scope.consortium_id
    assert consortium_id
    others = {
        "a third agency": factories.tenant(consortium_id).scope,
        "a stranger": factories.tenant(factories.consortium()).scope,
        "a colleague": replace(pairing.children.scope, person_id=uuid4()),
        "a command": replace(pairing.children.scope, person_id=None),
        "the same person elsewhere": replace(pairing.children.scope, agency_id=uuid4()),
        "nobody": NOBODY,
    }
    return Stage(pairing, document_id, grant_id, others)
