from __future__ import annotations

import csv
from collections.abc import Callable
from io import BytesIO, StringIO
from uuid import UUID, uuid4

import pytest
import python_calamine
from flask import Flask
from sqlalchemy import update

from concord.web import create_app
from matching.household import count_households
from matching.intake.column import SHEETS, SheetKind, columns_of
from matching.intake.import_run import get_import, list_imports
from tenants.agency import AgencyKind
from tenants.database import Database
from tenants.job import JobState, get_job
from tenants.person import Appointment
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, Factories, Tenant, transaction
from tests.matching.intake.writing import headings_of
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor, make_settings
from workers.handler import HANDLERS
from workers.runner import JobRunner

Visit = Callable[[Tenant], Visitor]
GOOD = {"Reference": "D-1", "Adopter 1 name": "Alder Example", "Approved on": "06/01/2025", "Status": "waiting"}
BAD = {**GOOD, "Reference": "D-2", "Approved on": "32/01/2025"}


class TestIndex:
    def test_asks_to_check_first(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        visitor.get("/imports")

        chosen = [
            field.get("value")
            for field in page_of(visitor).all("input")
            if field.get("name") == "mode" and field.get("checked") is not None
        ]
        assert chosen == ["check"]
        assert "Your agency has handed in no file yet." in page_of(visitor).text

    def test_shows_ones_own_agencys_sheets_alone(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        ours, theirs = visit_as(us), visit_as(them)
        hand_in(ours, sheet(GOOD), filename="ours.csv")
        hand_in(theirs, sheet(GOOD), filename="theirs.csv")

        ours.get("/imports")

        assert "ours.csv" in page_of(ours).text
        assert "theirs.csv" not in page_of(ours).text

    def test_offers_an_adopters_worker_no_childrens_sheet(self, visit_as: Visit, factories: Factories) -> None:
        worker = factories.tenant(factories.consortium(), roles=frozenset({Role.ADOPTERS_WORKER}))
        visitor = visit_as(worker)

        visitor.get("/imports")

        kinds = [field.get("value") for field in page_of(visitor).all("input") if field.get("name") == "kind"]
        assert kinds == ["households"]

    def test_is_not_for_a_coordinator(self, visit_as: Visit, factories: Factories) -> None:
        office = factories.tenant(factories.consortium(), roles=frozenset({Role.COORDINATOR}))

        assert visit_as(office).get("/imports").status_code == 403


class TestHeadings:
    @pytest.mark.parametrize("kind", SHEETS)
    def test_are_all_that_a_sheet_may_have(self, kind: SheetKind, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        visitor.get("/imports")
        assert f"/imports/headings/{kind}" in page_of(visitor).links().values()

        visitor.get(f"/imports/headings/{kind}")

        rows = [element for element in page_of(visitor).all("th") if element.get("scope") == "row"]
        assert [element.text for element in rows] == [column.heading for column in columns_of(kind)]
        needed = [column for column in columns_of(kind) if column.needed]
        assert page_of(visitor).text.count("Must be filled") == len(needed)
        assert ("Once for the group is enough." in page_of(visitor).text) is (kind is SheetKind.CHILDREN)

    def test_of_children_are_not_for_an_adopters_worker(self, visit_as: Visit, factories: Factories) -> None:
        worker = factories.tenant(factories.consortium(), roles=frozenset({Role.ADOPTERS_WORKER}))
        visitor = visit_as(worker)

        assert visitor.get("/imports/headings/children").status_code == 403
        assert visitor.get("/imports/headings/households").status_code == 200
        assert "/imports/headings/children" not in page_of(visitor).html
        assert visitor.get("/imports/headings/pigeons").status_code == 404


class TestHandIn:
    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"kind": "", "mode": "check"}, "Select what is in the file"),
            ({"kind": "households", "mode": "check"}, "Choose the file"),
            ({"kind": "pigeons", "mode": "check"}, "Not a valid choice"),
            ({"kind": "households", "mode": "<script>"}, "Not a valid choice"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_chosen(
        self, form: dict[str, str], words: str, visit_as: Visit, factories: Factories
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        visitor.get("/imports")

        response = visitor.post("/imports", form)

        assert response.status_code == 422
        assert page_of(visitor).title.startswith("Error: ")
        assert words in page_of(visitor).text
        chosen = [field.get("value") for field in page_of(visitor).all("input") if field.get("checked") is not None]
        assert (form["kind"] in chosen) is (form["kind"] == "households")

    def test_refuses_an_empty_file(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        response = hand_in(visitor, b"")

        assert response == "422"
        assert "The file is empty" in page_of(visitor).text

    def test_refuses_a_file_that_is_too_large_with_a_page(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        small = create_app(make_settings(upload_bytes=2000), database)
        visitor = Visitor(small).sign_in(database, us)

        visitor.get("/imports")
        response = visitor.post("/imports", {"kind": "households", "file": (BytesIO(b"x" * 3000), "large.csv")})

        assert response.status_code == 413
        assert page_of(visitor).heading == "That file is too large"

    def test_refuses_children_from_an_agency_that_has_none(self, visit_as: Visit, factories: Factories) -> None:
        voluntary = factories.tenant(factories.consortium(), kind=AgencyKind.VOLUNTARY_AGENCY)
        visitor = visit_as(voluntary)

        assert hand_in(visitor, sheet(GOOD), kind="children") == "422"
        assert "keeps no children of its own" in page_of(visitor).text


class TestShow:
    def test_shows_that_the_sheet_waits_and_how_to_look_again(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)

        path = hand_in(visitor, sheet(GOOD))
        visitor.get(path)

        assert "Reading the file: waiting to begin." in page_of(visitor).text
        assert page_of(visitor).links()["Load it again"] == path
        assert "http-equiv" not in page_of(visitor).html

    def test_shows_each_refused_row_with_its_reason(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD, BAD))
        work_off(database, us)

        visitor.get(path)

        text = page_of(visitor).text
        assert "This was a check. Nothing has been saved." in text
        assert "1 refused 0 would be changed 1 would be added 0 unchanged" in text
        assert "3 Approved on 32/01/2025" in text
        assert page_of(visitor).csrf_token()

    def test_shows_why_a_whole_file_was_refused(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, b"\x00\x01not a sheet", filename="<img src=x>.csv")
        work_off(database, us)

        visitor.get(path)

        assert "The whole file was refused, and nothing of it was saved" in page_of(visitor).text
        assert page_of(visitor).heading == "Check of <img src=x>.csv"
        assert page_of(visitor).links()["See the headings of such a sheet"] == "/imports/headings/households"

    def test_says_which_kind_a_sheet_of_the_other_kind_looks_like(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD), kind="children")
        work_off(database, us)

        visitor.get(path)

        assert "This looks like a sheet of households, and children were asked for." in page_of(visitor).text

    def test_shows_a_thousand_refused_rows_a_hundred_at_a_time(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(*({**BAD, "Reference": f"D-{row}"} for row in range(1000))))
        work_off(database, us)

        visitor.get(path)

        assert page_of(visitor).text.count("expected a date") == 100
        assert page_of(visitor).links()["10"] == f"{path}?rows=refused&page=10#rows"
        visitor.get(f"{path}?rows=refused&page=10")
        assert "1,001" not in page_of(visitor).text
        assert "1001 Approved on" in page_of(visitor).text

    def test_says_why_a_job_failed_and_lets_it_run_again(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD))
        run_id = UUID(path.rpartition("/")[2])
        with transaction(database, us) as session:
            job_id = get_import(session, run_id).job_id
        JobRunner(database, {}).run(job_id)

        visitor.get(path)
        assert "It could not be done." in page_of(visitor).text
        assert "knows no job of the kind" in page_of(visitor).text
        response = visitor.post(f"{path}/again")

        assert response.location == path
        with transaction(database, us) as session:
            assert get_job(session, job_id).state is JobState.WAITING

    def test_is_the_same_for_anothers_import_as_for_none(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        path = hand_in(visit_as(them), sheet(GOOD))
        visitor = visit_as(us)

        of_theirs, of_none = visitor.get(path), visitor.get(f"/imports/{uuid4()}")

        assert of_theirs.status_code == 404
        assert same_but_for_the_reference(of_theirs, of_none)

    def test_keeps_childrens_rows_from_an_adopters_worker(
        self, visit_as: Visit, factories: Factories, site: Flask, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        path = hand_in(visit_as(us), b"Group reference\nG-1\n", kind="children")
        with database.transaction(us.scope) as session:
            assert [run.kind for run in list_imports(session)] == ["children"]
        narrowed = Visitor(site).sign_in(database, us)
        narrow_to(database, us, Role.ADOPTERS_WORKER)

        assert narrowed.get(path).status_code == 403
        narrowed.get("/imports")
        assert "sheet.csv" not in page_of(narrowed).text


class TestSave:
    def test_imports_the_very_file_that_was_checked(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD, BAD))
        work_off(database, us)
        visitor.get(path)

        saved = visitor.post(f"{path}/real").location or ""
        work_off(database, us)
        visitor.get(saved)

        assert "The file has been imported, but not its refused rows." in page_of(visitor).text
        assert "1 refused 0 changed 1 added 0 unchanged" in page_of(visitor).text
        with transaction(database, us) as session:
            assert count_households(session) == 1

    def test_refuses_what_was_never_checked(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD))
        visitor.get("/imports")

        assert visitor.post(f"{path}/real").status_code == 409

    def test_is_not_there_for_anothers_import(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        path = hand_in(visit_as(them), sheet(GOOD))
        work_off(database, them)
        visitor = visit_as(us)
        visitor.get("/imports")

        for verb in ("real", "again", "cancel", "undo", "columns"):
            assert visitor.post(f"{path}/{verb}").status_code == 404
        for page in ("undo", "columns", "refusals.xlsx"):
            assert visitor.get(f"{path}/{page}").status_code == 404


class TestPreview:
    def test_shows_each_change_before_and_after(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        take(visitor, database, us, sheet(GOOD))

        path = hand_in(visitor, sheet({**GOOD, "Approved on": "07/01/2025", "Status": "on hold"}))
        work_off(database, us)
        visitor.get(path)

        assert "2 D-1 Approved on 06/01/2025 07/01/2025" in page_of(visitor).text
        assert "2 D-1 Status waiting on hold" in page_of(visitor).text

    def test_shows_the_rows_of_the_outcome_asked_for(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD, BAD))
        work_off(database, us)

        visitor.get(f"{path}?rows=added")

        assert "2 D-1 Nothing" in page_of(visitor).text
        assert "32/01/2025" not in page_of(visitor).text
        assert visitor.get(f"{path}?rows=pigeons&page=99").status_code == 200


class TestRefusals:
    def test_come_back_as_a_workbook_that_is_mended_and_handed_in(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD, {**BAD, "Adopter 1 name": "=1+1"}))
        work_off(database, us)
        visitor.get(path)
        link = page_of(visitor).links()["Download the refused rows as a workbook"]

        answer = visitor.client.get(link)
        rows = python_calamine.CalamineWorkbook.from_filelike(BytesIO(answer.data)).get_sheet_by_index(0).to_python()

        assert [row[1] for row in rows[1:]] == ["D-2"]
        assert str(rows[1][0]).startswith("Approved on: there is no such date")
        assert "=1+1" in rows[1]
        assert answer.headers["Content-Disposition"].startswith("attachment")
        again = hand_in(visitor, answer.data, filename="to-mend.xlsx")
        work_off(database, us)
        visitor.get(again)
        assert "1 refused 0 would be changed 0 would be added" in page_of(visitor).text
        assert visit_as(them).client.get(link).status_code == 404

    def test_are_not_there_where_nothing_was_refused(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD))
        work_off(database, us)

        assert visitor.get(f"{path}/refusals.xlsx").status_code == 409


class TestCancel:
    def test_stops_an_import_that_waits_and_lets_it_go_on_later(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD))
        visitor.get(path)

        assert visitor.post(f"{path}/cancel").location == path
        visitor.get(path)
        assert "It was stopped. Nothing of the file has been saved." in page_of(visitor).text
        visitor.post(f"{path}/again")
        work_off(database, us)
        visitor.get(path)

        assert "This was a check." in page_of(visitor).text
        assert visitor.post(f"{path}/cancel").status_code == 409


