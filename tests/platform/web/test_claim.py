from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from concord.web.claim import role_values, text_of, took_second_step, verified_email
from tenants.identity_provider import ProviderState
from tenants.sign_in_way import Connection


class TestVerifiedEmail:
    def test_is_tidied(self) -> None:
        assert verified_email({"email": " Sam@Council.Example ", "email_verified": True}) == "sam@council.example"

    @pytest.mark.parametrize("verified", [False, None, "true", 1])
    def test_is_none_where_the_provider_does_not_say_so_outright(self, verified: object) -> None:
        assert verified_email({"email": "sam@council.example", "email_verified": verified}) is None

    @pytest.mark.parametrize("email", ["", "@", "a@b@c.example", "a\0@b.example", "a\n@b.example", 7, ["a@b.example"]])
    def test_is_none_where_it_is_no_address(self, email: object) -> None:
        assert verified_email({"email": email, "email_verified": True}) is None


class TestRoleValues:
    @pytest.mark.parametrize(
        ("claims", "values"),
        [
            ({"realm": {"roles": ["a", 7, "", "b\0", None, "c"]}}, ("a", "c")),
            ({"realm.roles": "a"}, ("a",)),
            ({"realm": "roles"}, ()),
            ({}, ()),
            # The list is elsewhere, and not told.
            ({"_claim_names": {"realm.roles": "src"}}, None),
        ],
    )
    def test_are_the_texts_that_can_be_kept(self, claims: dict[str, Any], values: tuple[str, ...] | None) -> None:
        assert role_values(connection(roles_claim="realm.roles"), claims) == values

    def test_are_none_of_an_agency_without_rules(self) -> None:
        assert role_values(connection(), {"groups": ["a"]}) == ()
        assert role_values(None, {"groups": ["a"]}) is None


class TestTookSecondStep:
    @pytest.mark.parametrize(
        ("acr_values", "claims", "took"),
        [
            (("strong",), {"acr": "strong"}, True),
            (("strong",), {"acr": "weak", "amr": ["mfa"]}, False),
            ((), {"amr": ["pwd", "mfa"]}, True),
            ((), {"amr": "mfa"}, False),
            ((), {}, False),
        ],
    )
    def test_goes_by_the_class_that_was_asked_for_or_else_by_method(
        self, acr_values: tuple[str, ...], claims: dict[str, Any], *, took: bool
    ) -> None:
        assert took_second_step(acr_values, claims) is took


class TestTextOf:
    @pytest.mark.parametrize("value", [None, "", 7, ["a"], "a\0", True])
    def test_is_none_of_all_else(self, value: object) -> None:
        assert text_of(value) is None


def connection(*, roles_claim: str | None = None) -> Connection:
    return Connection(
        id=uuid4(),
        agency_id=uuid4(),
        agency_name="Sample Council",
        name="Account",
        issuer="https://id.example",
        mark="0" * 16,
        client_id="concord",
        scopes=("openid",),
        roles_claim=roles_claim,
        second_step=False,
        acr_values=(),
        max_age_minutes=None,
        state=ProviderState.ON,
        domains=(),
        secret="sealed",
    )
