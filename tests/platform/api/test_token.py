from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from tenants import audit
from tenants.api_client import end_client, get_client, rotate_secret
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import Tenant
from tests.platform.api.program import ROOT, Program
from tests.site import COOKIE, Visitor

ProgramOf = Callable[..., Program]
Tenants = tuple[Tenant, Tenant]


class TestToken:
    def test_is_had_for_a_secret(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        given = program_of(two_tenants[0], "groups.read", "rankings").ask_token()

        assert given.status_code == 200
        assert given.json
        assert (given.json["token_type"], given.json["expires_in"]) == ("Bearer", 900)
        assert given.json["scope"] == "groups.read rankings"
        assert given.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in given.headers

    def test_opens_answers_that_hang_on_no_cookie(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0])

        for answer in (program.get("/groups"), program.get("/nothing"), program.ask_token()):
            assert not {"Vary", "Set-Cookie"} & set(answer.headers.keys())

    def test_is_put_on_record_with_where_it_was_asked_from(
        self, program_of: ProgramOf, two_tenants: Tenants, database: Database
    ) -> None:
        program = program_of(two_tenants[0])

        with database.transaction(two_tenants[0].scope) as session:
            entries = audit.list_entries_of(session, program.made.client.id)

        (entry,) = [each for each in entries if each.act is audit.Act.SIGN_IN]
        assert (entry.origin, entry.address, entry.actor_client_id) == ("api", "127.0.0.1", program.made.client.id)

    def test_is_had_for_a_secret_in_the_form(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0])
        form = {"client_id": str(program.made.client.id), "client_secret": program.made.secret}

        given = program.http.post(f"{ROOT}/token", data={"grant_type": "client_credentials", **form})

        assert given.status_code == 200

    def test_may_be_had_for_less(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0], "groups.read", "rankings")

        program.token = (program.ask_token(scope="rankings").json or {})["access_token"]

        assert program.get("/groups").status_code == 403
        assert program.get("/needs").status_code == 200

    @pytest.mark.parametrize("scope", ["identity.read", "groups.read identity.read", "everything"])
    def test_is_not_had_for_more(self, program_of: ProgramOf, two_tenants: Tenants, scope: str) -> None:
        refused = program_of(two_tenants[0], "groups.read").ask_token(scope=scope)

        assert (refused.status_code, refused.json and refused.json["error"]) == (400, "invalid_scope")

    def test_is_not_had_for_a_wrong_secret_or_client(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        ours, theirs = program_of(two_tenants[0]), program_of(two_tenants[1])

        refused = [ours.ask_token(secret) for secret in ("wrong", theirs.made.secret)]
        refused += [
            ours.http.post(f"{ROOT}/token", data={"grant_type": "client_credentials"}, auth=(name, "x"))
            for name in ("", "x", "\N{SNOWMAN}", "00000000-0000-0000-0000-000000000000", str(ours.made.client.id))
        ]

        assert {(each.status_code, (each.json or {})["error"]) for each in refused} == {(401, "invalid_client")}

    def test_is_had_in_no_other_way(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0])

        refused = [program.ask_token(grant_type=kind) for kind in ("password", "authorization_code", "")]

        assert {each.status_code for each in refused} == {400}

    def test_goes_on_with_either_secret_while_they_overlap(
        self, program_of: ProgramOf, two_tenants: Tenants, database: Database
    ) -> None:
        program = program_of(two_tenants[0])
        with database.transaction(two_tenants[0].scope) as session:
            after = rotate_secret(session, get_client(session, program.made.client.id), now=utc_now())

        assert [program.ask_token(each).status_code for each in (program.made.secret, after.secret)] == [200, 200]

    def test_ends_with_its_client_at_once(
        self, program_of: ProgramOf, two_tenants: Tenants, database: Database
    ) -> None:
        program = program_of(two_tenants[0])
        assert program.get("/needs").status_code == 200

        with database.transaction(two_tenants[0].scope) as session:
            end_client(session, get_client(session, program.made.client.id), now=utc_now())

        refused = program.get("/needs")
        assert (refused.status_code, program.ask_token().status_code) == (401, 401)
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]

    def test_ends_with_its_minutes(
        self, program_of: ProgramOf, two_tenants: Tenants, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = program_of(two_tenants[0])

        monkeypatch.setattr("concord.api.token.utc_now", lambda: utc_now() + timedelta(minutes=15))

        assert program.get("/needs").status_code == 401


class TestRevoke:
    def test_ends_a_token(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program, other = program_of(two_tenants[0]), program_of(two_tenants[1])

        by_another = revoke(other, program.token)
        assert (by_another.status_code, program.get("/needs").status_code) == (200, 200)
        by_itself = revoke(program, program.token)
        assert (by_itself.status_code, program.get("/needs").status_code) == (200, 401)

    def test_says_no_more_of_an_unknown_one(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program, other = program_of(two_tenants[0]), program_of(two_tenants[1])

        assert revoke(program, "nobodys").data == revoke(program, other.token).data

    def test_wants_the_secret(self, api_site: Flask) -> None:
        assert api_site.test_client().post(f"{ROOT}/revoke", data={"token": "x"}).status_code == 401


class TestMetadata:
    def test_names_what_there_is(self, api_site: Flask) -> None:
        said = api_site.test_client().get("/.well-known/oauth-authorization-server").json

        assert said
        assert said["issuer"] == "http://localhost"
        assert said["token_endpoint"] == f"http://localhost{ROOT}/token"
        assert said["grant_types_supported"] == ["client_credentials"]


class TestRequireCaller:
    def test_wants_a_token(self, api_site: Flask) -> None:
        refused = api_site.test_client().get(f"{ROOT}/groups")

        assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="concord"'

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "Bearer x", "Basic eDp5", "bearer " + "x" * 5000, "Bearer \xff\xfe", "Token x"]
    )
    def test_takes_no_invented_one(self, api_site: Flask, header: str) -> None:
        assert api_site.test_client().get(f"{ROOT}/groups", headers={"Authorization": header}).status_code == 401

    def test_takes_none_from_the_address_or_a_form(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0])

        refused = program.http.get(f"{ROOT}/groups", query_string={"access_token": program.token})

        assert refused.status_code == 401

    def test_takes_no_browsers_session(self, api_site: Flask, database: Database, two_tenants: Tenants) -> None:
        visitor = Visitor(api_site).sign_in(database, two_tenants[0])
        assert visitor.client.get_cookie(COOKIE)

        refused = visitor.client.get(f"{ROOT}/groups")

        assert refused.status_code == 401
        assert "Set-Cookie" not in refused.headers

    def test_opens_no_page(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        program = program_of(two_tenants[0])

        page = program.http.get("/groups", headers={"Authorization": f"Bearer {program.token}"})

        assert (page.status_code, page.location) == (303, "/")

    def test_names_the_scope_that_is_missing(self, program_of: ProgramOf, two_tenants: Tenants) -> None:
        refused = program_of(two_tenants[0], "groups.read").get("/households")

        assert refused.status_code == 403
        assert (refused.json or {})["type"] == "urn:concord:scope-too-narrow"
        assert refused.headers["WWW-Authenticate"].endswith('error="insufficient_scope", scope="households.read"')

    def test_ends_when_the_agency_leaves(self, program_of: ProgramOf, two_tenants: Tenants, database: Database) -> None:
        program = program_of(two_tenants[0])

        with database.transaction(OPERATOR) as session:
            session.execute(
                text("UPDATE consortium_member SET left_on = :day WHERE agency_id = :agency"),
                {"day": utc_now().date(), "agency": two_tenants[0].id},
            )

        assert program.get("/needs").status_code == 401


def revoke(program: Program, token: str) -> TestResponse:
    return program.http.post(
        f"{ROOT}/revoke", data={"token": token}, auth=(str(program.made.client.id), program.made.secret)
    )
