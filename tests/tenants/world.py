"""A database with a row in every walled table, and the question whether anyone sees or touches another's.

The question is a function, so that it can be put to a database whose wall was broken on purpose: each policy that is
replaced by “true” must turn the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.bar import bar_email, bar_person
from matching.glass import Glass, GlassJudgement, break_glass
from matching.household import get_household
from matching.meeting import Meeting, arrange_meeting
from matching.meeting_action import set_action
from matching.need import Answer, NeedLevel, Tolerance
from matching.pack import PackFormat, keep_files, request_pack
from matching.pool import Stage
from matching.sharing import Record
from matching.sibling_group import Child, get_group
from matching.timing import Timing, set_agency_timing
from tenants import audit
from tenants.agency import AgencyKind, get_agency
from tenants.agency_archive import keep_archive
from tenants.api_client import add_client
from tenants.api_token import start_token
from tenants.base import utc_now
from tenants.custody import fingerprint
from tenants.database import Database
from tenants.delegation import delegate
from tenants.departure import propose_departure
from tenants.hand_over import propose_hand_over
from tenants.invitation import invite
from tenants.job import request_job
from tenants.person import get_person
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope, sign_scope
from tenants.sign_in import sign_in
from tests.conftest import SCOPE_KEY
from tests.factories import ISSUER, NOW, TODAY, Factories, Tenant
from tests.tenants import catalogue
from tests.tenants.chain import make_chain
from tests.tenants.fee_world import make_fees
from tests.tenants.invoice_world import make_invoices
from tests.tenants.ledger_world import make_ledger
from tests.tenants.link_world import make_link_rows
from tests.tenants.linked_world import make_linked
from tests.tenants.panel_world import make_own_panel, make_papers_of_panel
from tests.tenants.papers_world import make_papers
from tests.tenants.placed_world import make_placed, make_sealed
from tests.tenants.privacy_world import make_privacy
from tests.tenants.remittance_world import make_bank_lines
from tests.tenants.sign_in_world import make_sign_in_service
from tests.tenants.statement_world import make_netting, make_statements
from tests.tenants.swap_world import make_swaps
from tests.tenants.thread_world import make_thread

# What a statement can come to: a SQLSTATE, or how many rows it touched.
REFUSED_BY_POLICY = "42501"
REFUSED_BY_FOREIGN_KEY = "23503"
NOTHING = "0 rows"

# What a neighbour in the consortium sees of an agency's records, of which one of three households and one of three
# groups is shared: in rows. All else it sees nothing of.
SHARED = {
    "household": 1,
    "household_profile": 1,
    "household_tolerance": 1,
    "sibling_group": 1,
    "sibling_group_profile": 1,
    "child": 1,
    "child_need": 1,
    "pool_entry": 2,
    "consortium_member": 1,
    "swap_member": 1,
    # Who pays for whom concerns both.
    "fee_payer": 1,
    "fee_statement": 1,
    "fee_statement_line": 1,
    "netting": 1,
    "netting_member": 1,
    # What stands on its invoices, and that it approved the neighbour.
    "payee_account": 1,
    "supplier": 1,
    "fee_exception": 1,
    # Of two reports the one that is granted, in its present version; of a link's two steps the agency's own.
    "document": 1,
    "document_version": 1,
    "link_step": 1,
    "link_day": 1,
    "panel_paper": 1,
    "link_message": 1,
    "link_file": 1,
    "decline_feedback": 1,
    # A plan to hand over concerns both.
    "hand_over": 1,
    # What an agency says of itself for the other members' papers, and its signature under their agreement.
    "paper_answer": 1,
    "paper_signature": 1,
}


# Where a row is about a record of the world that some are shut out of: by its id, or by its code.
ABOUT_CLOSED = {
    **dict.fromkeys(("household", "sibling_group"), "id = ANY (%(ids)s)"),
    **dict.fromkeys(
        ("household_identity", "household_place", "household_profile", "household_tolerance"),
        "household_id = ANY (%(ids)s)",
    ),
    **dict.fromkeys(
        (
            *("child", "exclusion_area", "sibling_group_identity", "sibling_group_place", "sibling_group_profile"),
            *("sibling_placement", "legal_hold", "sibling_move"),
        ),
        "sibling_group_id = ANY (%(ids)s)",
    ),
    **dict.fromkeys(("child_identity", "child_need"), "child_id = ANY (%(ids)s)"),
    **dict.fromkeys(
        (
            *("adoption_order", "document", "glass", "link", "placement", "pool_entry", "ranking_line", "record_bar"),
            *("sharing_move", "clock_mark", "clock_reason", "decline", "decline_feedback"),
        ),
        "household_id = ANY (%(ids)s) OR sibling_group_id = ANY (%(ids)s)",
    ),
    **dict.fromkeys(
        ("audit_entry", "import_image", "import_row", "rectification", "retention_hold", "subject_request"),
        "record_id = ANY (%(ids)s)",
    ),
    "adoption_record": "link_id IS NOT NULL",
    "agreement_entry": "household_id = ANY (%(ids)s)",
    "meeting_action": "about IS NOT NULL",
    "notice": "fee_id IS NULL",
    **dict.fromkeys(
        (
            "document_grant",
            "document_undertaking",
            "document_version",
            "link_day",
            *("link_note", "link_message", "link_file"),
            "link_step",
            "match_decision",
            "pack_file",
            *("panel_reader", "panel_undertaking", "panel_paper"),
            *("adopters_copy", "placement_child", "placement_introduction", "placement_note", "placement_review"),
            "sealing",
            "subject_export",
            "subject_item",
        ),
        "true",
    ),
}


@dataclass(frozen=True, slots=True)
class World:
    """Two consortia: a stranger alone in one; in the other its office, an agency with records, and a neighbour."""

    stranger: Tenant
    office: Tenant
    agency: Tenant
    neighbour: Tenant
    barred: tuple[Scope, ...]
    """A colleague in the agency and somebody of the neighbour's, both shut out of the records in ``closed``, and with
    them a program of each agency."""
    closed: tuple[UUID, ...]
    """A household and a group of the agency that are shared, the group's child; and a household and a group that have
    reports, the household's being linked with a group of the neighbour's."""
    strangers_view: dict[str, int]
    """How many rows of each table the stranger saw before the other consortium was there."""

    @property
    def tenants(self) -> dict[UUID, Tenant]:
        """Return every tenant by its agency's id."""
        return {each.id: each for each in (self.stranger, self.office, self.agency, self.neighbour)}


