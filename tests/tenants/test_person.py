"""People: invited and appointed by the operator, seen by their own agency."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import ProgrammingError

from tenants.agency import get_agency
from tenants.database import Database
from tenants.error import Conflict
from tenants.person import (
    AlreadyAppointed,
    PersonInvalid,
    PersonUnknown,
    appoint,
    find_person_by_identity,
    get_person,
    invite_person,
    list_appointments,
    list_people,
)
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import ISSUER, LONG_AGO, TODAY, Factories

FACTS = {"name": "Sam Sample", "email": "sam@example.org", "issuer": ISSUER, "subject": "sam"}


class TestInvitePerson:
    @pytest.mark.parametrize(
        "wrong",
        [{"name": " "}, {"email": "sam"}, {"email": "sam@example"}, {"email": "sam @example.org"}, {"email": ""}],
    )
    def test_refuses_what_cannot_be_kept(self, database: Database, wrong: dict[str, str]) -> None:
        with database.transaction(OPERATOR) as session, pytest.raises(PersonInvalid):
            invite_person(session, **{**FACTS, **wrong})

    def test_refuses_an_identity_twice(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(OPERATOR) as session, pytest.raises(Conflict, match="already belongs"):
            invite_person(session, **{**FACTS, "subject": devon.subject})

    def test_is_the_operators_alone(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            invite_person(session, **{**FACTS, "subject": uuid4().hex})


class TestAppoint:
    def test_gives_a_role_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        assert devon.scope.person_id is not None

        with database.transaction(OPERATOR) as session, pytest.raises(AlreadyAppointed, match="family finder"):
            appoint(
                session,
                get_person(session, devon.scope.person_id),
                agency=get_agency(session, devon.id),
                role=Role.FAMILY_FINDER,
                starts_on=TODAY,
            )

    def test_is_nobodys_to_give_themselves(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        assert devon.scope.person_id is not None

        with database.transaction(devon.scope) as session:
            person, agency = get_person(session, devon.scope.person_id), get_agency(session, dorset.id)
        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            appoint(session, person, agency=agency, role=Role.MANAGER, starts_on=TODAY)


class TestGetPerson:
    def test_finds_a_colleague_and_no_neighbour(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        assert devon.scope.person_id is not None

        with database.transaction(devon.scope) as session:
            assert get_person(session, devon.scope.person_id).name.startswith("Sam Sample")
            assert find_person_by_identity(session, issuer=ISSUER, subject=devon.subject)
        with database.transaction(dorset.scope) as session:
            assert find_person_by_identity(session, issuer=ISSUER, subject=devon.subject) is None
            with pytest.raises(PersonUnknown):
                get_person(session, devon.scope.person_id)


class TestListAppointments:
    def test_lists_what_is_held_on_the_day(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        assert devon.scope.person_id is not None

        with database.transaction(devon.scope) as session:
            held = list_appointments(session, devon.scope.person_id, on=TODAY)
            before = list_appointments(session, devon.scope.person_id, on=LONG_AGO - timedelta(days=1))
        with database.transaction(dorset.scope) as session:
            others = list_appointments(session, devon.scope.person_id, on=TODAY)

        assert {role for _, role in held} == devon.scope.roles
        assert (before, others) == ([], [])


class TestListPeople:
    def test_lists_the_own_agencys(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            people: list[Any] = list_people(session, agency_id=devon.id, on=TODAY)
            assert {person.id for person, _ in people} == {devon.scope.person_id}
            assert list_people(session, agency_id=dorset.id, on=TODAY) == []
