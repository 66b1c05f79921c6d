"""Handing over: what was one agency's is another's, row for row and under its key, and nothing of a third's changes."""

from __future__ import annotations

import csv
import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.document import Document
from matching.grant import list_grants
from matching.household import Household, HouseholdIdentity, open_identity
from matching.link import Link
from matching.retention.hold import place_hold, read_holds
from matching.retention.record_class import RecordClass
from matching.retention.run import decide, list_runs
from tenants.agency import AgencyOver, get_agency
from tenants.audit import list_entries_of
from tenants.base import utc_now
from tenants.custody import moving
from tenants.database import Database
from tenants.hand_over import HandOver, HandOverKind, get_hand_over, list_hand_overs, withdraw_hand_over
from tenants.invitation import invite
from tenants.job import Job, JobState
from tenants.person import appoint, get_person
from tenants.reconciliation import HEADINGS, NotTheSame, csv_of, lines_of, read_digests, reconcile, reconciled
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in import sign_in
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import ISSUER, Factories, Tenant
from tests.hand_over import agreed, do, job_of, requested
from tests.own_database import make_database, opened
from tests.servers import TestServers
from tests.tenants import catalogue
from tests.tenants.chain import chain, check, of
from tests.tenants.linked_world import make_linked
from tests.tenants.world import World, acting, make_world
from workers.hand_over import ask_for_hand_overs
from workers.handler import HANDLERS
from workers.runner import JobRunner
from workers.work import Progress

Digests = dict[str, dict[str, bytes]]
CLOSED = {holding.table for holding in moving() if holding.closed}
# What is said of agencies themselves to other members: one that is over says it no longer.
DIRECTORY = {"agency", "consortium_member", "hand_over", "person", "appointment", "audit_entry", "paper_answer"}


@dataclass(frozen=True, slots=True)
class Merged:
    """A world whose agency was merged into its neighbour, while a third of the consortium and a stranger look on."""

    database: Database
    admin: psycopg.Connection[Any]
    world: World
    third: Tenant
    hand_over_id: UUID
    before: dict[UUID, Digests]
    seen: dict[UUID, dict[str, list[Any]]]
    entries: int
    """How many entries of the audit tell of the first record of the agency's that is barred, as the agency saw it."""

    @property
    def giver(self) -> Tenant:
        """Return who was merged."""
        return self.world.agency

    @property
    def receiver(self) -> Tenant:
        """Return into whom."""
        return self.world.neighbour


@pytest.fixture(scope="module")
def merged(servers: TestServers) -> Iterator[Merged]:
    """A database of its own, for what is merged concerns all of it."""
    urls = make_database(servers, "concord_hand_over")
    with opened(urls) as database, psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin:
        world = make_world(database, admin)
        assert world.agency.scope.consortium_id
        third = Factories(database).tenant(world.agency.scope.consortium_id)
        clear_the_way(database, world.agency)
        chain(database, of(world.agency))
        before = {each.id: digests(database, each) for each in (world.agency, world.neighbour)}
        seen = {each.id: views(admin, each.scope) for each in (third, world.stranger)}
        entries = count_entries(database, world.agency, world.closed[0])
        hand_over_id = agreed(database, world.agency, world.neighbour)
        job = do(database, world.neighbour)
        assert job.state is JobState.DONE, job.reason
        yield Merged(database, admin, world, third, hand_over_id, before, seen, entries)


