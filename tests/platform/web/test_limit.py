"""Too much in too short a time is refused in words, and the service goes on without its queue store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from environs import Env
from flask import Flask
from sqlalchemy.exc import OperationalError

from concord.limits import Limits, read_limits, read_probing_limits
from concord.servers.login import DatabaseUrls
from concord.settings import SettingInvalid
from concord.web import create_app, request
from concord.web.limit import LISTS, LOOKS, again_in
from matching.probing import ProbingLimits
from matching.sibling_group import get_group
from tenants.audit import Act, AuditEntry
from tenants.database import Database
from tenants.sign_in import find_session
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories, Tenant
from tests.site import Visitor, make_settings

NOWHERE = "redis://127.0.0.1:1/0"
FEW = Limits(looks="2 per minute", agency_looks="3 per minute", household_looks="1 per day", sign_ins="2 per minute")


class TestInstallLimits:
    @pytest.mark.parametrize("valkey", ["there", "away"])
    def test_refuses_more_looks_than_a_person_may_have(
        self, valkey: str, database: Database, valkey_url: str, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        app = make_site(database, valkey_url if valkey == "there" else NOWHERE, FEW)
        path = f"/groups/{factories.group(devon)}"
        ours, theirs = Visitor(app).sign_in(database, devon), Visitor(app).sign_in(database, dorset)

        answers = [ours.get(path) for _ in range(3)]

        assert [each.status_code for each in answers] == [200, 200, 429]
        assert 0 < int(answers[2].headers["Retry-After"]) <= 60
        assert ours.page
        assert "Nothing was lost: try again in a minute." in ours.page.text
        assert theirs.get(path).status_code == 200

    def test_signs_nobody_out_because_the_database_was_away_for_a_moment(
        self, database: Database, valkey_url: str, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        devon, _ = factories.two_tenants()
        visitor = Visitor(make_site(database, valkey_url, Limits())).sign_in(database, devon)
        path = f"/groups/{factories.group(devon)}"
        failures = [OperationalError("SELECT", {}, Exception("the server closed the connection"))]

        def find(*given: object, **facts: object) -> object:
            if failures:
                raise failures.pop()
            return find_session(*given, **facts)  # type: ignore[arg-type]

        monkeypatch.setattr(request, "find_session", find)

        assert visitor.get(path).status_code == 200

    def test_counts_all_people_of_an_agency_together(
        self, database: Database, valkey_url: str, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        app = make_site(database, valkey_url, Limits(looks="9 per minute", agency_looks="1 per minute"))
        path = f"/groups/{factories.group(devon)}"

        first, second = (Visitor(app).sign_in(database, devon).get(path) for _ in range(2))

        assert (first.status_code, second.status_code) == (200, 429)

    def test_counts_looks_at_one_household_of_another_agency(
        self, database: Database, valkey_url: str, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        app = make_site(database, valkey_url, Limits(household_looks="1 per day"))
        one, other = factories.household(dorset), factories.household(dorset)
        visitor = Visitor(app).sign_in(database, devon)

        answers = [visitor.get(f"/households/{each}").status_code for each in (one, other, one)]

        assert answers == [200, 200, 429]
        assert visitor.page
        assert "hours, or ask your agency’s administrator" in visitor.page.text

    @pytest.mark.parametrize("path", ["/availability", "/households?near={}", "/households?near={}&band=far&whose=all"])
    def test_counts_every_page_that_compares_places(
        self, path: str, database: Database, valkey_url: str, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        factories.household(devon)
        visitor = Visitor(make_site(database, valkey_url, FEW)).sign_in(database, devon)
        path = path.format(group_code(database, devon, factories.group(devon)))

        answers = [visitor.get(path).status_code for _ in range(3)]

        assert answers == [200, 200, 429]

    def test_puts_a_refused_look_on_record_once_a_minute(
        self, database: Database, valkey_url: str, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        app = make_site(database, valkey_url, FEW)
        visitor = Visitor(app).sign_in(database, devon)
        path = f"/groups/{factories.group(devon)}"

        for _ in range(5):
            visitor.get(path)

        assert refusals(database, devon) == ["ranking"]
        assert refusals(database, dorset) == []

    def test_limits_tries_to_sign_in_by_address(self, database: Database, valkey_url: str) -> None:
        app = make_site(database, valkey_url, FEW)
        visitor = Visitor(app)

        answers = [visitor.client.get("/sign-in", environ_base={"REMOTE_ADDR": "192.0.2.7"}) for _ in range(3)]
        elsewhere = visitor.client.get("/sign-in", environ_base={"REMOTE_ADDR": "192.0.2.8"})

        assert answers[2].status_code == 429
        assert 429 not in {answers[0].status_code, answers[1].status_code, elsewhere.status_code}

    def test_counts_behind_a_proxy_by_the_address_that_the_proxy_saw(self, database: Database, valkey_url: str) -> None:
        app = make_site(database, valkey_url, FEW, proxies=1)
        client = Visitor(app).client

        def tried(told: str) -> int:
            return client.get("/sign-in", headers={"X-Forwarded-For": told}).status_code

        answers = [tried(f"198.51.100.{number}, 192.0.2.17") for number in range(3)]

        assert answers[2] == 429
        assert 429 not in {*answers[:2], tried("192.0.2.17, 192.0.2.18")}

    def test_limits_what_an_address_says_of_ended_sign_ins(self, database: Database, valkey_url: str) -> None:
        client = Visitor(make_site(database, valkey_url, Limits(logouts="2 per minute"))).client

        def told(path: str, number: int) -> int:
            return client.post(path, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"}).status_code

        answers = [
            told(path, 27) for path in ("/back-channel-logout", "/back-channel-logout/aa", "/back-channel-logout")
        ]

        assert answers == [400, 400, 429]
        assert told("/back-channel-logout", 28) == 400

    def test_counts_no_look_at_ones_own_sign_ins_as_a_try(
        self, database: Database, valkey_url: str, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        visitor = Visitor(make_site(database, valkey_url, FEW)).sign_in(database, devon)

        assert {visitor.get("/sign-ins").status_code for _ in range(4)} == {200}

    def test_limits_nothing_else(self, database: Database, valkey_url: str, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        visitor = Visitor(make_site(database, valkey_url, Limits(looks="1 per day"))).sign_in(database, devon)

        assert {visitor.get("/groups").status_code for _ in range(4)} == {200}

    def test_names_pages_that_there_are(self, site: Flask) -> None:
        assert set(site.view_functions) >= LOOKS | LISTS


class TestAskedTooOften:
    def test_is_a_page_that_says_until_when_and_is_put_on_record(
        self, migrated: DatabaseUrls, valkey_url: str, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        factories.household(dorset)
        groups = [factories.group(devon) for _ in range(2)]
        for database in tight(migrated):
            visitor = Visitor(make_site(database, valkey_url, Limits())).sign_in(database, devon)

            answers = [visitor.get(f"/groups/{each}") for each in groups]

            assert [each.status_code for each in answers] == [200, 429]
            assert int(answers[1].headers["Retry-After"]) > 23 * 3600
            assert visitor.page
            assert "1 different groups compared with other agencies’ households in 24 hours" in visitor.page.text
            assert refusals(database, devon) == ["sibling_group"]


class TestReadLimits:
    def test_reads_each_from_its_variable(self, setenv: Callable[[str, str], None]) -> None:
        setenv("CONCORD_LIMIT_HAND_INS", "3 per hour")

        assert read_limits(Env()) == Limits(hand_ins="3 per hour")

    @pytest.mark.parametrize("text", ["many", "3", "-1 per minute", "3 per fortnight"])
    def test_refuses_what_is_no_limit(self, text: str, setenv: Callable[[str, str], None]) -> None:
        setenv("CONCORD_LIMIT_LOOKS", text)

        with pytest.raises(SettingInvalid, match="CONCORD_LIMIT_LOOKS is no limit"):
            read_limits(Env())


class TestReadProbingLimits:
    def test_has_defaults_that_can_be_set(self, setenv: Callable[[str, str], None]) -> None:
        assert read_probing_limits(Env()) == ProbingLimits(records=1_000, places=10)
        setenv("CONCORD_PROBING_PLACES", "3")
        assert read_probing_limits(Env()) == ProbingLimits(records=1_000, places=3)

    @pytest.mark.parametrize("text", ["0", "-3", "a few"])
    def test_refuses_what_is_no_number(self, text: str, setenv: Callable[[str, str], None]) -> None:
        setenv("CONCORD_PROBING_RECORDS", text)

        with pytest.raises(SettingInvalid, match="CONCORD_PROBING_RECORDS"):
            read_probing_limits(Env())


class TestAgainIn:
    @pytest.mark.parametrize(
        ("seconds", "words"), [(1, "in a minute"), (60, "in a minute"), (61, "in 2 minutes"), (86_400, "in 24 hours")]
    )
    def test_rounds_up_to_what_people_wait_by(self, seconds: int, words: str) -> None:
        assert words in again_in(seconds)


def make_site(database: Database, valkey_url: str, limits: Limits, *, proxies: int = 0) -> Flask:
    return create_app(make_settings(valkey_url=valkey_url, limits=limits, proxies=proxies), database)


def tight(migrated: DatabaseUrls) -> Iterator[Database]:
    database = Database(
        migrated.app,
        scope_key=SCOPE_KEY,
        master_key=MASTER_KEY,
        facts={"probing_limits": ProbingLimits(records=1, places=1)},
    )
    yield database
    database.dispose()


def group_code(database: Database, tenant: Tenant, group_id: UUID) -> str:
    with database.transaction(tenant.scope) as session:
        return get_group(session, group_id).code


def refusals(database: Database, tenant: Tenant) -> list[str]:
    with database.transaction(tenant.scope) as session:
        return [entry.record_kind for entry in session.query(AuditEntry).where(AuditEntry.act == Act.REFUSE)]


@pytest.fixture
def setenv(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    return monkeypatch.setenv