def make_world(database: Database, admin: psycopg.Connection[Any]) -> World:
    """Fill an empty database, the stranger first."""
    factories = Factories(database)
    stranger = factories.tenant(factories.consortium())
    with acting(admin, stranger.scope):
        view = {table: count(admin, table) for table in catalogue.walled_tables(admin)}
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    agency, neighbour = factories.tenant(consortium_id), factories.tenant(consortium_id)
    closed = (*_make_records(factories, agency), *make_linked(factories, database, agency, neighbour))
    make_papers_of_panel(database, agency, neighbour)
    make_link_rows(database, agency, group_id=closed[1], household_id=closed[-2], child_ids=closed[2:-2])
    make_placed(database, agency, household_id=closed[-2], group_id=closed[-1])
    make_own_panel(database, agency, group_id=closed[-1])
    make_sealed(admin, agency, neighbour)
    barred = tuple(factories.colleague(each, roles=each.scope.roles).scope for each in (agency, neighbour))
    programs = tuple(replace(each.scope, person_id=None, client_id=uuid4()) for each in (agency, neighbour))
    world = World(stranger, office, agency, neighbour, (*barred, *programs), closed, view)
    _make_meeting(database, world)
    _make_the_rest(database, world)
    told = [each.person_id for each in barred if each.person_id]
    make_thread(database, admin, agency, household_id=closed[-2], told=told)
    _shut_out(database, world)
    make_chain(database, agency)
    make_sign_in_service(database, agency)
    make_privacy(factories, agency, about=closed[0])
    make_papers(database, office=office, agency=agency)
    make_swaps(database, office=office, agency=agency, neighbour=neighbour)
    make_fees(database, office=office, agency=agency, neighbour=neighbour)
    make_statements(database, agency=agency, neighbour=neighbour)
    make_ledger(database, agency=agency, neighbour=neighbour)
    make_bank_lines(database, agency=agency)
    make_invoices(database, agency=agency, neighbour=neighbour)
    make_netting(admin, office=office, agency=agency, neighbour=neighbour)
    return world


@contextmanager
def acting(admin: psycopg.Connection[Any], scope: Scope | None, *, role: str = "concord_app") -> Iterator[None]:
    """Do as a login does, in a scope or in none, and undo all of it."""
    with admin.transaction(force_rollback=True):
        admin.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        if scope is not None:
            setting = sign_scope(scope, key=SCOPE_KEY, backend_pid=admin.info.backend_pid)
            admin.execute("SELECT set_config('concord.scope', %s, true)", (setting,))
        yield


