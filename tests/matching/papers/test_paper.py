from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from matching.papers.answer import answer
from matching.papers.draft import TO_COMPLETE, changes_between, digest_of, lines_of
from matching.papers.facts import facts_of
from matching.papers.paper import (
    NotYoursToDraw,
    PaperKind,
    PaperUnchanged,
    PaperUnknown,
    changes_since,
    draw_up,
    get_version,
    kinds_of,
    list_versions,
    may_draw,
    write_paper,
)
from matching.papers.question import questions
from matching.retention.record_class import Clock, Ends, RecordClass
from matching.retention.rule import set_rule
from tenants.agency import AgencyKind
from tenants.consortium import get_consortium, set_caps
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.factories import NOW, TODAY, Factories, Tenant, transaction
from tests.matching.papers.paper_factory import answer_all, make_members


def written(database: Database, tenant: Tenant, kind: PaperKind) -> list[tuple[str, str]]:
    with transaction(database, tenant) as session:
        return lines_of(write_paper(session, kind, on=TODAY))


class TestWritePaper:
    @pytest.mark.parametrize("kind", list(PaperKind))
    def test_invents_nothing_that_people_have_to_say(
        self, kind: PaperKind, factories: Factories, database: Database
    ) -> None:
        with transaction(database, make_members(factories).ours) as session:
            content = write_paper(session, kind, on=TODAY)

        said = [words for section in content["sections"] for _, words in section["pairs"]]
        assert any(TO_COMPLETE in words for words in said)
        assert len(content["missing"]) == len(set(content["missing"]))
        assert questions()["platform_host"].title in content["missing"]

    def test_of_a_consortium_that_said_all_leaves_nothing_open_and_repeats_the_answers(
        self, factories: Factories, database: Database
    ) -> None:
        members = make_members(factories)
        answer_all(database, members.office, members.ours, members.theirs)
        for kind in PaperKind:
            lines = written(database, members.ours, kind)

            assert not [words for _, words in lines if TO_COMPLETE in words or "To be completed" in words]
            assert any(f"platform_host of {members.office.slug}" in words for _, words in lines)

    def test_says_the_same_agreement_whichever_member_reads_it(self, factories: Factories, database: Database) -> None:
        members = make_members(factories)
        answer_all(database, members.office, members.ours)
        with transaction(database, members.ours) as session:
            set_rule(
                session,
                RecordClass.IMPORT_FILE,
                clock=Clock.FINISHED,
                months=3,
                ends=Ends.DESTROY,
                basis="Ours",
                now=NOW,
            )

        found = [
            written(database, each, PaperKind.AGREEMENT) for each in (members.office, members.ours, members.theirs)
        ]

        assert found[0] == found[1] == found[2]
        assert ("At the top", f"To be completed: {members.theirs.name}: {questions()['legal_name'].title}") in found[0]

    def test_says_nothing_of_another_consortium_or_of_another_agencys_own_answers(
        self, factories: Factories, database: Database
    ) -> None:
        members, strangers = make_members(factories), make_members(factories)
        answer_all(database, members.office, members.ours, strangers.office, strangers.ours)
        for kind in PaperKind:
            words = "\n".join(line for _, line in written(database, members.theirs, kind))

            assert strangers.ours.slug not in words
            assert strangers.office.slug not in words
            assert f"necessity of {members.ours.slug}" not in words

    def test_of_an_agency_in_no_consortium_has_no_agreement(self, factories: Factories, database: Database) -> None:
        ours = make_members(factories).ours
        alone = replace(ours.scope, consortium_id=None)
        with database.transaction(alone) as session:
            kinds = kinds_of(facts_of(session, on=TODAY))
            assert [write_paper(session, kind, on=TODAY)["of"] for kind in kinds] == [ours.name] * 5
            with pytest.raises(PaperUnknown):
                write_paper(session, PaperKind.AGREEMENT, on=TODAY)

    def test_of_the_office_is_the_map_and_the_agreement(self, factories: Factories, database: Database) -> None:
        with transaction(database, make_members(factories).office) as session:
            assert kinds_of(facts_of(session, on=TODAY)) == [PaperKind.MAP, PaperKind.AGREEMENT]
            with pytest.raises(PaperUnknown):
                write_paper(session, PaperKind.ASSESSMENT, on=TODAY)

    def test_wants_the_right_role(self, factories: Factories, database: Database) -> None:
        finder = make_members(factories).ours.acting_as(Role.FAMILY_FINDER)
        with pytest.raises(NotAllowed), database.transaction(finder) as session:
            write_paper(session, PaperKind.MAP, on=TODAY)


