"""A record's page marks, for its own agency alone, what of its profile may give away who it is about."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from matching.household import get_household
from matching.pool import Stage, sharing_of
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.site import Visitor

VisitAs = Callable[[Tenant], Visitor]
NOTE = "Check this profile: it may give away who this is."


class TestShow:
    def test_marks_the_passages_for_its_own_agency_alone(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, dorset = factories.two_tenants()
        records = (
            ("households", factories.household(devon, profile="Alder <keeps> bees & has a twin."), "Alder"),
            ("groups", factories.group(devon, profile="Everyone <loves> Rowan & has a twin."), "Rowan"),
        )
        for kind, record_id, name in records:
            ours, theirs = visit_as(devon), visit_as(dorset)
            own = ours.get(f"/{kind}/{record_id}").get_data(as_text=True)
            other = theirs.get(f"/{kind}/{record_id}").get_data(as_text=True)

            assert f'<mark class="concord-mark">{name}</mark>' in own
            assert '<mark class="concord-mark concord-mark--look">twin</mark>' in own
            assert ours.page
            assert NOTE in ours.page.text
            assert (
                f"“{name}” is a name of somebody this record is about. Write instead: what they are" in ours.page.text
            )
            assert "If so, write instead: that they are to be placed together." in ours.page.text
            assert "<mark" not in other
            assert theirs.page
            assert "give away" not in theirs.page.text
            assert name in theirs.page.text

    def test_asks_to_look_where_nothing_is_sure(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, _ = factories.two_tenants()
        visitor = visit_as(devon)

        visitor.get(f"/households/{factories.household(devon, profile='A family with a twin.')}")

        assert visitor.page
        assert NOTE not in visitor.page.text
        assert "Look at this profile: something in it may tell too much." in visitor.page.text

    def test_says_nothing_of_a_clean_profile(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, _ = factories.two_tenants()
        visitor = visit_as(devon)

        visitor.get(f"/groups/{factories.group(devon)}")

        assert visitor.page
        assert "A lively child who likes puddles." in visitor.page.text
        assert "this profile" not in visitor.page.text


class TestShare:
    def test_asks_whether_somebody_has_looked(
        self, database: Database, factories: Factories, visit_as: VisitAs
    ) -> None:
        devon, _ = factories.two_tenants()
        household_id = factories.household(devon, profile="Alder keeps bees.", stage=Stage.IN_HOUSE)
        visitor, address = visit_as(devon), f"/households/{household_id}/sharing"
        visitor.get(address)
        assert visitor.page
        assert "The profile may give away who this is: 1 passage should go." in visitor.page.text

        refused = visitor.post(address, {"wish": "consortium", "reason": "They are ready"})

        assert refused.status_code == 422
        assert "Look at them on the record’s page" in visitor.page.text
        assert self._stage(database, devon, household_id) is Stage.IN_HOUSE
        taken = visitor.post(address, {"wish": "consortium", "reason": "They are ready", "looked": "y"})
        assert taken.status_code == 303
        assert self._stage(database, devon, household_id) is Stage.CONSORTIUM

    def test_asks_nothing_where_it_is_kept_back_or_clean(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, _ = factories.two_tenants()
        telling = factories.household(devon, profile="Alder keeps bees.", stage=Stage.IN_HOUSE)
        clean = factories.group(devon, stage=Stage.IN_HOUSE)
        visitor = visit_as(devon)
        for kind, record_id, wish in (("households", telling, "hold"), ("groups", clean, "consortium")):
            address = f"/{kind}/{record_id}/sharing"
            visitor.get(address)
            assert visitor.post(address, {"wish": wish, "reason": "Said so"}).status_code == 303

    def test_tells_another_agency_nothing(self, factories: Factories, visit_as: VisitAs) -> None:
        devon, dorset = factories.two_tenants()
        visitor = visit_as(dorset)

        visitor.get(f"/households/{factories.household(devon, profile='Alder keeps bees.')}/sharing")

        assert visitor.page
        assert "give away" not in visitor.page.text

    @staticmethod
    def _stage(database: Database, tenant: Tenant, household_id: UUID) -> Stage:
        with database.transaction(tenant.scope) as session:
            household = get_household(session, household_id)
            return sharing_of(session, [household.id])[household.id].stage