def count(connection: psycopg.Connection[Any], table: str, *, agency_id: UUID | None = None) -> int:
    """Count the visible rows of a table, or those of one agency, reading no column that the role may not read."""
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    if agency_id is not None:
        query += sql.SQL(" WHERE agency_id = {}").format(agency_id)
    try:
        with connection.transaction():
            row = connection.execute(query).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return 0
    return int(row[0]) if row else 0


def faults(admin: psycopg.Connection[Any], world: World, *, tables: list[str]) -> list[str]:
    """Return each way in which somebody sees or touches what is another's in ``tables``; none is what must be."""
    found: list[str] = []
    for table in tables:
        found += _seen(admin, world, table)
        found += _seen_by_the_barred(admin, world, table)
        found += _touched(admin, world, table)
    return found


def _seen(admin: psycopg.Connection[Any], world: World, table: str) -> Iterator[str]:
    for scope in (None, NOBODY):
        with acting(admin, scope):
            if count(admin, table):
                yield f"{scope or 'no scope'} sees {table}"
    with acting(admin, world.stranger.scope):
        if count(admin, table) != world.strangers_view[table]:
            yield f"a stranger sees {table}"
    if "agency_id" in catalogue.columns(admin, table):
        with acting(admin, world.neighbour.scope):
            if count(admin, table, agency_id=world.agency.id) != SHARED.get(table, 0):
                yield f"a neighbour sees more or less of {table} than is shared"


def _seen_by_the_barred(admin: psycopg.Connection[Any], world: World, table: str) -> Iterator[str]:
    if table not in ABOUT_CLOSED:
        return
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(sql.Identifier(table), sql.SQL(ABOUT_CLOSED[table]))
    for scope, hidden in ((world.agency.scope, False), *((each, True) for each in world.barred)):
        with acting(admin, scope):
            row = admin.execute(query, {"ids": list(world.closed)}).fetchone()
        if row is None or hidden is bool(row[0]):
            yield f"{table}: {'somebody shut out of a record sees it' if hidden else 'nothing to be shut out of'}"