class TestMerger:
    def test_moves_a_row_of_every_table_and_accounts_for_each(self, merged: Merged) -> None:
        went, came = merged.before[merged.giver.id], digests(merged.database, merged.receiver)
        plan = plan_of(merged)
        lines = list(lines_of(plan))
        settled = {each["id"] for each in plan.settled or ()}

        assert [table for table, rows in went.items() if not rows] == []
        closed = [line for line in lines if line.table in CLOSED]
        assert {line.table for line in closed} == CLOSED
        lines = [line for line in lines if line.table not in CLOSED]
        assert {(line.table, line.row) for line in lines} == {
            (table, row) for table, rows in went.items() for row in rows
        }
        assert all(line.before == line.after == came[line.table][line.row].hex() for line in lines)
        differing = {row for table, rows in went.items() for row, said in rows.items() if came[table][row] != said}
        assert differing == settled != set()
        assert plan.counts is not None
        assert plan.counts["rows"] == len(lines) + len(closed)

    def test_leaves_none_that_names_the_old_agency(self, merged: Merged) -> None:
        left = {
            holding.table: named(merged.admin, holding.table, holding.agencies, merged.giver.id) for holding in moving()
        }

        assert left == dict.fromkeys(left, 0)

    def test_seals_everything_under_the_receivers_key(self, merged: Merged) -> None:
        keys = {
            key_id.bytes
            for (key_id,) in merged.admin.execute(
                "SELECT id FROM agency_key WHERE agency_id = %s", (merged.receiver.id,)
            )
        }
        sealed = [
            bytes(value[1:17])
            for holding in moving()
            for each in holding.sealed
            if each.own_key is None
            for (value,) in merged.admin.execute(
                sql.SQL("SELECT {c} FROM {t} WHERE agency_id = %s AND {c} IS NOT NULL").format(
                    c=sql.Identifier(each.column), t=sql.Identifier(holding.table)
                ),
                (merged.receiver.id,),
            )
        ]

        assert len(sealed) > 10
        assert set(sealed) <= keys
        with merged.database.transaction(merged.receiver.scope) as session:
            identity = session.scalars(select(HouseholdIdentity)).first()
            assert identity is not None
            assert open_identity(session, identity).adopters

    def test_changes_nothing_that_others_see(self, merged: Merged) -> None:
        for each in (merged.third, merged.world.stranger):
            now = views(merged.admin, each.scope)

            assert now == merged.seen[each.id]

    def test_keeps_what_the_receiver_had(self, merged: Merged) -> None:
        came = digests(merged.database, merged.receiver)
        settled = {each["id"] for each in plan_of(merged).settled or ()}

        lost = [
            (table, row)
            for table, rows in merged.before[merged.receiver.id].items()
            for row, said in rows.items()
            if came[table].get(row) != said and row not in settled
        ]

        assert lost == []

    def test_lets_nobody_in_who_was_shut_out(self, merged: Merged) -> None:
        for scope in merged.world.barred:
            with merged.database.transaction(replace(scope, agency_id=merged.receiver.id)) as session:
                seen = set(session.scalars(select(Household.id)))
            assert seen
            assert seen.isdisjoint(merged.world.closed)

    def test_ends_the_agency_and_takes_its_people_in(self, merged: Merged) -> None:
        giver, receiver = merged.giver, merged.receiver
        with merged.database.transaction(Scope(agency_id=receiver.id)) as session:
            old = get_agency(session, giver.id)
            assert (old.closed_on, old.successor_id) == (utc_now().date(), receiver.id)
        open_ends = {
            "appointment": "ends_on IS NULL OR ends_on > current_date",
            "sign_in_session": "ended_at IS NULL",
            "invitation": "taken_at IS NULL AND withdrawn_at IS NULL",
            "api_client": "ended_at IS NULL",
            "api_token": "ended_at IS NULL",
            "consortium_member": "left_on IS NULL OR left_on > current_date",
            "email_domain": "confirmed_at IS NOT NULL",
            "job": "state IN ('waiting', 'running')",
        }
        for table, still in open_ends.items():
            query = sql.SQL("SELECT count(*) FROM {} WHERE agency_id = %s AND (" + still + ")")
            assert merged.admin.execute(query.format(sql.Identifier(table)), (giver.id,)).fetchone() == (0,), table
        assert named(merged.admin, "agency_delegation", ("agency_id", "acts_for_id"), giver.id)
        assert merged.admin.execute("SELECT count(*) FROM agency_delegation WHERE ended_at IS NULL").fetchone() == (0,)
        with merged.database.transaction(NOBODY) as session:
            signed_in = sign_in(session, issuer=ISSUER, subject=giver.subject, now=utc_now())
        found = merged.admin.execute(
            "SELECT agency_id FROM sign_in_session WHERE person_id = %s AND ended_at IS NULL", (signed_in.person_id,)
        ).fetchall()
        assert found == [(receiver.id,)]

    def test_takes_nobody_into_an_agency_that_is_over(self, merged: Merged) -> None:
        facts: dict[str, Any] = {"name": "Alder Sample", "email": "new@example.org", "roles": {Role.MANAGER}}
        with merged.database.transaction(OPERATOR) as session:
            old = get_agency(session, merged.giver.id)
            person = get_person(session, merged.third.scope.person_id or merged.third.id)
            with pytest.raises(AgencyOver, match="has merged"):
                appoint(session, person, agency=old, role=Role.MANAGER, starts_on=utc_now().date())
            with pytest.raises(AgencyOver):
                invite(session, agency=old, **facts, now=utc_now())

    def test_gives_people_the_roles_that_they_had(self, merged: Merged) -> None:
        rows = merged.admin.execute(
            "SELECT role FROM appointment WHERE person_id = %s AND agency_id = %s "
            "AND (ends_on IS NULL OR ends_on > current_date)",
            (merged.giver.scope.person_id, merged.receiver.id),
        ).fetchall()

        assert sorted(role for (role,) in rows) == sorted(merged.giver.scope.roles)

    def test_lets_the_audit_be_verified_and_read_on(self, merged: Merged) -> None:
        chain(merged.database, of(merged.giver))
        chain(merged.database, of(merged.receiver))

        for each in (merged.giver, merged.receiver):
            found = check(merged.database, of(each))
            assert (found.count, found.pending, found.checked > 0) == (0, 0, True)
        # What was seen of it before, that it was handed over, and its bars set again by nobody.
        assert count_entries(merged.database, merged.receiver, merged.world.closed[0]) > merged.entries > 0
        assert count_entries(merged.database, merged.third, merged.world.closed[0]) == 0

    def test_says_what_moved_as_a_file(self, merged: Merged) -> None:
        rows = list(csv.reader(io.StringIO(csv_of(plan_of(merged)).decode())))

        assert tuple(rows[0]) == HEADINGS
        assert len(rows) == 1 + len(list(lines_of(plan_of(merged))))

    def test_is_done_once(self, merged: Merged) -> None:
        before = digests(merged.database, merged.receiver)

        assert ask_for_hand_overs(merged.database, now=utc_now()) == 0
        job = job_of(merged.database, merged.receiver)
        merged.admin.execute("UPDATE job SET state = 'waiting' WHERE id = %s", (job.id,))
        assert JobRunner(merged.database, HANDLERS).run(job.id)

        assert digests(merged.database, merged.receiver) == before


