"""Pages of netting: proposed by one side, confirmed by all, posted in all books; nothing for anybody else."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.fee_tables import check_tables
from tests.matching.fee.netting_ground import NettingGround, make_netting_ground
from tests.platform.web.test_fee_statements import said, sheet
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


def link_in(page: str) -> str:
    """Return where the one netting of a page is shown."""
    found = re.search(r"/fees/netting/[0-9a-f-]{36}", page)
    assert found
    return found[0]


def _leave(ground: NettingGround, member: int, left_on: str) -> None:
    with psycopg.connect(libpq_url(ground.urls.admin)) as admin:
        said_so = f"UPDATE consortium_member SET left_on = {left_on} WHERE agency_id = %s"
        admin.execute(said_so, [ground.members[member].id])


def _add_lapsed(ground: NettingGround, path: str) -> None:
    """Write 25 like one, of long ago, past the wall: a page has so many."""
    with psycopg.connect(libpq_url(ground.urls.admin)) as admin:
        same = "consortium_id, swap_group_id, agency_id, agency_ids, until_on, made_by, made_name"
        admin.execute(
            f"INSERT INTO netting (id, {same}, lapses_on, made_at) SELECT gen_random_uuid(), {same}, "
            "until_on - 400, made_at - interval '400 days' FROM netting, generate_series(1, 25) WHERE id = %s",
            [path.rpartition("/")[2]],
        )


class TestNetting:
    def test_takes_two_agencies_from_what_both_owe_to_what_is_left(
        self, database: Database, migrated: DatabaseUrls, factories: Factories, visit_as: Visit
    ) -> None:
        ground = make_netting_ground(database, migrated, factories, members=2)
        ground.issue(1, 0, 9_000_00)
        ground.issue(0, 1, 2_500_00)
        one, two, stranger = (visit_as(each) for each in (*ground.members, ground.stranger))
        today = {"until_on": utc_now().date().isoformat()}

        assert sheet(one, "/fees/netting?file=netting.csv")[1][2:] == ["9000.00", "2500.00", "6500.00", ""]
        assert sheet(two, "/fees/netting?file=netting.csv")[1][2:] == ["2500.00", "9000.00", "", "6500.00"]
        assert "There is no agency" in said(stranger, "/fees/netting?until=1&until=1&until=2020")
        assert "Enter a real date" in said(one, "/fees/netting?until=31&until=2&until=2026")
        with_two = f"/fees/netting/with/{ground.members[1].id}"
        double = visit_as(factories.of_both(*reversed(ground.members), roles=frozenset({Role.FINANCE_OFFICER})))
        double.get("/acting")
        double.post("/acting", {"choice": f"{ground.members[1].id}:{ground.members[1].scope.consortium_id}"})
        assert "You hold roles in both agencies" in said(double, "/fees/netting")
        assert "Propose a netting" not in said(double, "/fees/netting")
        assert one.post(with_two, {"until_on": "never"}).status_code == 422
        path = one.post(with_two, today).headers["Location"]
        assert one.post(with_two, today).status_code == 422
        assert "One netting to confirm" in said(two, "/fees")
        assert one.post(f"{path}/confirm", {}).status_code == 409
        assert stranger.get(path).status_code == stranger.get(f"{path}/decline").status_code == 404
        said(one, path)
        said(two, f"{path}/decline")
        assert two.post(f"{path}/decline", {"reason": ""}).status_code == 422
        assert "You hold roles in both agencies" in said(double, path)
        assert "Confirm and post" not in said(double, path)
        assert "Confirm and post" in said(two, path)
        assert two.post(f"{path}/confirm", {}).status_code == 303
        assert "Posted in all books" in said(one, path)
        assert sheet(two, f"{path}?file=invoices.csv")[-1] == ["Together", "", "2500.00", "9000.00"]
        assert check_tables(two, path) == {"payments", "invoices"}
        assert check_tables(two, "/fees/netting") == {"nettings"}
        assert "There is no agency" in said(one, "/fees/netting")

        worker = visit_as(factories.colleague(ground.members[0], roles=frozenset({Role.FAMILY_FINDER})))
        assert worker.get("/fees/netting").status_code == 403

    def test_takes_a_ring_of_three_to_one_payment_that_the_third_never_sees(
        self, database: Database, migrated: DatabaseUrls, factories: Factories, visit_as: Visit
    ) -> None:
        ground = make_netting_ground(database, migrated, factories, members=3)
        for payer, payee, pence in ((0, 1, 12_345_67), (1, 2, 12_345_67), (2, 0, 7_000_00)):
            ground.issue(payer, payee, pence)
        one, two, three = (visit_as(each) for each in ground.members)
        office = visit_as(factories.colleague(ground.office, roles=frozenset({Role.COORDINATOR})))
        today = {"until_on": utc_now().date().isoformat()}
        of_group = f"/swaps/{ground.swap_group_id}/nettings"

        said(one, "/fees/netting")
        said(office, of_group)
        without = {**today, "without": [str(ground.members[1].id), str(ground.members[2].id)]}
        assert one.post(f"/fees/netting/among/{ground.swap_group_id}", without).status_code == 422
        assert office.post(of_group, {"until_on": ""}).status_code == 422
        assert "Enter a real date" in said(office, f"{of_group}?until=31&until=2&until=2026")
        assert office.post(of_group, today).status_code == 303
        asked = said(office, of_group)
        assert asked.count("not yet") == 3
        assert "£" not in asked
        path = link_in(one.get("/fees/netting").text)
        assert office.get(path).status_code == 403
        assert one.post(f"{path}/confirm", {}).status_code == 303
        assert one.post(f"{path}/decline", {"reason": "Not now"}).status_code == 303
        assert "Not now" in said(office, of_group)
        said(one, "/fees/netting")
        path = one.post(f"/fees/netting/among/{ground.swap_group_id}", today).headers["Location"]
        _leave(ground, 2, "current_date")
        assert "one of its agencies has left the consortium" in said(one, path)
        assert "Ended" in said(one, "/fees/netting")
        assert "Ended" in said(office, of_group)
        assert "has left" in one.post(f"{path}/confirm", {}).text
        _leave(ground, 2, "NULL")
        assert one.post(f"{path}/decline", {"reason": "Anew"}).status_code == 303
        path = one.post(f"/fees/netting/among/{ground.swap_group_id}", today).headers["Location"]
        for visitor in (two, three):
            said(visitor, path)
            assert visitor.post(f"{path}/confirm", {}).status_code == 303

        names = [each.name for each in ground.members]
        shown = said(one, path)
        assert f"{names[0]} pays {names[2]}" in shown
        assert "Pay into the account that stands on the payee’s invoices." in shown
        assert "Pay into the account" not in said(three, path)
        _add_lapsed(ground, path)
        for number in (1, 2):
            shown = said(one, f"/fees/netting?page={number}")
            assert "of 28." in shown
            assert re.search(r"All together\s*£0.00\s*£5,345.67", shown)
            assert ("Posted" in shown, "Lapsed" in shown) == (number == 1, True)
        whole = sheet(one, "/fees/netting?page=2&file=nettings.csv")
        assert (len(whole), whole[-1][4:]) == (30, ["0.00", "5345.67"])
        assert "Lapsed" in said(office, f"{of_group}?page=2")
        shown = said(two, path)
        assert "Nothing: your agency pays nobody and is paid by nobody." in shown
        assert "£5,345.67" not in shown
        assert "£7,000.00" not in shown
        assert one.get(of_group).status_code == 403
        assert "Too few to tell" in said(office, "/fees/savings")
        assert sheet(office, "/fees/savings?file=savings-over.csv")[0][1] == "Agency"
