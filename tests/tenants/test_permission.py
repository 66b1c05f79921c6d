"""Permissions: one table says who may do what."""

from __future__ import annotations

import pytest

from tenants.permission import MAY, NotAllowed, Verb, may, require
from tenants.role import Role
from tenants.scope import NOBODY, OPERATOR, Scope


class TestMay:
    def test_covers_every_verb(self) -> None:
        assert set(MAY) == set(Verb)
        assert all(MAY.values())

    @pytest.mark.parametrize("verb", Verb)
    def test_is_never_for_nobody(self, verb: Verb) -> None:
        assert not may(NOBODY, verb)

    @pytest.mark.parametrize("verb", Verb)
    def test_keeps_the_operator_from_records(self, verb: Verb) -> None:
        assert may(OPERATOR, verb) == (verb is Verb.RUN_PLATFORM)

    @pytest.mark.parametrize("verb", [Verb.READ_IDENTITY, Verb.IMPORT_CHILDREN, Verb.IMPORT_HOUSEHOLDS])
    def test_keeps_the_coordinator_from_identities(self, verb: Verb) -> None:
        assert not may(Scope(roles=frozenset({Role.COORDINATOR})), verb)

    @pytest.mark.parametrize("verb", Verb)
    def test_adds_up_over_roles(self, verb: Verb) -> None:
        for role in Role:
            alone, with_another = (Scope(roles=frozenset({role, *more})) for more in ((), (Role.FAMILY_FINDER,)))
            assert may(with_another, verb) >= may(alone, verb)


class TestRequire:
    @pytest.mark.parametrize("verb", Verb)
    def test_says_what_is_not_allowed_and_who_may(self, verb: Verb) -> None:
        with pytest.raises(NotAllowed, match=r"does not let you [a-z]") as refused:
            require(NOBODY, verb)

        assert all(role.label.lower() in str(refused.value) for role in MAY[verb])

    def test_lets_pass_who_may(self) -> None:
        require(Scope(roles=frozenset({Role.COORDINATOR})), Verb.ARRANGE_MEETINGS)
