"""``concord fees netting``: an agency's own part of what is netted, as the pages have it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from concord.servers.login import DatabaseUrls
from tenants.audit import Act, AuditEntry
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories
from tests.matching.fee.netting_ground import make_netting_ground
from tests.platform.cli.run import answer, run


@pytest.mark.usefixtures("on_servers")
class TestNetting:
    def test_tells_each_agency_its_own_part(
        self, database: Database, migrated: DatabaseUrls, factories: Factories
    ) -> None:
        ground = make_netting_ground(database, migrated, factories, members=3)
        one, two, three = ground.members
        for payer, payee, pence in ((0, 1, 900), (1, 2, 900), (2, 0, 400)):
            ground.issue(payer, payee, pence)
        netting = ("fees", "netting")

        offered = answer(*netting, "offers", "--agency", one.slug)
        netting_id = ground.propose(one, now=utc_now())
        (told,) = answer(*netting, "list", "--agency", two.slug)

        assert [(each["to_us_pence"], each["by_us_pence"]) for each in offered] == [(400, 900)]
        assert (told["id"], told["state"], told["legs"]) == (str(netting_id), "waits", [])
        assert sorted(each["pence"] for each in told["invoices"]) == [900, 900]
        words = run(*netting, "list", "--agency", three.slug).stdout
        assert f"{one.slug} pays {three.slug} £5.00 as NT-" in words
        assert f"{one.slug}: confirmed" in words
        for tenant, times in ((one, 1), (two, 1), (three, 1)):
            with database.transaction(tenant.scope) as session:
                looked = (AuditEntry.act == Act.READ, AuditEntry.record_kind == "netting")
                assert len(session.scalars(select(AuditEntry).where(*looked)).all()) == times
        assert run(*netting, "offers", "--agency", ground.stranger.slug).stdout == ""
