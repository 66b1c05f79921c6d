from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from matching.placement.placement import get_placement
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, make_matched, make_placed
from tests.matching.report_factory import make_par
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


def boxes(name: str, day: date) -> dict[str, Any]:
    """Return what a browser sends for a day."""
    return {name: [str(day.day), str(day.month), str(day.year)]}


def version_on(visitor: Visitor) -> str:
    """Return the version that the form of the page last seen says."""
    return next(str(box.get("value")) for box in page_of(visitor).all("input") if box.get("name") == "version")


class TestShow:
    def test_leads_from_the_link_through_plan_meetings_and_notes(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing = make_matched(factories, database)
        visitor, path = visit_as(pairing.children), f"/links/{pairing.link_id}/placement"
        visitor.get(f"/links/{pairing.link_id}")
        visitor.get(page_of(visitor).links()["The placement: plan, introductions, reviews"])

        visitor.get(page_of(visitor).links()["Change the plan"])
        tomorrow = TODAY + timedelta(days=1)
        facts = {"version": "1", **boxes("plan_meeting_on", TODAY), **boxes("plan_agreed_on", tomorrow)}
        refused = visitor.post(f"{path}/plan", facts)
        assert (refused.status_code, "was agreed: today or before" in page_of(visitor).text) == (422, True)
        assert visitor.post(f"{path}/plan", {**facts, **boxes("plan_agreed_on", TODAY)}).status_code == 303
        visitor.get(f"{path}/introductions/new")
        said = {**boxes("day", tomorrow), "starts_at": "9.30", "ends_at": "25:00", "words": "At the park"}
        assert visitor.post(f"{path}/introductions/new", said).status_code == 422
        assert "Enter a time" in page_of(visitor).text
        assert visitor.post(f"{path}/introductions/new", {**said, "ends_at": "11"}).status_code == 303
        visitor.get(f"{path}/notes")
        assert visitor.post(f"{path}/notes", {"words": "Rowan is shy."}).status_code == 303
        visitor.get(path)
        assert "Rowan is shy." in page_of(visitor).text
        visitor.get(f"{path}/introductions")
        assert page_of(visitor).text.count("09:30 to 11:00") >= 2

        theirs = visit_as(pairing.family)
        theirs.get(path)
        assert "Rowan is shy." not in page_of(theirs).text
        assert theirs.get(f"{path}/introductions").status_code == 200
        assert "At the park" in page_of(theirs).text

    def test_records_reviews_and_the_order(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        pairing = make_placed(factories, database)
        visitor, path = visit_as(pairing.children), f"/links/{pairing.link_id}/placement"
        theirs = visit_as(pairing.family)

        theirs.get("/home")
        assert "Review 1 of the placement" not in page_of(theirs).text
        visitor.get("/home")
        assert "Review 1 of the placement" in page_of(visitor).text
        visitor.get(path)
        assert "Missed" in page_of(visitor).text
        visitor.get(page_of(visitor).links()["Record review 1"])
        assert visitor.post(f"{path}/reviews/1", {"held": "no"}).status_code == 422
        assert visitor.post(f"{path}/reviews/1", {"held": "no", "why": "Snow"}).status_code == 303
        assert visitor.get(f"{path}/reviews/7").status_code == 404
        visitor.get(f"{path}/order")
        version = version_on(visitor)
        facts = {"version": version, "court": "high_court", "reason": "The court wrote"}
        assert visitor.post(f"{path}/order", {**facts, **boxes("day", date(2020, 1, 1))}).status_code == 422
        assert "cannot be before that" in page_of(visitor).text
        assert visitor.post(f"{path}/order", {**facts, **boxes("day", TODAY)}).status_code == 303
        with transaction(database, pairing.family) as session:
            assert get_placement(session, pairing.link_id).ordered_on == TODAY

    def test_records_a_disruption_and_its_review(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing = make_placed(factories, database)
        visitor, path = visit_as(pairing.children), f"/links/{pairing.link_id}/placement"
        assert visitor.get(f"{path}/disruption/review").status_code == 404

        visitor.get(f"{path}/disruption")
        facts = {"version": version_on(visitor), "ended_by": "family", "reason": "Too much"}
        day = TODAY - timedelta(days=60)
        assert visitor.post(f"{path}/disruption", {**facts, **boxes("day", day)}).status_code == 303
        visitor.get(path)
        assert "It is overdue" in page_of(visitor).text
        visitor.get(f"{path}/disruption/review")
        held = {"version": version_on(visitor), "what": "held", **boxes("day", TODAY)}
        assert visitor.post(f"{path}/disruption/review", held).status_code == 422
        assert visitor.post(f"{path}/disruption/review", {**held, "why": "Illness"}).status_code == 303
        visitor.get(path)
        assert "Illness" in page_of(visitor).text


class TestAdopters:
    def test_are_given_by_one_side_and_opened_by_the_other(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing = make_matched(factories, database)
        make_par(database, pairing.family, pairing.household_id)
        ours, theirs = visit_as(pairing.children), visit_as(pairing.family)
        path = f"/links/{pairing.link_id}/placement"

        assert ours.get(f"{path}/adopters").status_code == 404
        theirs.get(path)
        assert theirs.post(f"{path}/adopters").status_code == 303
        assert theirs.get(f"{path}/adopters").status_code == 403
        ours.get(path)
        ours.get(page_of(ours).links()["Open the adopters’ record"])
        assert "Alder Example" in page_of(ours).text
        report = ours.get(f"{path}/adopters/report.pdf")
        assert (report.status_code, report.data[:5]) == (200, b"%PDF-")
