from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.monitoring.figure import FEW, Figure
from matching.monitoring.report import FigureUnknown, Report, read_report
from matching.sibling_group import Child, ChildIdentity, SiblingGroup, open_child, seal_child
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import MOVED_IN, make_placed
from tests.matching.report_factory import Pairing

ENTERED = MOVED_IN - timedelta(days=300)
ORDERED = MOVED_IN - timedelta(days=60)


@pytest.fixture(scope="module")
def pairing(factories: Factories, database: Database) -> Pairing:
    """A child of known days who lives with a family of another agency."""
    found = make_placed(factories, database)
    with transaction(database, found.children) as session:
        _enter_care(session, found, ENTERED)
        group = session.get_one(SiblingGroup, found.group_id)
        group.placement_order_on = ORDERED
    return found


def _enter_care(session: Session, pairing: Pairing, day: date) -> None:
    query = select(ChildIdentity).join(Child, Child.id == ChildIdentity.child_id)
    row = session.scalars(query.where(Child.sibling_group_id == pairing.group_id)).one()
    name = replace(open_child(session, row), entered_care_on=day.isoformat())
    row.sealed = seal_child(session, name, child_id=row.child_id, agency_id=pairing.children.id, now=utc_now())


def report_of(database: Database, tenant: Tenant) -> Report:
    with transaction(database, tenant) as session:
        return read_report(session, now=utc_now())


def first(figure: Figure, label: str) -> dict[str, str | int]:
    return next(row for row in figure.as_dicts() if label in str(row[figure.headings[0]]))


class TestReadReport:
    def test_counts_a10_from_what_is_known_of_each_child(self, database: Database, pairing: Pairing) -> None:
        (row,) = [each for each in report_of(database, pairing.children).figure("a10").as_dicts() if each["Children"]][
            -1:
        ]

        assert (row["Children"], row["Not known"], row["Average"], row["Under it"]) == (1, 0, 300, 1)

    def test_the_familys_agency_has_no_children_in_it(self, database: Database, pairing: Pairing) -> None:
        rows = report_of(database, pairing.family).figure("a10").as_dicts()

        assert [row["Children"] for row in rows] == [0, 0, 0, 0]

    def test_counts_a2_from_the_order_to_the_decision(self, database: Database, pairing: Pairing) -> None:
        row = report_of(database, pairing.children).figure("a2").as_dicts()[-1]

        assert (row["Children"], row["Not known"], row["Average"]) == (1, 0, 40)

    def test_both_sides_time_the_stages(self, database: Database, pairing: Pairing) -> None:
        for tenant in (pairing.children, pairing.family):
            row = first(report_of(database, tenant).figure("stages"), "Match decision")
            assert row["Consortium’s links"] in {FEW, 0}

    def test_lists_the_agencys_own_who_wait(self, database: Database, factories: Factories, pairing: Pairing) -> None:
        assert pairing.children.scope.consortium_id
        other = factories.tenant(pairing.children.scope.consortium_id)
        factories.group(other, waiting_since=utc_now().date() - timedelta(days=4000))
        mine = factories.group(other, waiting_since=None)

        figure = report_of(database, other).figure("waiting-groups")

        assert mine
        assert [row["Days"] for row in figure.as_dicts()] == [4000, "not known"]
        assert 4000 not in [
            row["Days"] for row in report_of(database, pairing.family).figure("waiting-groups").as_dicts()
        ]

    def test_the_office_has_no_figures_of_its_own(
        self, database: Database, factories: Factories, pairing: Pairing
    ) -> None:
        assert pairing.children.scope.consortium_id
        office = factories.tenant(pairing.children.scope.consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)

        found = report_of(database, office)

        assert found.own is None
        assert [each.name for each in found.figures][:2] == ["members", "stages"]
        assert found.figure("stages").headings[1] == "Consortium’s links"

    def test_is_for_those_who_may(self, database: Database, pairing: Pairing) -> None:
        worker = replace(pairing.children, scope=pairing.children.acting_as(Role.FAMILY_FINDER))

        with pytest.raises(NotAllowed):
            report_of(database, worker)

    def test_knows_no_other_figure(self, database: Database, pairing: Pairing) -> None:
        with pytest.raises(FigureUnknown):
            report_of(database, pairing.children).figure("a1")
