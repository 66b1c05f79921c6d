from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from concord.web.navigation import SECTIONS
from matching.meeting import arrange_meeting
from matching.pack import PackFormat, keep_files, request_pack
from matching.ranking.facts import Sex
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import MAY
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
WITH_PAGES = [MAY[section.verb] for section in SECTIONS]


class TestPage:
    def test_says_who_waits_and_who_has_no_family(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        since = utc_now().date() - timedelta(days=1412)
        lonely = factories.group(us, waiting_since=since, children=((date(2012, 1, 1), Sex.MALE),))
        factories.group(us)
        factories.group(them)
        factories.household(us, approved_on=date(2024, 2, 3))
        visitor = visit_as(us)

        visitor.get("/home")

        page = page_of(visitor)
        assert "Two groups of yours wait for a family." in page.text
        assert "has waited longest: 1,412 days." in page.text
        assert "One of them has no family on the list:" in page.text
        assert f"/groups/{lonely}#why-few" in page.html
        assert "One household of yours waits for a match." in page.text
        assert "since 3 February 2024" in page.text

    def test_counts_nothing_of_another_agency(self, visit_as: Visit, factories: Factories) -> None:
        us, them = factories.two_tenants()
        factories.group(them)
        factories.household(them)
        visitor = visit_as(us)

        visitor.get("/home")

        assert "of yours" not in page_of(visitor).text

    def test_leads_to_the_next_meeting_and_says_whether_the_pack_is_ready(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        consortium_id = factories.consortium()
        us, office = factories.tenant(consortium_id), factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        with transaction(database, office) as session:
            held_on = utc_now().date() + timedelta(days=3)
            meeting = arrange_meeting(session, title="Spring meeting", held_on=held_on, place="Here", now=utc_now())
        ours, offices = visit_as(us), visit_as(office)

        ours.get("/home")
        assert page_of(ours).links()["Spring meeting"] == f"/meetings/{meeting.id}"
        assert "(in 3 days). No pack has been made yet" in page_of(ours).text
        with transaction(database, us) as session:
            pack = request_pack(session, meeting, now=utc_now())
        ours.get("/home")
        assert "Your agency’s pack is being made." in page_of(ours).text
        with transaction(database, us) as session:
            files = {PackFormat.PDF: b"%PDF", PackFormat.XLSX: b"PK"}
            keep_files(session, session.merge(pack), files=files, ranking_run_id=None, now=utc_now())
        ours.get("/home")
        assert "Your agency’s pack is ready to download." in page_of(ours).text
        offices.get("/home")
        assert "1 of 1 agencies’ packs are ready." in page_of(offices).text

    def test_shows_finance_no_records(self, visit_as: Visit, factories: Factories) -> None:
        officer = factories.tenant(factories.consortium(), roles=frozenset({Role.FINANCE_OFFICER}))
        factories.group(officer)
        visitor = visit_as(officer)

        visitor.get("/home")

        assert "Waiting now" not in page_of(visitor).text
        assert {"Sibling groups", "Households", "Links"}.isdisjoint(page_of(visitor).links())
        assert "Swaps" in page_of(visitor).links()

    @pytest.mark.parametrize("role", [role for role in Role if not any(role in roles for roles in WITH_PAGES)])
    def test_says_to_every_role_without_pages_what_to_do(
        self, role: Role, visit_as: Visit, factories: Factories
    ) -> None:
        visitor = visit_as(factories.tenant(factories.consortium(), roles=frozenset({role})))

        visitor.get("/home")

        text = page_of(visitor).text
        assert f"Concord has no page yet for your work as {role.label.lower()}." in text
        assert "What you can do" in text
        assert "Your agency’s administrator gives these roles" in text

    def test_says_which_version_is_there_while_the_next_is_made(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        consortium_id = factories.consortium()
        us, office = factories.tenant(consortium_id), factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
        with transaction(database, office) as session:
            held_on = utc_now().date() + timedelta(days=3)
            meeting = arrange_meeting(session, title="Spring meeting", held_on=held_on, place="Here", now=utc_now())
        with transaction(database, us) as session:
            pack = request_pack(session, meeting, now=utc_now())
            files = {PackFormat.PDF: b"%PDF", PackFormat.XLSX: b"PK"}
            keep_files(session, pack, files=files, ranking_run_id=None, now=utc_now())
            request_pack(session, meeting, now=utc_now())
        ours, offices = visit_as(us), visit_as(office)

        ours.get("/home")
        offices.get("/home")

        words = "Version 2 is being made: 0 of 1 agencies’ packs are ready. Until then the others have version 1."
        assert "Version 2 of your agency’s pack is being made; version 1 is there to download." in page_of(ours).text
        assert words in page_of(offices).text
        offices.get(f"/meetings/{meeting.id}")
        assert words in page_of(offices).text
