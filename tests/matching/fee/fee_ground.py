"""A consortium with its tariffs, agencies of each kind that pay and are paid, and matches between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from matching.fee.agreement import FeeAgreement
from matching.fee.drafting import begin, draft_agreement
from matching.fee.published import adopt_published
from matching.household import get_household
from matching.placement.placement import Placement, PlacementChild, get_placement, make_placement
from matching.ranking.facts import Sex
from matching.sibling_group import get_group
from matching.transition import start_link
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction

TODAY = utc_now().date()
MOVED_IN = TODAY - timedelta(days=20)


@dataclass(frozen=True, slots=True)
class FeeGround:
    """The tenants of a consortium that keeps the published tariffs."""

    database: Database
    factories: Factories
    office: Tenant
    devon: Tenant
    dorset: Tenant
    charity: Tenant
    region: Tenant

    def match(self, children: Tenant, family: Tenant, *, months: tuple[int | None, ...] = (50,)) -> UUID:
        """Match children of such ages with a family, draft the agreement and return its id."""
        group_id = self.factories.group(children, children=tuple((date(2024, 5, 1), Sex.FEMALE) for _ in months))
        household_id = self.factories.household(family)
        now = utc_now()
        with transaction(self.database, children) as session:
            group, household = get_group(session, group_id), get_household(session, household_id)
            link = start_link(session, group=group, household=household, reason="They may fit.", now=now)
            placement = make_placement(session, link, matched_on=TODAY - timedelta(days=60), now=now)
            _set_ages(session, placement, months)
            agreement = draft_agreement(session, placement, now=now)
            assert agreement is not None
            return agreement.id

    def place(self, children: Tenant, agreement_id: UUID, *, on: date = MOVED_IN) -> None:
        """Let the children of an agreement move in."""
        with transaction(self.database, children) as session:
            agreement = session.get_one(FeeAgreement, agreement_id)
            assert agreement.link_id is not None
            placement = get_placement(session, agreement.link_id)
            placement.moved_in_on = placement.adoptive_start_on = on
            session.flush()
            begin(session, agreement, placement, now=utc_now())


def make_fee_ground(factories: Factories, database: Database) -> FeeGround:
    """Make the consortium and let its office adopt what is published."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    devon, dorset = factories.tenant(consortium_id), factories.tenant(consortium_id)
    charity = factories.tenant(consortium_id, kind=AgencyKind.VOLUNTARY_AGENCY)
    region = factories.tenant(consortium_id, kind=AgencyKind.REGIONAL_AGENCY)
    with transaction(database, office) as session:
        adopt_published(session, now=utc_now())
    return FeeGround(database, factories, office, devon, dorset, charity, region)


def _set_ages(session: Session, placement: Placement, months: tuple[int | None, ...]) -> None:
    for position, age in enumerate(months):
        session.execute(
            update(PlacementChild)
            .where(PlacementChild.link_id == placement.link_id, PlacementChild.position == position)
            .values(months_matched=age, months_moved_in=age, months_adoptive=age)
        )
    session.expire_all()