class TestUndo:
    def test_takes_a_whole_import_back(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        visitor = visit_as(us)
        factories.household(them)
        path = take(visitor, database, us, sheet(GOOD))
        visitor.get(path)
        assert page_of(visitor).links()["Take the whole import back"] == f"{path}/undo"

        visitor.get(f"{path}/undo")
        assert "1 row that was added is removed" in page_of(visitor).text
        assert visitor.post(f"{path}/undo").location == path
        visitor.get(path)
        assert "Taking the import back: waiting to begin." in page_of(visitor).text
        work_off_undo(database, us, path)
        visitor.get(path)

        assert "Every record is as it was before it." in page_of(visitor).text
        assert "Take the whole import back" not in page_of(visitor).links()
        with transaction(database, us) as session:
            assert count_households(session, own_agency=us.id) == 0
        with transaction(database, them) as session:
            assert count_households(session, own_agency=them.id) == 1
        visitor.get("/imports")
        assert "Taken back: 0 refused, 0 changed, 1 added, 0 unchanged" in page_of(visitor).text

    def test_says_why_not_when_something_came_after(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = take(visitor, database, us, sheet(GOOD))
        take(visitor, database, us, sheet({**GOOD, "Approved on": "07/01/2025"}))

        visitor.get(f"{path}/undo")

        assert "It cannot be taken back:" in page_of(visitor).text
        assert "changed after the import" in page_of(visitor).text
        assert visitor.post(f"{path}/undo").status_code == 409

    def test_is_not_offered_of_a_check(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        visitor = visit_as(us)
        path = hand_in(visitor, sheet(GOOD))
        work_off(database, us)

        visitor.get(path)

        assert "Take the whole import back" not in page_of(visitor).links()
        assert visitor.post(f"{path}/undo").status_code == 409


def sheet(*rows: dict[str, str]) -> bytes:
    """Return a sheet of households."""
    text = StringIO()
    writer = csv.DictWriter(text, headings_of(SheetKind.HOUSEHOLDS))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def hand_in(visitor: Visitor, content: bytes, *, kind: str = "households", filename: str = "sheet.csv") -> str:
    """Hand in a sheet to be checked, and return where the visitor is sent, or the status of a refusal."""
    visitor.get("/imports")
    response = visitor.post("/imports", {"kind": kind, "mode": "check", "file": (BytesIO(content), filename)})
    return response.location or str(response.status_code)


def take(visitor: Visitor, database: Database, tenant: Tenant, content: bytes) -> str:
    """Import a sheet for real, and return the address of the import."""
    visitor.get("/imports")
    data = {"kind": "households", "mode": "save", "file": (BytesIO(content), "sheet.csv")}
    path = visitor.post("/imports", data).location or ""
    work_off(database, tenant)
    return path


def work_off_undo(database: Database, tenant: Tenant, path: str) -> None:
    """Take an import back, as a worker would."""
    with transaction(database, tenant) as session:
        job_id = get_import(session, UUID(path.rpartition("/")[2])).undo_job_id
    assert job_id
    assert JobRunner(database, HANDLERS).run(job_id)


def work_off(database: Database, tenant: Tenant) -> None:
    """Do every job that waits for a tenant, as a worker would."""
    with transaction(database, tenant) as session:
        jobs = [run.job_id for run in list_imports(session) if run.finished_at is None]
    for job_id in jobs:
        assert JobRunner(database, HANDLERS).run(job_id)


def narrow_to(database: Database, tenant: Tenant, role: Role) -> None:
    """End every other appointment of a tenant's person."""
    with database.transaction(OPERATOR) as session:
        session.execute(
            update(Appointment)
            .where(Appointment.person_id == tenant.scope.person_id, Appointment.role != role)
            .values(ends_on=LONG_AGO)
        )
