from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from matching.papers.answer import (
    AnswerInvalid,
    PaperAnswer,
    answer,
    get_question,
    own_answers,
    questions_of,
    shared_answers,
)
from matching.papers.question import QuestionUnknown, Whose, questions
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import NOW, Factories, transaction
from tests.matching.papers.paper_factory import make_members

LEGAL_NAME, NECESSITY, PURPOSE = (questions()[code] for code in ("legal_name", "necessity", "purpose"))


class TestQuestionsOf:
    def test_asks_the_office_of_the_consortium_and_an_agency_of_itself(
        self, factories: Factories, database: Database
    ) -> None:
        members = make_members(factories)
        for tenant, whose in ((members.office, Whose.CONSORTIUM), (members.ours, Whose.AGENCY)):
            with transaction(database, tenant) as session:
                assert {question.whose for question in questions_of(session)} == {whose}

    def test_knows_nothing_else(self, factories: Factories, database: Database) -> None:
        with transaction(database, make_members(factories).ours) as session:
            assert get_question(session, "necessity") is NECESSITY
            for code in ("purpose", "nothing", ""):
                with pytest.raises(QuestionUnknown):
                    get_question(session, code)


class TestAnswer:
    def test_is_told_to_the_other_members_where_it_is_shared_and_to_nobody_where_it_is_not(
        self, factories: Factories, database: Database
    ) -> None:
        members, stranger = make_members(factories), make_members(factories).ours
        with transaction(database, members.office) as session:
            answer(session, PURPOSE, "  To find families  ", now=NOW)
        with transaction(database, members.ours) as session:
            answer(session, LEGAL_NAME, "Sample\nCouncil", now=NOW)
            answer(session, NECESSITY, "It is", now=NOW)
        with transaction(database, members.ours) as session:
            assert own_answers(session) == {"legal_name": "Sample Council", "necessity": "It is"}
        with transaction(database, members.theirs) as session:
            assert own_answers(session) == {}
            assert shared_answers(session) == {
                (members.ours.id, False): {"legal_name": "Sample Council"},
                (members.office.id, True): {"purpose": "To find families"},
            }
            assert "necessity" not in set(session.scalars(select(PaperAnswer.question)))
        with transaction(database, stranger) as session:
            assert shared_answers(session) == {}

    def test_takes_the_place_of_the_one_before_and_an_empty_one_takes_it_back(
        self, factories: Factories, database: Database
    ) -> None:
        ours = make_members(factories).ours
        for said, kept in (("One", "One"), ("Two", "Two"), (" ", None), ("", None)):
            with transaction(database, ours) as session:
                answer(session, LEGAL_NAME, said, now=NOW)
            with transaction(database, ours) as session:
                assert own_answers(session).get("legal_name") == kept

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("assessment_review", "soon"),
            ("assessment_review", "2027-02-30"),
            ("article_6", "Consent"),
            ("legal_name", "x" * 201),
            ("necessity", "x" * 4001),
        ],
    )
    def test_refuses_what_does_not_answer(self, code: str, said: str, factories: Factories, database: Database) -> None:
        with pytest.raises(AnswerInvalid), transaction(database, make_members(factories).ours) as session:
            answer(session, questions()[code], said, now=NOW)

    def test_wants_the_right_role_and_the_right_agency(self, factories: Factories, database: Database) -> None:
        members = make_members(factories)
        finder = members.ours.acting_as(Role.FAMILY_FINDER)
        with pytest.raises(NotAllowed), database.transaction(finder) as session:
            answer(session, LEGAL_NAME, "Sample", now=NOW)
        with pytest.raises(QuestionUnknown), transaction(database, members.ours) as session:
            answer(session, PURPOSE, "Sample", now=NOW)

    def test_for_a_consortium_is_the_offices_alone_also_for_the_database(
        self, factories: Factories, database: Database
    ) -> None:
        ours = make_members(factories).ours
        row = "INSERT INTO paper_answer VALUES (gen_random_uuid(), :a, :c, 'purpose', 'x', true, :p, now())"
        facts = {"a": ours.id, "c": ours.scope.consortium_id, "p": ours.scope.person_id}
        with pytest.raises(ProgrammingError, match="row-level security"), transaction(database, ours) as session:
            session.execute(text(row), facts)