class TestCollisions:
    def test_lose_nothing(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        ids = [factories.household(each) for each in (giver, giver, receiver)]
        with database.transaction(giver.scope) as session:
            rename(session, ids[0], "7")
            rename(session, ids[1], f"{giver.slug}/7")
            place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="An inquiry", now=utc_now())
        with database.transaction(receiver.scope) as session:
            rename(session, ids[2], "7")
            place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="Another", now=utc_now())

        plan_id = agreed(database, giver, receiver)
        do(database, receiver)

        with database.transaction(receiver.scope) as session:
            plan = get_hand_over(session, plan_id)
            assert references(session) == {
                ids[0]: f"{giver.slug}-2/7",
                ids[1]: f"{giver.slug}/7",
                ids[2]: "7",
            }
            assert sorted(said.reason for said in read_holds(session, now=utc_now())) == ["An inquiry", "Another"]
        assert {(each["what"], each["before"], each["after"]) for each in plan.settled or ()} == {
            ("reference", "7", f"{giver.slug}-2/7"),
            ("hold", "import_file", "import_file"),
        }


class TestHandOverOfPart:
    def test_moves_what_belongs_to_the_records_and_nothing_else(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        gone, kept, group = factories.household(giver), factories.household(giver), factories.group(giver)
        seen = count_entries(database, giver, gone)
        before, theirs = digests(database, giver), digests(database, receiver)

        plan_id = agreed(database, giver, receiver, kinds=[HandOverKind.HOUSEHOLD], record_ids=[gone])
        do(database, receiver)

        left, came = digests(database, giver), digests(database, receiver)
        assert {table: rows for table, rows in theirs.items() if rows} == {}
        for table, rows in before.items():
            assert {**left[table], **came[table]} == rows
            assert left[table].keys().isdisjoint(came[table])
        assert list(came["household"]) == [str(gone)]
        assert sorted(left["household"]) == [str(kept)]
        assert list(left["sibling_group"]) == [str(group)]
        assert came["household_identity"].keys() == came["pool_entry"].keys() or len(came["pool_entry"]) == 1
        with database.transaction(giver.scope) as session:
            assert get_agency(session, giver.id).closed_on is None
            assert get_hand_over(session, plan_id).state(on=utc_now().date()) == "Done, to be signed"
        # Who saw it is told to who has it now; of what stayed, nothing.
        assert count_entries(database, receiver, gone) > seen > 0
        assert count_entries(database, receiver, kept) == 0

    def test_takes_links_along_and_revokes_what_one_agency_needs_not(
        self, database: Database, factories: Factories
    ) -> None:
        giver, receiver = factories.two_tenants()
        assert giver.scope.consortium_id
        third = factories.tenant(giver.scope.consortium_id)
        with_receiver, stays = make_linked(factories, database, giver, receiver)
        with_third, too = make_linked(factories, database, giver, third)

        chosen = [with_receiver, with_third]
        plan_id = agreed(database, giver, receiver, kinds=[HandOverKind.HOUSEHOLD], record_ids=chosen)
        job = do(database, receiver)

        assert job.state is JobState.DONE, job.reason
        with database.transaction(receiver.scope) as session:
            links = {each.household_id: each for each in session.scalars(select(Link))}
            assert {each["what"] for each in get_hand_over(session, plan_id).settled or ()} == {"grant"}
            own, other = links[with_receiver], links[with_third]
            assert (own.group_agency_id, own.household_agency_id) == (receiver.id, receiver.id)
            assert (other.group_agency_id, other.household_agency_id) == (third.id, receiver.id)
            assert [each.revoked_at is None for each in list_grants(session, own)] == [False]
            assert [each.revoked_at is None for each in list_grants(session, other)] == [True]
        with database.transaction(third.scope) as session:
            (report,) = session.scalars(select(Document))
            assert (report.household_id, report.agency_id) == (with_third, receiver.id)
        with database.transaction(giver.scope) as session:
            assert session.scalars(select(Link)).all() == []
            assert {each.sibling_group_id for each in session.scalars(select(Document))} == {stays, too}

    def test_takes_all_of_a_kind(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        household, group = factories.household(giver), factories.group(giver)

        agreed(database, giver, receiver, kinds=[HandOverKind.GROUP])
        do(database, receiver)

        assert list(digests(database, receiver)["child_need"]) == list(digests(database, giver)["child_need"]) == []
        assert list(digests(database, receiver)["sibling_group"]) == [str(group)]
        assert len(digests(database, receiver)["child_identity"]) == 1
        assert list(digests(database, giver)["household"]) == [str(household)]


class TestHindrances:
    def test_leave_everything_as_it_was_and_say_why(self, database: Database, factories: Factories) -> None:
        giver, receiver = factories.two_tenants()
        factories.household(giver)
        with database.transaction(giver.scope) as session:
            place_hold(session, record_class=RecordClass.HOUSEHOLD_NOT_PLACED, reason="An inquiry", now=utc_now())
        before = digests(database, giver)

        agreed(database, giver, receiver, kinds=[HandOverKind.HOUSEHOLD])
        job = do(database, receiver)

        assert job.state is JobState.FAILED
        assert job.reason is not None
        assert "A hold stands on a whole class" in job.reason
        assert digests(database, giver) == before


class TestReconcile:
    def test_refuses_what_is_not_the_same(self) -> None:
        counts = {holding.table: 0 for holding in reconciled()} | {"household": 1}
        went: Digests = {"household": {"a": b"1"}}

        assert [line.row for line in reconcile(went, went, {}, counts=counts, whole=True)] == ["a"]
        cases: list[tuple[Digests, Digests, int]] = [
            ({"household": {"a": b"2"}}, {}, 1),
            ({"household": {}}, {}, 1),
            (went, went, 1),
            (went, {}, 2),
        ]
        for came, left, number in cases:
            with pytest.raises(NotTheSame, match="Nothing has been handed over"):
                reconcile(went, came, left, counts=counts | {"household": number}, whole=True)


class TestKill:
    def test_leaves_before_or_after(self, database: Database, factories: Factories, migrated: DatabaseUrls) -> None:
        giver, receiver = factories.two_tenants()
        factories.household(giver)
        factories.group(giver)
        before = digests(database, giver)
        agreed(database, giver, receiver)
        job_id = requested(database, receiver).id
        for step in (1, 3, 4, 5):
            run_and_die(migrated.app, job_id, step=step)

            assert digests(database, giver) == before
            assert not any(digests(database, receiver).values())
            wait_for_lease(database, receiver, job_id)
        assert JobRunner(database, HANDLERS).run(job_id)
        assert not any(digests(database, giver).values())
        assert digests(database, receiver) == before


def run_and_die(url: str, job_id: UUID, *, step: int) -> None:
    """Do the job in a process of its own that is killed at a step: 5 is when all is written and nothing committed."""
    pid = os.fork()
    if not pid:
        try:
            database = Database(url, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
            Progress.tell = dying_at(step)  # type: ignore[method-assign]
            JobRunner(database, HANDLERS, lease=timedelta(milliseconds=300)).run(job_id)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def dying_at(step: int) -> Callable[..., None]:
    """Return a way to tell how far a job is that kills its own process at a step."""

    def tell(self: Progress, done: int, *_: object) -> None:  # noqa: ARG001 - a method's own
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return tell


def wait_for_lease(database: Database, receiver: Tenant, job_id: UUID) -> None:
    """Wait until a job whose worker is dead may be taken by another."""
    with database.transaction(Scope(agency_id=receiver.id)) as session:
        ends = session.get_one(Job, job_id).lease_until
    assert ends is not None
    time.sleep(max(0.0, (ends - utc_now()).total_seconds()) + 0.02)


def clear_the_way(database: Database, tenant: Tenant) -> None:
    """Take back what the world has planned and asked for, which would stand against a merger."""
    with database.transaction(tenant.scope) as session:
        for plan in list_hand_overs(session):
            withdraw_hand_over(session, plan, now=utc_now())
        for run in list_runs(session):
            decide(session, run, approve=False, reason="A merger comes first", now=utc_now())


def plan_of(merged: Merged) -> HandOver:
    with merged.database.transaction(merged.receiver.scope) as session:
        plan = get_hand_over(session, merged.hand_over_id)
        assert plan.lines
        return plan


def digests(database: Database, tenant: Tenant) -> Digests:
    with database.transaction(Scope(agency_id=tenant.id)) as session:
        return read_digests(session)


def views(admin: psycopg.Connection[Any], scope: Scope) -> dict[str, list[Any]]:
    """Return all that a scope sees of each table, without whose it is."""
    seen = {}
    with acting(admin, scope):
        for table in catalogue.walled_tables(admin):
            if table not in DIRECTORY and (
                readable := catalogue.columns_open_to(admin, "concord_app", table, "SELECT")
            ):
                columns = [name for name in readable if not name.endswith("agency_id")]
                query = sql.SQL("SELECT to_jsonb(t)::text FROM (SELECT {} FROM {}) t ORDER BY 1").format(
                    sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table)
                )
                seen[table] = admin.execute(query).fetchall()
    return seen


def count_entries(database: Database, tenant: Tenant, record_id: UUID) -> int:
    with database.transaction(tenant.scope) as session:
        return len(list_entries_of(session, record_id))


def named(admin: psycopg.Connection[Any], table: str, columns: tuple[str, ...], agency_id: UUID) -> int:
    """Return how many rows of a table name an agency."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE {} IN ({})").format(
        sql.Identifier(table), agency_id, sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    row = admin.execute(query).fetchone()
    assert row
    return int(row[0])


def rename(session: Session, household_id: UUID, reference: str) -> None:
    session.execute(
        update(HouseholdIdentity).where(HouseholdIdentity.household_id == household_id).values(reference=reference)
    )


def references(session: Session) -> dict[UUID, str]:
    return {each.household_id: each.reference for each in session.scalars(select(HouseholdIdentity))}
