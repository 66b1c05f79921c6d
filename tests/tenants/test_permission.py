"""Permissions: one table says who may do what, to whose records, and how much of each they see."""

from __future__ import annotations

import pytest

from tenants.audit import Level
from tenants.permission import DECIDERS, MAY, TABLE, NotAllowed, RecordKind, Relation, Verb, level_of, may, require
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope


def scope_as(*roles: Role) -> Scope:
    return Scope(roles=frozenset(roles))


class TestTable:
    def test_has_a_line_for_every_verb(self) -> None:
        assert {right.verb for right in TABLE} == set(Verb)

    def test_names_somebody_in_each_line(self) -> None:
        assert all(right.roles for right in TABLE)

    def test_says_once_what_a_role_may_do_for_whom(self) -> None:
        said = [(right.verb, role, whose) for right in TABLE for role in right.roles for whose in right.whose]

        assert len(said) == len(set(said))

    def test_says_how_much_exactly_where_it_says_of_what(self) -> None:
        assert [right for right in TABLE if (right.level is None) != (not right.kinds)] == []

    def test_gives_the_operator_the_running_of_the_service_and_no_record(self) -> None:
        theirs = [right for right in TABLE if Role.OPERATOR in right.roles]

        assert all(right.whose == set() and right.level is None for right in theirs)

    def test_keeps_identities_with_their_agency(self) -> None:
        wide = [right for right in TABLE if right.level is Level.IDENTITY and right.whose != {Relation.OWN}]

        assert wide == []

    def test_keeps_the_consortium_office_from_identities_and_reports(self) -> None:
        seen = {right.level for right in TABLE if Relation.OFFICE in right.whose}

        assert seen.isdisjoint({Level.IDENTITY, Level.REPORT})


class TestVerb:
    def test_has_words_of_its_own(self) -> None:
        assert len({verb.words for verb in Verb}) == len(Verb)

    @pytest.mark.parametrize("verb", Verb)
    def test_is_its_own_text(self, verb: Verb) -> None:
        assert (f"{verb}", Verb(verb.value), verb.value) == (verb.name.lower(), verb, verb.name.lower())


class TestMay:
    def test_covers_every_verb(self) -> None:
        assert set(MAY) == set(Verb)
        assert all(MAY.values())

    @pytest.mark.parametrize("verb", Verb)
    def test_is_never_for_nobody(self, verb: Verb) -> None:
        assert not may(NOBODY, verb)

    @pytest.mark.parametrize("verb", Verb)
    def test_keeps_the_operator_from_records(self, verb: Verb) -> None:
        assert may(OPERATOR, verb) == (MAY[verb] == {Role.OPERATOR})

    @pytest.mark.parametrize("verb", [Verb.READ_IDENTITY, Verb.IMPORT_CHILDREN, Verb.IMPORT_HOUSEHOLDS])
    def test_keeps_the_coordinator_from_identities(self, verb: Verb) -> None:
        assert not may(scope_as(Role.COORDINATOR), verb)

    @pytest.mark.parametrize("verb", [Verb.READ_GROUPS, Verb.READ_HOUSEHOLDS, Verb.READ_RANKING, Verb.READ_PACK])
    def test_lets_the_office_work_as_members_do(self, verb: Verb) -> None:
        assert may(scope_as(Role.COORDINATOR), verb)
        assert may(scope_as(Role.FAMILY_FINDER), verb)

    @pytest.mark.parametrize("verb", [Verb.READ_GROUPS, Verb.READ_HOUSEHOLDS, Verb.READ_IDENTITY, Verb.READ_RANKING])
    def test_keeps_who_runs_an_agency_from_its_records(self, verb: Verb) -> None:
        assert not may(scope_as(Role.ADMINISTRATOR, Role.INFORMATION_GOVERNANCE, Role.FINANCE_OFFICER), verb)

    def test_leaves_people_to_the_administrator(self) -> None:
        assert MAY[Verb.MANAGE_PEOPLE] == {Role.ADMINISTRATOR}

    @pytest.mark.parametrize("verb", Verb)
    def test_adds_up_over_roles(self, verb: Verb) -> None:
        for role in Role:
            assert may(scope_as(role, Role.FAMILY_FINDER), verb) >= may(scope_as(role), verb)


class TestRequire:
    @pytest.mark.parametrize("verb", Verb)
    def test_says_what_is_not_allowed_and_who_may(self, verb: Verb) -> None:
        with pytest.raises(NotAllowed, match=r"does not let you [a-z]") as refused:
            require(NOBODY, verb)

        assert verb.words in str(refused.value)
        assert all(role.label.lower() in str(refused.value) for role in MAY[verb])

    def test_lets_pass_who_may(self) -> None:
        require(scope_as(Role.COORDINATOR), Verb.ARRANGE_MEETINGS)


class TestLevelOf:
    @pytest.mark.parametrize("kind", RecordKind)
    def test_is_the_report_of_ones_own_and_of_a_link_and_the_profile_of_what_others_share(
        self, kind: RecordKind
    ) -> None:
        finder = scope_as(Role.FAMILY_FINDER)

        assert level_of(finder, kind, Relation.OWN) is Level.REPORT
        assert level_of(finder, kind, Relation.LINK) is Level.REPORT
        assert level_of(finder, kind, Relation.POOL) is Level.PROFILE

    @pytest.mark.parametrize("kind", RecordKind)
    def test_is_a_profile_at_most_for_the_office(self, kind: RecordKind) -> None:
        coordinator = scope_as(Role.COORDINATOR)

        assert level_of(coordinator, kind, Relation.OFFICE) is Level.PROFILE
        assert level_of(coordinator, kind, Relation.OWN) is None

    @pytest.mark.parametrize("kind", RecordKind)
    @pytest.mark.parametrize("relation", Relation)
    @pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.OPERATOR, Role.FINANCE_OFFICER])
    def test_is_nothing_for_who_needs_no_record(self, role: Role, relation: Relation, kind: RecordKind) -> None:
        assert level_of(scope_as(role), kind, relation) is None

    @pytest.mark.parametrize("kind", RecordKind)
    def test_ends_at_the_agencys_line_for_who_decides_or_answers(self, kind: RecordKind) -> None:
        for role in (*DECIDERS, Role.INFORMATION_GOVERNANCE):
            assert level_of(scope_as(role), kind, Relation.POOL) is None
            assert level_of(scope_as(role), kind, Relation.OFFICE) is None

    @pytest.mark.parametrize("kind", RecordKind)
    @pytest.mark.parametrize("relation", Relation)
    def test_grows_with_roles(self, relation: Relation, kind: RecordKind) -> None:
        order: list[Level | None] = [None, *Level]
        for role in Role:
            alone, more = (level_of(scope_as(role, *also), kind, relation) for also in ((), (Role.MANAGER,)))

            assert order.index(more) >= order.index(alone)
