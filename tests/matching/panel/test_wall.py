"""What the database itself shows of panel papers: asked in SQL, past all the program's code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.document_check import CheckedPdf
from matching.link import get_link
from matching.panel.paper import add_placement_report, get_paper, withdraw_paper
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tenants.scope import Scope
from tests.factories import Factories, transaction
from tests.matching.panel.stage import Panel, make_panel, papers_of
from tests.matching.report_factory import make_par, make_pdf
from tests.tenants.world import acting

PAPERS = "SELECT kind FROM panel_paper WHERE link_id = %s"
REPORTS = "SELECT sealed FROM document_version WHERE document_id = ANY (%s)"
ALL = {"par", "cpr", "placement_report"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A panel, and who has nothing to do with it."""

    panel: Panel
    unnamed: Scope
    theirs: Scope
    """A medical adviser of the family's agency."""
    stranger: Scope

    @property
    def named(self) -> Scope:
        """Return the medical adviser who is named."""
        return self.panel.people[Role.MEDICAL_ADVISER].scope


# What each has to hold for the named adviser to read; broken one by one, as nobody at the site could.
BROKEN = {
    "the name": "UPDATE panel_reader SET ended_at = now(), ended_by = person_id, ended_name = 'x' WHERE link_id = %s",
    "the undertaking": "DELETE FROM panel_undertaking WHERE link_id = %s",
    "the person": "UPDATE panel_reader SET person_id = gen_random_uuid() WHERE link_id = %s",
    "the role": "UPDATE panel_reader SET role = 'legal_adviser' WHERE role = 'medical_adviser' AND link_id = %s",
    "the appointment": (
        "UPDATE appointment SET ends_on = current_date - 1 WHERE role = 'medical_adviser' AND agency_id = "
        "(SELECT group_agency_id FROM link WHERE id = %s)"
    ),
    "the stage": "UPDATE link SET state = 'considering' WHERE id = %s",
    "the end": "UPDATE link SET state = 'ended', outcome = 'other', feedback = 'x' WHERE id = %s",
    "the membership": (
        "UPDATE consortium_member SET left_on = current_date - 1 WHERE agency_id = "
        "(SELECT household_agency_id FROM link WHERE id = %s)"
    ),
    "the weeks after the decision": (
        "INSERT INTO match_decision SELECT gen_random_uuid(), id, group_agency_id, household_agency_id, 1, true, "
        "current_date, 'x', gen_random_uuid(), 'x', now() - interval '29 days' FROM link WHERE id = %s"
    ),
}


class TestNamed:
    def test_reads_exactly_these_papers(self, admin: psycopg.Connection[Any], stage: Stage) -> None:
        assert _papers(admin, stage, stage.named) == ALL
        assert _reports(admin, stage, stage.named) == 2

    @pytest.mark.parametrize("broken", BROKEN)
    def test_reads_nothing_when_one_thing_is_wanting(
        self, admin: psycopg.Connection[Any], stage: Stage, broken: str
    ) -> None:
        with admin.transaction(force_rollback=True):
            admin.execute("SET LOCAL session_replication_role = replica")
            admin.execute(BROKEN[broken], (stage.panel.pairing.link_id,))
            admin.execute("SET LOCAL session_replication_role = origin")

            assert _papers(admin, stage, stage.named) == set()
            # Its own agency's report stays behind the wall of the agency, and the verbs of its roles.
            assert _reports(admin, stage, stage.named) == 1

    def test_reads_for_four_weeks_after_the_decision(self, admin: psycopg.Connection[Any], stage: Stage) -> None:
        with admin.transaction(force_rollback=True):
            decided = BROKEN["the weeks after the decision"].replace("29 days", "27 days")
            admin.execute(decided, (stage.panel.pairing.link_id,))

            assert _papers(admin, stage, stage.named) == ALL

    def test_acts_for_the_agency_that_named_them(self, admin: psycopg.Connection[Any], stage: Stage) -> None:
        elsewhere = replace(stage.named, agency_id=stage.theirs.agency_id)

        assert _papers(admin, stage, elsewhere) == set()

    def test_reads_the_version_that_was_put_before_panel(
        self, admin: psycopg.Connection[Any], stage: Stage, database: Database
    ) -> None:
        pairing = stage.panel.pairing
        make_par(database, pairing.family, pairing.household_id)

        with acting(admin, stage.named):
            query = "SELECT version FROM document_version WHERE document_id = %s"
            assert admin.execute(query, (stage.panel.par_id,)).fetchall() == [(1,)]

    def test_reads_no_more_what_was_taken_back(self, stage: Stage, database: Database) -> None:
        pairing = stage.panel.pairing
        with transaction(database, pairing.children) as session:
            link, file = get_link(session, pairing.link_id), CheckedPdf(make_pdf(), 1)
            paper_id = add_placement_report(session, link, file=file, now=utc_now()).id
        before = len(papers_of(database, stage.panel.people[Role.MEDICAL_ADVISER], pairing))
        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            withdraw_paper(session, get_paper(session, link, paper_id), reason="The wrong one.", now=utc_now())

        assert len(papers_of(database, stage.panel.people[Role.MEDICAL_ADVISER], pairing)) == before - 1


