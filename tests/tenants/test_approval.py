"""Approval: nobody approves both sides of one thing, nor what they asked for themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tenants.agency import get_agency
from tenants.approval import BothSides, NobodyNamed, SamePerson, require_another, require_one_side
from tenants.database import Database
from tenants.person import Appointment, appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import TODAY, Factories, Tenant


class TestRequireOneSide:
    def test_returns_who_speaks_for_their_own_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            assert require_one_side(session, agencies={devon.id, dorset.id}, on=TODAY) == devon.scope.person_id

    def test_refuses_who_holds_roles_on_both_sides_whichever_they_act_for(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        add_role(database, person_of(devon), dorset)

        for acts_for in (devon, dorset):
            scope = replace(devon.scope, agency_id=acts_for.id)
            with pytest.raises(BothSides, match="both agencies"), database.transaction(scope) as session:
                require_one_side(session, agencies={devon.id, dorset.id}, on=TODAY)

    def test_lets_a_role_elsewhere_be(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        third = factories.tenant(factories.consortium())
        add_role(database, person_of(devon), third)

        with database.transaction(devon.scope) as session:
            assert require_one_side(session, agencies={devon.id, dorset.id}, on=TODAY) == person_of(devon)
            assert require_one_side(session, agencies=(), on=TODAY) == person_of(devon)

    @pytest.mark.parametrize(("ends_in", "refused"), [(-1, False), (0, False), (1, True)])
    def test_reckons_with_the_roles_of_the_day(
        self, ends_in: int, refused: bool, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        add_role(database, person_of(devon), dorset, ends_in=ends_in)

        with database.transaction(devon.scope) as session:
            if refused:
                with pytest.raises(BothSides):
                    require_one_side(session, agencies={devon.id, dorset.id}, on=TODAY)
            else:
                assert require_one_side(session, agencies={devon.id, dorset.id}, on=TODAY) == person_of(devon)

    def test_wants_a_person(self, database: Database, factories: Factories) -> None:
        devon = factories.tenant(factories.consortium())

        with (
            pytest.raises(NobodyNamed, match="word of a person"),
            database.transaction(replace(devon.scope, person_id=None)) as session,
        ):
            require_one_side(session, agencies={devon.id}, on=TODAY)


class TestRequireAnother:
    def test_returns_the_second_person(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            assert require_another(session, first_person_id=uuid4(), on=TODAY) == person_of(devon)
            assert require_another(
                session, first_person_id=person_of(dorset), agencies={devon.id, dorset.id}, on=TODAY
            ) == person_of(devon)

    def test_refuses_the_first_again(self, database: Database, factories: Factories) -> None:
        devon = factories.tenant(factories.consortium())

        with pytest.raises(SamePerson, match="second person"), database.transaction(devon.scope) as session:
            require_another(session, first_person_id=person_of(devon), on=TODAY)

    def test_refuses_the_first_for_another_agency_too(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        add_role(database, person_of(devon), dorset)

        with pytest.raises(SamePerson), database.transaction(replace(devon.scope, agency_id=dorset.id)) as session:
            require_another(session, first_person_id=person_of(devon), on=TODAY)

    def test_refuses_a_second_who_works_for_both(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        add_role(database, person_of(dorset), devon)

        with pytest.raises(BothSides, match="You hold"), database.transaction(dorset.scope) as session:
            require_another(session, first_person_id=person_of(devon), agencies={devon.id, dorset.id}, on=TODAY)

    def test_refuses_after_a_first_who_works_for_both(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        add_role(database, person_of(devon), dorset)

        with pytest.raises(BothSides, match="other agency"), database.transaction(dorset.scope) as session:
            require_another(session, first_person_id=person_of(devon), agencies={devon.id, dorset.id}, on=TODAY)

    def test_takes_colleagues_of_one_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        add_role(database, person_of(dorset), devon)

        with database.transaction(devon.scope) as session:
            second = require_another(session, first_person_id=person_of(dorset), agencies={devon.id}, on=TODAY)

        assert second == person_of(devon)

    def test_wants_a_first_who_can_be_named(self, database: Database, factories: Factories) -> None:
        devon = factories.tenant(factories.consortium())

        with pytest.raises(NobodyNamed, match="first of the two"), database.transaction(devon.scope) as session:
            require_another(session, first_person_id=None, on=TODAY)


def person_of(tenant: Tenant) -> UUID:
    assert tenant.scope.person_id is not None
    return tenant.scope.person_id


def add_role(database: Database, person_id: UUID, tenant: Tenant, *, ends_in: int | None = None) -> None:
    with database.transaction(OPERATOR) as session:
        held: Appointment = appoint(
            session,
            get_person(session, person_id),
            agency=get_agency(session, tenant.id),
            role=Role.FINANCE_OFFICER,
            starts_on=TODAY - timedelta(days=30),
        )
        if ends_in is not None:
            held.ends_on = TODAY + timedelta(days=ends_in)