class TestDrawUp:
    def test_numbers_versions_and_refuses_one_that_says_the_same(
        self, factories: Factories, database: Database
    ) -> None:
        members = make_members(factories)
        with transaction(database, members.ours) as session:
            first = draw_up(session, PaperKind.ASSESSMENT, now=NOW)
            assert first.whole
        with pytest.raises(PaperUnchanged), transaction(database, members.ours) as session:
            draw_up(session, PaperKind.ASSESSMENT, now=NOW)
        with transaction(database, members.ours) as session:
            answer(session, questions()["necessity"], "It is", now=NOW)
            draw_up(session, PaperKind.ASSESSMENT, now=NOW)
            assert [paper.number for paper in list_versions(session, PaperKind.ASSESSMENT)] == [2, 1]
        with transaction(database, members.theirs) as session:
            assert list_versions(session, PaperKind.ASSESSMENT) == []
            with pytest.raises(PaperUnknown):
                get_version(session, first.id)

    def test_of_the_agreement_is_the_offices_where_there_is_one(self, factories: Factories, database: Database) -> None:
        members = make_members(factories)
        with pytest.raises(NotYoursToDraw), transaction(database, members.ours) as session:
            draw_up(session, PaperKind.AGREEMENT, now=NOW)
        with transaction(database, members.office) as session:
            drawn = draw_up(session, PaperKind.AGREEMENT, now=NOW)
        with transaction(database, members.theirs) as session:
            assert get_version(session, drawn.id).digest == drawn.digest
            assert [each.id for each in list_versions(session, PaperKind.AGREEMENT)] == [drawn.id]
        stranger = make_members(factories).ours
        with transaction(database, stranger) as session, pytest.raises(PaperUnknown):
            get_version(session, drawn.id)

    def test_of_the_agreement_is_any_members_where_there_is_no_office(
        self, factories: Factories, database: Database
    ) -> None:
        ours, _ = factories.two_tenants()
        with transaction(database, ours) as session:
            assert may_draw(session, PaperKind.AGREEMENT, on=TODAY)
            assert draw_up(session, PaperKind.AGREEMENT, now=NOW).number == 1

    @pytest.mark.parametrize("statement", ["UPDATE paper SET number = 9", "DELETE FROM paper"])
    def test_cannot_be_changed_afterwards(self, statement: str, factories: Factories, database: Database) -> None:
        ours = make_members(factories).ours
        with transaction(database, ours) as session:
            draw_up(session, PaperKind.STAFF, now=NOW)
        with pytest.raises(ProgrammingError, match="permission denied"), transaction(database, ours) as session:
            session.execute(text(statement))


class TestChangesSince:
    def test_says_what_the_configuration_has_changed(self, factories: Factories, database: Database) -> None:
        members = make_members(factories)
        with transaction(database, members.office) as session:
            paper = draw_up(session, PaperKind.AGREEMENT, now=NOW)
        with transaction(database, members.ours) as session:
            assert not changes_since(session, paper, on=TODAY)
        with database.transaction(OPERATOR) as session:
            consortium = get_consortium(session, members.ours.scope.consortium_id or members.ours.id)
            set_caps(session, consortium, household_cap=7, group_cap=3)
        joined = factories.tenant(members.ours.scope.consortium_id or members.ours.id, kind=AgencyKind.VOLUNTARY_AGENCY)

        with transaction(database, members.theirs) as session:
            changes = changes_since(session, paper, on=TODAY)

        assert any("and 7 groups for a family" in words for _, words in changes.come)
        assert any("and 3 groups for a family" in words for _, words in changes.gone)
        assert any(section == joined.name for section, _ in changes.come)


class TestDraft:
    def test_changes_are_none_between_the_same_and_name_the_section(self) -> None:
        one = {"missing": [], "sections": [{"title": "A", "paragraphs": ["x"], "points": ["y"], "pairs": [["z", "1"]]}]}
        two = {"missing": ["q"], "sections": [{**one["sections"][0], "pairs": [["z", "2"]]}]}

        assert changes_between(one, one) == ([], [])
        assert changes_between(one, two) == ([("A", "z: 1")], [("At the top", "To be completed: q"), ("A", "z: 2")])
        assert digest_of(one) != digest_of(two)
        assert digest_of(one) == digest_of(dict(reversed(one.items())))