class TestOthers:
    @pytest.mark.parametrize("who", ["unnamed", "theirs", "stranger"])
    def test_read_nothing(self, admin: psycopg.Connection[Any], stage: Stage, who: str) -> None:
        assert _papers(admin, stage, getattr(stage, who)) == set()

    def test_of_the_familys_agency_read_their_own_and_the_placement_report(
        self, admin: psycopg.Connection[Any], stage: Stage
    ) -> None:
        assert _papers(admin, stage, stage.panel.pairing.family.scope) == {"par", "placement_report"}

    @pytest.mark.parametrize("kind", ["medical", "legal", "check", "minutes"])
    def test_write_no_advice_for_an_adviser(self, admin: psycopg.Connection[Any], stage: Stage, kind: str) -> None:
        """The worker writes minutes, the medical adviser medical advice; each is refused all else."""
        worker = stage.panel.pairing.children.scope
        assert _write(admin, stage, worker, kind) is (kind == "minutes")
        assert _write(admin, stage, stage.named, kind) is (kind == "medical")
        assert not _write(admin, stage, stage.unnamed, kind)


def _papers(admin: psycopg.Connection[Any], stage: Stage, scope: Scope) -> set[str]:
    with acting(admin, scope):
        return {kind for (kind,) in admin.execute(PAPERS, (stage.panel.pairing.link_id,))}


def _reports(admin: psycopg.Connection[Any], stage: Stage, scope: Scope) -> int:
    with acting(admin, scope):
        return len(admin.execute(REPORTS, ([stage.panel.par_id, stage.panel.cpr_id],)).fetchall())


def _write(admin: psycopg.Connection[Any], stage: Stage, scope: Scope, kind: str) -> bool:
    finding = {"minutes": "recommended", "check": "ready"}.get(kind)
    query = sql.SQL(
        "INSERT INTO panel_paper (id, link_id, group_agency_id, household_agency_id, agency_id, kind, person_id, "
        "person_name, at, finding, sealed_key, sealed) SELECT gen_random_uuid(), l.id, group_agency_id, "
        "household_agency_id, group_agency_id, {}, p.id, p.name, now(), {}, '', '' FROM link l, person p "
        "WHERE l.id = {} AND p.id = {}"
    ).format(kind, finding, stage.panel.pairing.link_id, scope.person_id)
    with acting(admin, scope):
        try:
            with admin.transaction():
                return admin.execute(query).rowcount == 1
        except psycopg.errors.InsufficientPrivilege:
            return False


@pytest.fixture(scope="module")
def stage(factories: Factories, database: Database) -> Stage:
    panel = make_panel(factories, database)
    medical = frozenset({Role.MEDICAL_ADVISER})
    unnamed = factories.colleague(panel.pairing.children, roles=medical).scope
    theirs = factories.colleague(panel.pairing.family, roles=medical).scope
    return Stage(panel, unnamed, theirs, factories.tenant(factories.consortium()).scope)


@pytest.fixture(scope="module")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection
