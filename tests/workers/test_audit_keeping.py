"""The schedule keeps every agency's chain, and says when one is not what it was."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from tenants.audit_anchor import list_anchors
from tenants.audit_check import find_last_check
from tenants.database import Database
from tenants.scope import OPERATOR
from tests.factories import NOW, Factories
from tests.own_database import own_fixtures
from tests.tenants.chain import KEY, look, of
from workers.audit_keeping import AuditKeys, check, keep_audit, keep_chain, list_chains

KEYS = AuditKeys(present=KEY)

# Every agency of it is looked at.
migrated, database, factories = own_fixtures("concord_audit_keeping")


class TestKeepAudit:
    def test_chains_and_signs_for_every_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        look(database, devon, owner=dorset)

        assert keep_audit(database, KEYS, now=NOW) > 0
        assert keep_audit(database, KEYS, now=NOW) == 0

        for tenant in (devon, dorset):
            with database.transaction(of(tenant)) as session:
                (anchor,) = list_anchors(session)
                assert anchor.at == NOW

    def test_checks_each_once_a_day_and_one_at_a_time(self, database: Database, factories: Factories) -> None:
        factories.two_tenants()
        chains, later = list_chains(database), NOW + timedelta(days=400)

        def checked() -> int:
            count = 0
            for scope in chains:
                with database.transaction(scope) as session:
                    last = find_last_check(session, now=later)
                    count += last is not None and last.at >= later
            return count

        counts = []
        for _ in range(len(chains) + 2):
            keep_audit(database, KEYS, now=later)
            counts.append(checked())

        assert counts == [*range(1, len(chains) + 1), len(chains), len(chains)]

    def test_leaves_the_rest_to_the_next_time_when_it_is_told_to_stop(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        look(database, devon)

        assert keep_audit(database, KEYS, now=NOW, stopping=lambda: True) == 0
        assert keep_audit(database, KEYS, now=NOW) > 0

    def test_chains_without_a_key_and_signs_nothing(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        look(database, devon)

        assert keep_chain(database, of(devon), AuditKeys(), now=NOW) > 0

        with database.transaction(of(devon)) as session:
            assert list_anchors(session) == []


class TestKeepChain:
    @pytest.mark.parametrize(
        ("hours", "grown", "signed"), [(0.5, True, 1), (1, True, 2), (23, False, 1), (24, False, 2)]
    )
    def test_signs_hourly_what_has_grown_and_daily_what_has_not(
        self, database: Database, factories: Factories, hours: float, grown: bool, signed: int
    ) -> None:
        devon, _ = factories.two_tenants()
        keep_chain(database, of(devon), KEYS, now=NOW)
        if grown:
            look(database, devon)

        keep_chain(database, of(devon), KEYS, now=NOW + timedelta(hours=hours))

        with database.transaction(of(devon)) as session:
            assert len(list_anchors(session)) == signed


class TestCheck:
    def test_keeps_and_tells_what_is_wrong(
        self, database: Database, factories: Factories, migrated: DatabaseUrls
    ) -> None:
        devon, dorset = factories.two_tenants()
        (record_id,) = look(database, devon)
        for tenant in (devon, dorset):
            keep_chain(database, of(tenant), KEYS, now=NOW)
        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            admin.execute("SET session_replication_role = 'replica'")
            admin.execute("UPDATE audit_entry SET actor_person_id = NULL WHERE record_id = %s", (record_id,))

        faults = {tenant.id: check(database, of(tenant), KEYS, now=NOW).count for tenant in (devon, dorset)}

        assert faults == {devon.id: 1, dorset.id: 0}
        with database.transaction(devon.scope) as session:
            kept = find_last_check(session, now=NOW)
            assert kept is not None
            assert [fault["kind"] for fault in kept.found["faults"]] == ["edited"]


class TestListChains:
    def test_names_every_agency_and_the_one_of_none(self, database: Database, factories: Factories) -> None:
        tenants = factories.two_tenants()

        chains = list_chains(database)

        assert chains[0] == OPERATOR
        assert {of(tenant) for tenant in tenants} <= set(chains)
