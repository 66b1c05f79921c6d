"""An agency's people: changed by its administrator, never by themselves, and out at once when they leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import CursorResult, select, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from tenants.agency import Agency, AgencyKind, get_agency
from tenants.audit import Act, list_entries_of
from tenants.base import utc_now
from tenants.colleague import (
    LastAdministrator,
    OwnRoles,
    RolesInvalid,
    change_roles,
    get_colleague,
    leave,
    list_colleagues,
    list_history,
    list_leavers,
    roles_of,
)
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.person import Appointment, PersonIdentity, PersonUnknown, appoint, get_person, invite_person
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in import act_for, find_session, sign_in
from tests.factories import ISSUER, LONG_AGO, NOW, TODAY, Factories, Tenant

FINDER = frozenset({Role.FAMILY_FINDER})


class TestRolesOf:
    def test_leaves_coordinators_to_the_office_and_operators_to_nobody(self) -> None:
        for kind in AgencyKind:
            given = set(roles_of(kind))
            assert Role.OPERATOR not in given
            assert {Role.ADMINISTRATOR, Role.MANAGER} <= given
            assert (Role.COORDINATOR in given) == (kind is AgencyKind.CONSORTIUM_OFFICE)
            assert (Role.FAMILY_FINDER in given) == (kind is not AgencyKind.CONSORTIUM_OFFICE)


class TestListColleagues:
    def test_shows_the_own_agencys_by_name_with_their_roles(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER, Role.MANAGER)
        add_colleague(database, dorset, "Birch Sample", Role.FAMILY_FINDER)

        with database.transaction(devon.scope) as session:
            found = list_colleagues(session, agency_id=devon.id, on=TODAY)
            others = list_colleagues(session, agency_id=dorset.id, on=TODAY)

        assert [(each.person.id, each.roles) for each in found] == [
            (alder, {Role.FAMILY_FINDER, Role.MANAGER}),
            (devon.scope.person_id, devon.scope.roles),
        ]
        assert {(each.since, each.until) for each in found} == {(LONG_AGO, None)}
        assert others == []


class TestListLeavers:
    def test_shows_who_left_the_last_first(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        left = [add_colleague(database, devon, name, Role.FAMILY_FINDER) for name in ("Alder Sample", "Birch Sample")]
        for days, person_id in zip((9, 3), left, strict=True):
            end_all(database, person_id, days_ago=days)

        with database.transaction(devon.scope) as session:
            found = list_leavers(session, agency_id=devon.id, on=TODAY)
            present = {each.person.id for each in list_colleagues(session, agency_id=devon.id, on=TODAY)}
        with database.transaction(dorset.scope) as session:
            assert list_leavers(session, agency_id=devon.id, on=TODAY) == []

        assert [each.person.id for each in found] == left[::-1]
        assert [each.until for each in found] == [TODAY - timedelta(days=3), TODAY - timedelta(days=9)]
        assert present.isdisjoint(left)


class TestGetColleague:
    def test_finds_no_neighbour(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with database.transaction(devon.scope) as session:
            assert get_colleague(session, person_of(devon), agency_id=devon.id, on=TODAY).roles == devon.scope.roles
        for agency in (devon, dorset):
            with database.transaction(dorset.scope) as session, pytest.raises(PersonUnknown):
                get_colleague(session, person_of(devon), agency_id=agency.id, on=TODAY)


class TestChangeRoles:
    def test_ends_some_and_begins_others_and_keeps_the_history(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER, Role.MANAGER)

        change(database, devon, alder, {Role.MANAGER, Role.FINANCE_OFFICER})

        with database.transaction(devon.scope) as session:
            history = list_history(session, alder, agency_id=devon.id)
        with database.transaction(dorset.scope) as session:
            assert list_history(session, alder, agency_id=devon.id) == []
        assert {(each.role, each.starts_on, each.ends_on) for each in history} == {
            (Role.FAMILY_FINDER, LONG_AGO, TODAY),
            (Role.MANAGER, LONG_AGO, None),
            (Role.FINANCE_OFFICER, TODAY, None),
        }
        assert history[0].role is Role.FINANCE_OFFICER

    def test_is_on_record_as_the_administrators(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)

        # The database goes by its own day for whom an administrator may change.
        change(database, devon, alder, {Role.MANAGER}, on=utc_now().date())

        with database.transaction(devon.scope) as session:
            for appointment in list_history(session, alder, agency_id=devon.id):
                (latest, *_) = list_entries_of(session, appointment.id)
                assert (latest.actor_agency_id, latest.actor_person_id) == (devon.id, devon.scope.person_id)

    def test_is_nobodys_for_themselves(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises(OwnRoles, match="another administrator"):
            change(database, devon, person_of(devon), {Role.MANAGER})

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.OPERATOR}))
    def test_is_the_administrators_alone(self, role: Role, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)

        with pytest.raises(NotAllowed), database.transaction(devon.acting_as(role)) as session:
            change_roles(
                session, get_person(session, alder), agency=get_agency(session, devon.id), roles=FINDER, on=TODAY
            )

    @pytest.mark.parametrize("roles", [set(), {Role.OPERATOR}, {Role.COORDINATOR}])
    def test_refuses_what_the_agency_has_not_to_give(
        self, roles: set[Role], database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)

        with pytest.raises(RolesInvalid):
            change(database, devon, alder, roles)

    def test_leaves_a_strange_role_that_was_given_before(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.COORDINATOR)

        change(database, devon, alder, {Role.COORDINATOR, Role.MANAGER})

    def test_is_not_for_who_holds_no_role(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)
        end_all(database, alder, days_ago=1)

        with pytest.raises(PersonUnknown, match="Invite"):
            change(database, devon, alder, {Role.MANAGER})

    def test_reaches_no_other_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        both = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)
        add_role(database, both, dorset, Role.FAMILY_FINDER)
        with database.transaction(devon.scope) as session:
            person, agency = get_person(session, both), get_agency(session, dorset.id)

        with pytest.raises(PersonUnknown), database.transaction(devon.scope) as session:
            change_roles(session, person, agency=agency, roles={Role.MANAGER}, on=TODAY)

        with database.transaction(dorset.scope) as session:
            assert get_colleague(session, both, agency_id=dorset.id, on=TODAY).roles == FINDER

    def test_keeps_an_administrator(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises(LastAdministrator), database.transaction(OPERATOR) as session:
            change_roles(
                session,
                get_person(session, person_of(devon)),
                agency=get_agency(session, devon.id),
                roles={Role.MANAGER},
                on=TODAY,
            )


class TestLeave:
    def test_ends_roles_and_sessions_at_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER, Role.MANAGER)
        tokens = [open_session(database, alder) for _ in range(2)]
        mine = open_session(database, person_of(devon))

        with database.transaction(devon.scope) as session:
            person, agency = get_person(session, alder), get_agency(session, devon.id)
            assert leave(session, person, agency=agency, now=NOW) == 2
            assert list_colleagues(session, agency_id=devon.id, on=TODAY)[0].person.id == devon.scope.person_id

        with database.transaction(NOBODY) as session:
            assert [find_session(session, token=token, now=NOW) for token in tokens] == [None, None]
            assert find_session(session, token=mine, now=NOW)

    def test_says_who_ended_the_sessions(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)
        open_session(database, alder)

        end_work(database, devon, alder)

        with database.transaction(devon.scope) as session:
            out = [entry for entry in list_entries_of(session, alder) if entry.act is Act.SIGN_OUT]
        assert [(entry.actor_person_id, entry.owner_agency_id) for entry in out] == [(devon.scope.person_id, devon.id)]

    def test_is_undone_whole_when_it_is_refused(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        token = open_session(database, person_of(devon))

        with pytest.raises(LastAdministrator), database.transaction(OPERATOR) as session:
            leave(session, get_person(session, person_of(devon)), agency=get_agency(session, devon.id), now=NOW)

        with database.transaction(NOBODY) as session:
            assert find_session(session, token=token, now=NOW)

    def test_leaves_work_elsewhere_alone(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        both = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)
        add_role(database, both, dorset, Role.MANAGER)
        there, undecided = open_session(database, both, act=dorset), open_session(database, both)

        end_work(database, devon, both)

        with database.transaction(NOBODY) as session:
            found = find_session(session, token=there, now=NOW)
            assert found is not None
            assert found.agency_id == dorset.id
            assert found.roles == {Role.MANAGER}
            assert find_session(session, token=undecided, now=NOW) is None

    def test_ends_what_was_to_begin_later(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)
        later = TODAY + timedelta(days=7)
        add_role(database, alder, devon, Role.MANAGER, starts_on=later)

        end_work(database, devon, alder)

        with database.transaction(devon.scope) as session:
            assert [colleague.person.id for colleague in list_colleagues(session, agency_id=devon.id, on=later)] == [
                devon.scope.person_id
            ]

    def test_is_nobodys_for_themselves(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        add_colleague(database, devon, "Alder Sample", Role.ADMINISTRATOR)

        with pytest.raises(OwnRoles):
            end_work(database, devon, person_of(devon))

    def test_lets_two_administrators_not_end_one_another(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        other = add_colleague(database, devon, "Alder Sample", Role.ADMINISTRATOR)
        scopes = {other: devon.scope, person_of(devon): replace(devon.scope, person_id=other)}
        refused: list[Exception] = []

        def end(whom: UUID, scope: Scope) -> None:
            try:
                with database.transaction(scope) as session:
                    leave(session, get_person(session, whom), agency=get_agency(session, devon.id), now=NOW)
            except (LastAdministrator, PersonUnknown) as error:
                refused.append(error)

        threads = [Thread(target=end, args=pair) for pair in scopes.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with database.transaction(OPERATOR) as session:
            left = session.scalars(
                select(Appointment.person_id).where(
                    Appointment.agency_id == devon.id,
                    Appointment.role == Role.ADMINISTRATOR,
                    Appointment.ends_on.is_(None),
                )
            ).all()
        assert (len(left), len(refused)) == (1, 1)


class TestWall:
    """What SQL could do that was slipped into a session: the database knows who administers whom, too."""

    def test_lets_nobody_but_an_administrator_appoint(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)
        scope = replace(devon.scope, person_id=alder)

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(scope) as session:
            give(session, person_of(devon), devon, Role.MANAGER)
        assert ended_by(database, scope, person_of(devon)) == 0

    def test_lets_no_administrator_give_themselves_a_role(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            give(session, person_of(devon), devon, Role.MANAGER)
        assert ended_by(database, devon.scope, person_of(devon)) == 0

    def test_lets_no_administrator_make_an_operator(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            give(session, alder, devon, Role.OPERATOR)

    def test_lets_no_administrator_appoint_who_never_worked_there(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            give(session, person_of(dorset), devon, Role.MANAGER)

    def test_lets_no_administrator_reach_into_another_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        both = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)
        add_role(database, both, dorset, Role.FAMILY_FINDER)

        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            give(session, both, dorset, Role.MANAGER)
        assert ended_by(database, devon.scope, both) == 1  # the one in Devon

    def test_rewrites_no_history(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        alder = add_colleague(database, devon, "Alder Sample", Role.FAMILY_FINDER)

        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(devon.scope) as session:
            session.execute(update(Appointment).where(Appointment.person_id == alder).values(role=Role.MANAGER))

    def test_reckons_with_the_administrators_of_today(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        former = add_colleague(database, devon, "Alder Sample", Role.ADMINISTRATOR)
        alder = add_colleague(database, devon, "Birch Sample", Role.FAMILY_FINDER)
        end_all(database, former, days_ago=0)

        assert ended_by(database, replace(devon.scope, person_id=former), alder) == 0


def person_of(tenant: Tenant) -> UUID:
    assert tenant.scope.person_id is not None
    return tenant.scope.person_id


def add_colleague(database: Database, tenant: Tenant, name: str, *roles: Role) -> UUID:
    with database.transaction(OPERATOR) as session:
        agency = get_agency(session, tenant.id)
        subject = f"{name} of {agency.slug}"
        person = invite_person(session, name=name, email="sam@example.org", issuer=ISSUER, subject=subject)
        for role in roles:
            appoint(session, person, agency=agency, role=role, starts_on=LONG_AGO)
        return person.id


def add_role(database: Database, person_id: UUID, tenant: Tenant, role: Role, **dates: object) -> None:
    with database.transaction(OPERATOR) as session:
        person, agency = get_person(session, person_id), get_agency(session, tenant.id)
        appoint(session, person, agency=agency, role=role, **{"starts_on": LONG_AGO, **dates})  # type: ignore[arg-type]


def end_all(database: Database, person_id: UUID, *, days_ago: int) -> None:
    with database.transaction(OPERATOR) as session:
        for held in session.scalars(select(Appointment).where(Appointment.person_id == person_id)):
            held.ends_on = TODAY - timedelta(days=days_ago)


def change(database: Database, tenant: Tenant, person_id: UUID, roles: set[Role], *, on: date = TODAY) -> None:
    with database.transaction(tenant.scope) as session:
        agency: Agency = get_agency(session, tenant.id)
        change_roles(session, get_person(session, person_id), agency=agency, roles=roles, on=on)


def end_work(database: Database, tenant: Tenant, person_id: UUID) -> None:
    with database.transaction(tenant.scope) as session:
        leave(session, get_person(session, person_id), agency=get_agency(session, tenant.id), now=NOW)


def open_session(database: Database, person_id: UUID, *, act: Tenant | None = None) -> str:
    with database.transaction(OPERATOR) as session:
        subject = session.scalars(select(PersonIdentity.subject).where(PersonIdentity.person_id == person_id)).one()
    with database.transaction(NOBODY) as session:
        token = sign_in(session, issuer=ISSUER, subject=subject, now=NOW).token
        if act is None:
            return token
        return act_for(session, token=token, agency_id=act.id, consortium_id=act.scope.consortium_id, now=NOW)


def give(session: Session, person_id: UUID, tenant: Tenant, role: Role) -> None:
    session.add(Appointment(person_id=person_id, agency_id=tenant.id, role=role, starts_on=TODAY))
    session.flush()


def ended_by(database: Database, scope: Scope, person_id: UUID) -> int:
    """Return how many appointments of a person a scope could end, by the shortest of statements."""
    with database.transaction(scope) as session:
        statement = text("UPDATE appointment SET ends_on = :on WHERE person_id = :person")
        done = session.execute(statement, {"on": TODAY, "person": person_id})
        assert isinstance(done, CursorResult)
        return done.rowcount
