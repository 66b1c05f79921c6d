"""An adoption is sealed; then database, queue, files, logs and e-mail are searched for a way between the records."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from concord.settings import libpq_url
from matching.clock.reason import ClockReason
from matching.clock.rule import ClockName
from matching.document import list_documents_of, unseal_version
from matching.household import HouseholdIdentity, get_household, open_identity
from matching.link import Link, NotYourStep, StepName, get_link
from matching.link_message import send_message
from matching.link_note import add_note as add_link_note
from matching.meeting import arrange_meeting
from matching.meeting_action import set_action
from matching.pack import PackFormat, keep_files, request_pack
from matching.panel.paper import Finding, put_reports, write_minutes
from matching.placement.note import add_note
from matching.placement.placement import get_placement
from matching.placement.tally import list_placed
from matching.retention.hold import get_hold, lift_hold, place_hold
from matching.sealing.gathering import gather
from matching.sealing.reading import list_certificates, list_records, open_record
from matching.sealing.record import GATHER_JOB, ROTATE_JOB, BeingSealed, NotToBeSealed, SealingUnknown
from matching.sealing.rotation import rotate
from matching.sealing.seal import ask_to_seal, find_sealing, seal_adoption, withdraw_sealing
from matching.sibling_group import ChildIdentity, GroupStatus, SiblingGroup, get_group, open_child
from matching.sibling_placement import SiblingPlacement
from tenants.agency import AgencyKind
from tenants.approval import SamePerson
from tenants.base import utc_now
from tenants.cipher import seal
from tenants.database import Database
from tenants.job import request_job
from tenants.permission import NotAllowed
from tenants.role import Role
from tenants.scope import Scope
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, make_ordered, step
from tests.matching.report_factory import Pairing, let_read, make_link, make_par, make_pdf
from tests.matching.sealing.search import hub_ids, reached_from, read_all, way_to
from tests.matching.sealing.traces import Works, works
from tests.own_database import make_database, opened
from tests.platform.web.equal import page_of
from tests.servers import TestServers
from tests.site import Visitor
from tests.tenants.world import acting
from workers.notice_keeping import keep_notices

CHILD_WORDS = ("Rowan", "2023-05-17")
FAMILY_WORDS = ("Alder Example", "1 Sample Street")


@dataclass(frozen=True, slots=True)
class Case:
    """An adoption that is ready to be sealed, in a database of its own."""

    database: Database
    admin: psycopg.Connection[Any]
    pairing: Pairing
    second: Tenant
    office: Tenant
    codes: tuple[str, str]
    works: Works
    """The site, the queue and the worker beside the database."""

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        return (self.pairing.children, self.pairing.family, self.office)


@pytest.fixture(scope="module")
def case(servers: TestServers) -> Iterator[Case]:
    urls = make_database(servers, "concord_sealing")
    with (
        opened(urls) as database,
        psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin,
        works(servers, urls) as around,
    ):
        case = _make_case(database, admin, around)
        _look_around(case)
        yield case


def _make_case(database: Database, admin: psycopg.Connection[Any], around: Works) -> Case:
    factories, now = Factories(database), utc_now()
    pairing = make_link(factories, database)
    consortium_id = pairing.children.scope.consortium_id
    assert consortium_id is not None
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    make_par(database, pairing.family, pairing.household_id)
    let_read(database, pairing)
    with transaction(database, pairing.children) as session:
        group = get_group(session, pairing.group_id)
        codes = group.code, get_household(session, pairing.household_id).code
        session.add(SiblingPlacement(sibling_group_id=group.id, agency_id=pairing.children.id, household_code=codes[1]))
        request_job(session, kind="import", payload={"of": str(pairing.group_id), "and": codes[1]}, now=now)
    _make_meeting(database, office, pairing, codes)
    _make_ranking(database, admin, pairing)
    _put_before_panel(database, pairing)
    make_ordered(factories, database, pairing)
    make_par(database, pairing.family, pairing.household_id, make_pdf("A newer report."))
    with transaction(database, pairing.children) as session:
        placement = get_placement(session, pairing.link_id)
        add_note(session, placement, words="Rowan calls Alder Example by name.", now=now)
    second = factories.colleague(pairing.children, roles=pairing.children.scope.roles)
    return Case(database, admin, pairing, second, office, codes, around)


def _look_around(case: Case) -> None:
    """Do what people of both sides do at the site, and what workers do then, before anybody thinks of sealing."""
    link = f"/links/{case.pairing.link_id}"
    paths = {
        case.pairing.children: (f"/groups/{case.pairing.group_id}", f"{link}/placement", f"{link}/panel"),
        case.pairing.family: (f"/households/{case.pairing.household_id}", "/export/households.csv"),
    }
    for tenant, own in paths.items():
        visitor = Visitor(case.works.app).sign_in(case.database, tenant)
        shared = (link, f"{link}/thread", "/links", "/links/mine", "/notices", f"/links?find={case.codes[1]}")
        for path in (*shared, *own, f"/households?search={case.codes[1]}"):
            assert visitor.get(path).status_code == 200, path
        visitor.get(f"{link}/thread")
        assert visitor.post(f"{link}/thread", {"words": f"{case.codes} get on well."}).status_code == 303
        visitor.get("/notices/calendar")
        visitor.post("/notices/calendar", {})
        box = next(each for each in page_of(visitor).all("input") if each.get("id") == "address")
        calendar = visitor.get("/calendar/" + str(box.get("value")).rpartition("/")[2])
        assert calendar.mimetype == "text/calendar"
    # At an hour at which a day's notices are mailed, whatever the clock says.
    keep_notices(case.database, now=(utc_now() - timedelta(days=1)).replace(hour=12), mails=True)
    assert case.works.work_off()
    assert case.works.post.sent
    kinds = {where.split()[0] for where, _ in case.works.read_all()}
    assert kinds == {"queue", "file", "e-mail"}
    assert "sealing" not in "".join(row for where, row in case.works.read_all() if where == "queue")


def _put_before_panel(database: Database, pairing: Pairing) -> None:
    """Keep what a panel read and what was owed: a report, minutes, and why a time was missed."""
    now = utc_now()
    step(database, pairing.children, pairing, StepName.SHORTLIST)
    with transaction(database, pairing.family) as session:
        put_reports(session, get_link(session, pairing.link_id), now=now)
    with transaction(database, pairing.children) as session:
        link = get_link(session, pairing.link_id)
        words = "Rowan would do well with Alder Example."
        write_minutes(session, link, finding=Finding.RECOMMENDED, words=words, now=now)
        said: dict[str, Any] = {"person_id": pairing.children.scope.person_id, "person_name": "Sam Sample", "at": now}
        missed = {"clock": ClockName.MATCH, "due_on": TODAY, "reason": "Alder Example came late."}
        session.add(ClockReason(agency_id=pairing.children.id, sibling_group_id=pairing.group_id, **said, **missed))


def _make_meeting(database: Database, office: Tenant, pairing: Pairing, codes: tuple[str, str]) -> None:
    now = utc_now()
    with transaction(database, office) as session:
        meeting = arrange_meeting(session, title="November", held_on=TODAY, place="Sample Hall", now=now)
    for tenant in (pairing.children, pairing.family):
        with transaction(database, tenant) as session:
            files = dict.fromkeys(PackFormat, f"{codes} are linked".encode())
            keep_files(session, request_pack(session, meeting, now=now), files=files, ranking_run_id=None, now=now)
            set_action(
                session,
                meeting,
                what=f"Ask about {codes[1]}",
                agency_id=tenant.id,
                about=codes[0],
                due_on=TODAY,
                now=now,
            )


def _make_ranking(database: Database, admin: psycopg.Connection[Any], pairing: Pairing) -> None:
    run, row, agency, digest = uuid4(), uuid4(), pairing.children.id, b"d" * 32
    with transaction(database, pairing.children) as session:
        sealed = seal(session, b"arrays of everyone", agency_id=agency, row_id=row, now=utc_now())
    facts = (agency, digest, row, sealed)
    admin.execute("INSERT INTO ranking_snapshot (agency_id, digest, row_id, sealed) VALUES (%s, %s, %s, %s)", facts)
    admin.execute(
        "INSERT INTO ranking_run (id, agency_id, consortium_id, made_at, as_of, policy_version, catalogue_version, "
        "places_version, code_version, snapshot_digest, groups, households) "
        "VALUES (%s, %s, %s, now(), now(), '1', '1', '1', '1', %s, 1, 1)",
        (run, agency, pairing.children.scope.consortium_id, digest),
    )
    admin.execute(
        "INSERT INTO ranking_line (ranking_run_id, sibling_group_id, position, agency_id, household_id, points) "
        "VALUES (%s, %s, 1, %s, %s, 70)",
        (run, pairing.group_id, agency, pairing.household_id),
    )


def _seal(case: Case) -> str:
    now, pairing = utc_now(), case.pairing
    with transaction(case.database, pairing.children) as session:
        ask_to_seal(session, get_link(session, pairing.link_id), now=now)
    with transaction(case.database, case.second) as session, pytest.raises(NotToBeSealed, match="gathered"):
        seal_adoption(session, get_link(session, pairing.link_id), now=now)
    _work(case)
    with transaction(case.database, pairing.children) as session, pytest.raises(SamePerson):
        seal_adoption(session, get_link(session, pairing.link_id), now=now)
    with transaction(case.database, case.second) as session:
        return seal_adoption(session, get_link(session, pairing.link_id), now=now)


def _work(case: Case) -> None:
    """Do each job that waits by way of the queue, and those of sealing again: a worker may be lost after it."""
    jobs = case.admin.execute(
        "SELECT agency_id, consortium_id, kind, payload FROM job WHERE kind LIKE 'sealing.%' AND payload <> '{}'"
    ).fetchall()
    case.works.work_off()
    for agency_id, consortium_id, kind, payload in jobs:
        with case.database.transaction(Scope(agency_id=agency_id, consortium_id=consortium_id)) as session:
            if kind == GATHER_JOB:
                gather(session, get_link(session, UUID(payload["link"])), tally=None, now=utc_now())
            elif kind == ROTATE_JOB:
                facts = {"certificate_id": UUID(payload["certificate"]), "year": payload["year"], "now": utc_now()}
                rotate(session, payload["kind"], UUID(payload["id"]), **facts)


class TestSealAdoption:
    def test_is_refused_by_the_database_itself_while_anything_is_missing(self, case: Case) -> None:
        link_id = case.pairing.link_id
        for tenant in (case.pairing.children, case.second, case.pairing.family):
            with (
                transaction(case.database, tenant) as session,
                pytest.raises(ProgrammingError, match="not to be sealed"),
            ):
                session.execute(text("SELECT sever_link(:link, gen_random_uuid())"), {"link": link_id})
        with transaction(case.database, case.second) as session, pytest.raises(SealingUnknown):
            seal_adoption(session, get_link(session, link_id), now=utc_now())
        with transaction(case.database, case.pairing.family) as session, pytest.raises(NotYourStep):
            ask_to_seal(session, get_link(session, link_id), now=utc_now())
        with case.database.transaction(case.second.acting_as(Role.FAMILY_FINDER)) as session:
            link = get_link(session, link_id)
            with pytest.raises(NotAllowed):
                ask_to_seal(session, link, now=utc_now())

    def test_waits_for_what_is_open_and_may_be_taken_back(self, case: Case) -> None:
        now = utc_now()
        with transaction(case.database, case.pairing.family) as session:
            hold = place_hold(session, reference=case.codes[1], reason="An inquiry", now=now)
            hold_id = hold.id
        with transaction(case.database, case.pairing.children) as session:
            link = get_link(session, case.pairing.link_id)
            ask_to_seal(session, link, now=now)
            with pytest.raises(NotToBeSealed, match="asked for already"):
                ask_to_seal(session, link, now=now)
        _work(case)

        with transaction(case.database, case.second) as session:
            link = get_link(session, case.pairing.link_id)
            with pytest.raises(NotToBeSealed, match="hold on destruction"):
                seal_adoption(session, link, now=now)
            with pytest.raises(ProgrammingError, match="not to be sealed"), session.begin_nested():
                session.execute(text("SELECT sever_link(:link, gen_random_uuid())"), {"link": link.id})
            withdraw_sealing(session, link, now=now)
            assert find_sealing(session, link) is None
            with pytest.raises(SealingUnknown):
                withdraw_sealing(session, link, now=now)
        with transaction(case.database, case.pairing.family) as session:
            lift_hold(session, get_hold(session, hold_id), reason="It is over", now=now)

    def test_lets_nothing_be_said_that_would_be_lost(self, case: Case) -> None:
        now, family = utc_now(), case.pairing.family
        with transaction(case.database, case.pairing.children) as session:
            ask_to_seal(session, get_link(session, case.pairing.link_id), now=now)

        with transaction(case.database, family) as session:
            link = get_link(session, case.pairing.link_id)
            with pytest.raises(BeingSealed):
                add_link_note(session, link, words="They are well.", now=now)
            with pytest.raises(BeingSealed):
                send_message(session, link, words="They are well.", now=now)
        with acting(case.admin, family.scope), pytest.raises(psycopg.errors.InsufficientPrivilege):
            case.admin.execute(
                "INSERT INTO link_note (id, link_id, group_agency_id, household_agency_id, agency_id, person_id, "
                "person_name, at, sealed) SELECT gen_random_uuid(), l.id, l.group_agency_id, l.household_agency_id, "
                "l.household_agency_id, p.id, p.name, now(), 's' FROM link l, person p WHERE p.id = %s",
                (family.scope.person_id,),
            )
        with transaction(case.database, case.pairing.children) as session:
            withdraw_sealing(session, get_link(session, case.pairing.link_id), now=now)
        with transaction(case.database, family) as session:
            link = get_link(session, case.pairing.link_id)
            add_link_note(session, link, words="They are well.", now=now)
            send_message(session, link, words="They are well.", now=now)

    def test_leaves_no_way_from_one_record_to_the_other(self, case: Case) -> None:
        before = _reached(case, str(case.pairing.group_id))
        assert {str(case.pairing.household_id), *FAMILY_WORDS} <= before.keys()

        number = _seal(case)
        _work(case)
        _look_at_what_is_left(case, number)

        (group,) = case.admin.execute("SELECT id, code FROM sibling_group").fetchall()
        (household,) = case.admin.execute("SELECT id, code FROM household").fetchall()
        assert {str(group[0]), group[1]}.isdisjoint({str(case.pairing.group_id), case.codes[0]})
        assert {str(household[0]), household[1]}.isdisjoint({str(case.pairing.household_id), case.codes[1]})
        old = {str(case.pairing.group_id), str(case.pairing.household_id), str(case.pairing.link_id), *case.codes}
        reached = _reached(case, str(group[0]), group[1], *CHILD_WORDS)
        beyond = ({str(household[0]), household[1], *FAMILY_WORDS, number} | old) & reached.keys()
        assert not beyond, [way_to(each, reached) for each in beyond]
        back = _reached(case, str(household[0]), household[1], *FAMILY_WORDS)
        beyond = ({str(group[0]), group[1], *CHILD_WORDS, number} | old) & back.keys()
        assert not beyond, [way_to(each, back) for each in beyond]

    def test_leaves_records_that_open_under_their_new_ids(self, case: Case) -> None:
        with transaction(case.database, case.pairing.children) as session:
            (child,) = session.scalars(select(ChildIdentity))
            assert open_child(session, child).forename == "Rowan"
            assert session.scalars(select(SiblingGroup.status)).one() is GroupStatus.WITHDRAWN
            (facts,) = list_placed(session)
            assert facts.id != case.pairing.link_id
            assert (facts.household_agency_id, len(facts.ages)) == (case.pairing.family.id, 1)
            assert session.scalars(select(Link)).all() == []
        with transaction(case.database, case.pairing.family) as session:
            (household,) = session.scalars(select(HouseholdIdentity))
            assert open_identity(session, household).adopters == ("Alder Example",)
            (par,) = list_documents_of(session, [household.household_id])
            assert (unseal_version(session, par) or b"")[:5] == b"%PDF-"
            (certificate,) = list_certificates(session)
            assert certificate.rotated_on is not None
            assert certificate.removed["link"] == 1
            assert list_placed(session) == [facts]

    def test_leaves_an_adoption_record_to_its_keeper_alone(self, case: Case) -> None:
        now = utc_now()
        for tenant, known in ((case.pairing.children, "Rowan"), (case.pairing.family, "Alder Example")):
            with transaction(case.database, tenant) as session:
                (facts,) = list_records(session)
                said = open_record(session, facts.number, now=now)
                assert known in str(said)
                assert said["link"]["link"][0]["id"] == str(case.pairing.link_id)
                assert facts.kept_until.year == now.year + 100
                papers = {each["kind"]: each for each in said["link"]["panel_paper"]}
                if tenant is case.pairing.children:
                    assert "Rowan would do well" in b64decode(next(iter(papers["minutes"]["files"].values()))).decode()
                    assert [each["reason"] for each in said["times_missed"]] == ["Alder Example came late."]
                else:
                    # The panel read the first; the newer one is a part of its own.
                    (report,) = said["before_panel"]
                    assert (report["kind"], report["version"]) == ("par", 1)
                    assert b64decode(report["file"])[:5] == b"%PDF-"
                with pytest.raises(SealingUnknown):
                    open_record(session, "A-000000", now=now)
            # Roles of the scope are not enough: the database asks for the appointment.
            other = Factories(case.database).colleague(tenant, roles=frozenset({Role.MANAGER}))
            scope = replace(other.scope, roles=frozenset({Role.ADOPTION_RECORDS}))
            with case.database.transaction(scope) as session:
                assert list_records(session) == []
            with transaction(case.database, other) as session, pytest.raises(NotAllowed):
                list_records(session)


def _look_at_what_is_left(case: Case, number: str) -> None:
    """Let both sides go on at the site, with the records under their new identifiers."""
    certificate = case.admin.execute(
        "SELECT number FROM sealing_certificate WHERE agency_id = %s", (case.pairing.family.id,)
    )
    rows = {
        case.pairing.children: ("sibling_group", "groups", number),
        case.pairing.family: ("household", "households", certificate.fetchall()[0][0]),
    }
    for tenant, (table, page, own) in rows.items():
        visitor = Visitor(case.works.app).sign_in(case.database, tenant)
        ((record_id, code),) = case.admin.execute(f"SELECT id, code FROM {table}").fetchall()
        for path in (
            f"/{page}/{record_id}",
            f"/{page}?search={code}",
            "/sealings",
            f"/sealings/{own}",
            f"/adoption-records/{own}",
        ):
            assert visitor.get(path).status_code == 200, path
        assert visitor.get(f"/links/{case.pairing.link_id}").status_code == 404


def _reached(case: Case, *start: str) -> dict[str, tuple[str, str]]:
    rows = [*read_all(case.admin, case.database, case.tenants), *case.works.read_all()]
    hubs = hub_ids(case.admin)
    return reached_from(start, rows, words=(*CHILD_WORDS, *FAMILY_WORDS), hubs=hubs)
