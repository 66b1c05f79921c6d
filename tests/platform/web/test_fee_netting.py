"""Pages of netting: proposed by one side, confirmed by the other, posted in both books; nothing for anybody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from concord.servers.login import DatabaseUrls
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.matching.fee.invoice.invoice_ground import make_invoice_ground
from tests.platform.web.test_fee_statements import said, sheet
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestNetting:
    def test_takes_two_agencies_from_what_both_owe_to_what_is_left(
        self, database: Database, migrated: DatabaseUrls, factories: Factories, visit_as: Visit
    ) -> None:
        ground = make_invoice_ground(database, migrated, factories)
        turned = replace(ground, payer=ground.payee, payee=ground.payer)
        turned.keep()
        ground.issue(9_000_00)
        turned.issue(2_500_00)
        one, two, stranger = (visit_as(each) for each in (ground.payee, ground.payer, ground.stranger))

        shown = said(one, "/fees/netting")
        rows = sheet(one, "/fees/netting.csv")

        assert rows[1][1:] == ["9000.00", "2500.00", "2500.00", "6500.00"]
        assert "£6,500.00 to us" in shown
        assert "£6,500.00 by us" in said(two, "/fees/netting")
        assert "There is no agency" in said(stranger, "/fees/netting?until=1&until=1&until=2020")
        with_payer = f"/fees/netting/with/{ground.payer.id}"
        assert one.post(with_payer, {"until_on": "never"}).status_code == 422
        path = one.post(with_payer, {"until_on": utc_now().date().isoformat()}).headers["Location"]
        assert one.post(with_payer, {"until_on": utc_now().date().isoformat()}).status_code == 422
        assert "One netting to confirm" in said(two, "/fees")
        assert one.post(f"{path}/confirm", {}).status_code == 409
        assert stranger.get(path).status_code == stranger.get(f"{path}/decline").status_code == 404
        said(one, path)
        said(two, f"{path}/decline")
        assert two.post(f"{path}/decline", {"reason": ""}).status_code == 422
        said(two, path)
        assert two.post(f"{path}/confirm", {}).status_code == 303
        assert "posted in both books" in said(one, path)
        assert sorted(row[2] for row in sheet(two, f"{path}/invoices.csv")[1:]) == ["2500.00", "2500.00"]
        assert "There is no agency" in said(one, "/fees/netting")

        worker = visit_as(factories.colleague(ground.payee, roles=frozenset({Role.FAMILY_FINDER})))
        assert worker.get("/fees/netting").status_code == 403
