from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tenants.base import utc_now
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
MANAGERS = frozenset({Role.MANAGER})


class TestDelegations:
    def test_are_signed_by_both_shown_to_both_and_ended_by_either(self, visit_as: Visit, factories: Factories) -> None:
        consortium_id = factories.consortium()
        devon, dorset, third = (factories.tenant(consortium_id, roles=MANAGERS) for _ in range(3))
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))
        ours, theirs, neighbours = visit_as(dorset), visit_as(devon), visit_as(third)

        waiting = visit_as(finder)
        waiting.get("/home")
        assert "Change agency" not in page_of(waiting).text
        assert propose(ours, devon, by_own_service="y") == 303
        theirs.get("/agency/delegations")
        assert f"{devon.name} for {dorset.name}" in page_of(theirs).text
        assert theirs.post(action(theirs, "sign")).status_code == 303

        ours.get("/agency/delegations")
        assert "In force." in page_of(ours).text
        assert f"They may come in by the sign-in service of {devon.name}." in page_of(ours).text
        waiting.get("/home")
        assert "Change agency" in page_of(waiting).text
        assert f"Who may act: Kit Sample {finder.subject}" in page_of(ours).text
        acting = visit_as(finder)
        acting.get("/acting")
        assert f"{dorset.name}, in Test consortium, as family finder, by delegation" in page_of(acting).text
        assert f"{devon.name}, in Test consortium, as family finder, by" not in page_of(acting).text
        acting.post("/acting", {"choice": f"{dorset.id}:{consortium_id}"})
        acting.get("/home")
        assert f"Acting for {dorset.name} as family finder, by delegation" in page_of(acting).text
        acting.get("/households")
        assert "by delegation" in page_of(acting).text
        neighbours.get("/agency/delegations")
        assert "Nobody acts for your agency" in page_of(neighbours).text
        assert neighbours.post(action(ours, "end")).status_code == 404
        assert ours.post(action(ours, "end")).status_code == 303
        assert acting.get("/households").status_code == 303
        theirs.get("/agency/delegations")
        assert "Ended." in page_of(theirs).text

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"agency": ""}, "Select an agency"),
            ({"agency": "00000000-0000-0000-0000-000000000001"}, "Not a valid choice"),
            ({"roles": []}, "Select one role or more"),
            ({"roles": ["operator"]}, "Not a valid choice"),
            ({"starts_on": ["1", "1", "2020"]}, "begins today or later"),
        ],
    )
    def test_asks_again(self, typed: dict[str, object], words: str, visit_as: Visit, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        visitor = visit_as(dorset)

        assert propose(visitor, devon, **typed) == 422

        assert words in re.sub(r"is not a valid choice for this field", "Not a valid choice", page_of(visitor).text)


def propose(visitor: Visitor, other: Tenant, **typed: object) -> int:
    day = utc_now().date()
    said = {"agency": str(other.id), "roles": ["family_finder"], "starts_on": [day.day, day.month, day.year], **typed}
    visitor.get("/agency/delegations")
    return visitor.post("/agency/delegations", said).status_code


def action(visitor: Visitor, verb: str) -> str:
    found = re.search(r'action="(/agency/delegations/[0-9a-f-]+)/', page_of(visitor).html)
    assert found
    return f"{found[1]}/{verb}"