def _touched(admin: psycopg.Connection[Any], world: World, table: str) -> Iterator[str]:
    row = row_of_another(admin, world, table)
    if catalogue.columns_open_to(admin, "concord_app", table, "INSERT"):
        inserted = insert_as(admin, world.stranger.scope, table, row)
        if inserted != REFUSED_BY_POLICY:
            yield f"a stranger inserts into {table}: {inserted}"
    changeable = catalogue.columns_open_to(admin, "concord_app", table, "UPDATE")
    for column in changeable[:1]:
        changed = _update_as(admin, world.stranger.scope, table, column, row)
        if changed != NOTHING:
            yield f"a stranger updates {table}: {changed}"
    if "agency_id" in changeable:
        owner = world.tenants[UUID(row["agency_id"])]
        given = _update_as(admin, owner.scope, table, "agency_id", {"agency_id": str(world.stranger.id)})
        if given not in {REFUSED_BY_POLICY, NOTHING}:
            yield f"{table} can be given away: {given}"
    if catalogue.may_delete(admin, "concord_app", table):
        deleted = _outcome(admin, world.stranger.scope, sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        if deleted != NOTHING:
            yield f"a stranger deletes from {table}: {deleted}"


def row_of_another(admin: psycopg.Connection[Any], world: World, table: str) -> dict[str, Any]:
    """Return a row that is not the stranger's, as the database writes it in JSON."""
    query = sql.SQL("SELECT to_jsonb(t) FROM {} t").format(sql.Identifier(table))
    strangers = str(world.stranger.id)
    for (row,) in admin.execute(query):
        if strangers not in row.values():
            return dict(row)
    raise AssertionError(f"{table} is empty: make a row of it in make_world")


def insert_as(admin: psycopg.Connection[Any], scope: Scope, table: str, row: dict[str, Any]) -> str:
    """Try to insert a row in a scope and return what came of it."""
    open_columns = catalogue.columns_open_to(admin, "concord_app", table, "INSERT")
    named = sql.SQL(", ").join(map(sql.Identifier, open_columns))
    name = sql.Identifier(table)
    query = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM jsonb_populate_record(NULL::{}, {})")
    return _outcome(admin, scope, query.format(name, named, named, name, sql.Literal(Jsonb(row))))


def _update_as(admin: psycopg.Connection[Any], scope: Scope, table: str, column: str, row: dict[str, Any]) -> str:
    # Without WHERE and with a constant, so that the policy for reading plays no part.
    query = sql.SQL("UPDATE {} SET {} = (jsonb_populate_record(NULL::{}, {})).{}")
    name, target = sql.Identifier(table), sql.Identifier(column)
    return _outcome(admin, scope, query.format(name, target, name, sql.Literal(Jsonb(row)), target))


def _outcome(admin: psycopg.Connection[Any], scope: Scope, query: sql.Composed) -> str:
    with acting(admin, scope):
        try:
            with admin.transaction():
                return f"{admin.execute(query).rowcount} rows"
        except psycopg.Error as error:
            return str(error.sqlstate)


def _make_records(factories: Factories, agency: Tenant) -> tuple[UUID, ...]:
    made: list[UUID] = []
    tolerance = Tolerance(low=Answer.CAN_MEET, medium=Answer.UNKNOWN, high=Answer.CANNOT)
    for stage, held in ((Stage.CONSORTIUM, False), (Stage.CONSORTIUM, True), (Stage.IN_HOUSE, False)):
        household_id = factories.household(agency, stage=stage, held=held, tolerances={"neglect": tolerance})
        group_id = factories.group(
            agency,
            stage=stage,
            held=held,
            exclusion_areas={"PL4": 10},
            needs={"neglect": NeedLevel.LOW},
            sibling_household="H-S1B11N",
        )
        made += [household_id, group_id]
    with factories.database.transaction(agency.scope) as session:
        children = session.scalars(select(Child.id).where(Child.sibling_group_id == made[1]))
        return (made[0], made[1], *children)


def _make_meeting(database: Database, world: World) -> None:
    with database.transaction(world.office.scope) as session:
        meeting = arrange_meeting(session, title="November", held_on=TODAY, place="Sample Hall", now=NOW)
    with database.transaction(world.agency.scope) as session:
        built, _ = (request_pack(session, meeting, now=NOW) for _ in range(2))
        files = {PackFormat.PDF: b"a pack", PackFormat.XLSX: b"a pack"}
        keep_files(session, built, files=files, ranking_run_id=None, now=NOW)
        set_action(session, meeting, what="Ask about the dog", agency_id=world.agency.id, due_on=TODAY, now=NOW)


def _make_the_rest(database: Database, world: World) -> None:
    with database.transaction(OPERATOR) as session:
        office, agency = (get_agency(session, each.id) for each in (world.office, world.agency))
        delegate(session, office, acts_for=agency, roles=[Role.FAMILY_FINDER], starts_on=TODAY, now=NOW)
        invite(session, agency=agency, name="Alder Sample", email="alder@example.org", roles={Role.MANAGER}, now=NOW)
    with database.transaction(NOBODY) as session:
        sign_in(session, issuer=ISSUER, subject=world.agency.subject, now=NOW)
    _make_client(database, world.agency)
    with database.transaction(world.agency.scope) as session:
        audit.record(session, audit.Act.READ, record_kind="household", record_id=uuid4(), now=NOW)
        job_id = request_job(session, kind="import", payload={}, now=NOW)
        _make_ranking(session, world.agency)
        _make_import(session, world.agency, job_id)
        _make_departure(session)
        _plan_to_hand_over(session, world)


def _make_departure(session: Session) -> None:
    departure = propose_departure(session, leaves_on=TODAY + timedelta(days=90), reason="A merger", now=NOW)
    facts_of_file = {"rows": 1, "bytes": 2, "sha256": "ab" * 32}
    taken = {f"records/{each}.jsonl": facts_of_file for each in ("household", "sibling_group")}
    facts: dict[str, Any] = {"manifest": {"files": taken}, "word": "sample", "state": fingerprint(session)}
    keep_archive(session, departure.id, **facts, now=NOW)


def _plan_to_hand_over(session: Session, world: World) -> None:
    giver, receiver = (get_agency(session, each.id) for each in (world.agency, world.neighbour))
    now = utc_now()
    propose_hand_over(
        session, giver, receiver=receiver, takes_effect_on=now.date() + timedelta(days=90), reason="A merger", now=now
    )


def _make_client(database: Database, agency: Tenant) -> None:
    with database.transaction(agency.scope) as session:
        client = add_client(session, name="Case system", scopes=["groups.read"], now=NOW).client
        session.execute(
            text("INSERT INTO api_answer VALUES (:id, :agency, :client, 'key', sha256('asked'), 201, 'sealed', now())"),
            {"id": uuid4(), "agency": agency.id, "client": client.id},
        )
    with database.transaction(NOBODY) as session:
        start_token(session, client.id, scopes=["groups.read"], now=NOW)


def _shut_out(database: Database, world: World) -> None:
    household_id, group_id, _, linked_id, reported_id = world.closed
    ids = {"household": household_id, "group": group_id, "agency": world.agency.id}
    with database.transaction(world.agency.scope) as session:
        records = (get_household(session, household_id), get_group(session, group_id))
        about = records[0].code
        break_glass(session, records[0], reason="Asked by the police", now=NOW)
        judgement = GlassJudgement(person_id=world.agency.scope.person_id, agency_id=world.agency.id)
        judgement.glass_id = session.scalars(select(Glass.id)).one()
        judgement.justified, judgement.reason, judgement.judged_at = True, "They were", NOW
        session.add(judgement)
        set_agency_timing(session, Timing(household_in_house_days=30), now=NOW)
        for statement in (
            "INSERT INTO ranking_line (ranking_run_id, sibling_group_id, position, agency_id, household_id, points) "
            "SELECT id, :group, 1, :agency, :household, 50 FROM ranking_run",
            "INSERT INTO import_row (id, import_run_id, agency_id, row_number, outcome, record_id) "
            "SELECT gen_random_uuid(), id, :agency, 2, 'added', :household FROM import_run",
            "INSERT INTO import_image (id, import_run_id, agency_id, record_id, digest_after) "
            "SELECT gen_random_uuid(), id, :agency, :group, sha256('after') FROM import_run",
        ):
            session.execute(text(statement), ids)
    with database.transaction(world.neighbour.scope) as session:
        email = get_person(session, world.barred[1].person_id or uuid4()).email
    with database.transaction(world.agency.scope) as session:
        meeting = session.scalars(select(Meeting)).one()
        set_action(session, meeting, what="Ring", agency_id=world.agency.id, due_on=TODAY, about=about, now=NOW)
        households: list[Record] = [get_household(session, each) for each in (household_id, linked_id)]
        groups: list[Record] = [get_group(session, each) for each in (group_id, reported_id)]
        for record in households + groups:
            assert world.barred[0].person_id is not None
            bar_person(session, record, person_id=world.barred[0].person_id, reason="Their cousin", now=NOW)
            bar_email(session, record, email=email, reason="Their neighbour", now=NOW)


def _make_ranking(session: Session, agency: Tenant) -> None:
    ids = {"run": uuid4(), "agency": agency.id, "consortium": agency.scope.consortium_id, "other": uuid4()}
    for statement in (
        "INSERT INTO ranking_snapshot VALUES (:agency, sha256('pool'), :other, 'sealed')",
        "INSERT INTO ranking_run VALUES (:run, :agency, :consortium, NULL, now(), current_date, '1', '1', '1', '1', "
        "sha256('pool'), 1, 1)",
        "INSERT INTO ranking_line (ranking_run_id, sibling_group_id, position, agency_id, household_id, points) "
        "VALUES (:run, :other, 1, :agency, :other, 50)",
        "INSERT INTO place_question VALUES (:agency, :other, sha256('EX4'), 'household', now() - interval '3 days')",
    ):
        session.execute(text(statement), ids)


def _make_import(session: Session, agency: Tenant, job_id: UUID) -> None:
    ids = {"run": uuid4(), "agency": agency.id, "consortium": agency.scope.consortium_id, "job": job_id}
    for statement in (
        "INSERT INTO import_run (id, agency_id, consortium_id, kind, filename, digest, sealed, dry_run, job_id, "
        "requested_at) VALUES (:run, :agency, :consortium, 'children', 'sample.csv', sha256('sheet'), 'sealed', false, "
        ":job, now())",
        "INSERT INTO import_row (id, import_run_id, agency_id, row_number, outcome) VALUES (:job, :run, :agency, 1, "
        "'added')",
        "UPDATE import_run SET checked_run_id = id WHERE id = :run",
        "INSERT INTO import_image (id, import_run_id, agency_id, record_id, digest_after) "
        "VALUES (:job, :run, :agency, :run, sha256('after'))",
        "INSERT INTO import_shape (id, agency_id, kind, shape, sealed, remembered_at) "
        "VALUES (:job, :agency, 'children', sha256('shape'), 'sealed', now())",
    ):
        session.execute(text(statement), ids)
