"""Programs are held to limits by client and by agency, told how much is left, and served while Valkey is away."""

from __future__ import annotations

import pytest
from flask import Flask

from concord.limits import Limits
from concord.servers.login import DatabaseUrls
from concord.web import create_app
from matching.probing import ProbingLimits
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories
from tests.platform.api.program import Program
from tests.site import make_settings

NOWHERE = "redis://127.0.0.1:1/0"


def make_site(database: Database, valkey_url: str, **limits: str) -> Flask:
    return create_app(make_settings(valkey_url=valkey_url, limits=Limits(**limits)), database)


class TestLimits:
    @pytest.mark.parametrize("valkey", ["there", "away"])
    def test_hold_each_client(self, valkey: str, database: Database, valkey_url: str, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        site = make_site(database, valkey_url if valkey == "there" else NOWHERE, api="2 per minute")
        program, other = Program(site, database, ours), Program(site, database, theirs)

        answers = [program.get("/needs") for _ in range(3)]

        assert [each.status_code for each in answers] == [200, 200, 429]
        assert answers[2].mimetype == "application/problem+json"
        assert 0 < int(answers[2].headers["Retry-After"]) <= 60
        assert other.get("/needs").status_code == 200

    def test_hold_an_agencys_clients_together(self, database: Database, valkey_url: str, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        site = make_site(database, valkey_url, agency_api="2 per minute")
        programs = [Program(site, database, each) for each in (ours, ours, ours, theirs)]

        assert [each.get("/needs").status_code for each in programs] == [200, 200, 429, 200]

    def test_say_how_much_is_left(self, database: Database, valkey_url: str, factories: Factories) -> None:
        site = make_site(database, valkey_url, api="5 per minute", agency_api="100 per minute")
        program = Program(site, database, factories.two_tenants()[0])

        first, second = (program.get("/needs").headers for _ in range(2))

        assert first["RateLimit-Policy"] == '"60s";q=5;w=60'
        assert [each["RateLimit"].split(";t=")[0] for each in (first, second)] == ['"60s";r=4', '"60s";r=3']

    def test_count_a_ranking_as_a_look(self, database: Database, valkey_url: str, factories: Factories) -> None:
        tenant = factories.two_tenants()[0]
        program = Program(make_site(database, valkey_url, looks="1 per minute"), database, tenant)
        group = factories.group(tenant)

        made = [program.send(f"/groups/{group}/rankings", {}).status_code for _ in range(2)]

        assert made == [201, 429]
        assert program.get(f"/groups/{group}").status_code == 200
        with database.transaction(tenant.scope) as session:
            refused = [each.actor_client_id for each in session.query(AuditEntry).filter_by(act=Act.REFUSE)]
        assert refused == [program.made.client.id]

    def test_hold_who_guesses_secrets(self, database: Database, factories: Factories) -> None:
        program = Program(make_site(database, NOWHERE, sign_ins="3 per minute"), database, factories.two_tenants()[0])

        assert [program.ask_token("wrong").status_code for _ in range(3)] == [401, 401, 429]


class TestProbing:
    def test_is_counted_as_a_persons_is(self, migrated: DatabaseUrls, valkey_url: str, factories: Factories) -> None:
        ours, theirs = factories.two_tenants()
        groups = [factories.group(ours) for _ in range(2)]
        factories.household(theirs)
        facts = {"probing_limits": ProbingLimits(records=1)}
        database = Database(migrated.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY, facts=facts)
        program = Program(make_site(database, valkey_url), database, ours)

        first, second = (program.send(f"/groups/{group}/rankings", {}) for group in groups)

        assert (first.status_code, second.status_code) == (201, 429)
        assert (second.json or {})["type"] == "about:blank"
        assert int(second.headers["Retry-After"]) > 60
        database.dispose()
