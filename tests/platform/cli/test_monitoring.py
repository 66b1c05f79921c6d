"""``concord monitoring``: an agency's own figures beside its consortium's."""

from __future__ import annotations

import pytest

from tenants.agency import AgencyKind
from tests.factories import Factories
from tests.platform.cli.run import answer, run

pytestmark = pytest.mark.usefixtures("on_servers")


class TestCommand:
    def test_says_what_the_agency_may_see(self, factories: Factories) -> None:
        consortium_id = factories.consortium()
        devon, dorset = factories.tenant(consortium_id), factories.tenant(consortium_id)
        office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        factories.group(devon)

        own, others, whole = (answer("monitoring", "--agency", each.slug) for each in (devon, dorset, office))

        waiting = {"name": "waiting-groups"}.items()
        assert [len(x["rows"]) for said in (own, others, whole) for x in said["figures"] if waiting <= x.items()] == [
            *(1, 0, 1)
        ]
        assert [each["name"] for each in whole["figures"]][:2] == ["members", "stages"]
        assert {len(each["rows"]) for each in own["trends"]} == {12}

    def test_prints_tables(self, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        printed = run("monitoring", "--agency", devon.slug).stdout

        assert "Why links end\n  Why  Links  Consortium’s links\n" in printed
