"""“Your agency” and its people: invited, given roles and seen out by the administrator, read by those who must know."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from tenants.agency import AgencyKind, get_agency
from tenants.base import utc_now
from tenants.colleague import get_colleague
from tenants.database import Database
from tenants.invitation import Invitation, invite, list_invitations
from tenants.permission import MAY, Verb
from tenants.person import appoint, invite_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import ISSUER, LONG_AGO, Factories, Tenant, transaction
from tests.platform.web.equal import page_of, same_but_for_the_reference
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]


class TestAgency:
    def test_leads_where_the_role_leads(self, visit_as: Visit, factories: Factories) -> None:
        consortium_id = factories.consortium()
        administrator = factories.tenant(consortium_id, roles=frozenset({Role.ADMINISTRATOR}))
        visitor = visit_as(administrator)

        visitor.get("/agency")

        assert page_of(visitor).links()["People"] == "/agency/people"
        assert administrator.name in page_of(visitor).text
        assert page_of(visitor).links()["Your agency"] == "/agency"

    @pytest.mark.parametrize("role", sorted(set(Role) - MAY[Verb.READ_AGENCY] - {Role.OPERATOR}))
    def test_is_refused_to_others(self, role: Role, visit_as: Visit, factories: Factories) -> None:
        visitor = visit_as(factories.tenant(factories.consortium(), roles=frozenset({role})))

        assert visitor.get("/agency").status_code == 403


class TestPeople:
    def test_shows_ones_own_and_nobody_elses(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        devon, dorset = factories.two_tenants()
        add_colleague(database, dorset, "Birch Sample")
        visitor = visit_as(devon)

        visitor.get("/agency/people")

        assert f"Sam Sample {devon.slug}" in page_of(visitor).text
        assert "Birch Sample" not in page_of(visitor).text
        assert "Nobody is invited at present." in page_of(visitor).text

    @pytest.mark.parametrize("role", [Role.MANAGER, Role.INFORMATION_GOVERNANCE])
    def test_lets_managers_read_and_not_write(
        self, role: Role, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        tenant = factories.tenant(factories.consortium(), roles=frozenset({role}))
        other = add_colleague(database, tenant, "Alder Sample")
        visitor = visit_as(tenant)

        visitor.get("/agency/people")
        assert "Invite somebody" not in page_of(visitor).links()
        visitor.get(f"/agency/people/{other}")
        assert "Change roles" not in page_of(visitor).links()
        assert "signed in" not in page_of(visitor).text
        for path in ("/agency/invitations/new", f"/agency/people/{other}/roles", f"/agency/people/{other}/leave"):
            assert visitor.get(path).status_code == 403

    def test_finds_a_neighbour_no_more_than_nobody(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        devon, dorset = factories.two_tenants()
        birch = add_colleague(database, dorset, "Birch Sample")
        with transaction(database, dorset) as session:
            theirs = ask(session, dorset).id
        visitor = visit_as(devon)

        for path, record in (("people", birch), ("invitations", theirs)):
            there, nowhere = (visitor.get(f"/agency/{path}/{each}") for each in (record, uuid4()))
            assert there.status_code == 404
            assert same_but_for_the_reference(there, nowhere)


class TestRoles:
    def test_are_changed_from_the_next_page_on(self, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))
        administrator, theirs = visit_as(devon), visit_as(finder)
        assert theirs.get("/groups").status_code == 200

        administrator.get(f"/agency/people/{finder.scope.person_id}/roles")
        assert ticked(administrator) == {"family_finder"}
        answer = administrator.post(
            f"/agency/people/{finder.scope.person_id}/roles", {"roles": ["finance_officer", "manager"]}
        )

        assert answer.location == f"/agency/people/{finder.scope.person_id}"
        administrator.get(answer.location)
        assert "roles are changed" in page_of(administrator).text
        assert theirs.get("/imports").status_code == 403
        assert theirs.get("/agency").status_code == 200

    def test_are_not_taken_away_whole(self, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))
        visitor = visit_as(devon)

        visitor.get(f"/agency/people/{finder.scope.person_id}/roles")
        answer = visitor.post(f"/agency/people/{finder.scope.person_id}/roles", {})

        assert answer.status_code == 422
        assert "Choose at least one role" in page_of(visitor).text

    @pytest.mark.parametrize("role", ["operator", "coordinator", "nonsense", ""])
    def test_are_those_that_are_offered(self, role: str, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))
        visitor = visit_as(devon)

        visitor.get(f"/agency/people/{finder.scope.person_id}/roles")
        answer = visitor.post(f"/agency/people/{finder.scope.person_id}/roles", {"roles": [role]})

        assert answer.status_code == 422

    def test_of_the_office_are_its_own(self, visit_as: Visit, factories: Factories) -> None:
        office = factories.tenant(factories.consortium(), kind=AgencyKind.CONSORTIUM_OFFICE)
        colleague = factories.colleague(office, roles=frozenset({Role.COORDINATOR}))
        visitor = visit_as(office)

        visitor.get(f"/agency/people/{colleague.scope.person_id}/roles")

        assert "Family finder" not in page_of(visitor).text
        assert "Consortium coordinator" in page_of(visitor).text

    def test_are_nobodys_to_change_for_themselves(self, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        visitor = visit_as(devon)

        visitor.get(f"/agency/people/{devon.scope.person_id}")
        assert "Nobody changes their own roles" in page_of(visitor).text
        visitor.get(f"/agency/people/{devon.scope.person_id}/roles")
        answer = visitor.post(f"/agency/people/{devon.scope.person_id}/roles", {"roles": ["manager"]})

        assert answer.status_code == 403


class TestLeave:
    def test_signs_out_whoever_leaves_at_once(self, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))
        administrator, theirs = visit_as(devon), visit_as(finder)
        assert theirs.get("/groups").status_code == 200

        administrator.get(f"/agency/people/{finder.scope.person_id}/leave")
        answer = administrator.post(f"/agency/people/{finder.scope.person_id}/leave", {})

        administrator.get(answer.location)
        assert "is signed out here" in page_of(administrator).text
        assert "Who has left" in page_of(administrator).text
        assert (theirs.get("/groups").status_code, theirs.get("/groups").location) == (303, "/")

    def test_is_asked_about_first(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        devon, _ = factories.two_tenants()
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))

        visit_as(devon).get(f"/agency/people/{finder.scope.person_id}/leave")

        with transaction(database, devon) as session:
            assert finder.scope.person_id is not None
            found = get_colleague(session, finder.scope.person_id, agency_id=devon.id, on=utc_now().date())
        assert found.roles == {Role.FAMILY_FINDER}


class TestSignOut:
    def test_ends_a_colleagues_sign_ins_here(self, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        finder = factories.colleague(devon, roles=frozenset({Role.FAMILY_FINDER}))
        administrator, theirs = visit_as(devon), visit_as(finder)
        theirs.get("/groups", headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Firefox/140.0"})

        administrator.get(f"/agency/people/{finder.scope.person_id}")
        assert "Firefox on Windows" in page_of(administrator).text
        answer = administrator.post(f"/agency/people/{finder.scope.person_id}/sign-out")

        administrator.get(answer.location)
        assert "is signed out of 1 place" in page_of(administrator).text
        assert theirs.get("/groups").status_code == 303


class TestInvitations:
    def test_say_what_to_tell_the_person(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        devon, dorset = factories.two_tenants()
        visitor = visit_as(devon)

        visitor.get("/agency/invitations/new")
        answer = visitor.post(
            "/agency/invitations/new",
            {"name": " Alder Sample ", "email": "Alder@Example.org", "roles": ["family_finder"]},
        )
        visitor.get(answer.location)

        text = page_of(visitor).text
        assert "Invitation of Alder Sample" in text
        assert "http://localhost" in text
        assert "whose address is alder@example.org" in text
        with transaction(database, dorset) as session:
            assert list_invitations(session, agency_id=devon.id) == []

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"name": " "}, "Enter their name"),
            ({"name": "x" * 201}, "at most 200"),
            ({"email": ""}, "Enter the e-mail address"),
            ({"email": "nonsense"}, "is no e-mail address"),
            ({"roles": []}, "Choose at least one role"),
            ({"roles": ["operator"]}, "problem"),
        ],
    )
    def test_say_what_is_missing(
        self, change: dict[str, object], words: str, visit_as: Visit, factories: Factories
    ) -> None:
        visitor = visit_as(factories.two_tenants()[0])

        visitor.get("/agency/invitations/new")
        answer = visitor.post(
            "/agency/invitations/new",
            {"name": "Alder Sample", "email": "alder@example.org", "roles": ["manager"], **change},
        )

        assert answer.status_code == 422
        assert words in page_of(visitor).text
        assert page_of(visitor).title.startswith("Error: ")

    def test_are_not_for_who_is_here_or_invited(self, visit_as: Visit, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        visitor = visit_as(devon)
        asked = {"name": "Alder Sample", "email": "alder@example.org", "roles": ["manager"]}

        visitor.get("/agency/invitations/new")
        visitor.post("/agency/invitations/new", asked)
        again = visitor.post("/agency/invitations/new", asked)
        assert again.status_code == 422
        assert "has an invitation already" in page_of(visitor).text
        own = visitor.post("/agency/invitations/new", {**asked, "email": f"{devon.slug}@example.org"})
        assert own.status_code == 422
        assert "works for" in page_of(visitor).text

    def test_are_renewed_and_withdrawn(self, visit_as: Visit, factories: Factories, database: Database) -> None:
        devon, _ = factories.two_tenants()
        with transaction(database, devon) as session:
            invitation_id = ask(session, devon).id
        visitor = visit_as(devon)

        visitor.get(f"/agency/invitations/{invitation_id}")
        visitor.post(f"/agency/invitations/{invitation_id}/renew")
        visitor.get(f"/agency/invitations/{invitation_id}")
        assert "good for 14 days from now" in page_of(visitor).text
        answer = visitor.post(f"/agency/invitations/{invitation_id}/withdraw")
        visitor.get(answer.location)
        assert "is withdrawn" in page_of(visitor).text
        visitor.get(f"/agency/invitations/{invitation_id}")
        assert "What to tell them" not in page_of(visitor).text


def ticked(visitor: Visitor) -> set[str]:
    boxes = [box for box in page_of(visitor).all("input") if box.get("type") == "checkbox"]
    return {box.get("value", "") for box in boxes if "checked" in box.attrib}


def add_colleague(database: Database, tenant: Tenant, name: str) -> UUID:
    with database.transaction(OPERATOR) as session:
        person = invite_person(session, name=name, email="x@example.org", issuer=ISSUER, subject=uuid4().hex)
        agency = get_agency(session, tenant.id)
        appoint(session, person, agency=agency, role=Role.FAMILY_FINDER, starts_on=LONG_AGO)
        return person.id


def ask(session: Session, tenant: Tenant) -> Invitation:
    return invite(
        session,
        agency=get_agency(session, tenant.id),
        name="Alder Sample",
        email="alder@example.org",
        roles={Role.MANAGER},
        now=utc_now(),
    )
