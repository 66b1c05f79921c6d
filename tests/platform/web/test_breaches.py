from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from tenants.base import utc_now
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


def good() -> dict[str, object]:
    day = utc_now().date() - timedelta(days=1)
    on = [str(day.day), str(day.month), str(day.year)]
    return {"what": "A pack was left on a train", "found_on": on, "found_at": "09:30"}


class TestBreaches:
    def test_are_begun_added_to_handed_over_and_closed(self, visit_as: Visit, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        visitor = visit_as(ours)
        visitor.get("/breaches")
        assert "No breach has been recorded." in page_of(visitor).text
        visitor.get("/breaches/new")

        begun = visitor.post("/breaches/new", good())

        assert begun.status_code == 303
        visitor.get(begun.location)
        assert "left to tell the Information Commissioner" in page_of(visitor).text
        assert visitor.post(begun.location, {"kind": "closed", "text": "Over"}).status_code == 422
        assert "Say first whether the Information Commissioner was told" in page_of(visitor).text
        for kind in ("ico_told", "closed"):
            assert visitor.post(begun.location, {"kind": kind, "text": "By telephone"}).status_code == 303
        visitor.get("/breaches")
        assert "Closed" in page_of(visitor).text
        record = visitor.get(f"{begun.location}/record.json").json
        assert record
        assert [each["kind"] for each in record["entries"]] == ["what_happened", "ico_told", "closed"]
        them = visit_as(theirs)
        for path in ("", "/record.json"):
            real, none = them.get(f"{begun.location}{path}"), them.get(f"/breaches/{uuid4()}{path}")
            assert (real.status_code, none.status_code) == (404, 404)
            assert same_but_for_the_reference(real, none)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"what": ""}, "Enter what happened"),
            ({"found_at": "half past"}, "Enter a time"),
            ({"found_at": ""}, "Enter a time"),
            ({"found_on": ["1", "1", "2999"]}, "not in the future"),
        ],
    )
    def test_refuse_what_cannot_be(
        self, wrong: dict[str, object], words: str, visit_as: Visit, factories: Factories
    ) -> None:
        visitor = visit_as(factories.two_tenants()[0])
        visitor.get("/breaches/new")

        assert visitor.post("/breaches/new", {**good(), **wrong}).status_code == 422
        assert words in page_of(visitor).text

    def test_are_closed_to_other_roles(self, visit_as: Visit, factories: Factories) -> None:
        finder = factories.tenant(factories.consortium(), roles=frozenset({Role.FAMILY_FINDER}))

        assert visit_as(finder).get("/breaches").status_code == 403
