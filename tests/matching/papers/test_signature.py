from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from matching.papers.answer import answer
from matching.papers.facts import facts_of
from matching.papers.paper import Paper, PaperKind, draw_up, get_version
from matching.papers.question import questions
from matching.papers.signature import (
    AlreadySigned,
    NotYoursToSign,
    PaperIncomplete,
    PaperReplaced,
    Place,
    list_signatures,
    places_of,
    sign,
)
from tenants.agency import get_agency
from tenants.approval import BothSides
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.person import appoint, get_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import LONG_AGO, NOW, TODAY, Factories, Tenant, transaction
from tests.matching.papers.paper_factory import Members, answer_all, make_members


@pytest.fixture(scope="module")
def members(factories: Factories, database: Database) -> Members:
    """A consortium that has said all."""
    made = make_members(factories)
    answer_all(database, made.office, made.ours, made.theirs)
    return made


def drawn(database: Database, tenant: Tenant, kind: PaperKind, *, code: str) -> Paper:
    """Draw up a version that differs from the last."""
    with transaction(database, tenant) as session:
        answer(session, questions()[code], f"Anew {uuid4()}", now=NOW)
        return draw_up(session, kind, now=NOW)


def places(database: Database, tenant: Tenant, paper: Paper) -> list[Place]:
    with transaction(database, tenant) as session:
        found = get_version(session, paper.id)
        return places_of(facts_of(session, on=TODAY), found, list_signatures(session, found))


class TestSign:
    def test_of_an_assessment_wants_two_people(
        self, members: Members, factories: Factories, database: Database
    ) -> None:
        paper = drawn(database, members.ours, PaperKind.ASSESSMENT, code="necessity")
        second = factories.colleague(members.ours, roles=frozenset({Role.MANAGER}))
        with transaction(database, members.ours) as session:
            first = sign(session, get_version(session, paper.id), now=NOW)
            assert first.digest == paper.digest
        with pytest.raises(AlreadySigned), transaction(database, members.ours) as session:
            sign(session, get_version(session, paper.id), now=NOW)
        assert [bool(place.signature) for place in places(database, members.ours, paper)] == [True, False]
        with transaction(database, second) as session:
            sign(session, get_version(session, paper.id), now=NOW)

        held = places(database, second, paper)

        assert [place.signature.signed_by for place in held if place.signature] == [
            members.ours.scope.person_id,
            second.scope.person_id,
        ]
        third = factories.colleague(members.ours, roles=frozenset({Role.MANAGER}))
        with pytest.raises(AlreadySigned), transaction(database, third) as session:
            sign(session, get_version(session, paper.id), now=NOW)

    def test_of_an_agreement_wants_one_person_of_each_member_and_tells_the_others_who(
        self, members: Members, factories: Factories, database: Database
    ) -> None:
        paper = drawn(database, members.office, PaperKind.AGREEMENT, code="purpose")
        for tenant in (members.ours, members.theirs):
            with transaction(database, tenant) as session:
                sign(session, get_version(session, paper.id), now=NOW)
        colleague = factories.colleague(members.ours, roles=frozenset({Role.MANAGER}))
        with pytest.raises(AlreadySigned), transaction(database, colleague) as session:
            sign(session, get_version(session, paper.id), now=NOW)
        with pytest.raises(NotYoursToSign), transaction(database, members.office) as session:
            sign(session, get_version(session, paper.id), now=NOW)

        names = {
            place.agency: place.signature.name for place in places(database, members.theirs, paper) if place.signature
        }

        assert names == {each.name: f"Sam Sample {each.slug}" for each in (members.ours, members.theirs)}

    def test_refuses_whoever_works_for_two_members(
        self, members: Members, factories: Factories, database: Database
    ) -> None:
        paper = drawn(database, members.office, PaperKind.AGREEMENT, code="office_body")
        both = factories.colleague(members.ours, roles=frozenset({Role.MANAGER}))
        with database.transaction(OPERATOR) as session:
            person = get_person(session, both.scope.person_id or both.id)
            agency = get_agency(session, members.theirs.id)
            appoint(session, person, agency=agency, role=Role.FAMILY_FINDER, starts_on=LONG_AGO)
        with pytest.raises(BothSides), transaction(database, both) as session:
            sign(session, get_version(session, paper.id), now=NOW)

    def test_refuses_what_is_not_complete_or_has_been_replaced(self, factories: Factories, database: Database) -> None:
        ours = make_members(factories).ours
        first = drawn(database, ours, PaperKind.ASSESSMENT, code="necessity")
        with pytest.raises(PaperIncomplete), transaction(database, ours) as session:
            sign(session, get_version(session, first.id), now=NOW)

    def test_refuses_an_old_version(self, members: Members, database: Database) -> None:
        old = drawn(database, members.theirs, PaperKind.ASSESSMENT, code="necessity")
        drawn(database, members.theirs, PaperKind.ASSESSMENT, code="consulted")
        with pytest.raises(PaperReplaced), transaction(database, members.theirs) as session:
            sign(session, get_version(session, old.id), now=NOW)

    def test_refuses_other_papers_and_other_roles(self, members: Members, database: Database) -> None:
        notice = drawn(database, members.ours, PaperKind.STAFF, code="staff_basis")
        with pytest.raises(NotYoursToSign), transaction(database, members.ours) as session:
            sign(session, get_version(session, notice.id), now=NOW)
        with pytest.raises(NotAllowed), database.transaction(members.ours.acting_as(Role.ADMINISTRATOR)) as session:
            sign(session, get_version(session, notice.id), now=NOW)

    def test_binds_to_the_content_also_in_the_database(self, members: Members, database: Database) -> None:
        paper = drawn(database, members.ours, PaperKind.ASSESSMENT, code="processors")
        row = (
            "INSERT INTO paper_signature VALUES (gen_random_uuid(), :paper, 'assessment', sha256('other'), :agency, "
            "'manager', :person, 'Sam', now())"
        )
        facts = {"paper": paper.id, "agency": members.ours.id, "person": members.ours.scope.person_id}
        with pytest.raises(IntegrityError), transaction(database, members.ours) as session:
            session.execute(text(row), facts)
