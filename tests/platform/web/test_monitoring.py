"""Pages of monitoring: for managers of their own agency, and for the office of the consortium as a whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from python_calamine import CalamineWorkbook

from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.matching.placement.stage import make_ordered
from tests.matching.report_factory import Pairing
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
TODAY = utc_now().date()


@pytest.fixture(scope="module")
def pairing(factories: Factories, database: Database) -> Pairing:
    """Children who were adopted by another agency's family."""
    return make_ordered(factories, database)


def said(visitor: Visitor, path: str) -> str:
    assert visitor.get(path).status_code == 200
    assert visitor.page
    return visitor.page.text


class TestIndex:
    def test_shows_an_agency_its_own_figures(self, visit_as: Visit, pairing: Pairing) -> None:
        text = said(visit_as(pairing.children), "/monitoring")

        assert f"What {pairing.children.name}’s children and families wait for" in text
        assert "A10: entering care to moving in" in text
        assert "Why links end" in text

    def test_shows_the_office_the_consortium_and_no_agency(
        self, visit_as: Visit, factories: Factories, pairing: Pairing
    ) -> None:
        assert pairing.children.scope.consortium_id
        office = factories.tenant(pairing.children.scope.consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        visitor = visit_as(office)

        text = said(visitor, "/monitoring")

        assert "The consortium as a whole." in text
        assert "A10" not in text
        assert "What changed this month" not in text
        assert "Consortium’s links" in text
        assert "What waits at each agency" in text
        whole = CalamineWorkbook.from_filelike(io.BytesIO(visitor.get("/monitoring/all.xlsx").data))
        assert whole.sheet_names[:2] == ["members", "stages"]
        assert {"a2 by quarter", "endings"} <= set(whole.sheet_names)
        assert whole.get_sheet_by_name("members").to_python()[0][0] == "Agency"

    def test_is_for_managers_and_coordinators(self, visit_as: Visit, factories: Factories, pairing: Pairing) -> None:
        worker = factories.colleague(pairing.children, roles=frozenset({Role.FAMILY_FINDER}))

        assert visit_as(worker).get("/monitoring").status_code == 403


class TestTake:
    def test_hands_out_what_is_shown(self, visit_as: Visit, pairing: Pairing) -> None:
        visitor = visit_as(pairing.children)
        text = said(visitor, "/monitoring")

        answer = visitor.get("/monitoring/stages.csv")

        rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
        assert rows[0][:3] == ["Stage", "Links", "Median"]
        assert len(rows) == 9
        assert all(cell in text for row in rows for cell in row)
        assert answer.headers["Cache-Control"] == "no-store"

    def test_hands_out_a_workbook(self, visit_as: Visit, pairing: Pairing) -> None:
        assert visit_as(pairing.children).get("/monitoring/funnel.xlsx").get_data().startswith(b"PK")

    @pytest.mark.parametrize("path", ["/monitoring/nothing.csv", "/monitoring/trends/nothing"])
    def test_knows_no_other_figure(self, visit_as: Visit, pairing: Pairing, path: str) -> None:
        assert visit_as(pairing.children).get(path).status_code == 404


class TestTrend:
    def test_shows_a_stage_by_quarters(self, visit_as: Visit, pairing: Pairing) -> None:
        visitor = visit_as(pairing.children)

        text = said(visitor, "/monitoring/trends/matched")

        assert "Match decision to placement" in text
        assert "By the quarter in which it ended." in text
        rows = visitor.get("/monitoring/trends/matched.csv").get_data().decode("utf-8-sig").splitlines()
        assert len(rows) == 13


class TestMonth:
    def test_lists_what_is_behind_each_number(self, visit_as: Visit, pairing: Pairing) -> None:
        ordered_in = f"{TODAY:%Y-%m}" if TODAY.day > 2 else None
        visitor = visit_as(pairing.children)

        text = said(visitor, f"/monitoring/month?of={ordered_in}" if ordered_in else "/monitoring/month")

        assert f"What changed in {TODAY:%B %Y}" in text
        assert "Links started: 1" in text
        answer = visitor.get("/monitoring/month.csv")
        assert "Links started" in answer.get_data().decode("utf-8-sig")

    def test_another_agency_sees_nothing_of_it(self, visit_as: Visit, factories: Factories, pairing: Pairing) -> None:
        assert pairing.children.scope.consortium_id
        other = factories.tenant(pairing.children.scope.consortium_id)

        assert "Nothing changed." in said(visit_as(other), "/monitoring/month")

    @pytest.mark.parametrize("of", ["2026-13", "never", "2999-01", "1999-12", ""])
    def test_refuses_what_is_no_month(self, visit_as: Visit, pairing: Pairing, of: str) -> None:
        assert visit_as(pairing.children).get(f"/monitoring/month?of={of}").status_code == 422
