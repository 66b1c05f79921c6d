"""Invitations: made by the administrator, good for a while, taken up by signing in with the address and no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import CursorResult, text, update
from sqlalchemy.exc import ProgrammingError

from tenants.agency import get_agency
from tenants.audit import Act, list_entries_of
from tenants.colleague import RolesInvalid, get_colleague, list_colleagues
from tenants.database import Database
from tenants.email_domain import EmailDomain
from tenants.invitation import (
    GOOD_FOR,
    AlreadyHere,
    AlreadyInvited,
    Invitation,
    InvitationClosed,
    InvitationState,
    InvitationUnknown,
    get_invitation,
    invite,
    list_invitations,
    renew_invitation,
    withdraw_invitation,
)
from tenants.permission import NotAllowed
from tenants.person import PersonInvalid, PersonUnknown
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope
from tenants.sign_in import UnknownPerson, Vouched, sign_in
from tests.factories import ISSUER, NOW, TODAY, Factories, Tenant


class TestInvite:
    def test_names_address_and_roles_for_a_while(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        made = ask(database, devon, name=" Alder Sample ", email=" Alder@Example.ORG ")

        with database.transaction(devon.scope) as session:
            found = get_invitation(session, made)
            assert (found.name, found.email, found.role_set) == (
                "Alder Sample",
                "alder@example.org",
                frozenset({Role.MANAGER}),
            )
            assert (found.invited_by, found.expires_at - found.invited_at) == (devon.scope.person_id, GOOD_FOR)
            assert [entry.act for entry in list_entries_of(session, made)] == [Act.INVITE]
        with database.transaction(dorset.scope) as session, pytest.raises(InvitationUnknown):
            get_invitation(session, made)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": " "},
            {"email": "sam"},
            {"email": ""},
            {"roles": set()},
            {"roles": {Role.OPERATOR}},
            {"roles": {Role.COORDINATOR, Role.MANAGER}},
        ],
    )
    def test_refuses_what_cannot_be_kept(self, wrong: dict[str, Any], database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises((PersonInvalid, RolesInvalid)):
            ask(database, devon, **wrong)

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.OPERATOR}))
    def test_is_the_administrators_alone(self, role: Role, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with pytest.raises(NotAllowed):
            ask(database, devon, scope=devon.acting_as(role))

    def test_is_for_ones_own_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()

        with pytest.raises(PersonUnknown):
            ask(database, dorset, scope=devon.scope)

    def test_is_not_for_who_is_here(self, database: Database, factories: Factories) -> None:
        """Or an administrator could give themselves roles by inviting themselves."""
        devon, dorset = factories.two_tenants()

        with pytest.raises(AlreadyHere, match="Change their roles"):
            ask(database, devon, email=f"{devon.slug}@Example.org")
        assert ask(database, dorset, email=f"{devon.slug}@example.org")

    def test_is_made_once_at_a_time(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        first = ask(database, devon)

        with pytest.raises(AlreadyInvited):
            ask(database, devon, email="ALDER@example.org")
        assert ask(database, dorset)
        withdraw(database, devon, first)
        assert ask(database, devon)


class TestRenewInvitation:
    def test_makes_it_good_again(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        made, later = ask(database, devon), NOW + GOOD_FOR

        with database.transaction(devon.scope) as session:
            invitation = get_invitation(session, made)
            assert invitation.state(now=later - timedelta(seconds=1)) is InvitationState.OPEN
            assert invitation.state(now=later) is InvitationState.EXPIRED
            renew_invitation(session, invitation, now=later)
            assert invitation.state(now=later) is InvitationState.OPEN

    def test_is_not_for_one_that_is_over(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        made = ask(database, devon)
        withdraw(database, devon, made)

        with pytest.raises(InvitationClosed):
            renew(database, devon, made, now=NOW)


class TestWithdrawInvitation:
    def test_is_on_record_and_once(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        made = ask(database, devon)

        withdraw(database, devon, made)

        with database.transaction(devon.scope) as session:
            assert get_invitation(session, made).state(now=NOW) is InvitationState.WITHDRAWN
            assert list_invitations(session, agency_id=devon.id) == []
            assert {entry.act for entry in list_entries_of(session, made)} == {Act.INVITE, Act.REVOKE}
        with pytest.raises(InvitationClosed):
            withdraw(database, devon, made)

    def test_is_the_administrators_alone(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        made = ask(database, devon)

        with pytest.raises(NotAllowed):
            withdraw(database, devon, made, scope=devon.acting_as(Role.MANAGER))


class TestListInvitations:
    def test_shows_the_own_agencys_newest_first(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        older = ask(database, devon)
        newer = ask(database, devon, email="birch@example.org", now=NOW + timedelta(hours=1))

        with database.transaction(devon.scope) as session:
            assert [each.id for each in list_invitations(session, agency_id=devon.id)] == [newer, older]
        with database.transaction(dorset.scope) as session:
            assert list_invitations(session, agency_id=devon.id) == []


class TestTakingUp:
    """What signing in makes of it; the address is one that a provider vouches for, in the agency's own domain."""

    def test_gives_the_roles_to_whoever_signs_in_with_the_address(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        domain = own_domain(database, devon)
        made = ask(database, devon, email=f"alder@{domain}", roles={Role.MANAGER, Role.FAMILY_FINDER})

        person_id = come(database, f"Alder@{domain}")

        with database.transaction(devon.scope) as session:
            colleague = get_colleague(session, person_id, agency_id=devon.id, on=TODAY)
            invitation = get_invitation(session, made)
        assert (colleague.person.name, colleague.roles) == (
            "Alder Sample",
            frozenset({Role.MANAGER, Role.FAMILY_FINDER}),
        )
        assert invitation.state(now=NOW) is InvitationState.TAKEN
        assert invitation.person_id == person_id
        with database.transaction(dorset.scope) as session:
            assert person_id not in {each.person.id for each in list_colleagues(session, agency_id=dorset.id, on=TODAY)}

    def test_is_not_for_another_address_nor_when_it_is_over(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        domain = own_domain(database, devon)
        withdraw(database, devon, ask(database, devon, email=f"alder@{domain}"))
        ask(database, devon, email=f"birch@{domain}")

        for email, now in ((f"cedar@{domain}", NOW), (f"alder@{domain}", NOW), (f"birch@{domain}", NOW + GOOD_FOR)):
            with pytest.raises(UnknownPerson):
                come(database, email, now=now)
        with pytest.raises(UnknownPerson):
            come(database, None)

    def test_brings_a_leaver_back_as_the_same_person(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        domain = own_domain(database, devon)
        subject = uuid4().hex
        ask(database, devon, email=f"alder@{domain}")
        person_id = come(database, f"alder@{domain}", subject=subject)
        with database.transaction(OPERATOR) as session:
            session.execute(
                text("UPDATE appointment SET ends_on = :on WHERE person_id = :id"), {"on": TODAY, "id": person_id}
            )

        ask(database, devon, email=f"alder@{domain}", roles={Role.FAMILY_FINDER})

        assert come(database, f"alder@{domain}", subject=subject) == person_id
        with database.transaction(devon.scope) as session:
            colleague = get_colleague(session, person_id, agency_id=devon.id, on=TODAY)
        assert colleague.roles == {Role.FAMILY_FINDER}


class TestWall:
    """What SQL could do that was slipped into a session."""

    def test_lets_nobody_but_an_administrator_invite(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))

        with pytest.raises(ProgrammingError, match="row-level security"):
            ask(database, devon, scope=replace(finder.scope, roles=devon.scope.roles))

    def test_lets_no_administrator_invite_operators_or_in_anothers_name(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()

        for change in (
            {"roles": ["operator"]},
            {"invited_by": None},
            {"taken_at": NOW, "person_id": devon.scope.person_id},
        ):
            facts = {
                "agency_id": devon.id,
                "email": "x@example.org",
                "name": "X",
                "roles": ["manager"],
                "invited_by": devon.scope.person_id,
                "invited_at": NOW,
                "expires_at": NOW + GOOD_FOR,
            }
            with (
                pytest.raises(ProgrammingError, match="row-level security"),
                database.transaction(devon.scope) as session,
            ):
                session.add(Invitation(**{**facts, **change}))

    @pytest.mark.parametrize("column", ["roles", "email", "agency_id", "taken_at", "person_id"])
    def test_lets_nobody_change_what_was_asked(self, column: str, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        ask(database, devon)

        with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(devon.scope) as session:
            session.execute(text(f"UPDATE invitation SET {column} = {column}"))

    def test_lets_nobody_else_withdraw(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        ask(database, devon)
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))

        for scope in (finder.scope, dorset.scope):
            with database.transaction(scope) as session:
                done = session.execute(update(Invitation).values(withdrawn_at=NOW))
                assert isinstance(done, CursorResult)
                assert done.rowcount == 0


def ask(database: Database, tenant: Tenant, *, scope: Scope | None = None, now: datetime = NOW, **facts: Any) -> UUID:
    asked: dict[str, Any] = {"name": "Alder Sample", "email": "alder@example.org", "roles": {Role.MANAGER}, **facts}
    with database.transaction(OPERATOR) as session:
        agency = get_agency(session, tenant.id)
    with database.transaction(scope or tenant.scope) as session:
        return invite(session, agency=agency, now=now, **asked).id


def renew(database: Database, tenant: Tenant, invitation_id: UUID, *, now: datetime) -> None:
    with database.transaction(tenant.scope) as session:
        renew_invitation(session, get_invitation(session, invitation_id), now=now)


def withdraw(database: Database, tenant: Tenant, invitation_id: UUID, *, scope: Scope | None = None) -> None:
    with database.transaction(scope or tenant.scope) as session:
        withdraw_invitation(session, get_invitation(session, invitation_id), now=NOW)


def own_domain(database: Database, tenant: Tenant) -> str:
    """Give an agency an e-mail domain that the operator has confirmed."""
    domain = f"{tenant.slug}.example.org"
    with database.transaction(tenant.scope) as session:
        session.add(EmailDomain(agency_id=tenant.id, domain=domain, added_at=NOW))
    with database.transaction(OPERATOR) as session:
        session.execute(update(EmailDomain).where(EmailDomain.domain == domain).values(confirmed_at=NOW))
    return domain


def come(database: Database, email: str | None, *, subject: str | None = None, now: datetime = NOW) -> UUID:
    vouched = Vouched(email=email)
    with database.transaction(NOBODY) as session:
        return sign_in(session, issuer=ISSUER, subject=subject or uuid4().hex, now=now, vouched=vouched).person_id
