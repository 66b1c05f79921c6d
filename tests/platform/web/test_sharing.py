"""The pages that say who can see a record, and those that share it, shut people out and break glass."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from matching.bar import list_bars
from matching.glass import list_glass
from matching.household import get_household
from matching.pool import Stage, share, sharing_of
from matching.sibling_group import get_group
from matching.timing import agency_timing
from tenants.database import Database
from tenants.role import Role
from tests.factories import TODAY, Factories, Tenant
from tests.site import Visitor

VisitAs = Callable[[Tenant], Visitor]
LEADS = frozenset({Role.MANAGER, Role.INFORMATION_GOVERNANCE})


class TestShow:
    def test_says_to_its_own_agency_who_sees_it(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, _ = factories.two_tenants()
        for kind, record_id in (("households", factories.household(devon)), ("groups", factories.group(devon))):
            visitor = visit_as(devon)
            assert visitor.get(f"/{kind}/{record_id}/sharing").status_code == 200
            assert visitor.page
            assert "Shared with the consortium" in visitor.page.text
            assert "How far is it to be shared?" in visitor.page.text
            assert "The agencies of Test consortium" in visitor.page.text

    def test_says_to_a_reader_why_they_see_it_and_no_more(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, dorset = factories.two_tenants()
        visitor = visit_as(dorset)

        visitor.get(f"/households/{factories.household(devon)}/sharing")

        assert visitor.page
        assert f"because {devon.name} shares it with Test consortium" in visitor.page.text
        assert "How it came to that" not in visitor.page.text
        assert "Share it otherwise" not in visitor.page.text

    def test_is_not_there_for_who_does_not_see_the_record(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, dorset = factories.two_tenants()
        visitor, held = visit_as(dorset), factories.household(devon, held=True)
        for path in ("sharing", "known", "bars"):
            pages = [visitor.get(f"/households/{each}/{path}") for each in (held, uuid4())]
            assert [page.status_code for page in pages] == [404, 404]


class TestShare:
    def test_shares_with_a_reason(self, database: Database, factories: Factories, visit_as: VisitAs) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, stage=Stage.IN_HOUSE)
        visitor = visit_as(devon)
        visitor.get(f"/households/{household_id}/sharing")

        response = visitor.post(f"/households/{household_id}/sharing", {"wish": "hold", "reason": "A new baby"})

        assert response.status_code == 303
        visitor.get(response.location)
        assert visitor.page
        assert "Held back" in visitor.page.text
        assert "A new baby" in visitor.page.text
        with database.transaction(devon.scope) as session:
            assert sharing_of(session, [household_id])[household_id].held

    @pytest.mark.parametrize("form", [{}, {"wish": "hold"}, {"wish": "everywhere", "reason": "x"}, {"reason": "x"}])
    def test_asks_for_what_is_missing(self, factories: Factories, visit_as: VisitAs, form: dict[str, str]) -> None:
        devon, _ = factories.two_tenants()
        household_id, visitor = factories.household(devon), visit_as(devon)
        visitor.get(f"/households/{household_id}/sharing")

        assert visitor.post(f"/households/{household_id}/sharing", form).status_code == 422
        assert visitor.page
        assert "There is a problem" in visitor.page.text

    def test_is_the_own_agencys(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, dorset = factories.two_tenants()
        household_id, visitor = factories.household(devon), visit_as(dorset)
        visitor.get(f"/households/{household_id}/sharing")

        assert (
            visitor.post(f"/households/{household_id}/sharing", {"wish": "national", "reason": "x"}).status_code == 404
        )


class TestTiming:
    def test_takes_days_up_to_the_consortiums(
        self, database: Database, factories: Factories, visit_as: VisitAs
    ) -> None:
        devon, _ = factories.two_tenants()
        visitor = visit_as(devon)
        assert visitor.get("/timing").status_code == 200

        assert visitor.post("/timing", {"household_in_house_days": "91"}).status_code == 422
        assert visitor.post("/timing", {"household_in_house_days": "soon"}).status_code == 422
        assert visitor.post("/timing", {"household_in_house_days": "30"}).status_code == 303

        with database.transaction(devon.scope) as session:
            assert agency_timing(session).household_in_house_days == 30
        visitor.get("/timing")
        assert visitor.page
        assert 'value="30"' in visitor.page.html


class TestBars:
    def test_shut_a_colleague_out_and_lift_it(
        self, database: Database, factories: Factories, visit_as: VisitAs
    ) -> None:
        devon, _ = factories.two_tenants()
        kim = factories.colleague(devon, roles=devon.scope.roles)
        household_id, visitor = factories.household(devon), visit_as(devon)
        visitor.get(f"/households/{household_id}/bars")
        form = {"person": str(kim.scope.person_id), "reason": "A cousin"}

        assert visitor.post(f"/households/{household_id}/bars", form).status_code == 303

        assert visit_as(kim).get(f"/households/{household_id}").status_code == 404
        bar_id = _bar_of(database, devon, household_id)
        visitor.get("/bars")
        assert visitor.page
        assert "A cousin" in visitor.page.text
        visitor.get(f"/bars/{bar_id}/lift")
        assert visitor.post(f"/bars/{bar_id}/lift", {"reason": ""}).status_code == 422
        assert visitor.post(f"/bars/{bar_id}/lift", {"reason": "Another Kim"}).status_code == 303
        assert visit_as(kim).get(f"/households/{household_id}").status_code == 200

    def test_say_the_same_of_every_address(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, dorset = factories.two_tenants()
        visitor, answers = visit_as(devon), []
        for email in (f"{dorset.slug}@example.org", "nobody@example.org"):
            household_id = factories.household(devon)
            visitor.get(f"/households/{household_id}/bars")
            response = visitor.post(
                f"/households/{household_id}/bars", {"person": "", "email": email, "reason": "Neighbours"}
            )
            visitor.get(response.location)
            assert visitor.page
            answers.append((response.status_code, visitor.page.text.count(email)))
        assert answers[0] == answers[1] == (303, 2)

    @pytest.mark.parametrize(
        "form",
        [
            {"person": "", "reason": "x"},
            {"person": "", "email": "no address", "reason": "x"},
            {"person": "", "email": "a@b.org"},
            {"person": "x", "reason": "x"},
            {},
        ],
    )
    def test_ask_for_one_person_and_why(self, factories: Factories, visit_as: VisitAs, form: dict[str, str]) -> None:
        devon, _ = factories.two_tenants()
        household_id, visitor = factories.household(devon), visit_as(devon)
        visitor.get(f"/households/{household_id}/bars")

        assert visitor.post(f"/households/{household_id}/bars", form).status_code == 422

    def test_of_another_agencys_records_are_not_there(
        self, database: Database, factories: Factories, visit_as: VisitAs
    ) -> None:
        devon, dorset = factories.two_tenants()
        household_id, visitor = factories.household(devon), visit_as(devon)
        visitor.get(f"/households/{household_id}/bars")
        visitor.post(f"/households/{household_id}/bars", {"person": "", "email": "a@b.org", "reason": "x"})
        bar_id = _bar_of(database, devon, household_id)

        other = visit_as(dorset)
        assert other.get(f"/households/{household_id}/bars").status_code == 404
        assert other.get(f"/bars/{bar_id}/lift").status_code == 404
        other.get("/bars")
        assert other.page
        assert "Nobody is shut out" in other.page.text


class TestKnown:
    def test_shuts_the_reader_out_at_once(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, dorset = factories.two_tenants()
        household_id, visitor = factories.household(devon), visit_as(dorset)
        visitor.get(f"/households/{household_id}/known")
        assert visitor.post(f"/households/{household_id}/known", {"reason": ""}).status_code == 422

        response = visitor.post(f"/households/{household_id}/known", {"reason": "My neighbours"}, follow_redirects=True)

        assert response.request.path == "/shut-out"
        assert visitor.get(f"/households/{household_id}").status_code == 404


class TestGlass:
    def test_opens_who_they_are_and_tells(self, database: Database, factories: Factories, visit_as: VisitAs) -> None:
        devon, _ = factories.two_tenants()
        adviser = factories.colleague(devon, roles=frozenset({Role.LEGAL_ADVISER}))
        household_id, visitor = factories.household(devon), visit_as(adviser)
        code = _code(database, devon, household_id)
        assert visitor.get(f"/households/{household_id}/glass").status_code == 403
        visitor.get("/glass")
        assert visitor.post("/glass", {"code": code, "reason": ""}).status_code == 422

        visitor.post("/glass", {"code": code, "reason": "The police ask"}, follow_redirects=True)

        assert visitor.page
        assert "Alder Example" in visitor.page.text
        assert "It stays open to you until" in visitor.page.text
        lead = visit_as(factories.colleague(devon, roles=LEADS))
        lead.get("/home")
        assert lead.page
        assert "The police ask" in lead.page.text
        with database.transaction(devon.scope) as session:
            [broken] = list_glass(session)
        lead.get(f"/glass/{broken.id}")
        assert lead.post(f"/glass/{broken.id}", {"justified": "no"}).status_code == 422
        assert lead.post(f"/glass/{broken.id}", {"justified": "yes", "reason": "They do"}).status_code == 303
        lead.get("/home")
        assert "The police ask" not in lead.page.text
        lead.get("/glass/all")
        assert "They do" in lead.page.text

    def test_opens_children_too(self, database: Database, factories: Factories, visit_as: VisitAs) -> None:
        devon, _ = factories.two_tenants()
        adviser = factories.colleague(devon, roles=frozenset({Role.MEDICAL_ADVISER}))
        group_id, visitor = factories.group(devon), visit_as(adviser)
        with database.transaction(devon.scope) as session:
            code = get_group(session, group_id).code
        visitor.get("/glass")
        visitor.post("/glass", {"code": code, "reason": "A hospital asks"}, follow_redirects=True)

        assert visitor.page
        assert "Rowan" in visitor.page.text

    def test_finds_no_other_agencys_record(self, database: Database, factories: Factories, visit_as: VisitAs) -> None:
        devon, dorset = factories.two_tenants()
        household_id = factories.household(devon)
        visitor = visit_as(factories.colleague(dorset, roles=frozenset({Role.LEGAL_ADVISER})))
        visitor.get("/glass")

        response = visitor.post("/glass", {"code": _code(database, devon, household_id), "reason": "The police ask"})

        assert response.status_code == 422
        assert visitor.get(f"/households/{household_id}/glass").status_code == 403
        assert visitor.get(f"/households/{uuid4()}/glass").status_code == 404


class TestNationalRecord:
    def test_opens_from_another_consortium(self, database: Database, factories: Factories, visit_as: VisitAs) -> None:
        devon, _ = factories.two_tenants()
        far, _ = factories.two_tenants()
        household_id, visitor = factories.household(devon), visit_as(far)
        try:
            _share(database, devon, household_id, Stage.NATIONAL)
            assert visitor.get(f"/households/{household_id}").status_code == 200
            assert visitor.page
            assert devon.name in visitor.page.text
            assert visitor.get(f"/households/{household_id}/identity").status_code == 404
        finally:
            _share(database, devon, household_id, Stage.IN_HOUSE)
        assert visitor.get(f"/households/{household_id}").status_code == 404


def _share(database: Database, tenant: Tenant, household_id: UUID, stage: Stage) -> None:
    with database.transaction(tenant.scope) as session:
        share(session, stage=stage, on=TODAY, household_id=household_id)


def _bar_of(database: Database, tenant: Tenant, household_id: UUID) -> UUID:
    with database.transaction(tenant.scope) as session:
        return list_bars(session, get_household(session, household_id))[0].id


def _code(database: Database, tenant: Tenant, household_id: UUID) -> str:
    with database.transaction(tenant.scope) as session:
        return get_household(session, household_id).code
